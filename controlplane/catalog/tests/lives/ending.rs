//! Deletion, the way back, and what is left in the end; and what a crash leaves in between.

use std::time::Duration;

use firn_catalog::account::AccountError;
use firn_catalog::account::clusters::{ClusterPhase, ClusterUpdate, Reconciled, UNDELETE_WINDOW};
use firn_catalog::audit::{AuditFilter, AuditSpan, Trail};
use firn_catalog::commands::{Actor, CommandError};
use firn_catalog::entities::ClusterState;
use firn_catalog::ids::{ClusterId, FeedSequence};
use firn_catalog::image::ImageFollower;

use super::{Tenant, execute, missing, number, topic};
use crate::cell::{Cell, Sql};

async fn reconcile(sql: &Sql) -> Reconciled {
    sql.catalog.reconcile_clusters().await.unwrap()
}

pub async fn a_protected_cluster_is_not_deleted(cell: &Cell) {
    let sql = cell.sql();
    let tenant = Tenant::new(sql, 1).await;
    let actor = tenant.anywhere(sql, 1, "owner").await;
    let made = tenant.make(sql, &actor, "a").await;
    let protect = |protection| ClusterUpdate {
        deletion_protection: Some(protection),
        ..ClusterUpdate::default()
    };
    let update = async |update| {
        sql.catalog
            .update_cluster(&actor, made.id, update, None, false)
            .await
    };
    let delete = async || {
        sql.catalog
            .delete_cluster(&actor, made.id, UNDELETE_WINDOW, None, false)
            .await
    };
    update(protect(true)).await.unwrap();
    assert_eq!(delete().await, Err(AccountError::DeletionProtected));
    update(protect(false)).await.unwrap();
    delete().await.unwrap();
}

pub async fn a_deleted_cluster_comes_back_as_it_was_within_its_window(cell: &Cell) {
    let sql = cell.sql();
    cell.open(1).await;
    let tenant = Tenant::new(sql, 1).await;
    let actor = tenant.anywhere(sql, 1, "owner").await;
    let made = tenant.make(sql, &actor, "a").await;
    topic(sql, made.id, "kept").await.unwrap();
    sql.catalog
        .suspend_cluster(&actor, made.id, None, false)
        .await
        .unwrap();
    let delete = async || {
        sql.catalog
            .delete_cluster(&actor, made.id, UNDELETE_WINDOW, None, false)
            .await
    };
    let deleted = delete().await.unwrap().value;
    assert_eq!(deleted.phase, ClusterPhase::Deleting);
    assert!(deleted.delete_at.is_some());
    assert_eq!(
        delete().await.unwrap().value,
        deleted,
        "a second deletion does not move the end"
    );
    assert_eq!(
        topic(sql, made.id, "t").await,
        Err(CommandError::ClusterNotActive)
    );
    let resume = sql.catalog.resume_cluster(&actor, made.id, None, false).await;
    assert!(
        matches!(resume, Err(AccountError::Protected { .. })),
        "{resume:?}"
    );
    assert_eq!(reconcile(sql).await, Reconciled::default());
    let back = sql
        .catalog
        .undelete_cluster(&actor, made.id, None, false)
        .await
        .unwrap();
    assert_eq!(
        (back.value.phase, back.value.delete_at),
        (ClusterPhase::Suspended, None)
    );
    assert_eq!(back.value.in_cell.unwrap().topics, 1);
}

