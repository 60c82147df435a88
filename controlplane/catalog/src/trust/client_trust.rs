//! Whether a cluster lets a client in that shows a certificate, who it then is, and if not, why.

use std::sync::Arc;

use firn_runtime::Timestamp;
use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm, TrustAnchor, UnixTime};
use tracing::warn;
use webpki::{EndEntityCert, Error, KeyUsage};
use x509_parser::certificate::X509Certificate;

use super::authority::AuthorityKey;
use super::ca_pool::{CaPool, NameSource, ParsedCaPool};
use super::certificate::{CertificateFacts, Names, certificate_id, moment, parse};
use crate::credential::validate_username;
use crate::ids::CertificateId;

/// How many certificates a client may show: its own and those that lead to an authority.
pub const MAX_CHAIN: usize = 5;
/// How much they may come to, in bytes.
const MAX_CHAIN_BYTES: usize = 16 * 1024;

/// The signatures that are verified.
static ALGORITHMS: &[&dyn SignatureVerificationAlgorithm] = &[
    webpki::ring::ECDSA_P256_SHA256,
    webpki::ring::ECDSA_P256_SHA384,
    webpki::ring::ECDSA_P384_SHA256,
    webpki::ring::ECDSA_P384_SHA384,
    webpki::ring::ED25519,
    webpki::ring::RSA_PKCS1_2048_8192_SHA256,
    webpki::ring::RSA_PKCS1_2048_8192_SHA384,
    webpki::ring::RSA_PKCS1_2048_8192_SHA512,
];

/// Why a client's certificate does not let it in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CertificateRefused {
    /// It is no certificate, or says what is not understood here.
    Unreadable,
    /// More certificates were shown than may be, or than an authority on the way allows.
    ChainTooLong,
    /// No authority that the cluster trusts is at the end of it.
    UnknownAuthority,
    /// It signed itself.
    SelfSigned,
    /// It, or one on the way to the authority, has expired.
    Expired,
    /// It, or one on the way to the authority, does not hold yet.
    NotYetValid,
    /// The authority's own certificate has expired, or does not hold yet.
    AuthorityExpired,
    /// It is not for clients.
    WrongUsage,
    /// A certificate on the way signs others and may not.
    NotAnAuthority,
    /// An authority on the way may not sign for such names.
    NotForSuchNames,
    /// A signature is wrong, or of a kind that is not verified here.
    WrongSignature,
    /// It was revoked.
    Revoked,
    /// The client did not prove that it has the key to it.
    NoKey,
    /// No rule of the pool gives it a name.
    NoName,
    /// The name that it has is none that a client may have.
    NameRefused,
}

impl CertificateRefused {
    /// In words, for the log.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Unreadable => "the certificate cannot be read",
            Self::ChainTooLong => "the chain of certificates is too long",
            Self::UnknownAuthority => "no authority of the cluster issued the certificate",
            Self::SelfSigned => "the certificate is self-signed",
            Self::Expired => "the certificate has expired",
            Self::NotYetValid => "the certificate is not valid yet",
            Self::AuthorityExpired => "the authority's certificate does not hold now",
            Self::WrongUsage => "the certificate is not for clients",
            Self::NotAnAuthority => "the certificate was issued by one that is not an authority",
            Self::NotForSuchNames => "the authority may not issue certificates of such names",
            Self::WrongSignature => "a signature in the chain of certificates is wrong",
            Self::Revoked => "the certificate is revoked",
            Self::NoKey => "the client did not prove that it has the certificate's key",
            Self::NoName => "no mapping rule gives the certificate a name",
            Self::NameRefused => "the name that the mapping gives is not one for a client",
        }
    }

    /// In a word, for metrics.
    pub fn word(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::ChainTooLong => "chain_too_long",
            Self::UnknownAuthority => "unknown_authority",
            Self::SelfSigned => "self_signed",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::AuthorityExpired => "authority_expired",
            Self::WrongUsage => "wrong_usage",
            Self::NotAnAuthority => "not_an_authority",
            Self::NotForSuchNames => "not_for_such_names",
            Self::WrongSignature => "wrong_signature",
            Self::Revoked => "revoked",
            Self::NoKey => "no_key",
            Self::NoName => "no_name",
            Self::NameRefused => "name_refused",
        }
    }
}

