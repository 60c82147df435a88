//! Changing client quotas.

use std::collections::BTreeMap;
use std::sync::Arc;

use firn_catalog::access::{Role, RoleSet};
use firn_catalog::commands::{
    Actor, AlterQuotas, CommandError, DeleteQuotas, MAX_QUOTA_ALTERATIONS, Principal, User,
};
use firn_catalog::ids::{ClusterId, FeedSequence};
use firn_catalog::image::{Image, ImageFollower};
use firn_catalog::quota::{MAX_ENTITIES_PER_CLUSTER, Named, QuotaEntity, QuotaKey, QuotaValues, version};
use serde_json::{Value, json};
use sqlx::{AnyConnection, Connection};

use super::{execute, number};
use crate::cell::{Cell, Sql};

use QuotaKey::{ConnectionCreationRate, ConsumerByteRate, ProducerByteRate, RequestPercentage};

type Changes = Vec<(QuotaKey, Option<f64>)>;

fn user(name: &str) -> QuotaEntity {
    QuotaEntity::User(Named::Name(name.to_owned()))
}

fn alter(sql: &Sql, alterations: Vec<(QuotaEntity, Changes)>) -> AlterQuotas {
    AlterQuotas {
        cluster: sql.cluster,
        alterations,
        expected: None,
        validate_only: false,
    }
}

/// Runs a command; what became of each entity, and the place in the feed.
async fn altered(
    sql: &Sql,
    command: AlterQuotas,
) -> (Vec<Result<QuotaValues, CommandError>>, Option<FeedSequence>) {
    let committed = sql.catalog.alter_quotas(&sql.actor, command).await.unwrap();
    (committed.value, committed.sequence)
}

async fn loaded(sql: &Sql) -> Arc<Image> {
    ImageFollower::start(Arc::clone(&sql.catalog))
        .await
        .unwrap()
        .image()
}

fn values(pairs: &[(QuotaKey, f64)]) -> QuotaValues {
    pairs.iter().copied().collect()
}

pub async fn quotas_change_key_by_key_and_are_gone_without_any(cell: &Cell) {
    let sql = cell.sql();
    let follower = ImageFollower::start(Arc::clone(&sql.catalog)).await.unwrap();
    let pair = QuotaEntity::UserClient(Named::Name("alice".to_owned()), Named::Default);
    let address = QuotaEntity::Ip(Named::Name("::ffff:10.0.0.1".parse().unwrap()));
    let command = alter(
        sql,
        vec![
            (
                user("alice"),
                vec![(ProducerByteRate, Some(1000.0)), (RequestPercentage, Some(12.5))],
            ),
            (pair.clone(), vec![(ConsumerByteRate, Some(7.0))]),
            (address, vec![(ConnectionCreationRate, Some(3.0))]),
        ],
    );
    let (outcomes, sequence) = altered(sql, command).await;
    let both = values(&[(ProducerByteRate, 1000.0), (RequestPercentage, 12.5)]);
    assert_eq!(outcomes[0], Ok(both));
    let change = vec![
        (ProducerByteRate, None),
        (ConsumerByteRate, Some(5.0)),
        (RequestPercentage, Some(12.5)),
    ];
    let (outcomes, later) = altered(sql, alter(sql, vec![(user("alice"), change)])).await;
    let now = values(&[(ConsumerByteRate, 5.0), (RequestPercentage, 12.5)]);
    assert_eq!(outcomes, [Ok(now.clone())]);
    assert!(later > sequence);

    follower.wait_for(later.unwrap()).await;
    for image in [follower.image(), loaded(sql).await] {
        let quotas = image.quotas(sql.cluster).unwrap();
        assert_eq!(
            (quotas.len(), quotas.get(&user("alice")).unwrap().as_ref()),
            (3, &now)
        );
        let applied = quotas.of("alice", "any", ConsumerByteRate).unwrap();
        assert_eq!((applied.value, applied.entity), (7.0, &pair));
        let plain = quotas.of_address("10.0.0.1".parse().unwrap()).unwrap();
        assert_eq!(plain.value, 3.0);
        assert_eq!(image.quotas(ClusterId(77)), None);
    }
    let all = vec![(ConsumerByteRate, None), (RequestPercentage, None)];
    let (outcomes, gone) = altered(sql, alter(sql, vec![(user("alice"), all)])).await;
    assert_eq!(outcomes, [Ok(BTreeMap::new())]);
    follower.wait_for(gone.unwrap()).await;
    assert_eq!(
        follower.image().quotas(sql.cluster),
        loaded(sql).await.quotas(sql.cluster)
    );
    assert_eq!(number(sql, "SELECT COUNT(*) FROM cell_quotas").await, 2);
}

