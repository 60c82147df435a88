//! The keys of those whose tokens are taken, and when they are asked for.
//!
//! Keys are used for ten minutes as they were read; then the next login waits until they are read again. A token that names another
//! key has them read again too, but nobody is asked more often than once an interval (30 s), however many tokens come and whatever
//! they name: those meanwhile share the one request, or are refused. An issuer that does not answer is asked less and less often, down
//! to once in five minutes, and its last keys stay in use for a day. Nobody is asked within a connection's turn.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use firn_catalog::Catalog;
use firn_catalog::ids::IdentityProviderId;
use firn_catalog::trust::{IdentityProvider, PrincipalMapper};
use firn_outbound::{KeySet, Outbound, Reach};
use firn_runtime::Env;
use futures::future::BoxFuture;
use parking_lot::Mutex;
use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;
use tracing::info;

/// How long keys are used as they were read.
const FRESH: Duration = Duration::from_secs(600);
/// How long the last ones are where newer ones cannot be had.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);
/// The longest time between two requests to an issuer that does not answer, but for a half of it at random.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// How many issuers are asked at a time.
const AT_A_TIME: usize = 64;
/// Of how many issuers keys are kept.
const MOST: usize = 4_096;

/// Whose keys.
#[derive(Clone, Debug)]
pub(crate) enum Issuer {
    /// This service's own.
    Firn,
    /// Those of a provider.
    Provider(Arc<IdentityProvider>),
}

impl Issuer {
    /// What it is known by, and in which version.
    fn key(&self) -> (Option<IdentityProviderId>, i64) {
        match self {
            Self::Firn => (None, 0),
            Self::Provider(provider) => (Some(provider.id), provider.version),
        }
    }
}

/// Where keys come from.
pub(crate) trait KeySource: Send + Sync + 'static {
    /// Asks for the keys; else says why there are none, for the log.
    fn fetch(&self, of: Issuer) -> BoxFuture<'_, Result<KeySet, String>>;
}

/// Providers over HTTP, Firn's own keys in the catalog.
pub(super) struct Published {
    catalog: Arc<Catalog>,
    outbound: Outbound,
}

impl Published {
    pub(super) fn new(catalog: Arc<Catalog>, reach: Reach) -> Self {
        let outbound = Outbound::new(reach);
        Self { catalog, outbound }
    }
}

impl KeySource for Published {
    fn fetch(&self, of: Issuer) -> BoxFuture<'_, Result<KeySet, String>> {
        Box::pin(async move {
            match of {
                Issuer::Firn => {
                    let keys = self.catalog.signing_keys().await;
                    let keys = keys.map_err(|error| error.to_string())?;
                    let public = keys.iter().map(|key| (key.id.as_str(), key.public_key.as_str()));
                    Ok(KeySet::of_ed25519(public))
                }
                Issuer::Provider(provider) => {
                    let body = &provider.body;
                    let (metadata, keys) = (body.metadata_url(), body.jwks_url.as_deref());
                    let found = self.outbound.provider_keys(&body.issuer, &metadata, keys).await;
                    found.map_err(|error| error.to_string())
                }
            }
        })
    }
}

/// A provider's rules, compiled.
#[derive(Clone, Default)]
pub(super) struct Seen(Option<Arc<PrincipalMapper>>);

impl Seen {
    fn of(issuer: &Issuer) -> Self {
        match issuer {
            Issuer::Firn => Self(None),
            Issuer::Provider(provider) => Self(
                PrincipalMapper::compile(&provider.body.mapping_rules)
                    .ok()
                    .map(Arc::new),
            ),
        }
    }

    /// The name that the rules make of a claim.
    pub(super) fn name(&self, claimed: &str) -> Option<String> {
        self.0.as_ref()?.apply(claimed)
    }
}

/// What is known of an issuer.
struct Entry {
    version: i64,
    seen: Seen,
    /// The keys, and when they were read.
    keys: Option<(Arc<KeySet>, Instant)>,
    /// How often it has not answered since it last did.
    failures: u32,
    /// When it may be asked again.
    not_before: Instant,
    /// A request; over once the sender is gone.
    under_way: Option<watch::Receiver<()>>,
    used: Instant,
}

