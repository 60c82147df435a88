//! A topic's effective configuration as types.

use super::description::describe_topic_key;
use super::validation::list_elements;
use super::{BrokerDefaults, ConfigKey, ConfigMap};

/// What happens to old records. Neither: they stay for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CleanupPolicy {
    /// Records past the retention time or size go.
    pub delete: bool,
    /// Of each key the latest record stays.
    pub compact: bool,
}

/// How batches are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// As the producer sent them.
    Producer,
    /// Uncompressed.
    Uncompressed,
    /// gzip with this level; -1 is the codec's own default.
    Gzip(i32),
    /// Snappy.
    Snappy,
    /// LZ4 with this level.
    Lz4(i32),
    /// Zstandard with this level.
    Zstd(i32),
}

/// Whose clock a record's timestamp is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimestampType {
    /// The producer's.
    CreateTime,
    /// The broker's, when it appends.
    LogAppendTime,
}

/// A topic's effective configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct TopicConfig {
    /// What happens to old records.
    pub cleanup_policy: CleanupPolicy,
    /// Milliseconds a record stays; `None` is for ever.
    pub retention_ms: Option<i64>,
    /// Bytes a partition keeps; `None` is without limit.
    pub retention_bytes: Option<i64>,
    /// The largest batch that is accepted, in bytes, as sent.
    pub max_message_bytes: i32,
    /// How batches are stored.
    pub compression: Compression,
    /// Whose clock timestamps are from.
    pub timestamp_type: TimestampType,
    /// How many milliseconds before the broker's clock a CreateTime may lie.
    pub timestamp_before_max_ms: i64,
    /// How many milliseconds after the broker's clock a CreateTime may lie.
    pub timestamp_after_max_ms: i64,
    /// Milliseconds before a record may be compacted.
    pub min_compaction_lag_ms: i64,
    /// Milliseconds after which a record must have been compacted.
    pub max_compaction_lag_ms: i64,
    /// Milliseconds a tombstone stays after compaction.
    pub delete_retention_ms: i64,
    /// The share of uncompacted bytes from which compaction is worth its while.
    pub min_cleanable_dirty_ratio: f64,
    /// Bytes after which a segment is closed.
    pub segment_bytes: i32,
    /// Milliseconds after which a segment is closed.
    pub segment_ms: i64,
}

/// Looks up the effective text of topic keys.
struct Lookup<'a> {
    overrides: &'a ConfigMap,
    defaults: BrokerDefaults<'a>,
}

impl Lookup<'_> {
    fn text(&self, name: &str) -> String {
        let key = ConfigKey::of_topic(name).expect("the callers below name keys of the table");
        let described = describe_topic_key(key, self.overrides, self.defaults);
        described.value.unwrap_or_default().trim().to_owned()
    }

    /// The stored text parsed; where it does not parse (checked when it was set), the key's default.
    fn parsed<T: std::str::FromStr + Default>(&self, name: &str) -> T {
        let default = || {
            ConfigKey::of_topic(name)
                .and_then(|key| key.default)
                .and_then(|text| text.parse().ok())
        };
        self.text(name).parse().ok().or_else(default).unwrap_or_default()
    }

    fn limit(&self, name: &str) -> Option<i64> {
        Some(self.parsed::<i64>(name)).filter(|limit| *limit >= 0)
    }

    fn compression(&self) -> Compression {
        match self.text("compression.type").as_str() {
            "uncompressed" => Compression::Uncompressed,
            "gzip" => Compression::Gzip(self.parsed("compression.gzip.level")),
            "snappy" => Compression::Snappy,
            "lz4" => Compression::Lz4(self.parsed("compression.lz4.level")),
            "zstd" => Compression::Zstd(self.parsed("compression.zstd.level")),
            _ => Compression::Producer,
        }
    }
}

impl TopicConfig {
    /// The effective configuration of a topic with these overrides.
    pub fn resolve(overrides: &ConfigMap, defaults: BrokerDefaults<'_>) -> Self {
        let lookup = Lookup { overrides, defaults };
        let policy = lookup.text("cleanup.policy");
        let policies = list_elements(&policy);
        Self {
            cleanup_policy: CleanupPolicy {
                delete: policies.contains(&"delete"),
                compact: policies.contains(&"compact"),
            },
            retention_ms: lookup.limit("retention.ms"),
            retention_bytes: lookup.limit("retention.bytes"),
            max_message_bytes: lookup.parsed("max.message.bytes"),
            compression: lookup.compression(),
            timestamp_type: match lookup.text("message.timestamp.type").as_str() {
                "LogAppendTime" => TimestampType::LogAppendTime,
                _ => TimestampType::CreateTime,
            },
            timestamp_before_max_ms: lookup.parsed("message.timestamp.before.max.ms"),
            timestamp_after_max_ms: lookup.parsed("message.timestamp.after.max.ms"),
            min_compaction_lag_ms: lookup.parsed("min.compaction.lag.ms"),
            max_compaction_lag_ms: lookup.parsed("max.compaction.lag.ms"),
            delete_retention_ms: lookup.parsed("delete.retention.ms"),
            min_cleanable_dirty_ratio: lookup.parsed("min.cleanable.dirty.ratio"),
            segment_bytes: lookup.parsed("segment.bytes"),
            segment_ms: lookup.parsed("segment.ms"),
        }
    }
}
