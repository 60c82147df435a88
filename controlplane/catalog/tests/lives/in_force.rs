//! When a change is in force.

use std::time::Duration;

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

pub async fn a_change_is_in_force_once_every_broker_serves_it(cell: &Cell) {
    let catalog = &cell.sql().catalog;
    let (quick, slow) = (cell.open(1).await, cell.open(2).await);
    let head = head(cell).await;
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
}

pub async fn a_broker_that_is_not_heard_of_counts_until_it_is_sealed(cell: &Cell) {
    let catalog = &cell.sql().catalog;
    let (silent, heir) = (cell.open(1).await, cell.open(2).await);
    let long_ago = Timestamp(now().0 - 3_600_000);
    cell.catalog().heartbeat(silent, long_ago).await.unwrap();
    let head = head(cell).await;
    catalog.report_applied(heir, head).await.unwrap();
    assert!(
        !catalog.applied_everywhere(head, SOON).await,
        "it may serve its clients on with what it knew"
    );
    cell.catalog().claim_seal(heir, silent).await.unwrap();
    assert!(catalog.applied_everywhere(head, SOON).await);
}

pub async fn a_report_wakes_who_waits_for_it(cell: &Cell) {
    let catalog = cell.sql().catalog.clone();
    let broker = cell.open(1).await;
    let head = head(cell).await;
    let waiting = async {
        (
            catalog.applied_everywhere(head, Duration::from_secs(60)).await,
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
    let ((applied, woken), reported) = tokio::time::timeout(Duration::from_secs(60), both).await.unwrap();
    assert!(applied && woken >= reported, "{woken:?} {reported:?}");
}

pub async fn a_report_takes_nothing_back_and_only_open_brokers_count(cell: &Cell) {
    let catalog = &cell.sql().catalog;
    let (dead, heir) = (cell.open(1).await, cell.open(2).await);
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
