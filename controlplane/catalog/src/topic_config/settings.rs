//! The broker's settings, given with `--kafka-config KEY=VALUE` or in the `[kafka]` table.

use super::{ConfigError, ConfigKey, ConfigMap, ConfigSource};

/// The Kafka broker settings of a process. Only known keys with valid values get in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KafkaSettings(ConfigMap);

impl KafkaSettings {
    /// Settings from key and value pairs; of a key given twice the last counts. An unknown key, or a value that does not do, is
    /// refused by name.
    pub fn new<K: Into<String>, V: Into<String>>(
        pairs: impl IntoIterator<Item = (K, V)>,
    ) -> Result<Self, ConfigError> {
        let mut settings = ConfigMap::new();
        for (name, value) in pairs {
            let (name, value) = (name.into(), value.into());
            let key =
                ConfigKey::of_broker(&name).ok_or_else(|| ConfigError::Unknown { key: name.clone() })?;
            key.validate(&value)?;
            settings.insert(name, value);
        }
        Ok(Self(settings))
    }

    /// Settings from texts `KEY=VALUE`.
    pub fn parse<'a>(pairs: impl IntoIterator<Item = &'a str>) -> Result<Self, ConfigError> {
        let mut split = Vec::new();
        for pair in pairs {
            let (name, value) = pair.split_once('=').ok_or_else(|| ConfigError::Malformed {
                key: pair.to_owned(),
                reason: "a Kafka setting is written KEY=VALUE",
            })?;
            split.push((name.trim(), value.trim()));
        }
        Self::new(split)
    }

    /// What was set.
    pub fn explicit(&self) -> &ConfigMap {
        &self.0
    }
}

/// What stands behind a cluster's topics: its owner's dynamic broker configs and the broker's settings.
#[derive(Clone, Copy, Debug)]
pub struct BrokerDefaults<'a> {
    /// Set by AlterConfigs on a broker resource, for one cluster.
    pub cluster: &'a ConfigMap,
    /// Set for the process.
    pub settings: &'a KafkaSettings,
}

impl BrokerDefaults<'_> {
    /// The explicit value of a broker key and where it comes from.
    pub(super) fn explicit(&self, name: &str) -> Option<(&str, ConfigSource)> {
        let dynamic = self
            .cluster
            .get(name)
            .map(|value| (value.as_str(), ConfigSource::Cluster));
        dynamic.or_else(|| {
            self.settings
                .0
                .get(name)
                .map(|value| (value.as_str(), ConfigSource::Broker))
        })
    }

    /// The effective value of a broker key; `None` if the key is unknown or has no value.
    pub fn value(&self, name: &str) -> Option<&str> {
        match self.explicit(name) {
            Some((value, _)) => Some(value.trim()),
            None => ConfigKey::of_broker(name).and_then(|key| key.default),
        }
    }

    /// The effective value of a numeric broker key.
    pub fn number(&self, name: &str) -> Option<i64> {
        self.value(name).and_then(|value| value.parse().ok())
    }

    /// The effective value of a boolean broker key; false if the key is unknown.
    pub fn flag(&self, name: &str) -> bool {
        self.value(name)
            .is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }
}