/// What a look for keys finds.
pub(super) enum Look {
    /// These, which may be without the one that is wanted.
    Here(Arc<KeySet>, Seen),
    /// They are asked for; look again then.
    Later(BoxFuture<'static, ()>),
    /// There are none, and they cannot be asked for now.
    Away,
}

/// The keys of issuers, as a broker knows them.
pub(crate) struct KeyCache {
    env: Env,
    source: Arc<dyn KeySource>,
    interval: Duration,
    asking: Semaphore,
    known: Mutex<HashMap<Option<IdentityProviderId>, Entry>>,
}

impl KeyCache {
    pub(crate) fn new(env: Env, source: Arc<dyn KeySource>, interval: Duration) -> Self {
        Self {
            env,
            source,
            interval,
            asking: Semaphore::new(AT_A_TIME),
            known: Mutex::default(),
        }
    }

    /// The keys of an issuer; those that a token needs are asked for if it is time.
    pub(super) fn look(self: &Arc<Self>, of: &Issuer, has: impl Fn(&KeySet) -> bool) -> Look {
        let now = Instant::now();
        let mut known = self.known.lock();
        let entry = entry(&mut known, of, now);
        let under_way = entry.under_way.take_if(|running| running.has_changed().is_ok());
        entry.under_way.clone_from(&under_way);
        let kept = entry.keys.as_ref().filter(|(_, read)| now - *read < KEPT);
        let here = kept.map(|(keys, read)| (Arc::clone(keys), now - *read < FRESH));
        let due = under_way.is_none() && now >= entry.not_before;
        let may_wait = match &here {
            Some((keys, fresh)) if has(keys) => {
                let silent = entry.failures > 0;
                if !*fresh && silent && due {
                    drop(self.ask(entry, of));
                }
                !*fresh && !silent
            }
            _ => true,
        };
        if may_wait && let Some(running) = under_way {
            return Look::Later(over(running));
        }
        if may_wait && due {
            return Look::Later(over(self.ask(entry, of)));
        }
        match here {
            Some((keys, _)) => Look::Here(keys, entry.seen.clone()),
            None => Look::Away,
        }
    }

    fn ask(self: &Arc<Self>, entry: &mut Entry, of: &Issuer) -> watch::Receiver<()> {
        let (done, running) = watch::channel(());
        entry.under_way = Some(running.clone());
        let (cache, of) = (Arc::clone(self), of.clone());
        drop(self.env.tasks.spawn(Box::pin(async move {
            let Ok(place) = cache.asking.acquire().await else {
                return;
            };
            let fetched = cache.source.fetch(of.clone()).await;
            cache.answered(&of, fetched);
            drop((place, done));
        })));
        running
    }

    fn answered(&self, of: &Issuer, fetched: Result<KeySet, String>) {
        let (id, version) = of.key();
        let now = Instant::now();
        let mut known = self.known.lock();
        let Some(entry) = known.get_mut(&id).filter(|entry| entry.version == version) else {
            return;
        };
        match fetched {
            Ok(keys) => {
                entry.keys = Some((Arc::new(keys), now));
                entry.failures = 0;
                entry.not_before = now + self.interval;
            }
            Err(reason) => {
                entry.failures = entry.failures.saturating_add(1);
                let doubled = 1_u32 << (entry.failures - 1).min(16);
                let pause = self
                    .interval
                    .saturating_mul(doubled)
                    .min(LONGEST_PAUSE.max(self.interval));
                let jitter = self.env.random_u64() % 1_024;
                entry.not_before = now + pause + pause.mul_f64(jitter as f64 / 2_048.0);
                let provider = id.map(IdentityProviderId::public);
                let failures = entry.failures;
                info!(
                    provider,
                    reason, failures, "the keys of an issuer of tokens cannot be had"
                );
            }
        }
    }
}

/// Waits until a request is over, whatever came of it.
fn over(mut running: watch::Receiver<()>) -> BoxFuture<'static, ()> {
    Box::pin(async move {
        // Nothing is ever sent: this ends when the sender goes.
        let _ = running.changed().await;
    })
}

/// What is known of an issuer in this version; nothing yet, if it is another.
fn entry<'k>(
    known: &'k mut HashMap<Option<IdentityProviderId>, Entry>,
    of: &Issuer,
    now: Instant,
) -> &'k mut Entry {
    let (id, version) = of.key();
    if known.len() >= MOST && !known.contains_key(&id) {
        let oldest = known
            .iter()
            .min_by_key(|(_, entry)| entry.used)
            .map(|(id, _)| *id);
        oldest.map(|oldest| known.remove(&oldest));
    }
    let fresh = || Entry {
        version,
        seen: Seen::of(of),
        keys: None,
        failures: 0,
        not_before: now,
        under_way: None,
        used: now,
    };
    let entry = known.entry(id).or_insert_with(fresh);
    if entry.version != version {
        *entry = fresh();
    }
    entry.used = now;
    entry
}

#[cfg(test)]
#[path = "cache_tests.rs"]
mod tests;
