use super::*;

fn map(pairs: &[(&str, &str)]) -> ConfigMap {
    pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

fn op(key: &str, kind: ConfigOpKind, value: Option<&str>) -> ConfigOp {
    ConfigOp {
        key: key.to_owned(),
        kind,
        value: value.map(str::to_owned),
    }
}

fn incremental(current: &ConfigMap, ops: Vec<ConfigOp>) -> Result<ConfigMap, ConfigError> {
    ConfigAlteration::Incremental(ops).apply(current, ConfigKey::of_topic)
}

#[test]
fn every_default_is_valid_and_every_broker_name_is_in_the_broker_table() {
    for table in [TOPIC_KEYS, BROKER_KEYS] {
        assert!(
            table.windows(2).all(|pair| pair[0].name < pair[1].name),
            "sorted, none twice"
        );
        for key in table {
            if let Some(default) = key.default {
                key.validate(default).unwrap();
            }
            for broker in key.broker_names {
                assert!(
                    ConfigKey::of_broker(broker.name).is_some(),
                    "{} of {}",
                    broker.name,
                    key.name
                );
            }
        }
    }
}

#[test]
fn a_topics_default_is_the_same_through_its_broker_names() {
    let settings = KafkaSettings::default();
    let cluster = ConfigMap::new();
    let defaults = BrokerDefaults {
        cluster: &cluster,
        settings: &settings,
    };
    for described in describe_topic(&ConfigMap::new(), defaults) {
        assert_eq!(
            described.value.as_deref(),
            described.key.default,
            "{}",
            described.key.name
        );
        assert_eq!(described.source, ConfigSource::Default);
    }
}

#[test]
fn an_override_wins_over_the_cluster_over_the_setting_over_the_default() {
    let settings = KafkaSettings::parse(["log.retention.hours=2", "message.max.bytes=500"]).unwrap();
    let none = ConfigMap::new();
    let only_settings = BrokerDefaults {
        cluster: &none,
        settings: &settings,
    };
    let resolved = TopicConfig::resolve(&none, only_settings);
    assert_eq!(
        (resolved.retention_ms, resolved.max_message_bytes),
        (Some(7_200_000), 500)
    );
    let cluster = map(&[("log.retention.ms", "9")]);
    let both = BrokerDefaults {
        cluster: &cluster,
        settings: &settings,
    };
    assert_eq!(TopicConfig::resolve(&none, both).retention_ms, Some(9));
    let overrides = map(&[("retention.ms", "-1")]);
    assert_eq!(TopicConfig::resolve(&overrides, both).retention_ms, None);
    let all = describe_topic(&overrides, both);
    let described = all
        .iter()
        .find(|described| described.key.name == "retention.ms")
        .unwrap();
    let synonyms: Vec<_> = described
        .synonyms
        .iter()
        .map(|s| (s.name, s.value.as_str(), s.source))
        .collect();
    assert_eq!(
        synonyms,
        [
            ("retention.ms", "-1", ConfigSource::Topic),
            ("log.retention.ms", "9", ConfigSource::Cluster),
            ("log.retention.hours", "2", ConfigSource::Broker),
            ("log.retention.hours", "168", ConfigSource::Default),
        ]
    );
}

#[test]
fn values_outside_a_keys_type_or_range_are_refused_by_name() {
    for (key, value) in [
        ("retention.ms", "-2"),
        ("retention.ms", "soon"),
        ("max.message.bytes", "104857601"),
        ("cleanup.policy", "delete,burn"),
        ("cleanup.policy", "delete,delete"),
        ("compression.type", "brotli"),
        ("compression.gzip.level", "0"),
        ("min.cleanable.dirty.ratio", "1.5"),
        ("preallocate", "maybe"),
        ("leader.replication.throttled.replicas", "1:x"),
    ] {
        let error = validate_topic_configs(&map(&[(key, value)])).unwrap_err();
        assert!(
            matches!(&error, ConfigError::Invalid { key: named, .. } if named == key),
            "{error}"
        );
    }
    assert_eq!(
        validate_topic_configs(&map(&[("no.such", "1")])),
        Err(ConfigError::Unknown {
            key: "no.such".to_owned()
        })
    );
    assert!(
        validate_topic_configs(&map(&[
            ("min.compaction.lag.ms", "5"),
            ("max.compaction.lag.ms", "4")
        ]))
        .is_err()
    );
    validate_topic_configs(&map(&[
        ("cleanup.policy", "compact, delete"),
        ("retention.bytes", "-1"),
    ]))
    .unwrap();
}

#[test]
fn lists_are_appended_to_their_default_and_subtracted_from() {
    let appended = incremental(
        &ConfigMap::new(),
        vec![op("cleanup.policy", ConfigOpKind::Append, Some("compact"))],
    )
    .unwrap();
    assert_eq!(appended, map(&[("cleanup.policy", "delete,compact")]));
    let subtracted = incremental(
        &appended,
        vec![op("cleanup.policy", ConfigOpKind::Subtract, Some("delete"))],
    )
    .unwrap();
    assert_eq!(subtracted, map(&[("cleanup.policy", "compact")]));
    let deleted = incremental(
        &subtracted,
        vec![op("cleanup.policy", ConfigOpKind::Delete, None)],
    )
    .unwrap();
    assert_eq!(deleted, ConfigMap::new());
}

#[test]
fn a_value_that_is_too_long_is_refused_however_it_came_about() {
    let numbers = |range: std::ops::Range<u32>| {
        let pairs: Vec<_> = range.map(|number| format!("{number}:1")).collect();
        pairs.join(",")
    };
    let name = "leader.replication.throttled.replicas";
    let half = map(&[(name, &numbers(10_000..12_000))]);
    validate_topic_configs(&half).unwrap();
    let more = numbers(11_000..15_000);
    let append = vec![op(name, ConfigOpKind::Append, Some(&more))];
    let both = incremental(&half, append).unwrap();
    assert_eq!(both, map(&[(name, &numbers(10_000..15_000))]));
    let error = validate_topic_configs(&both).unwrap_err().to_string();
    assert!(
        error.ends_with("exceeds the maximum value size of 32767 bytes"),
        "{error}"
    );
    let subtract = vec![op(name, ConfigOpKind::Subtract, Some(&more))];
    let less = incremental(&both, subtract).unwrap();
    assert_eq!(less, map(&[(name, &numbers(10_000..11_000))]));
}

#[test]
fn a_long_list_costs_no_more_than_its_length() {
    // With a comparison of each with each this takes hours.
    let pairs: Vec<_> = (0..1_000_000).map(|number| format!("{number}:1")).collect();
    let name = "leader.replication.throttled.replicas";
    let append = vec![op(name, ConfigOpKind::Append, Some(&pairs.join(",")))];
    let appended = incremental(&ConfigMap::new(), append).unwrap();
    let subtract = vec![op(name, ConfigOpKind::Subtract, Some(&pairs.join(",")))];
    let subtracted = incremental(&appended, subtract).unwrap();
    assert_eq!(subtracted, map(&[(name, "")]));
}

#[test]
fn contradictory_changes_are_malformed_and_impossible_ones_invalid() {
    let none = ConfigMap::new();
    let twice = vec![
        op("retention.ms", ConfigOpKind::Set, Some("1")),
        op("retention.ms", ConfigOpKind::Delete, None),
    ];
    assert!(matches!(
        incremental(&none, twice),
        Err(ConfigError::Malformed { .. })
    ));
    let null = vec![op("retention.ms", ConfigOpKind::Set, None)];
    assert!(matches!(
        incremental(&none, null),
        Err(ConfigError::Malformed { .. })
    ));
    let number = vec![op("retention.ms", ConfigOpKind::Append, Some("1"))];
    assert!(matches!(
        incremental(&none, number),
        Err(ConfigError::Invalid { .. })
    ));
    let unknown = vec![op("no.such", ConfigOpKind::Delete, None)];
    assert!(matches!(
        incremental(&none, unknown),
        Err(ConfigError::Unknown { .. })
    ));
}

#[test]
fn an_unknown_setting_is_refused_by_name() {
    assert_eq!(
        KafkaSettings::parse(["no.such.setting=1"]),
        Err(ConfigError::Unknown {
            key: "no.such.setting".to_owned()
        })
    );
    assert!(matches!(
        KafkaSettings::parse(["num.partitions"]),
        Err(ConfigError::Malformed { .. })
    ));
    assert!(matches!(
        KafkaSettings::parse(["num.partitions=0"]),
        Err(ConfigError::Invalid { .. })
    ));
}

#[test]
fn a_cluster_may_change_only_what_may_change_while_a_broker_runs() {
    validate_cluster_configs(&map(&[("log.retention.ms", "1000")])).unwrap();
    assert!(validate_cluster_configs(&map(&[("socket.request.max.bytes", "1000")])).is_err());
}
