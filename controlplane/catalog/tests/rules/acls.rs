//! Making and deleting ACLs.

use std::sync::Arc;

use firn_catalog::acl::{
    Acl, AclFilter, Effect, MAX_ACLS_PER_CLUSTER, Operation, PatternFilter, PatternType, ResourceType,
    StoredAcl,
};
use firn_catalog::commands::{
    ChangeAcls, ChangedAcls, CommandError, CreateAcls, DeleteAcls, MAX_ACLS_PER_COMMAND,
};
use firn_catalog::ids::{AclId, ClusterId, FeedSequence};
use firn_catalog::image::{Image, ImageFollower};
use serde_json::Value;
use sqlx::{AnyConnection, Connection};

use super::{execute, number};
use crate::cell::{Cell, Sql};

pub(super) fn allow(principal: &str, operation: Operation, (kind, name): (ResourceType, &str)) -> Acl {
    Acl {
        resource_type: kind,
        pattern_type: PatternType::Literal,
        resource_name: name.to_owned(),
        principal: principal.to_owned(),
        host: "*".to_owned(),
        operation,
        permission: Effect::Allow,
    }
}

pub(super) fn reads(principal: &str, topic: &str) -> Acl {
    allow(principal, Operation::Read, (ResourceType::Topic, topic))
}

pub(super) fn create(sql: &Sql, acls: Vec<Acl>) -> CreateAcls {
    CreateAcls {
        cluster: sql.cluster,
        acls,
        validate_only: false,
    }
}

/// Makes bindings that there can be.
pub(super) async fn made(sql: &Sql, acls: Vec<Acl>) -> (Vec<StoredAcl>, Option<FeedSequence>) {
    let created = sql
        .catalog
        .create_acls(&sql.actor, create(sql, acls))
        .await
        .unwrap();
    let stored = created.value.into_iter().map(|one| one.unwrap().stored);
    (stored.collect(), created.sequence)
}

pub(super) async fn deleted(
    sql: &Sql,
    filters: Vec<AclFilter>,
) -> (Vec<Vec<StoredAcl>>, Option<FeedSequence>) {
    let command = DeleteAcls {
        cluster: sql.cluster,
        filters,
        validate_only: false,
    };
    let deleted = sql.catalog.delete_acls(&sql.actor, command).await.unwrap();
    (deleted.value, deleted.sequence)
}

async fn loaded(sql: &Sql) -> Arc<Image> {
    let follower = ImageFollower::start(Arc::clone(&sql.catalog)).await;
    follower.unwrap().image()
}

fn of(image: &Image, cluster: ClusterId) -> Vec<Acl> {
    let access = image.access(cluster);
    let acls = access.into_iter().flat_map(|access| access.acls());
    acls.map(|stored| stored.acl.clone()).collect()
}

/// The names of the resources that each filter deleted, in order.
fn names(deleted: &[Vec<StoredAcl>]) -> Vec<Vec<&str>> {
    let names = deleted.iter().map(|acls| {
        let names = acls.iter().map(|stored| stored.acl.resource_name.as_str());
        names.collect()
    });
    let mut names: Vec<Vec<&str>> = names.collect();
    names.iter_mut().for_each(|names| names.sort_unstable());
    names
}

/// What the last audit row says changed.
async fn told(sql: &Sql) -> (String, Value) {
    let mut connection = AnyConnection::connect(&sql.url).await.unwrap();
    let last = "SELECT action, detail FROM cell_audit ORDER BY sequence DESC LIMIT 1";
    let (action, detail): (String, String) = sqlx::query_as(last).fetch_one(&mut connection).await.unwrap();
    (action, serde_json::from_str(&detail).unwrap())
}

/// The audit rows at a place of the feed, in the order of the trail.
async fn rows_at(sql: &Sql, sequence: Option<FeedSequence>) -> Vec<(String, Value)> {
    let mut connection = AnyConnection::connect(&sql.url).await.unwrap();
    let select = "SELECT action, detail FROM cell_audit WHERE sequence = $1 ORDER BY position";
    let rows = sqlx::query_as(select).bind(sequence.unwrap().0);
    let rows: Vec<(String, String)> = rows.fetch_all(&mut connection).await.unwrap();
    let rows = rows.into_iter();
    rows.map(|(action, detail)| (action, serde_json::from_str(&detail).unwrap()))
        .collect()
}

