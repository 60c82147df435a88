//! Every key of a topic's configuration, in alphabetical order.
//!
//! A table: defaults, ranges and broker names are those of Apache Kafka's `TopicConfig` and `LogConfig`.

use super::ConfigKind::{Boolean, Double, Int, List, Long, String};
use super::Standing::{Enforced, Reported};
use super::ValidValues::{Any, AtLeast, Between, ExactlyOrBetween, Fraction, OneOf, ThrottledReplicas};
use super::{BrokerName, ConfigKey, ConfigKind, Standing, ValidValues};

const fn same(name: &'static str) -> BrokerName {
    BrokerName { name, factor: 1 }
}

const fn minutes(name: &'static str) -> BrokerName {
    BrokerName { name, factor: 60_000 }
}

const fn hours(name: &'static str) -> BrokerName {
    BrokerName {
        name,
        factor: 3_600_000,
    }
}

const fn key(
    name: &'static str,
    kind: ConfigKind,
    default: &'static str,
    valid: ValidValues,
    standing: Standing,
    broker_names: &'static [BrokerName],
    documentation: &'static str,
) -> ConfigKey {
    ConfigKey {
        name,
        kind,
        default: Some(default),
        valid,
        standing,
        broker_names,
        dynamic: true,
        documentation,
    }
}

/// Every key of a topic's configuration.
#[rustfmt::skip]
pub static TOPIC_KEYS: &[ConfigKey] = &[
    key("cleanup.policy", List, "delete", OneOf(&["compact", "delete"]), Enforced, &[same("log.cleanup.policy")],
        "What happens to old records: delete, compact, or both."),
    key("compression.gzip.level", Int, "-1", ExactlyOrBetween(-1, 1, 9), Enforced, &[same("compression.gzip.level")],
        "The gzip level where compression.type is gzip; -1 is the codec's default."),
    key("compression.lz4.level", Int, "9", Between(1, 17), Enforced, &[same("compression.lz4.level")],
        "The LZ4 level where compression.type is lz4."),
    key("compression.type", String, "producer", OneOf(&["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"]), Enforced, &[same("compression.type")],
        "How batches are stored; producer keeps them as they were sent."),
    key("compression.zstd.level", Int, "3", Between(-131_072, 22), Enforced, &[same("compression.zstd.level")],
        "The Zstandard level where compression.type is zstd."),
    key("delete.retention.ms", Long, "86400000", AtLeast(0), Reported, &[same("log.cleaner.delete.retention.ms")],
        "Milliseconds that a tombstone stays in a compacted topic."),
    key("file.delete.delay.ms", Long, "60000", AtLeast(0), Reported, &[same("log.segment.delete.delay.ms")],
        "Milliseconds before a file is removed from a file system."),
    key("flush.messages", Long, "9223372036854775807", AtLeast(1), Reported, &[same("log.flush.interval.messages")],
        "Records between forced writes; every acknowledged record is durable here."),
    key("flush.ms", Long, "9223372036854775807", AtLeast(0), Reported, &[same("log.flush.interval.ms"), same("log.flush.scheduler.interval.ms")],
        "Milliseconds between forced writes; every acknowledged record is durable here."),
    key("follower.replication.throttled.replicas", List, "", ThrottledReplicas, Reported, &[],
        "Replicas whose followers are throttled; there are no followers here."),
    key("index.interval.bytes", Int, "4096", AtLeast(0), Reported, &[same("log.index.interval.bytes")],
        "Bytes between entries of an offset index."),
    key("leader.replication.throttled.replicas", List, "", ThrottledReplicas, Reported, &[],
        "Replicas whose leaders are throttled; there are no followers here."),
    key("local.retention.bytes", Long, "-2", AtLeast(-2), Reported, &[same("log.local.retention.bytes")],
        "Bytes kept on local disks; -2 follows retention.bytes."),
    key("local.retention.ms", Long, "-2", AtLeast(-2), Reported, &[same("log.local.retention.ms")],
        "Milliseconds kept on local disks; -2 follows retention.ms."),
    key("max.compaction.lag.ms", Long, "9223372036854775807", AtLeast(1), Reported, &[same("log.cleaner.max.compaction.lag.ms")],
        "Milliseconds after which a record must have been compacted."),
    key("max.message.bytes", Int, "1048588", Between(0, 104_857_600), Enforced, &[same("message.max.bytes")],
        "The largest batch that is accepted, in bytes, as sent."),
    key("message.timestamp.after.max.ms", Long, "3600000", AtLeast(0), Enforced, &[same("log.message.timestamp.after.max.ms")],
        "Milliseconds that a record's timestamp may lie after the broker's clock."),
    key("message.timestamp.before.max.ms", Long, "9223372036854775807", AtLeast(0), Enforced, &[same("log.message.timestamp.before.max.ms")],
        "Milliseconds that a record's timestamp may lie before the broker's clock."),
    key("message.timestamp.type", String, "CreateTime", OneOf(&["CreateTime", "LogAppendTime"]), Enforced, &[same("log.message.timestamp.type")],
        "Whose clock timestamps are from: the producer's or the broker's."),
    key("min.cleanable.dirty.ratio", Double, "0.5", Fraction, Reported, &[same("log.cleaner.min.cleanable.ratio")],
        "The share of uncompacted bytes from which a log is compacted."),
    key("min.compaction.lag.ms", Long, "0", AtLeast(0), Reported, &[same("log.cleaner.min.compaction.lag.ms")],
        "Milliseconds before a record may be compacted."),
    key("min.insync.replicas", Int, "1", AtLeast(1), Reported, &[same("min.insync.replicas")],
        "Replicas that must have a record; durability is the object store's here."),
    key("preallocate", Boolean, "false", Any, Reported, &[same("log.preallocate")],
        "Whether files are created at full size."),
    key("remote.log.copy.disable", Boolean, "false", Any, Reported, &[],
        "Whether copying to remote storage stops."),
    key("remote.log.delete.on.disable", Boolean, "false", Any, Reported, &[],
        "Whether remote data goes when remote storage is turned off."),
    key("remote.storage.enable", Boolean, "false", Any, Reported, &[],
        "Whether remote storage is used; it always is here."),
    key("retention.bytes", Long, "-1", AtLeast(-1), Enforced, &[same("log.retention.bytes")],
        "Bytes that a partition keeps; -1 is without limit."),
    key("retention.ms", Long, "604800000", AtLeast(-1), Enforced, &[same("log.retention.ms"), minutes("log.retention.minutes"), hours("log.retention.hours")],
        "Milliseconds that records stay; -1 is for ever."),
    key("segment.bytes", Int, "1073741824", AtLeast(1_048_576), Reported, &[same("log.segment.bytes")],
        "Bytes after which a segment is closed."),
    key("segment.index.bytes", Int, "10485760", AtLeast(4), Reported, &[same("log.index.size.max.bytes")],
        "The size of an offset index."),
    key("segment.jitter.ms", Long, "0", AtLeast(0), Reported, &[same("log.roll.jitter.ms"), hours("log.roll.jitter.hours")],
        "Random milliseconds taken off segment.ms."),
    key("segment.ms", Long, "604800000", AtLeast(1), Reported, &[same("log.roll.ms"), hours("log.roll.hours")],
        "Milliseconds after which a segment is closed."),
    key("unclean.leader.election.enable", Boolean, "false", Any, Reported, &[same("unclean.leader.election.enable")],
        "Whether a replica that lacks records may lead; there is none here."),
];
