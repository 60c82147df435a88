//! Kafka's ACLs: what a binding says.
//!
//! A binding allows or denies a principal, from a host, an operation on the resources that a pattern names. Words and numbers are those
//! of Kafka (`AclOperation`, `ResourceType`, `PatternType`, `AclPermissionType`); the rules are in KIP-11 and KIP-290.

mod decision;
mod explanation;
mod filter;
mod identity;
mod patterns;
mod rules;
mod set;
#[cfg(test)]
mod tests;
mod validation;
mod words;

pub(crate) use decision::is_super_user;
pub use decision::{Asked, Decision, ResourceName, role_for};
pub use explanation::Explanation;
pub use filter::{AclFilter, PatternFilter};
pub use set::AclSet;
pub use validation::{InvalidAcl, MAX_ACL_NAME, MAX_ACLS_PER_CLUSTER};
pub use words::UnknownWord;

use firn_runtime::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::AclId;

/// What may be done. The numbers are those of Kafka's `AclOperation`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Operation {
    /// Everything. In bindings only: nobody asks to do it.
    All = 2,
    /// Read records.
    Read = 3,
    /// Write records.
    Write = 4,
    /// Create something.
    Create = 5,
    /// Delete something, or records.
    Delete = 6,
    /// Change something.
    Alter = 7,
    /// See that something exists, and its shape.
    Describe = 8,
    /// What only brokers do.
    ClusterAction = 9,
    /// See configs.
    DescribeConfigs = 10,
    /// Change configs.
    AlterConfigs = 11,
    /// Write with a producer id.
    IdempotentWrite = 12,
    /// Make delegation tokens for a user.
    CreateTokens = 13,
    /// See delegation tokens of a user.
    DescribeTokens = 14,
}

/// The kinds of resources that a virtual cluster has. The numbers are those of Kafka's `ResourceType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum ResourceType {
    /// A topic.
    Topic = 2,
    /// A consumer group.
    Group = 3,
    /// The cluster as a whole; its name is [`CLUSTER_NAME`].
    Cluster = 4,
    /// A transactional id.
    TransactionalId = 5,
    /// A user, named as a principal: `User:name`.
    User = 7,
}

/// The name of the one resource of type `Cluster`.
pub const CLUSTER_NAME: &str = "kafka-cluster";
/// The literal name that stands for every resource of its type.
pub const WILDCARD: &str = "*";
/// The principal of a binding for everybody.
pub const EVERYBODY: &str = "User:*";

/// How a binding's name stands for resources. The numbers are those of Kafka's `PatternType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum PatternType {
    /// For the resource of that name; `*` for all.
    Literal = 3,
    /// For all whose names begin with it.
    Prefixed = 4,
}

/// Whether a binding allows or denies. The numbers are those of Kafka's `AclPermissionType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Effect {
    /// It denies, whatever else allows.
    Deny = 2,
    /// It allows.
    Allow = 3,
}

/// One binding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Acl {
    /// The kind of resource.
    pub resource_type: ResourceType,
    /// How the name stands for resources.
    pub pattern_type: PatternType,
    /// The resource's name, or how it begins, or `*`.
    pub resource_name: String,
    /// For whom: `User:` and a name, or `User:*`.
    pub principal: String,
    /// From where: an IP address, or `*`.
    pub host: String,
    /// What.
    pub operation: Operation,
    /// Whether it is allowed or denied.
    pub permission: Effect,
}

/// A binding of a cluster, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredAcl {
    /// Its id, which follows from what it says.
    pub id: AclId,
    /// What it says.
    #[serde(flatten)]
    pub acl: Acl,
    /// When it was made.
    pub created_at: Timestamp,
}