pub async fn acls_are_made_each_by_itself_and_told_once(cell: &Cell) {
    let sql = cell.sql();
    let follower = ImageFollower::start(Arc::clone(&sql.catalog)).await.unwrap();
    let head = number(sql, "SELECT head FROM cell_feed_head").await;
    let mut mapped = reads("User:alice", "b");
    mapped.host = "::ffff:10.0.0.7".to_owned();
    let acls = vec![
        reads("User:alice", "a"),
        reads("alice", "a"),
        mapped,
        allow(
            "User:alice",
            Operation::Write,
            (ResourceType::Cluster, "kafka-cluster"),
        ),
        reads("User:a\0b", "a"),
    ];
    let created = sql
        .catalog
        .create_acls(&sql.actor, create(sql, acls))
        .await
        .unwrap();
    let fields: Vec<_> = created
        .value
        .iter()
        .map(|one| match one {
            Ok(created) => {
                assert!(created.new);
                created.stored.acl.host.as_str()
            }
            Err(CommandError::InvalidAcl(error)) => error.field,
            Err(other) => panic!("{other}"),
        })
        .collect();
    assert_eq!(fields, ["*", "principal", "10.0.0.7", "operation", "principal"]);
    let sequence = created.sequence.unwrap();
    assert_eq!(sequence, FeedSequence(head + 1), "one entry for all");
    let image = follower.wait_for(sequence).await;
    assert_eq!(of(&image, sql.cluster).len(), 2);
    let (action, detail) = told(sql).await;
    assert_eq!(
        (action.as_str(), &detail["before"]),
        ("create_acls", &Value::Null)
    );
    assert_eq!(detail["after"].as_array().unwrap().len(), 2);
    assert_eq!(detail["after"][0]["resource_name"], "a");
    let first = created.value[0].as_ref().unwrap();
    assert_eq!(first.stored.id, AclId::of(&first.stored.acl));
}

pub async fn an_acl_that_is_there_is_made_without_a_change(cell: &Cell) {
    let sql = cell.sql();
    let (first, _) = made(sql, vec![reads("User:alice", "a")]).await;
    let (again, sequence) = made(sql, vec![reads("User:alice", "a")]).await;
    assert_eq!((again, sequence), (first, None));
    let (_, sequence) = made(sql, vec![reads("User:alice", "b"), reads("User:alice", "b")]).await;
    assert!(sequence.is_some());
    assert_eq!(number(sql, "SELECT COUNT(*) FROM cell_acls").await, 2);
}

pub async fn a_check_of_acls_changes_nothing(cell: &Cell) {
    let sql = cell.sql();
    made(sql, vec![reads("User:alice", "a")]).await;
    let head = number(sql, "SELECT head FROM cell_feed_head").await;
    let checked = CreateAcls {
        validate_only: true,
        ..create(sql, vec![reads("User:bob", "a"), reads("", "a")])
    };
    let checked = sql.catalog.create_acls(&sql.actor, checked).await.unwrap();
    assert!(checked.value[0].is_ok() && checked.value[1].is_err() && checked.sequence.is_none());
    let deletion = DeleteAcls {
        cluster: sql.cluster,
        filters: vec![AclFilter::default()],
        validate_only: true,
    };
    let gone = sql.catalog.delete_acls(&sql.actor, deletion).await.unwrap();
    assert_eq!((gone.value[0].len(), gone.sequence), (1, None));
    assert_eq!(number(sql, "SELECT head FROM cell_feed_head").await, head);
    assert_eq!(number(sql, "SELECT COUNT(*) FROM cell_acls").await, 1);
}

pub async fn acls_are_deleted_by_what_filters_mean(cell: &Cell) {
    let sql = cell.sql();
    let mut prefixed = reads("User:bob", "ord");
    prefixed.pattern_type = PatternType::Prefixed;
    let acls = vec![
        reads("User:alice", "orders"),
        reads("User:bob", "orders"),
        reads("User:bob", "*"),
        prefixed,
        reads("User:bob", "other"),
    ];
    made(sql, acls).await;
    let head = number(sql, "SELECT head FROM cell_feed_head").await;
    let matching = AclFilter {
        resource_name: Some("orders".to_owned()),
        pattern_type: PatternFilter::Match,
        principal: Some("User:bob".to_owned()),
        ..AclFilter::default()
    };
    let literal = AclFilter {
        resource_name: Some("orders".to_owned()),
        pattern_type: PatternFilter::Only(PatternType::Literal),
        ..AclFilter::default()
    };
    let nothing = AclFilter {
        principal: Some("User:\0".to_owned()),
        ..AclFilter::default()
    };
    let (gone, sequence) = deleted(sql, vec![matching, literal, nothing]).await;
    let expected: [&[&str]; 3] = [&["*", "ord", "orders"], &["orders", "orders"], &[]];
    assert_eq!(names(&gone), expected, "what two filters mean is told for both");
    assert_eq!(sequence, Some(FeedSequence(head + 1)));
    let (action, detail) = told(sql).await;
    assert_eq!((action.as_str(), &detail["after"]), ("delete_acls", &Value::Null));
    assert_eq!(detail["before"].as_array().unwrap().len(), 4, "each once");
    // The one that is left is meant by all that it says.
    let (gone, _) = deleted(sql, vec![AclFilter::only(&reads("User:bob", "other"))]).await;
    assert_eq!(names(&gone), [["other"]]);
    let (gone, sequence) = deleted(sql, vec![AclFilter::default()]).await;
    assert_eq!((gone, sequence), (vec![vec![]], None));
}

