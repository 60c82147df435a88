//! What every command tells: one audit row and its feed rows, in one transaction; nothing when it is refused.

use firn_catalog::commands::{
    Actor, AlterClusterConfigs, AlterTopicConfigs, CommandError, CreatePartitions, CreateTopic, DeleteTopic,
    Principal, TopicRef,
};
use firn_catalog::entities::Topic;
use firn_catalog::feed::{Assignment, Change};
use firn_catalog::ids::{ClusterId, FeedSequence, IncarnationId, TopicId};
use firn_catalog::topic_config::{ConfigAlteration, ConfigOp, ConfigOpKind};
use sqlx::{AnyConnection, Connection};

use super::{configs, execute, number};
use crate::cell::{Cell, Sql};

/// A command. The order is one in which all of them have something to do to one topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Command {
    Create,
    AlterTopic,
    AlterCluster,
    Widen,
    Delete,
}

const ALL: [Command; 5] = [
    Command::Create,
    Command::AlterTopic,
    Command::AlterCluster,
    Command::Widen,
    Command::Delete,
];

/// What a command is about.
#[derive(Clone)]
struct About {
    cluster: ClusterId,
    topic: TopicRef,
    /// The number of partitions of a topic that is made or widened.
    partitions: i32,
    config: (&'static str, &'static str),
    validate_only: bool,
}

impl About {
    fn topic(cluster: ClusterId, name: &str) -> Self {
        Self {
            cluster,
            topic: TopicRef::Name(name.to_owned()),
            partitions: 2,
            config: ("retention.ms", "5"),
            validate_only: false,
        }
    }

    /// Its alteration, by the key that topics, or clusters, have.
    fn alteration(&self, of_cluster: bool) -> ConfigAlteration {
        let (key, value) = match self.config {
            ("retention.ms", value) if of_cluster => ("log.retention.ms", value),
            config => config,
        };
        ConfigAlteration::Incremental(vec![ConfigOp {
            key: key.to_owned(),
            kind: ConfigOpKind::Set,
            value: Some(value.to_owned()),
        }])
    }

    fn name(&self) -> String {
        match &self.topic {
            TopicRef::Name(name) => name.clone(),
            TopicRef::Id(id) => id.to_string(),
        }
    }
}

impl Command {
    /// Runs it; the topic that it gives, if it gives one, and its place in the feed.
    async fn run(
        self,
        sql: &Sql,
        actor: &Actor,
        about: &About,
    ) -> Result<(Option<Topic>, Option<FeedSequence>), CommandError> {
        let (cluster, topic, validate_only) = (about.cluster, about.topic.clone(), about.validate_only);
        let committed = match self {
            Self::Create => {
                let command = CreateTopic {
                    cluster,
                    name: about.name(),
                    partitions: about.partitions,
                    configs: configs(&[]),
                    validate_only,
                };
                sql.catalog.create_topic(actor, command).await?
            }
            Self::AlterTopic => {
                let alteration = about.alteration(false);
                let command = AlterTopicConfigs {
                    cluster,
                    topic,
                    alteration,
                    validate_only,
                };
                sql.catalog.alter_topic_configs(actor, command).await?
            }
            Self::AlterCluster => {
                let alteration = about.alteration(true);
                let command = AlterClusterConfigs {
                    cluster,
                    alteration,
                    validate_only,
                };
                let committed = sql.catalog.alter_cluster_configs(actor, command).await?;
                return Ok((None, committed.sequence));
            }
            Self::Widen => {
                let command = CreatePartitions {
                    cluster,
                    topic,
                    total: about.partitions,
                    validate_only,
                };
                sql.catalog.create_partitions(actor, command).await?
            }
            Self::Delete => {
                let command = DeleteTopic { cluster, topic };
                sql.catalog.delete_topic(actor, command).await?
            }
        };
        Ok((Some(committed.value), committed.sequence))
    }

    fn action(self) -> &'static str {
        match self {
            Self::Create => "create_topic",
            Self::AlterTopic => "alter_topic_configs",
            Self::AlterCluster => "alter_cluster_configs",
            Self::Widen => "create_partitions",
            Self::Delete => "delete_topic",
        }
    }
}

/// An audit row: sequence, principal, request, cluster, action, subject.
type Audited = (i64, String, String, String, String, String);

/// All that the catalog has told, oldest first.
#[derive(Debug, PartialEq)]
struct Told {
    audit: Vec<Audited>,
    feed: Vec<(i64, String)>,
    head: i64,
}

impl Told {
    async fn read(sql: &Sql) -> Self {
        let mut connection = AnyConnection::connect(&sql.url).await.unwrap();
        let audit =
            "SELECT sequence, principal, request, cluster, action, subject FROM cell_audit ORDER BY sequence";
        let feed = "SELECT sequence, change FROM cell_feed ORDER BY sequence";
        Self {
            audit: sqlx::query_as(audit).fetch_all(&mut connection).await.unwrap(),
            feed: sqlx::query_as(feed).fetch_all(&mut connection).await.unwrap(),
            head: number(sql, "SELECT head FROM cell_feed_head").await,
        }
    }
}

