//! The coordinator of the groups of one internal partition.

use std::sync::Arc;

use firn_catalog::ids::{ClusterId, Slot, TopicId};
use firn_coordinator::api::{Answer, CommittedIn, GroupKey, Listed, Request};
use firn_coordinator::{GroupCounts, GroupSettings};
use firn_log::engine::Log;
use firn_log::partition::Partition;
use firn_runtime::Env;
use tokio::task::JoinHandle;

use super::clock::GroupClock;
use super::keeping;
use super::shard::ServedShard;

/// Why a group is not asked here and now. The client looks for the coordinator again, or waits a little.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unavailable {
    /// Another broker coordinates the group.
    NotCoordinator,
    /// The group's records are being read.
    Loading,
    /// Nobody coordinates the group at the moment, or nothing can be stored.
    NotAvailable,
}

/// What the coordinators ask of the newest image.
pub trait Metadata: Send + Sync + 'static {
    /// The topic's name; none if there is no such topic.
    fn topic_name(&self, topic: TopicId) -> Option<Arc<str>>;

    /// How many groups the cluster's own limits allow.
    fn group_limit(&self, cluster: ClusterId) -> usize;
}

/// What the coordinators of a broker share.
pub struct Shared {
    pub(super) log: Arc<Log>,
    pub(super) settings: GroupSettings,
    pub(super) metadata: Arc<dyn Metadata>,
    pub(super) clock: GroupClock,
    pub(super) counts: Arc<GroupCounts>,
    pub(super) rewrite_from: usize,
}

/// Fewer bytes of records are not worth writing anew.
pub const REWRITE_FROM: usize = 4 << 20;

impl Shared {
    /// For coordinators over partitions of `log`. A partition whose records have grown by `rewrite_from` bytes at the least may be
    /// written anew.
    pub fn new(
        env: &Env,
        log: Arc<Log>,
        settings: GroupSettings,
        metadata: Arc<dyn Metadata>,
        rewrite_from: usize,
    ) -> Arc<Self> {
        Arc::new(Self {
            rewrite_from,
            log,
            settings,
            metadata,
            clock: GroupClock::start(env),
            counts: Arc::default(),
        })
    }
}

/// Coordinates the groups of one internal partition, until it is dropped.
pub struct Coordinator {
    shared: Arc<Shared>,
    shard: Arc<ServedShard>,
    task: JoinHandle<()>,
}

impl Coordinator {
    /// Begins to read the partition's records; requests are taken once that is done.
    pub fn start(shared: &Arc<Shared>, partition: Arc<Partition>) -> Self {
        let shard = Arc::new(ServedShard::new(partition, shared.clock, shared.rewrite_from));
        let keeping = keeping::keep(Arc::clone(shared), Arc::clone(&shard));
        Self {
            shared: Arc::clone(shared),
            task: shared.log.spawn_vital("a coordinator of groups", keeping),
            shard,
        }
    }

    /// Whether it is the coordinator of this partition, and of no former life of it.
    pub(super) fn serves(&self, partition: &Arc<Partition>) -> bool {
        Arc::ptr_eq(&self.shard.partition, partition)
    }

    /// Asks a group; the answer comes once everything that it rests on is durable.
    pub async fn ask(&self, key: GroupKey, request: Request) -> Result<Answer, Unavailable> {
        let own = self.shared.metadata.group_limit(key.cluster);
        let asked = self
            .shard
            .ask(key, request, own.min(self.shared.settings.max_groups))?;
        asked.answer(&self.shared.log).await
    }

    /// What is committed in groups after `after`, about `most` offsets of it, once it is durable; and the last of these groups, or none at
    /// the end.
    pub(crate) async fn committed(
        &self,
        after: Option<&GroupKey>,
        most: usize,
    ) -> Result<(Vec<CommittedIn>, Option<GroupKey>), Unavailable> {
        let (committed, last, slot) = self.shard.committed(after, most)?;
        if let Some(slot) = slot {
            let durable = self.shared.log.wait(slot).await;
            durable.map_err(|_| Unavailable::NotAvailable)?;
        }
        Ok((committed, last))
    }

    /// The groups of a cluster, and the slot without which they must not be told of.
    pub(super) fn list(&self, cluster: ClusterId) -> Result<(Vec<Listed>, Option<Slot>), Unavailable> {
        self.shard.list(cluster)
    }
}

impl Drop for Coordinator {
    fn drop(&mut self) {
        self.task.abort();
        self.shard.close();
    }
}
