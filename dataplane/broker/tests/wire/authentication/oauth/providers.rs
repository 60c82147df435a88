//! Providers that change their keys, are away, or answer badly.

use std::time::Duration;

use jsonwebtoken::{Algorithm, EncodingKey};

use super::World;
use super::identity_provider::{Behaviour, SigningKey};

/// How often a provider is asked in these tests.
const INTERVAL: Duration = Duration::from_millis(50);

/// Waits until a provider that has just been asked may be asked again.
async fn may_be_asked_again() {
    tokio::time::sleep(INTERVAL).await;
}

/// Shows a token until it is taken: keys are asked for once an interval.
async fn taken_in_the_end(world: &World, token: &str) {
    let taken = async { while !world.takes(token).await {} };
    let soon = tokio::time::timeout(crate::support::client::PATIENCE, taken);
    soon.await.expect("it is taken");
}

#[tokio::test]
async fn new_keys_are_found_and_withdrawn_ones_do_not_count() {
    let world = World::asking_every(INTERVAL).await;
    let old = world.provider.token("alice");
    assert!(world.takes(&old).await);
    let (first, second) = (world.provider.key(), SigningKey::new("key-2"));
    world.provider.set_keys(&[second.clone(), first]);
    may_be_asked_again().await;
    assert!(
        world.takes(&world.provider.token("alice")).await,
        "the first login with a new key"
    );
    assert!(world.takes(&old).await, "both count meanwhile");
    let third = SigningKey::new("key-3");
    world.provider.set_keys(&[third, second]);
    may_be_asked_again().await;
    let token = world.provider.token("alice");
    let first = (0..10).map(|_| world.takes(&token));
    let taken = futures::future::join_all(first).await;
    assert!(
        taken.iter().all(|taken| *taken),
        "the first logins share a request"
    );
    assert!(!world.takes(&old).await, "its key was withdrawn");
    world.bench.stop().await;
}

#[tokio::test]
async fn a_new_key_is_unknown_for_an_interval_after_its_provider_was_asked() {
    let world = World::new().await;
    assert!(world.takes(&world.provider.token("alice")).await);
    world.provider.set_keys(&[SigningKey::new("key-2")]);
    assert!(!world.takes(&world.provider.token("alice")).await);
    assert_eq!(world.provider.asked(), 1);
    world.bench.stop().await;
}

#[tokio::test]
async fn a_token_names_its_key_unless_there_is_one_only() {
    let world = World::asking_every(INTERVAL).await;
    let key = world.provider.key();
    let unnamed = |key: &SigningKey| {
        key.sign_as(
            &serde_json::json!({"alg": "ES256"}),
            &world.provider.claims("alice"),
        )
    };
    assert!(world.takes(&unnamed(&key)).await);
    let second = SigningKey::new("key-2");
    world.provider.set_keys(&[second.clone(), key.clone()]);
    taken_in_the_end(&world, &second.sign(&world.provider.claims("alice"))).await;
    assert!(!world.takes(&unnamed(&key)).await);
    world.bench.stop().await;
}

#[tokio::test]
async fn an_rsa_key_that_names_its_algorithm_counts_with_no_other() {
    let world = World::asking_every(INTERVAL).await;
    let pem = include_bytes!("../rsa_key.pem");
    let of = |algorithm| SigningKey {
        kid: "rsa".to_owned(),
        key: EncodingKey::from_rsa_pem(pem).unwrap(),
        algorithm,
    };
    // The set names PS256 as the key's algorithm.
    world.provider.set_keys(&[of(Algorithm::PS256)]);
    let claims = world.provider.claims("alice");
    taken_in_the_end(&world, &of(Algorithm::PS256).sign(&claims)).await;
    for other in [Algorithm::RS256, Algorithm::RS512, Algorithm::PS512] {
        assert!(!world.takes(&of(other).sign(&claims)).await, "{other:?}");
    }
    world.bench.stop().await;
}

#[tokio::test]
async fn the_last_keys_of_a_provider_that_is_away_go_on_to_count() {
    let world = World::asking_every(INTERVAL).await;
    let known = world.provider.key();
    assert!(world.takes(&world.provider.token("alice")).await);
    for behaviour in [
        Behaviour::Away,
        Behaviour::Garbage,
        Behaviour::Endless,
        Behaviour::AnotherIssuer,
    ] {
        world.provider.behave(behaviour);
        tokio::time::sleep(INTERVAL).await;
        let unknown = SigningKey::new("key-2").sign(&world.provider.claims("alice"));
        assert!(!world.takes(&unknown).await, "{behaviour:?}");
        assert!(
            world.takes(&known.sign(&world.provider.claims("alice"))).await,
            "{behaviour:?}"
        );
    }
    world.bench.stop().await;
}

#[tokio::test]
async fn without_any_keys_nobody_is_taken_until_the_provider_is_back() {
    let world = World::asking_every(INTERVAL).await;
    let token = world.provider.token("alice");
    for behaviour in [
        Behaviour::AnotherIssuer,
        Behaviour::Garbage,
        Behaviour::Endless,
        Behaviour::Away,
    ] {
        world.provider.behave(behaviour);
        assert!(!world.takes(&token).await, "{behaviour:?}");
    }
    world.provider.behave(Behaviour::Well);
    taken_in_the_end(&world, &token).await;
    world.bench.stop().await;
}

#[tokio::test]
async fn a_login_waits_for_keys_no_longer_than_it_may_take() {
    let limits = firn_broker::Limits {
        authentication: Duration::from_millis(500),
        ..firn_broker::Limits::default()
    };
    let world = World::with(INTERVAL, limits, "0").await;
    world.provider.behave(Behaviour::Hangs);
    let mut waits = world.connect("one.cell.test").await;
    assert_eq!(waits.handshake(1, "OAUTHBEARER").await, 0);
    let token = format!("n,,\u{1}auth=Bearer {}\u{1}\u{1}", world.provider.token("alice"));
    let request = kafka_protocol::messages::SaslAuthenticateRequest::default().with_auth_bytes(token.into());
    assert_eq!(waits.try_call(2, &request).await, None, "it is closed instead");
    world.bench.connections(0).await;
    world.bench.stop().await;
}