/// What the command's one feed row must say. `topic`: as the command gave it.
fn expected_change(command: Command, about: &About, topic: Option<Topic>, owner: IncarnationId) -> Change {
    let owners = Assignment {
        owners: vec![owner],
        partitions: vec![0; 2],
    };
    match (command, topic) {
        (Command::AlterCluster, None) => Change::ClusterConfigsChanged {
            cluster: about.cluster,
            configs: configs(&[("log.retention.ms", "5")]),
        },
        (Command::Create, Some(topic)) => Change::TopicCreated { topic, owners },
        (Command::AlterTopic, Some(topic)) => Change::TopicConfigsChanged {
            topic: topic.id,
            configs: configs(&[("retention.ms", "5")]),
        },
        (Command::Widen, Some(topic)) => Change::PartitionsAdded {
            topic: topic.id,
            owners,
        },
        (Command::Delete, Some(topic)) => Change::TopicDeleted { topic: topic.id },
        (command, topic) => panic!("{command:?} gives {topic:?}"),
    }
}

pub async fn every_command_tells_one_audit_row_and_its_feed_row(cell: &Cell) {
    let sql = cell.sql();
    let made: Audited = (
        1,
        "User:ANONYMOUS".to_owned(),
        "firn dev".to_owned(),
        sql.cluster.to_string(),
        "create_cluster".to_owned(),
        "dev".to_owned(),
    );
    assert_eq!(Told::read(sql).await.audit, [made], "making the cluster");
    let owner = cell.open(1).await;
    for command in ALL {
        let partitions = if command == Command::Widen { 4 } else { 2 };
        let about = About {
            partitions,
            ..About::topic(sql.cluster, "t")
        };
        let before = Told::read(sql).await;
        let actor = Actor {
            request_id: format!("request of {command:?}"),
            ..sql.actor.clone()
        };
        let (topic, sequence) = command.run(sql, &actor, &about).await.unwrap();
        let after = Told::read(sql).await;
        let next = before.head + 1;
        assert_eq!(sequence, Some(FeedSequence(next)), "{command:?}");
        let subject = match command {
            Command::AlterCluster => sql.cluster.public(),
            _ => "t".to_owned(),
        };
        let row: Audited = (
            next,
            "User:ANONYMOUS".to_owned(),
            actor.request_id,
            sql.cluster.to_string(),
            command.action().to_owned(),
            subject,
        );
        assert_eq!(after.audit, [before.audit, vec![row]].concat(), "{command:?}");
        let change = serde_json::to_string(&expected_change(command, &about, topic, owner)).unwrap();
        assert_eq!(
            after.feed,
            [before.feed, vec![(next, change)]].concat(),
            "{command:?}"
        );
        assert_eq!(after.head, next, "{command:?}");
    }
}

/// For each command, what it refuses or has no need to do.
fn without_effect(command: Command, cluster: ClusterId) -> Vec<About> {
    let there = About::topic(cluster, "there");
    let absent = About::topic(cluster, "absent");
    let with = |config| About {
        config,
        ..there.clone()
    };
    let of = |name, partitions| About {
        partitions,
        ..About::topic(cluster, name)
    };
    let mut cases = match command {
        Command::Create => vec![
            there.clone(),
            of("no good", 1),
            of("absent", 0),
            of("absent", i32::MAX),
        ],
        Command::AlterTopic => vec![
            absent,
            with(("no.such", "1")),
            with(("retention.ms", "soon")),
            with(("segment.ms", "20")),
        ],
        Command::AlterCluster => vec![
            with(("no.such", "1")),
            with(("log.retention.ms", "soon")),
            with(("socket.request.max.bytes", "10")),
            with(("log.segment.bytes", "1048576")),
        ],
        Command::Widen => vec![absent, of("there", 2), of("there", 1), of("there", i32::MAX)],
        Command::Delete => vec![absent],
    };
    // A check alone, of what would work.
    let check = |name| About {
        validate_only: true,
        ..of(name, 5)
    };
    match command {
        Command::Create => cases.push(check("absent")),
        Command::AlterTopic | Command::AlterCluster | Command::Widen => cases.push(check("there")),
        Command::Delete => {}
    }
    cases
}

pub async fn a_command_without_effect_tells_nothing(cell: &Cell) {
    let sql = cell.sql();
    cell.open(1).await;
    let there = About::topic(sql.cluster, "there");
    Command::Create.run(sql, &sql.actor, &there).await.unwrap();
    for (command, config) in [
        (Command::AlterTopic, ("segment.ms", "20")),
        (Command::AlterCluster, ("log.segment.bytes", "1048576")),
    ] {
        let about = About {
            config,
            ..there.clone()
        };
        command.run(sql, &sql.actor, &about).await.unwrap();
    }
    let before = Told::read(sql).await;
    for command in ALL {
        for about in without_effect(command, sql.cluster) {
            let outcome = command.run(sql, &sql.actor, &about).await;
            assert!(
                !matches!(outcome, Ok((_, Some(_)))),
                "{command:?} {} {:?}: {outcome:?}",
                about.name(),
                about.config
            );
            assert_eq!(
                Told::read(sql).await,
                before,
                "{command:?} {} {:?}",
                about.name(),
                about.config
            );
        }
    }
}

