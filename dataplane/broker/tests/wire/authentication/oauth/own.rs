//! Firn's own tokens, which the REST API gives for API keys.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use firn_catalog::account::SigningKey as StoredKey;
use firn_catalog::ids::{ApiKeyId, ServiceAccountId};
use firn_runtime::{Env, Timestamp};
use jsonwebtoken::{Algorithm, EncodingKey};
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};

use super::World;
use super::identity_provider::{SigningKey, now};
use crate::authentication::people::{self, Person};
use crate::support::Bench;

/// PKCS #8 around an Ed25519 private key (RFC 8410).
const PKCS8: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];
const ACCOUNT: ServiceAccountId = ServiceAccountId(9);

/// A key that the control plane signs with, in the catalog.
async fn signing_key(bench: &Bench, kid: &str, seed: u8) -> SigningKey {
    let seed = [seed; 32];
    let public = Ed25519KeyPair::from_seed_unchecked(&seed).unwrap();
    let stored = StoredKey {
        id: kid.to_owned(),
        public_key: URL_SAFE_NO_PAD.encode(public.public_key()),
        private_key: "sealed".to_owned(),
        created_at: Timestamp(0),
        signs_from: Timestamp(i64::from(seed[0])),
    };
    bench
        .catalog
        .add_signing_key(&stored, Timestamp(0))
        .await
        .unwrap();
    SigningKey {
        kid: kid.to_owned(),
        key: EncodingKey::from_ed_der(&[&PKCS8[..], &seed].concat()),
        algorithm: Algorithm::EdDSA,
    }
}

/// An API key of a service account in cluster `one`.
async fn person(bench: &Bench, expires_at: Option<Timestamp>) -> (Person, ApiKeyId) {
    let mut person = people::key(1, &ACCOUNT.public(), expires_at);
    person.credential.service_account = Some(ACCOUNT);
    people::put(bench, &person.credential).await;
    let id = ApiKeyId::from_public(&person.username).unwrap();
    (person, id)
}

fn claims(key: ApiKeyId) -> Value {
    json!({
        "iss": "http://127.0.0.1:8080", "sub": ACCOUNT.public(), "aud": "firn", "iat": now(), "exp": now() + 600, "jti": "1",
        "key": key.public(), "org": "org_x",
    })
}

#[tokio::test]
async fn a_token_of_firn_stands_for_its_api_key_with_and_without_a_server_name() {
    let world = World::new().await;
    let key = signing_key(&world.bench, "own-1", 1).await;
    let (_, id) = person(&world.bench, None).await;
    let token = key.sign(&claims(id));
    assert!(world.takes_at("one.cell.test", &token).await);
    assert!(
        world.takes_at("localhost", &token).await,
        "the key says which cluster"
    );
    assert!(
        !world.takes_at("two.cell.test", &token).await,
        "another cluster's name"
    );
    assert!(!world.takes_at("three.cell.test", &token).await);
    let mut caller = world.connect("one.cell.test").await;
    let told = caller.bearer(&token).await;
    assert!((1..=600_000).contains(&told.session_lifetime_ms));
    assert!(caller.cluster().await.is_some());
    world.bench.stop().await;
}

#[tokio::test]
async fn a_token_of_firn_ends_with_its_api_key() {
    let world = World::new().await;
    let key = signing_key(&world.bench, "own-1", 1).await;
    let soon = Env::system().now().plus(Duration::from_secs(60));
    let (person, id) = person(&world.bench, Some(soon)).await;
    let mut caller = world.connect("one.cell.test").await;
    let told = caller.bearer(&key.sign(&claims(id))).await;
    assert!(
        (1..=60_000).contains(&told.session_lifetime_ms),
        "the key ends first"
    );
    people::revoke(&world.bench, &person.credential).await;
    assert!(caller.is_closed().await);
    assert!(!world.takes(&key.sign(&claims(id))).await);
    world.bench.stop().await;
}

#[tokio::test]
async fn what_firn_has_not_signed_or_not_for_this_is_refused() {
    let mut world = World::asking_every(Duration::from_millis(20)).await;
    let key = signing_key(&world.bench, "own-1", 1).await;
    let (_, id) = person(&world.bench, None).await;
    let good = claims(id);
    let changed = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        claims
    };
    let of_provider = world.provider.key();
    let mut in_own_name = good.clone();
    in_own_name["iss"] = json!(world.provider.issuer());
    let bad = [
        ("a provider's signature", of_provider.sign(&good)),
        (
            "a provider's issuer and signature",
            of_provider.sign(&in_own_name),
        ),
        (
            "another key under the name",
            SigningKey {
                kid: "own-1".to_owned(),
                ..of_provider.clone()
            }
            .sign(&good),
        ),
        ("an expired one", key.sign(&changed("exp", json!(now() - 1)))),
        ("a future one", key.sign(&changed("iat", json!(now() + 60)))),
        ("another purpose", key.sign(&changed("aud", json!("mail")))),
        (
            "a key that is not there",
            key.sign(&changed("key", json!(ApiKeyId(77).public()))),
        ),
        (
            "another account",
            key.sign(&changed("sub", json!(ServiceAccountId(10).public()))),
        ),
        (
            "no key's name",
            key.sign_as(&json!({"alg": "EdDSA", "kid": "own-9"}), &good),
        ),
    ];
    for (what, token) in bad {
        assert!(!world.takes(&token).await, "{what}");
    }
    assert!(world.takes(&key.sign(&good)).await);
    let next = signing_key(&world.bench, "own-2", 2).await;
    let taken = async { while !world.takes(&next.sign(&good)).await {} };
    let soon = tokio::time::timeout(crate::support::client::PATIENCE, taken);
    soon.await.expect("a new key is found");
    // A provider that calls itself Firn gains nothing, and takes nothing away.
    let issuer = good["iss"].as_str().unwrap().to_owned();
    world.change(|body| body.issuer = issuer).await;
    assert!(world.takes(&key.sign(&good)).await);
    assert!(!world.takes(&of_provider.sign(&good)).await);
    world.bench.stop().await;
}
