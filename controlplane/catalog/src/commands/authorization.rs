//! Who may do what to the catalog, whoever carries the command here.
//!
//! These are the commands' own words. They are not the broker's seam (`firn_broker::seams`), which speaks of Kafka's ACLs, of
//! records and of groups, most of which no command knows; and a command that comes from elsewhere has not passed that one.
//! So each asks, and a command does what both allow.

use std::net::IpAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::access::{Permission, RoleSet};
use crate::ids::{
    ApiKeyId, CertificateId, ClusterId, IdentityProviderId, PersonId, ScramCredentialId, ServiceAccountId,
    SessionId,
};

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Principal {
    /// The anonymous user of `firn dev` on a loopback connection: may do everything in its cluster.
    Dev {
        /// The cluster.
        cluster: ClusterId,
    },
    /// The cell itself, for what no tenant sees. No request comes from it.
    Cell,
    /// Somebody with roles in a cluster: who authenticated at the broker, or whom the REST API speaks for.
    User(Arc<User>),
    /// A person in the account store; what it may do there is looked up in the command's transaction.
    Person(PersonId),
    /// A service account in the account store, likewise.
    ServiceAccount(ServiceAccountId),
}

/// Somebody with roles in a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct User {
    /// The cluster.
    pub cluster: ClusterId,
    /// The name after `User:`: a service account's or a person's public id, or a SCRAM user's name that Kafka's tools made.
    pub name: Arc<str>,
    /// What the user may do there.
    pub roles: RoleSet,
}

/// By what somebody showed who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CredentialId {
    /// An API key.
    ApiKey(ApiKeyId),
    /// A SCRAM user name and password.
    Scram(ScramCredentialId),
    /// A login.
    Session(SessionId),
    /// A client's certificate.
    Certificate(CertificateId),
    /// A token of an identity provider that a cluster trusts.
    Token(IdentityProviderId),
    /// A ticket of the realm whose service the broker is.
    Kerberos,
}

impl std::fmt::Display for CredentialId {
    /// The public id.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::ApiKey(id) => f.write_str(&id.public()),
            Self::Scram(id) => f.write_str(&id.public()),
            Self::Session(id) => f.write_str(&id.public()),
            Self::Certificate(id) => f.write_str(&id.public()),
            Self::Token(id) => f.write_str(&id.public()),
            Self::Kerberos => f.write_str("kerberos"),
        }
    }
}

impl std::fmt::Display for Principal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Dev { .. } => f.write_str("User:ANONYMOUS"),
            Self::Cell => f.write_str("Cell"),
            Self::User(user) => write!(f, "User:{}", user.name),
            Self::Person(id) => write!(f, "User:{}", id.public()),
            Self::ServiceAccount(id) => write!(f, "User:{}", id.public()),
        }
    }
}

/// Who asks, and by which request: what the audit row says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// Who.
    pub principal: Principal,
    /// The id of the request in the logs.
    pub request_id: String,
    /// By what the principal showed who it is; `None`: by nothing (in dev), or it is the process itself.
    pub credential: Option<CredentialId>,
    /// Where the request came from.
    pub address: Option<IpAddr>,
}

impl Actor {
    /// The process itself, on behalf of nobody.
    pub fn process(principal: Principal, what: &str) -> Self {
        Self {
            principal,
            request_id: what.to_owned(),
            credential: None,
            address: None,
        }
    }
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Name things in a cluster at all: tenancy, asked before a topic is looked up, so that a stranger learns nothing.
    UseCluster,
    /// Create a topic.
    CreateTopic,
    /// Add partitions to a topic.
    AlterTopic,
    /// Delete a topic.
    DeleteTopic,
    /// Change configs of a topic or of a cluster.
    AlterConfigs,
    /// Make, change and remove SCRAM credentials of a cluster.
    AlterCredentials,
}

/// To what.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Resource {
    /// A cluster as a whole.
    Cluster(ClusterId),
    /// A topic, by name.
    Topic {
        /// The cluster.
        cluster: ClusterId,
        /// The name.
        name: String,
    },
}

/// Decides who may do what.
pub trait Authorizer: Send + Sync + 'static {
    /// Whether `principal` may do `operation` to `resource`.
    fn allows(&self, principal: &Principal, operation: Operation, resource: &Resource) -> bool;
}

/// The dev principal may do everything in its cluster, a user in its cluster what its roles allow, nobody anything elsewhere.
#[derive(Clone, Copy, Debug)]
pub struct RoleAuthorizer;

impl Authorizer for RoleAuthorizer {
    fn allows(&self, principal: &Principal, operation: Operation, resource: &Resource) -> bool {
        let (Resource::Cluster(cluster) | Resource::Topic { cluster, .. }) = resource;
        match principal {
            Principal::Dev { cluster: own } => own == cluster,
            Principal::User(user) => {
                user.cluster == *cluster && user.roles.allow(permission_for(operation, resource))
            }
            Principal::Cell | Principal::Person(_) | Principal::ServiceAccount(_) => false,
        }
    }
}

/// What a role must allow for an operation.
fn permission_for(operation: Operation, resource: &Resource) -> Permission {
    match (operation, resource) {
        (Operation::UseCluster, _) => Permission::UseCluster,
        (Operation::AlterConfigs, Resource::Cluster(_)) => Permission::ConfigureCluster,
        (Operation::AlterCredentials, _) => Permission::ManageCredentials,
        (
            Operation::CreateTopic | Operation::AlterTopic | Operation::DeleteTopic | Operation::AlterConfigs,
            _,
        ) => Permission::ManageTopics,
    }
}
