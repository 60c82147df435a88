//! Service accounts and what they show themselves with, whatever the database.

mod api_keys;
mod kafka_users;
mod passwords;
mod service_accounts;

pub use api_keys::*;
pub use kafka_users::*;
pub use passwords::*;
pub use service_accounts::*;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use firn_catalog::Catalog;
use firn_catalog::access::Role;
use firn_catalog::account::api_keys::{ApiKey, KeyDigest, NewApiKey};
use firn_catalog::account::clusters::NewCluster;
use firn_catalog::account::scram_credentials::{NewScramCredential, ScramCredential};
use firn_catalog::account::service_accounts::{FirstRole, NewServiceAccount, ServiceAccount};
use firn_catalog::commands::{Actor, Principal};
use firn_catalog::entities::ClusterLimits;
use firn_catalog::ids::{ApiKeyId, ClusterId, OrganizationId, PersonId, ProjectId, ServiceAccountId};
use firn_catalog::image::{Image, ImageFollower};
use firn_runtime::{Clock, Env, Timestamp};
use firn_secrets::{MasterKey, Secrets};
use sqlx::{AnyConnection, AssertSqlSafe, Connection};

use crate::cell::Cell;

/// A clock that a test sets forward.
pub struct SetClock(AtomicI64);

impl SetClock {
    fn forward(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::Relaxed);
    }
}

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::Relaxed))
    }
}

/// An organization with a project and a cluster, and the people in it.
pub struct Tenant {
    pub catalog: Arc<Catalog>,
    pub clock: Arc<SetClock>,
    pub secrets: Secrets,
    pub url: String,
    pub project: ProjectId,
    pub organization: OrganizationId,
    pub cluster: ClusterId,
    pub owner: Actor,
}

const MINUTE: i64 = 60_000;

impl Tenant {
    pub async fn new(cell: &Cell) -> Self {
        let url = cell.sql().url.clone();
        let clock = Arc::new(SetClock(AtomicI64::new(1_800_000_000_000)));
        let env = Env {
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            ..Env::system()
        };
        let catalog = Catalog::open(&url, env).await.unwrap();
        let secrets = Secrets::new(&MasterKey::from_text(&"7".repeat(64)).unwrap());
        Self::with(catalog, clock, secrets, url, 0x1000).await
    }

    /// Another one in the same cell.
    pub async fn other(&self) -> Self {
        let (catalog, clock) = (Arc::clone(&self.catalog), Arc::clone(&self.clock));
        Self::with(catalog, clock, self.secrets.clone(), self.url.clone(), 0x2000).await
    }

    async fn with(
        catalog: Arc<Catalog>,
        clock: Arc<SetClock>,
        secrets: Secrets,
        url: String,
        number: u128,
    ) -> Self {
        let mut tenant = Self {
            catalog,
            clock,
            secrets,
            url,
            project: ProjectId(number + 0x100),
            organization: OrganizationId(number),
            cluster: ClusterId(0),
            owner: Actor::process(Principal::Cell, "test"),
        };
        let (organization, project) = (tenant.organization, tenant.project);
        tenant
            .execute(format!(
                "INSERT INTO account_organizations (id, name, created_at) VALUES ('{organization}', '{organization}', 0)"
            ))
            .await;
        tenant
            .execute(format!(
                "INSERT INTO account_projects (id, organization, name, created_at) \
                 VALUES ('{project}', '{organization}', 'p', 0)"
            ))
            .await;
        tenant.owner = tenant.person(number + 1, "owner").await;
        tenant.cluster = tenant.make_cluster("main").await;
        tenant
    }

    pub async fn make_cluster(&self, name: &str) -> ClusterId {
        let new = NewCluster {
            project: self.project,
            name: name.to_owned(),
            slug: None,
            limits: ClusterLimits::USUAL,
            deletion_protection: false,
        };
        let made = self.catalog.create_cluster(&self.owner, new, false).await;
        made.unwrap().value.id
    }

    /// A person with a role in the organization.
    pub async fn person(&self, number: u128, role: &str) -> Actor {
        let scope = ("organization", self.organization.to_string());
        self.bind(("person", format!("{number:032x}")), number, role, scope)
            .await;
        Actor::process(Principal::Person(PersonId(number)), "a request")
    }

    pub async fn bind(&self, (kind, principal): (&str, String), id: u128, role: &str, scope: (&str, String)) {
        let (scope_kind, scope) = scope;
        self.execute(format!(
            "INSERT INTO account_bindings (id, organization, principal_kind, principal, scope_kind, scope, role, \
             created_at, version) VALUES ('{id:032x}', '{}', '{kind}', '{principal}', '{scope_kind}', '{scope}', \
             '{role}', 0, 1)",
            self.organization
        ))
        .await;
    }

    /// Runs a statement on the database directly.
    pub async fn execute(&self, statement: impl Into<String>) {
        let mut connection = AnyConnection::connect(&self.url).await.unwrap();
        sqlx::query(AssertSqlSafe(statement.into()))
            .execute(&mut connection)
            .await
            .unwrap();
    }

    /// The number that a query gives, asked of the database directly.
    pub async fn number(&self, query: &str) -> i64 {
        let mut connection = AnyConnection::connect(&self.url).await.unwrap();
        let query = format!("SELECT CAST(({query}) AS BIGINT)");
        let (number,): (i64,) = sqlx::query_as(AssertSqlSafe(query))
            .fetch_one(&mut connection)
            .await
            .unwrap();
        number
    }

    pub async fn image(&self) -> Arc<Image> {
        let follower = ImageFollower::start(Arc::clone(&self.catalog)).await.unwrap();
        follower.image()
    }

    /// A service account with a role in the project.
    pub async fn account(&self, name: &str, role: Role) -> ServiceAccount {
        use firn_catalog::access::Scope;
        let scope = Scope::Project(self.project);
        let new = self.new_account(name, Some(FirstRole { scope, role }));
        self.catalog
            .create_service_account(&self.owner, new, false)
            .await
            .unwrap()
    }

    pub fn new_account(&self, name: &str, role: Option<FirstRole>) -> NewServiceAccount {
        NewServiceAccount {
            project: self.project,
            name: name.to_owned(),
            description: String::new(),
            role,
        }
    }

    pub fn new_key(&self, id: u128, account: ServiceAccountId, cluster: Option<ClusterId>) -> NewApiKey {
        NewApiKey {
            id: ApiKeyId(id),
            service_account: account,
            cluster,
            name: "ci".to_owned(),
            digest: KeyDigest(format!("digest of {id}")),
            expires_at: None,
        }
    }

    pub async fn key(&self, id: u128, account: ServiceAccountId, cluster: Option<ClusterId>) -> ApiKey {
        let new = self.new_key(id, account, cluster);
        let made = self.catalog.create_api_key(&self.owner, new, false).await;
        made.unwrap().value
    }

    pub fn new_scram(&self, account: ServiceAccountId, username: Option<&str>) -> NewScramCredential {
        NewScramCredential {
            cluster: self.cluster,
            service_account: account,
            username: username.map(str::to_owned),
            expires_at: None,
        }
    }

    pub async fn scram(&self, new: &NewScramCredential, password: &str) -> ScramCredential {
        let made = self
            .catalog
            .create_scram_credential(&self.owner, new, password, &self.secrets, false)
            .await;
        made.unwrap().value
    }
}
