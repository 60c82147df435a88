//! Who a token makes of a connection, and for how long.

use firn_catalog::ids::ClusterId;

use super::super::acls;
use super::World;
use super::identity_provider::now;
use crate::support::client::PATIENCE;

#[tokio::test]
async fn a_connection_ends_with_its_token_and_goes_on_with_a_newer_one_of_the_same_client() {
    let world = World::new().await;
    world.provider.set_life(5);
    let mut ends = world.connect("one.cell.test").await;
    let told = ends.bearer(&world.provider.token("alice")).await;
    assert!(
        (1..=5_000).contains(&told.session_lifetime_ms),
        "{}",
        told.session_lifetime_ms
    );
    let mut goes_on = world.connect("one.cell.test").await;
    goes_on.bearer(&world.provider.token("alice")).await;
    world.provider.set_life(300);
    let again = goes_on.bearer(&world.provider.token("alice")).await;
    assert!(again.error_code == 0 && again.session_lifetime_ms > 200_000);
    assert!(ends.is_closed().await);
    assert!(goes_on.cluster().await.is_some());
    let other = goes_on.bearer(&world.provider.token("bob")).await;
    assert_eq!(other.error_code, 58, "nobody becomes another");
    world.bench.stop().await;
}

#[tokio::test]
async fn who_shows_a_token_is_bound() {
    let world = World::new().await;
    let (one, alice) = (ClusterId(1), "User:alice");
    acls::bind_writer(&world.bench, one, alice).await;
    let mut caller = world.connect("one.cell.test").await;
    let told = caller.bearer(&world.provider.token("alice")).await;
    assert!(told.auth_bytes.is_empty());
    acls::assert_are_bound(&world.bench, one, alice, &mut [caller]).await;
    world.bench.stop().await;
}

#[tokio::test]
async fn kafka_s_own_bound_on_sessions_holds_for_tokens_too() {
    let (interval, limits) = (std::time::Duration::from_secs(30), firn_broker::Limits::default());
    let world = World::with(interval, limits, "60000").await;
    let mut caller = world.connect("one.cell.test").await;
    let told = caller.bearer(&world.provider.token("alice")).await;
    assert_eq!(told.session_lifetime_ms, 60_000);
    world.bench.stop().await;
}

#[tokio::test]
async fn a_changed_provider_ends_its_connections_and_a_removed_one_takes_nobody() {
    let mut world = World::new().await;
    let token = world.provider.token("alice");
    let mut caller = world.connect("one.cell.test").await;
    assert!(caller.bearer(&token).await.auth_bytes.is_empty());
    assert!(caller.cluster().await.is_some());
    world.change(|body| body.audiences.remove(0).clear()).await;
    assert!(caller.is_closed().await);
    let mut caller = world.connect("one.cell.test").await;
    assert!(caller.bearer(&token).await.auth_bytes.is_empty());
    world.remove().await;
    assert!(caller.is_closed().await);
    assert!(!world.takes(&token).await);
    world.bench.stop().await;
}

#[tokio::test]
async fn a_claim_and_rules_name_the_client() {
    let mut world = World::new().await;
    world
        .change(|body| {
            body.principal_claim = "email".to_owned();
            body.mapping_rules = r"RULE:^(.*)@example\.com$/$1/L".to_owned();
        })
        .await;
    let key = world.provider.key();
    let named = |email: &str| {
        let mut claims = world.provider.claims("alice");
        claims["email"] = email.into();
        key.sign(&claims)
    };
    assert!(world.takes(&named("Alice@example.com")).await);
    assert!(!world.takes(&named("alice@elsewhere.com")).await, "no rule fits");
    assert!(!world.takes(&named("ANONYMOUS@elsewhere.com")).await);
    assert!(
        !world.takes(&key.sign(&world.provider.claims("alice"))).await,
        "no such claim"
    );
    world.bench.stop().await;
}

#[tokio::test]
async fn clocks_may_differ_by_what_the_cluster_says() {
    let mut world = World::new().await;
    let key = world.provider.key();
    let mut claims = world.provider.claims("alice");
    claims["iat"] = (now() + 20).into();
    let early = key.sign(&claims);
    claims["iat"] = (now() - 100).into();
    claims["exp"] = (now() - 20).into();
    let late = key.sign(&claims);
    assert!(!world.takes(&early).await && !world.takes(&late).await);
    world.change(|body| body.clock_skew_seconds = 60).await;
    assert!(world.takes(&early).await && world.takes(&late).await);
    world.bench.stop().await;
}

#[tokio::test]
async fn tokens_are_offered_where_keys_in_clear_are() {
    let world = World::new().await;
    let mut plain = super::Caller::connect(&world.bench).await;
    let told = plain.bearer(&world.provider.token("alice")).await;
    assert_eq!(
        told.auth_bytes,
        super::REFUSED,
        "without a server name no cluster is meant"
    );
    let ended = tokio::time::timeout(PATIENCE, plain.token(b"\x01"))
        .await
        .unwrap();
    assert_eq!(ended.error_code, 58);
    let mut acting = world.connect("one.cell.test").await;
    assert_eq!(acting.handshake(1, "OAUTHBEARER").await, 0);
    let token = world.provider.token("alice");
    let as_other = format!("n,a=bob,\u{1}auth=Bearer {token}\u{1}\u{1}");
    assert_eq!(acting.token(as_other).await.auth_bytes, super::REFUSED);
    let mut acting = world.connect("one.cell.test").await;
    assert_eq!(acting.handshake(1, "OAUTHBEARER").await, 0);
    let as_self = format!("n,a=alice,\u{1}auth=Bearer {token}\u{1}\u{1}");
    assert!(acting.token(as_self).await.auth_bytes.is_empty());
    world.bench.stop().await;
}
