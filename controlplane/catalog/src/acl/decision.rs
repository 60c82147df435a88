//! Who may do what: ACLs and roles together.
//!
//! 1. The anonymous principal of `firn dev`, owners and admins may do everything in their cluster: Kafka's super users, so that no
//!    binding locks a cluster's owner out.
//! 2. A binding that denies wins over all that allow.
//! 3. A binding that allows, or a role (see [`role_for`]), allows. To the audit topic a role allows nothing that does not allow to see
//!    the audit trail, and a binding only where it names that topic, neither by `*` nor by a prefix; to deny, every form counts.
//! 4. What no binding names is allowed where the operator has set `allow.everyone.if.no.acl.found`.
//! 5. All else is denied.

use std::net::IpAddr;

use super::set::Verdict;
use super::{Acl, CLUSTER_NAME, Operation, ResourceType};
use crate::access::{Permission, Role};
use crate::audit::AUDIT_TOPIC;
use crate::commands::{Principal, User};
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
    /// The resource of that type and name; a cluster has but one name.
    pub fn of(kind: ResourceType, name: &'a str) -> Self {
        match kind {
            ResourceType::Topic => Self::Topic(name),
            ResourceType::Group => Self::Group(name),
            ResourceType::Cluster => Self::Cluster,
            ResourceType::TransactionalId => Self::TransactionalId(name),
            ResourceType::User => Self::User(name),
        }
    }

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

/// What a role must allow so that it allows an operation; `None`: no role does. To create or delete in a cluster, whatever it is,
/// takes an ACL: roles allow it for each topic, so that a binding can deny it.
pub fn role_for(operation: Operation, resource: ResourceType) -> Option<Permission> {
    Some(match (operation, resource) {
        (Operation::All | Operation::ClusterAction | Operation::CreateTokens, _)
        | (Operation::Create | Operation::Delete, ResourceType::Cluster) => return None,
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

/// Whether nobody asks a principal anything in a cluster.
pub(crate) fn is_super_user(principal: &Principal, cluster: ClusterId) -> bool {
    match principal {
        Principal::Dev { cluster: own } => *own == cluster,
        Principal::User(user) => {
            let mut roles = user.roles.iter();
            user.cluster == cluster && roles.any(|role| matches!(role, Role::Owner | Role::Admin))
        }
        Principal::Cell | Principal::Person(_) | Principal::ServiceAccount(_) => false,
    }
}

/// The role that allows a user what is asked, once no binding denies it.
pub(super) fn allowing_role(user: &User, asked: &Asked<'_>) -> Option<Role> {
    let (kind, _) = asked.resource.parts();
    let needed = role_for(asked.operation, kind)?;
    let audit = asked.resource == ResourceName::Topic(AUDIT_TOPIC);
    if audit && !user.roles.allow(Permission::ViewAudit) {
        return None;
    }
    user.roles.iter().find(|role| role.allows(needed))
}

/// Whether bindings allow something to a resource only by naming it: neither `*` nor a prefix opens the audit trail.
pub(super) fn is_opened_by_name_alone(kind: ResourceType, name: &str) -> bool {
    kind == ResourceType::Topic && name == AUDIT_TOPIC
}

impl Image {
    /// Decides. It answers for absent resources as for present ones, so that nobody learns from a refusal whether something exists.
    pub fn decide(&self, asked: &Asked<'_>) -> Decision<'_> {
        if is_super_user(asked.principal, asked.cluster) {
            return Decision::SuperUser;
        }
        let user = match asked.principal {
            Principal::User(user) if user.cluster == asked.cluster => user,
            Principal::Dev { .. }
            | Principal::User(_)
            | Principal::Cell
            | Principal::Person(_)
            | Principal::ServiceAccount(_) => return Decision::OtherCluster,
        };
        let (kind, name) = asked.resource.parts();
        let acls = self.access(asked.cluster).map(|access| access.acl_set());
        let said = acls.map_or(Verdict::Silent, |acls| match name {
            Some(name) => acls.about(&user.name, asked.host, asked.operation, (kind, name)),
            None => acls.about_any(&user.name, asked.host, asked.operation, kind),
        });
        match said {
            Verdict::Denied(acl) => return Decision::DeniedBy(acl),
            Verdict::Allowed(acl) => return Decision::AllowedBy(acl),
            Verdict::Silent => {}
        }
        let audit = asked.resource == ResourceName::Topic(AUDIT_TOPIC)
            && self
                .topic_by_name(asked.cluster, AUDIT_TOPIC)
                .is_none_or(|topic| topic.audit);
        match allowing_role(user, asked) {
            Some(role) => Decision::AllowedByRole(role),
            None if !audit && self.allows_unnamed() && !acls.is_some_and(|acls| acls.name(kind, name)) => {
                Decision::AllowedByDefault
            }
            None => Decision::NothingAllows,
        }
    }
}
