//! Who may do what to the catalog, whoever carries the command here.
//!
//! These are the commands' own words. They are not the broker's seam (`firn_broker::seams`), which speaks of Kafka's ACLs, of
//! records and of groups, most of which no command knows; and a command that comes from elsewhere has not passed that one.
//! So each asks, and a command does what both allow.

use crate::ids::ClusterId;

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
}

impl std::fmt::Display for Principal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Dev { .. } => f.write_str("User:ANONYMOUS"),
            Self::Cell => f.write_str("Cell"),
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

/// The dev principal may do everything in its cluster, and nothing elsewhere.
#[derive(Clone, Copy, Debug)]
pub struct DevAuthorizer;

impl Authorizer for DevAuthorizer {
    fn allows(&self, principal: &Principal, _operation: Operation, resource: &Resource) -> bool {
        match (principal, resource) {
            (Principal::Dev { cluster }, Resource::Cluster(id) | Resource::Topic { cluster: id, .. }) => {
                id == cluster
            }
            (Principal::Cell, _) => false,
        }
    }
}
