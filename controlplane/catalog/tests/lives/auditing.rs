//! Audit trails are chains.

use std::collections::BTreeSet;

use firn_catalog::account::AccountError;
use firn_catalog::account::clusters::ClusterUpdate;
use firn_catalog::audit::chain::Line;
use firn_catalog::audit::verifying::{Broken, Head, Verified, Verifier};
use firn_catalog::audit::{AUDIT_TOPIC, AuditFilter, AuditSpan, BrokerEvent, Details, EXPORT_AT_ONCE, Trail};
use firn_catalog::commands::{
    Actor, AlterTopicConfigs, CommandError, CreatePartitions, CreateTopic, Principal, TopicRef,
};
use firn_catalog::ids::{AuditId, ClusterId};
use firn_catalog::topic_config::{ConfigAlteration, ConfigOp, ConfigOpKind};
use firn_runtime::Timestamp;
use futures::future::{join, join_all};
use serde_json::{Value, json};

use super::{Tenant, execute, topic};
use crate::cell::{Cell, Sql};

fn denial(number: u128, cluster: ClusterId) -> BrokerEvent {
    BrokerEvent {
        id: AuditId(number),
        cluster,
        at: Timestamp(1_000 + i64::try_from(number % 1_000).unwrap()),
        principal: "User:alice".to_owned(),
        credential: None,
        address: Some("192.0.2.1".to_owned()),
        request_id: String::new(),
        action: "write",
        kind: "topic",
        resource: "orders".to_owned(),
        allowed: false,
        details: Details::from_iter([("count".to_owned(), json!(3))]),
    }
}

/// The whole chain, piece by piece.
async fn export(sql: &Sql, actor: &Actor, trail: Trail, mut span: AuditSpan) -> Vec<Line> {
    let mut all: Vec<Line> = Vec::new();
    loop {
        let lines = sql.catalog.audit_export(actor, trail, &span).await.unwrap();
        let Some(last) = lines.last() else { return all };
        assert!(i64::try_from(lines.len()).unwrap() <= EXPORT_AT_ONCE);
        span.after = Some(last.position);
        span.from = None;
        all.extend(lines);
    }
}

fn verify(lines: &[Line], head: Option<Head>) -> Result<Option<Verified>, Broken> {
    let mut verifier = Verifier::new(head);
    for line in lines {
        verifier.line(&line.text())?;
    }
    verifier.finish()
}

fn filter(set: impl FnOnce(&mut AuditFilter)) -> AuditFilter {
    let mut filter = AuditFilter::default();
    set(&mut filter);
    filter
}

pub async fn writers_and_denials_at_once_leave_a_chain_without_a_gap(cell: &Cell) {
    let sql = cell.sql();
    cell.open(1).await;
    let tenant = Tenant::new(sql, 1).await;
    let owner = tenant.anywhere(sql, 1, "owner").await;
    let (one, other) = (
        tenant.make(sql, &owner, "a").await.id,
        tenant.make(sql, &owner, "b").await.id,
    );
    let names: Vec<_> = (0..20).map(|number| format!("t{number}")).collect();
    let topics = names.iter().map(|name| async move {
        topic(sql, one, name).await.unwrap();
        topic(sql, other, name).await.unwrap();
    });
    let denials = (0..10_u128).map(|batch| async move {
        // In either order: locks are taken in one.
        let mut events: Vec<_> = (0..6)
            .map(|number| {
                denial(
                    1_000 * (batch + 1) + number,
                    if number % 2 == 0 { one } else { other },
                )
            })
            .collect();
        if batch % 2 == 0 {
            events.reverse();
        }
        sql.catalog.record_events(&events).await.unwrap();
    });
    let projects = names.iter().map(|name| {
        sql.catalog
            .create_project(&owner, tenant.organization, name, false)
    });
    let (_, outcomes) = join(join(join_all(topics), join_all(denials)), join_all(projects)).await;
    assert!(outcomes.iter().all(Result::is_ok));
    for (trail, rows) in [
        (Trail::Cluster(one), 1 + 20 + 30),
        (Trail::Cluster(other), 1 + 20 + 30),
        (Trail::Organization(tenant.organization), 2 + 20),
    ] {
        let lines = export(sql, &owner, trail, AuditSpan::default()).await;
        let head = sql.catalog.audit_head(&owner, trail).await.unwrap();
        let head = Head {
            trail: trail.to_string(),
            position: head.position,
            hash: head.hash,
        };
        let verified = verify(&lines, Some(head.clone())).unwrap().unwrap();
        assert_eq!((verified.first, verified.last), (1, rows), "{trail}");
        assert!(verified.from_the_beginning && verified.hash == head.hash);
        let cut = verify(&lines[..lines.len() - 1], Some(head)).unwrap_err();
        assert!(matches!(cut, Broken::CutOff { .. }), "{cut:?}");
    }
}

