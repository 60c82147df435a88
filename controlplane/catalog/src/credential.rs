//! Credentials of the Kafka side: by what a client of a cluster shows who it is.
//!
//! They are rows of the cell and entries of its feed, so both rest in the database. What lies there is of no use to who reads it:
//! an API key as a keyed digest; of a SCRAM password only verifiers, and of a verifier the two keys sealed under the master
//! key, since StoredKey is enough to try passwords and ServerKey to pose as the server. Salt and iteration count stay readable: a
//! client is told them before it has shown anything, the tools list them, and a second password has to share them.
//!
//! The catalog holds no master key. Who issues a credential seals ([`SealedVerifier::seal`]) and the broker opens at a login
//! ([`KafkaCredential::verifier`]): so an image is folded without any cryptography, and a key is in clear only while it is used.
//! A sealed verifier opens only for the cluster, user name and mechanism that it was sealed for, so that no row can stand in for
//! another.

use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use firn_runtime::{Random, Timestamp};
use firn_secrets::Secrets;
use firn_secrets::scram::{Mechanism, Verifier};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::access::RoleSet;
use crate::commands::{CredentialId, User};
use crate::ids::{ApiKeyId, ClusterId, InvalidId, ScramCredentialId, ServiceAccountId};

/// How many credentials of one user name may be alive at once: the one in use and its successor.
pub const LIVE_AT_ONCE: usize = 2;
/// How many credentials a cluster may have.
pub const MAX_CREDENTIALS_PER_CLUSTER: i64 = 20_000;

/// A credential with which Kafka clients log in to one cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct KafkaCredential {
    /// Its id. While the image has it, it holds: gone is revoked.
    pub id: CredentialId,
    /// The cluster that it is for.
    pub cluster: ClusterId,
    /// The user name that the client sends: an API key's public id, or a SCRAM user's name.
    pub username: Arc<str>,
    /// Whether Firn made the user name up: then it is unique in the cell, and names its cluster.
    pub generated: bool,
    /// Whose it is; `None` of a user that Kafka's tools made.
    pub service_account: Option<ServiceAccountId>,
    /// Who the client then is, and what it may do.
    pub user: Arc<User>,
    /// What shows that the client has it.
    pub proof: Proof,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it does not hold.
    pub expires_at: Option<Timestamp>,
}

/// What shows that a client has a credential.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Proof {
    /// A whole API key: its `Secrets::digest` for the purpose `api-key`.
    ApiKey {
        /// The keyed digest in hexadecimal digits.
        digest: String,
    },
    /// A password, by SCRAM. At least one of them is there.
    Scram {
        /// For SCRAM-SHA-256.
        #[serde(skip_serializing_if = "Option::is_none")]
        sha256: Option<SealedVerifier>,
        /// For SCRAM-SHA-512.
        #[serde(skip_serializing_if = "Option::is_none")]
        sha512: Option<SealedVerifier>,
    },
}

impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ApiKey { .. } => "ApiKey(..)",
            Self::Scram { .. } => "Scram(..)",
        })
    }
}

/// A SCRAM verifier whose keys are sealed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedVerifier {
    /// The salt.
    #[serde(with = "base64_text")]
    pub salt: Vec<u8>,
    /// How often the password is hashed.
    pub iterations: u32,
    /// The whole [`Verifier`], sealed.
    sealed: String,
}

impl fmt::Debug for SealedVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealedVerifier({} iterations, ..)", self.iterations)
    }
}

/// What a sealed verifier is bound to.
#[derive(Clone, Copy, Debug)]
pub struct ScramName<'a> {
    /// The cluster.
    pub cluster: ClusterId,
    /// The user name in it.
    pub username: &'a str,
}

impl ScramName<'_> {
    fn purpose(self, mechanism: Mechanism) -> String {
        let Self { cluster, username } = self;
        format!("scram-verifier {cluster} {} {username}", mechanism.name())
    }
}

impl SealedVerifier {
    /// Seals a verifier for one user name of one cluster.
    pub fn seal(
        verifier: &Verifier,
        name: ScramName<'_>,
        mechanism: Mechanism,
        secrets: &Secrets,
        random: &dyn Random,
    ) -> Self {
        let plain = zeroize::Zeroizing::new(
            serde_json::to_vec(verifier).expect("a verifier is plain data with text keys"),
        );
        Self {
            salt: verifier.salt.clone(),
            iterations: verifier.iterations,
            sealed: secrets.seal(&name.purpose(mechanism), &plain, random),
        }
    }

    /// The verifier; `None` if it was sealed for something else, or under another master key.
    pub fn open(&self, name: ScramName<'_>, mechanism: Mechanism, secrets: &Secrets) -> Option<Verifier> {
        let plain = secrets.open(&name.purpose(mechanism), &self.sealed)?;
        serde_json::from_slice(&plain).ok()
    }

    /// Whether a client that was told the one's salt and iterations can be checked against the other.
    pub fn shares_salt_with(&self, other: &Self) -> bool {
        self.salt == other.salt && self.iterations == other.iterations
    }
}

