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
    /// The key of this service itself.
    own: &'static str,
    /// How long an answer takes.
    takes: Mutex<Duration>,
}

impl KeySource for Fake {
    fn fetch(&self, of: Issuer) -> BoxFuture<'_, Result<KeySet, String>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let (key, takes) = match of {
            Issuer::Firn => (self.own, Duration::ZERO),
            Issuer::Provider(_) => (*self.key.lock(), *self.takes.lock()),
        };
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
    provider_of(ClusterId(1), 1, version)
}

fn provider_of(cluster: ClusterId, id: u128, version: i64) -> Issuer {
    Issuer::Provider(Arc::new(IdentityProvider {
        id: IdentityProviderId(id),
        cluster,
        name: "idp".to_owned(),
        body: IdentityProviderBody {
            issuer: "https://idp.example".to_owned(),
            jwks_url: Some(format!("https://idp.example/{}", version / 10)),
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
    let fake = Arc::new(Fake {
        own: "own",
        ..Fake::default()
    });
    *fake.key.lock() = key;
    let source = Arc::clone(&fake) as Arc<dyn KeySource>;
    (Arc::new(KeyCache::new(Env::system(), source, INTERVAL)), fake)
}

/// Lets what is under way come to its end.
async fn settled() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

/// What a login with this key id finds in the end: whether the key is there; `None`: there are no keys.
async fn login(cache: &Arc<KeyCache>, of: &Issuer, kid: &str) -> Option<bool> {
    loop {
        match cache.look(of, |keys| keys.has(Some(kid))) {
            Look::Here(keys) => return Some(keys.has(Some(kid))),
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
            let found = login(&cache, &of, &format!("random-{storm}")).await;
            assert_eq!(found, Some(false));
        }
        settled().await;
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
async fn a_new_key_counts_once_the_keys_are_read_again_and_an_old_one_until_then() {
    let (cache, fake) = cache("a");
    let of = provider(1);
    assert_eq!(login(&cache, &of, "a").await, Some(true));
    *fake.key.lock() = "b";
    assert_eq!(login(&cache, &of, "b").await, Some(false), "too soon to ask");
    tokio::time::advance(INTERVAL).await;
    assert_eq!(login(&cache, &of, "b").await, Some(true), "the first one waits");
    *fake.key.lock() = "c";
    tokio::time::advance(FRESH).await;
    assert_eq!(login(&cache, &of, "b").await, Some(true), "while they are read");
    settled().await;
    assert_eq!(login(&cache, &of, "b").await, Some(false), "withdrawn");
    *fake.key.lock() = "d";
    tokio::time::advance(FRESH).await;
    assert_eq!(
        login(&cache, &of, "d").await,
        Some(true),
        "old keys are waited for"
    );
    assert_eq!(asked(&fake), 4);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_key_waits_while_a_request_may_be_made_or_is_under_way_and_for_none_else() {
    let (cache, fake) = cache("a");
    let of = provider(1);
    assert_eq!(login(&cache, &of, "a").await, Some(true));
    *fake.key.lock() = "b";
    *fake.takes.lock() = Duration::from_secs(5);
    let waits = |kid| matches!(cache.look(&of, |keys| keys.has(Some(kid))), Look::Later(_));
    assert!(!waits("b"), "asked a moment ago");
    tokio::time::advance(INTERVAL).await;
    assert!(waits("b") && waits("random"));
    assert!(!waits("a"), "a known one never does");
    let logins = (0..100).map(|_| login(&cache, &of, "b"));
    let all = futures::future::join_all(logins).await;
    assert!(all.iter().all(|found| *found == Some(true)));
    assert!(!waits("random"), "just read");
    *fake.key.lock() = "";
    tokio::time::advance(INTERVAL).await;
    assert_eq!(login(&cache, &of, "c").await, Some(false), "the issuer is away");
    assert!(!waits("c"), "it is not asked again so soon");
    assert_eq!(login(&cache, &of, "b").await, Some(true));
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
async fn a_provider_that_is_changed_is_not_asked_more_often() {
    let (cache, fake) = cache("");
    for _ in 0..4 {
        login(&cache, &provider(1), "a").await;
        tokio::time::advance(LONGEST_PAUSE + LONGEST_PAUSE / 2).await;
    }
    assert_eq!(login(&cache, &provider(1), "a").await, None);
    let before = asked(&fake);
    *fake.key.lock() = "a";
    for version in 10..100 {
        assert_eq!(login(&cache, &provider(version), "a").await, None);
    }
    tokio::time::advance(INTERVAL).await;
    assert_eq!(
        login(&cache, &provider(99), "a").await,
        Some(true),
        "not so late as before"
    );
    assert_eq!(asked(&fake), before + 1);
    for version in 90..99 {
        assert_eq!(login(&cache, &provider(version), "a").await, Some(true));
    }
    assert_eq!(asked(&fake), before + 1, "its keys are where they were");
}

#[tokio::test(start_paused = true)]
async fn slow_providers_keep_only_their_own_cluster_waiting() {
    let (cache, fake) = cache("a");
    *fake.takes.lock() = Duration::from_secs(1_000);
    for id in 0..AT_A_TIME as u128 + 10 {
        let of = provider_of(ClusterId(1), id, 1);
        assert!(matches!(cache.look(&of, |_| true), Look::Later(_)));
    }
    settled().await;
    assert_eq!(asked(&fake), OF_A_CLUSTER);
    *fake.takes.lock() = Duration::ZERO;
    let of = provider_of(ClusterId(2), 1_000, 1);
    assert_eq!(login(&cache, &of, "a").await, Some(true));
    assert_eq!(cache.places.of_clusters.lock().len(), 1);

    *fake.takes.lock() = Duration::from_secs(1_000);
    for cluster in 100..100 + AT_A_TIME as u128 {
        let of = provider_of(ClusterId(cluster), 2_000 + cluster, 1);
        assert!(matches!(cache.look(&of, |_| true), Look::Later(_)));
    }
    settled().await;
    let begun = asked(&fake);
    assert_eq!(login(&cache, &Issuer::Firn, "own").await, Some(true));
    assert_eq!(asked(&fake), begun + 1, "all places are taken");
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
