//! What becomes of clusters, whatever the database.

mod auditing;
mod changing;
mod ending;
mod in_force;
mod making;

pub use auditing::*;
pub use changing::*;
pub use ending::*;
pub use in_force::*;
pub use making::*;

use firn_catalog::account::AccountError;
use firn_catalog::account::clusters::{ClusterView, NewCluster};
use firn_catalog::commands::{Actor, CommandError, CreateTopic, Principal};
use firn_catalog::entities::ClusterLimits;
use firn_catalog::ids::{ClusterId, OrganizationId, PersonId, ProjectId};
use firn_catalog::topic_config::ConfigMap;
use sqlx::{AnyConnection, AssertSqlSafe, Connection};

use crate::cell::Sql;

/// The number that a query gives, asked of the database directly.
async fn number(sql: &Sql, query: impl Into<String>) -> i64 {
    let mut connection = AnyConnection::connect(&sql.url).await.unwrap();
    let query = format!("SELECT CAST(({}) AS BIGINT)", query.into());
    let (number,): (i64,) = sqlx::query_as(AssertSqlSafe(query))
        .fetch_one(&mut connection)
        .await
        .unwrap();
    number
}

/// Runs a statement on the database directly.
async fn execute(sql: &Sql, statement: impl Into<String>) {
    let mut connection = AnyConnection::connect(&sql.url).await.unwrap();
    sqlx::query(AssertSqlSafe(statement.into()))
        .execute(&mut connection)
        .await
        .unwrap();
}

/// An organization with one project.
#[derive(Clone, Copy)]
struct Tenant {
    organization: OrganizationId,
    project: ProjectId,
}

impl Tenant {
    async fn new(sql: &Sql, number: u128) -> Self {
        let (organization, project) = (OrganizationId(number), ProjectId(number));
        execute(
            sql,
            format!("INSERT INTO account_organizations (id, name, created_at) VALUES ('{organization}', '{organization}', 0)"),
        )
        .await;
        execute(
            sql,
            format!("INSERT INTO account_projects (id, organization, name, created_at) VALUES ('{project}', '{organization}', 'p', 0)"),
        )
        .await;
        Self {
            organization,
            project,
        }
    }

    /// A person with a role in the scope, which is an id's text.
    async fn person(&self, sql: &Sql, number: u128, role: &str, (kind, scope): (&str, String)) -> Actor {
        let person = PersonId(number);
        execute(
            sql,
            format!(
                "INSERT INTO account_bindings (id, organization, principal_kind, principal, scope_kind, scope, role, \
                 created_at, version) VALUES ('{number:032x}', '{}', 'person', '{person}', '{kind}', '{scope}', '{role}', 0, 1)",
                self.organization
            ),
        )
        .await;
        Actor::process(Principal::Person(person), "a request")
    }

    /// A person with a role in the whole organization.
    async fn anywhere(&self, sql: &Sql, number: u128, role: &str) -> Actor {
        let scope = ("organization", self.organization.to_string());
        self.person(sql, number, role, scope).await
    }

    fn cluster(&self, name: &str) -> NewCluster {
        NewCluster {
            project: self.project,
            name: name.to_owned(),
            slug: None,
            limits: ClusterLimits::USUAL,
            deletion_protection: false,
        }
    }

    async fn make(&self, sql: &Sql, actor: &Actor, name: &str) -> ClusterView {
        let made = sql.catalog.create_cluster(actor, self.cluster(name), false).await;
        made.unwrap().value
    }
}

/// Creates a topic as the cluster's own anonymous user would.
async fn topic(sql: &Sql, cluster: ClusterId, name: &str) -> Result<(), CommandError> {
    let actor = Actor::process(Principal::Dev { cluster }, "kafka");
    let command = CreateTopic {
        cluster,
        name: name.to_owned(),
        partitions: 2,
        configs: ConfigMap::new(),
        validate_only: false,
    };
    sql.catalog.create_topic(&actor, command).await.map(|_| ())
}

fn missing() -> AccountError {
    AccountError::NotFound { what: "cluster" }
}