pub async fn acls_are_deleted_by_their_ids(cell: &Cell) {
    let sql = cell.sql();
    let (there, _) = made(sql, vec![reads("User:alice", "a"), reads("User:alice", "b")]).await;
    let ids = [there[0].id, AclId(7), there[0].id];
    let gone = sql
        .catalog
        .delete_acls_by_id(&sql.actor, sql.cluster, &ids, false)
        .await;
    assert_eq!(gone.unwrap().value, [Some(there[0].clone()), None, None]);
    assert_eq!(
        of(loaded(sql).await.as_ref(), sql.cluster),
        [reads("User:alice", "b")]
    );
}

/// Gives a cluster all ACLs that it may have but one, written directly.
async fn fill_but_for_one(sql: &Sql) {
    execute(
        sql,
        "INSERT INTO cell_acls (cluster, id, resource_type, pattern_type, resource_name, principal, host, operation, \
         permission, created_at) WITH RECURSIVE numbers (i) AS (SELECT 100001 UNION ALL SELECT i + 1 FROM numbers \
         WHERE i < 119999) SELECT (SELECT id FROM cell_clusters), '00000000000000000000000000' || CAST(i AS TEXT), \
         'topic', 'literal', 'n' || CAST(i AS TEXT), 'User:alice', '*', 'read', 'allow', 0 FROM numbers",
    )
    .await;
}

pub async fn a_cluster_has_so_many_acls_and_a_request_names_so_many(cell: &Cell) {
    let sql = cell.sql();
    let too_many = vec![reads("User:alice", "a"); MAX_ACLS_PER_COMMAND + 1];
    let refused = sql.catalog.create_acls(&sql.actor, create(sql, too_many)).await;
    assert!(
        matches!(refused, Err(CommandError::LimitExceeded { .. })),
        "{refused:?}"
    );
    let full = usize::try_from(MAX_ACLS_PER_CLUSTER).unwrap();
    fill_but_for_one(sql).await;
    let (_, last) = made(sql, vec![reads("User:alice", "t7")]).await;
    let more = vec![reads("User:alice", "t7"), reads("User:alice", "one more")];
    let more = sql
        .catalog
        .create_acls(&sql.actor, create(sql, more))
        .await
        .unwrap();
    assert!(more.value[0].is_ok(), "it is there");
    let refused = more.value[1].as_ref().unwrap_err().to_string();
    assert_eq!(refused, format!("the cluster may have at most {full} ACLs"));
    assert!(last.is_some() && more.sequence.is_none());
    // An answer that names each of them twice is too long.
    let twice = DeleteAcls {
        cluster: sql.cluster,
        filters: vec![AclFilter::default(), AclFilter::default()],
        validate_only: false,
    };
    let refused = sql.catalog.delete_acls(&sql.actor, twice).await;
    assert!(matches!(refused, Err(CommandError::LimitExceeded { .. })));
    // So many filters that are held against so many bindings are too much; those that can mean but one are looked up.
    let nobodys = |number: usize| AclFilter {
        principal: Some(format!("User:nobody-{number}")),
        ..AclFilter::default()
    };
    let mut filters: Vec<AclFilter> = (0..100).map(nobodys).collect();
    filters.extend((0..100).map(|number| AclFilter::only(&reads("User:nobody", &number.to_string()))));
    assert_eq!(deleted(sql, filters.clone()).await.1, None);
    filters.push(nobodys(100));
    let many = DeleteAcls {
        cluster: sql.cluster,
        filters,
        validate_only: false,
    };
    let refused = sql.catalog.delete_acls(&sql.actor, many).await;
    assert!(
        matches!(refused, Err(CommandError::LimitExceeded { .. })),
        "{refused:?}"
    );
    let (gone, sequence) = deleted(sql, vec![AclFilter::default()]).await;
    assert_eq!(gone[0].len(), full);
    the_trail_names_every_one(sql, sequence, full).await;
}

