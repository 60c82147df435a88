//! The feed and the image.

use std::time::Duration;

use firn_catalog::Catalog;
use firn_catalog::commands::{AlterTopicConfigs, CreatePartitions, DeleteTopic, TopicRef};
use firn_catalog::entities::Address;
use firn_catalog::ids::{FeedSequence, LeaderEpoch, PartitionId, Slot};
use firn_catalog::image::{Image, ImageFollower, Leadership};
use firn_catalog::topic_config::{ConfigAlteration, ConfigOp, ConfigOpKind};
use firn_runtime::Env;
use sqlx::{AnyConnection, AssertSqlSafe, Connection};

use super::{execute, number};
use crate::cell::{Cell, NOW, Sql, object};

async fn follow(sql: &Sql) -> std::sync::Arc<ImageFollower> {
    ImageFollower::start(sql.catalog.clone()).await.unwrap()
}

/// The image at the feed's head, waited for at most 10 s.
async fn at_head(sql: &Sql, follower: &ImageFollower) -> std::sync::Arc<Image> {
    let head = FeedSequence(number(sql, "SELECT head FROM cell_feed_head").await);
    tokio::time::timeout(Duration::from_secs(60), follower.wait_for(head))
        .await
        .unwrap()
}

/// All that an image says, as text.
fn told(image: &Image) -> String {
    let clusters: Vec<_> = image.clusters().collect();
    let topics: Vec<_> = image.topics().collect();
    let by_name: Vec<_> = clusters
        .iter()
        .flat_map(|cluster| image.topics_of(cluster.id))
        .collect();
    let brokers: Vec<_> = image.brokers().collect();
    format!(
        "{} {clusters:#?} {topics:#?} {by_name:#?} {brokers:#?}",
        image.sequence()
    )
}

async fn take_over(cell: &Cell, dead: u128, heir: u128) {
    let (catalog, index) = (cell.catalog(), object(1_000 + dead));
    let (dead, heir) = (
        firn_catalog::ids::IncarnationId(dead),
        firn_catalog::ids::IncarnationId(heir),
    );
    let kind = firn_catalog::cell::ObjectKind::RecoveryIndex;
    catalog.claim_seal(heir, dead).await.unwrap();
    catalog.register_object(heir, index, kind, NOW).await.unwrap();
    catalog
        .complete_seal(heir, dead, Slot(1), index, heir)
        .await
        .unwrap();
}

/// Makes one change of every kind.
async fn change_everything(cell: &Cell) {
    let (sql, cluster) = (cell.sql(), cell.sql().cluster);
    let first = cell.open(1).await;
    sql.catalog
        .advertise(
            first,
            Address {
                host: "localhost".to_owned(),
                port: 9092,
            },
            Some(Address {
                host: "10.0.0.7".to_owned(),
                port: 9192,
            }),
        )
        .await
        .unwrap();
    let kept = cell.topic("kept", 2, first).await;
    cell.topic("gone", 1, first).await;
    let gone = DeleteTopic {
        cluster,
        topic: TopicRef::Name("gone".to_owned()),
    };
    sql.catalog.delete_topic(&sql.actor, gone).await.unwrap();
    cell.open(2).await;
    take_over(cell, 1, 2).await;
    let topic = TopicRef::Id(kept);
    let wider = CreatePartitions {
        cluster,
        topic: topic.clone(),
        total: 3,
        validate_only: false,
    };
    sql.catalog.create_partitions(&sql.actor, wider).await.unwrap();
    let value = Some("77".to_owned());
    let op = ConfigOp {
        key: "retention.ms".to_owned(),
        kind: ConfigOpKind::Set,
        value,
    };
    let alteration = ConfigAlteration::Incremental(vec![op]);
    let altered = AlterTopicConfigs {
        cluster,
        topic,
        alteration,
        validate_only: false,
    };
    sql.catalog
        .alter_topic_configs(&sql.actor, altered)
        .await
        .unwrap();
}

pub async fn the_image_follows_every_change(cell: &Cell) {
    let sql = cell.sql();
    let follower = follow(sql).await;
    assert_eq!(follower.image().cluster_by_slug("dev").unwrap().id, sql.cluster);
    assert_eq!(follower.image().cluster(sql.cluster).unwrap().kafka_id.len(), 22);
    change_everything(cell).await;
    let image = at_head(sql, &follower).await;
    let topic = image.topic_by_name(sql.cluster, "kept").unwrap();
    let heir = firn_catalog::ids::IncarnationId(2);
    let expected = [1, 1, 0].map(|epoch| Leadership {
        owner: heir,
        epoch: LeaderEpoch(epoch),
    });
    assert_eq!(topic.partitions.as_slice(), expected);
    assert_eq!(topic.configs["retention.ms"], "77");
    assert_eq!(image.topic(topic.id), Some(topic));
    assert_eq!(image.topic_by_name(sql.cluster, "gone"), None);
    assert_eq!(image.topic_count(sql.cluster), 1);
    assert_eq!(
        image.leadership(PartitionId {
            topic: topic.id,
            index: 2
        }),
        Some(expected[2])
    );
    for index in [3, -1] {
        assert_eq!(
            image.leadership(PartitionId {
                topic: topic.id,
                index
            }),
            None
        );
    }
    let open: Vec<_> = image
        .brokers()
        .map(|broker| (broker.id, broker.address.clone(), broker.internal.clone()))
        .collect();
    assert_eq!(open, [(heir, None, None)]);
}