impl KafkaCredential {
    /// Whether it has not expired.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }

    /// The sealed verifier for a mechanism, if it has one.
    pub fn sealed_verifier(&self, mechanism: Mechanism) -> Option<&SealedVerifier> {
        match (&self.proof, mechanism) {
            (Proof::ApiKey { .. }, _) => None,
            (Proof::Scram { sha256, .. }, Mechanism::Sha256) => sha256.as_ref(),
            (Proof::Scram { sha512, .. }, Mechanism::Sha512) => sha512.as_ref(),
        }
    }

    /// The verifier for a mechanism, opened.
    pub fn verifier(&self, mechanism: Mechanism, secrets: &Secrets) -> Option<Verifier> {
        let name = ScramName {
            cluster: self.cluster,
            username: &self.username,
        };
        self.sealed_verifier(mechanism)?.open(name, mechanism, secrets)
    }
}

/// What a generated user name begins with.
const GENERATED_PREFIX: &str = "usr_";

/// A user name that no other has: `usr_` and 26 characters of base32.
pub fn generated_username(random: u128) -> String {
    ScramCredentialId(random).public().replacen(
        ScramCredentialId::PREFIX,
        GENERATED_PREFIX.trim_end_matches('_'),
        1,
    )
}

/// Whether a user name has the form of those that Firn makes up, which nobody can choose.
pub fn is_generated_username(name: &str) -> bool {
    is_of_form(name, GENERATED_PREFIX)
}

/// Whether a name is a prefix and the 26 characters of an id.
fn is_of_form(name: &str, prefix: &str) -> bool {
    name.strip_prefix(prefix)
        .is_some_and(|rest| rest.len() == 26 && rest.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// The longest SCRAM user name, in bytes.
pub const MAX_USERNAME_LENGTH: usize = 255;

/// Checks a SCRAM user name that somebody chose; what is wrong with it. Not empty, no control characters, at most 255 bytes, and
/// not a name that Firn gives itself: such a user would look like a service account, a person or a generated user.
pub fn validate_username(name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err("it is empty".to_owned());
    }
    if name.len() > MAX_USERNAME_LENGTH {
        return Err(format!("it is longer than {MAX_USERNAME_LENGTH} bytes"));
    }
    if name.chars().any(char::is_control) {
        return Err("it contains a control character".to_owned());
    }
    let reserved = ["sa_", "per_", "key_", GENERATED_PREFIX];
    if name == "ANONYMOUS" || reserved.iter().any(|prefix| is_of_form(name, prefix)) {
        return Err("it is of a form that is reserved for generated names".to_owned());
    }
    Ok(())
}

/// A credential as the feed holds it.
#[derive(Serialize, Deserialize)]
struct Stored {
    id: String,
    cluster: ClusterId,
    username: Arc<str>,
    generated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_account: Option<ServiceAccountId>,
    user: Arc<str>,
    roles: RoleSet,
    proof: Proof,
    created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
}

impl From<KafkaCredential> for Stored {
    fn from(credential: KafkaCredential) -> Self {
        Self {
            id: stored_id(credential.id),
            cluster: credential.cluster,
            username: credential.username,
            generated: credential.generated,
            service_account: credential.service_account,
            user: Arc::clone(&credential.user.name),
            roles: credential.user.roles,
            proof: credential.proof,
            created_at: credential.created_at,
            expires_at: credential.expires_at,
        }
    }
}

impl TryFrom<Stored> for KafkaCredential {
    type Error = InvalidId;

    fn try_from(stored: Stored) -> Result<Self, InvalidId> {
        Ok(Self {
            id: id_from_stored(&stored.id, &stored.proof)?,
            cluster: stored.cluster,
            username: stored.username,
            generated: stored.generated,
            service_account: stored.service_account,
            user: Arc::new(User {
                cluster: stored.cluster,
                name: stored.user,
                roles: stored.roles,
            }),
            proof: stored.proof,
            created_at: stored.created_at,
            expires_at: stored.expires_at,
        })
    }
}

/// The id as rows hold it: 32 hexadecimal digits; the proof's kind says what it is the id of.
pub(crate) fn stored_id(id: CredentialId) -> String {
    match id {
        CredentialId::ApiKey(id) => id.to_string(),
        CredentialId::Scram(id) => id.to_string(),
        CredentialId::Session(id) => id.to_string(),
        CredentialId::Certificate(id) => id.to_string(),
        CredentialId::Token(id) => id.to_string(),
        CredentialId::Kerberos => "kerberos".to_owned(),
    }
}

/// The id that a row with this proof has.
pub(crate) fn id_from_stored(text: &str, proof: &Proof) -> Result<CredentialId, InvalidId> {
    match proof {
        Proof::ApiKey { .. } => text.parse::<ApiKeyId>().map(CredentialId::ApiKey),
        Proof::Scram { .. } => text.parse::<ScramCredentialId>().map(CredentialId::Scram),
    }
}

mod base64_text {
    //! Bytes as base64 text.

    use super::{Deserialize, Deserializer, Engine, STANDARD, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD.decode(text).map_err(serde::de::Error::custom)
    }
}
