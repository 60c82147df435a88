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

/// Up to where in the feed things are as it says.
#[derive(Clone)]
pub(crate) struct InForce {
    /// The log: partitions are opened, deleted ones dropped.
    reconciled: watch::Receiver<FeedSequence>,
    /// Live connections: those that must end are cut off.
    compared: watch::Receiver<FeedSequence>,
}

impl InForce {
    /// What these tell.
    pub(crate) fn of(
        reconciled: watch::Receiver<FeedSequence>,
        compared: &watch::Sender<FeedSequence>,
    ) -> Self {
        Self {
            reconciled,
            compared: compared.subscribe(),
        }
    }

    /// Both.
    fn reached(&mut self) -> FeedSequence {
        let reconciled = *self.reconciled.borrow_and_update();
        reconciled.min(*self.compared.borrow_and_update())
    }

    /// Waits until one of them has changed; `false`: they no longer do.
    async fn changed(&mut self) -> bool {
        let Self { reconciled, compared } = self;
        tokio::select! {
            biased;
            changed = reconciled.changed() => changed.is_ok(),
            changed = compared.changed() => changed.is_ok(),
        }
    }

    /// Waits until both have reached `sequence`, but no longer than `patience`. Whether they have.
    pub(crate) async fn reaches(mut self, sequence: FeedSequence, patience: Duration) -> bool {
        let reached = async {
            let reconciled = self.reconciled.wait_for(|done| *done >= sequence).await.is_ok();
            reconciled && self.compared.wait_for(|done| *done >= sequence).await.is_ok()
        };
        tokio::time::timeout(patience, reached).await == Ok(true)
    }
}

/// Reports for as long as the broker follows the feed.
pub(crate) async fn report(catalog: Arc<Catalog>, own: IncarnationId, mut in_force: InForce) {
    let mut reported = FeedSequence(0);
    loop {
        let served = in_force.reached();
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
        if !in_force.changed().await {
            return;
        }
    }
}
