//! A catalog that an earlier version made opens with all that is in it, in SQLite and PostgreSQL.

#![allow(clippy::unwrap_used, reason = "a test may panic, and helpers are tests too")]

mod cell;
mod postgres;

use std::sync::Arc;

use firn_catalog::Catalog;
use firn_catalog::entities::{ClusterLimits, ClusterState};
use firn_catalog::ids::{ClusterId, TopicId};
use firn_catalog::image::ImageFollower;
use firn_runtime::Env;
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Executor};
use tempfile::TempDir;

/// Version 1 of both stores, as `firn dev` of that version left it: a cluster with a topic, told in the feed.
fn version_1() -> Vec<String> {
    let id = |last: u128| format!("{last:032x}");
    let (organization, project, cluster, topic, owner) = (id(1), id(2), id(3), id(4), id(5));
    let cluster_json = format!(
        r#"{{"id":"{cluster}","slug":"dev","kafka_id":"AAAAAAAAAAAAAAAAAAAAAA","organization":"{organization}","limits":{{"topics":10000,"partitions":100000}},"configs":{{}}}}"#
    );
    let topic_json = format!(
        r#"{{"id":"{topic}","cluster":"{cluster}","name":"orders","partitions":1,"configs":{{}},"created_at":7}}"#
    );
    let changes = [
        format!(r#"{{"kind":"cluster_created","cluster":{cluster_json}}}"#),
        format!(r#"{{"kind":"incarnation_opened","id":"{owner}","node":0}}"#),
        format!(
            r#"{{"kind":"topic_created","topic":{topic_json},"owners":{{"owners":["{owner}"],"partitions":[0]}}}}"#
        ),
    ];
    let mut statements = vec![
        include_str!("../../../migrations/account/0001_account.sql").to_owned(),
        include_str!("../../../migrations/cell/0001_cell.sql").to_owned(),
    ];
    for store in ["account", "cell"] {
        statements.push(format!(
            "CREATE TABLE {store}_format (id BIGINT PRIMARY KEY, version BIGINT NOT NULL); \
             INSERT INTO {store}_format (id, version) VALUES (1, 1)"
        ));
    }
    statements.push(format!(
        "INSERT INTO account_organizations (id, name, created_at) VALUES ('{organization}', 'dev', 7); \
         INSERT INTO account_projects (id, organization, name, created_at) \
         VALUES ('{project}', '{organization}', 'dev', 7); \
         INSERT INTO account_clusters (cluster, project, slug, cell, created_at) \
         VALUES ('{cluster}', '{project}', 'dev', 'local', 7); \
         INSERT INTO cell_clusters (id, slug, kafka_id, organization, max_topics, max_partitions, topic_count, \
         partition_count, configs, created_at) \
         VALUES ('{cluster}', 'dev', 'AAAAAAAAAAAAAAAAAAAAAA', '{organization}', 10000, 100000, 1, 1, '{{}}', 7); \
         INSERT INTO cell_incarnations (id, opening, node, state, wal, opened_at, heartbeat_at, offloaded) \
         VALUES ('{owner}', 2, 0, 'open', '{{\"kind\":\"object\"}}', 7, 7, 0); \
         INSERT INTO cell_topics (id, cluster, name, collision_name, partitions, configs, created_at) \
         VALUES ('{topic}', '{cluster}', 'orders', 'orders', 1, '{{}}', 7); \
         INSERT INTO cell_partitions (topic, number, owner, leader_epoch, log_start, end_hint) \
         VALUES ('{topic}', 0, '{owner}', 0, 0, 0); \
         UPDATE cell_feed_head SET head = 3"
    ));
    for (sequence, change) in (1..).zip(changes) {
        statements.push(format!(
            "INSERT INTO cell_feed (sequence, at, change) VALUES ({sequence}, 7, '{change}')"
        ));
    }
    statements
}

async fn opens_with_all_that_is_in_it(url: &str) {
    sqlx::any::install_default_drivers();
    let file = url.replace("catalog.db", "catalog.db?mode=rwc");
    let mut connection = AnyConnection::connect(&file).await.unwrap();
    for statement in version_1() {
        connection
            .execute(sqlx::raw_sql(AssertSqlSafe(statement)))
            .await
            .unwrap();
    }
    connection.close().await.unwrap();

    let catalog = Catalog::open(url, Env::system()).await.unwrap();
    let dev = catalog.ensure_dev().await.unwrap();
    assert_eq!(
        (dev.cluster, dev.sequence),
        (ClusterId(3), None),
        "it is there already"
    );
    let images = ImageFollower::start(Arc::clone(&catalog)).await.unwrap();
    let image = images.image();
    let cluster = image.cluster(dev.cluster).unwrap();
    assert_eq!((cluster.state, cluster.version), (ClusterState::Active, 1));
    let kept = ClusterLimits {
        topics: 10_000,
        partitions: 100_000,
        ..cluster.limits
    };
    assert_eq!(cluster.limits, kept);
    assert!(cluster.limits.groups > 0 && cluster.limits.connections > 0 && cluster.limits.storage_bytes > 0);
    let topic = image.topic_by_name(dev.cluster, "orders").unwrap();
    assert_eq!((topic.id, topic.partitions.len()), (TopicId(4), 1));
    let reconciled = catalog.reconcile_clusters().await.unwrap();
    assert_eq!(
        images.image().sequence(),
        image.sequence(),
        "{reconciled:?}: nothing is to be done"
    );
    catalog.close().await;
}

#[tokio::test]
async fn a_catalog_of_version_1_opens_with_all_that_is_in_it_on_sqlite() {
    let folder = TempDir::new().unwrap();
    let url = format!("sqlite://{}", folder.path().join("catalog.db").display());
    opens_with_all_that_is_in_it(&url).await;
}

#[tokio::test]
async fn a_catalog_of_version_1_opens_with_all_that_is_in_it_on_postgres() {
    let database = postgres::Database::new().await;
    opens_with_all_that_is_in_it(&database.url).await;
}
