//! Certificate authorities whose clients a cluster trusts: what is stored of them, and what it must be to be stored.

use std::collections::BTreeSet;

use firn_runtime::Timestamp;
use serde::{Deserialize, Serialize};

use super::PrincipalMapper;
use super::authority::{Authority, AuthorityKey, RevocationList};
use super::certificate::{self, CertificateFacts, RevocationListFacts};
use crate::ids::{CaPoolId, ClusterId};

/// How many pools a cluster may have.
pub const MAX_CA_POOLS: i64 = 10;
/// How many certificates of authorities, and how many revocation lists, a pool may have.
pub const MAX_CA_CERTIFICATES: usize = 10;
/// How much the certificates and lists of a pool may come to, in bytes of PEM.
pub const MAX_CA_POOL_BYTES: usize = 256 * 1024;
/// The longest name of a pool, in bytes.
pub const MAX_CA_POOL_NAME: usize = 100;

/// Certificate authorities of a cluster, which share rules and a name. Old and new ones overlap in one pool while clients change over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaPool {
    /// Its id.
    pub id: CaPoolId,
    /// Whose clients they are.
    pub cluster: ClusterId,
    /// Its name, unique in the cluster.
    pub name: String,
    /// What it says.
    pub body: CaPoolBody,
    /// Counts its changes, from 1.
    pub version: i64,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What a pool says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaPoolBody {
    /// The authorities' certificates, in PEM, one each.
    pub certificates: Vec<String>,
    /// Revocation lists in PEM, each signed by one of the authorities.
    pub revocation_lists: Vec<String>,
    /// How a client's certificate becomes a name, in the syntax of Kafka's `ssl.principal.mapping.rules`, and of what.
    pub mapping: PrincipalMapping,
}

/// How a client's certificate becomes the name after `User:`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrincipalMapping {
    /// What of the certificate the rules are applied to.
    pub source: NameSource,
    /// Kafka's rules; `DEFAULT` takes the source as it is.
    pub rules: String,
}

/// What of a certificate names the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NameSource {
    /// The subject's distinguished name, as RFC 2253 writes it.
    Subject,
    /// The first DNS name among the alternative names.
    SanDns,
    /// The first e-mail address among the alternative names.
    SanEmail,
    /// The first URI among the alternative names, as SPIFFE has them.
    SanUri,
}

/// What is wrong with a pool, and where in its JSON form (RFC 6901).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{pointer}: {reason}")]
pub struct InvalidCaPool {
    /// Where.
    pub pointer: &'static str,
    /// What.
    pub reason: String,
}

/// A pool's certificates and lists, read.
#[derive(Debug)]
pub(crate) struct ParsedCaPool {
    pub(crate) authorities: Vec<Authority>,
    pub(crate) lists: Vec<RevocationList>,
    pub(crate) mapper: PrincipalMapper,
}

/// What the certificates and lists of a pool say of themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaPoolFacts {
    /// Of each certificate, in the order of the pool.
    pub certificates: Vec<CertificateFacts>,
    /// Of each list, likewise.
    pub revocation_lists: Vec<RevocationListFacts>,
}

fn invalid<T>(pointer: &'static str, reason: impl Into<String>) -> Result<T, InvalidCaPool> {
    Err(InvalidCaPool {
        pointer,
        reason: reason.into(),
    })
}

/// Where each certificate and each list is.
const CERTIFICATES: [&str; MAX_CA_CERTIFICATES] = [
    "/certificates/0",
    "/certificates/1",
    "/certificates/2",
    "/certificates/3",
    "/certificates/4",
    "/certificates/5",
    "/certificates/6",
    "/certificates/7",
    "/certificates/8",
    "/certificates/9",
];
const LISTS: [&str; MAX_CA_CERTIFICATES] = [
    "/revocation_lists/0",
    "/revocation_lists/1",
    "/revocation_lists/2",
    "/revocation_lists/3",
    "/revocation_lists/4",
    "/revocation_lists/5",
    "/revocation_lists/6",
    "/revocation_lists/7",
    "/revocation_lists/8",
    "/revocation_lists/9",
];

impl CaPool {
    /// Checks a name: 1 to 100 bytes without control characters.
    pub fn check_name(name: &str) -> Result<(), InvalidCaPool> {
        match name {
            "" => invalid("/name", "it is empty"),
            _ if name.len() > MAX_CA_POOL_NAME => {
                invalid("/name", format!("it is longer than {MAX_CA_POOL_NAME} bytes"))
            }
            _ if name.chars().any(char::is_control) => invalid("/name", "it contains a control character"),
            _ => Ok(()),
        }
    }
}

