//! PLAIN and SCRAM, right and wrong.

use firn_catalog::entities::ClusterState;
use firn_runtime::{Env, Timestamp};
use firn_secrets::scram::Mechanism;
use kafka_protocol::messages::{SaslAuthenticateResponse, SaslHandshakeRequest};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::people::{self, Scram};
use super::{Caller, named};
use crate::support::Bench;
use crate::support::client::text;

pub const ACTIVE: (i64, ClusterState) = (1, ClusterState::Active);

pub async fn scram(
    caller: &mut Caller<TcpStream>,
    mechanism: Mechanism,
    user: &str,
    change: impl Fn(String) -> String,
    password: &str,
) -> (String, SaslAuthenticateResponse) {
    assert_eq!(caller.handshake(1, mechanism.name()).await, 0);
    let mut exchange = Scram::begin(mechanism, user);
    let told = caller.token(exchange.first()).await;
    assert_eq!(told.error_code, 0, "who does not exist is answered, too");
    exchange.server_first = String::from_utf8(told.auth_bytes.to_vec()).unwrap();
    let last = change(exchange.last(password));
    (exchange.salt().to_owned(), caller.token(last).await)
}

async fn assert_refused(caller: &mut Caller<TcpStream>, told: &SaslAuthenticateResponse, mechanism: &str) {
    assert_eq!(told.error_code, 58);
    assert_eq!(
        told.error_message.as_deref(),
        Some(&*format!(
            "Authentication failed due to invalid credentials with SASL mechanism {mechanism}"
        ))
    );
    assert!(told.auth_bytes.is_empty());
    assert!(caller.is_closed().await);
}

async fn bench() -> Bench {
    let bench = named().await;
    people::cluster(&bench, 1, "one", ACTIVE, 100).await;
    people::cluster(&bench, 2, "two", ACTIVE, 100).await;
    bench
}

#[tokio::test]
async fn a_key_lands_in_its_cluster_and_other_keys_nowhere() {
    let bench = bench().await;
    let there = people::key(1, "sa_one", None);
    people::put(&bench, &there.credential).await;
    let mut caller = Caller::connect(&bench).await;
    let told = caller.plain(&there.username, &there.secret).await;
    assert_eq!((told.error_code, told.session_lifetime_ms), (0, 0));
    let expected = bench
        .images
        .image()
        .cluster(there.credential.cluster)
        .unwrap()
        .kafka_id
        .clone();
    assert_eq!(caller.cluster().await, Some(expected));
    let absent = people::key(1, "sa_one", None);
    let past = people::key(1, "sa_one", Some(Timestamp(Env::system().now().0 - 1)));
    people::put(&bench, &past.credential).await;
    let suspended = people::key(2, "sa_two", None);
    people::put(&bench, &suspended.credential).await;
    people::cluster(&bench, 2, "two", (2, ClusterState::Suspended), 100).await;
    for (user, key) in [
        (&absent.username, &absent.secret),
        (&past.username, &past.secret),
        (&suspended.username, &suspended.secret),
        (&absent.username, &there.secret),
        (&there.username, &absent.secret),
        (&there.username, &String::new()),
        (&there.username, &"x".repeat(60_000)),
    ] {
        let mut caller = Caller::connect(&bench).await;
        let told = caller.plain(user, key).await;
        assert_refused(&mut caller, &told, "PLAIN").await;
    }
    for message in [
        "",
        "\0",
        "\0a\0b\0c",
        &format!("x\0{}\0{}", there.username, there.secret),
    ] {
        let mut caller = Caller::connect(&bench).await;
        assert_eq!(caller.handshake(1, "PLAIN").await, 0);
        let told = caller.token(message).await;
        assert_refused(&mut caller, &told, "PLAIN").await;
    }
    bench.stop().await;
}

#[tokio::test]
async fn a_password_is_proven_with_either_mechanism_and_a_wrong_one_is_not() {
    let bench = bench().await;
    let old = people::scram(1, "usr_a", "old", true);
    people::put(&bench, &old.credential).await;
    let new = people::scram(1, "usr_a", "new", true);
    people::put(&bench, &new.credential).await;
    for mechanism in Mechanism::ALL {
        for password in ["old", "new"] {
            let mut caller = Caller::connect(&bench).await;
            let (_, told) = scram(&mut caller, mechanism, "usr_a", |last| last, password).await;
            assert_eq!(told.error_code, 0);
            assert!(told.auth_bytes.starts_with(b"v="));
            assert!(caller.cluster().await.is_some());
        }
        let same = |last: String| last;
        let other_nonce = |last: String| last.replace("r=rOpr", "r=Ropr");
        let other_header = |last: String| last.replace("c=biws", "c=eSws");
        let no_proof = |last: String| last.split(",p=").next().unwrap().to_owned();
        for (password, change) in [
            ("wrong", &same as &dyn Fn(String) -> String),
            ("old", &other_nonce),
            ("old", &other_header),
            ("old", &no_proof),
        ] {
            let mut caller = Caller::connect(&bench).await;
            let (_, told) = scram(&mut caller, mechanism, "usr_a", change, password).await;
            assert_refused(&mut caller, &told, mechanism.name()).await;
        }
    }
    bench.stop().await;
}

