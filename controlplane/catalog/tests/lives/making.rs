//! Making and seeing clusters.

use firn_catalog::account::AccountError;
use firn_catalog::account::clusters::{ClusterFilter, ClusterPhase, ClusterUpdate, NewCluster};
use firn_catalog::audit::{AuditFilter, Trail};
use firn_catalog::entities::ClusterLimits;
use firn_catalog::ids::{ClusterId, ProjectId};

use super::{Tenant, execute, missing, number};
use crate::cell::Cell;

pub async fn a_new_cluster_is_in_both_stores_in_the_feed_and_in_both_audit_trails(cell: &Cell) {
    let sql = cell.sql();
    let tenant = Tenant::new(sql, 1).await;
    let actor = tenant.anywhere(sql, 1, "operator").await;
    let before = number(sql, "SELECT head FROM cell_feed_head").await;
    let new = NewCluster {
        slug: Some("orders".to_owned()),
        ..tenant.cluster("My Orders")
    };
    let made = sql.catalog.create_cluster(&actor, new, false).await.unwrap();
    assert_eq!(made.sequence.unwrap().0, before + 1);
    let made = made.value;
    assert_eq!((made.name.as_str(), made.slug.as_str()), ("My Orders", "orders"));
    assert_eq!((made.phase, made.version), (ClusterPhase::Active, 1));
    assert_eq!(
        (made.organization, made.limits),
        (tenant.organization, ClusterLimits::USUAL)
    );
    assert_eq!(made.in_cell.as_ref().unwrap().kafka_id.len(), 22);
    assert_eq!(sql.catalog.cluster(&actor, made.id).await.unwrap(), made);
    let of = |table: &str, column: &str, what: &str| {
        format!("SELECT COUNT(*) FROM {table} WHERE {column} = '{what}' AND action = 'create_cluster'")
    };
    assert_eq!(
        number(sql, of("cell_audit", "cluster", &made.id.to_string())).await,
        1
    );
    assert_eq!(
        number(sql, of("account_audit", "resource", &made.id.public())).await,
        1
    );
    assert_eq!(
        number(
            sql,
            "SELECT COUNT(*) FROM account_clusters WHERE applied <> version"
        )
        .await,
        0
    );
}

pub async fn a_chosen_slug_that_is_taken_is_refused_and_a_made_up_one_is_not(cell: &Cell) {
    let sql = cell.sql();
    let (one, other) = (Tenant::new(sql, 1).await, Tenant::new(sql, 2).await);
    let (first, second) = (
        one.anywhere(sql, 1, "owner").await,
        other.anywhere(sql, 2, "owner").await,
    );
    let chosen = |tenant: &Tenant| NewCluster {
        slug: Some("orders".to_owned()),
        ..tenant.cluster("orders")
    };
    sql.catalog
        .create_cluster(&first, chosen(&one), false)
        .await
        .unwrap();
    let taken = AccountError::Exists {
        what: "slug",
        name: "orders".to_owned(),
    };
    assert_eq!(
        sql.catalog.create_cluster(&second, chosen(&other), false).await,
        Err(taken)
    );
    let made = other.make(sql, &second, "orders").await;
    let again = other.make(sql, &second, "orders").await;
    assert!(made.slug.starts_with("orders-") && again.slug.starts_with("orders-"));
    assert_ne!(made.slug, again.slug);
}

pub async fn what_a_cluster_may_not_be_is_refused_and_leaves_nothing(cell: &Cell) {
    let sql = cell.sql();
    let tenant = Tenant::new(sql, 1).await;
    let actor = tenant.anywhere(sql, 1, "owner").await;
    let before = number(sql, "SELECT COUNT(*) FROM account_clusters").await;
    let with = |name: &str, slug: Option<&str>, topics: i64| NewCluster {
        slug: slug.map(str::to_owned),
        limits: ClusterLimits {
            topics,
            ..ClusterLimits::USUAL
        },
        ..tenant.cluster(name)
    };
    for (new, at) in [
        (with("", None, 1), "/name"),
        (with(" a", None, 1), "/name"),
        (with("a\nb", None, 1), "/name"),
        (with(&"a".repeat(101), None, 1), "/name"),
        (with("a", Some("A"), 1), "/slug"),
        (with("a", Some("www"), 1), "/slug"),
        (with("a", Some("a-b7"), 1), "/slug"),
        (with("a", None, -1), "/limits/topics"),
        (with("a", None, 10_001), "/limits/topics"),
    ] {
        let refused = sql.catalog.create_cluster(&actor, new.clone(), false).await;
        assert!(
            matches!(&refused, Err(AccountError::Invalid { pointer, .. }) if *pointer == at),
            "{new:?}: {refused:?}"
        );
    }
    let nowhere = NewCluster {
        project: ProjectId(77),
        ..tenant.cluster("a")
    };
    let missing = AccountError::NotFound { what: "project" };
    assert_eq!(
        sql.catalog.create_cluster(&actor, nowhere, false).await,
        Err(missing)
    );
    assert_eq!(number(sql, "SELECT COUNT(*) FROM account_clusters").await, before);
}

