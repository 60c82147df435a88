//! Tenants: a cluster each, with API keys of any role and SCRAM users.

use std::sync::Arc;

use firn_catalog::access::{Role, RoleSet};
use firn_catalog::commands::{
    Actor, AlterQuotas, AlterScramUser, CredentialId, Principal, PutCredential, RemoveCredential, User,
    WantedCluster,
};
use firn_catalog::credential::{KafkaCredential, Proof, ScramName, SealedVerifier};
use firn_catalog::entities::{ClusterLimits, ClusterState};
use firn_catalog::ids::{ApiKeyId, ClusterId, FeedSequence, OrganizationId, ServiceAccountId};
use firn_catalog::quota::{Named, QuotaEntity, QuotaKey};
use firn_runtime::Env;
use firn_secrets::api_key::{self, ApiKeyText};
use firn_secrets::scram::{self, Mechanism};
use kafka_protocol::messages as m;

use super::acls::all_bindings;
use crate::support::client::{Client, PATIENCE, frame, text};
use crate::support::samples::{CORRELATION, Sample};
use crate::support::{Bench, secrets};

/// Whose quotas change, and which; `None` takes one away.
pub type QuotaAlteration = (QuotaEntity, Vec<(QuotaKey, Option<f64>)>);

pub struct Tenant {
    pub cluster: ClusterId,
    pub slug: String,
    admin: Actor,
}

impl Tenant {
    pub async fn new(bench: &Bench, slug: &str) -> Self {
        let cluster = ClusterId(Env::system().random_u128());
        let wanted = WantedCluster {
            id: cluster,
            slug: slug.to_owned(),
            organization: OrganizationId(cluster.0),
            state: ClusterState::Active,
            delete_at: None,
            limits: ClusterLimits::HIGHEST,
            version: 1,
        };
        let cell = Actor::process(Principal::Cell, "test");
        let sequence = bench.catalog.apply_cluster(&cell, &wanted).await.unwrap();
        in_force(bench, Some(sequence)).await;
        let user = User {
            cluster,
            name: "admin".into(),
            roles: RoleSet::NONE.with(Role::Admin),
        };
        Self {
            cluster,
            slug: slug.to_owned(),
            admin: Actor::process(Principal::User(Arc::new(user)), "test"),
        }
    }

    /// Who may do everything in the cluster.
    pub fn admin(&self) -> &Actor {
        &self.admin
    }

    /// A new API key whose holder has this role.
    pub async fn api_key(&self, bench: &Bench, role: Role) -> (ApiKeyText, ApiKeyId) {
        self.api_key_with(bench, None, RoleSet::NONE.with(role)).await
    }

    /// A connection of somebody without any role.
    pub async fn client_without_role(&self, bench: &Bench) -> Client {
        let (key, id) = self.api_key_with(bench, None, RoleSet::NONE).await;
        login(bench, &key, id).await.expect("the key is in force")
    }

    /// A connection of an administrator with this name.
    pub async fn client_named(&self, bench: &Bench, name: &str) -> Client {
        let roles = RoleSet::NONE.with(Role::Admin);
        let (key, id) = self.api_key_with(bench, Some(name), roles).await;
        login(bench, &key, id).await.expect("the key is in force")
    }

    /// A new API key of somebody with this name; `None`: of a service account.
    async fn api_key_with(
        &self,
        bench: &Bench,
        name: Option<&str>,
        roles: RoleSet,
    ) -> (ApiKeyText, ApiKeyId) {
        let env = Env::system();
        let id = ApiKeyId(env.random_u128());
        let key = api_key::generate(id.0, &*env.random);
        let account = ServiceAccountId(env.random_u128());
        let credential = KafkaCredential {
            id: CredentialId::ApiKey(id),
            cluster: self.cluster,
            username: id.public().into(),
            generated: true,
            service_account: name.is_none().then_some(account),
            user: Arc::new(User {
                cluster: self.cluster,
                name: name.map_or_else(|| account.public().into(), Into::into),
                roles,
            }),
            proof: Proof::ApiKey {
                digest: secrets().digest("api-key", key.as_str().as_bytes()),
            },
            created_at: env.now(),
            expires_at: None,
        };
        let command = PutCredential {
            credential,
            validate_only: false,
        };
        let put = bench.catalog.put_credential(&self.admin, command).await.unwrap();
        in_force(bench, put.sequence).await;
        (key, id)
    }

    /// A connection of somebody with this role.
    pub async fn client(&self, bench: &Bench, role: Role) -> Client {
        let (key, id) = self.api_key(bench, role).await;
        login(bench, &key, id).await.expect("the key is in force")
    }

