//! The API keys that requests show, as of a second ago.
//!
//! A key that was revoked stops with the next look at its row; so does every token that it was traded for. Keys that are not there
//! are remembered like those that are, so that both cost the same.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use firn_catalog::account::api_keys::KeyInForce;
use firn_catalog::cell::CatalogError;
use firn_catalog::commands::CredentialId;
use firn_catalog::ids::{ApiKeyId, ServiceAccountId};
use firn_runtime::Timestamp;
use parking_lot::Mutex;

use crate::state::Api;

/// How long a row is taken as it was read.
const FRESH: Duration = Duration::from_millis(900);
/// How exact a key's last use is noted.
const USE_NOTED_EVERY: Duration = Duration::from_secs(60);
/// How many keys are remembered.
const MOST: usize = 10_000;

struct Seen {
    read_at: Timestamp,
    key: Option<Arc<KeyInForce>>,
    /// When the key's use was last noted, as far as this process knows.
    noted: Option<Timestamp>,
}

/// Rows of API keys that were read a moment ago.
#[derive(Default)]
pub(crate) struct KeyCache {
    seen: Mutex<HashMap<ApiKeyId, Seen>>,
}

impl KeyCache {
    /// The key, if it is in force.
    pub(crate) async fn key(&self, api: &Api, id: ApiKeyId) -> Result<Option<Arc<KeyInForce>>, CatalogError> {
        let now = api.env.now();
        if let Some(known) = self.known(id, now) {
            return Ok(known);
        }
        let key = api.catalog.api_key_in_force(id).await?.map(Arc::new);
        let mut seen = self.seen.lock();
        if seen.len() >= MOST {
            seen.retain(|_, one| now.since(one.read_at) < FRESH);
        }
        if seen.len() >= MOST {
            seen.clear();
        }
        let noted = seen.get(&id).and_then(|one| one.noted);
        let noted = noted.max(key.as_ref().and_then(|key| key.key.last_used_at));
        let one = Seen {
            read_at: now,
            key: key.clone(),
            noted,
        };
        seen.insert(id, one);
        Ok(key)
    }

    fn known(&self, id: ApiKeyId, now: Timestamp) -> Option<Option<Arc<KeyInForce>>> {
        let seen = self.seen.lock();
        let one = seen.get(&id)?;
        if now < one.read_at || now.since(one.read_at) >= FRESH {
            return None;
        }
        let live = |key: &&Arc<KeyInForce>| key.key.expires_at.is_none_or(|end| now < end);
        Some(one.key.as_ref().filter(live).cloned())
    }

    /// Forgets a key that this process has just revoked.
    pub(crate) fn forget(&self, id: ApiKeyId) {
        self.seen.lock().remove(&id);
    }

    /// Forgets the keys of a service account that this process has just deleted.
    pub(crate) fn forget_of(&self, account: ServiceAccountId) {
        let of = |one: &Seen| {
            one.key
                .as_ref()
                .is_some_and(|key| key.key.service_account == account)
        };
        self.seen.lock().retain(|_, one| !of(one));
    }

    /// Notes that a key was used, once a minute, without keeping the request waiting.
    pub(crate) fn used(&self, api: &Api, id: ApiKeyId) {
        let now = api.env.now();
        {
            let mut seen = self.seen.lock();
            let Some(one) = seen.get_mut(&id) else { return };
            if one.noted.is_some_and(|at| now.since(at) < USE_NOTED_EVERY) {
                return;
            }
            one.noted = Some(now);
        }
        let catalog = Arc::clone(&api.catalog);
        let note = async move {
            if let Err(error) = catalog
                .note_credential_use(&[(CredentialId::ApiKey(id), now)])
                .await
            {
                tracing::debug!(key = %id.public(), %error, "the use of an API key was not noted");
            }
        };
        drop(api.env.tasks.spawn(Box::pin(note)));
    }
}
