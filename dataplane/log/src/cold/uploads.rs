//! Storing objects: registered first, then uploaded, both tried until they succeed.

use std::sync::Arc;

use firn_catalog::cell::{CatalogError, LogCatalog};
use firn_catalog::ids::{IncarnationId, ObjectId};
use firn_runtime::Env;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};
use tokio::time::{Duration, sleep, timeout};

use super::format::BuiltObject;
use super::{ColdError, object_path};
use crate::metrics;

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Puts built objects into the store.
#[derive(Clone)]
pub(super) struct Uploader {
    pub env: Env,
    pub store: Arc<dyn ObjectStore>,
    pub catalog: Arc<dyn LogCatalog>,
    /// On whose behalf.
    pub by: IncarnationId,
    pub timeout: Duration,
}

impl Uploader {
    /// A name for an object.
    pub fn new_id(&self) -> ObjectId {
        ObjectId(self.env.random_u128())
    }

    /// Registers an object and uploads it. Waits for as long as it takes: no bytes are dropped because a store is
    /// away. Uploading twice is harmless: a name is only ever used for the same bytes.
    pub async fn store(&self, object: &BuiltObject) -> Result<(), ColdError> {
        let (id, kind) = (object.row.id, object.row.kind);
        let now = self.env.now();
        persistently(|| self.catalog.register_object(self.by, id, kind, now)).await?;
        let path = object_path(kind, id);
        let mut pause = FIRST_PAUSE;
        loop {
            let payload = PutPayload::from_iter(object.pieces.iter().cloned());
            let failed = match timeout(self.timeout, self.store.put(&path, payload)).await {
                Ok(Ok(_)) => {
                    metrics::cold_bytes_written(object.row.size);
                    return Ok(());
                }
                Ok(Err(error)) => error.to_string(),
                Err(_) => "no answer in time".to_owned(),
            };
            tracing::warn!(object = %id, error = failed, "an upload failed; trying again");
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

/// Calls the catalog until it gives a definite answer. Every one of its calls may be repeated, and after an unknown
/// COMMIT must be.
pub(super) async fn persistently<T, F>(call: impl Fn() -> F) -> Result<T, CatalogError>
where
    F: Future<Output = Result<T, CatalogError>>,
{
    let mut pause = FIRST_PAUSE;
    loop {
        match call().await {
            Err(CatalogError::Unavailable(error)) => {
                tracing::warn!(error, "the catalog did not answer; asking again");
                sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            answer => return answer,
        }
    }
}
