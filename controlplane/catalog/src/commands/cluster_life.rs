//! The cell's side of a cluster's life: its row follows the account store's, and what is left of it goes at the end.
//!
//! The account store says what a cluster shall be; each of its versions is applied here once, in order, however often it
//! is brought and by whom.

use super::clusters::kafka_id;
use super::{Actor, CommandError, TopicRef};
use crate::audit::details::cluster_detail;
use crate::audit::{changes, difference};
use crate::catalog::Catalog;
use crate::entities::{Cluster, ClusterLimits, ClusterState};
use crate::feed::Change;
use crate::ids::{ClusterId, FeedSequence, OrganizationId, TopicId};
use crate::sql::{Audited, Tx, TxError, args, id_at, transaction};
use crate::topic_config::ConfigMap;
use firn_runtime::Timestamp;
use serde_json::Value;

/// What a cluster shall be in its cell, as one version of the account store's row says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedCluster {
    /// Its id.
    pub id: ClusterId,
    /// Its DNS label. Counts when it is made.
    pub slug: String,
    /// Whose it is. Counts when it is made.
    pub organization: OrganizationId,
    /// Where it is in its life.
    pub state: ClusterState,
    /// When it goes, if it is `Deleting`.
    pub delete_at: Option<Timestamp>,
    /// How much it may hold.
    pub limits: ClusterLimits,
    /// The account store's version of this: 1, 2, ...
    pub version: i64,
}

/// What the audit trail calls the change from one state to another.
fn action(from: ClusterState, to: ClusterState) -> &'static str {
    match (from, to) {
        (ClusterState::Deleting, ClusterState::Active | ClusterState::Suspended) => "undelete_cluster",
        (_, ClusterState::Deleting) => "delete_cluster",
        (ClusterState::Active, ClusterState::Suspended) => "suspend_cluster",
        (ClusterState::Suspended, ClusterState::Active) => "resume_cluster",
        (ClusterState::Active, ClusterState::Active) | (ClusterState::Suspended, ClusterState::Suspended) => {
            "update_cluster"
        }
    }
}

impl Catalog {
    /// Makes the cluster, or brings it to this version; a version that it already has changes nothing, and one that is being deleted
    /// is not made: it may be purged already. Gives the place in the feed from which on brokers know. Who may ask for it is the account store's to judge.
    pub async fn apply_cluster(
        &self,
        actor: &Actor,
        wanted: &WantedCluster,
    ) -> Result<FeedSequence, CommandError> {
        let outcome: Result<_, CommandError> = transaction!(self.store(), write, |tx| {
            self.apply_cluster_in(&mut tx, actor, wanted).await
        });
        self.finish("apply_cluster", outcome)
    }

    async fn apply_cluster_in(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        wanted: &WantedCluster,
    ) -> Result<FeedSequence, TxError<CommandError>> {
        let Some(held) = tx.lock_cluster_row::<CommandError>(wanted.id).await? else {
            return match wanted.state {
                ClusterState::Deleting => Ok(tx.feed_head().await?),
                ClusterState::Active | ClusterState::Suspended => self.make_cluster(tx, actor, wanted).await,
            };
        };
        let there = held.cluster;
        if there.version >= wanted.version {
            return Ok(tx.feed_head().await?);
        }
        let cluster = Cluster {
            state: wanted.state,
            delete_at: wanted.delete_at,
            limits: wanted.limits,
            version: wanted.version,
            ..there.clone()
        };
        tx.update_cluster(&cluster).await?;
        let audited = Audited {
            action: action(there.state, cluster.state),
            kind: "cluster",
            resource: there.slug.as_str(),
            detail: changes(&cluster_detail(&there), &cluster_detail(&cluster)),
        };
        let change = Change::ClusterChanged { cluster };
        self.record(tx, actor, wanted.id, audited, change).await
    }

    async fn make_cluster(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        wanted: &WantedCluster,
    ) -> Result<FeedSequence, TxError<CommandError>> {
        let cluster = Cluster {
            id: wanted.id,
            slug: wanted.slug.clone(),
            kafka_id: kafka_id(self.env().random_u128()),
            organization: wanted.organization,
            state: wanted.state,
            delete_at: wanted.delete_at,
            limits: wanted.limits,
            configs: ConfigMap::new(),
            networks: Vec::new(),
            version: wanted.version,
        };
        tx.insert_cluster(&cluster, self.env().now()).await?;
        let audited = Audited {
            action: "create_cluster",
            kind: "cluster",
            resource: wanted.slug.as_str(),
            detail: difference(Value::Null, cluster_detail(&cluster)),
        };
        let change = Change::ClusterCreated { cluster };
        self.record(tx, actor, wanted.id, audited, change).await
    }

    /// Removes what is left of a cluster that is being deleted: its topics one by one, its credentials, its row. Whatever of
    /// it is gone already stays gone; a cluster that is not there is a success. One that serves is refused.
    pub(crate) async fn purge_cluster(&self, actor: &Actor, id: ClusterId) -> Result<(), CommandError> {
        loop {
            let outcome: Result<_, CommandError> = transaction!(self.store(), write, |tx| self
                .purge_some(&mut tx, actor, id)
                .await);
            if self.finish("purge_cluster", outcome)? {
                return Ok(());
            }
        }
    }

    /// One transaction of it; whether it was the last.
    async fn purge_some(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        id: ClusterId,
    ) -> Result<bool, TxError<CommandError>> {
        let Some(held) = tx.lock_cluster_row::<CommandError>(id).await? else {
            return Ok(true);
        };
        if held.cluster.state != ClusterState::Deleting {
            return Err(CommandError::ClusterNotActive.into());
        }
        let select = "SELECT id FROM cell_topics WHERE cluster = $1 ORDER BY id LIMIT 1";
        if let Some(row) = tx.row(select, args![id]).await? {
            let topic: TopicId = id_at(&row, 0)?;
            let topic = tx.find_topic(id, &TopicRef::Id(topic)).await?;
            self.remove_topic(tx, actor, &topic).await?;
            return Ok(false);
        }
        tx.execute("DELETE FROM cell_credentials WHERE cluster = $1", args![id])
            .await?;
        tx.delete_access(id).await?;
        let change = Change::ClusterRemoved { cluster: id };
        let audited = Audited {
            action: "purge_cluster",
            kind: "cluster",
            resource: held.cluster.slug.as_str(),
            detail: difference(cluster_detail(&held.cluster), Value::Null),
        };
        // While the cluster's row, which is locked, still says whose trail it is.
        self.record(tx, actor, id, audited, change).await?;
        tx.execute("DELETE FROM cell_clusters WHERE id = $1", args![id])
            .await?;
        Ok(true)
    }
}