pub async fn what_a_broker_tells_twice_is_written_once(cell: &Cell) {
    let sql = cell.sql();
    let tenant = Tenant::new(sql, 1).await;
    let owner = tenant.anywhere(sql, 1, "owner").await;
    let id = tenant.make(sql, &owner, "a").await.id;
    let events: Vec<_> = (1..=3).map(|number| denial(number, id)).collect();
    sql.catalog.record_events(&events[..2]).await.unwrap();
    sql.catalog.record_events(&events).await.unwrap();
    let trail = Trail::Cluster(id);
    let rows = sql
        .catalog
        .audit_trail(&owner, trail, &AuditFilter::default(), 10)
        .await
        .unwrap();
    let ids: BTreeSet<_> = rows.iter().map(|row| row.id).collect();
    assert_eq!((rows.len(), ids.len()), (4, 4));
    let second = filter(|filter| filter.id = Some(AuditId(2)));
    let found = sql.catalog.audit_trail(&owner, trail, &second, 10).await.unwrap();
    assert_eq!(
        (found.len(), found[0].allowed, found[0].detail.as_str()),
        (1, false, r#"{"count":3}"#)
    );
    verify(&export(sql, &owner, trail, AuditSpan::default()).await, None).unwrap();
}

async fn each_filter_finds_its_rows(sql: &Sql, owner: &Actor, trail: Trail) {
    let count = async |filter: AuditFilter| {
        let rows = sql.catalog.audit_trail(owner, trail, &filter, 10).await.unwrap();
        rows.len()
    };
    assert_eq!(count(filter(|filter| filter.allowed = Some(false))).await, 1);
    assert_eq!(
        count(filter(|filter| filter.principal = Some("User:alice".into()))).await,
        1
    );
    assert_eq!(
        count(filter(|filter| filter.kind = Some("topic".into()))).await,
        2
    );
    assert_eq!(
        count(filter(|filter| filter.resource = Some("orders".into()))).await,
        2
    );
    assert_eq!(
        count(filter(|filter| filter.request_id = Some("kafka".into()))).await,
        1
    );
    assert_eq!(
        count(filter(|filter| filter.action = Some("old".into()))).await,
        3
    );
    assert_eq!(count(filter(|filter| filter.to = Some(Timestamp(2)))).await, 2);
    assert_eq!(
        count(filter(|filter| filter.from = Some(Timestamp(900)))).await,
        3
    );
}

pub async fn a_trail_is_filtered_and_goes_back_to_before_its_chain(cell: &Cell) {
    let sql = cell.sql();
    cell.open(1).await;
    let tenant = Tenant::new(sql, 1).await;
    let owner = tenant.anywhere(sql, 1, "owner").await;
    let id = tenant.make(sql, &owner, "a").await.id;
    for number in 0..3_u128 {
        let old = format!(
            "INSERT INTO cell_audit (id, sequence, at, principal, request, cluster, action, subject) \
             VALUES ('{:032x}', 7, {number}, 'User:old', 'r', '{id}', 'old', 's')",
            900 + number
        );
        execute(sql, old).await;
    }
    topic(sql, id, "orders").await.unwrap();
    sql.catalog.record_events(&[denial(1, id)]).await.unwrap();
    let trail = Trail::Cluster(id);
    let (mut actions, mut before) = (Vec::new(), None);
    loop {
        let page = filter(|filter| filter.before = before);
        let rows = sql.catalog.audit_trail(&owner, trail, &page, 2).await.unwrap();
        let Some(last) = rows.last() else { break };
        before = Some(last.cursor().to_string().parse().unwrap());
        actions.extend(rows.into_iter().map(|row| row.action));
    }
    assert_eq!(
        actions,
        ["write", "create_topic", "create_cluster", "old", "old", "old"]
    );
    each_filter_finds_its_rows(sql, &owner, trail).await;
    let lines = export(sql, &owner, trail, AuditSpan::default()).await;
    assert_eq!(
        verify(&lines, None).unwrap().unwrap().last,
        3,
        "the chain begins behind them"
    );
}

pub async fn a_trail_is_shown_to_those_who_may_see_audits(cell: &Cell) {
    let sql = cell.sql();
    let tenant = Tenant::new(sql, 1).await;
    let owner = tenant.anywhere(sql, 1, "owner").await;
    let trail = Trail::Cluster(tenant.make(sql, &owner, "a").await.id);
    for role in ["developer", "viewer", "billing"] {
        let number = 10 + u128::try_from(role.len()).unwrap();
        let other = tenant.anywhere(sql, number, role).await;
        let refused = Err(AccountError::Forbidden);
        let list = sql
            .catalog
            .audit_trail(&other, trail, &AuditFilter::default(), 1)
            .await;
        assert_eq!(list, refused, "{role}");
        assert_eq!(
            sql.catalog.audit_head(&other, trail).await,
            Err(AccountError::Forbidden)
        );
        let export = sql
            .catalog
            .audit_export(&other, trail, &AuditSpan::default())
            .await;
        assert_eq!(export.map(|lines| lines.len()), Err(AccountError::Forbidden));
    }
}

pub async fn each_piece_of_a_chain_verifies_alone(cell: &Cell) {
    let sql = cell.sql();
    let tenant = Tenant::new(sql, 1).await;
    let owner = tenant.anywhere(sql, 1, "owner").await;
    let id = tenant.make(sql, &owner, "a").await.id;
    let events: Vec<_> = (1..=1_200).map(|number| denial(number, id)).collect();
    for some in events.chunks(300) {
        sql.catalog.record_events(some).await.unwrap();
    }
    let trail = Trail::Cluster(id);
    let whole = export(sql, &owner, trail, AuditSpan::default()).await;
    assert_eq!(whole.len(), 1_201);
    let rest = AuditSpan {
        after: Some(700),
        ..AuditSpan::default()
    };
    let rest = export(sql, &owner, trail, rest).await;
    let verified = verify(&rest, None).unwrap().unwrap();
    assert_eq!(
        (verified.first, verified.last, verified.from_the_beginning),
        (701, 1_201, false)
    );
    assert_eq!(rest[0].text(), whole[700].text());
    execute(
        sql,
        "UPDATE cell_audit SET at = 0 WHERE action = 'create_cluster'",
    )
    .await;
    // Moments need not rise; what lies between is part of the piece.
    let between = AuditSpan {
        after: None,
        until: None,
        from: Some(Timestamp(1_500)),
        to: Some(Timestamp(1_100)),
    };
    let between = export(sql, &owner, trail, between).await;
    let verified = verify(&between, None).unwrap().unwrap();
    assert_eq!((verified.first, verified.last), (501, 1_100));
    let never = AuditSpan {
        to: Some(Timestamp(0)),
        ..AuditSpan::default()
    };
    assert!(export(sql, &owner, trail, never).await.is_empty());
    let lines = sql.catalog.audit_lines(id, 1_199).await.unwrap();
    let positions: Vec<_> = lines.iter().map(|line| line.position).collect();
    assert_eq!(positions, [1_200, 1_201]);
    assert_eq!(
        sql.catalog.audit_positions(&[id, ClusterId(77)]).await.unwrap(),
        [(id, 1_201)]
    );
}

pub async fn an_organizations_chain_begins_behind_what_was_there(cell: &Cell) {
    let sql = cell.sql();
    let tenant = Tenant::new(sql, 1).await;
    let owner = tenant.anywhere(sql, 1, "owner").await;
    let organization = tenant.organization;
    let old = format!(
        "INSERT INTO account_audit (id, organization, sequence, at, principal, request, action, resource_kind, resource, \
         decision, detail) VALUES ('{:032x}', '{organization}', 1, 5, 'User:old', 'r', 'old', 'k', 's', 'allowed', 'null')",
        900
    );
    execute(sql, old).await;
    execute(sql, "UPDATE account_organizations SET audit_head = 1").await;
    let trail = Trail::Organization(organization);
    assert_eq!(sql.catalog.audit_head(&owner, trail).await.unwrap().position, 0);
    for name in ["p1", "p2"] {
        sql.catalog
            .create_project(&owner, organization, name, false)
            .await
            .unwrap();
    }
    let lines = export(sql, &owner, trail, AuditSpan::default()).await;
    let verified = verify(&lines, None).unwrap().unwrap();
    assert_eq!(
        (verified.first, verified.last, verified.from_the_beginning),
        (2, 3, true)
    );
    let rows = sql
        .catalog
        .audit_trail(&owner, trail, &AuditFilter::default(), 10)
        .await
        .unwrap();
    assert_eq!((rows.len(), &rows[2].hash), (3, &None));
}

fn retention(value: &str) -> ConfigAlteration {
    ConfigAlteration::Incremental(vec![ConfigOp {
        key: "retention.ms".to_owned(),
        kind: ConfigOpKind::Set,
        value: Some(value.to_owned()),
    }])
}

async fn change_topic(sql: &Sql, id: ClusterId) {
    let actor = Actor::process(Principal::Dev { cluster: id }, "kafka");
    let orders = TopicRef::Name("orders".to_owned());
    for value in ["1000", "2000"] {
        let alter = AlterTopicConfigs {
            cluster: id,
            topic: orders.clone(),
            alteration: retention(value),
            validate_only: false,
        };
        sql.catalog.alter_topic_configs(&actor, alter).await.unwrap();
    }
    let widen = CreatePartitions {
        cluster: id,
        topic: orders,
        total: 5,
        validate_only: false,
    };
    sql.catalog.create_partitions(&actor, widen).await.unwrap();
}

pub async fn a_change_leaves_the_difference_that_it_made(cell: &Cell) {
    let sql = cell.sql();
    cell.open(1).await;
    let tenant = Tenant::new(sql, 1).await;
    let owner = tenant.anywhere(sql, 1, "owner").await;
    let id = tenant.make(sql, &owner, "a").await.id;
    topic(sql, id, "orders").await.unwrap();
    change_topic(sql, id).await;
    let update = ClusterUpdate {
        name: Some("renamed".to_owned()),
        ..ClusterUpdate::default()
    };
    sql.catalog
        .update_cluster(&owner, id, update, None, false)
        .await
        .unwrap();
    sql.catalog
        .suspend_cluster(&owner, id, None, false)
        .await
        .unwrap();
    let rows = sql
        .catalog
        .audit_trail(&owner, Trail::Cluster(id), &AuditFilter::default(), 20)
        .await
        .unwrap();
    let of = |action: &str| -> Value {
        let row = rows.iter().find(|row| row.action == action);
        serde_json::from_str(&row.unwrap_or_else(|| panic!("{action}: {rows:?}")).detail).unwrap()
    };
    assert_eq!(
        of("alter_topic_configs"),
        json!({"before": {"retention.ms": "1000"}, "after": {"retention.ms": "2000"}})
    );
    assert_eq!(
        of("create_partitions"),
        json!({"before": {"partitions": 2}, "after": {"partitions": 5}})
    );
    let made = of("create_topic");
    assert_eq!(
        (&made["before"], &made["after"]["partitions"]),
        (&Value::Null, &json!(2))
    );
    let suspended = of("suspend_cluster");
    assert_eq!(
        (&suspended["before"]["state"], &suspended["after"]["state"]),
        (&json!("active"), &json!("suspended"))
    );
    assert_eq!(suspended["after"].get("limits"), None, "{suspended}");
    for row in &rows {
        assert!(
            row.detail.starts_with('{') && !row.kind.is_empty() && !row.request_id.is_empty(),
            "{row:?}"
        );
    }
}

pub async fn the_audit_topic_is_of_one_kind_only(cell: &Cell) {
    let sql = cell.sql();
    cell.open(1).await;
    let tenant = Tenant::new(sql, 1).await;
    let owner = tenant.anywhere(sql, 1, "owner").await;
    let id = tenant.make(sql, &owner, "a").await.id;
    let actor = Actor::process(Principal::Dev { cluster: id }, "kafka");
    let new = |partitions, (key, value): (&str, &str)| CreateTopic {
        cluster: id,
        name: AUDIT_TOPIC.to_owned(),
        partitions,
        configs: [(key.to_owned(), value.to_owned())].into(),
        validate_only: false,
    };
    let two = sql
        .catalog
        .create_topic(&actor, new(2, ("retention.ms", "-1")))
        .await;
    assert!(
        matches!(two, Err(CommandError::InvalidPartitions { .. })),
        "{two:?}"
    );
    let compacted = sql
        .catalog
        .create_topic(&actor, new(1, ("cleanup.policy", "compact")))
        .await;
    assert!(
        matches!(compacted, Err(CommandError::InvalidConfig { .. })),
        "{compacted:?}"
    );
    let made = sql
        .catalog
        .create_topic(&actor, new(1, ("retention.ms", "-1")))
        .await
        .unwrap();
    assert_eq!(made.value.configs["message.timestamp.type"], "CreateTime");
    let audit = TopicRef::Name(AUDIT_TOPIC.to_owned());
    let widen = CreatePartitions {
        cluster: id,
        topic: audit.clone(),
        total: 2,
        validate_only: false,
    };
    let widened = sql.catalog.create_partitions(&actor, widen).await;
    assert!(
        matches!(widened, Err(CommandError::InvalidPartitions { .. })),
        "{widened:?}"
    );
    let alter = |alteration| AlterTopicConfigs {
        cluster: id,
        topic: audit.clone(),
        alteration,
        validate_only: false,
    };
    let unpinned = ConfigAlteration::Incremental(vec![ConfigOp {
        key: "max.message.bytes".to_owned(),
        kind: ConfigOpKind::Delete,
        value: None,
    }]);
    let unpinned = sql.catalog.alter_topic_configs(&actor, alter(unpinned)).await;
    assert!(
        matches!(unpinned, Err(CommandError::InvalidConfig { .. })),
        "{unpinned:?}"
    );
    sql.catalog
        .alter_topic_configs(&actor, alter(retention("5000")))
        .await
        .unwrap();
}
