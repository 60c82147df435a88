//! Who may do what to the catalog, whoever carries the command here.
//!
//! These are the commands' own words, for which ACLs and roles decide. They are not the broker's seam (`firn_broker::seams`), which
//! speaks of records and of groups, that no command knows; and a command that comes from elsewhere has not passed that one. So each
//! asks, and a command does what both allow.

use std::net::IpAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::access::{Permission, RoleSet};
use crate::acl::{self, Asked, Decision, ResourceName};
use crate::ids::{
    ApiKeyId, CertificateId, ClusterId, IdentityProviderId, PersonId, ScramCredentialId, ServiceAccountId,
    SessionId,
};
use crate::image::Image;

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
    /// Make and delete ACLs of a cluster.
    AlterAcls,
    /// Change client quotas of a cluster.
    AlterQuotas,
    /// Say whose certificates, tokens and networks a cluster trusts. Roles allow it, never an ACL.
    ManageTrust,
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

impl Resource {
    /// The cluster that it is, or is in.
    pub(super) fn cluster(&self) -> ClusterId {
        match self {
            Self::Cluster(cluster) | Self::Topic { cluster, .. } => *cluster,
        }
    }
}

/// Decides who may do what.
pub trait Authorizer: Send + Sync + 'static {
    /// Whether the actor may do `operation` to `resource`, as the cell is in `image`; without one only roles are known.
    fn allows(&self, actor: &Actor, image: Option<&Image>, operation: Operation, resource: &Resource)
    -> bool;
}

/// ACLs and roles decide, as they do for requests ([`Image::decide`]).
#[derive(Clone, Copy, Debug)]
pub struct AclAuthorizer;

impl Authorizer for AclAuthorizer {
    fn allows(
        &self,
        actor: &Actor,
        image: Option<&Image>,
        operation: Operation,
        resource: &Resource,
    ) -> bool {
        let unknown = Image::default();
        let image = image.unwrap_or(&unknown);
        let (cluster, topic) = match resource {
            Resource::Cluster(cluster) => (*cluster, None),
            Resource::Topic { cluster, name } => (*cluster, Some(ResourceName::Topic(name))),
        };
        let ask = |operation, resource| {
            image.decide(&Asked {
                principal: &actor.principal,
                host: actor.address,
                operation,
                cluster,
                resource,
            })
        };
        let on_cluster = |operation| ask(operation, ResourceName::Cluster);
        let on_topic = |operation| topic.is_some_and(|topic| ask(operation, topic).allows());
        match operation {
            Operation::UseCluster => on_cluster(acl::Operation::Describe) != Decision::OtherCluster,
            // Who may create in the cluster may create any topic.
            Operation::CreateTopic => {
                on_cluster(acl::Operation::Create).allows() || on_topic(acl::Operation::Create)
            }
            Operation::AlterTopic => on_topic(acl::Operation::Alter),
            // Who may delete in the cluster may delete any topic, as in Kafka.
            Operation::DeleteTopic => {
                on_cluster(acl::Operation::Delete).allows() || on_topic(acl::Operation::Delete)
            }
            Operation::AlterConfigs => {
                let resource = topic.unwrap_or(ResourceName::Cluster);
                ask(acl::Operation::AlterConfigs, resource).allows()
            }
            Operation::AlterCredentials | Operation::AlterAcls => on_cluster(acl::Operation::Alter).allows(),
            Operation::AlterQuotas => on_cluster(acl::Operation::AlterConfigs).allows(),
            Operation::ManageTrust => match &actor.principal {
                Principal::Dev { cluster: own } => *own == cluster,
                Principal::User(user) => {
                    user.cluster == cluster && user.roles.allow(Permission::ManageCredentials)
                }
                Principal::Cell | Principal::Person(_) | Principal::ServiceAccount(_) => false,
            },
        }
    }
}
