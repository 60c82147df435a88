//! The API keys that requests show, as of a second ago.
//!
//! A key that was revoked stops with the next look at its row; so does every token that it was traded for. Keys that are not there
//! are remembered like those that are, so that both cost the same; but apart, so that no number of invented ones makes this process
//! forget those that are in use.

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
/// How many keys are remembered, of those that are there and of those that are not.
const MOST: usize = 10_000;

struct Seen {
    read_at: Timestamp,
    key: Arc<KeyInForce>,
    /// When the key's use was last noted, as far as this process knows.
    noted: Option<Timestamp>,
}

/// Rows of API keys that were read a moment ago.
#[derive(Default)]
pub(crate) struct KeyCache {
    seen: Mutex<HashMap<ApiKeyId, Seen>>,
    /// When it was seen that a key is not there.
    absent: Mutex<HashMap<ApiKeyId, Timestamp>>,
}

/// Makes room for one more: without those that are no longer fresh, else without all.
fn make_room<V>(known: &mut HashMap<ApiKeyId, V>, now: Timestamp, read_at: impl Fn(&V) -> Timestamp) {
    if known.len() >= MOST {
        known.retain(|_, one| is_fresh(read_at(one), now));
    }
    if known.len() >= MOST {
        known.clear();
    }
}

fn is_fresh(read_at: Timestamp, now: Timestamp) -> bool {
    now >= read_at && now.since(read_at) < FRESH
}

impl KeyCache {
    /// The key, if it is in force.
    pub(crate) async fn key(&self, api: &Api, id: ApiKeyId) -> Result<Option<Arc<KeyInForce>>, CatalogError> {
        let now = api.env.now();
        if let Some(known) = self.known(id, now) {
            return Ok(known);
        }
        let key = api.catalog.api_key_in_force(id).await?.map(Arc::new);
        self.remember(id, key.clone(), now);
        Ok(key)
    }

    fn remember(&self, id: ApiKeyId, key: Option<Arc<KeyInForce>>, now: Timestamp) {
        let mut seen = self.seen.lock();
        let Some(key) = key else {
            seen.remove(&id);
            drop(seen);
            let mut absent = self.absent.lock();
            make_room(&mut absent, now, |at| *at);
            absent.insert(id, now);
            return;
        };
        make_room(&mut seen, now, |one| one.read_at);
        let noted = seen.get(&id).and_then(|one| one.noted);
        let noted = noted.max(key.key.last_used_at);
        let one = Seen {
            read_at: now,
            key,
            noted,
        };
        seen.insert(id, one);
    }

    fn known(&self, id: ApiKeyId, now: Timestamp) -> Option<Option<Arc<KeyInForce>>> {
        if let Some(one) = self.seen.lock().get(&id).filter(|one| is_fresh(one.read_at, now)) {
            let live = one.key.key.expires_at.is_none_or(|end| now < end);
            return Some(live.then(|| Arc::clone(&one.key)));
        }
        let absent = self.absent.lock();
        absent.get(&id).filter(|at| is_fresh(**at, now)).map(|_| None)
    }

    /// Forgets a key that this process has just revoked.
    pub(crate) fn forget(&self, id: ApiKeyId) {
        self.seen.lock().remove(&id);
    }

    /// Forgets the keys of a service account that this process has just deleted.
    pub(crate) fn forget_of(&self, account: ServiceAccountId) {
        let mut seen = self.seen.lock();
        seen.retain(|_, one| one.key.key.service_account != account);
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

#[cfg(test)]
mod tests {
    use firn_catalog::account::api_keys::{ApiKey, KeyDigest};
    use firn_catalog::ids::OrganizationId;

    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000);

    fn live(id: u128) -> Option<Arc<KeyInForce>> {
        let key = ApiKey {
            id: ApiKeyId(id),
            service_account: ServiceAccountId(1),
            cluster: None,
            name: String::new(),
            created_at: NOW,
            expires_at: None,
            last_used_at: None,
        };
        Some(Arc::new(KeyInForce {
            key,
            digest: KeyDigest(String::new()),
            organization: OrganizationId(1),
        }))
    }

    #[test]
    fn invented_keys_do_not_push_out_those_that_are_in_use() {
        let cache = KeyCache::default();
        cache.remember(ApiKeyId(1), live(1), NOW);
        for id in 2..30_000 {
            cache.remember(ApiKeyId(id), None, NOW);
        }
        assert!(cache.known(ApiKeyId(1), NOW).flatten().is_some());
        assert!(
            matches!(cache.known(ApiKeyId(29_999), NOW), Some(None)),
            "absent, and known to be"
        );
        assert!(cache.absent.lock().len() <= MOST);
    }

    #[test]
    fn what_was_read_a_second_ago_is_read_again() {
        let cache = KeyCache::default();
        cache.remember(ApiKeyId(1), live(1), NOW);
        cache.remember(ApiKeyId(2), None, NOW);
        for id in [1, 2] {
            assert!(cache.known(ApiKeyId(id), NOW.plus(FRESH)).is_none());
        }
        cache.remember(ApiKeyId(1), None, NOW);
        assert!(
            matches!(cache.known(ApiKeyId(1), NOW), Some(None)),
            "revoked meanwhile"
        );
        cache.remember(ApiKeyId(3), live(3), NOW);
        cache.forget_of(ServiceAccountId(1));
        assert!(cache.known(ApiKeyId(3), NOW).is_none());
    }
}