pub async fn an_entity_whose_quotas_cannot_be_changes_nothing_and_the_others_change(cell: &Cell) {
    let sql = cell.sql();
    let one = |entity, key, value| (entity, vec![(key, value)]);
    let address = QuotaEntity::Ip(Named::Default);
    let bad = vec![
        one(user(""), ProducerByteRate, Some(1.0)),
        one(user("a\0b"), ProducerByteRate, Some(1.0)),
        one(user("a"), ConnectionCreationRate, Some(1.0)),
        one(user("b"), ConnectionCreationRate, None),
        one(address, ProducerByteRate, Some(1.0)),
        one(user("c"), ProducerByteRate, Some(0.5)),
        one(user("d"), RequestPercentage, Some(f64::NAN)),
        one(user("e"), RequestPercentage, Some(-1.0)),
        (
            user("f"),
            vec![(ProducerByteRate, Some(1.0)), (ProducerByteRate, None)],
        ),
        one(user("twice"), ProducerByteRate, Some(2.0)),
        one(user("twice"), ProducerByteRate, Some(2.0)),
    ];
    let count = bad.len();
    let mut alterations = vec![one(user("good"), ProducerByteRate, Some(1.0))];
    alterations.extend(bad);
    let (outcomes, sequence) = altered(sql, alter(sql, alterations)).await;
    assert_eq!(outcomes[0], Ok(values(&[(ProducerByteRate, 1.0)])));
    assert_eq!(outcomes.len(), count + 1);
    for outcome in &outcomes[1..] {
        assert!(
            matches!(outcome, Err(CommandError::InvalidQuota { .. })),
            "{outcome:?}"
        );
    }
    assert!(sequence.is_some());
    let image = loaded(sql).await;
    let quotas: Vec<_> = image.quotas(sql.cluster).unwrap().iter().collect();
    assert_eq!(
        quotas,
        [(&user("good"), &Arc::new(values(&[(ProducerByteRate, 1.0)])))]
    );
    let many =
        (0..=MAX_QUOTA_ALTERATIONS).map(|name| one(user(&name.to_string()), ProducerByteRate, Some(1.0)));
    let refused = sql
        .catalog
        .alter_quotas(&sql.actor, alter(sql, many.collect()))
        .await;
    assert!(
        matches!(refused, Err(CommandError::InvalidQuota { .. })),
        "{refused:?}"
    );
}

pub async fn a_check_of_quotas_and_what_is_so_already_tell_nothing(cell: &Cell) {
    let sql = cell.sql();
    let one = || alter(sql, vec![(user("a"), vec![(ProducerByteRate, Some(1.0))])]);
    let check = AlterQuotas {
        validate_only: true,
        ..one()
    };
    let (outcomes, sequence) = altered(sql, check).await;
    assert_eq!(
        (outcomes, sequence),
        (vec![Ok(values(&[(ProducerByteRate, 1.0)]))], None)
    );
    assert_eq!(number(sql, "SELECT COUNT(*) FROM cell_quotas").await, 0);
    assert!(altered(sql, one()).await.1.is_some());
    let head = number(sql, "SELECT head FROM cell_feed_head").await;
    let audited = number(sql, "SELECT COUNT(*) FROM cell_audit").await;
    let absent = vec![(user("b"), vec![(ProducerByteRate, None)]), (user("c"), vec![])];
    for command in [one(), alter(sql, absent)] {
        assert_eq!(altered(sql, command).await.1, None);
    }
    assert_eq!(number(sql, "SELECT head FROM cell_feed_head").await, head);
    assert_eq!(number(sql, "SELECT COUNT(*) FROM cell_audit").await, audited);
}