pub async fn after_its_window_a_cluster_does_not_come_back_and_is_purged(cell: &Cell) {
    let sql = cell.sql();
    cell.open(1).await;
    let tenant = Tenant::new(sql, 1).await;
    let actor = tenant.anywhere(sql, 1, "owner").await;
    let (kept, made) = (
        tenant.make(sql, &actor, "kept").await,
        tenant.make(sql, &actor, "a").await,
    );
    for (cluster, name) in [(made.id, "t1"), (made.id, "t2"), (kept.id, "t1")] {
        topic(sql, cluster, name).await.unwrap();
    }
    let local = tenant
        .person(sql, 2, "viewer", ("cluster", made.id.to_string()))
        .await;
    sql.catalog
        .delete_cluster(&actor, made.id, Duration::ZERO, None, false)
        .await
        .unwrap();
    let late = sql.catalog.undelete_cluster(&actor, made.id, None, false).await;
    assert!(matches!(late, Err(AccountError::Protected { .. })), "{late:?}");
    let purged = Reconciled {
        purged: 1,
        ..Reconciled::default()
    };
    assert_eq!(reconcile(sql).await, purged);
    assert_eq!(reconcile(sql).await, Reconciled::default());
    for actor in [&actor, &local] {
        assert_eq!(sql.catalog.cluster(actor, made.id).await, Err(missing()));
    }
    its_trail_is_its_organizations(sql, &tenant, (&actor, &local), made.id).await;
    let left = format!("SELECT COUNT(*) FROM cell_topics WHERE cluster = '{}'", made.id);
    assert_eq!(number(sql, left).await, 0);
    assert_eq!(number(sql, "SELECT COUNT(*) FROM cell_partitions").await, 2);
    assert_eq!(
        number(
            sql,
            "SELECT COUNT(*) FROM account_bindings WHERE scope_kind = 'cluster'"
        )
        .await,
        0
    );
    assert_eq!(
        sql.catalog
            .cluster(&actor, kept.id)
            .await
            .unwrap()
            .in_cell
            .unwrap()
            .topics,
        1
    );
    let again = firn_catalog::account::clusters::NewCluster {
        slug: Some(made.slug.clone()),
        ..tenant.cluster("a")
    };
    let again = sql
        .catalog
        .create_cluster(&actor, again, false)
        .await
        .unwrap()
        .value;
    assert_ne!(again.id, made.id);
}

/// Who may see the organization's own trail sees that of a cluster that is gone. For all others it is as if it had never been.
async fn its_trail_is_its_organizations(
    sql: &Sql,
    tenant: &Tenant,
    (owner, local): (&Actor, &Actor),
    cluster: ClusterId,
) {
    let trail = Trail::Cluster(cluster);
    let rows = sql
        .catalog
        .audit_trail(owner, trail, &AuditFilter::default(), 10)
        .await
        .unwrap();
    assert_eq!(rows[0].action, "purge_cluster");
    let head = sql.catalog.audit_head(owner, trail).await.unwrap();
    assert_eq!(Some(head.position), rows[0].position);
    let lines = sql
        .catalog
        .audit_export(owner, trail, &AuditSpan::default())
        .await;
    assert_eq!(
        lines.unwrap().last().map(|line| line.position),
        Some(head.position)
    );
    let viewer = tenant.anywhere(sql, 31, "viewer").await;
    let stranger = Tenant::new(sql, 3).await.anywhere(sql, 32, "owner").await;
    for (actor, trail) in [
        (local, trail),
        (&viewer, trail),
        (&stranger, trail),
        (owner, Trail::Cluster(ClusterId(77))),
    ] {
        assert_eq!(sql.catalog.audit_head(actor, trail).await, Err(missing()));
    }
}

pub async fn a_purge_that_broke_off_goes_on(cell: &Cell) {
    let sql = cell.sql();
    cell.open(1).await;
    let tenant = Tenant::new(sql, 1).await;
    let actor = tenant.anywhere(sql, 1, "owner").await;
    let made = tenant.make(sql, &actor, "a").await;
    topic(sql, made.id, "t").await.unwrap();
    sql.catalog
        .delete_cluster(&actor, made.id, Duration::ZERO, None, false)
        .await
        .unwrap();
    // The cell's part cannot be told, so that it breaks off once the way back is closed.
    execute(sql, "ALTER TABLE cell_feed RENAME TO feed_away").await;
    let broken = reconcile(sql).await;
    assert_eq!((broken.purged, broken.failed > 0), (0, true));
    execute(sql, "ALTER TABLE feed_away RENAME TO cell_feed").await;
    let purging = "SELECT COUNT(*) FROM account_clusters WHERE state = 'purging'";
    assert_eq!(number(sql, purging).await, 1);
    let late = sql.catalog.undelete_cluster(&actor, made.id, None, false).await;
    assert!(matches!(late, Err(AccountError::Protected { .. })), "{late:?}");
    assert_eq!(reconcile(sql).await.purged, 1);
    // The cell's part was done, the account store's was not.
    let other = tenant.make(sql, &actor, "b").await;
    sql.catalog
        .delete_cluster(&actor, other.id, Duration::ZERO, None, false)
        .await
        .unwrap();
    execute(sql, "ALTER TABLE account_bindings RENAME TO bindings_away").await;
    assert_eq!(reconcile(sql).await.purged, 0);
    execute(sql, "ALTER TABLE bindings_away RENAME TO account_bindings").await;
    assert_eq!(
        number(
            sql,
            format!("SELECT COUNT(*) FROM cell_clusters WHERE id = '{}'", other.id)
        )
        .await,
        0
    );
    assert_eq!(reconcile(sql).await.purged, 1);
    assert_eq!(sql.catalog.cluster(&actor, other.id).await, Err(missing()));
}

