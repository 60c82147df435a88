//! What an organization may have, over all its clusters: those that are suspended or being deleted count too.

use serde::Deserialize;

use crate::account::AccountError;
use crate::entities::ClusterLimits;
use crate::ids::{ClusterId, OrganizationId};
use crate::sql::{Tx, TxError, args, id_at, json_at, optional_number_at};

/// How many clusters an organization may have unless its row says otherwise.
pub const CLUSTERS_PER_ORGANIZATION: i64 = 10;
/// How many partitions the limits of its clusters may allow together unless its row says otherwise.
pub const PARTITIONS_PER_ORGANIZATION: i64 = 10_000;
/// How many bytes of records, likewise.
pub const STORAGE_BYTES_PER_ORGANIZATION: i64 = 1 << 40;
/// How many connections to one broker, likewise.
pub const CONNECTIONS_PER_ORGANIZATION: i64 = 10_000;

/// How many bytes of records clients may send to them in a second, likewise.
pub const INGRESS_PER_ORGANIZATION: i64 = CLUSTERS_PER_ORGANIZATION * ClusterLimits::USUAL.ingress;
/// How many bytes of records clients may receive from them in a second, likewise.
pub const EGRESS_PER_ORGANIZATION: i64 = CLUSTERS_PER_ORGANIZATION * ClusterLimits::USUAL.egress;

/// What the limits of all clusters together may come to.
#[derive(Clone, Copy, Debug)]
pub(in crate::account) struct Allowance {
    pub(in crate::account) clusters: i64,
    pub(in crate::account) partitions: i64,
    pub(in crate::account) storage_bytes: i64,
    pub(in crate::account) connections: i64,
    pub(in crate::account) ingress: i64,
    pub(in crate::account) egress: i64,
}

