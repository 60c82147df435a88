//! What DescribeConfigs tells: every key with its value, where that comes from, and what would apply without it.

use super::{BROKER_KEYS, BrokerDefaults, ConfigKey, ConfigMap, TOPIC_KEYS};

/// Where a value comes from, most telling first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConfigSource {
    /// The topic's own override.
    Topic,
    /// The cluster's owner, by AlterConfigs on a broker resource.
    Cluster,
    /// The process's settings.
    Broker,
    /// Nobody set it.
    Default,
}

/// A value that applies, or would if those before it were not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigSynonym {
    /// The key under which the value is set.
    pub name: &'static str,
    /// The value, in that key's unit.
    pub value: String,
    /// Where it comes from.
    pub source: ConfigSource,
}

/// A key with its effective value.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribedConfig {
    /// The key.
    pub key: &'static ConfigKey,
    /// The effective value, in the key's unit. `None`: it has none.
    pub value: Option<String>,
    /// Where it comes from.
    pub source: ConfigSource,
    /// All values that were found on the way, the effective one first.
    pub synonyms: Vec<ConfigSynonym>,
}

/// Every topic key, in the table's order.
pub fn describe_topic(overrides: &ConfigMap, defaults: BrokerDefaults<'_>) -> Vec<DescribedConfig> {
    TOPIC_KEYS
        .iter()
        .map(|key| describe_topic_key(key, overrides, defaults))
        .collect()
}

/// One topic key.
pub(super) fn describe_topic_key(
    key: &'static ConfigKey,
    overrides: &ConfigMap,
    defaults: BrokerDefaults<'_>,
) -> DescribedConfig {
    let mut found: Vec<(ConfigSynonym, i64)> = Vec::new();
    if let Some(value) = overrides.get(key.name) {
        found.push((synonym(key.name, value, ConfigSource::Topic), 1));
    }
    for source in [ConfigSource::Cluster, ConfigSource::Broker] {
        let values = match source {
            ConfigSource::Cluster => defaults.cluster,
            ConfigSource::Broker | ConfigSource::Topic | ConfigSource::Default => {
                defaults.settings.explicit()
            }
        };
        for broker in key.broker_names {
            if let Some(value) = values.get(broker.name) {
                found.push((synonym(broker.name, value, source), broker.factor));
            }
        }
    }
    for broker in key.broker_names {
        if let Some(value) = ConfigKey::of_broker(broker.name).and_then(|key| key.default) {
            found.push((synonym(broker.name, value, ConfigSource::Default), broker.factor));
        }
    }
    let (value, source) = match found.first() {
        Some((first, factor)) => (Some(in_unit(&first.value, *factor)), first.source),
        None => (key.default.map(str::to_owned), ConfigSource::Default),
    };
    DescribedConfig {
        key,
        value,
        source,
        synonyms: found.into_iter().map(|(synonym, _)| synonym).collect(),
    }
}

/// Every broker key, in the table's order.
pub fn describe_brokers(defaults: BrokerDefaults<'_>) -> Vec<DescribedConfig> {
    let describe = |key: &'static ConfigKey| {
        let mut synonyms = Vec::new();
        if let Some(value) = defaults.cluster.get(key.name) {
            synonyms.push(synonym(key.name, value, ConfigSource::Cluster));
        }
        if let Some(value) = defaults.settings.explicit().get(key.name) {
            synonyms.push(synonym(key.name, value, ConfigSource::Broker));
        }
        if let Some(value) = key.default {
            synonyms.push(synonym(key.name, value, ConfigSource::Default));
        }
        let first = synonyms.first();
        let value = first.map(|first| first.value.clone());
        let source = first.map_or(ConfigSource::Default, |first| first.source);
        DescribedConfig {
            key,
            value,
            source,
            synonyms,
        }
    };
    BROKER_KEYS.iter().map(describe).collect()
}

fn synonym(name: &'static str, value: &str, source: ConfigSource) -> ConfigSynonym {
    ConfigSynonym {
        name,
        value: value.trim().to_owned(),
        source,
    }
}

/// A value in the topic key's unit; a negative number means "none" in every unit.
fn in_unit(value: &str, factor: i64) -> String {
    match value.parse::<i64>() {
        Ok(number) if factor != 1 && number >= 0 => number.saturating_mul(factor).to_string(),
        _ => value.to_owned(),
    }
}
