//! What is read of certificates and revocation lists.

use firn_runtime::Timestamp;
use rustls_pki_types::pem::{PemObject, SectionKind};
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::oid_registry::{
    OID_PKCS1_SHA256WITHRSA, OID_PKCS1_SHA384WITHRSA, OID_PKCS1_SHA512WITHRSA, OID_SIG_ECDSA_WITH_SHA256,
    OID_SIG_ECDSA_WITH_SHA384, OID_SIG_ED25519, Oid,
};
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;
use x509_parser::revocation_list::CertificateRevocationList;
use x509_parser::time::ASN1Time;
use x509_parser::x509::SubjectPublicKeyInfo;

use super::NameSource;
use super::distinguished_name::{hex, rfc2253};
use super::java_pattern::MAX_TEXT;
use crate::ids::CertificateId;

/// The longest text of one certificate or list, in bytes of PEM.
pub const MAX_PEM: usize = 64 * 1024;
/// The fewest bits of an RSA key.
const LEAST_RSA_BITS: usize = 2048;
/// How much of a name is shown to people, in characters.
const SHOWN: usize = 256;

/// What a certificate says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFacts {
    /// Whose it is, as RFC 2253 writes it; cut if it is long.
    pub subject: String,
    /// Who made it, likewise.
    pub issuer: String,
    /// Its number, in hexadecimal digits.
    pub serial: String,
    /// The SHA-256 digest of its encoding, in hexadecimal digits.
    pub fingerprint: String,
    /// From when on it holds.
    pub not_before: Timestamp,
    /// The last moment at which it holds.
    pub not_after: Timestamp,
}

/// What a revocation list says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationListFacts {
    /// Whose it is; cut if it is long.
    pub issuer: String,
    /// How many certificates it revokes.
    pub count: usize,
    /// When it was made.
    pub this_update: Timestamp,
    /// When the next one is due.
    pub next_update: Option<Timestamp>,
}

/// What names the client in a certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Names {
    subject: Option<String>,
    dns: Option<String>,
    email: Option<String>,
    uri: Option<String>,
}

impl Names {
    pub(crate) fn of(certificate: &X509Certificate<'_>) -> Self {
        let mut names = Self {
            subject: rfc2253(certificate.subject()),
            ..Self::default()
        };
        let Ok(Some(others)) = certificate.subject_alternative_name() else {
            return names;
        };
        for name in &others.value.general_names {
            let (place, name) = match name {
                GeneralName::DNSName(name) => (&mut names.dns, name),
                GeneralName::RFC822Name(name) => (&mut names.email, name),
                GeneralName::URI(name) => (&mut names.uri, name),
                _ => continue,
            };
            if place.is_none() && name.len() <= MAX_TEXT {
                *place = Some((*name).to_owned());
            }
        }
        names
    }

    pub(crate) fn source(&self, source: NameSource) -> Option<&str> {
        match source {
            NameSource::Subject => self.subject.as_deref(),
            NameSource::SanDns => self.dns.as_deref(),
            NameSource::SanEmail => self.email.as_deref(),
            NameSource::SanUri => self.uri.as_deref(),
        }
    }
}

/// The id of a certificate: the first half of the digest of its encoding.
pub(crate) fn certificate_id(der: &[u8]) -> CertificateId {
    let mut id = [0; 16];
    id.copy_from_slice(&sha256(der)[..16]);
    CertificateId(u128::from_be_bytes(id))
}

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut digest = [0; 32];
    digest.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, bytes).as_ref());
    digest
}

pub(crate) fn moment(time: ASN1Time) -> Timestamp {
    Timestamp(time.timestamp().saturating_mul(1000))
}

/// A name for people: without control characters, not long.
fn shown(name: &x509_parser::x509::X509Name<'_>) -> String {
    let whole = rfc2253(name).unwrap_or_else(|| "(a name that cannot be shown)".to_owned());
    let plain = whole.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c });
    let mut cut: String = plain.take(SHOWN + 1).collect();
    if cut.chars().count() > SHOWN {
        cut.pop();
        cut.push('…');
    }
    cut
}

impl CertificateFacts {
    /// Of a certificate; `None`: it cannot be read.
    pub fn read(der: &[u8]) -> Option<Self> {
        Some(Self::of(&parse(der)?, der))
    }

    pub(crate) fn of(certificate: &X509Certificate<'_>, der: &[u8]) -> Self {
        let serial = certificate.raw_serial();
        Self {
            subject: shown(certificate.subject()),
            issuer: shown(certificate.issuer()),
            serial: hex(&serial[..serial.len().min(32)]),
            fingerprint: hex(&sha256(der)),
            not_before: moment(certificate.validity().not_before),
            not_after: moment(certificate.validity().not_after),
        }
    }
}

