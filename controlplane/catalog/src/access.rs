//! Roles: what they allow, and where they hold.
//!
//! A binding gives a person or a service account a [`Role`] in a [`Scope`]; it holds for everything inside. What somebody may do to
//! a cluster is the union of what the bindings on the cluster, its project and its organization allow.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ids::{ClusterId, OrganizationId, ProjectId};

/// A role that a binding gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything, owners included.
    Owner,
    /// Everything but the organization's end and its owners.
    Admin,
    /// Clusters and what is in them, records included; no people, no credentials.
    Operator,
    /// Topics, groups and records of clusters that are there.
    Developer,
    /// Sees everything but records and secrets.
    Viewer,
    /// Sees usage and the organization, nothing else.
    Billing,
}

/// Every role, the most powerful first.
pub const ROLES: [Role; 6] = [
    Role::Owner,
    Role::Admin,
    Role::Operator,
    Role::Developer,
    Role::Viewer,
    Role::Billing,
];

impl Role {
    /// The name that people see and rows hold.
    pub fn name(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Operator => "operator",
            Self::Developer => "developer",
            Self::Viewer => "viewer",
            Self::Billing => "billing",
        }
    }

    /// Whether it allows this.
    pub fn allows(self, permission: Permission) -> bool {
        use Permission as P;
        match self {
            Self::Owner => true,
            Self::Admin => !matches!(permission, P::ManageOwners | P::DeleteOrganization),
            Self::Operator => matches!(
                permission,
                P::ViewOrganization
                    | P::ViewCluster
                    | P::UseCluster
                    | P::ManageClusters
                    | P::ConfigureCluster
                    | P::ManageTopics
                    | P::ManageGroups
                    | P::ReadRecords
                    | P::WriteRecords
                    | P::ViewUsage
            ),
            Self::Developer => matches!(
                permission,
                P::ViewOrganization
                    | P::ViewCluster
                    | P::UseCluster
                    | P::ManageTopics
                    | P::ManageGroups
                    | P::ReadRecords
                    | P::WriteRecords
            ),
            Self::Viewer => matches!(
                permission,
                P::ViewOrganization | P::ViewCluster | P::UseCluster | P::ViewUsage
            ),
            Self::Billing => matches!(permission, P::ViewOrganization | P::ViewUsage),
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that names no role.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no role: owner, admin, operator, developer, viewer or billing")]
pub struct UnknownRole(pub String);

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        let named = ROLES.into_iter().find(|role| role.name() == text);
        named.ok_or_else(|| UnknownRole(text.to_owned()))
    }
}

/// What a role may allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Permission {
    /// See the organization and its projects.
    ViewOrganization,
    /// See members, bindings and invitations, and change them.
    ManageMembers,
    /// Make owners and unmake them.
    ManageOwners,
    /// Rename the organization, and change how its people log in.
    ManageOrganization,
    /// End the organization.
    DeleteOrganization,
    /// Make, change and delete projects.
    ManageProjects,
    /// Make, change, suspend and delete clusters.
    ManageClusters,
    /// Make service accounts, API keys and SCRAM credentials, and revoke them.
    ManageCredentials,
    /// Read the audit trail.
    ViewAudit,
    /// See what was used.
    ViewUsage,
    /// See a cluster, its topics, groups and configs; no records.
    ViewCluster,
    /// Connect to a cluster by Kafka's protocol at all.
    UseCluster,
    /// Change a cluster's broker configs.
    ConfigureCluster,
    /// Make, change and delete topics, and delete records.
    ManageTopics,
    /// Delete groups and their offsets.
    ManageGroups,
    /// Read records, as a member of any group.
    ReadRecords,
    /// Write records.
    WriteRecords,
}

impl Permission {
    /// Every permission.
    pub const ALL: [Self; 17] = [
        Self::ViewOrganization,
        Self::ManageMembers,
        Self::ManageOwners,
        Self::ManageOrganization,
        Self::DeleteOrganization,
        Self::ManageProjects,
        Self::ManageClusters,
        Self::ManageCredentials,
        Self::ViewAudit,
        Self::ViewUsage,
        Self::ViewCluster,
        Self::UseCluster,
        Self::ConfigureCluster,
        Self::ManageTopics,
        Self::ManageGroups,
        Self::ReadRecords,
        Self::WriteRecords,
    ];
}

/// Some roles: what somebody has in one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct RoleSet(u8);

impl RoleSet {
    /// No role at all: such a place does not exist for its holder.
    pub const NONE: Self = Self(0);

    /// These and one more.
    #[must_use]
    pub fn with(self, role: Role) -> Self {
        Self(self.0 | 1 << role as u8)
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The roles, the most powerful first.
    pub fn iter(self) -> impl Iterator<Item = Role> {
        ROLES
            .into_iter()
            .filter(move |role| self.0 & (1 << *role as u8) != 0)
    }

    /// Whether they allow together all that one allows.
    pub fn covers(self, role: Role) -> bool {
        Permission::ALL
            .into_iter()
            .all(|permission| !role.allows(permission) || self.allow(permission))
    }

    /// Whether one of them allows this.
    pub fn allow(self, permission: Permission) -> bool {
        self.iter().any(|role| role.allows(permission))
    }
}

impl FromIterator<Role> for RoleSet {
    fn from_iter<I: IntoIterator<Item = Role>>(roles: I) -> Self {
        roles.into_iter().fold(Self::NONE, Self::with)
    }
}

impl Serialize for RoleSet {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for RoleSet {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Vec::<Role>::deserialize(deserializer)?.into_iter().collect())
    }
}

/// Where a binding holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// In all of an organization.
    Organization(OrganizationId),
    /// In a project and its clusters.
    Project(ProjectId),
    /// In one cluster.
    Cluster(ClusterId),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_add_up() {
        let both = RoleSet::NONE.with(Role::Billing).with(Role::Developer);
        assert!(both.allow(Permission::ViewUsage) && both.allow(Permission::WriteRecords));
        assert!(!both.allow(Permission::ManageCredentials));
        assert!(RoleSet::NONE.is_empty() && !RoleSet::NONE.allow(Permission::ViewOrganization));
        let text = serde_json::to_string(&both).unwrap();
        assert_eq!(text, r#"["developer","billing"]"#);
        assert_eq!(serde_json::from_str::<RoleSet>(&text).unwrap(), both);
    }

    #[test]
    fn a_role_covers_itself_and_what_allows_less() {
        let covered = |roles: &[Role], role| roles.iter().copied().collect::<RoleSet>().covers(role);
        assert!(covered(&[Role::Owner], Role::Owner) && !covered(&[Role::Admin], Role::Owner));
        assert!(covered(&[Role::Admin], Role::Operator) && !covered(&[Role::Operator], Role::Admin));
        assert!(
            !covered(&[Role::Developer], Role::Viewer),
            "a developer sees no usage"
        );
        assert!(covered(&[Role::Developer, Role::Billing], Role::Viewer));
        let mut distinct = Permission::ALL.to_vec();
        distinct.dedup();
        assert_eq!(distinct.len(), Permission::ALL.len());
    }

    #[test]
    fn a_role_reads_back_from_its_name() {
        for role in ROLES {
            assert_eq!(role.name().parse(), Ok(role));
        }
        assert!("root".parse::<Role>().is_err());
    }
}
