//! Tells the catalog up to where in the feed this broker serves, so that a change can be answered once it is in force.
//!
//! One write at a time, and only when there is something new: what grows meanwhile is told by the next one.

use std::sync::Arc;
use std::time::Duration;

use firn_catalog::Catalog;
use firn_catalog::ids::{FeedSequence, IncarnationId};
use tokio::sync::watch;
use tracing::debug;

/// The least time between two reports, so that thousands of changes one after the other do not cost as many writes more.
const BETWEEN: Duration = Duration::from_millis(10);
/// How long after a failure the next try begins.
const PAUSE: Duration = Duration::from_secs(1);

/// Reports for as long as the broker follows the feed.
pub(crate) async fn report(
    catalog: Arc<Catalog>,
    own: IncarnationId,
    mut reconciled: watch::Receiver<FeedSequence>,
) {
    let mut reported = FeedSequence(0);
    loop {
        let served = *reconciled.borrow_and_update();
        if served > reported {
            match catalog.report_applied(own, served).await {
                Ok(()) => reported = served,
                Err(error) => {
                    debug!(%error, %served, "cannot report what is in force here; trying again");
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            }
            tokio::time::sleep(BETWEEN).await;
        }
        if reconciled.changed().await.is_err() {
            return;
        }
    }
}
