//! Whether a change is in force: every broker serves what the feed says at its sequence.
//!
//! Each broker reports how far it is whenever it gets further, and nothing else: with no changes nothing is written and nobody
//! looks. A broker counts as long as its incarnation is open, heard of or not: one that has lost the catalog may serve its
//! clients on with what it knew. After a crash no change is in force until a successor has sealed the incarnation, which it does
//! when it starts.

use std::time::Duration;

use crate::catalog::Catalog;
use crate::cell::CatalogError;
use crate::ids::{FeedSequence, IncarnationId};
use crate::sql::transaction;

/// The pause between two looks at the rows, at first.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
/// And at most.
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

impl Catalog {
    /// Says that the broker of an open incarnation serves what the feed says at `applied`.
    pub async fn report_applied(&self, id: IncarnationId, applied: FeedSequence) -> Result<(), CatalogError> {
        let reported: Result<(), CatalogError> =
            transaction!(self.store(), write, |tx| tx.report_applied(id, applied).await);
        if reported.is_ok() {
            self.reports().send_modify(|reports| *reports += 1);
        }
        reported
    }

    /// Whether every broker serves what the feed says at `sequence`.
    pub async fn is_applied(&self, sequence: FeedSequence) -> Result<bool, CatalogError> {
        let lags: Result<bool, CatalogError> =
            transaction!(self.store(), snapshot, |tx| tx.someone_lags(sequence).await);
        Ok(!lags?)
    }

    /// Looks whether every broker serves what the feed says at `sequence`, and waits for it, but no longer than `patience`.
    /// Whether they do; a catalog that does not answer does not say so.
    pub async fn applied_everywhere(&self, sequence: FeedSequence, patience: Duration) -> bool {
        let mut reports = self.reports().subscribe();
        if matches!(self.is_applied(sequence).await, Ok(true)) {
            return true;
        }
        let looking = async {
            let mut pause = FIRST_PAUSE;
            loop {
                // A broker of this process says when it is worth looking, another one does not.
                tokio::select! {
                    biased;
                    _ = reports.changed() => {}
                    () = tokio::time::sleep(pause) => pause = (pause * 2).min(LONGEST_PAUSE),
                }
                reports.mark_unchanged();
                if matches!(self.is_applied(sequence).await, Ok(true)) {
                    return;
                }
            }
        };
        tokio::time::timeout(patience, looking).await.is_ok()
    }
}
