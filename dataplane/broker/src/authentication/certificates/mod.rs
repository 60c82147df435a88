//! Clients that log in with a certificate (mTLS).
//!
//! | module | what is in it |
//! |---|---|
//! | [`verifier`] | what a handshake asks of a client's certificate |
//! | [`expiry`] | certificates that expire soon |
//!
//! The name in the handshake says the cluster, and the cluster's pools whom it trusts. Who asks for any name of one label under the cell's
//! domain is asked for a certificate, with no authorities named, and need not show one. One that is shown and does not do ends the handshake
//! with the same alert whatever is wrong, once the client was to prove that it has the key. So a handshake does not tell whether there is
//! a cluster of the name, nor whether it has pools or whose. The log says why.

pub(crate) mod expiry;
pub(crate) mod verifier;

use std::net::IpAddr;
use std::sync::Arc;

use firn_catalog::ids::ClusterId;
use firn_catalog::image::{Image, ImageFollower};
use firn_catalog::trust::{AdmittedClient, CertificateRefused, ClientTrust};
use firn_runtime::Timestamp;
use rustls::pki_types::CertificateDer;
use rustls::server::danger::ClientCertVerifier;
use tokio::time::Instant;
use tracing::info;

use self::verifier::{Refusal, Verifier};
use super::server_name;
use crate::denials::Denials;
use crate::metrics;
use crate::network::tls::ClientAuthentication;
use crate::sampling::Sampled;

/// What clients that show a certificate are called where others have a SASL mechanism.
pub(crate) const MECHANISM: &str = "SSL";

/// Who shows this chain to the cluster of this slug. Where there is none, or one without pools, the work is that of an authority which
/// nobody knows.
pub(crate) fn admit(
    image: &Image,
    slug: &str,
    (certificate, others): (&CertificateDer<'_>, &[CertificateDer<'_>]),
    now: Timestamp,
) -> Result<(ClusterId, AdmittedClient), CertificateRefused> {
    let cluster = image.cluster_by_slug(slug).map(|cluster| cluster.id);
    let access = cluster.and_then(|cluster| image.access(cluster));
    let nobody = ClientTrust::default();
    let trust = access.and_then(|access| access.client_trust());
    let client = trust.unwrap_or(&nobody).admit(certificate, others, now)?;
    let cluster = cluster.ok_or(CertificateRefused::UnknownAuthority)?;
    Ok((cluster, client))
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
        Some(Arc::new(Verifier::new(slug, Arc::clone(&self.images))))
    }

    fn failed(&self, connection: u64, address: IpAddr, error: &rustls::Error) {
        if let Some(refusal) = Refusal::of(error) {
            self.refused(connection, address, refusal);
        }
    }
}

impl ClientCertificates {
    /// Tells operators, and the tenant if there is one, that a certificate was refused.
    fn refused(&self, connection: u64, address: IpAddr, refusal: &Refusal) {
        let Refusal {
            slug,
            cluster,
            why,
            facts,
        } = refusal;
        metrics::authentication(MECHANISM, "failed");
        metrics::client_certificate_refused(why.word());
        let facts = facts.as_ref();
        let (subject, serial) = facts.map_or(("", ""), |facts| (&facts.subject, &facts.serial));
        if let Some(passed_over) = self.logged.take(Instant::now()) {
            let (reason, cluster) = (why.reason(), cluster.map(|cluster| cluster.public()));
            info!(
                connection,
                %address,
                %slug,
                cluster,
                ?subject,
                serial,
                reason,
                passed_over,
                "a client certificate was refused"
            );
        }
        self.denials
            .authentication(*cluster, subject, MECHANISM, address, why.reason());
    }
}
