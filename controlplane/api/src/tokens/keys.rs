//! The keys that sign tokens: made here, sealed in the account store, shared by all processes.
//!
//! Every day a new one signs. It is made, and published, an hour before; so nobody who caches the published keys for minutes meets
//! a token that they cannot check. The one before is published until its last token has expired.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use firn_catalog::Catalog;
use firn_catalog::account::SigningKey;
use firn_catalog::cell::CatalogError;
use firn_runtime::{Env, Timestamp};
use firn_secrets::Secrets;
use jsonwebtoken::{DecodingKey, EncodingKey};
use parking_lot::Mutex;
use ring::signature::{Ed25519KeyPair, KeyPair};
use zeroize::Zeroizing;

use super::TOKEN_LIFE;

/// How long a key signs.
const PERIOD: Duration = Duration::from_secs(24 * 60 * 60);
/// How long before it signs a key is published.
const LEAD: Duration = Duration::from_secs(60 * 60);
/// For how much longer than a token lives the key stays that may have signed it: clocks differ.
const SLACK: Duration = Duration::from_secs(60);
/// How long keys are used as they were read.
const FRESH: Duration = Duration::from_secs(30);
/// How long they are where a token names another: it may be new.
const JUST_READ: Duration = Duration::from_secs(1);
/// PKCS #8 around the 32 bytes of an Ed25519 private key (RFC 8410).
const PKCS8: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];
/// The bytes of an Ed25519 key, private or public.
const KEY: usize = 32;

/// A key, ready to be used.
pub(crate) struct LoadedKey {
    pub(crate) id: String,
    /// The public key, as base64url.
    pub(crate) public: String,
    pub(crate) verifies: DecodingKey,
    /// `None`: it was sealed under another master key, or does not sign yet or any more.
    signs: Option<EncodingKey>,
    signs_from: Timestamp,
}

/// The keys as they were read at some time, the one that signs last first.
pub(crate) struct KeyRing {
    read_at: Timestamp,
    keys: Vec<LoadedKey>,
}

impl KeyRing {
    /// The key of that id.
    pub(crate) fn key(&self, id: &str) -> Option<&LoadedKey> {
        self.keys.iter().find(|key| key.id == id)
    }

    /// The key that signs now.
    pub(crate) fn signer(&self, now: Timestamp) -> Option<(&LoadedKey, &EncodingKey)> {
        let mut signing = self.keys.iter().filter(|key| key.signs_from <= now);
        signing.find_map(|key| Some((key, key.signs.as_ref()?)))
    }

    /// All that tokens may be signed with, now or soon.
    pub(crate) fn published(&self, now: Timestamp) -> impl Iterator<Item = &LoadedKey> {
        let over = now.minus(TOKEN_LIFE).minus(SLACK);
        self.keys.iter().enumerate().filter_map(move |(place, key)| {
            let next = place.checked_sub(1).and_then(|place| self.keys.get(place));
            next.is_none_or(|next| next.signs_from >= over).then_some(key)
        })
    }

    /// From when on a new key is to sign, if one is due.
    fn due(&self, now: Timestamp) -> Option<Timestamp> {
        if self.signer(now).is_none() {
            return Some(now);
        }
        let newest = self.keys.first()?;
        let next = newest.signs_from.plus(PERIOD);
        (next.minus(LEAD) <= now).then(|| next.max(now.plus(LEAD)))
    }

    fn load(rows: &[SigningKey], secrets: &Secrets, now: Timestamp) -> Self {
        let keys = rows.iter().filter_map(|row| {
            let public = URL_SAFE_NO_PAD.decode(&row.public_key).ok();
            let public = public.filter(|public| public.len() == KEY)?;
            Some(LoadedKey {
                id: row.id.clone(),
                public: row.public_key.clone(),
                verifies: DecodingKey::from_ed_der(&public),
                signs: secrets
                    .open(&purpose(&row.id), &row.private_key)
                    .map(|der| EncodingKey::from_ed_der(&der)),
                signs_from: row.signs_from,
            })
        });
        Self {
            read_at: now,
            keys: keys.collect(),
        }
    }
}

fn purpose(id: &str) -> String {
    format!("signing-key {id}")
}

/// Makes a key that signs from a moment on.
fn new_key(secrets: &Secrets, env: &Env, signs_from: Timestamp) -> SigningKey {
    let mut seed = Zeroizing::new([0_u8; KEY]);
    env.random.fill(&mut *seed);
    let pair = Ed25519KeyPair::from_seed_unchecked(&*seed).expect("any 32 bytes are an Ed25519 private key");
    let der = Zeroizing::new([&PKCS8[..], &seed[..]].concat());
    let id = hex::encode(env.random_u128().to_be_bytes());
    SigningKey {
        public_key: URL_SAFE_NO_PAD.encode(pair.public_key()),
        private_key: secrets.seal(&purpose(&id), &der, env.random.as_ref()),
        id,
        created_at: env.now(),
        signs_from,
    }
}

