//! Usage: rows that are written again, sums, and what becomes of old rows.

use firn_catalog::commands::{Actor, Principal};
use firn_catalog::ids::{ClusterId, IncarnationId, OrganizationId, PersonId};
use firn_catalog::usage::{
    Amounts, DAY, Granularity, Grouping, HOUR, HOUR_ROWS_KEPT_MINUTES, MINUTE_ROWS_KEPT_MINUTES, UsageItem,
    UsageKey, UsageQuery, UsageRow,
};

use super::number;
use crate::cell::{Cell, Sql};

const ORGANIZATION: OrganizationId = OrganizationId(0xabc);
const CLUSTER: ClusterId = ClusterId(0xc1);
/// The beginning of a day.
const DAWN: i64 = 20_000 * DAY;

fn row(principal: &str, minute: i64, incarnation: u128, times: i64) -> UsageRow {
    UsageRow {
        organization: ORGANIZATION,
        cluster: CLUSTER,
        principal: principal.to_owned(),
        minute,
        incarnation: IncarnationId(incarnation),
        amounts: Amounts {
            bytes_in: 100 * times,
            bytes_out: 50 * times,
            produced_bytes: 80 * times,
            fetched_bytes: 40 * times,
            requests: times,
            connections_peak: times,
            storage_byte_minutes: 600 * times,
            partition_minutes: 6 * times,
        },
    }
}

fn query(granularity: Granularity, grouping: Grouping) -> UsageQuery {
    UsageQuery {
        organization: ORGANIZATION,
        project: None,
        cluster: None,
        principal: None,
        from: DAWN,
        to: DAWN + DAY,
        granularity,
        grouping,
        after: None,
        limit: 1_000,
    }
}

async fn ask(sql: &Sql, query: &UsageQuery) -> Vec<UsageItem> {
    sql.catalog.usage_of(query, None).await.unwrap()
}

pub async fn usage_that_is_written_again_counts_once(cell: &Cell) {
    let sql = cell.sql();
    let rows: Vec<_> = (0..90).map(|minute| row("User:a", DAWN + minute, 1, 1)).collect();
    sql.catalog.record_usage(&rows).await.unwrap();
    sql.catalog.record_usage(&rows).await.unwrap();
    let grown = row("User:a", DAWN + 89, 1, 3);
    sql.catalog.record_usage(&[grown]).await.unwrap();
    sql.catalog.record_usage(&rows[89..]).await.unwrap();
    assert_eq!(number(sql, "SELECT COUNT(*) FROM cell_usage").await, 90);
    let hours = ask(sql, &query(Granularity::Hour, Grouping::default())).await;
    let told: Vec<_> = hours
        .iter()
        .map(|item| (item.key.minute, item.requests))
        .collect();
    assert_eq!(
        told,
        [(DAWN, 60), (DAWN + HOUR, 32)],
        "a late older state takes nothing back"
    );
}

pub async fn usage_adds_up_over_brokers_principals_and_time(cell: &Cell) {
    let sql = cell.sql();
    let mut rows = vec![
        row("", DAWN, 1, 1),
        row("User:a", DAWN, 1, 1),
        row("User:a", DAWN, 2, 2),
    ];
    rows.extend([row("User:b", DAWN + 1, 1, 4), row("User:b", DAWN + HOUR, 1, 1)]);
    rows.push(row("User:a", DAWN + DAY, 1, 99));
    let foreign = UsageRow {
        organization: OrganizationId(0xdef),
        ..row("User:a", DAWN, 1, 7)
    };
    rows.push(foreign);
    sql.catalog.record_usage(&rows).await.unwrap();

    let day = ask(sql, &query(Granularity::Day, Grouping::default())).await;
    let [day] = &day[..] else { panic!("{day:?}") };
    assert_eq!((day.requests, day.bytes_in, day.bytes_out), (9, 900, 450));
    assert_eq!((day.produced_bytes, day.fetched_bytes), (720, 360));
    assert_eq!(day.connections_peak, 4, "at a time: 1 + 1 + 2, then 4, then 1");
    assert_eq!((day.storage_byte_minutes, day.partition_minutes), (5_400, 54));
    assert!((day.storage_byte_hours() - 90.0).abs() < 1e-9 && (day.partition_hours() - 0.9).abs() < 1e-9);

    let both = Grouping {
        cluster: true,
        principal: true,
    };
    let hours = ask(sql, &query(Granularity::Hour, both)).await;
    let told: Vec<_> = hours
        .iter()
        .map(|item| {
            (
                item.key.minute - DAWN,
                item.key.principal.as_deref().unwrap(),
                item.requests,
            )
        })
        .collect();
    let expected = [
        (0, "", 1),
        (0, "User:a", 3),
        (0, "User:b", 4),
        (HOUR, "User:b", 1),
    ];
    assert_eq!(told, expected);
    assert!(hours.iter().all(|item| item.key.cluster == Some(CLUSTER)));
    let only = UsageQuery {
        principal: Some("User:b".to_owned()),
        ..query(Granularity::Minute, both)
    };
    let minutes: Vec<_> = ask(sql, &only).await.iter().map(|item| item.requests).collect();
    assert_eq!(minutes, [4, 1]);
    let other = [ClusterId(0xc2)];
    assert_eq!(sql.catalog.usage_of(&only, Some(&other)).await.unwrap(), []);
}