#[tokio::test]
async fn a_proof_cannot_be_replayed() {
    let bench = bench().await;
    let person = people::scram(1, "usr_a", "password", true);
    people::put(&bench, &person.credential).await;
    let seen = std::sync::Mutex::new(String::new());
    let note = |last: String| {
        seen.lock().unwrap().clone_from(&last);
        last
    };
    let mut caller = Caller::connect(&bench).await;
    let (_, told) = scram(&mut caller, Mechanism::Sha256, "usr_a", note, "password").await;
    assert_eq!(told.error_code, 0);
    let replay = |_| seen.lock().unwrap().clone();
    let mut caller = Caller::connect(&bench).await;
    let (_, told) = scram(&mut caller, Mechanism::Sha256, "usr_a", replay, "password").await;
    assert_refused(&mut caller, &told, "SCRAM-SHA-256").await;
    bench.stop().await;
}

#[tokio::test]
async fn whoever_does_not_exist_is_answered_like_whoever_does() {
    let bench = bench().await;
    let person = people::scram(1, "usr_a", "password", true);
    people::put(&bench, &person.credential).await;
    // Chosen names mean nothing without a server name.
    let chosen = people::scram(1, "alice", "password", false);
    people::put(&bench, &chosen.credential).await;
    let mut salts = Vec::new();
    for user in ["usr_a", "usr_a", "nobody", "nobody", "alice"] {
        let mut caller = Caller::connect(&bench).await;
        let (salt, told) = scram(&mut caller, Mechanism::Sha256, user, |last| last, "wrong").await;
        assert_refused(&mut caller, &told, "SCRAM-SHA-256").await;
        salts.push(salt);
    }
    assert_eq!(salts[0], salts[1]);
    assert_eq!(salts[2], salts[3]);
    assert_ne!(salts[2], salts[4]);
    let mut caller = Caller::connect(&bench).await;
    let (_, told) = scram(&mut caller, Mechanism::Sha512, "alice", |last| last, "password").await;
    assert_refused(&mut caller, &told, "SCRAM-SHA-512").await;
    bench.stop().await;
}

#[tokio::test]
async fn unknown_mechanisms_and_tokens_out_of_turn_are_refused() {
    let bench = bench().await;
    for mechanism in ["GSSAPI", "", "plain", "FIRN-DELEGATION"] {
        let mut caller = Caller::connect(&bench).await;
        let request = SaslHandshakeRequest::default().with_mechanism(text(mechanism));
        let told = caller.call(1, &request).await;
        assert_eq!(told.error_code, 33);
        assert_eq!(
            told.mechanisms,
            ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"].map(text)
        );
        assert!(caller.is_closed().await);
    }
    let mut caller = Caller::connect(&bench).await;
    assert_eq!(caller.token("\0a\0b").await.error_code, 34);
    assert!(caller.is_closed().await);
    let mut caller = Caller::connect(&bench).await;
    assert_eq!(caller.handshake(1, "PLAIN").await, 0);
    assert_eq!(caller.handshake(1, "SCRAM-SHA-256").await, 34);
    assert!(caller.is_closed().await);
    bench.stop().await;
}

#[tokio::test]
async fn raw_tokens_follow_a_handshake_of_version_0() {
    let bench = bench().await;
    let there = people::key(1, "sa_one", None);
    people::put(&bench, &there.credential).await;
    for (secret, right) in [(there.secret.as_str(), true), ("wrong", false)] {
        let mut caller = Caller::connect(&bench).await;
        assert_eq!(caller.handshake(0, "PLAIN").await, 0);
        let token = format!("\0{}\0{secret}", there.username);
        caller
            .stream
            .write_u32(u32::try_from(token.len()).unwrap())
            .await
            .unwrap();
        caller.stream.write_all(token.as_bytes()).await.unwrap();
        let answer = caller.stream.read_u32().await.ok();
        assert_eq!(answer, right.then_some(0));
        assert_eq!(caller.cluster().await.is_some(), right);
    }
    bench.stop().await;
}

#[tokio::test]
async fn in_dev_a_connection_that_begins_to_authenticate_is_nobody() {
    let bench = Bench::start().await;
    people::cluster(&bench, 1, "one", ACTIVE, 100).await;
    let there = people::key(1, "sa_one", None);
    people::put(&bench, &there.credential).await;
    let mut caller = Caller::connect(&bench).await;
    let dev = caller.cluster().await.unwrap();
    assert_eq!(caller.plain(&there.username, &there.secret).await.error_code, 0);
    assert_ne!(caller.cluster().await.unwrap(), dev);
    let mut caller = Caller::connect(&bench).await;
    assert_eq!(caller.handshake(1, "PLAIN").await, 0);
    caller.assert_nobody().await;
    bench.stop().await;
}