impl RevocationListFacts {
    pub(crate) fn of(list: &CertificateRevocationList<'_>) -> Self {
        Self {
            issuer: shown(list.issuer()),
            count: list.iter_revoked_certificates().count(),
            this_update: moment(list.last_update()),
            next_update: list.next_update().map(moment),
        }
    }
}

/// The whole encoding as a certificate.
pub(crate) fn parse(der: &[u8]) -> Option<X509Certificate<'_>> {
    match X509Certificate::from_der(der) {
        Ok(([], certificate)) => Some(certificate),
        _ => None,
    }
}

/// The whole encoding as a revocation list.
pub(crate) fn parse_list(der: &[u8]) -> Option<CertificateRevocationList<'_>> {
    match CertificateRevocationList::from_der(der) {
        Ok(([], list)) => Some(list),
        _ => None,
    }
}

/// The one certificate in a text of PEM.
pub(crate) fn certificate_in(pem: &str) -> Result<CertificateDer<'static>, String> {
    Ok(only_section(pem, SectionKind::Certificate, "CERTIFICATE")?.into())
}

/// The one revocation list in a text of PEM.
pub(crate) fn list_in(pem: &str) -> Result<CertificateRevocationListDer<'static>, String> {
    Ok(only_section(pem, SectionKind::Crl, "X509 CRL")?.into())
}

fn only_section(pem: &str, wanted: SectionKind, label: &str) -> Result<Vec<u8>, String> {
    if pem.len() > MAX_PEM {
        return Err(format!("it is longer than {MAX_PEM} bytes"));
    }
    if pem.contains("PRIVATE KEY") {
        return Err(
            "it contains a private key, which is nobody else's to know; send the certificate alone"
                .to_owned(),
        );
    }
    let not_pem = || format!("it is not PEM with one section '{label}'");
    let mut sections = <(SectionKind, Vec<u8>)>::pem_slice_iter(pem.as_bytes());
    let first = sections.next().and_then(Result::ok).ok_or_else(not_pem)?;
    match (first, sections.next()) {
        ((kind, der), None) if kind == wanted => Ok(der),
        ((kind, _), Some(_)) if kind == wanted => Err(format!(
            "it has more than one section; send each '{label}' by itself"
        )),
        _ => Err(not_pem()),
    }
}

/// PEM of an encoding, and nothing else.
pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    use base64::Engine;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let mut out = format!("-----BEGIN {label}-----\n");
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        out.push_str(line);
        out.push('\n');
        rest = after;
    }
    out.push_str(&format!("-----END {label}-----\n"));
    out
}

/// Refuses signatures that are not verified here. SHA-1 is none of them.
pub(crate) fn check_algorithm(algorithm: &Oid<'_>) -> Result<(), String> {
    let supported = [
        OID_PKCS1_SHA256WITHRSA,
        OID_PKCS1_SHA384WITHRSA,
        OID_PKCS1_SHA512WITHRSA,
        OID_SIG_ECDSA_WITH_SHA256,
        OID_SIG_ECDSA_WITH_SHA384,
        OID_SIG_ED25519,
    ];
    match supported.contains(algorithm) {
        true => Ok(()),
        false => Err(
            "its signature is of a kind that is not verified here; RSA (PKCS #1), ECDSA and Ed25519 with SHA-256 or better are"
                .to_owned(),
        ),
    }
}

/// Refuses keys with which nothing is verified here.
pub(crate) fn check_key(key: &SubjectPublicKeyInfo<'_>) -> Result<(), String> {
    const P256: &str = "1.2.840.10045.3.1.7";
    const P384: &str = "1.3.132.0.34";
    let curve = key
        .algorithm
        .parameters
        .as_ref()
        .and_then(|curve| curve.as_oid().ok());
    let usable = match key.parsed() {
        Ok(PublicKey::RSA(rsa)) => (LEAST_RSA_BITS..=8192).contains(&rsa.key_size()),
        Ok(PublicKey::EC(_)) => {
            curve.is_some_and(|curve| [P256, P384].contains(&curve.to_id_string().as_str()))
        }
        _ => key.algorithm.algorithm == OID_SIG_ED25519,
    };
    match usable {
        true => Ok(()),
        false => Err(format!(
            "its key is none that is used here: RSA from {LEAST_RSA_BITS} to 8192 bits, P-256, P-384 or Ed25519"
        )),
    }
}
