//! A catalog that an earlier version made opens with all that is in it, in SQLite and PostgreSQL.

#![allow(clippy::unwrap_used, reason = "a test may panic, and helpers are tests too")]

mod cell;
mod postgres;

use std::sync::Arc;

use firn_catalog::Catalog;
use firn_catalog::account::clusters::{ClusterUpdate, NewCluster};
use firn_catalog::audit::verifying::Verifier;
use firn_catalog::audit::{AUDIT_TOPIC, AuditFilter, AuditSpan, Trail};
use firn_catalog::commands::{Actor, AlterScramUser, AlterTopicConfigs, CommandError, Principal, TopicRef};
use firn_catalog::entities::{ClusterLimits, ClusterState};
use firn_catalog::ids::{ClusterId, OrganizationId, PersonId, ProjectId, TopicId};
use firn_catalog::image::ImageFollower;
use firn_catalog::topic_config::ConfigAlteration;
use firn_runtime::Env;
use firn_secrets::scram::Mechanism;
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

/// Makes a catalog of these statements.
async fn make(url: &str, statements: Vec<String>) {
    sqlx::any::install_default_drivers();
    let file = url.replace("catalog.db", "catalog.db?mode=rwc");
    let mut connection = AnyConnection::connect(&file).await.unwrap();
    for statement in statements {
        connection
            .execute(sqlx::raw_sql(AssertSqlSafe(statement)))
            .await
            .unwrap();
    }
    connection.close().await.unwrap();
}