/// What is limited, how much of it all clusters may have together, and how much of it one may have.
type Limited = (&'static str, i64, fn(&ClusterLimits) -> i64);

impl Allowance {
    /// Refuses limits that rise beyond it, with those of the other clusters. What does not rise stays as it is.
    fn require(
        &self,
        others: &[ClusterLimits],
        before: &ClusterLimits,
        after: &ClusterLimits,
    ) -> Result<(), AccountError> {
        let limited: [Limited; 5] = [
            ("partitions in all clusters together", self.partitions, |one| {
                one.partitions
            }),
            (
                "bytes of records in all clusters together",
                self.storage_bytes,
                |one| one.storage_bytes,
            ),
            ("connections to all clusters together", self.connections, |one| {
                one.connections
            }),
            (
                "bytes a second sent to all clusters together",
                self.ingress,
                |one| one.ingress,
            ),
            (
                "bytes a second received from all clusters together",
                self.egress,
                |one| one.egress,
            ),
        ];
        for (which, limit, of) in limited {
            let total = others
                .iter()
                .fold(of(after), |sum, other| sum.saturating_add(of(other)));
            if of(after) > of(before) && total > limit {
                return Err(AccountError::LimitExceeded { which, limit });
            }
        }
        Ok(())
    }
}

/// Limits as they count. Nobody has chosen rates that a row does not name, or names as the highest that there are: they were not limited
/// when the cluster was made, and whatever changed it since has written them down.
#[derive(Deserialize)]
struct Counted {
    #[serde(flatten)]
    limits: ClusterLimits,
    #[serde(default)]
    ingress: Option<i64>,
    #[serde(default)]
    egress: Option<i64>,
}

impl Counted {
    fn limits(self) -> ClusterLimits {
        ClusterLimits {
            ingress: chosen(self.ingress, ClusterLimits::HIGHEST.ingress)
                .unwrap_or(ClusterLimits::USUAL.ingress),
            egress: chosen(self.egress, ClusterLimits::HIGHEST.egress).unwrap_or(ClusterLimits::USUAL.egress),
            ..self.limits
        }
    }
}

/// A rate that somebody has chosen.
fn chosen(rate: Option<i64>, highest: i64) -> Option<i64> {
    rate.filter(|rate| *rate < highest)
}

/// Before a cluster is there.
const NOTHING: ClusterLimits = ClusterLimits {
    topics: 0,
    partitions: 0,
    groups: 0,
    connections: 0,
    storage_bytes: 0,
    ingress: 0,
    egress: 0,
};

impl Tx {
    /// Locks the organization, and refuses a cluster for which it has no room.
    pub(super) async fn require_room_for_cluster(
        &mut self,
        organization: OrganizationId,
        limits: &ClusterLimits,
    ) -> Result<(), TxError<AccountError>> {
        let allowance = self.lock_allowance(organization).await?;
        let there = self.limits_of_clusters(organization, None).await?;
        if i64::try_from(there.len()).unwrap_or(i64::MAX) >= allowance.clusters {
            return Err(AccountError::LimitExceeded {
                which: "clusters",
                limit: allowance.clusters,
            }
            .into());
        }
        Ok(allowance.require(&there, &NOTHING, limits)?)
    }

    /// Locks the organization, and refuses limits of a cluster that rise beyond its room.
    pub(super) async fn require_room_for_limits(
        &mut self,
        organization: OrganizationId,
        id: ClusterId,
        (before, after): (&ClusterLimits, &ClusterLimits),
    ) -> Result<(), TxError<AccountError>> {
        let allowance = self.lock_allowance(organization).await?;
        let others = self.limits_of_clusters(organization, Some(id)).await?;
        Ok(allowance.require(&others, before, after)?)
    }

    async fn lock_allowance(
        &mut self,
        organization: OrganizationId,
    ) -> Result<Allowance, TxError<AccountError>> {
        self.allowance(organization, " FOR UPDATE").await
    }

    /// What an organization may have; `lock` is what stands after the statement.
    pub(in crate::account) async fn allowance(
        &mut self,
        organization: OrganizationId,
        lock: &'static str,
    ) -> Result<Allowance, TxError<AccountError>> {
        let select = format!(
            "SELECT max_clusters, max_partitions, max_storage_bytes, max_connections, max_ingress, max_egress \
             FROM account_organizations WHERE id = $1{lock}"
        );
        let row = self.row(&select, args![organization]).await?;
        let row = row.ok_or(AccountError::NotFound { what: "organization" })?;
        Ok(Allowance {
            clusters: optional_number_at(&row, 0)?.unwrap_or(CLUSTERS_PER_ORGANIZATION),
            partitions: optional_number_at(&row, 1)?.unwrap_or(PARTITIONS_PER_ORGANIZATION),
            storage_bytes: optional_number_at(&row, 2)?.unwrap_or(STORAGE_BYTES_PER_ORGANIZATION),
            connections: optional_number_at(&row, 3)?.unwrap_or(CONNECTIONS_PER_ORGANIZATION),
            ingress: optional_number_at(&row, 4)?.unwrap_or(INGRESS_PER_ORGANIZATION),
            egress: optional_number_at(&row, 5)?.unwrap_or(EGRESS_PER_ORGANIZATION),
        })
    }

    /// The limits of an organization's clusters, without those of one.
    pub(in crate::account) async fn limits_of_clusters(
        &mut self,
        organization: OrganizationId,
        without: Option<ClusterId>,
    ) -> Result<Vec<ClusterLimits>, TxError<AccountError>> {
        let select = "SELECT c.cluster, c.limits FROM account_clusters c JOIN account_projects p ON p.id = c.project \
                      WHERE p.organization = $1";
        let mut found = Vec::new();
        for row in self.rows(select, args![organization]).await? {
            let id: ClusterId = id_at(&row, 0)?;
            if Some(id) != without {
                found.push(json_at::<Counted>(&row, 1)?.limits());
            }
        }
        Ok(found)
    }
}