/// Rows of everything that commands change, counted and summed.
async fn state(sql: &Sql) -> Vec<i64> {
    let mut state = Vec::new();
    for query in [
        "SELECT COUNT(*) FROM cell_topics",
        "SELECT COUNT(*) FROM cell_partitions",
        "SELECT SUM(topic_count * 1000 + partition_count + LENGTH(configs)) * 1 FROM cell_clusters",
        "SELECT COALESCE(SUM(LENGTH(configs)), 0) * 1 FROM cell_topics",
    ] {
        let query = format!("SELECT CAST(({query}) AS BIGINT)");
        let mut connection = AnyConnection::connect(&sql.url).await.unwrap();
        let (number,): (i64,) = sqlx::query_as(sqlx::AssertSqlSafe(query))
            .fetch_one(&mut connection)
            .await
            .unwrap();
        state.push(number);
    }
    state
}

pub async fn a_command_whose_audit_or_feed_row_cannot_be_written_changes_nothing(cell: &Cell) {
    let sql = cell.sql();
    cell.open(1).await;
    for command in ALL {
        let partitions = if command == Command::Widen { 4 } else { 2 };
        let about = About {
            partitions,
            ..About::topic(sql.cluster, "t")
        };
        let before = (Told::read(sql).await, state(sql).await);
        for (away, back) in [
            (
                "ALTER TABLE cell_audit RENAME TO audit_away",
                "ALTER TABLE audit_away RENAME TO cell_audit",
            ),
            (
                "ALTER TABLE cell_feed RENAME TO feed_away",
                "ALTER TABLE feed_away RENAME TO cell_feed",
            ),
        ] {
            execute(sql, away).await;
            let outcome = command.run(sql, &sql.actor, &about).await;
            execute(sql, back).await;
            assert!(
                matches!(outcome, Err(CommandError::Catalog(_))),
                "{command:?} after {away}: {outcome:?}"
            );
            let after = (Told::read(sql).await, state(sql).await);
            assert_eq!(after, before, "{command:?} after {away}");
        }
        let (_, sequence) = command.run(sql, &sql.actor, &about).await.unwrap();
        assert!(sequence.is_some(), "{command:?} with both tables in place");
    }
}

/// A principal of another cluster, which exists, with a topic of its own.
async fn stranger(sql: &Sql) -> (Actor, ClusterId) {
    let cluster = ClusterId(9);
    execute(
        sql,
        "INSERT INTO cell_clusters (id, slug, kafka_id, organization, max_topics, max_partitions, topic_count, \
         partition_count, configs, created_at) VALUES ('00000000000000000000000000000009', 'other', 'O', \
         '00000000000000000000000000000008', 10, 10, 0, 0, '{}', 0)",
    )
    .await;
    let actor = Actor {
        principal: Principal::Dev { cluster },
        ..sql.actor.clone()
    };
    let own = About::topic(cluster, "own");
    Command::Create.run(sql, &actor, &own).await.unwrap();
    (actor, cluster)
}

pub async fn every_command_refuses_a_stranger_and_foreign_looks_like_absent(cell: &Cell) {
    let sql = cell.sql();
    cell.open(1).await;
    let there = About::topic(sql.cluster, "there");
    let (topic, _) = Command::Create.run(sql, &sql.actor, &there).await.unwrap();
    let foreign = TopicRef::Id(topic.unwrap().id);
    let (stranger, own) = stranger(sql).await;
    let before = (Told::read(sql).await, state(sql).await);
    for command in ALL {
        // In the cluster of others: the same refusal, whether cluster and topic exist or not.
        for cluster in [sql.cluster, ClusterId(77)] {
            for topic in [
                foreign.clone(),
                TopicRef::Name("there".to_owned()),
                TopicRef::Name("absent".to_owned()),
                TopicRef::Id(TopicId(77)),
            ] {
                let about = About {
                    topic: topic.clone(),
                    partitions: 5,
                    ..About::topic(cluster, "")
                };
                let refused = command.run(sql, &stranger, &about).await;
                assert_eq!(
                    refused,
                    Err(CommandError::NotAuthorized),
                    "{command:?} {cluster} {topic:?}"
                );
            }
        }
        // In its own cluster: the name or id of another's topic is as one that was never given.
        if matches!(command, Command::AlterTopic | Command::Widen | Command::Delete) {
            for topic in [foreign.clone(), TopicRef::Name("there".to_owned())] {
                let about = About {
                    topic: topic.clone(),
                    partitions: 5,
                    ..About::topic(own, "")
                };
                let absent = command.run(sql, &stranger, &about).await;
                assert_eq!(absent, Err(CommandError::UnknownTopic), "{command:?} {topic:?}");
            }
        }
    }
    assert_eq!((Told::read(sql).await, state(sql).await), before);
    // A name that another cluster has is free here.
    let same = About::topic(own, "there");
    Command::Create.run(sql, &stranger, &same).await.unwrap();
}
