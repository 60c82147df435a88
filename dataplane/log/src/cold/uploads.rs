//! Storing objects: registered first, then uploaded, both tried until they succeed. Whoever fails later gives up all that it
//! has stored: nobody else would find it for as long as its registrar lives.

use std::fmt::Display;
use std::sync::Arc;

use firn_catalog::cell::{CatalogError, LogCatalog};
use firn_catalog::ids::{IncarnationId, ObjectId};
use firn_runtime::Env;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};
use parking_lot::Mutex;
use tokio::time::{Duration, sleep, timeout};

use super::format::BuiltObject;
use super::{ColdError, object_path};
use crate::metrics;

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Puts the built objects of one checkpoint, drain or merge into the store.
pub(super) struct Uploader {
    pub env: Env,
    pub store: Arc<dyn ObjectStore>,
    pub catalog: Arc<dyn LogCatalog>,
    /// On whose behalf.
    pub by: IncarnationId,
    pub timeout: Duration,
    /// The names that it has given out.
    pub named: Mutex<Vec<ObjectId>>,
}

impl Uploader {
    /// A name for an object.
    pub fn new_id(&self) -> ObjectId {
        let id = ObjectId(self.env.random_u128());
        self.named.lock().push(id);
        id
    }

    /// Marks for deletion what was registered and no transaction has made live.
    pub async fn give_up(&self) {
        let named = std::mem::take(&mut *self.named.lock());
        if named.is_empty() {
            return;
        }
        let now = self.env.now();
        let given_up = persistently(|| self.catalog.give_up_objects(self.by, named.clone(), now));
        if let Err(error) = given_up.await {
            tracing::warn!(%error, "objects that nobody needs stay for as long as this process lives");
        }
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
    until_definite(call, |error| matches!(error, CatalogError::Unavailable(_))).await
}

/// Makes a call again, with growing pauses, while it fails in a way that may pass.
pub(super) async fn until_definite<T, E, F>(
    call: impl Fn() -> F,
    may_pass: impl Fn(&E) -> bool,
) -> Result<T, E>
where
    E: Display,
    F: Future<Output = Result<T, E>>,
{
    let mut pause = FIRST_PAUSE;
    loop {
        match call().await {
            Err(error) if may_pass(&error) => {
                tracing::warn!(%error, "no answer; asking again");
                sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            answer => return answer,
        }
    }
}
