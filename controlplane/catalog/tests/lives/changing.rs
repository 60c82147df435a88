//! Changing clusters.

use firn_catalog::account::AccountError;
use firn_catalog::account::clusters::{
    CONNECTIONS_PER_ORGANIZATION, ClusterPhase, ClusterUpdate, EGRESS_PER_ORGANIZATION,
    INGRESS_PER_ORGANIZATION, LimitsUpdate, STORAGE_BYTES_PER_ORGANIZATION,
};
use firn_catalog::commands::{CommandError, WantedCluster};
use firn_catalog::entities::{ClusterLimits, ClusterState};
use firn_catalog::ids::ClusterId;

use super::{Tenant, execute, number, topic};
use crate::cell::Cell;

pub async fn an_update_names_the_version_that_it_changes(cell: &Cell) {
    let sql = cell.sql();
    let tenant = Tenant::new(sql, 1).await;
    let actor = tenant.anywhere(sql, 1, "owner").await;
    let made = tenant.make(sql, &actor, "a").await;
    let named = |name: &str| ClusterUpdate {
        name: Some(name.to_owned()),
        ..ClusterUpdate::default()
    };
    let update = async |update, expected| {
        sql.catalog
            .update_cluster(&actor, made.id, update, expected, false)
            .await
    };
    let changed = update(named("b"), Some(1)).await.unwrap().value;
    assert_eq!((changed.version, changed.name.as_str()), (2, "b"));
    let stale = AccountError::VersionMismatch { current: 2 };
    assert_eq!(update(named("c"), Some(1)).await, Err(stale));
    let same = update(named("b"), Some(2)).await.unwrap().value;
    assert_eq!(same, changed, "no change is no new version");
    let invalid = update(named(""), Some(2)).await;
    assert!(matches!(
        invalid,
        Err(AccountError::Invalid { pointer: "/name", .. })
    ));
}

pub async fn limits_are_in_force_once_they_are_stored(cell: &Cell) {
    let sql = cell.sql();
    cell.open(1).await;
    let tenant = Tenant::new(sql, 1).await;
    let actor = tenant.anywhere(sql, 1, "owner").await;
    let made = tenant.make(sql, &actor, "a").await;
    topic(sql, made.id, "first").await.unwrap();
    let limits = LimitsUpdate {
        topics: Some(1),
        storage_bytes: Some(5),
        ..LimitsUpdate::default()
    };
    let update = ClusterUpdate {
        limits,
        ..ClusterUpdate::default()
    };
    let changed = sql
        .catalog
        .update_cluster(&actor, made.id, update, None, false)
        .await
        .unwrap();
    let expected = ClusterLimits {
        topics: 1,
        storage_bytes: 5,
        ..ClusterLimits::USUAL
    };
    assert_eq!(changed.value.limits, expected);
    assert_eq!(changed.value.in_cell.unwrap().topics, 1);
    let full = CommandError::LimitExceeded {
        which: "topics",
        limit: 1,
    };
    assert_eq!(topic(sql, made.id, "second").await, Err(full));
}

pub async fn clusters_of_an_organization_share_what_it_may_have(cell: &Cell) {
    let sql = cell.sql();
    let tenant = Tenant::new(sql, 1).await;
    let actor = tenant.anywhere(sql, 1, "owner").await;
    let organization = tenant.organization;
    let allow = async |column: &str, most: i64| {
        let update =
            format!("UPDATE account_organizations SET {column} = {most} WHERE id = '{organization}'");
        execute(sql, update).await;
    };
    let exceeds = |result: Result<_, AccountError>, most: i64| {
        let refused = matches!(&result, Err(AccountError::LimitExceeded { limit, .. }) if *limit == most);
        assert!(refused, "{most}: {result:?}");
    };
    // Whoever asks at once takes turns.
    let (partitions, usual) = ("max_partitions", ClusterLimits::USUAL);
    allow(partitions, usual.partitions * 3).await;
    let ask = |_| sql.catalog.create_cluster(&actor, tenant.cluster("a"), false);
    let asked = futures::future::join_all((0..8).map(ask)).await;
    let (made, refused): (Vec<_>, Vec<_>) = asked.into_iter().partition(Result::is_ok);
    assert_eq!(made.len(), 3);
    for refused in refused {
        exceeds(refused, usual.partitions * 3);
    }
    let id = made.into_iter().next().unwrap().unwrap().value.id;
    let change = async |limits: LimitsUpdate| {
        let update = ClusterUpdate {
            limits,
            ..ClusterUpdate::default()
        };
        sql.catalog.update_cluster(&actor, id, update, None, false).await
    };
    let of = |partitions| LimitsUpdate {
        partitions: Some(partitions),
        ..LimitsUpdate::default()
    };
    exceeds(change(of(usual.partitions + 1)).await, usual.partitions * 3);
    change(of(usual.partitions - 1)).await.unwrap();
    change(of(usual.partitions)).await.unwrap();
    // With an allowance that is below what is there, nothing may rise, and all else may change.
    allow(partitions, 1).await;
    change(of(usual.partitions - 5)).await.unwrap();
    exceeds(change(of(usual.partitions - 4)).await, 1);
    let topics = LimitsUpdate {
        topics: Some(7),
        ..LimitsUpdate::default()
    };
    change(topics).await.unwrap();
    for (column, limits, usual) in more_than_usual() {
        exceeds(change(limits).await, usual);
        allow(column, i64::MAX).await;
        change(limits).await.unwrap();
    }
}

