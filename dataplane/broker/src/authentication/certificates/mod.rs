//! Clients that log in with a certificate (mTLS).
//!
//! | module | what is in it |
//! |---|---|
//! | [`verifier`] | what a handshake asks of a client's certificate |
//! | [`expiry`] | certificates that expire soon |
//!
//! The name in the handshake says the cluster, and the cluster's pools whom it trusts. A client is asked for a certificate where the cluster
//! has a pool, and need not show one. One that is shown and does not do ends the handshake with the same alert whatever is wrong: an
//! authority of another cluster and one that nobody knows look the same. The log says why.

pub(crate) mod expiry;
pub(crate) mod verifier;

use std::net::IpAddr;
use std::sync::Arc;

use firn_catalog::ids::ClusterId;
use firn_catalog::image::{Image, ImageFollower};
use firn_catalog::trust::{AdmittedClient, CertificateFacts, CertificateRefused};
use firn_runtime::Timestamp;
use rustls::pki_types::CertificateDer;
use rustls::server::danger::ClientCertVerifier;
use tokio::time::Instant;
use tracing::info;

use self::verifier::{Refusal, Verifier};
use super::server_name::{self, Named};
use crate::denials::Denials;
use crate::metrics;
use crate::network::tls::ClientAuthentication;
use crate::sampling::Sampled;

/// What clients that show a certificate are called where others have a SASL mechanism.
pub(crate) const MECHANISM: &str = "SSL";

/// Who shows this chain to the cluster of this slug.
pub(crate) fn admit(
    image: &Image,
    slug: &str,
    (certificate, others): (&CertificateDer<'_>, &[CertificateDer<'_>]),
    now: Timestamp,
) -> Result<(ClusterId, AdmittedClient), CertificateRefused> {
    let Named::Cluster(cluster) = Named::of(Some(slug), image) else {
        return Err(CertificateRefused::UnknownAuthority);
    };
    let trust = image.access(cluster.id).and_then(|access| access.client_trust());
    let trust = trust.ok_or(CertificateRefused::UnknownAuthority)?;
    Ok((cluster.id, trust.admit(certificate, others, now)?))
}

/// Asks clients for certificates.
pub(crate) struct ClientCertificates {
    pub(crate) images: Arc<ImageFollower>,
    pub(crate) cell_domain: Option<String>,
    pub(crate) denials: Arc<Denials>,
    pub(crate) logged: Sampled,
}

impl ClientAuthentication for ClientCertificates {
    fn verifier(&self, server_name: &str) -> Option<Arc<dyn ClientCertVerifier>> {
        let slug = server_name::slug_of(server_name, self.cell_domain.as_deref())?;
        let image = self.images.image();
        let cluster = image.cluster_by_slug(&slug)?;
        image.access(cluster.id)?.client_trust()?;
        Some(Arc::new(Verifier {
            cluster: cluster.id,
            images: Arc::clone(&self.images),
            slug,
        }))
    }

    fn failed(&self, connection: u64, address: IpAddr, error: &rustls::Error) {
        if let Some(refusal) = Refusal::of(error) {
            let facts = refusal.facts.as_ref();
            self.refused((connection, address), refusal.cluster, facts, refusal.why);
        }
    }
}

impl ClientCertificates {
    /// Tells operators and the tenant that a certificate was refused.
    fn refused(
        &self,
        (connection, address): (u64, IpAddr),
        cluster: ClusterId,
        facts: Option<&CertificateFacts>,
        why: CertificateRefused,
    ) {
        metrics::authentication(MECHANISM, "failed");
        metrics::client_certificate_refused(why.word());
        let (subject, serial) = facts.map_or(("", ""), |facts| (&facts.subject, &facts.serial));
        if let Some(passed_over) = self.logged.take(Instant::now()) {
            let (reason, cluster) = (why.reason(), cluster.public());
            info!(
                connection,
                %address,
                cluster,
                ?subject,
                serial,
                reason,
                passed_over,
                "a client certificate was refused"
            );
        }
        self.denials
            .authentication(Some(cluster), subject, MECHANISM, address, why.reason());
    }
}