impl From<Error> for CertificateRefused {
    fn from(error: Error) -> Self {
        match error {
            Error::CertExpired { .. } | Error::InvalidCertValidity => Self::Expired,
            Error::CertNotValidYet { .. } => Self::NotYetValid,
            Error::CaUsedAsEndEntity | Error::EmptyEkuExtension | Error::RequiredEkuNotFoundContext(_) => {
                Self::WrongUsage
            }
            Error::EndEntityUsedAsCa => Self::NotAnAuthority,
            Error::PathLenConstraintViolated | Error::MaximumPathDepthExceeded => Self::ChainTooLong,
            Error::NameConstraintViolation => Self::NotForSuchNames,
            Error::UnknownIssuer
            | Error::MaximumPathBuildCallsExceeded
            | Error::MaximumSignatureChecksExceeded => Self::UnknownAuthority,
            Error::InvalidSignatureForPublicKey
            | Error::SignatureAlgorithmMismatch
            | Error::UnsupportedSignatureAlgorithmContext(_)
            | Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => Self::WrongSignature,
            Error::CertRevoked => Self::Revoked,
            _ => Self::Unreadable,
        }
    }
}

/// A client that a certificate lets in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdmittedClient {
    /// The certificate.
    pub certificate: CertificateId,
    /// Who the client is: what comes after `User:`.
    pub name: Arc<str>,
    /// The last moment at which its certificate and all on the way to the authority hold.
    pub not_after: Timestamp,
    /// What the certificate says of itself.
    pub facts: CertificateFacts,
    names: Names,
    /// The rules that gave the name, and of what.
    named_by: (NameSource, Arc<str>),
    authority: AuthorityKey,
    /// The number of the certificate that the authority itself issued: the client's own, or the first one on the way.
    issued: Vec<u8>,
}

/// Whom a cluster's pools let in.
#[derive(Debug, Default)]
pub struct ClientTrust {
    pools: Vec<Pool>,
    anchors: Vec<TrustAnchor<'static>>,
}

#[derive(Debug)]
struct Pool {
    source: NameSource,
    rules: Arc<str>,
    /// Where its authorities begin among the anchors.
    first: usize,
    parsed: ParsedCaPool,
}