pub async fn a_changed_quota_is_told_with_what_it_was(cell: &Cell) {
    let sql = cell.sql();
    for value in [Some(1.0), Some(2.5), None] {
        let command = alter(sql, vec![(user("a"), vec![(RequestPercentage, value)])]);
        altered(sql, command).await;
    }
    let mut connection = AnyConnection::connect(&sql.url).await.unwrap();
    let rows: Vec<(String, String, String)> = sqlx::query_as(
        "SELECT subject, resource_kind, detail FROM cell_audit WHERE action = 'alter_quotas' ORDER BY sequence",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    let entity = json!({"user": {"name": "a"}});
    let (first, second) = (
        json!({"request_percentage": 1.0}),
        json!({"request_percentage": 2.5}),
    );
    let expected = [
        json!({"entity": entity, "before": null, "after": first}),
        json!({"entity": entity, "before": first, "after": second}),
        json!({"entity": entity, "before": second, "after": null}),
    ];
    assert_eq!(rows.len(), 3);
    for ((subject, kind, detail), expected) in rows.iter().zip(expected) {
        assert_eq!((subject, kind.as_str()), (&user("a").id().public(), "quota"));
        assert_eq!(serde_json::from_str::<Value>(detail).unwrap(), expected);
    }
}

pub async fn quotas_of_many_entities_are_one_change_with_an_audit_row_each(cell: &Cell) {
    let sql = cell.sql();
    let head = number(sql, "SELECT head FROM cell_feed_head").await;
    let one = |place: usize| (user(&place.to_string()), vec![(RequestPercentage, Some(1.0))]);
    let (_, sequence) = altered(sql, alter(sql, (0..MAX_QUOTA_ALTERATIONS).map(one).collect())).await;
    assert_eq!(sequence, Some(FeedSequence(head + 1)));
    assert_eq!(number(sql, "SELECT head FROM cell_feed_head").await, head + 1);
    let rows = "SELECT COUNT(DISTINCT subject) FROM cell_audit WHERE action = 'alter_quotas' \
                AND sequence = (SELECT head FROM cell_feed_head)";
    let rows = number(sql, rows).await;
    assert_eq!(usize::try_from(rows).unwrap(), MAX_QUOTA_ALTERATIONS);
    let image = loaded(sql).await;
    assert_eq!(image.quotas(sql.cluster).unwrap().len(), MAX_QUOTA_ALTERATIONS);
}

pub async fn quotas_change_in_the_version_that_was_read_and_go_by_their_id(cell: &Cell) {
    let sql = cell.sql();
    let set = |value, expected| AlterQuotas {
        expected,
        ..alter(sql, vec![(user("a"), vec![(RequestPercentage, Some(value))])])
    };
    let (first, second) = (
        version(&values(&[(RequestPercentage, 1.0)])),
        version(&values(&[(RequestPercentage, 2.0)])),
    );
    assert!(altered(sql, set(1.0, None)).await.1.is_some());
    assert!(altered(sql, set(2.0, Some(first))).await.1.is_some());
    let late = Err(CommandError::VersionMismatch { current: second });
    assert_eq!(
        altered(sql, set(3.0, Some(first))).await,
        (vec![late.clone()], None)
    );
    // No image is followed here: what another process has made is found all the same.
    let delete = |expected| DeleteQuotas {
        cluster: sql.cluster,
        id: user("a").id(),
        expected,
        validate_only: false,
    };
    let refused = sql.catalog.delete_quotas(&sql.actor, delete(Some(first))).await;
    assert_eq!(refused.map(|_| QuotaValues::new()), late);
    let gone = sql
        .catalog
        .delete_quotas(&sql.actor, delete(Some(second)))
        .await
        .unwrap();
    assert!(gone.value == user("a") && gone.sequence.is_some());
    let again = sql.catalog.delete_quotas(&sql.actor, delete(None)).await;
    assert_eq!(again, Err(CommandError::UnknownQuota));
}

pub async fn a_cluster_has_quotas_for_so_many_entities(cell: &Cell) {
    let sql = cell.sql();
    let mut connection = AnyConnection::connect(&sql.url).await.unwrap();
    let insert =
        "INSERT INTO cell_quotas (cluster, entity, quotas) VALUES ($1, $2, '{\"request_percentage\":1.0}')";
    sqlx::query("BEGIN").execute(&mut connection).await.unwrap();
    for name in 1..MAX_ENTITIES_PER_CLUSTER {
        let query = sqlx::query(insert).bind(sql.cluster.to_string());
        let entity = serde_json::to_string(&user(&name.to_string())).unwrap();
        query.bind(entity).execute(&mut connection).await.unwrap();
    }
    sqlx::query("COMMIT").execute(&mut connection).await.unwrap();
    let new = |name: &str| (user(name), vec![(RequestPercentage, Some(2.0))]);
    let (outcomes, _) = altered(
        sql,
        alter(sql, vec![new("1"), new("last"), new("beyond"), new("2")]),
    )
    .await;
    let full = CommandError::LimitExceeded {
        which: "entities with quotas",
        limit: MAX_ENTITIES_PER_CLUSTER,
    };
    assert_eq!(outcomes[2], Err(full));
    assert!(outcomes[0].is_ok() && outcomes[1].is_ok() && outcomes[3].is_ok());
    let gone = (user("1"), vec![(RequestPercentage, None)]);
    let (outcomes, _) = altered(sql, alter(sql, vec![gone, new("beyond")])).await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    let image = loaded(sql).await;
    let quotas = image.quotas(sql.cluster).unwrap();
    assert_eq!(i64::try_from(quotas.len()).unwrap(), MAX_ENTITIES_PER_CLUSTER);
}

pub async fn quotas_are_changed_by_those_who_configure_the_cluster_alone(cell: &Cell) {
    let sql = cell.sql();
    let of = |cluster, role| {
        let roles = RoleSet::NONE.with(role);
        let name = "someone".into();
        Actor::process(Principal::User(Arc::new(User { cluster, name, roles })), "test")
    };
    let command = |cluster| AlterQuotas {
        cluster,
        alterations: vec![(user("a"), vec![(RequestPercentage, Some(1.0))])],
        expected: None,
        validate_only: false,
    };
    for (role, may) in [
        (Role::Owner, true),
        (Role::Admin, true),
        (Role::Operator, true),
        (Role::Developer, false),
        (Role::Viewer, false),
        (Role::Billing, false),
    ] {
        let done = sql
            .catalog
            .alter_quotas(&of(sql.cluster, role), command(sql.cluster))
            .await;
        assert_eq!(done.is_ok(), may, "{role:?}: {done:?}");
        assert!(may || done == Err(CommandError::NotAuthorized));
    }
    let stranger = of(ClusterId(9), Role::Owner);
    for cluster in [sql.cluster, ClusterId(77)] {
        let refused = sql.catalog.alter_quotas(&stranger, command(cluster)).await;
        assert_eq!(refused, Err(CommandError::NotAuthorized));
    }
    let nowhere = sql.catalog.alter_quotas(&stranger, command(ClusterId(9))).await;
    assert_eq!(nowhere, Err(CommandError::UnknownCluster));
    execute(sql, "UPDATE cell_clusters SET state = 'suspended'").await;
    let suspended = sql.catalog.alter_quotas(&sql.actor, command(sql.cluster)).await;
    assert_eq!(suspended, Err(CommandError::ClusterNotActive));
}

pub async fn quotas_of_a_deleted_cluster_go_with_it(cell: &Cell) {
    let sql = cell.sql();
    altered(
        sql,
        alter(sql, vec![(user("a"), vec![(RequestPercentage, Some(1.0))])]),
    )
    .await;
    execute(sql, "UPDATE cell_clusters SET state = 'deleting', delete_at = 1").await;
    execute(sql, "UPDATE account_clusters SET delete_at = 1").await;
    assert_eq!(sql.catalog.reconcile_clusters().await.unwrap().purged, 1);
    assert_eq!(number(sql, "SELECT COUNT(*) FROM cell_quotas").await, 0);
    assert_eq!(loaded(sql).await.quotas(sql.cluster), None);
}
