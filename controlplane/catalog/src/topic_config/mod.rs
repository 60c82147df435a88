//! The configuration that Kafka clients set and read: of topics, and of brokers.
//!
//! Two tables say everything about every key: [`TOPIC_KEYS`] and [`BROKER_KEYS`]. The effective value of a topic key is
//! the topic's override, else what the cluster's owner set for its brokers, else the broker's setting
//! (`--kafka-config`), else the default. Everything here is a pure function of those.
//!
//! Values are kept as the text that was given, since that is what a client reads back; [`TopicConfig`] is the
//! typed form.

mod alteration;
mod broker_keys;
mod description;
mod resolved;
mod settings;
#[cfg(test)]
mod tests;
mod topic_keys;
mod validation;

pub use alteration::{ConfigAlteration, ConfigOp, ConfigOpKind};
pub use broker_keys::BROKER_KEYS;
pub use description::{ConfigSource, ConfigSynonym, DescribedConfig, describe_brokers, describe_topic};
pub use resolved::{CleanupPolicy, Compression, TimestampType, TopicConfig};
pub use settings::{BrokerDefaults, KafkaSettings};
pub use topic_keys::TOPIC_KEYS;

use std::collections::BTreeMap;

/// Overrides by key.
pub type ConfigMap = BTreeMap<String, String>;

/// The type of a key's value, as DescribeConfigs reports it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConfigKind {
    /// `true` or `false`.
    Boolean,
    /// Text.
    String,
    /// A 32-bit number.
    Int,
    /// A 64-bit number.
    Long,
    /// A number with a fraction.
    Double,
    /// Texts, separated by commas.
    List,
}

/// Which values of its type a key accepts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ValidValues {
    /// All.
    Any,
    /// At least this.
    AtLeast(i64),
    /// From the first to the second, both included.
    Between(i64, i64),
    /// The first, or from the second to the third.
    ExactlyOrBetween(i64, i64, i64),
    /// A fraction from 0 to 1.
    Fraction,
    /// One of these, or for a list: each one of these, none twice.
    OneOf(&'static [&'static str]),
    /// `*`, or pairs `partition:broker`.
    ThrottledReplicas,
}

/// Whether a key does something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// Firn acts on it.
    Enforced,
    /// Accepted, kept and shown; Firn does not act on it.
    Reported,
}

/// The name of a broker setting that stands in for a topic key, and what its unit is in units of the topic key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BrokerName {
    /// The broker setting.
    pub name: &'static str,
    /// How many of the topic key's units one of the broker setting's is: 3,600,000 for hours of a key in ms.
    pub factor: i64,
}

/// One key of a topic's or a broker's configuration.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ConfigKey {
    /// Its name.
    pub name: &'static str,
    /// The type of its value.
    pub kind: ConfigKind,
    /// Its value if nobody sets it. `None`: no value (another key's applies).
    pub default: Option<&'static str>,
    /// The values it accepts.
    pub valid: ValidValues,
    /// Whether Firn acts on it.
    pub standing: Standing,
    /// For a topic key: the broker settings that stand in for it, most telling first.
    pub broker_names: &'static [BrokerName],
    /// For a broker key: whether AlterConfigs may change it while the broker runs.
    pub dynamic: bool,
    /// What it means, in one line.
    pub documentation: &'static str,
}

/// Why a configuration is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// There is no such key.
    #[error("unknown config '{key}'")]
    Unknown {
        /// The key.
        key: String,
    },
    /// The value does not do for the key.
    #[error("invalid value for config '{key}': {reason}")]
    Invalid {
        /// The key.
        key: String,
        /// Which values do.
        reason: String,
    },
    /// The request contradicts itself: a key named twice, a SET without a value.
    #[error("invalid change of config '{key}': {reason}")]
    Malformed {
        /// The key.
        key: String,
        /// What is wrong.
        reason: &'static str,
    },
}

impl ConfigKey {
    /// The topic key of that name.
    pub fn of_topic(name: &str) -> Option<&'static Self> {
        TOPIC_KEYS.iter().find(|key| key.name == name)
    }

    /// The broker key of that name.
    pub fn of_broker(name: &str) -> Option<&'static Self> {
        BROKER_KEYS.iter().find(|key| key.name == name)
    }
}

/// Checks a topic's overrides: every key is known, every value does, and they do together.
pub fn validate_topic_configs(overrides: &ConfigMap) -> Result<(), ConfigError> {
    for (name, value) in overrides {
        let key = ConfigKey::of_topic(name).ok_or_else(|| ConfigError::Unknown { key: name.clone() })?;
        key.validate(value)?;
    }
    validation::compaction_lags_fit(overrides)
}

/// Checks what a cluster's owner sets for its brokers: every key is known and may change, every value does.
pub fn validate_cluster_configs(overrides: &ConfigMap) -> Result<(), ConfigError> {
    for (name, value) in overrides {
        let key = ConfigKey::of_broker(name).ok_or_else(|| ConfigError::Unknown { key: name.clone() })?;
        if !key.dynamic {
            return Err(ConfigError::Malformed {
                key: name.clone(),
                reason: "this broker config cannot be changed while the broker runs",
            });
        }
        key.validate(value)?;
    }
    Ok(())
}
