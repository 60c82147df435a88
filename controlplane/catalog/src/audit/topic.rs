//! The topic in which a cluster's own clients read its audit trail, if somebody has made it.
//!
//! Only brokers write it: the record at offset `n` is the row at position `n + 1`. So it has one partition, and what it does with its
//! records is pinned; how long they stay is its owner's to say.

use crate::commands::CommandError;
use crate::topic_config::ConfigMap;

/// Its name, the same in every cluster.
pub const AUDIT_TOPIC: &str = "__audit";

/// What may be said of it.
const OWN: [&str; 2] = ["retention.bytes", "retention.ms"];
/// What else counts is so, whatever the defaults of the broker and of the cluster are.
const PINNED: [(&str, &str); 6] = [
    ("cleanup.policy", "delete"),
    ("compression.type", "producer"),
    ("max.message.bytes", "104857600"),
    ("message.timestamp.after.max.ms", "9223372036854775807"),
    ("message.timestamp.before.max.ms", "9223372036854775807"),
    ("message.timestamp.type", "CreateTime"),
];

/// The configs that it gets with those that somebody has asked for.
pub(crate) fn pinned(asked: &ConfigMap) -> ConfigMap {
    let mut configs = asked.clone();
    for (key, value) in PINNED {
        configs.entry(key.to_owned()).or_insert_with(|| value.to_owned());
    }
    configs
}

/// Whether a topic is one that brokers write. One that a tenant called so before there were audit topics is its own.
pub(crate) fn is_audit_topic(name: &str, configs: &ConfigMap, partitions: usize) -> bool {
    name == AUDIT_TOPIC
        && partitions == 1
        && PINNED
            .iter()
            .all(|(key, value)| configs.get(*key).is_some_and(|found| found == value))
}

/// Refuses configs that it cannot have.
pub(crate) fn check_configs(configs: &ConfigMap) -> Result<(), CommandError> {
    for (key, value) in configs {
        let pinned = PINNED.iter().find(|(name, _)| name == key);
        let right = match pinned {
            Some((_, pinned)) => value == pinned,
            None => OWN.contains(&key.as_str()),
        };
        if !right {
            let reason = format!(
                "topic {AUDIT_TOPIC} has {} of its own and nothing else",
                OWN.join(" and ")
            );
            return Err(CommandError::InvalidConfig {
                key: key.clone(),
                reason,
            });
        }
    }
    match PINNED.iter().find(|(key, _)| !configs.contains_key(*key)) {
        None => Ok(()),
        Some((key, value)) => Err(CommandError::InvalidConfig {
            key: (*key).to_owned(),
            reason: format!("it is {value} for topic {AUDIT_TOPIC}"),
        }),
    }
}

/// A topic does not become one by what is set on it: what is in it already is no trail.
pub(crate) fn not_by_configs() -> CommandError {
    CommandError::InvalidConfig {
        key: PINNED[0].0.to_owned(),
        reason: format!(
            "with these configs {AUDIT_TOPIC} is a topic that the service makes; delete this one and create it"
        ),
    }
}

/// Refuses a number of partitions that it cannot have.
pub(crate) fn check_partitions(partitions: i32) -> Result<(), CommandError> {
    match partitions {
        1 => Ok(()),
        _ => Err(CommandError::InvalidPartitions {
            reason: format!("topic {AUDIT_TOPIC} has one partition"),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topic_config::validate_topic_configs;

    #[test]
    fn what_is_pinned_is_valid_and_nothing_but_retention_is_open() {
        let with = |pairs: &[(&str, &str)]| -> ConfigMap {
            let own = pairs
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
            pinned(&own.collect())
        };
        validate_topic_configs(&with(&[])).unwrap();
        check_configs(&with(&[("retention.ms", "-1"), ("retention.bytes", "1000")])).unwrap();
        for (key, value) in [
            ("cleanup.policy", "compact"),
            ("message.timestamp.type", "LogAppendTime"),
            ("max.message.bytes", "1000"),
            ("segment.bytes", "1000000"),
        ] {
            let refused = check_configs(&with(&[(key, value)])).unwrap_err();
            assert!(
                matches!(refused, CommandError::InvalidConfig { .. }),
                "{key}: {refused:?}"
            );
        }
        let mut less = with(&[]);
        less.remove("compression.type");
        check_configs(&less).unwrap_err();
        check_partitions(2).unwrap_err();
    }
}
