//! When issuers are asked, on a clock that the tests set forward.

use std::sync::atomic::{AtomicUsize, Ordering};

use firn_catalog::ids::ClusterId;
use firn_catalog::trust::IdentityProviderBody;
use firn_runtime::Timestamp;

use super::*;

const INTERVAL: Duration = Duration::from_secs(30);

/// Publishes one key at a time, and counts how often it is asked.
#[derive(Default)]
struct Fake {
    asked: AtomicUsize,
    /// The id of the key; empty: it is away.
    key: Mutex<&'static str>,
    /// How long an answer takes.
    takes: Mutex<Duration>,
}

impl KeySource for Fake {
    fn fetch(&self, _: Issuer) -> BoxFuture<'_, Result<KeySet, String>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let (key, takes) = (*self.key.lock(), *self.takes.lock());
        Box::pin(async move {
            tokio::time::sleep(takes).await;
            let public = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc";
            match key {
                "" => Err("away".to_owned()),
                key => Ok(KeySet::of_ed25519([(key, public)].into_iter())),
            }
        })
    }
}

fn provider(version: i64) -> Issuer {
    Issuer::Provider(Arc::new(IdentityProvider {
        id: IdentityProviderId(1),
        cluster: ClusterId(1),
        name: "idp".to_owned(),
        body: IdentityProviderBody {
            issuer: "https://idp.example".to_owned(),
            jwks_url: None,
            audiences: vec!["kafka".to_owned()],
            principal_claim: "sub".to_owned(),
            mapping_rules: "DEFAULT".to_owned(),
            clock_skew_seconds: 0,
        },
        version,
        created_at: Timestamp(0),
    }))
}

fn cache(key: &'static str) -> (Arc<KeyCache>, Arc<Fake>) {
    let fake = Arc::new(Fake::default());
    *fake.key.lock() = key;
    let source = Arc::clone(&fake) as Arc<dyn KeySource>;
    (Arc::new(KeyCache::new(Env::system(), source, INTERVAL)), fake)
}

/// What a login with this key id finds in the end: whether the key is there; `None`: there are no keys.
async fn login(cache: &Arc<KeyCache>, of: &Issuer, kid: &str) -> Option<bool> {
    loop {
        match cache.look(of, |keys| keys.has(Some(kid))) {
            Look::Here(keys, _) => return Some(keys.has(Some(kid))),
            Look::Later(ready) => ready.await,
            Look::Away => return None,
        }
    }
}

fn asked(fake: &Fake) -> usize {
    fake.asked.load(Ordering::Relaxed)
}

#[tokio::test(start_paused = true)]
async fn whatever_tokens_name_an_issuer_is_asked_once_in_an_interval() {
    let (cache, fake) = cache("a");
    let of = provider(1);
    for storm in 0..1_000 {
        assert_eq!(login(&cache, &of, &format!("random-{storm}")).await, Some(false));
    }
    assert_eq!(login(&cache, &of, "a").await, Some(true));
    assert_eq!(asked(&fake), 1);
    for round in 2..=10 {
        tokio::time::advance(INTERVAL).await;
        for storm in 0..100 {
            login(&cache, &of, &format!("random-{storm}")).await;
        }
        assert_eq!(asked(&fake), round);
    }
}

#[tokio::test(start_paused = true)]
async fn logins_at_a_time_share_a_request() {
    let (cache, fake) = cache("a");
    *fake.takes.lock() = Duration::from_secs(5);
    let of = provider(1);
    let logins = (0..100).map(|_| login(&cache, &of, "a"));
    let all = futures::future::join_all(logins).await;
    assert!(all.iter().all(|found| *found == Some(true)));
    assert_eq!(asked(&fake), 1);
}

#[tokio::test(start_paused = true)]
async fn a_new_key_counts_after_an_interval_and_an_old_one_until_the_keys_are_read_again() {
    let (cache, fake) = cache("a");
    let of = provider(1);
    assert_eq!(login(&cache, &of, "a").await, Some(true));
    *fake.key.lock() = "b";
    assert_eq!(login(&cache, &of, "b").await, Some(false), "too soon to ask");
    tokio::time::advance(INTERVAL).await;
    assert_eq!(login(&cache, &of, "b").await, Some(true));
    *fake.key.lock() = "c";
    tokio::time::advance(FRESH).await;
    assert_eq!(login(&cache, &of, "b").await, Some(false), "withdrawn");
    assert_eq!(asked(&fake), 3);
}

#[tokio::test(start_paused = true)]
async fn the_last_keys_of_an_issuer_that_is_away_count_for_a_day() {
    let (cache, fake) = cache("a");
    let of = provider(1);
    assert_eq!(login(&cache, &of, "a").await, Some(true));
    *fake.key.lock() = "";
    tokio::time::advance(FRESH).await;
    for _ in 0..1_000 {
        assert_eq!(login(&cache, &of, "a").await, Some(true));
    }
    tokio::time::advance(KEPT - 2 * FRESH).await;
    assert_eq!(login(&cache, &of, "a").await, Some(true));
    assert!(asked(&fake) <= 3, "{}", asked(&fake));
    tokio::time::advance(2 * FRESH).await;
    assert_eq!(login(&cache, &of, "a").await, None);
}

#[tokio::test(start_paused = true)]
async fn an_issuer_that_does_not_answer_is_asked_less_and_less() {
    let (cache, fake) = cache("");
    let of = provider(1);
    let mut times = Vec::new();
    for second in 0..3_600 {
        let before = asked(&fake);
        assert_eq!(login(&cache, &of, "a").await, None);
        if asked(&fake) > before {
            times.push(second);
        }
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    let pauses: Vec<i32> = times.iter().zip(&times[1..]).map(|(a, b)| b - a).collect();
    assert!(
        pauses[0] >= 30 && pauses[1] >= 60 && pauses[2] >= 120,
        "{pauses:?}"
    );
    assert!(pauses.iter().all(|pause| *pause <= 451), "{pauses:?}");
    assert!(pauses[3..].iter().all(|pause| *pause >= 240), "{pauses:?}");
}

#[tokio::test(start_paused = true)]
async fn a_changed_provider_is_asked_at_once() {
    let (cache, fake) = cache("");
    assert_eq!(login(&cache, &provider(1), "a").await, None);
    *fake.key.lock() = "a";
    assert_eq!(login(&cache, &provider(1), "a").await, None);
    assert_eq!(login(&cache, &provider(2), "a").await, Some(true));
}

#[tokio::test(start_paused = true)]
async fn not_more_issuers_are_known_than_may_be() {
    let (cache, _) = cache("a");
    for id in 0..MOST as u128 + 10 {
        let Issuer::Provider(one) = provider(1) else {
            unreachable!("it is one");
        };
        let mut one = one.as_ref().clone();
        one.id = IdentityProviderId(id);
        login(&cache, &Issuer::Provider(Arc::new(one)), "a").await;
    }
    assert_eq!(cache.known.lock().len(), MOST);
}
