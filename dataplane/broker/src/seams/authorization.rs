//! Who may do what, in the words of Kafka's ACLs.
//!
//! What a request changes through the catalog is asked there again, in the words of `firn_catalog::commands`: that is for
//! whoever carries a command, this is for whoever speaks Kafka, and covers reading and writing records too.

use firn_catalog::access::Permission;
use firn_catalog::commands::Principal;
use firn_catalog::ids::ClusterId;

/// What is to be done. The numbers are those of Kafka's `AclOperation`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Operation {
    /// Use a connection at all: answers that tell nothing about anybody's resources need no more.
    Connect = 0,
    /// Read records.
    Read = 3,
    /// Write records.
    Write = 4,
    /// Create topics.
    Create = 5,
    /// Delete topics or records.
    Delete = 6,
    /// Change topics.
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
}

/// The operations that can be granted on a topic.
pub(crate) const TOPIC_OPERATIONS: &[Operation] = &[
    Operation::Read,
    Operation::Write,
    Operation::Create,
    Operation::Delete,
    Operation::Alter,
    Operation::Describe,
    Operation::DescribeConfigs,
    Operation::AlterConfigs,
];

/// The operations that can be granted on a group.
pub(crate) const GROUP_OPERATIONS: &[Operation] = &[
    Operation::Read,
    Operation::Delete,
    Operation::Describe,
    Operation::DescribeConfigs,
    Operation::AlterConfigs,
];

/// The operations that can be granted on a cluster.
pub(crate) const CLUSTER_OPERATIONS: &[Operation] = &[
    Operation::Create,
    Operation::Alter,
    Operation::Describe,
    Operation::ClusterAction,
    Operation::DescribeConfigs,
    Operation::AlterConfigs,
    Operation::IdempotentWrite,
];

/// To what kind of thing, and which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ResourceKind<'a> {
    /// The cluster as a whole.
    Cluster,
    /// A topic, which need not exist.
    Topic(&'a str),
    /// Some topic, whichever: whether there is any to which the operation may be done, existing or not.
    AnyTopic,
    /// A transactional id.
    TransactionalId(&'a str),
    /// A consumer group, which need not exist.
    Group(&'a str),
}

/// A resource of a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Resource<'a> {
    /// The cluster that the connection is in.
    pub cluster: ClusterId,
    /// What in it.
    pub kind: ResourceKind<'a>,
}

/// Decides. It must answer for absent resources as for present ones, so that nobody learns from a refusal whether
/// something exists.
pub trait Authorizer: Send + Sync + 'static {
    /// Whether `principal` may do `operation` to `resource`.
    fn allows(&self, principal: &Principal, operation: Operation, resource: Resource<'_>) -> bool;
}

/// The anonymous principal of `firn dev` may do everything in its cluster, a user in its cluster what its roles allow, and nobody
/// anything elsewhere.
#[derive(Clone, Copy, Debug)]
pub struct RoleAuthorizer;

impl Authorizer for RoleAuthorizer {
    fn allows(&self, principal: &Principal, operation: Operation, resource: Resource<'_>) -> bool {
        match principal {
            Principal::Dev { cluster } => *cluster == resource.cluster,
            Principal::User(user) => {
                user.cluster == resource.cluster
                    && permission_for(operation, resource.kind).is_some_and(|needed| user.roles.allow(needed))
            }
            Principal::Cell | Principal::Person(_) | Principal::ServiceAccount(_) => false,
        }
    }
}

/// What a role must allow for an operation; `None`: no role does.
fn permission_for(operation: Operation, kind: ResourceKind<'_>) -> Option<Permission> {
    Some(match (operation, kind) {
        (Operation::Connect, _) => Permission::UseCluster,
        (Operation::Describe | Operation::DescribeConfigs, _) => Permission::ViewCluster,
        (Operation::Read, _) => Permission::ReadRecords,
        (Operation::Write | Operation::IdempotentWrite, _) => Permission::WriteRecords,
        (Operation::ClusterAction, _) => return None,
        (Operation::AlterConfigs, ResourceKind::Cluster) => Permission::ConfigureCluster,
        (Operation::Alter, ResourceKind::Cluster) => Permission::ManageCredentials,
        (_, ResourceKind::Group(_)) => Permission::ManageGroups,
        (Operation::Create | Operation::Delete | Operation::Alter | Operation::AlterConfigs, _) => {
            Permission::ManageTopics
        }
    })
}
