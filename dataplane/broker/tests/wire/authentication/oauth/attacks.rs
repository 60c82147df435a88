//! What is made to look like a token that counts (RFC 8725).

use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

use super::identity_provider::{IdentityProvider, SigningKey, now, unsigned};
use super::{World, trust};

fn with(mut object: Value, name: &str, value: Value) -> Value {
    object[name] = value;
    object
}

fn without(mut object: Value, name: &str) -> Value {
    object.as_object_mut().unwrap().remove(name);
    object
}

fn hmac(secret: &[u8], header: &Value, claims: &Value) -> String {
    let message = unsigned(header, claims);
    let key = EncodingKey::from_secret(secret);
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::HS256).unwrap();
    format!("{message}.{signature}")
}

#[tokio::test]
async fn what_no_key_of_the_provider_has_signed_is_refused() {
    let world = World::new().await;
    let provider = &world.provider;
    let (key, claims) = (provider.key(), provider.claims("alice"));
    let header = json!({"alg": "ES256", "kid": "key-1", "typ": "JWT"});
    let stranger = SigningKey::new("key-1");
    let public = key.public();
    let embedded = json!({"alg": "ES256", "kid": "key-1", "jwk": stranger.public()});
    let elsewhere = IdentityProvider::start();
    elsewhere.set_keys(std::slice::from_ref(&stranger));
    let jku =
        json!({"alg": "ES256", "kid": "key-1", "jku": elsewhere.jwks_url(), "x5u": elsewhere.jwks_url()});
    let good = key.sign(&claims);
    let mut spoiled = good.clone();
    spoiled.replace_range(good.len() - 8..good.len() - 4, "AAAA");
    let (message, signature) = good.rsplit_once('.').unwrap();
    let altered = |name: &str, value: Value| with(header.clone(), name, value);
    let keyed = |secret: &str| hmac(secret.as_bytes(), &altered("alg", json!("HS256")), &claims);
    let with_header = |name: &str, value: Value| key.sign_as(&altered(name, value), &claims);
    let bobs = unsigned(&header, &provider.claims("bob"));
    let none = |name: &str| unsigned(&json!({"alg": name}), &claims);
    let padded = with(claims.clone(), "padding", json!("x".repeat(20_000)));
    let attacks = [
        ("none", format!("{}.", none("none"))),
        ("none with a signature", format!("{}.{signature}", none("None"))),
        ("no signature", format!("{message}.")),
        ("the public key as a secret", keyed(&public.to_string())),
        ("its coordinate as a secret", keyed(public["x"].as_str().unwrap())),
        (
            "another algorithm of its kind",
            with_header("alg", json!("ES384")),
        ),
        ("an algorithm of another kind", with_header("alg", json!("RS256"))),
        ("another key under its name", stranger.sign(&claims)),
        ("its own key in it", stranger.sign_as(&embedded, &claims)),
        ("its own key elsewhere", stranger.sign_as(&jku, &claims)),
        ("what it must know", with_header("crit", json!(["exp"]))),
        ("one to log out with", with_header("typ", json!("logout+jwt"))),
        ("a spoiled signature", spoiled),
        ("other claims", format!("{bobs}.{signature}")),
        ("nothing", String::new()),
        ("a huge one", key.sign(&padded)),
    ];
    for (what, token) in attacks {
        assert!(!world.takes(&token).await, "{what}");
    }
    assert!(world.takes(&good).await, "beside them a good one is taken");
    assert_eq!(elsewhere.asked(), 0, "nobody is asked because a token says so");
    world.bench.stop().await;
}

#[tokio::test]
async fn what_is_for_others_or_another_time_is_refused() {
    let world = World::new().await;
    let provider = &world.provider;
    let (key, good) = (provider.key(), provider.claims("alice"));
    let bad = [
        ("another audience", with(good.clone(), "aud", json!("other"))),
        ("no audience", without(good.clone(), "aud")),
        (
            "audiences of others",
            with(good.clone(), "aud", json!(["a", "b"])),
        ),
        (
            "another issuer",
            with(good.clone(), "iss", json!("https://login.example.com")),
        ),
        (
            "an issuer with a slash",
            with(good.clone(), "iss", json!(format!("{}/", provider.issuer()))),
        ),
        ("no issuer", without(good.clone(), "iss")),
        ("expired", with(good.clone(), "exp", json!(now() - 5))),
        ("never expiring", without(good.clone(), "exp")),
        (
            "expiring at no time",
            with(good.clone(), "exp", json!("tomorrow")),
        ),
        ("not yet", with(good.clone(), "nbf", json!(now() + 60))),
        ("made in the future", with(good.clone(), "iat", json!(now() + 60))),
        ("no name", without(good.clone(), "sub")),
        ("an empty name", with(good.clone(), "sub", json!(""))),
        ("a name that is no text", with(good.clone(), "sub", json!(7))),
        ("a long name", with(good.clone(), "sub", json!("n".repeat(300)))),
        (
            "a name with a control character",
            with(good.clone(), "sub", json!("a\u{7}")),
        ),
        ("nobody's name", with(good.clone(), "sub", json!("ANONYMOUS"))),
        (
            "a service account's name",
            with(good.clone(), "sub", json!(format!("sa_{}", "a".repeat(26)))),
        ),
        (
            "a key's name",
            with(good.clone(), "sub", json!(format!("key_{}", "a".repeat(26)))),
        ),
    ];
    for (what, claims) in bad {
        assert!(!world.takes(&key.sign(&claims)).await, "{what}");
    }
    let also = [
        good.clone(),
        with(good.clone(), "aud", json!(["other", "kafka"])),
        with(good.clone(), "nbf", json!(now() - 60)),
        without(good, "iat"),
    ];
    for claims in also {
        assert!(world.takes(&key.sign(&claims)).await, "{claims}");
    }
    world.bench.stop().await;
}

#[tokio::test]
async fn a_provider_speaks_for_the_clients_of_the_clusters_that_trust_it() {
    let world = World::new().await;
    let other = IdentityProvider::start();
    trust(&world.bench, 2, &other).await;
    let (own, foreign) = (world.provider.token("alice"), other.token("alice"));
    assert!(world.takes_at("one.cell.test", &own).await);
    assert!(world.takes_at("one-b0.cell.test", &own).await);
    assert!(world.takes_at("two.cell.test", &foreign).await);
    assert!(
        !world.takes_at("one.cell.test", &foreign).await,
        "of another cluster"
    );
    assert!(!world.takes_at("two.cell.test", &own).await);
    assert!(!world.takes_at("three.cell.test", &own).await, "no such cluster");
    assert!(!world.takes_at("localhost", &own).await, "no cluster's name");
    let mixed = other.key().sign(&world.provider.claims("alice"));
    assert!(
        !world.takes(&mixed).await,
        "signed by a provider of another cluster"
    );
    world.bench.stop().await;
}

#[tokio::test]
async fn a_storm_of_unknown_keys_asks_the_provider_once() {
    let world = World::new().await;
    let claims = world.provider.claims("mallory");
    let key = world.provider.key();
    for storm in 0..20 {
        let logins = (0..50).map(|number| {
            let header = json!({"alg": "ES256", "kid": format!("random-{storm}-{number}")});
            let token = key.sign_as(&header, &claims);
            let world = &world;
            async move { world.takes(&token).await }
        });
        let taken = futures::future::join_all(logins).await;
        assert!(taken.iter().all(|taken| !taken));
    }
    assert!(world.takes(&world.provider.token("alice")).await);
    assert_eq!(world.provider.asked(), 1, "1,000 logins within the interval");
    world.bench.stop().await;
}
