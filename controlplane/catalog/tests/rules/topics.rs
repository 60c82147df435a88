//! Creating, widening and deleting topics.

use firn_catalog::Catalog;
use firn_catalog::commands::{
    Actor, CommandError, CreatePartitions, CreateTopic, DeleteTopic, MAX_PARTITIONS_PER_TOPIC, Principal,
    TopicRef,
};
use firn_catalog::ids::{ClusterId, FeedSequence, IncarnationId};

use super::{configs, execute, number, refused};
use crate::cell::{Cell, Sql};

async fn create(sql: &Sql, name: &str, partitions: i32) -> firn_catalog::entities::Topic {
    sql.catalog
        .create_topic(&sql.actor, sql.new_topic(name, partitions))
        .await
        .unwrap()
        .value
}

fn widen(sql: &Sql, name: &str, total: i32) -> CreatePartitions {
    let topic = TopicRef::Name(name.to_owned());
    CreatePartitions {
        cluster: sql.cluster,
        topic,
        total,
        validate_only: false,
    }
}

fn delete(sql: &Sql, name: &str) -> DeleteTopic {
    DeleteTopic {
        cluster: sql.cluster,
        topic: TopicRef::Name(name.to_owned()),
    }
}

pub async fn the_dev_cluster_is_made_once(cell: &Cell) {
    let sql = cell.sql();
    let again = sql.catalog.ensure_dev().await.unwrap();
    assert_eq!((again.cluster, again.sequence), (sql.cluster, None));
    let reopened = Catalog::open(&sql.url, firn_runtime::Env::system())
        .await
        .unwrap();
    assert_eq!(reopened.ensure_dev().await.unwrap(), again);
    assert_eq!(number(sql, "SELECT COUNT(*) FROM cell_clusters").await, 1);
    assert_eq!(number(sql, "SELECT COUNT(*) FROM account_projects").await, 1);
}

pub async fn a_created_topic_has_its_rows_its_feed_entry_and_its_audit_row(cell: &Cell) {
    let sql = cell.sql();
    let owner = cell.open(1).await;
    let before = number(sql, "SELECT head FROM cell_feed_head").await;
    let command = CreateTopic {
        configs: configs(&[("retention.ms", "5")]),
        ..sql.new_topic("orders", 3)
    };
    let committed = sql.catalog.create_topic(&sql.actor, command).await.unwrap();
    assert_eq!(committed.sequence, Some(FeedSequence(before + 1)));
    assert_eq!(
        (committed.value.partitions, committed.value.name.as_str()),
        (3, "orders")
    );
    assert_eq!(cell.catalog().partitions_owned(owner).await.unwrap().len(), 3);
    let audited = "SELECT COUNT(*) FROM cell_audit a JOIN cell_feed f ON f.sequence = a.sequence \
                   WHERE a.action = 'create_topic' AND a.subject = 'orders' AND a.principal = 'User:ANONYMOUS'";
    assert_eq!(number(sql, audited).await, 1);
}

pub async fn a_taken_name_and_a_colliding_name_are_told_apart(cell: &Cell) {
    let sql = cell.sql();
    cell.open(1).await;
    create(sql, "a.b", 1).await;
    let taken = refused(sql, sql.new_topic("a.b", 1)).await;
    assert_eq!(
        taken,
        CommandError::TopicExists {
            name: "a.b".to_owned()
        }
    );
    let collides = refused(sql, sql.new_topic("a_b", 1)).await;
    let (name, existing) = ("a_b".to_owned(), "a.b".to_owned());
    assert_eq!(collides, CommandError::NameCollision { name, existing });
    assert_eq!(
        sql.catalog.delete_topic(&sql.actor, delete(sql, "a_b")).await,
        Err(CommandError::UnknownTopic)
    );
    sql.catalog
        .delete_topic(&sql.actor, delete(sql, "a.b"))
        .await
        .unwrap();
    create(sql, "a_b", 1).await;
}

pub async fn what_a_topic_may_not_be_is_refused_and_leaves_nothing(cell: &Cell) {
    let sql = cell.sql();
    cell.open(1).await;
    let before = number(sql, "SELECT head FROM cell_feed_head").await;
    let name = refused(sql, sql.new_topic("no good", 1)).await;
    assert!(matches!(name, CommandError::InvalidName { .. }));
    for partitions in [0, -1, MAX_PARTITIONS_PER_TOPIC + 1, i32::MIN] {
        let error = refused(sql, sql.new_topic("t", partitions)).await;
        assert!(matches!(error, CommandError::InvalidPartitions { .. }));
    }
    let with = |pairs| CreateTopic {
        configs: configs(pairs),
        ..sql.new_topic("t", 1)
    };
    let unknown = refused(sql, with(&[("no.such", "1")])).await;
    assert_eq!(
        unknown,
        CommandError::UnknownConfig {
            key: "no.such".to_owned()
        }
    );
    let value = refused(sql, with(&[("retention.ms", "soon")])).await;
    assert!(matches!(value, CommandError::InvalidConfig { key, .. } if key == "retention.ms"));
    let elsewhere = CreateTopic {
        cluster: ClusterId(5),
        ..sql.new_topic("t", 1)
    };
    let actor = Actor {
        principal: Principal::Dev {
            cluster: ClusterId(5),
        },
        ..sql.actor.clone()
    };
    assert_eq!(
        sql.catalog.create_topic(&actor, elsewhere).await,
        Err(CommandError::UnknownCluster)
    );
    assert_eq!(number(sql, "SELECT head FROM cell_feed_head").await, before);
    assert_eq!(number(sql, "SELECT COUNT(*) FROM cell_topics").await, 0);
    assert_eq!(
        number(
            sql,
            "SELECT COUNT(*) FROM cell_audit WHERE action <> 'create_cluster'"
        )
        .await,
        0
    );
}