impl ClientTrust {
    /// By these pools.
    pub fn of<'a>(pools: impl Iterator<Item = &'a CaPool>) -> Self {
        let mut trust = Self::default();
        for pool in pools {
            match pool.body.parsed() {
                Ok(parsed) => {
                    let first = trust.anchors.len();
                    let anchors = parsed.authorities.iter().map(|one| one.anchor.clone());
                    trust.anchors.extend(anchors);
                    trust.pools.push(Pool {
                        source: pool.body.mapping.source,
                        rules: pool.body.mapping.rules.as_str().into(),
                        first,
                        parsed,
                    });
                }
                Err(error) => {
                    let pool = pool.id.public();
                    warn!(pool, %error, "a pool of certificate authorities cannot be read and lets nobody in");
                }
            }
        }
        trust
    }

    /// Who a client is that has proven to have the key of `certificate`, and showed `others` beside it.
    pub fn admit(
        &self,
        certificate: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        now: Timestamp,
    ) -> Result<AdmittedClient, CertificateRefused> {
        if 1 + others.len() > MAX_CHAIN {
            return Err(CertificateRefused::ChainTooLong);
        }
        if others.iter().map(|one| one.len()).sum::<usize>() + certificate.len() > MAX_CHAIN_BYTES {
            return Err(CertificateRefused::ChainTooLong);
        }
        let parsed = parse(certificate).ok_or(CertificateRefused::Unreadable)?;
        let client = EndEntityCert::try_from(certificate)?;
        let time = UnixTime::since_unix_epoch(now.since(Timestamp(0)));
        let usage = KeyUsage::client_auth();
        let path = client.verify_for_usage(ALGORITHMS, &self.anchors, others, time, usage, None, None);
        let path = path.map_err(|error| match CertificateRefused::from(error) {
            CertificateRefused::UnknownAuthority | CertificateRefused::WrongUsage
                if signed_itself(&parsed) =>
            {
                CertificateRefused::SelfSigned
            }
            refused => refused,
        })?;
        if matches!(parsed.key_usage(), Ok(Some(usage)) if !usage.value.digital_signature()) {
            return Err(CertificateRefused::WrongUsage);
        }
        let anchor = self
            .anchors
            .iter()
            .position(|anchor| std::ptr::eq(anchor, path.anchor()));
        let anchor = anchor.ok_or(CertificateRefused::UnknownAuthority)?;
        let pool = self.pools.iter().rfind(|pool| pool.first <= anchor);
        let pool = pool.ok_or(CertificateRefused::UnknownAuthority)?;
        let authority = &pool.parsed.authorities[anchor - pool.first];
        let authority_ends = pool
            .ends(authority.key, now)
            .ok_or(CertificateRefused::AuthorityExpired)?;
        let on_the_way = path.intermediate_certificates().filter_map(|one| {
            let der = one.der();
            Some(moment(parse(&der)?.validity().not_after))
        });
        let own_end = moment(parsed.validity().not_after);
        let not_after = on_the_way.chain([authority_ends]).fold(own_end, Timestamp::min);
        let issued = match path.intermediate_certificates().next_back() {
            Some(topmost) => topmost.serial().to_vec(),
            None => client.serial().to_vec(),
        };
        let names = Names::of(&parsed);
        if pool.revokes(authority.key, &issued) {
            return Err(CertificateRefused::Revoked);
        }
        let name = pool.name(&names)?;
        Ok(AdmittedClient {
            certificate: certificate_id(certificate),
            name: name.into(),
            not_after,
            facts: CertificateFacts::of(&parsed, certificate),
            names,
            named_by: (pool.source, Arc::clone(&pool.rules)),
            authority: authority.key,
            issued,
        })
    }

    /// Whether a client that was let in once would be let in still, as the same: its authority is trusted, has not revoked it, and the
    /// rules give the same name, which is not asked of rules that are the same. Its signatures are not verified again, and the time is
    /// not looked at.
    pub fn still_admits(&self, client: &AdmittedClient) -> bool {
        let trusts = |pool: &&Pool| {
            pool.parsed
                .authorities
                .iter()
                .any(|one| one.key == client.authority)
        };
        self.pools.iter().find(trusts).is_some_and(|pool| {
            if pool.revokes(client.authority, &client.issued) {
                return false;
            }
            let (source, rules) = &client.named_by;
            let same_rules = pool.source == *source && pool.rules == *rules;
            same_rules || pool.name(&client.names).is_ok_and(|name| *name == *client.name)
        })
    }
}

impl Pool {
    /// Until when the authority's certificate holds, of those that it has here and that hold now; `None`: none does.
    fn ends(&self, key: AuthorityKey, now: Timestamp) -> Option<Timestamp> {
        let own = self.parsed.authorities.iter().filter(|one| one.key == key);
        let holds = own.filter(|one| one.facts.not_before <= now && now <= one.facts.not_after);
        holds.map(|one| one.facts.not_after).max()
    }

    fn revokes(&self, key: AuthorityKey, issued: &[u8]) -> bool {
        let mut lists = self.parsed.lists.iter().filter(|list| list.signer == key);
        lists.any(|list| list.revokes(issued))
    }

    fn name(&self, names: &Names) -> Result<String, CertificateRefused> {
        let source = names.source(self.source).ok_or(CertificateRefused::NoName)?;
        let name = self
            .parsed
            .mapper
            .apply(source)
            .ok_or(CertificateRefused::NoName)?;
        validate_username(&name).map_err(|_| CertificateRefused::NameRefused)?;
        Ok(name)
    }
}

fn signed_itself(certificate: &X509Certificate<'_>) -> bool {
    certificate.subject().as_raw() == certificate.issuer().as_raw()
        && certificate.verify_signature(None).is_ok()
}
