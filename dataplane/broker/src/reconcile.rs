//! Follows the image: what it says that this incarnation leads is opened in the log, with the configuration of its
//! topic; what is deleted, or led elsewhere, is dropped.
//!
//! One task, without input but the image and what it did last, so that the first run after a start and every later one
//! are the same. A failure leaves it to the next round, which comes soon.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use firn_catalog::ids::{IncarnationId, PartitionId, TopicId};
use firn_catalog::image::{Image, ImageFollower, ImageTopic};
use firn_catalog::topic_config::{
    BrokerDefaults, Compression, ConfigMap, KafkaSettings, TimestampType, TopicConfig,
};
use firn_log::batch::{self, BatchRules};
use firn_log::engine::{AssignError, Assignment, Log};
use firn_log::partition::PartitionConfig;
use tokio::sync::watch;
use tracing::{debug, error};

use firn_catalog::ids::FeedSequence;

/// How long after a failure the next round begins.
const PAUSE: Duration = Duration::from_millis(500);

/// A topic as it was last seen. What is the same need not be done again.
struct Known {
    topic: Arc<ImageTopic>,
    cluster_configs: ConfigMap,
}

/// Brings the log up to the image.
pub(crate) struct Reconciler {
    log: Arc<Log>,
    images: Arc<ImageFollower>,
    kafka: KafkaSettings,
    own: IncarnationId,
    known: BTreeMap<TopicId, Known>,
    done: watch::Sender<FeedSequence>,
}

impl Reconciler {
    pub(crate) fn new(log: Arc<Log>, images: Arc<ImageFollower>, kafka: KafkaSettings) -> Self {
        let own = log.incarnation();
        let done = watch::Sender::new(FeedSequence(-1));
        Self {
            log,
            images,
            kafka,
            own,
            known: BTreeMap::new(),
            done,
        }
    }

    /// Tells up to where in the feed the log has been brought.
    pub(crate) fn done(&self) -> watch::Receiver<FeedSequence> {
        self.done.subscribe()
    }

    /// One round.
    pub(crate) async fn round(&mut self) -> Result<(), AssignError> {
        let image = self.images.image();
        let gone: Vec<TopicId> = self
            .known
            .keys()
            .copied()
            .filter(|id| image.topic(*id).is_none())
            .collect();
        for id in gone {
            self.drop_topic(id);
        }
        let mut opened = Vec::new();
        let mut changed = Vec::new();
        for topic in image.topics() {
            let configs = cluster_configs(&image, topic);
            let same = |known: &Known| Arc::ptr_eq(&known.topic, topic) && known.cluster_configs == *configs;
            if self.known.get(&topic.id).is_some_and(same) {
                continue;
            }
            self.drop_moved(topic);
            opened.extend(self.assignments(topic, configs));
            changed.push((Arc::clone(topic), configs.clone()));
        }
        if !opened.is_empty() {
            debug!(partitions = opened.len(), "opening or reconfiguring partitions");
            self.log.assign(opened).await?;
        }
        for (topic, cluster_configs) in changed {
            self.known.insert(
                topic.id,
                Known {
                    topic,
                    cluster_configs,
                },
            );
        }
        self.done.send_replace(image.sequence());
        Ok(())
    }

    fn drop_topic(&mut self, id: TopicId) {
        if let Some(known) = self.known.remove(&id) {
            let partitions: Vec<_> = partitions(&known.topic).map(|(partition, _)| partition).collect();
            self.log.unassign(&partitions);
        }
    }

    /// Drops partitions that this incarnation led and no longer leads.
    fn drop_moved(&self, topic: &ImageTopic) {
        let Some(known) = self.known.get(&topic.id) else {
            return;
        };
        let led = |topic: &ImageTopic, id: PartitionId| {
            let index = usize::try_from(id.index).unwrap_or(usize::MAX);
            topic
                .partitions
                .get(index)
                .is_some_and(|leader| leader.owner == self.own)
        };
        let moved: Vec<_> = partitions(&known.topic)
            .filter(|(id, owner)| *owner == self.own && !led(topic, *id))
            .map(|(id, _)| id)
            .collect();
        if !moved.is_empty() {
            self.log.unassign(&moved);
        }
    }

    fn assignments(&self, topic: &ImageTopic, cluster: &ConfigMap) -> Vec<Assignment> {
        let defaults = BrokerDefaults {
            cluster,
            settings: &self.kafka,
        };
        let config = Arc::new(partition_config(
            &TopicConfig::resolve(&topic.configs, defaults),
            defaults,
        ));
        let mut assignments = Vec::new();
        for (id, owner) in partitions(topic) {
            let index = usize::try_from(id.index).unwrap_or(usize::MAX);
            if let Some(leadership) = topic.partitions.get(index).filter(|_| owner == self.own) {
                let config = Arc::clone(&config);
                assignments.push(Assignment {
                    id,
                    leader_epoch: leadership.epoch,
                    config,
                });
            }
        }
        assignments
    }

    /// Rounds for as long as there are images.
    pub(crate) async fn run(mut self) {
        let mut changes = self.images.changes();
        loop {
            changes.mark_unchanged();
            if let Err(error) = self.round().await {
                error!(%error, "partitions could not be opened; trying again");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            if changes.changed().await.is_err() {
                return;
            }
        }
    }
}

/// What the owner of the topic's cluster has set for its brokers.
fn cluster_configs<'i>(image: &'i Image, topic: &ImageTopic) -> &'i ConfigMap {
    static NONE: ConfigMap = ConfigMap::new();
    image
        .cluster(topic.cluster)
        .map_or(&NONE, |cluster| &cluster.configs)
}

/// The partitions of a topic and their owners.
fn partitions(topic: &ImageTopic) -> impl Iterator<Item = (PartitionId, IncarnationId)> + '_ {
    let with_id = |(index, owner)| {
        (
            PartitionId {
                topic: topic.id,
                index,
            },
            owner,
        )
    };
    (0i32..)
        .zip(topic.partitions.iter().map(|leader| leader.owner))
        .map(with_id)
}

/// What the log needs of a topic's effective configuration.
fn partition_config(config: &TopicConfig, defaults: BrokerDefaults<'_>) -> PartitionConfig {
    let compression = match config.compression {
        Compression::Producer => None,
        Compression::Uncompressed => Some((batch::Compression::None, None)),
        Compression::Gzip(level) => Some((batch::Compression::Gzip, Some(level).filter(|level| *level >= 0))),
        Compression::Snappy => Some((batch::Compression::Snappy, None)),
        Compression::Lz4(level) => Some((batch::Compression::Lz4, Some(level))),
        Compression::Zstd(level) => Some((batch::Compression::Zstd, Some(level))),
    };
    let expiration = defaults.number("producer.id.expiration.ms").unwrap_or(86_400_000);
    PartitionConfig {
        rules: BatchRules {
            max_bytes: usize::try_from(config.max_message_bytes).unwrap_or(0),
            compacted: config.cleanup_policy.compact,
            compression,
            timestamp_type: match config.timestamp_type {
                TimestampType::CreateTime => batch::TimestampType::CreateTime,
                TimestampType::LogAppendTime => batch::TimestampType::LogAppendTime,
            },
            before_max_ms: config.timestamp_before_max_ms,
            after_max_ms: config.timestamp_after_max_ms,
            ..BatchRules::default()
        },
        retention_ms: config.retention_ms,
        retention_bytes: config.retention_bytes.and_then(|bytes| u64::try_from(bytes).ok()),
        deletes: config.cleanup_policy.delete,
        producer_expiration: Duration::from_millis(u64::try_from(expiration).unwrap_or(0)),
    }
}