pub async fn a_validation_changes_nothing(cell: &Cell) {
    let sql = cell.sql();
    cell.open(1).await;
    create(sql, "there", 1).await;
    let before = number(sql, "SELECT head FROM cell_feed_head").await;
    let command = CreateTopic {
        validate_only: true,
        ..sql.new_topic("t", 4)
    };
    let committed = sql.catalog.create_topic(&sql.actor, command).await.unwrap();
    assert_eq!((committed.sequence, committed.value.partitions), (None, 4));
    let command = CreatePartitions {
        validate_only: true,
        ..widen(sql, "there", 2)
    };
    let committed = sql.catalog.create_partitions(&sql.actor, command).await.unwrap();
    assert_eq!((committed.sequence, committed.value.partitions), (None, 2));
    assert_eq!(number(sql, "SELECT head FROM cell_feed_head").await, before);
    assert_eq!(number(sql, "SELECT COUNT(*) FROM cell_partitions").await, 1);
}

pub async fn limits_of_the_cluster_hold_and_deletion_gives_room(cell: &Cell) {
    let sql = cell.sql();
    cell.open(1).await;
    execute(sql, "UPDATE cell_clusters SET max_topics = 2, max_partitions = 5").await;
    create(sql, "a", 4).await;
    let partitions = CommandError::LimitExceeded {
        which: "partitions",
        limit: 5,
    };
    assert_eq!(refused(sql, sql.new_topic("b", 2)).await, partitions);
    assert_eq!(
        sql.catalog
            .create_partitions(&sql.actor, widen(sql, "a", 6))
            .await,
        Err(partitions)
    );
    create(sql, "b", 1).await;
    let topics = CommandError::LimitExceeded {
        which: "topics",
        limit: 2,
    };
    assert_eq!(refused(sql, sql.new_topic("c", 1)).await, topics);
    sql.catalog
        .delete_topic(&sql.actor, delete(sql, "a"))
        .await
        .unwrap();
    create(sql, "c", 4).await;
}

pub async fn without_an_open_broker_there_is_no_topic(cell: &Cell) {
    let sql = cell.sql();
    assert_eq!(refused(sql, sql.new_topic("t", 1)).await, CommandError::NoBroker);
    let (dead, sealer) = (cell.open(1).await, cell.open(2).await);
    cell.catalog().claim_seal(sealer, dead).await.unwrap();
    create(sql, "t", 3).await;
    assert_eq!(cell.catalog().partitions_owned(sealer).await.unwrap().len(), 3);
}

pub async fn new_partitions_go_to_the_open_brokers_that_have_the_fewest(cell: &Cell) {
    let sql = cell.sql();
    let first = cell.open(1).await;
    create(sql, "a", 4).await;
    let second = cell.open(2).await;
    create(sql, "b", 4).await;
    let owned = async |owner: IncarnationId| cell.catalog().partitions_owned(owner).await.unwrap().len();
    assert_eq!((owned(first).await, owned(second).await), (4, 4));
    sql.catalog
        .create_partitions(&sql.actor, widen(sql, "a", 10))
        .await
        .unwrap();
    assert_eq!((owned(first).await, owned(second).await), (7, 7));
}

pub async fn partitions_are_only_added(cell: &Cell) {
    let sql = cell.sql();
    let owner = cell.open(1).await;
    create(sql, "t", 3).await;
    for total in [3, 2, 0, -1] {
        let error = sql
            .catalog
            .create_partitions(&sql.actor, widen(sql, "t", total))
            .await
            .unwrap_err();
        assert!(matches!(error, CommandError::InvalidPartitions { .. }));
    }
    let error = sql
        .catalog
        .create_partitions(&sql.actor, widen(sql, "u", 9))
        .await
        .unwrap_err();
    assert_eq!(error, CommandError::UnknownTopic);
    let widened = sql
        .catalog
        .create_partitions(&sql.actor, widen(sql, "t", 5))
        .await
        .unwrap();
    assert_eq!(widened.value.partitions, 5);
    let rows = cell.catalog().partitions_owned(owner).await.unwrap();
    assert_eq!(
        rows.iter().map(|row| row.id.index).collect::<Vec<_>>(),
        [0, 1, 2, 3, 4]
    );
}

pub async fn many_creators_of_one_name_make_one_topic(cell: &Cell) {
    let sql = cell.sql();
    cell.open(1).await;
    let create = || sql.catalog.create_topic(&sql.actor, sql.new_topic("t", 2));
    let outcomes = futures::future::join_all((0..8).map(|_| create())).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    let taken = CommandError::TopicExists { name: "t".to_owned() };
    assert!(
        outcomes
            .iter()
            .flat_map(|outcome| outcome.as_ref().err())
            .all(|error| *error == taken)
    );
    let (max, all) = (
        "SELECT MAX(sequence) FROM cell_feed",
        "SELECT COUNT(*) FROM cell_feed",
    );
    assert_eq!(
        number(sql, max).await,
        number(sql, all).await,
        "no sequence is missing"
    );
}
