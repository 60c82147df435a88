//! Who may do what, in the words of Kafka's ACLs.
//!
//! What a request changes through the catalog is asked there again, in the words of `firn_catalog::commands`: that is for
//! whoever carries a command, this is for whoever speaks Kafka, and covers reading and writing records too.

use firn_catalog::acl::{Asked, Operation};
use firn_catalog::image::Image;

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

/// Decides. It must answer for absent resources as for present ones, so that nobody learns from a refusal whether
/// something exists.
pub trait Authorizer: Send + Sync + 'static {
    /// Whether what is asked is allowed by what `image` says.
    fn allows(&self, image: &Image, asked: &Asked<'_>) -> bool;
}

/// Decides by the cluster's ACLs and by the roles of who asks: what [`Image::decide`] says.
#[derive(Clone, Copy, Debug)]
pub struct AclAuthorizer;

impl Authorizer for AclAuthorizer {
    fn allows(&self, image: &Image, asked: &Asked<'_>) -> bool {
        image.decide(asked).allows()
    }
}