    pub async fn revoke(&self, bench: &Bench, id: ApiKeyId) {
        let command = RemoveCredential {
            cluster: self.cluster,
            id: CredentialId::ApiKey(id),
            validate_only: false,
        };
        let removed = bench
            .catalog
            .remove_credential(&self.admin, command)
            .await
            .unwrap();
        in_force(bench, removed.sequence).await;
    }

    /// A SCRAM user, as Kafka's tools make one.
    pub async fn scram_user(&self, bench: &Bench, name: &str) {
        let verifier = scram::verifier(
            Mechanism::Sha256,
            "pencil and paper",
            b"salt of a test",
            scram::ITERATIONS,
        );
        let scope = ScramName {
            cluster: self.cluster,
            username: name,
        };
        let random = Env::system().random;
        let verifier = SealedVerifier::seal(&verifier, scope, Mechanism::Sha256, &secrets(), &*random);
        let command = AlterScramUser {
            cluster: self.cluster,
            name: name.to_owned(),
            upserts: vec![(Mechanism::Sha256, verifier)],
            deletions: Vec::new(),
            validate_only: false,
        };
        let made = bench
            .catalog
            .alter_scram_user(&self.admin, command)
            .await
            .unwrap();
        in_force(bench, made.sequence).await;
    }
}

impl Tenant {
    /// A client quota of a user.
    pub async fn quota(&self, bench: &Bench, user: &str) {
        let entity = QuotaEntity::User(Named::Name(user.to_owned()));
        let quota = (entity, vec![(QuotaKey::RequestPercentage, Some(5_000.0))]);
        self.quotas(bench, vec![quota]).await;
    }

    /// Changes client quotas.
    pub async fn quotas(&self, bench: &Bench, alterations: Vec<QuotaAlteration>) {
        let command = AlterQuotas {
            cluster: self.cluster,
            alterations,
            expected: None,
            validate_only: false,
        };
        let made = bench.catalog.alter_quotas(&self.admin, command).await.unwrap();
        assert!(made.value.iter().all(Result::is_ok), "{:?}", made.value);
        in_force(bench, made.sequence).await;
    }
}

async fn in_force(bench: &Bench, sequence: Option<FeedSequence>) {
    let sequence = sequence.expect("something changed");
    let known = tokio::time::timeout(PATIENCE, bench.images.wait_for(sequence)).await;
    assert!(known.is_ok(), "the broker does not learn of a change");
}

/// A connection that has shown this key by PLAIN; `None` if it is refused.
pub async fn login(bench: &Bench, key: &ApiKeyText, id: ApiKeyId) -> Option<Client> {
    let mut client = bench.client().await;
    let handshake = m::SaslHandshakeRequest::default().with_mechanism(text("PLAIN"));
    assert_eq!(client.call(1, &handshake).await.error_code, 0);
    let message = format!("\0{}\0{}", id.public(), key.as_str());
    let request = m::SaslAuthenticateRequest::default().with_auth_bytes(message.into_bytes().into());
    let answer = client.call(2, &request).await;
    (answer.error_code == 0).then_some(client)
}

/// Requests for all that there is, where that is said by a null and not by an empty list.
pub fn lists_of_everything() -> Vec<Sample> {
    let sample = |key, version, frame| Sample {
        key,
        version,
        flexible: true,
        frame,
    };
    let metadata = m::MetadataRequest::default().with_topics(None);
    let log_dirs = m::DescribeLogDirsRequest::default().with_topics(None);
    let users = m::DescribeUserScramCredentialsRequest::default().with_users(None);
    let offsets = m::OffsetFetchRequest::default().with_groups(vec![
        m::offset_fetch_request::OffsetFetchRequestGroup::default()
            .with_group_id(text("canary-of-groups").into())
            .with_topics(None),
    ]);
    vec![
        sample(m::ApiKey::Metadata, 13, frame(CORRELATION, 13, &metadata)),
        sample(m::ApiKey::DescribeLogDirs, 4, frame(CORRELATION, 4, &log_dirs)),
        sample(
            m::ApiKey::DescribeUserScramCredentials,
            0,
            frame(CORRELATION, 0, &users),
        ),
        sample(
            m::ApiKey::DescribeClientQuotas,
            1,
            frame(CORRELATION, 1, &m::DescribeClientQuotasRequest::default()),
        ),
        sample(m::ApiKey::OffsetFetch, 9, frame(CORRELATION, 9, &offsets)),
        sample(m::ApiKey::DescribeAcls, 3, frame(CORRELATION, 3, &all_bindings())),
    ]
}