pub async fn usage_is_read_page_by_page(cell: &Cell) {
    let sql = cell.sql();
    let rows: Vec<_> = (0..7)
        .flat_map(|minute| ["User:a", "User:b"].map(|who| row(who, DAWN + minute, 1, 1)))
        .collect();
    sql.catalog.record_usage(&rows).await.unwrap();
    let grouping = Grouping {
        cluster: false,
        principal: true,
    };
    let mut query = UsageQuery {
        limit: 3,
        ..query(Granularity::Minute, grouping)
    };
    let mut seen: Vec<UsageKey> = Vec::new();
    loop {
        let page = ask(sql, &query).await;
        let Some(last) = page.last() else { break };
        query.after = Some(last.key.clone());
        seen.extend(page.into_iter().map(|item| item.key));
    }
    assert_eq!(seen.len(), 14);
    assert!(seen.is_sorted() && seen.windows(2).all(|pair| pair[0] != pair[1]));
}

pub async fn old_minutes_become_hours_with_the_same_sums(cell: &Cell) {
    let sql = cell.sql();
    let mut rows: Vec<_> = (0..75)
        .flat_map(|minute| [1, 2].map(|broker| row("User:a", DAWN + minute, broker, 1)))
        .collect();
    rows.push(row("User:b", DAWN + 3, 1, 5));
    sql.catalog.record_usage(&rows).await.unwrap();
    let by_principal = Grouping {
        cluster: true,
        principal: true,
    };
    let before = ask(sql, &query(Granularity::Hour, by_principal)).await;
    let now = DAWN + MINUTE_ROWS_KEPT_MINUTES + 70;
    assert!(sql.catalog.roll_up_usage(now, 10).await.unwrap(), "more is left");
    let (one, two) = tokio::join!(
        sql.catalog.roll_up_usage(now, 1_000),
        sql.catalog.roll_up_usage(now, 1_000)
    );
    assert!(!one.unwrap() && !two.unwrap());
    // Two rows of the first hour, one of the second, and five minutes of two brokers that are too young.
    assert_eq!(number(sql, "SELECT COUNT(*) FROM cell_usage").await, 3 + 10);
    assert_eq!(ask(sql, &query(Granularity::Hour, by_principal)).await, before);

    let much_later = DAWN + HOUR_ROWS_KEPT_MINUTES + HOUR;
    assert!(!sql.catalog.roll_up_usage(much_later, 1_000).await.unwrap());
    let left = ask(sql, &query(Granularity::Hour, by_principal)).await;
    assert_eq!(left, before[2..], "the second hour is young enough");
}

pub async fn a_stranger_sees_no_usage_and_no_difference(cell: &Cell) {
    let sql = cell.sql();
    sql.catalog
        .record_usage(&[row("User:a", DAWN, 1, 1)])
        .await
        .unwrap();
    let stranger = Actor::process(Principal::Person(PersonId(5)), "test");
    let mut query = query(Granularity::Hour, Grouping::default());
    let foreign = sql.catalog.usage(&stranger, &query).await.unwrap_err();
    query.organization = OrganizationId(0x404);
    let absent = sql.catalog.usage(&stranger, &query).await.unwrap_err();
    assert_eq!(foreign, absent);
}