pub async fn a_rehearsal_checks_everything_and_keeps_nothing(cell: &Cell) {
    let sql = cell.sql();
    let tenant = Tenant::new(sql, 1).await;
    let actor = tenant.anywhere(sql, 1, "owner").await;
    let before = number(sql, "SELECT head FROM cell_feed_head").await;
    let rehearsed = sql
        .catalog
        .create_cluster(&actor, tenant.cluster("a"), true)
        .await
        .unwrap();
    assert_eq!((rehearsed.sequence, rehearsed.value.name.as_str()), (None, "a"));
    assert_eq!(
        sql.catalog.cluster(&actor, rehearsed.value.id).await,
        Err(missing())
    );
    assert_eq!(number(sql, "SELECT head FROM cell_feed_head").await, before);
    let there = tenant.make(sql, &actor, "there").await;
    let window = std::time::Duration::from_secs(1);
    let deleted = sql
        .catalog
        .delete_cluster(&actor, there.id, window, None, true)
        .await
        .unwrap();
    assert_eq!(deleted.value.phase, ClusterPhase::Deleting);
    assert_eq!(sql.catalog.cluster(&actor, there.id).await.unwrap(), there);
}

pub async fn one_of_many_creators_gets_the_slug(cell: &Cell) {
    let sql = cell.sql();
    let mut creators = Vec::new();
    for number in 1..=8 {
        let tenant = Tenant::new(sql, number).await;
        let actor = tenant.anywhere(sql, number, "owner").await;
        let (catalog, new) = (sql.catalog.clone(), tenant.cluster("a"));
        creators.push(async move {
            let slug = Some("wanted".to_owned());
            catalog
                .create_cluster(&actor, NewCluster { slug, ..new }, false)
                .await
        });
    }
    let mut made = 0;
    for created in futures::future::join_all(creators).await {
        match created {
            Ok(_) => made += 1,
            Err(error) => assert!(
                matches!(error, AccountError::Exists { what: "slug", .. }),
                "{error:?}"
            ),
        }
    }
    assert_eq!(made, 1);
    assert_eq!(
        number(sql, "SELECT COUNT(*) FROM cell_clusters WHERE slug = 'wanted'").await,
        1
    );
}

pub async fn an_organization_has_so_many_clusters_however_they_are_asked_for(cell: &Cell) {
    let sql = cell.sql();
    let tenant = Tenant::new(sql, 1).await;
    let actor = tenant.anywhere(sql, 1, "owner").await;
    execute(
        sql,
        format!(
            "UPDATE account_organizations SET max_clusters = 3 WHERE id = '{}'",
            tenant.organization
        ),
    )
    .await;
    let ask = || {
        let (catalog, actor, new) = (sql.catalog.clone(), actor.clone(), tenant.cluster("a"));
        async move { catalog.create_cluster(&actor, new, false).await }
    };
    let asked = futures::future::join_all((0..8).map(|_| ask())).await;
    let full = AccountError::LimitExceeded {
        which: "clusters",
        limit: 3,
    };
    let mut made = 0;
    for asked in asked {
        match asked {
            Ok(_) => made += 1,
            Err(error) => assert_eq!(error, full),
        }
    }
    assert_eq!(made, 3);
}

pub async fn roles_decide_who_makes_changes_and_sees_clusters(cell: &Cell) {
    let sql = cell.sql();
    let tenant = Tenant::new(sql, 1).await;
    let owner = tenant.anywhere(sql, 1, "owner").await;
    let made = tenant.make(sql, &owner, "a").await;
    for (number, role, sees) in [(2, "developer", true), (3, "viewer", true), (4, "billing", false)] {
        let actor = tenant.anywhere(sql, number, role).await;
        assert_eq!(sql.catalog.cluster(&actor, made.id).await.is_ok(), sees, "{role}");
        let create = sql
            .catalog
            .create_cluster(&actor, tenant.cluster("b"), false)
            .await;
        assert_eq!(create, Err(AccountError::Forbidden), "{role}");
        let suspend = sql.catalog.suspend_cluster(&actor, made.id, None, false).await;
        assert_eq!(suspend, Err(AccountError::Forbidden), "{role}");
        let trail = sql
            .catalog
            .audit_trail(&actor, Trail::Cluster(made.id), &AuditFilter::default(), 10)
            .await;
        assert_eq!(trail, Err(AccountError::Forbidden), "{role}");
    }
    let denied = "SELECT COUNT(*) FROM account_audit WHERE decision = 'denied'";
    assert_eq!(number(sql, denied).await, 6);
    let scope = ("cluster", made.id.to_string());
    let local = tenant.person(sql, 5, "operator", scope).await;
    sql.catalog
        .suspend_cluster(&local, made.id, None, false)
        .await
        .unwrap();
    let trail = sql
        .catalog
        .audit_trail(&owner, Trail::Cluster(made.id), &AuditFilter::default(), 10)
        .await
        .unwrap();
    let actions: Vec<&str> = trail.iter().map(|row| row.action.as_str()).collect();
    assert_eq!(actions, ["suspend_cluster", "create_cluster"]);
    let after = AuditFilter {
        before: Some(trail[0].cursor()),
        ..AuditFilter::default()
    };
    let rest = sql
        .catalog
        .audit_trail(&owner, Trail::Cluster(made.id), &after, 10)
        .await;
    assert_eq!(rest.unwrap(), trail[1..]);
}

