//! Garbage collection: deletes the objects whose rows are marked, after the grace period, and then their rows.
//!
//! Rows say what to delete; nothing is ever listed. An object that was registered and never named, because its
//! process ended in between, is marked once its registrar is no longer open.

use firn_catalog::cell::DoomedObject;
use firn_catalog::ids::ObjectId;
use futures::{StreamExt, stream};
use object_store::ObjectStoreExt;
use tokio::time::sleep;

use super::tier::ColdTier;
use super::{ColdError, object_path};
use crate::metrics;

/// How many rows are forgotten in one transaction.
const FORGOTTEN_AT_ONCE: usize = 256;

impl ColdTier {
    /// Collects garbage for as long as the log is open.
    pub async fn run_garbage_collection(&self) {
        loop {
            match self.collect_garbage().await {
                Ok(0) => {}
                Ok(deleted) => tracing::debug!(deleted, "deleted objects that nobody needs"),
                Err(error) => tracing::warn!(%error, "garbage collection failed"),
            }
            sleep(self.settings.gc.interval).await;
        }
    }

    /// One round; returns how many objects were deleted. What fails is tried again in the next.
    pub async fn collect_garbage(&self) -> Result<u64, ColdError> {
        let (settings, now) = (&self.settings.gc, self.env.now());
        self.catalog
            .abandoned_objects(now.minus(settings.abandoned_after), now)
            .await?;
        let doomed = self.catalog.doomed_objects(now.minus(settings.grace)).await?;
        let deleted: Vec<ObjectId> = stream::iter(doomed)
            .map(|object| self.delete(object))
            .buffered(settings.concurrency.max(1))
            .filter_map(|deleted| async move { deleted })
            .collect()
            .await;
        for ids in deleted.chunks(FORGOTTEN_AT_ONCE) {
            self.catalog.forget_objects(ids.to_vec()).await?;
        }
        metrics::cold_deleted(deleted.len() as u64);
        Ok(deleted.len() as u64)
    }

    async fn delete(&self, object: DoomedObject) -> Option<ObjectId> {
        match self.store.delete(&object_path(object.kind, object.id)).await {
            // One that is not there was deleted before, or never uploaded.
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Some(object.id),
            Err(error) => {
                tracing::warn!(object = %object.id, %error, "an object could not be deleted; trying again later");
                None
            }
        }
    }
}