async fn opens_with_all_that_is_in_it(url: &str) {
    make(url, version_1()).await;
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

/// Version 2 of both stores: a tenant with a cluster, made when clusters had no rates, a topic that is called like the audit topic, a user
/// of Kafka's tools, and rows in both audit tables that are in no chain.
fn version_2() -> Vec<String> {
    let id = |last: u128| format!("{last:032x}");
    let (organization, project, cluster, owner, person) = (id(1), id(2), id(3), id(5), id(6));
    let limits =
        r#"{"topics":1000,"partitions":1000,"groups":1000,"connections":1000,"storage_bytes":1073741824}"#;
    let proof = r#"{"kind":"scram","sha256":{"salt":"c29tZSBzYWx0","iterations":4096,"sealed":"AAAA"},"sha512":null}"#;
    let mut statements = vec![
        include_str!("../../../migrations/account/0001_account.sql").to_owned(),
        include_str!("../../../migrations/account/0002_accounts.sql").to_owned(),
        include_str!("../../../migrations/cell/0001_cell.sql").to_owned(),
        include_str!("../../../migrations/cell/0002_tenants.sql").to_owned(),
    ];
    for store in ["account", "cell"] {
        statements.push(format!(
            "CREATE TABLE {store}_format (id BIGINT PRIMARY KEY, version BIGINT NOT NULL); \
             INSERT INTO {store}_format (id, version) VALUES (1, 2)"
        ));
    }
    statements.push(format!(
        "INSERT INTO account_organizations (id, name, created_at, title, audit_head) \
         VALUES ('{organization}', 'org_1', 7, 'Ada', 2); \
         INSERT INTO account_projects (id, organization, name, created_at) \
         VALUES ('{project}', '{organization}', 'p', 7); \
         INSERT INTO account_people (id, email, name, verified_at, created_at, version) \
         VALUES ('{person}', 'ada@example.com', 'Ada', 7, 7, 1); \
         INSERT INTO account_members (organization, person, joined_at) VALUES ('{organization}', '{person}', 7); \
         INSERT INTO account_bindings (id, organization, principal_kind, principal, scope_kind, scope, role, created_at, version) \
         VALUES ('{binding}', '{organization}', 'person', '{person}', 'organization', '{organization}', 'owner', 7, 1); \
         INSERT INTO account_clusters (cluster, project, slug, cell, created_at, name, sought_name, limits) \
         VALUES ('{cluster}', '{project}', 'old', 'local', 7, 'old', 'old', '{limits}'); \
         INSERT INTO cell_clusters (id, slug, kafka_id, organization, max_topics, max_partitions, topic_count, \
         partition_count, configs, created_at, max_groups, max_connections, max_storage_bytes) \
         VALUES ('{cluster}', 'old', 'AAAAAAAAAAAAAAAAAAAAAA', '{organization}', 1000, 1000, 1, 1, '{{}}', 7, 1000, 1000, 1073741824); \
         INSERT INTO cell_incarnations (id, opening, node, state, wal, opened_at, heartbeat_at, offloaded) \
         VALUES ('{owner}', 1, 0, 'open', '{{\"kind\":\"object\"}}', 7, 7, 0); \
         INSERT INTO cell_topics (id, cluster, name, collision_name, partitions, configs, created_at) \
         VALUES ('{topic}', '{cluster}', '__audit', '__audit', 1, '{{}}', 7); \
         INSERT INTO cell_partitions (topic, number, owner, leader_epoch, log_start, end_hint) \
         VALUES ('{topic}', 0, '{owner}', 0, 0, 0); \
         INSERT INTO cell_credentials (id, kind, cluster, username, generated, user_name, roles, proof, created_at) \
         VALUES ('{credential}', 'scram', '{cluster}', 'alice', 0, 'alice', '[\"developer\"]', '{proof}', 7)",
        binding = id(8),
        topic = id(4),
        credential = id(9),
    ));
    for number in 1..=2_u128 {
        statements.push(format!(
            "INSERT INTO account_audit (id, organization, sequence, at, principal, request, action, resource_kind, resource, \
             decision, detail) VALUES ('{row}', '{organization}', {number}, 7, 'User:per_x', 'r', 'create_project', 'project', \
             'prj_x', 'allowed', 'null'); \
             INSERT INTO cell_audit (id, sequence, at, principal, request, cluster, action, subject) \
             VALUES ('{other}', {number}, 7, 'User:per_x', 'r', '{cluster}', 'create_topic', 'old{number}')",
            row = id(100 + number),
            other = id(200 + number),
        ));
    }
    statements
}

async fn version_2_opens_and_goes_on(url: &str) {
    make(url, version_2()).await;
    let catalog = Catalog::open(url, Env::system()).await.unwrap();
    let images = ImageFollower::start(Arc::clone(&catalog)).await.unwrap();
    let image = images.image();
    let (cluster, ada) = (
        ClusterId(3),
        Actor::process(Principal::Person(PersonId(6)), "new"),
    );
    let kept = image.cluster(cluster).unwrap().limits;
    assert_eq!((kept.topics, kept.storage_bytes), (1_000, 1 << 30));
    assert_eq!(kept.ingress, ClusterLimits::HIGHEST.ingress, "it is not limited");
    let topic = image.topic_by_name(cluster, AUDIT_TOPIC).unwrap();
    assert!(!topic.audit, "it is its owner's");
    let alice = image.scram_user(Some(cluster), "alice").all()[0].clone();
    assert!(!alice.user.roles.is_empty(), "no running client is cut off");

    a_topic_stays_its_owners(&catalog, cluster).await;
    let rename = ClusterUpdate {
        name: Some("renamed".to_owned()),
        ..ClusterUpdate::default()
    };
    catalog
        .update_cluster(&ada, cluster, rename, None, false)
        .await
        .unwrap();
    let new = NewCluster {
        project: ProjectId(2),
        name: "new".to_owned(),
        slug: None,
        limits: ClusterLimits::USUAL,
        deletion_protection: false,
    };
    catalog.create_cluster(&ada, new, false).await.unwrap();
    the_trails_go_on_with_chains(&catalog, cluster, &ada).await;
    let dev = Actor::process(Principal::Dev { cluster }, "kafka");
    let altered = AlterScramUser {
        cluster,
        name: "alice".to_owned(),
        upserts: vec![(
            Mechanism::Sha512,
            alice.sealed_verifier(Mechanism::Sha256).unwrap().clone(),
        )],
        deletions: Vec::new(),
        validate_only: false,
    };
    let altered = catalog.alter_scram_user(&dev, altered).await.unwrap();
    assert!(altered.value.user.roles.is_empty(), "from now on ACLs say");
    catalog.close().await;
}

/// What is new in them is chained, from the beginning; the two old rows of each stay as they are.
async fn the_trails_go_on_with_chains(catalog: &Catalog, cluster: ClusterId, ada: &Actor) {
    for trail in [Trail::Cluster(cluster), Trail::Organization(OrganizationId(1))] {
        let rows = catalog
            .audit_trail(ada, trail, &AuditFilter::default(), 10)
            .await
            .unwrap();
        let (chained, old): (Vec<_>, Vec<_>) = rows.iter().partition(|row| row.hash.is_some());
        assert_eq!(old.len(), 2, "{trail}");
        assert!(
            rows[chained.len()..].iter().all(|row| row.hash.is_none()),
            "{trail}"
        );
        let lines = catalog
            .audit_export(ada, trail, &AuditSpan::default())
            .await
            .unwrap();
        assert_eq!(lines.len(), chained.len(), "{trail}");
        let mut verifier = Verifier::new(None);
        for line in &lines {
            verifier.line(&line.text()).unwrap();
        }
        assert!(verifier.finish().unwrap().unwrap().from_the_beginning, "{trail}");
    }
}

/// It takes any config, but does not become the audit topic by them.
async fn a_topic_stays_its_owners(catalog: &Catalog, cluster: ClusterId) {
    let dev = Actor::process(Principal::Dev { cluster }, "kafka");
    let alter = |entries: &[(&str, &str)]| AlterTopicConfigs {
        cluster,
        topic: TopicRef::Name(AUDIT_TOPIC.to_owned()),
        alteration: ConfigAlteration::Replace(
            entries
                .iter()
                .map(|(key, value)| ((*key).to_owned(), Some((*value).to_owned())))
                .collect(),
        ),
        validate_only: false,
    };
    let compacted = alter(&[("cleanup.policy", "compact")]);
    catalog.alter_topic_configs(&dev, compacted).await.unwrap();
    let pinned = alter(&[
        ("cleanup.policy", "delete"),
        ("compression.type", "producer"),
        ("max.message.bytes", "104857600"),
        ("message.timestamp.after.max.ms", "9223372036854775807"),
        ("message.timestamp.before.max.ms", "9223372036854775807"),
        ("message.timestamp.type", "CreateTime"),
    ]);
    let refused = catalog.alter_topic_configs(&dev, pinned).await;
    assert!(
        matches!(refused, Err(CommandError::InvalidConfig { .. })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_catalog_of_version_2_opens_and_goes_on_on_sqlite() {
    let folder = TempDir::new().unwrap();
    let url = format!("sqlite://{}", folder.path().join("catalog.db").display());
    version_2_opens_and_goes_on(&url).await;
}

#[tokio::test]
async fn a_catalog_of_version_2_opens_and_goes_on_on_postgres() {
    let database = postgres::Database::new().await;
    version_2_opens_and_goes_on(&database.url).await;
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
