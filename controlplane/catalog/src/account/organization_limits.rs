//! What an organization may have, and what of it it has.

use super::AccountError;
use super::bindings::MAX_BINDINGS;
use super::invitations::MAX_INVITATIONS;
use super::login_providers::MAX_LOGIN_PROVIDERS;
use super::projects::MAX_PROJECTS;
use crate::access::{Permission, Scope};
use crate::catalog::Catalog;
use crate::commands::Actor;
use crate::entities::ClusterLimits;
use crate::ids::OrganizationId;
use crate::sql::{Tx, TxError, args, transaction};

/// A limit of an organization, and what is used of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitUse {
    /// Of what. Names that begin with `cluster_` are of what the limits of all clusters come to together.
    pub name: &'static str,
    /// How much there is.
    pub used: i64,
    /// How much there may be.
    pub limit: i64,
    /// What is counted: `count`, `bytes` or `bytes_per_second`.
    pub unit: &'static str,
}

/// What rows are counted, up to which number.
const COUNTED: [(&str, i64, &str); 4] = [
    (
        "projects",
        MAX_PROJECTS,
        "SELECT COUNT(*) FROM account_projects WHERE organization = $1",
    ),
    (
        "role_bindings",
        MAX_BINDINGS,
        "SELECT COUNT(*) FROM account_bindings WHERE organization = $1",
    ),
    (
        "invitations",
        MAX_INVITATIONS,
        "SELECT COUNT(*) FROM account_invitations WHERE organization = $1 AND expires_at > $2",
    ),
    (
        "login_providers",
        MAX_LOGIN_PROVIDERS,
        "SELECT COUNT(*) FROM account_login_providers WHERE organization = $1",
    ),
];

impl Tx {
    async fn organization_limits(
        &mut self,
        organization: OrganizationId,
    ) -> Result<Vec<LimitUse>, TxError<AccountError>> {
        let allowance = self.allowance(organization, "").await?;
        let clusters = self.limits_of_clusters(organization, None).await?;
        let together = |name, limit, unit, of: fn(&ClusterLimits) -> i64| LimitUse {
            name,
            used: clusters.iter().fold(0, |sum, one| of(one).saturating_add(sum)),
            limit,
            unit,
        };
        let (count, bytes, rate) = ("count", "bytes", "bytes_per_second");
        let mut limits = vec![
            together("clusters", allowance.clusters, count, |_| 1),
            together("cluster_partitions", allowance.partitions, count, |one| {
                one.partitions
            }),
            together("cluster_storage", allowance.storage_bytes, bytes, |one| {
                one.storage_bytes
            }),
            together("cluster_connections", allowance.connections, count, |one| {
                one.connections
            }),
            together("cluster_ingress", allowance.ingress, rate, |one| one.ingress),
            together("cluster_egress", allowance.egress, rate, |one| one.egress),
        ];
        let now = self.env().now();
        for (name, limit, select) in COUNTED {
            let values = match select.contains("$2") {
                true => args![organization, now],
                false => args![organization],
            };
            let used = self.count_of(select, values).await?;
            limits.push(LimitUse {
                name,
                used,
                limit,
                unit: count,
            });
        }
        Ok(limits)
    }
}

impl Catalog {
    /// The limits of an organization in which the actor has a role.
    pub async fn organization_limits(
        &self,
        actor: &Actor,
        organization: OrganizationId,
    ) -> Result<Vec<LimitUse>, AccountError> {
        let scope = Scope::Organization(organization);
        transaction!(self.store(), snapshot, |tx| async {
            tx.require(actor, scope, Permission::ViewOrganization).await?;
            tx.organization_limits(organization).await
        }
        .await)
    }
}