/// Where it stands what an organization may have, a cluster's limit that is more, and what it may have usually.
fn more_than_usual() -> [(&'static str, LimitsUpdate, i64); 4] {
    let storage = LimitsUpdate {
        storage_bytes: Some(1 << 50),
        ..LimitsUpdate::default()
    };
    let connections = LimitsUpdate {
        connections: Some(10_000),
        ..LimitsUpdate::default()
    };
    let ingress = LimitsUpdate {
        ingress: Some(1 << 40),
        ..LimitsUpdate::default()
    };
    let egress = LimitsUpdate {
        egress: Some(1 << 40),
        ..LimitsUpdate::default()
    };
    [
        ("max_storage_bytes", storage, STORAGE_BYTES_PER_ORGANIZATION),
        ("max_connections", connections, CONNECTIONS_PER_ORGANIZATION),
        ("max_ingress", ingress, INGRESS_PER_ORGANIZATION),
        ("max_egress", egress, EGRESS_PER_ORGANIZATION),
    ]
}

pub async fn rates_of_clusters_that_were_made_before_there_were_any_count_as_usual(cell: &Cell) {
    let sql = cell.sql();
    let tenant = Tenant::new(sql, 1).await;
    let actor = tenant.anywhere(sql, 1, "owner").await;
    let old = tenant.make(sql, &actor, "a").await.id;
    let update = format!(
        "UPDATE account_clusters SET limits = '{{\"topics\":1,\"partitions\":1,\"storage_bytes\":1,\"connections\":1}}' WHERE cluster = '{old}'"
    );
    execute(sql, update).await;
    let kept = sql.catalog.cluster(&actor, old).await.unwrap().limits;
    assert_eq!(kept.ingress, ClusterLimits::HIGHEST.ingress, "it is not limited");
    // Whatever is changed, all limits are written down.
    let renamed = ClusterUpdate {
        name: Some("old".to_owned()),
        ..ClusterUpdate::default()
    };
    let renamed = sql
        .catalog
        .update_cluster(&actor, old, renamed, None, false)
        .await;
    assert_eq!(renamed.unwrap().value.limits, kept);
    let new = tenant.make(sql, &actor, "b").await.id;
    let rise = |ingress| ClusterUpdate {
        limits: LimitsUpdate {
            ingress: Some(ingress),
            ..LimitsUpdate::default()
        },
        ..ClusterUpdate::default()
    };
    let room = INGRESS_PER_ORGANIZATION - ClusterLimits::USUAL.ingress;
    let refused = sql
        .catalog
        .update_cluster(&actor, new, rise(room + 1), None, false)
        .await;
    assert!(
        matches!(refused, Err(AccountError::LimitExceeded { .. })),
        "{refused:?}"
    );
    sql.catalog
        .update_cluster(&actor, new, rise(room), None, false)
        .await
        .unwrap();
}

pub async fn a_suspended_cluster_takes_no_commands_until_it_is_resumed(cell: &Cell) {
    let sql = cell.sql();
    cell.open(1).await;
    let tenant = Tenant::new(sql, 1).await;
    let actor = tenant.anywhere(sql, 1, "owner").await;
    let made = tenant.make(sql, &actor, "a").await;
    let suspended = sql.catalog.suspend_cluster(&actor, made.id, Some(1), false).await;
    assert_eq!(suspended.unwrap().value.phase, ClusterPhase::Suspended);
    assert_eq!(
        topic(sql, made.id, "t").await,
        Err(CommandError::ClusterNotActive)
    );
    let again = sql.catalog.suspend_cluster(&actor, made.id, Some(2), false).await;
    assert_eq!(again.unwrap().value.version, 2);
    let resumed = sql.catalog.resume_cluster(&actor, made.id, Some(2), false).await;
    assert_eq!(resumed.unwrap().value.phase, ClusterPhase::Active);
    topic(sql, made.id, "t").await.unwrap();
}

pub async fn what_is_being_deleted_is_not_made_in_the_cell(cell: &Cell) {
    let sql = cell.sql();
    let tenant = Tenant::new(sql, 1).await;
    let actor = tenant.anywhere(sql, 1, "owner").await;
    let before = number(sql, "SELECT head FROM cell_feed_head").await;
    let gone = WantedCluster {
        id: ClusterId(77),
        slug: "gone".to_owned(),
        organization: tenant.organization,
        state: ClusterState::Deleting,
        delete_at: Some(firn_runtime::Timestamp(1)),
        limits: ClusterLimits::USUAL,
        version: 3,
    };
    assert_eq!(sql.catalog.apply_cluster(&actor, &gone).await.unwrap().0, before);
    let rows = format!("SELECT COUNT(*) FROM cell_clusters WHERE id = '{}'", gone.id);
    assert_eq!(number(sql, rows).await, 0);
    assert_eq!(number(sql, "SELECT head FROM cell_feed_head").await, before);
}

pub async fn an_older_version_changes_nothing(cell: &Cell) {
    let sql = cell.sql();
    let tenant = Tenant::new(sql, 1).await;
    let actor = tenant.anywhere(sql, 1, "owner").await;
    let made = tenant.make(sql, &actor, "a").await;
    sql.catalog
        .suspend_cluster(&actor, made.id, None, false)
        .await
        .unwrap();
    let before = number(sql, "SELECT head FROM cell_feed_head").await;
    for version in [1, 2] {
        let late = WantedCluster {
            id: made.id,
            slug: made.slug.clone(),
            organization: made.organization,
            state: ClusterState::Active,
            delete_at: None,
            limits: made.limits,
            version,
        };
        let sequence = sql.catalog.apply_cluster(&actor, &late).await.unwrap();
        assert_eq!(sequence.0, before);
    }
    let suspended = "SELECT COUNT(*) FROM cell_clusters WHERE state = 'suspended'";
    assert_eq!(number(sql, suspended).await, 1);
}
