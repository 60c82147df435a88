//! Groups: the coordinator's shards over the partitions of the cell's internal topic that this broker leads.
//!
//! A shard's state machine is in `firn-coordinator`; here is its I/O. One short critical section asks the machine, appends its
//! records, and notes the slot; an answer goes out once the last slot that its shard has appended counts, so whatever
//! it rests on is durable (invariant 8). What cannot be appended leaves the machine ahead of its records: the shard is dropped and
//! read again, and whoever waits is told to look for the coordinator again.
//!
//! | module | what is in it |
//! |---|---|
//! | `shard` | one shard: asking, appending, answering |
//! | `loading` | reading a shard out of its partition |
//! | `keeping` | a shard's task: loading, deadlines, expiry, writing anew |
//! | `coordinator` | a shard with its task |
//! | `clock` | time for groups |

mod clock;
mod coordinator;
mod keeping;
mod loading;
mod shard;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use firn_catalog::commands::{CELL_CLUSTER, COORDINATOR_TOPIC};
use firn_catalog::ids::{ClusterId, FeedSequence, IncarnationId, PartitionId, TopicId};
use firn_catalog::image::{Image, ImageFollower, ImageTopic};
use firn_catalog::topic_config::{BrokerDefaults, ConfigMap, KafkaSettings};
use firn_coordinator::api::{Answer, GroupKey, Listed, Request};
use firn_coordinator::{GroupSettings, shard_of};
use firn_log::engine::Log;
use firn_runtime::Env;

use parking_lot::Mutex;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::settings::BrokerSettings;

pub use coordinator::{Coordinator, Metadata, REWRITE_FROM, Shared, Unavailable};

/// All groups that this broker coordinates.
pub(crate) struct Groups {
    log: Arc<Log>,
    images: Arc<ImageFollower>,
    shared: Arc<Shared>,
    shards: Mutex<BTreeMap<PartitionId, Arc<Coordinator>>>,
    shutdown: CancellationToken,
}

/// The newest image.
struct Newest(Arc<ImageFollower>);

impl Metadata for Newest {
    fn topic_name(&self, topic: TopicId) -> Option<Arc<str>> {
        let image = self.0.image();
        image.topic(topic).map(|topic| Arc::clone(&topic.name))
    }

    fn group_limit(&self, cluster: ClusterId) -> usize {
        let image = self.0.image();
        let Some(cluster) = image.cluster(cluster) else {
            return usize::MAX;
        };
        usize::try_from(cluster.limits.groups).unwrap_or(0)
    }
}

impl Groups {
    pub(crate) fn new(
        env: &Env,
        log: &Arc<Log>,
        images: &Arc<ImageFollower>,
        settings: &BrokerSettings,
        shutdown: CancellationToken,
    ) -> Arc<Self> {
        let newest = Arc::new(Newest(Arc::clone(images)));
        Arc::new(Self {
            log: Arc::clone(log),
            images: Arc::clone(images),
            shared: Shared::new(
                env,
                Arc::clone(log),
                group_settings(&settings.kafka, settings.max_groups),
                newest,
                REWRITE_FROM,
            ),
            shards: Mutex::new(BTreeMap::new()),
            shutdown,
        })
    }

    /// Asks a group; the answer comes once everything that it rests on is durable.
    pub(crate) async fn ask(
        &self,
        cluster: ClusterId,
        group: &str,
        request: Request,
    ) -> Result<Answer, Unavailable> {
        let shard = self.shard(cluster, group)?;
        let key = GroupKey {
            cluster,
            name: group.into(),
        };
        tokio::select! {
            biased;
            answer = shard.ask(key, request) => answer,
            // Whoever waits for other members would hold up the stop.
            () = self.shutdown.cancelled() => Err(Unavailable::NotCoordinator),
        }
    }

    /// All groups of a cluster that are coordinated here.
    pub(crate) async fn list(&self, cluster: ClusterId) -> Result<Vec<Listed>, Unavailable> {
        let shards = self.all()?;
        let (mut listed, mut last) = (Vec::new(), None);
        for shard in shards {
            let (groups, slot) = shard.list(cluster)?;
            listed.extend(groups);
            last = last.max(slot);
        }
        if let Some(slot) = last {
            let durable = self.log.wait(slot).await;
            durable.map_err(|_| Unavailable::NotAvailable)?;
        }
        listed.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(listed)
    }

    /// The coordinators that there are here.
    pub(crate) fn coordinators(&self) -> Vec<Arc<Coordinator>> {
        self.shards.lock().values().cloned().collect()
    }

