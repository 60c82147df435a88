//! The history of lag, on SQLite and PostgreSQL.

#![allow(clippy::unwrap_used, reason = "a test may panic, and helpers are tests too")]

#[macro_use]
mod cell;
mod postgres;

use cell::Cell;
use firn_catalog::ids::ClusterId;
use firn_catalog::lag::{
    KEPT_MINUTES, LagPoint, LagQuery, LagRow, THINNED_AFTER_MINUTES, THINNED_STEP_MINUTES, group_digest,
};

const CLUSTER: ClusterId = ClusterId(0xc1);
/// A minute that is left when others are thinned.
const DAWN: i64 = 30_000_000;

mod rules {
    pub(crate) use super::*;
}

mod on {
    on_both! {
        rules:
        a_row_that_is_written_again_counts_once_and_the_last_one_counts,
        a_history_is_of_one_group_of_one_cluster_and_of_its_time,
        points_of_several_minutes_have_the_largest_lag,
        old_minutes_are_thinned_and_very_old_ones_go_a_few_at_a_time,
        a_group_may_have_any_name,
    }
}

fn row(group: &str, topic: &str, minute: i64, lag_records: i64) -> LagRow {
    LagRow {
        cluster: CLUSTER,
        group: group_digest(group),
        topic: topic.to_owned(),
        minute,
        lag_records,
        lag_ms: Some(lag_records * 10),
    }
}

fn query(group: &str) -> LagQuery {
    LagQuery {
        cluster: CLUSTER,
        group: group.to_owned(),
        topic: None,
        from: 0,
        to: i64::MAX,
        step: 1,
        limit: 10_000,
    }
}

/// Topic, minute, records, ms.
async fn told(cell: &Cell, query: &LagQuery) -> Vec<(String, i64, i64, Option<i64>)> {
    let points = cell.sql().catalog.lag_history(query).await.unwrap();
    let short = |point: LagPoint| (point.topic, point.minute, point.lag_records, point.lag_ms);
    points.into_iter().map(short).collect()
}

pub(crate) async fn a_row_that_is_written_again_counts_once_and_the_last_one_counts(cell: &Cell) {
    let catalog = &cell.sql().catalog;
    let rows: Vec<_> = (0..250).map(|n| row("g", &format!("t{n:03}"), DAWN, n)).collect();
    catalog.record_lag(&rows).await.unwrap();
    catalog.record_lag(&rows).await.unwrap();
    let twice = [row("g", "t007", DAWN, 3), row("g", "t007", DAWN, 3)];
    catalog.record_lag(&twice).await.unwrap();
    let all = told(cell, &query("g")).await;
    assert_eq!(all.len(), 250);
    assert_eq!(all[7], ("t007".to_owned(), DAWN, 3, Some(30)));
    assert_eq!(all[249], ("t249".to_owned(), DAWN, 249, Some(2490)));
}

pub(crate) async fn a_history_is_of_one_group_of_one_cluster_and_of_its_time(cell: &Cell) {
    let foreign = LagRow {
        cluster: ClusterId(0xc2),
        ..row("g", "t", DAWN, 99)
    };
    let unknown = LagRow {
        lag_ms: None,
        ..row("g", "t", DAWN + 1, 2)
    };
    let rows = [
        row("g", "t", DAWN, 1),
        unknown,
        row("g", "u", DAWN + 1, 5),
        row("h", "t", DAWN, 7),
        foreign,
    ];
    cell.sql().catalog.record_lag(&rows).await.unwrap();
    let point = |topic: &str, minute, records, ms| (topic.to_owned(), minute, records, ms);
    let all = [
        point("t", DAWN, 1, Some(10)),
        point("t", DAWN + 1, 2, None),
        point("u", DAWN + 1, 5, Some(50)),
    ];
    assert_eq!(told(cell, &query("g")).await, all);
    let of_topic = LagQuery {
        topic: Some("u".to_owned()),
        ..query("g")
    };
    assert_eq!(told(cell, &of_topic).await, all[2..]);
    let early = LagQuery {
        to: DAWN + 1,
        ..query("g")
    };
    assert_eq!(told(cell, &early).await, all[..1]);
    let late = LagQuery {
        from: DAWN + 1,
        limit: 1,
        ..query("g")
    };
    assert_eq!(told(cell, &late).await, all[1..2]);
    assert!(told(cell, &query("absent")).await.is_empty());
}

pub(crate) async fn points_of_several_minutes_have_the_largest_lag(cell: &Cell) {
    let rows: Vec<_> = (0..20)
        .map(|minute| row("g", "t", DAWN + minute, 20 - minute))
        .collect();
    cell.sql().catalog.record_lag(&rows).await.unwrap();
    let coarse = LagQuery {
        step: 10,
        ..query("g")
    };
    let points = told(cell, &coarse).await;
    assert_eq!(
        points,
        [
            ("t".to_owned(), DAWN, 20, Some(200)),
            ("t".to_owned(), DAWN + 10, 10, Some(100))
        ]
    );
}

pub(crate) async fn old_minutes_are_thinned_and_very_old_ones_go_a_few_at_a_time(cell: &Cell) {
    let catalog = &cell.sql().catalog;
    let rows: Vec<_> = (0..25)
        .flat_map(|minute| [row("g", "t", DAWN + minute, 1), row("h", "t", DAWN + minute, 1)])
        .collect();
    catalog.record_lag(&rows).await.unwrap();
    let minutes = async || -> Vec<i64> {
        let all = told(cell, &query("g")).await;
        all.into_iter().map(|(_, minute, _, _)| minute - DAWN).collect()
    };
    let thinned = DAWN + THINNED_AFTER_MINUTES;
    assert!(!catalog.thin_lag(thinned, 100).await.unwrap());
    assert_eq!(minutes().await.len(), 25, "none is old enough");
    assert!(catalog.thin_lag(thinned + 15, 5).await.unwrap(), "there are more");
    assert_eq!(minutes().await.len(), 20);
    assert!(!catalog.thin_lag(thinned + 15, 100).await.unwrap());
    let left: Vec<i64> = (0..25)
        .filter(|minute| minute % THINNED_STEP_MINUTES == 0 || *minute >= 15)
        .collect();
    assert_eq!(minutes().await, left);
    assert!(!catalog.thin_lag(DAWN + KEPT_MINUTES + 16, 100).await.unwrap());
    assert_eq!(minutes().await, (16..25).collect::<Vec<_>>());
}

pub(crate) async fn a_group_may_have_any_name(cell: &Cell) {
    let long = "é".repeat(20_000);
    for (place, name) in ["", "a\0b", "'; DROP TABLE cell_lag; --", &long]
        .into_iter()
        .enumerate()
    {
        let records = i64::try_from(place).unwrap();
        let catalog = &cell.sql().catalog;
        catalog
            .record_lag(&[row(name, "t", DAWN, records)])
            .await
            .unwrap();
        assert_eq!(told(cell, &query(name)).await[0].2, records);
    }
}