/// The keys, read again when they are old, and made when they are due.
#[derive(Default)]
pub(crate) struct Keys {
    ring: Mutex<Option<Arc<KeyRing>>>,
    /// Held by whoever reads them.
    reading: tokio::sync::Mutex<()>,
}

impl Keys {
    /// The keys as of a moment ago.
    pub(crate) async fn ring(
        &self,
        catalog: &Catalog,
        secrets: &Secrets,
        env: &Env,
    ) -> Result<Arc<KeyRing>, CatalogError> {
        self.ring_within(FRESH, catalog, secrets, env).await
    }

    /// The keys, read again for a token that names one that was not among them.
    pub(crate) async fn newer(
        &self,
        catalog: &Catalog,
        secrets: &Secrets,
        env: &Env,
    ) -> Result<Arc<KeyRing>, CatalogError> {
        self.ring_within(JUST_READ, catalog, secrets, env).await
    }

    fn read_within(&self, age: Duration, now: Timestamp) -> Option<Arc<KeyRing>> {
        let ring = self.ring.lock().clone()?;
        let fresh = now.since(ring.read_at) < age && ring.read_at <= now && ring.due(now).is_none();
        fresh.then_some(ring)
    }

    async fn ring_within(
        &self,
        age: Duration,
        catalog: &Catalog,
        secrets: &Secrets,
        env: &Env,
    ) -> Result<Arc<KeyRing>, CatalogError> {
        if let Some(ring) = self.read_within(age, env.now()) {
            return Ok(ring);
        }
        let _reading = self.reading.lock().await;
        // Somebody else may have read them while this one waited.
        let now = env.now();
        if let Some(ring) = self.read_within(age, now) {
            return Ok(ring);
        }
        let mut ring = KeyRing::load(&catalog.signing_keys().await?, secrets, now);
        if let Some(signs_from) = ring.due(now) {
            let key = new_key(secrets, env, signs_from);
            let over = now.minus(TOKEN_LIFE).minus(SLACK);
            let rows = catalog.add_signing_key(&key, over).await?;
            tracing::info!(key = %key.id, "a new key for access tokens");
            ring = KeyRing::load(&rows, secrets, now);
        }
        let ring = Arc::new(ring);
        *self.ring.lock() = Some(Arc::clone(&ring));
        Ok(ring)
    }
}

#[cfg(test)]
mod tests {
    use firn_runtime::SystemRandom;
    use firn_secrets::MasterKey;

    use super::*;

    const HOUR: i64 = 3_600_000;

    fn ring(secrets: &Secrets, moments: &[i64], now: i64) -> KeyRing {
        let rows: Vec<_> = moments
            .iter()
            .map(|at| new_key(secrets, &Env::system(), Timestamp(*at)))
            .collect();
        KeyRing::load(&rows, secrets, Timestamp(now))
    }

    #[test]
    fn a_key_is_published_before_it_signs_and_until_its_last_token_is_over() {
        let secrets = Secrets::new(&MasterKey::generate(&SystemRandom));
        let start = 1_000 * HOUR;
        let fresh = ring(&secrets, &[], start);
        assert_eq!(fresh.due(Timestamp(start)), Some(Timestamp(start)));
        let one = ring(&secrets, &[start], start);
        assert_eq!(one.due(Timestamp(start + 22 * HOUR)), None);
        let next = start + 24 * HOUR;
        assert_eq!(one.due(Timestamp(start + 23 * HOUR)), Some(Timestamp(next)));
        let late = start + 50 * HOUR;
        assert_eq!(
            one.due(Timestamp(late)),
            Some(Timestamp(late + HOUR)),
            "never without its lead"
        );
        let two = ring(&secrets, &[next, start], start + 23 * HOUR);
        let signer = |at: i64| two.signer(Timestamp(at)).map(|(key, _)| key.signs_from.0);
        assert_eq!((signer(next - 1), signer(next)), (Some(start), Some(next)));
        let published = |at: i64| two.published(Timestamp(at)).count();
        assert_eq!((published(start + 23 * HOUR), published(next + 600_000)), (2, 2));
        assert_eq!(published(next + 661_000), 1);
    }

    #[test]
    fn a_key_of_another_master_key_verifies_and_does_not_sign() {
        let secrets = Secrets::new(&MasterKey::generate(&SystemRandom));
        let rows = [new_key(&secrets, &Env::system(), Timestamp(5))];
        let other = Secrets::new(&MasterKey::generate(&SystemRandom));
        let ring = KeyRing::load(&rows, &other, Timestamp(6));
        assert!(ring.key(&rows[0].id).is_some() && ring.signer(Timestamp(6)).is_none());
        assert_eq!(ring.due(Timestamp(6)), Some(Timestamp(6)));
    }
}
