//! What a TLS handshake asks of a client's certificate: that the cluster's pools let it in, as of the newest image, and that the client
//! has its key.
//!
//! The certificate is judged when it comes, and refused only where the client proves that it has the key, right or wrong. Who shows a
//! certificate that it merely has seen learns nothing of whether it would do.

use std::error::Error;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use firn_catalog::ids::ClusterId;
use firn_catalog::image::ImageFollower;
use firn_catalog::trust::{CertificateFacts, CertificateRefused};
use firn_runtime::Timestamp;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, OtherError, SignatureScheme};

/// Why a client's certificate was refused.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    /// The label that the client asked for.
    pub(super) slug: Arc<str>,
    /// The cluster of that label, if there is one.
    pub(super) cluster: Option<ClusterId>,
    pub(super) why: CertificateRefused,
    /// What the certificate says of itself, if it can be read.
    pub(super) facts: Option<CertificateFacts>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.why.reason())
    }
}

impl Error for Refusal {}

impl Refusal {
    /// The refusal behind a failed handshake, if that is what it failed for.
    pub(super) fn of(error: &rustls::Error) -> Option<&Self> {
        match error {
            rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(cause))) => {
                cause.downcast_ref()
            }
            _ => None,
        }
    }
}

/// Verifies the certificate of one client of the cluster of a slug, if there is one.
pub(super) struct Verifier {
    slug: Arc<str>,
    images: Arc<ImageFollower>,
    /// Set when the certificate comes: what is wrong with it, if anything.
    judged: OnceLock<Option<CertificateRefused>>,
}

impl Verifier {
    pub(super) fn new(slug: Arc<str>, images: Arc<ImageFollower>) -> Self {
        Self {
            slug,
            images,
            judged: OnceLock::new(),
        }
    }

    /// What comes of the certificate, now that it is known whether the client has its key. All that is wrong is told alike.
    fn conclude(
        &self,
        certificate: &CertificateDer<'_>,
        proof: Result<HandshakeSignatureValid, rustls::Error>,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let why = match (self.judged.get(), proof) {
            (Some(None), Ok(valid)) => return Ok(valid),
            (Some(Some(why)), _) => *why,
            (Some(None), Err(_)) | (None, _) => CertificateRefused::NoKey,
        };
        let image = self.images.image();
        let refusal = Refusal {
            slug: Arc::clone(&self.slug),
            cluster: image.cluster_by_slug(&self.slug).map(|cluster| cluster.id),
            why,
            facts: CertificateFacts::read(certificate),
        };
        Err(CertificateError::Other(OtherError(Arc::new(refusal))).into())
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Verifier({})", self.slug)
    }
}

fn algorithms() -> &'static WebPkiSupportedAlgorithms {
    static ALGORITHMS: OnceLock<WebPkiSupportedAlgorithms> = OnceLock::new();
    ALGORITHMS.get_or_init(|| ring::default_provider().signature_verification_algorithms)
}

impl ClientCertVerifier for Verifier {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    /// None are named: who asks learns nothing of whom the cluster trusts.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        let now = Timestamp(0).plus(Duration::from_secs(now.as_secs()));
        self.judged.get_or_init(|| {
            let image = self.images.image();
            super::admit(&image, &self.slug, (end_entity, intermediates), now).err()
        });
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.conclude(cert, verify_tls12_signature(message, cert, dss, algorithms()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.conclude(cert, verify_tls13_signature(message, cert, dss, algorithms()))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        algorithms().supported_schemes()
    }
}
