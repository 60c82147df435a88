//! One certificate authority, and a revocation list that one has signed.

use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, TrustAnchor};
use webpki::{CertRevocationList, OwnedCertRevocationList, anchor_from_trusted_cert};
use x509_parser::certificate::X509Certificate;
use x509_parser::x509::X509Version;

use super::certificate::{
    CertificateFacts, RevocationListFacts, check_algorithm, check_key, parse, parse_list, pem, sha256,
};

/// What two certificates of the same authority share: the digest of its name and its public key.
pub(crate) type AuthorityKey = [u8; 32];

/// A certificate authority.
#[derive(Debug)]
pub(crate) struct Authority {
    pub(crate) der: CertificateDer<'static>,
    pub(crate) anchor: TrustAnchor<'static>,
    pub(crate) key: AuthorityKey,
    pub(crate) facts: CertificateFacts,
}

fn key_of(certificate: &X509Certificate<'_>) -> AuthorityKey {
    let (subject, key) = (certificate.subject().as_raw(), certificate.public_key().raw);
    sha256(&[subject, key].concat())
}

impl Authority {
    /// Reads a certificate, which must be one that may sign others.
    pub(crate) fn read(der: CertificateDer<'static>) -> Result<Self, String> {
        let certificate = parse(&der).ok_or("it is not an X.509 certificate")?;
        check(&certificate)?;
        let anchor = anchor_from_trusted_cert(&der);
        let anchor = anchor
            .map_err(|error| format!("it cannot be trusted: {error}"))?
            .to_owned();
        let (key, facts) = (key_of(&certificate), CertificateFacts::of(&certificate, &der));
        Ok(Self {
            anchor,
            key,
            facts,
            der,
        })
    }

    pub(crate) fn pem(&self) -> String {
        pem("CERTIFICATE", &self.der)
    }
}

fn check(certificate: &X509Certificate<'_>) -> Result<(), String> {
    let refuse = |why: &str| Err(why.to_owned());
    if certificate.version() != X509Version::V3 {
        return refuse("it is not of version 3");
    }
    match certificate.basic_constraints() {
        Ok(Some(constraints)) if constraints.value.ca => {}
        Ok(_) => return refuse("it is not that of an authority: basicConstraints does not say CA"),
        Err(_) => return refuse("its basicConstraints cannot be read"),
    }
    match certificate.key_usage() {
        Ok(Some(usage)) if !usage.value.key_cert_sign() => {
            return refuse("it is not that of an authority: keyUsage does not say keyCertSign");
        }
        Ok(_) => {}
        Err(_) => return refuse("its keyUsage cannot be read"),
    }
    if certificate.validity().not_after < certificate.validity().not_before {
        return refuse("it ends before it begins");
    }
    check_algorithm(&certificate.signature_algorithm.algorithm)?;
    check_key(certificate.public_key())?;
    let signs_itself = certificate.subject().as_raw() == certificate.issuer().as_raw();
    if signs_itself && certificate.verify_signature(None).is_err() {
        return refuse("it says that it signed itself, and did not");
    }
    Ok(())
}

/// A revocation list.
#[derive(Debug)]
pub(crate) struct RevocationList {
    der: CertificateRevocationListDer<'static>,
    list: CertRevocationList<'static>,
    /// Who signed it.
    pub(crate) signer: AuthorityKey,
    pub(crate) facts: RevocationListFacts,
}

impl RevocationList {
    /// Reads a list, which one of these authorities must have signed.
    pub(crate) fn read(
        der: CertificateRevocationListDer<'static>,
        authorities: &[Authority],
    ) -> Result<Self, String> {
        let parsed = parse_list(&der).ok_or("it is not an X.509 revocation list")?;
        check_algorithm(&parsed.signature_algorithm.algorithm)?;
        let signer = authorities.iter().find(|authority| {
            let Some(certificate) = parse(&authority.der) else {
                return false;
            };
            certificate.subject().as_raw() == parsed.issuer().as_raw()
                && may_sign_lists(&certificate)
                && parsed.verify_signature(certificate.public_key()).is_ok()
        });
        let signer = signer
            .ok_or("no authority of the pool that may sign revocation lists has signed it")?
            .key;
        let facts = RevocationListFacts::of(&parsed);
        let list = OwnedCertRevocationList::from_der(&der);
        let list = list.map_err(|error| format!("it is of a kind that is not read here: {error}"))?;
        Ok(Self {
            list: list.into(),
            signer,
            facts,
            der,
        })
    }

    /// Whether it revokes the certificate of this number. A list that cannot be searched revokes all.
    pub(crate) fn revokes(&self, serial: &[u8]) -> bool {
        !matches!(self.list.find_serial(serial), Ok(None))
    }

    pub(crate) fn pem(&self) -> String {
        pem("X509 CRL", &self.der)
    }
}

fn may_sign_lists(certificate: &X509Certificate<'_>) -> bool {
    match certificate.key_usage() {
        Ok(Some(usage)) => usage.value.crl_sign(),
        Ok(None) => true,
        Err(_) => false,
    }
}