impl CaPoolBody {
    /// Checks what somebody wants a pool to be, and gives it as it is stored: with nothing in its texts but the certificates and lists.
    /// Certificates that are new must not have expired at `now`.
    pub fn checked(mut self, now: Option<Timestamp>) -> Result<Self, InvalidCaPool> {
        self.check_sizes()?;
        let parsed = self.parsed()?;
        for (pointer, authority) in CERTIFICATES.into_iter().zip(&parsed.authorities) {
            if now.is_some_and(|now| authority.facts.not_after < now) {
                return invalid(pointer, "it has expired");
            }
        }
        self.certificates = parsed.authorities.iter().map(Authority::pem).collect();
        self.revocation_lists = parsed.lists.iter().map(RevocationList::pem).collect();
        Ok(self)
    }

    fn check_sizes(&self) -> Result<(), InvalidCaPool> {
        if self.certificates.is_empty() {
            return invalid("/certificates", "there must be one at least");
        }
        for (pointer, texts) in [
            ("/certificates", &self.certificates),
            ("/revocation_lists", &self.revocation_lists),
        ] {
            if texts.len() > MAX_CA_CERTIFICATES {
                return invalid(pointer, format!("there are more than {MAX_CA_CERTIFICATES}"));
            }
        }
        let texts = self.certificates.iter().chain(&self.revocation_lists);
        match texts.map(String::len).sum::<usize>() > MAX_CA_POOL_BYTES {
            true => invalid(
                "/certificates",
                format!(
                    "certificates and revocation lists together are longer than {MAX_CA_POOL_BYTES} bytes"
                ),
            ),
            false => Ok(()),
        }
    }

    /// What its certificates and lists say of themselves; of a stored one always something.
    pub fn facts(&self) -> Result<CaPoolFacts, InvalidCaPool> {
        let (authorities, lists) = self.read()?;
        Ok(CaPoolFacts {
            certificates: authorities.into_iter().map(|one| one.facts).collect(),
            revocation_lists: lists.into_iter().map(|one| one.facts).collect(),
        })
    }

    /// What the certificates of its authorities say of themselves, those that can be read: read anew, and nothing else with them.
    pub fn authorities(&self) -> impl Iterator<Item = CertificateFacts> {
        self.certificates.iter().filter_map(|pem| {
            let read = certificate::certificate_in(pem).and_then(Authority::read);
            read.ok().map(|authority| authority.facts)
        })
    }

    /// The authorities in it, by what makes two certificates ones of the same authority.
    pub(crate) fn authority_keys(&self) -> BTreeSet<AuthorityKey> {
        let keys = self.certificates.iter().filter_map(|pem| {
            let der = certificate::certificate_in(pem).ok()?;
            Authority::read(der).ok().map(|authority| authority.key)
        });
        keys.collect()
    }

    pub(crate) fn parsed(&self) -> Result<ParsedCaPool, InvalidCaPool> {
        let (authorities, lists) = self.read()?;
        let mapper = PrincipalMapper::compile(&self.mapping.rules);
        let mapper = mapper.or_else(|error| invalid("/mapping/rules", error.to_string()))?;
        Ok(ParsedCaPool {
            authorities,
            lists,
            mapper,
        })
    }

    fn read(&self) -> Result<(Vec<Authority>, Vec<RevocationList>), InvalidCaPool> {
        let mut authorities: Vec<Authority> = Vec::new();
        for (pointer, pem) in CERTIFICATES.into_iter().zip(&self.certificates) {
            let read = certificate::certificate_in(pem).and_then(Authority::read);
            let authority = read.or_else(|reason| invalid(pointer, reason))?;
            if authorities.iter().any(|other| other.der == authority.der) {
                return invalid(pointer, "it is there twice");
            }
            authorities.push(authority);
        }
        let mut lists = Vec::new();
        for (pointer, pem) in LISTS.into_iter().zip(&self.revocation_lists) {
            let read = certificate::list_in(pem).and_then(|der| RevocationList::read(der, &authorities));
            lists.push(read.or_else(|reason| invalid(pointer, reason))?);
        }
        Ok((authorities, lists))
    }
}
