//! When a change is in force.

use std::time::Duration;

use firn_catalog::LEASE;
use firn_catalog::ids::{FeedSequence, IncarnationId};
use firn_runtime::{Env, Timestamp};

use super::number;
use crate::cell::Cell;

const SOON: Duration = Duration::from_millis(150);

fn now() -> Timestamp {
    Env::system().now()
}

async fn head(cell: &Cell) -> FeedSequence {
    FeedSequence(number(cell.sql(), "SELECT head FROM cell_feed_head").await)
}

pub async fn a_change_is_in_force_once_every_live_broker_serves_it(cell: &Cell) {
    let catalog = &cell.sql().catalog;
    let (quick, slow) = (cell.open(1).await, cell.open(2).await);
    let head = head(cell).await;
    // Neither has been heard of lately: nobody is waited for.
    assert!(catalog.applied_everywhere(head, SOON).await);
    for broker in [quick, slow] {
        cell.catalog().heartbeat(broker, now()).await.unwrap();
    }
    assert!(!catalog.applied_everywhere(head, SOON).await);
    catalog.report_applied(quick, head).await.unwrap();
    catalog
        .report_applied(slow, FeedSequence(head.0 - 1))
        .await
        .unwrap();
    assert!(!catalog.applied_everywhere(head, SOON).await, "one lags");
    assert!(catalog.applied_everywhere(FeedSequence(head.0 - 1), SOON).await);
    catalog.report_applied(slow, head).await.unwrap();
    assert!(
        catalog.applied_everywhere(head, Duration::ZERO).await,
        "without patience it looks once"
    );
    // One that has not been heard of for a lease is not waited for.
    let lease = i64::try_from(LEASE.as_millis()).unwrap();
    cell.catalog()
        .heartbeat(slow, Timestamp(now().0 - lease - 1_000))
        .await
        .unwrap();
    catalog
        .report_applied(quick, FeedSequence(head.0 + 1))
        .await
        .unwrap();
    assert!(catalog.applied_everywhere(FeedSequence(head.0 + 1), SOON).await);
}

pub async fn a_report_wakes_who_waits_for_it(cell: &Cell) {
    let catalog = cell.sql().catalog.clone();
    let broker = cell.open(1).await;
    cell.catalog().heartbeat(broker, now()).await.unwrap();
    let head = head(cell).await;
    let waiting = async {
        (
            catalog.applied_everywhere(head, Duration::from_secs(30)).await,
            now(),
        )
    };
    let reporting = async {
        tokio::time::sleep(SOON).await;
        let before = now();
        catalog.report_applied(broker, head).await.unwrap();
        before
    };
    let both = futures::future::join(waiting, reporting);
    let ((applied, woken), reported) = tokio::time::timeout(Duration::from_secs(5), both).await.unwrap();
    assert!(applied && woken >= reported, "{woken:?} {reported:?}");
}

pub async fn a_report_takes_nothing_back_and_only_open_brokers_count(cell: &Cell) {
    let catalog = &cell.sql().catalog;
    let (dead, heir) = (cell.open(1).await, cell.open(2).await);
    for broker in [dead, heir] {
        cell.catalog().heartbeat(broker, now()).await.unwrap();
    }
    catalog.report_applied(heir, FeedSequence(50)).await.unwrap();
    catalog.report_applied(heir, FeedSequence(40)).await.unwrap();
    assert_eq!(
        number(cell.sql(), "SELECT MAX(applied) FROM cell_incarnations").await,
        50
    );
    assert!(!catalog.is_applied(FeedSequence(50)).await.unwrap());
    cell.catalog().claim_seal(heir, dead).await.unwrap();
    assert!(catalog.is_applied(FeedSequence(50)).await.unwrap());
    catalog.report_applied(dead, FeedSequence(90)).await.unwrap();
    catalog
        .report_applied(IncarnationId(77), FeedSequence(90))
        .await
        .unwrap();
    assert_eq!(
        number(cell.sql(), "SELECT MAX(applied) FROM cell_incarnations").await,
        50
    );
}