/// So many were removed at once.
async fn the_trail_names_every_one(sql: &Sql, sequence: Option<FeedSequence>, full: usize) {
    let rows = rows_at(sql, sequence).await;
    assert_eq!(rows.len(), full / 50);
    let mut named: Vec<String> = Vec::new();
    for (action, detail) in rows {
        assert_eq!(action, "delete_acls");
        let before = detail["before"].as_array().unwrap();
        named.extend(before.iter().map(|acl| acl["resource_name"].to_string()));
    }
    named.sort_unstable();
    named.dedup();
    assert_eq!(named.len(), full, "the trail names every one");
    let hashes = "SELECT COUNT(*) FROM cell_audit_heads AS head JOIN cell_audit AS last \
                  ON last.cluster = head.cluster AND last.position = head.position AND last.hash = head.hash";
    assert_eq!(number(sql, hashes).await, 1, "the chain ends with the last row");
}

pub async fn a_batch_of_acls_is_one_change_and_a_check_of_it_says_the_same(cell: &Cell) {
    let sql = cell.sql();
    let (there, _) = made(sql, vec![reads("User:alice", "there")]).await;
    let follower = ImageFollower::start(Arc::clone(&sql.catalog)).await.unwrap();
    let passing = AclId::of(&reads("User:alice", "passing"));
    let batch = |validate_only| ChangeAcls {
        cluster: sql.cluster,
        create: vec![
            reads("User:alice", "new"),
            reads("User:alice", "passing"),
            reads("alice", "bad"),
        ],
        delete: vec![there[0].id, passing, AclId(7), passing],
        validate_only,
    };
    let head = number(sql, "SELECT head FROM cell_feed_head").await;
    let shown = |changed: ChangedAcls| {
        let created = changed
            .created
            .iter()
            .map(|one| one.as_ref().map(|one| one.new).ok());
        let deleted = changed.deleted.iter().map(|one| one.as_ref().map(|one| one.id));
        (created.collect::<Vec<_>>(), deleted.collect::<Vec<_>>())
    };
    let expected = (
        vec![Some(true), Some(true), None],
        vec![Some(there[0].id), Some(passing), None, None],
    );
    let checked = sql.catalog.change_acls(&sql.actor, batch(true)).await.unwrap();
    assert_eq!((shown(checked.value), checked.sequence), (expected.clone(), None));
    assert_eq!(number(sql, "SELECT COUNT(*) FROM cell_acls").await, 1);
    let changed = sql.catalog.change_acls(&sql.actor, batch(false)).await.unwrap();
    let sequence = FeedSequence(head + 1);
    assert_eq!(
        (shown(changed.value), changed.sequence),
        (expected, Some(sequence))
    );
    let image = follower.wait_for(sequence).await;
    assert_eq!(of(&image, sql.cluster), [reads("User:alice", "new")]);
    assert_eq!(image.access(sql.cluster), loaded(sql).await.access(sql.cluster));
    let rows = rows_at(sql, Some(sequence)).await;
    let told = rows.iter().map(|(action, detail)| {
        let names = |word: &str| detail[word][0]["resource_name"].as_str().map(str::to_owned);
        (action.as_str(), names("before"), names("after"))
    });
    let name = |name: &str| Some(name.to_owned());
    assert_eq!(
        told.collect::<Vec<_>>(),
        [
            ("create_acls", None, name("new")),
            ("delete_acls", name("there"), None)
        ]
    );
}

pub async fn an_image_of_acls_that_was_folded_is_the_image_that_is_loaded(cell: &Cell) {
    let sql = cell.sql();
    let follower = ImageFollower::start(Arc::clone(&sql.catalog)).await.unwrap();
    let acls = (0..20).map(|place| reads(&format!("User:{}", place % 3), &format!("t{place}")));
    made(sql, acls.collect()).await;
    let filter = AclFilter {
        principal: Some("User:1".to_owned()),
        ..AclFilter::default()
    };
    let (_, sequence) = deleted(sql, vec![filter]).await;
    let folded = follower.wait_for(sequence.unwrap()).await;
    assert_eq!(of(&folded, sql.cluster).len(), 13);
    assert_eq!(folded.access(sql.cluster), loaded(sql).await.access(sql.cluster));
}

pub async fn acls_of_a_deleted_cluster_go_with_it(cell: &Cell) {
    let sql = cell.sql();
    made(sql, vec![reads("User:alice", "a")]).await;
    execute(sql, "UPDATE cell_clusters SET state = 'deleting', delete_at = 1").await;
    execute(sql, "UPDATE account_clusters SET delete_at = 1").await;
    assert_eq!(sql.catalog.reconcile_clusters().await.unwrap().purged, 1);
    assert_eq!(number(sql, "SELECT COUNT(*) FROM cell_acls").await, 0);
    assert!(loaded(sql).await.access(sql.cluster).is_none());
}
