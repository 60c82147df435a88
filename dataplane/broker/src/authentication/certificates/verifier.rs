//! What a TLS handshake asks of a client's certificate: that the cluster's pools let it in, as of the newest image.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
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
    pub(super) cluster: ClusterId,
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

/// Verifies certificates of a cluster's clients.
pub(super) struct Verifier {
    pub(super) cluster: ClusterId,
    pub(super) slug: Arc<str>,
    pub(super) images: Arc<ImageFollower>,
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Verifier({})", self.slug)
    }
}

fn algorithms() -> &'static WebPkiSupportedAlgorithms {
    static ALGORITHMS: std::sync::OnceLock<WebPkiSupportedAlgorithms> = std::sync::OnceLock::new();
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
        let image = self.images.image();
        match super::admit(&image, &self.slug, (end_entity, intermediates), now) {
            Ok(_) => Ok(ClientCertVerified::assertion()),
            Err(why) => {
                let refusal = Refusal {
                    cluster: self.cluster,
                    why,
                    facts: CertificateFacts::read(end_entity),
                };
                Err(CertificateError::Other(OtherError(Arc::new(refusal))).into())
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, algorithms())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, algorithms())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        algorithms().supported_schemes()
    }
}
