//! Changing configs.

use firn_catalog::commands::{AlterClusterConfigs, AlterTopicConfigs, CommandError, TopicRef};
use firn_catalog::topic_config::{ConfigAlteration, ConfigOp, ConfigOpKind};

use super::configs;
use crate::cell::{Cell, Sql};

fn set(key: &str, value: &str) -> ConfigOp {
    ConfigOp {
        key: key.to_owned(),
        kind: ConfigOpKind::Set,
        value: Some(value.to_owned()),
    }
}

fn alter_topic(sql: &Sql, alteration: ConfigAlteration) -> AlterTopicConfigs {
    let topic = TopicRef::Name("t".to_owned());
    AlterTopicConfigs {
        cluster: sql.cluster,
        topic,
        alteration,
        validate_only: false,
    }
}

fn alter_cluster(sql: &Sql, alteration: ConfigAlteration) -> AlterClusterConfigs {
    AlterClusterConfigs {
        cluster: sql.cluster,
        alteration,
        validate_only: false,
    }
}

pub async fn configs_of_a_topic_change_key_by_key_or_as_a_whole(cell: &Cell) {
    let sql = cell.sql();
    cell.open(1).await;
    sql.catalog
        .create_topic(&sql.actor, sql.new_topic("t", 1))
        .await
        .unwrap();
    let apply = async |alteration| {
        sql.catalog
            .alter_topic_configs(&sql.actor, alter_topic(sql, alteration))
            .await
    };
    let ops = vec![set("retention.ms", "10"), set("segment.ms", "20")];
    let changed = apply(ConfigAlteration::Incremental(ops.clone())).await.unwrap();
    assert_eq!(
        changed.value.configs,
        configs(&[("retention.ms", "10"), ("segment.ms", "20")])
    );
    assert!(changed.sequence.is_some());
    assert_eq!(
        apply(ConfigAlteration::Incremental(ops)).await.unwrap().sequence,
        None,
        "nothing to do"
    );
    let half = vec![set("retention.ms", "11"), set("segment.ms", "never")];
    let error = apply(ConfigAlteration::Incremental(half)).await.unwrap_err();
    assert!(matches!(error, CommandError::InvalidConfig { key, .. } if key == "segment.ms"));
    let twice = vec![set("retention.ms", "1"), set("retention.ms", "2")];
    let error = apply(ConfigAlteration::Incremental(twice)).await.unwrap_err();
    assert!(matches!(error, CommandError::MalformedConfigChange { .. }));
    let all = vec![("cleanup.policy".to_owned(), Some("compact".to_owned()))];
    let replaced = apply(ConfigAlteration::Replace(all)).await.unwrap();
    assert_eq!(replaced.value.configs, configs(&[("cleanup.policy", "compact")]));
    let none = AlterTopicConfigs {
        validate_only: true,
        ..alter_topic(sql, ConfigAlteration::Replace(vec![]))
    };
    let checked = sql.catalog.alter_topic_configs(&sql.actor, none).await.unwrap();
    assert_eq!((checked.sequence, checked.value.configs), (None, configs(&[])));
    let again = apply(ConfigAlteration::Incremental(vec![])).await.unwrap();
    assert_eq!(
        again.value.configs,
        configs(&[("cleanup.policy", "compact")]),
        "the check changed nothing"
    );
}

pub async fn configs_of_a_cluster_change_where_a_running_broker_allows(cell: &Cell) {
    let sql = cell.sql();
    let apply = async |alteration| {
        sql.catalog
            .alter_cluster_configs(&sql.actor, alter_cluster(sql, alteration))
            .await
    };
    let changed = apply(ConfigAlteration::Incremental(vec![set("log.retention.ms", "10")]))
        .await
        .unwrap();
    assert_eq!(changed.value, configs(&[("log.retention.ms", "10")]));
    assert!(changed.sequence.is_some());
    let fixed = apply(ConfigAlteration::Incremental(vec![set(
        "socket.request.max.bytes",
        "10",
    )]))
    .await;
    assert!(matches!(fixed, Err(CommandError::MalformedConfigChange { .. })));
    let unknown = apply(ConfigAlteration::Incremental(vec![set("no.such", "10")])).await;
    assert_eq!(
        unknown,
        Err(CommandError::UnknownConfig {
            key: "no.such".to_owned()
        })
    );
}
