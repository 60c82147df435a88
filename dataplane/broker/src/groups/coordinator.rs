//! The coordinator of the groups of one internal partition.

use std::sync::Arc;

use firn_catalog::ids::{ClusterId, Slot, TopicId};
use firn_coordinator::api::{Answer, GroupKey, Listed, Request};
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

/// Tells the names of topics that exist.
pub trait TopicNames: Send + Sync + 'static {
    /// The topic's name; none if there is no such topic.
    fn name(&self, topic: TopicId) -> Option<Arc<str>>;
}

/// What the coordinators of a broker share.
pub struct Shared {
    pub(super) log: Arc<Log>,
    pub(super) settings: GroupSettings,
    pub(super) topics: Arc<dyn TopicNames>,
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
        topics: Arc<dyn TopicNames>,
        rewrite_from: usize,
    ) -> Arc<Self> {
        Arc::new(Self {
            rewrite_from,
            log,
            settings,
            topics,
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
        let asked = self.shard.ask(key, request)?;
        asked.answer(&self.shared.log).await
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
