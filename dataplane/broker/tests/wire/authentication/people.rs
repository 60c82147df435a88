//! Clusters, and who may come in.

use std::num::NonZeroU32;
use std::sync::Arc;

use firn_catalog::access::{Role, RoleSet};
use firn_catalog::commands::{CredentialId, PutCredential, RemoveCredential, User, WantedCluster};
use firn_catalog::credential::{KafkaCredential, Proof, ScramName, SealedVerifier};
use firn_catalog::entities::{ClusterLimits, ClusterState};
use firn_catalog::ids::{ApiKeyId, ClusterId, FeedSequence, OrganizationId, ScramCredentialId};
use firn_runtime::{Env, SystemRandom, Timestamp};
use firn_secrets::api_key;
use firn_secrets::scram::{Mechanism, verifier};

use super::owner;
use crate::support::{Bench, secrets};

/// A credential, and what a client shows.
pub struct Person {
    pub credential: KafkaCredential,
    pub username: String,
    pub secret: String,
}

/// Makes a cluster, or brings it to this version.
pub async fn cluster(
    bench: &Bench,
    id: u128,
    slug: &str,
    (version, state): (i64, ClusterState),
    connections: i64,
) {
    let id = ClusterId(id);
    let wanted = WantedCluster {
        id,
        slug: slug.to_owned(),
        organization: OrganizationId(1),
        state,
        delete_at: None,
        limits: ClusterLimits {
            connections,
            ..ClusterLimits::USUAL
        },
        version,
    };
    let sequence = bench.catalog.apply_cluster(&owner(id), &wanted).await.unwrap();
    bench.images.wait_for(sequence).await;
}

/// Stores a credential.
pub async fn put(bench: &Bench, credential: &KafkaCredential) {
    let command = PutCredential {
        credential: credential.clone(),
        validate_only: false,
    };
    let put = bench
        .catalog
        .put_credential(&owner(credential.cluster), command)
        .await
        .unwrap();
    if let Some(sequence) = put.sequence {
        bench.images.wait_for(sequence).await;
    }
}

pub async fn revoke(bench: &Bench, credential: &KafkaCredential) -> FeedSequence {
    let command = RemoveCredential {
        cluster: credential.cluster,
        id: credential.id,
        validate_only: false,
    };
    bench
        .catalog
        .remove_credential(&owner(credential.cluster), command)
        .await
        .unwrap()
        .sequence
        .unwrap()
}

fn credential(
    cluster: ClusterId,
    id: CredentialId,
    username: &str,
    user: &str,
    proof: Proof,
) -> KafkaCredential {
    KafkaCredential {
        id,
        cluster,
        username: username.into(),
        generated: true,
        service_account: None,
        user: Arc::new(User {
            cluster,
            name: user.into(),
            roles: RoleSet::NONE.with(Role::Admin),
        }),
        proof,
        created_at: Env::system().now(),
        expires_at: None,
    }
}

/// An API key of this user, which need not be stored.
pub fn key(cluster: u128, user: &str, expires_at: Option<Timestamp>) -> Person {
    let id = ApiKeyId(Env::system().random_u128());
    let text = api_key::generate(id.0, &SystemRandom);
    let digest = secrets().digest("api-key", text.as_str().as_bytes());
    let proof = Proof::ApiKey { digest };
    let mut made = credential(
        ClusterId(cluster),
        CredentialId::ApiKey(id),
        &id.public(),
        user,
        proof,
    );
    made.expires_at = expires_at;
    Person {
        credential: made,
        username: id.public(),
        secret: text.as_str().to_owned(),
    }
}

/// A SCRAM credential for both mechanisms.
pub fn scram(cluster: u128, username: &str, password: &str, generated: bool) -> Person {
    let name = ScramName {
        cluster: ClusterId(cluster),
        username,
    };
    let sealed = |mechanism, salt: u8| {
        let kept = verifier(mechanism, password, &[salt; 24], 4096);
        Some(SealedVerifier::seal(
            &kept,
            name,
            mechanism,
            &secrets(),
            &SystemRandom,
        ))
    };
    let proof = Proof::Scram {
        sha256: sealed(Mechanism::Sha256, 1),
        sha512: sealed(Mechanism::Sha512, 2),
    };
    let id = CredentialId::Scram(ScramCredentialId(Env::system().random_u128()));
    let mut made = credential(ClusterId(cluster), id, username, "sa_one", proof);
    made.generated = generated;
    Person {
        credential: made,
        username: username.to_owned(),
        secret: password.to_owned(),
    }
}

/// The client's side of SCRAM, written from RFC 5802.
pub struct Scram {
    pub mechanism: Mechanism,
    pub bare: String,
    pub server_first: String,
}

impl Scram {
    pub fn begin(mechanism: Mechanism, user: &str) -> Self {
        Self {
            mechanism,
            bare: format!("n={user},r=rOprNGfwEbeRWgbNEkqO"),
            server_first: String::new(),
        }
    }

    pub fn first(&self) -> String {
        format!("n,,{}", self.bare)
    }

    fn field(&self, name: &str) -> &str {
        self.server_first
            .split(',')
            .find_map(|part| part.strip_prefix(name))
            .unwrap()
    }

    pub fn salt(&self) -> &str {
        self.field("s=")
    }

    /// The final message with a right proof of this password.
    pub fn last(&self, password: &str) -> String {
        let without_proof = format!("c=biws,r={}", self.field("r="));
        let salt = base64::decode(self.salt());
        let iterations = self.field("i=").parse().unwrap();
        let proof = prove(
            self.mechanism,
            password,
            &salt,
            iterations,
            &format!("{},{},{without_proof}", self.bare, self.server_first),
        );
        format!("{without_proof},p={}", base64::encode(&proof))
    }
}

/// A password as clients hash it.
pub fn salted(mechanism: Mechanism, password: &str, salt: &[u8], iterations: u32) -> Vec<u8> {
    let algorithm = match mechanism {
        Mechanism::Sha256 => ring::pbkdf2::PBKDF2_HMAC_SHA256,
        Mechanism::Sha512 => ring::pbkdf2::PBKDF2_HMAC_SHA512,
    };
    let mut salted = vec![0; mechanism.digest_length()];
    let iterations = NonZeroU32::new(iterations).unwrap();
    ring::pbkdf2::derive(algorithm, iterations, salt, password.as_bytes(), &mut salted);
    salted
}

fn prove(mechanism: Mechanism, password: &str, salt: &[u8], iterations: u32, signed: &str) -> Vec<u8> {
    use ring::{digest, hmac};
    let (mac, hash) = match mechanism {
        Mechanism::Sha256 => (hmac::HMAC_SHA256, &digest::SHA256),
        Mechanism::Sha512 => (hmac::HMAC_SHA512, &digest::SHA512),
    };
    let salted = salted(mechanism, password, salt, iterations);
    let sign = |key: &[u8], message: &[u8]| hmac::sign(&hmac::Key::new(mac, key), message);
    let client_key = sign(&salted, b"Client Key");
    let stored = digest::digest(hash, client_key.as_ref());
    let signature = sign(stored.as_ref(), signed.as_bytes());
    let pairs = client_key.as_ref().iter().zip(signature.as_ref());
    pairs.map(|(key, signature)| key ^ signature).collect()
}

pub mod base64 {
    //! Base64 as SCRAM has it.

    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    pub fn encode(bytes: &[u8]) -> String {
        STANDARD.encode(bytes)
    }

    pub fn decode(text: &str) -> Vec<u8> {
        STANDARD.decode(text).unwrap()
    }
}
