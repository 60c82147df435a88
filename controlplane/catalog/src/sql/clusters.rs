//! The rows of clusters in the cell store.

use firn_runtime::Timestamp;
use sqlx::any::AnyRow;

use super::rows::{optional_number_at, word, word_at};
use super::{Arg, Tx, TxError, args, id_at, json, json_at, number_at, text_at};
use crate::cell::CatalogError;
use crate::entities::{Cluster, ClusterLimits};
use crate::ids::ClusterId;

/// What [`cluster_at`] reads.
pub(super) const CLUSTER_COLUMNS: &str = "id, slug, kafka_id, organization, state, delete_at, max_topics, \
     max_partitions, max_groups, max_connections, max_storage_bytes, configs, version, max_ingress, max_egress, networks";
/// How many columns that are.
const COLUMN_COUNT: usize = 16;
/// How many rows one statement reads by their ids.
const CHUNK: usize = 200;

/// A cluster's row with what the cluster holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HeldCluster {
    pub(crate) cluster: Cluster,
    pub(crate) topics: i64,
    pub(crate) partitions: i64,
}

/// The cluster whose [`CLUSTER_COLUMNS`] a row begins with.
pub(super) fn cluster_at(row: &AnyRow) -> Result<Cluster, CatalogError> {
    Ok(Cluster {
        id: id_at(row, 0)?,
        slug: text_at(row, 1)?,
        kafka_id: text_at(row, 2)?,
        organization: id_at(row, 3)?,
        state: word_at(row, 4)?,
        delete_at: optional_number_at(row, 5)?.map(Timestamp),
        limits: ClusterLimits {
            topics: number_at(row, 6)?,
            partitions: number_at(row, 7)?,
            groups: number_at(row, 8)?,
            connections: number_at(row, 9)?,
            storage_bytes: number_at(row, 10)?,
            ingress: number_at(row, 13)?,
            egress: number_at(row, 14)?,
        },
        configs: json_at(row, 11)?,
        version: number_at(row, 12)?,
        networks: json_at(row, 15)?,
    })
}

fn held_at(row: &AnyRow) -> Result<HeldCluster, CatalogError> {
    Ok(HeldCluster {
        cluster: cluster_at(row)?,
        topics: number_at(row, COLUMN_COUNT)?,
        partitions: number_at(row, COLUMN_COUNT + 1)?,
    })
}

impl Tx {
    /// Locks a cluster's row and reads it.
    pub(crate) async fn lock_cluster_row<E>(
        &mut self,
        id: ClusterId,
    ) -> Result<Option<HeldCluster>, TxError<E>>
    where
        TxError<E>: From<CatalogError>,
    {
        let select = format!(
            "SELECT {CLUSTER_COLUMNS}, topic_count, partition_count FROM cell_clusters WHERE id = $1 FOR UPDATE"
        );
        let row = self.row(&select, args![id]).await?;
        Ok(row.as_ref().map(held_at).transpose()?)
    }

    /// The rows of those of `ids` that are there, in id order.
    pub(crate) async fn held_clusters<E>(&mut self, ids: &[ClusterId]) -> Result<Vec<HeldCluster>, TxError<E>>
    where
        TxError<E>: From<CatalogError>,
    {
        let mut found = Vec::with_capacity(ids.len());
        for chunk in ids.chunks(CHUNK) {
            let list: Vec<String> = (1..=chunk.len()).map(|number| format!("${number}")).collect();
            let select = format!(
                "SELECT {CLUSTER_COLUMNS}, topic_count, partition_count FROM cell_clusters WHERE id IN ({})",
                list.join(", ")
            );
            let ids = chunk.iter().map(|id| Arg::from(*id)).collect();
            for row in self.rows(&select, ids).await? {
                found.push(held_at(&row)?);
            }
        }
        found.sort_unstable_by_key(|held| held.cluster.id);
        Ok(found)
    }

    /// Inserts the row of a cluster that holds nothing yet.
    pub(crate) async fn insert_cluster(
        &mut self,
        cluster: &Cluster,
        now: Timestamp,
    ) -> Result<(), sqlx::Error> {
        let insert = "INSERT INTO cell_clusters (id, slug, kafka_id, organization, state, delete_at, max_topics, \
                      max_partitions, max_groups, max_connections, max_storage_bytes, configs, version, max_ingress, \
                      max_egress, networks, topic_count, partition_count, created_at) \
                      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, 0, 0, $17)";
        let limits = &cluster.limits;
        let values = args![
            cluster.id,
            cluster.slug.as_str(),
            cluster.kafka_id.as_str(),
            cluster.organization,
            word(&cluster.state),
            cluster.delete_at.map(|at| at.0),
            limits.topics,
            limits.partitions,
            limits.groups,
            limits.connections,
            limits.storage_bytes,
            json(&cluster.configs),
            cluster.version,
            limits.ingress,
            limits.egress,
            json(&cluster.networks),
            now,
        ];
        self.execute(insert, values).await?;
        Ok(())
    }

    /// Stores what may change of a cluster's row, apart from its configs and counts.
    pub(crate) async fn update_cluster(&mut self, cluster: &Cluster) -> Result<(), sqlx::Error> {
        let update = "UPDATE cell_clusters SET state = $2, delete_at = $3, max_topics = $4, max_partitions = $5, \
                      max_groups = $6, max_connections = $7, max_storage_bytes = $8, version = $9, max_ingress = $10, \
                      max_egress = $11 WHERE id = $1";
        let limits = &cluster.limits;
        let values = args![
            cluster.id,
            word(&cluster.state),
            cluster.delete_at.map(|at| at.0),
            limits.topics,
            limits.partitions,
            limits.groups,
            limits.connections,
            limits.storage_bytes,
            cluster.version,
            limits.ingress,
            limits.egress,
        ];
        self.execute(update, values).await?;
        Ok(())
    }
}