pub async fn foreign_is_as_absent(cell: &Cell) {
    let sql = cell.sql();
    let (one, other) = (Tenant::new(sql, 1).await, Tenant::new(sql, 2).await);
    let (owner, stranger) = (
        one.anywhere(sql, 1, "owner").await,
        other.anywhere(sql, 2, "owner").await,
    );
    let made = one.make(sql, &owner, "a").await;
    let second = std::time::Duration::from_secs(1);
    for id in [made.id, ClusterId(77)] {
        let catalog = &sql.catalog;
        let refused = Err(missing());
        assert_eq!(catalog.cluster(&stranger, id).await, refused);
        let update = catalog.update_cluster(&stranger, id, ClusterUpdate::default(), Some(7), false);
        assert_eq!(update.await, Err(missing()));
        assert_eq!(
            catalog.suspend_cluster(&stranger, id, None, false).await,
            Err(missing())
        );
        assert_eq!(
            catalog.resume_cluster(&stranger, id, None, false).await,
            Err(missing())
        );
        let delete = catalog.delete_cluster(&stranger, id, second, None, false);
        assert_eq!(delete.await, Err(missing()));
        assert_eq!(
            catalog.undelete_cluster(&stranger, id, None, false).await,
            Err(missing())
        );
        assert_eq!(
            catalog
                .audit_trail(&stranger, Trail::Cluster(id), &AuditFilter::default(), 1)
                .await,
            Err(missing())
        );
    }
    for project in [one.project, ProjectId(77)] {
        let filter = ClusterFilter {
            project: Some(project),
            ..ClusterFilter::default()
        };
        let seen = sql.catalog.clusters(&stranger, &filter, None, 10).await;
        assert_eq!(seen, Ok(Vec::new()));
    }
    assert_eq!(sql.catalog.cluster(&owner, made.id).await.unwrap(), made);
}

pub async fn a_list_shows_what_its_reader_may_see_filtered_and_page_by_page(cell: &Cell) {
    let sql = cell.sql();
    let (one, other) = (Tenant::new(sql, 1).await, Tenant::new(sql, 2).await);
    let (owner, stranger) = (
        one.anywhere(sql, 1, "owner").await,
        other.anywhere(sql, 2, "owner").await,
    );
    other.make(sql, &stranger, "hidden").await;
    for name in ["Alpha", "alphabet", "a_b", "axb", "beta"] {
        one.make(sql, &owner, name).await;
    }
    let list = async |filter: ClusterFilter, after, most| {
        sql.catalog.clusters(&owner, &filter, after, most).await.unwrap()
    };
    let all = list(ClusterFilter::default(), None, 10).await;
    assert_eq!(all.len(), 5);
    assert!(all.is_sorted_by_key(|cluster| cluster.id));
    let first = list(ClusterFilter::default(), None, 2).await;
    let rest = list(ClusterFilter::default(), Some(first[1].id), 10).await;
    assert_eq!([first, rest].concat(), all);
    let named = async |prefix: &str| {
        let filter = ClusterFilter {
            name_prefix: Some(prefix.to_owned()),
            ..ClusterFilter::default()
        };
        let mut names: Vec<_> = list(filter, None, 10).await.into_iter().map(|c| c.name).collect();
        names.sort();
        names
    };
    assert_eq!(named("ALPHA").await, ["Alpha", "alphabet"]);
    assert_eq!(named("a_").await, ["a_b"], "no pattern");
    assert!(named("%").await.is_empty());
    sql.catalog
        .suspend_cluster(&owner, all[0].id, None, false)
        .await
        .unwrap();
    let in_phase = async |phase| {
        let filter = ClusterFilter {
            phase: Some(phase),
            project: Some(one.project),
            ..ClusterFilter::default()
        };
        list(filter, None, 10).await.len()
    };
    assert_eq!(in_phase(ClusterPhase::Suspended).await, 1);
    assert_eq!(in_phase(ClusterPhase::Active).await, 4);
    assert_eq!(in_phase(ClusterPhase::Creating).await, 0);
    let scope = ("cluster", all[3].id.to_string());
    let local = one.person(sql, 3, "viewer", scope).await;
    let seen = sql
        .catalog
        .clusters(&local, &ClusterFilter::default(), None, 10)
        .await;
    assert_eq!(seen.unwrap(), [all[3].clone()]);
}
