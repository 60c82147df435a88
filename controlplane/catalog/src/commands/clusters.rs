//! Clusters: `ensure_dev`, and the rows that commands lock.

use super::CommandError;
use crate::audit::details::cluster_detail;
use crate::audit::difference;
use crate::catalog::Catalog;
use crate::cell::CatalogError;
use crate::commands::{Actor, Principal};
use crate::entities::{Cluster, ClusterLimits, ClusterState};
use crate::feed::Change;
use crate::ids::{ClusterId, FeedSequence, OrganizationId, ProjectId};
use crate::sql::{Audited, Tx, TxError, args, id_at, transaction};
use crate::topic_config::ConfigMap;
use ipnet::IpNet;
use serde_json::Value;

/// The name of organization, project, cluster and slug in dev.
pub const DEV: &str = "dev";
/// The cell that the dev cluster is in.
const DEV_CELL: &str = "local";

/// Ids of what `ensure_dev` found or made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DevIds {
    /// The organization `dev`.
    pub organization: OrganizationId,
    /// The project `dev`.
    pub project: ProjectId,
    /// The cluster `dev`.
    pub cluster: ClusterId,
    /// Where the feed tells of the cluster, if this call made it.
    pub sequence: Option<FeedSequence>,
}

/// A cluster's row, locked, with what it holds.
pub(super) struct LockedCluster {
    pub(super) limits: ClusterLimits,
    pub(super) topics: i64,
    pub(super) partitions: i64,
    pub(super) configs: ConfigMap,
    pub(super) networks: Vec<IpNet>,
}

impl Tx {
    /// Locks the cluster's row: commands on one cluster run one after the other. Refuses one that does not serve.
    pub(super) async fn lock_cluster(
        &mut self,
        id: ClusterId,
    ) -> Result<LockedCluster, TxError<CommandError>> {
        let held = self.lock_cluster_row::<CommandError>(id).await?;
        let held = held.ok_or(CommandError::UnknownCluster)?;
        match held.cluster.state {
            ClusterState::Active => Ok(LockedCluster {
                limits: held.cluster.limits,
                topics: held.topics,
                partitions: held.partitions,
                configs: held.cluster.configs,
                networks: held.cluster.networks,
            }),
            ClusterState::Suspended | ClusterState::Deleting => Err(CommandError::ClusterNotActive.into()),
        }
    }
}

impl Catalog {
    /// Finds or makes the organization, project and cluster `dev`.
    pub async fn ensure_dev(&self) -> Result<DevIds, CommandError> {
        let (organization, project, cluster) = self.ensure_dev_account().await?;
        let made = Cluster {
            id: cluster,
            slug: DEV.to_owned(),
            kafka_id: kafka_id(self.env().random_u128()),
            organization,
            state: ClusterState::Active,
            delete_at: None,
            limits: ClusterLimits::HIGHEST,
            configs: ConfigMap::new(),
            networks: Vec::new(),
            version: 1,
        };
        let actor = Actor::process(Principal::Dev { cluster }, "firn dev");
        let outcome: Result<_, CommandError> = transaction!(self.store(), write, |tx| self
            .ensure_cluster(&mut tx, &actor, &made)
            .await);
        let sequence = self.finish("ensure_dev", outcome)?;
        Ok(DevIds {
            organization,
            project,
            cluster,
            sequence,
        })
    }

    /// The account store's part: the cluster's id comes from here.
    async fn ensure_dev_account(&self) -> Result<(OrganizationId, ProjectId, ClusterId), CatalogError> {
        let fresh = (
            OrganizationId(self.env().random_u128()),
            ProjectId(self.env().random_u128()),
            ClusterId(self.env().random_u128()),
        );
        let now = self.env().now();
        transaction!(self.store(), write, |tx| ensure_account(&mut tx, fresh, now)
            .await)
    }

    /// Makes a cluster that is not there yet.
    pub(super) async fn ensure_cluster(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        cluster: &Cluster,
    ) -> Result<Option<FeedSequence>, TxError<CommandError>> {
        let there = tx.held_clusters::<CommandError>(&[cluster.id]).await?;
        if !there.is_empty() {
            return Ok(None);
        }
        let now = self.env().now();
        tx.insert_cluster(cluster, now).await?;
        let change = Change::ClusterCreated {
            cluster: cluster.clone(),
        };
        let audited = Audited {
            action: "create_cluster",
            kind: "cluster",
            resource: &cluster.slug,
            detail: difference(Value::Null, cluster_detail(cluster)),
        };
        let sequence = self.record(tx, actor, cluster.id, audited, change).await?;
        Ok(Some(sequence))
    }
}

async fn ensure_account(
    tx: &mut Tx,
    fresh: (OrganizationId, ProjectId, ClusterId),
    now: firn_runtime::Timestamp,
) -> Result<(OrganizationId, ProjectId, ClusterId), TxError<CatalogError>> {
    let find = "SELECT id FROM account_organizations WHERE name = $1";
    let organization = match tx.row(find, args![DEV]).await? {
        Some(row) => id_at(&row, 0)?,
        None => {
            let insert = "INSERT INTO account_organizations (id, name, created_at) VALUES ($1, $2, $3)";
            tx.execute(insert, args![fresh.0, DEV, now]).await?;
            fresh.0
        }
    };
    let find = "SELECT id FROM account_projects WHERE organization = $1 AND name = $2";
    let project = match tx.row(find, args![organization, DEV]).await? {
        Some(row) => id_at(&row, 0)?,
        None => {
            let insert =
                "INSERT INTO account_projects (id, organization, name, created_at) VALUES ($1, $2, $3, $4)";
            tx.execute(insert, args![fresh.1, organization, DEV, now]).await?;
            fresh.1
        }
    };
    let find = "SELECT cluster FROM account_clusters WHERE cell = $1 AND slug = $2";
    let cluster = match tx.row(find, args![DEV_CELL, DEV]).await? {
        Some(row) => id_at(&row, 0)?,
        None => {
            let insert = "INSERT INTO account_clusters (cluster, project, slug, cell, created_at) \
                          VALUES ($1, $2, $3, $4, $5)";
            tx.execute(insert, args![fresh.2, project, DEV, DEV_CELL, now])
                .await?;
            fresh.2
        }
    };
    Ok((organization, project, cluster))
}

/// 128 bits as Kafka writes a cluster id: 22 characters of URL-safe base64, the first not a dash.
pub(super) fn kafka_id(random: u128) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    // 22 characters hold 132 bits: the four low bits of the last one are zero. The top bit is cleared,
    // and with it the dash and the underscore as first character are out of reach.
    let bits = random >> 1;
    let character = |position: u32| {
        let shifted = if position == 21 {
            bits << 4
        } else {
            bits >> (122 - 6 * position)
        };
        let index = usize::try_from(shifted & 0x3f).expect("six bits");
        char::from(ALPHABET[index])
    };
    (0..22).map(character).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kafka_id_is_22_characters_of_base64_and_begins_with_a_letter() {
        assert_eq!(kafka_id(0), "A".repeat(22));
        let all = kafka_id(u128::MAX);
        assert_eq!(all, format!("f{}w", "_".repeat(20)));
        let bit = kafka_id(0b10);
        assert_eq!(bit, format!("{}Q", "A".repeat(21)));
    }
}
