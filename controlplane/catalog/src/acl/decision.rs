//! Who may do what: ACLs and roles together.
//!
//! 1. The anonymous principal of `firn dev`, owners and admins may do everything in their cluster: Kafka's super users, so that no
//!    binding locks a cluster's owner out.
//! 2. A binding that denies wins over all that allow.
//! 3. A binding that allows, or a role (see [`role_for`]), allows.
//! 4. All else is denied.

use std::net::IpAddr;

use super::{Acl, CLUSTER_NAME, Operation, ResourceType};
use crate::access::{Permission, Role};
use crate::commands::Principal;
use crate::ids::ClusterId;
use crate::image::Image;

/// A resource that a request names; it need not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ResourceName<'a> {
    /// The cluster as a whole.
    Cluster,
    /// A topic.
    Topic(&'a str),
    /// Some topic, whichever: whether there is any to which the operation may be done.
    AnyTopic,
    /// A consumer group.
    Group(&'a str),
    /// A transactional id.
    TransactionalId(&'a str),
    /// A user, as a principal: `User:name`.
    User(&'a str),
}

impl<'a> ResourceName<'a> {
    /// Its type, and its name; none of [`Self::AnyTopic`].
    pub fn parts(self) -> (ResourceType, Option<&'a str>) {
        match self {
            Self::Cluster => (ResourceType::Cluster, Some(CLUSTER_NAME)),
            Self::Topic(name) => (ResourceType::Topic, Some(name)),
            Self::AnyTopic => (ResourceType::Topic, None),
            Self::Group(name) => (ResourceType::Group, Some(name)),
            Self::TransactionalId(name) => (ResourceType::TransactionalId, Some(name)),
            Self::User(name) => (ResourceType::User, Some(name)),
        }
    }
}

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Who wants it.
    pub principal: &'a Principal,
    /// From where; `None`: from nowhere that an address names, so only bindings for every host count.
    pub host: Option<IpAddr>,
    /// What.
    pub operation: Operation,
    /// In which cluster.
    pub cluster: ClusterId,
    /// To what.
    pub resource: ResourceName<'a>,
}

/// The answer, and what decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision<'a> {
    /// Nobody asks a super user anything.
    SuperUser,
    /// A role allows it.
    AllowedByRole(Role),
    /// This binding allows it.
    AllowedBy(&'a Acl),
    /// No binding names the resource, and the cluster is open where none does (`allow.everyone.if.no.acl.found`).
    AllowedByDefault,
    /// This binding denies it.
    DeniedBy(&'a Acl),
    /// Nothing allows it.
    NothingAllows,
    /// The cluster is another one.
    OtherCluster,
}

impl Decision<'_> {
    /// Whether it is allowed.
    pub fn allows(&self) -> bool {
        match self {
            Self::SuperUser | Self::AllowedByRole(_) | Self::AllowedBy(_) | Self::AllowedByDefault => true,
            Self::DeniedBy(_) | Self::NothingAllows | Self::OtherCluster => false,
        }
    }
}

/// What a role must allow so that it allows an operation; `None`: no role does.
pub fn role_for(operation: Operation, resource: ResourceType) -> Option<Permission> {
    Some(match (operation, resource) {
        (Operation::All | Operation::ClusterAction | Operation::CreateTokens, _) => return None,
        (Operation::Describe | Operation::DescribeConfigs | Operation::DescribeTokens, _) => {
            Permission::ViewCluster
        }
        (Operation::Read, _) => Permission::ReadRecords,
        (Operation::Write | Operation::IdempotentWrite, _) => Permission::WriteRecords,
        (Operation::AlterConfigs, ResourceType::Cluster) => Permission::ConfigureCluster,
        (Operation::Alter, ResourceType::Cluster | ResourceType::User) => Permission::ManageCredentials,
        (_, ResourceType::Group) => Permission::ManageGroups,
        (Operation::Create | Operation::Delete | Operation::Alter | Operation::AlterConfigs, _) => {
            Permission::ManageTopics
        }
    })
}

impl Image {
    /// Decides. It answers for absent resources as for present ones, so that nobody learns from a refusal whether something exists.
    pub fn decide(&self, asked: &Asked<'_>) -> Decision<'_> {
        let user = match asked.principal {
            Principal::Dev { cluster } if *cluster == asked.cluster => return Decision::SuperUser,
            Principal::User(user) if user.cluster == asked.cluster => user,
            Principal::Dev { .. }
            | Principal::User(_)
            | Principal::Cell
            | Principal::Person(_)
            | Principal::ServiceAccount(_) => return Decision::OtherCluster,
        };
        if user
            .roles
            .iter()
            .any(|role| matches!(role, Role::Owner | Role::Admin))
        {
            return Decision::SuperUser;
        }
        let (resource_type, _) = asked.resource.parts();
        let needed = role_for(asked.operation, resource_type);
        let by_role = user
            .roles
            .iter()
            .find(|role| needed.is_some_and(|needed| role.allows(needed)));
        by_role.map_or(Decision::NothingAllows, Decision::AllowedByRole)
    }
}
