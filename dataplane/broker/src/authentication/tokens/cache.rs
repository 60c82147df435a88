//! The keys of those whose tokens are taken, and when they are asked for.
//!
//! Keys are used as they were read, for a day at most. Once they are ten minutes old, the next login has them read again, and does not
//! wait if the key that its token names is among them. A token that names another key has them read again too, and waits for them: the
//! first login with a key that an issuer begins to sign with at once is taken. It waits where a request is under way or may be made now,
//! and is judged at once by the keys that are there otherwise. Nobody is asked more often than once an interval (30 s), however many
//! tokens come, whatever they name, and however often the provider is changed: those meanwhile share the one request. An issuer that
//! does not answer is asked less and less often, down to once in five minutes.
//!
//! How long a token with an unknown key id takes tells that its issuer is trusted; names and keys it does not tell.
//!
//! Nobody is asked within a connection's turn. A cluster's providers are asked two at a time, and not too many of all clusters', so that
//! those who answer slowly keep only their own cluster waiting; this service's own keys wait for nobody.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use firn_catalog::Catalog;
use firn_catalog::ids::{ClusterId, IdentityProviderId};
use firn_catalog::trust::IdentityProvider;
use firn_outbound::{KeySet, Outbound, Reach};
use firn_runtime::Env;
use futures::future::BoxFuture;
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit, watch};
use tokio::time::Instant;
use tracing::info;

/// How long keys count as new.
const FRESH: Duration = Duration::from_secs(600);
/// How long they are used where there are no newer ones yet.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);
/// The longest time between two requests to an issuer that does not answer, but for a half of it at random.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// How many providers are asked at a time.
const AT_A_TIME: usize = 64;
/// How many of one cluster.
const OF_A_CLUSTER: usize = 2;
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
    /// What it is known by.
    fn id(&self) -> Option<IdentityProviderId> {
        match self {
            Self::Firn => None,
            Self::Provider(provider) => Some(provider.id),
        }
    }

    /// Whether it has its keys where the other has them.
    fn is_where(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Firn, Self::Firn) => true,
            (Self::Provider(one), Self::Provider(other)) => {
                let (one, other) = (&one.body, &other.body);
                one.issuer == other.issuer && one.jwks_url == other.jwks_url
            }
            (Self::Firn, Self::Provider(_)) | (Self::Provider(_), Self::Firn) => false,
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

/// What is known of an issuer.
struct Entry {
    of: Issuer,
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
    Here(Arc<KeySet>),
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
    places: Places,
    known: Mutex<HashMap<Option<IdentityProviderId>, Entry>>,
}

impl KeyCache {
    pub(crate) fn new(env: Env, source: Arc<dyn KeySource>, interval: Duration) -> Self {
        Self {
            env,
            source,
            interval,
            places: Places::default(),
            known: Mutex::default(),
        }
    }

    /// The keys of an issuer; those that a token needs are asked for if they may be, and waited for if they are not there.
    pub(super) fn look(self: &Arc<Self>, of: &Issuer, has: impl Fn(&KeySet) -> bool) -> Look {
        let now = Instant::now();
        let mut known = self.known.lock();
        let entry = self.entry(&mut known, of, now);
        let under_way = entry.under_way.take_if(|running| running.has_changed().is_ok());
        entry.under_way.clone_from(&under_way);
        let kept = entry.keys.as_ref().filter(|(_, read)| now - *read < KEPT);
        let here = kept.map(|(keys, read)| (Arc::clone(keys), now - *read < FRESH));
        let due = under_way.is_none() && now >= entry.not_before;
        let (fresh, wanted) = match &here {
            Some((keys, fresh)) => (*fresh, has(keys)),
            None => (false, false),
        };
        let running = match due && !(fresh && wanted) {
            true => Some(self.ask(entry, of)),
            false => under_way,
        };
        match (here, running) {
            (Some((keys, _)), _) if wanted => Look::Here(keys),
            (_, Some(running)) => Look::Later(over(running)),
            (Some((keys, _)), None) => Look::Here(keys),
            (None, None) => Look::Away,
        }
    }

    /// What is known of an issuer. If its keys were elsewhere before, that is only when it may be asked again: the change makes that
    /// sooner than it is after failures, but not sooner than an interval after the last time.
    fn entry<'k>(
        &self,
        known: &'k mut HashMap<Option<IdentityProviderId>, Entry>,
        of: &Issuer,
        now: Instant,
    ) -> &'k mut Entry {
        let id = of.id();
        if known.len() >= MOST && !known.contains_key(&id) {
            let oldest = known
                .iter()
                .min_by_key(|(_, entry)| entry.used)
                .map(|(id, _)| *id);
            oldest.map(|oldest| known.remove(&oldest));
        }
        let new = |not_before| Entry {
            of: of.clone(),
            keys: None,
            failures: 0,
            not_before,
            under_way: None,
            used: now,
        };
        let entry = known.entry(id).or_insert_with(|| new(now));
        if !entry.of.is_where(of) {
            *entry = new(entry.not_before.min(now + self.interval));
        }
        entry.used = now;
        entry
    }

    fn ask(self: &Arc<Self>, entry: &mut Entry, of: &Issuer) -> watch::Receiver<()> {
        let (done, running) = watch::channel(());
        entry.under_way = Some(running.clone());
        entry.not_before = Instant::now() + self.interval;
        let (cache, of) = (Arc::clone(self), of.clone());
        drop(self.env.tasks.spawn(Box::pin(async move {
            let place = cache.places.wait(&of).await;
            let fetched = cache.source.fetch(of.clone()).await;
            cache.answered(&of, fetched);
            drop((place, done));
        })));
        running
    }

    fn answered(&self, of: &Issuer, fetched: Result<KeySet, String>) {
        let id = of.id();
        let now = Instant::now();
        let mut known = self.known.lock();
        let Some(entry) = known.get_mut(&id).filter(|entry| entry.of.is_where(of)) else {
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

/// Who may be asked now.
struct Places {
    all: Semaphore,
    of_clusters: Mutex<HashMap<ClusterId, Arc<Semaphore>>>,
}

impl Default for Places {
    fn default() -> Self {
        Self {
            all: Semaphore::new(AT_A_TIME),
            of_clusters: Mutex::default(),
        }
    }
}

impl Places {
    /// Waits for a place, which is free again when what is returned goes. `None`: none is needed.
    async fn wait(&self, of: &Issuer) -> Option<Place<'_>> {
        let Issuer::Provider(provider) = of else {
            return None;
        };
        let cluster = provider.cluster;
        let of_cluster = {
            let mut clusters = self.of_clusters.lock();
            let new = || Arc::new(Semaphore::new(OF_A_CLUSTER));
            Arc::clone(clusters.entry(cluster).or_insert_with(new))
        };
        // Neither is ever closed.
        let of_cluster = of_cluster.acquire_owned().await.ok()?;
        let of_all = self.all.acquire().await.ok()?;
        Some(Place {
            held: Some((of_cluster, of_all)),
            places: self,
            cluster,
        })
    }
}

/// A place among those who are asked.
struct Place<'p> {
    held: Option<(OwnedSemaphorePermit, SemaphorePermit<'p>)>,
    places: &'p Places,
    cluster: ClusterId,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut clusters = self.places.of_clusters.lock();
        drop(self.held.take());
        // Nobody of the cluster has a place or waits for one.
        if clusters
            .get(&self.cluster)
            .is_some_and(|of_cluster| Arc::strong_count(of_cluster) == 1)
        {
            clusters.remove(&self.cluster);
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

#[cfg(test)]
#[path = "cache_tests.rs"]
mod tests;