pub async fn an_image_that_was_folded_is_the_image_that_is_loaded(cell: &Cell) {
    let sql = cell.sql();
    let folding = follow(sql).await;
    change_everything(cell).await;
    let folded = told(&*at_head(sql, &folding).await);
    let loaded = told(&follow(sql).await.image());
    assert_eq!(folded, loaded);
}

pub async fn a_follower_behind_the_pruned_feed_loads_anew(cell: &Cell) {
    let sql = cell.sql();
    let follower = follow(sql).await;
    let before = follower.image().sequence();
    execute(sql, "UPDATE cell_feed_head SET head = head + 20000").await;
    let owner = cell.open(1).await;
    for round in 0..600 {
        let address = Address {
            host: format!("host{round}"),
            port: 1,
        };
        sql.catalog.advertise(owner, address, None).await.unwrap();
    }
    let first = number(sql, "SELECT MIN(sequence) FROM cell_feed").await;
    assert!(first > before.0 + 1, "the old entries went");
    let image = at_head(sql, &follower).await;
    assert_eq!(
        image.broker(owner).unwrap().address.as_ref().unwrap().host,
        "host599"
    );
}

pub async fn a_follower_goes_on_past_an_entry_that_it_cannot_read_or_fold(cell: &Cell) {
    let sql = cell.sql();
    let follower = follow(sql).await;
    cell.open(1).await;
    at_head(sql, &follower).await;
    let unfit = format!(r#"{{"kind":"topic_deleted","topic":"{:032x}"}}"#, 77);
    for (name, change) in [
        ("unread", r#"{"kind":"of_the_future"}"#),
        ("unfit", unfit.as_str()),
    ] {
        // The head of such an entry moves in the same transaction, as a broker of a later version would have it.
        let mut connection = AnyConnection::connect(&sql.url).await.unwrap();
        let mut transaction = connection.begin().await.unwrap();
        let move_head = "UPDATE cell_feed_head SET head = head + 1";
        sqlx::query(move_head).execute(&mut *transaction).await.unwrap();
        let insert = format!(
            "INSERT INTO cell_feed (sequence, at, change) SELECT head, 0, '{change}' FROM cell_feed_head"
        );
        sqlx::query(AssertSqlSafe(insert))
            .execute(&mut *transaction)
            .await
            .unwrap();
        transaction.commit().await.unwrap();
        at_head(sql, &follower).await;
        let created = sql
            .catalog
            .create_topic(&sql.actor, sql.new_topic(name, 1))
            .await
            .unwrap();
        let seen = follower.wait_for(created.sequence.unwrap());
        let image = tokio::time::timeout(Duration::from_secs(60), seen).await.unwrap();
        assert!(image.topic_by_name(sql.cluster, name).is_some(), "{name}");
    }
}

pub async fn a_thousand_topics_are_folded(cell: &Cell) {
    let sql = cell.sql();
    let follower = follow(sql).await;
    cell.open(1).await;
    let mut last = None;
    for number in 0..1_000 {
        let command = sql.new_topic(&format!("t{number:04}"), 1);
        last = sql
            .catalog
            .create_topic(&sql.actor, command)
            .await
            .unwrap()
            .sequence;
    }
    let image = follower.wait_for(last.unwrap()).await;
    assert_eq!(image.topic_count(sql.cluster), 1_000);
    let from: Vec<_> = image
        .topics_from(sql.cluster, "t0998")
        .map(|topic| topic.name.to_string())
        .collect();
    assert_eq!(from, ["t0998", "t0999"]);
}

pub async fn a_follower_sees_what_another_process_does(cell: &Cell) {
    let sql = cell.sql();
    cell.open(1).await;
    let other = Catalog::open(&sql.url, Env::system()).await.unwrap();
    let follower = ImageFollower::start(other).await.unwrap();
    let created = sql
        .catalog
        .create_topic(&sql.actor, sql.new_topic("t", 1))
        .await
        .unwrap();
    let seen = follower.wait_for(created.sequence.unwrap());
    let image = tokio::time::timeout(Duration::from_secs(60), seen).await.unwrap();
    assert_eq!(
        image.topic_by_name(sql.cluster, "t").unwrap().id,
        created.value.id
    );
}