    /// The incarnation that coordinates a group; none while nobody does.
    pub(crate) fn coordinator(
        &self,
        image: &Image,
        cluster: ClusterId,
        group: &str,
    ) -> Option<IncarnationId> {
        let partition = partition_of(topic(image)?, cluster, group)?;
        image.leadership(partition).map(|leads| leads.owner)
    }

    /// All shards whose partitions this broker leads; none may be missing.
    fn all(&self) -> Result<Vec<Arc<Coordinator>>, Unavailable> {
        let image = self.images.image();
        let topic = topic(&image).ok_or(Unavailable::NotAvailable)?;
        let own = self.log.incarnation();
        let led =
            partitions(topic).filter(|id| image.leadership(*id).is_some_and(|leads| leads.owner == own));
        let shards = self.shards.lock();
        led.map(|id| shards.get(&id).cloned().ok_or(Unavailable::Loading))
            .collect()
    }

    fn shard(&self, cluster: ClusterId, group: &str) -> Result<Arc<Coordinator>, Unavailable> {
        let image = self.images.image();
        let topic = topic(&image).ok_or(Unavailable::NotAvailable)?;
        let partition = partition_of(topic, cluster, group).ok_or(Unavailable::NotAvailable)?;
        match image.leadership(partition) {
            Some(leads) if leads.owner == self.log.incarnation() => {
                let shards = self.shards.lock();
                shards.get(&partition).cloned().ok_or(Unavailable::Loading)
            }
            Some(_) => Err(Unavailable::NotCoordinator),
            None => Err(Unavailable::NotAvailable),
        }
    }

    /// Serves the partitions of the internal topic that the log has open, for as long as there are images.
    pub(crate) async fn follow(self: Arc<Self>, mut reconciled: watch::Receiver<FeedSequence>) {
        loop {
            reconciled.mark_unchanged();
            self.take_over();
            if reconciled.changed().await.is_err() {
                return;
            }
        }
    }

    /// Begins to serve what was opened since, and ends with what has left.
    fn take_over(&self) {
        let image = self.images.image();
        let Some(topic) = topic(&image) else { return };
        let mut shards = self.shards.lock();
        for id in partitions(topic) {
            let Some(partition) = self.log.partition(id) else {
                shards.remove(&id);
                continue;
            };
            if !shards.get(&id).is_some_and(|shard| shard.serves(&partition)) {
                let coordinator = Coordinator::start(&self.shared, partition);
                shards.insert(id, Arc::new(coordinator));
            }
        }
    }

    /// Ends all tasks.
    pub(crate) fn stop(&self) {
        self.shards.lock().clear();
    }
}

fn topic(image: &Image) -> Option<&Arc<ImageTopic>> {
    image.topic_by_name(CELL_CLUSTER, COORDINATOR_TOPIC)
}

fn partitions(topic: &ImageTopic) -> impl Iterator<Item = PartitionId> + '_ {
    (0i32..)
        .zip(topic.partitions.iter())
        .map(|(index, _)| PartitionId {
            topic: topic.id,
            index,
        })
}

fn partition_of(topic: &ImageTopic, cluster: ClusterId, group: &str) -> Option<PartitionId> {
    let shards = u32::try_from(topic.partitions.len()).ok()?;
    Some(PartitionId {
        topic: topic.id,
        index: i32::try_from(shard_of(cluster, group, shards)).ok()?,
    })
}

/// Limits and times of groups, from Kafka's broker settings, which know no bound on groups.
fn group_settings(kafka: &KafkaSettings, max_groups: usize) -> GroupSettings {
    let none = ConfigMap::new();
    let defaults = BrokerDefaults {
        cluster: &none,
        settings: kafka,
    };
    let usual = GroupSettings::default();
    let number = |name: &str| {
        defaults
            .number(name)
            .and_then(|number| u64::try_from(number).ok())
    };
    let millis = |name: &str, usual: Duration| number(name).map_or(usual, Duration::from_millis);
    let size = |name: &str, usual: usize| {
        number(name).map_or(usual, |number| usize::try_from(number).unwrap_or(usize::MAX))
    };
    GroupSettings {
        min_session: millis("group.min.session.timeout.ms", usual.min_session),
        max_session: millis("group.max.session.timeout.ms", usual.max_session),
        initial_delay: millis("group.initial.rebalance.delay.ms", usual.initial_delay),
        max_members: size("group.max.size", usual.max_members),
        max_metadata: size("offset.metadata.max.bytes", usual.max_metadata),
        retention: number("offsets.retention.minutes").map_or(usual.retention, |minutes| {
            Duration::from_secs(minutes.saturating_mul(60))
        }),
        retention_check: millis("offsets.retention.check.interval.ms", usual.retention_check),
        max_groups,
    }
}