pub async fn what_a_crash_left_between_the_stores_is_finished(cell: &Cell) {
    let sql = cell.sql();
    let tenant = Tenant::new(sql, 1).await;
    let actor = tenant.anywhere(sql, 1, "owner").await;
    // The cell does not take it, as if the process ended before it was asked.
    execute(sql, "ALTER TABLE cell_feed RENAME TO feed_away").await;
    let lost = sql
        .catalog
        .create_cluster(&actor, tenant.cluster("a"), false)
        .await;
    assert!(matches!(lost, Err(AccountError::Catalog(_))), "{lost:?}");
    let seen = sql
        .catalog
        .clusters(&actor, &Default::default(), None, 10)
        .await
        .unwrap();
    assert_eq!(seen.len(), 1);
    assert_eq!((seen[0].phase, &seen[0].in_cell), (ClusterPhase::Creating, &None));
    let suspend = sql.catalog.suspend_cluster(&actor, seen[0].id, None, false).await;
    assert!(matches!(suspend, Err(AccountError::Catalog(_))), "{suspend:?}");
    execute(sql, "ALTER TABLE feed_away RENAME TO cell_feed").await;
    let brought = Reconciled {
        brought: 1,
        ..Reconciled::default()
    };
    assert_eq!(reconcile(sql).await, brought);
    assert_eq!(reconcile(sql).await, Reconciled::default());
    let there = sql.catalog.cluster(&actor, seen[0].id).await.unwrap();
    assert_eq!((there.phase, there.version), (ClusterPhase::Suspended, 2));
    assert!(there.in_cell.is_some());
    let whose = format!(
        "SELECT COUNT(*) FROM cell_audit WHERE cluster = '{}' AND principal = '{}'",
        there.id, actor.principal
    );
    assert_eq!(
        number(sql, whose).await,
        1,
        "the audit trail names who wanted it, not who brought it"
    );
    // It was in the cell, and this was not noted.
    execute(
        sql,
        format!(
            "UPDATE account_clusters SET applied = 0 WHERE cluster = '{}'",
            there.id
        ),
    )
    .await;
    let before = number(sql, "SELECT head FROM cell_feed_head").await;
    assert_eq!(reconcile(sql).await, brought);
    assert_eq!(number(sql, "SELECT head FROM cell_feed_head").await, before);
    assert_eq!(sql.catalog.cluster(&actor, there.id).await.unwrap(), there);
}

pub async fn the_image_follows_a_clusters_life(cell: &Cell) {
    let sql = cell.sql();
    cell.open(1).await;
    let tenant = Tenant::new(sql, 1).await;
    let actor = tenant.anywhere(sql, 1, "owner").await;
    let follower = ImageFollower::start(sql.catalog.clone()).await.unwrap();
    let made = tenant.make(sql, &actor, "a").await;
    topic(sql, made.id, "t").await.unwrap();
    let image = async || {
        let head = FeedSequence(number(sql, "SELECT head FROM cell_feed_head").await);
        let waited = tokio::time::timeout(Duration::from_secs(60), follower.wait_for(head)).await;
        let loaded = ImageFollower::start(sql.catalog.clone()).await.unwrap().image();
        let folded = waited.unwrap();
        let all = |image: &firn_catalog::image::Image| {
            format!(
                "{:?} {:?}",
                image.clusters().collect::<Vec<_>>(),
                image.topics().collect::<Vec<_>>()
            )
        };
        assert_eq!(all(&folded), all(&loaded));
        folded
    };
    let state = async || image().await.cluster(made.id).map(|cluster| cluster.state);
    assert_eq!(state().await, Some(ClusterState::Active));
    sql.catalog
        .suspend_cluster(&actor, made.id, None, false)
        .await
        .unwrap();
    assert_eq!(state().await, Some(ClusterState::Suspended));
    sql.catalog
        .delete_cluster(&actor, made.id, Duration::ZERO, None, false)
        .await
        .unwrap();
    assert_eq!(state().await, Some(ClusterState::Deleting));
    assert_eq!(reconcile(sql).await.purged, 1);
    assert_eq!(state().await, None);
    let image = image().await;
    assert!(image.cluster_by_slug(&made.slug).is_none());
    assert_eq!(image.topic_count(made.id), 0);
}
