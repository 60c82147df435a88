//! SCRAM users as Kafka's tools make, list and remove them.

use firn_catalog::entities::ClusterState;
use firn_secrets::scram::Mechanism;
use kafka_protocol::messages::alter_user_scram_credentials_request::{
    ScramCredentialDeletion, ScramCredentialUpsertion,
};
use kafka_protocol::messages::describe_user_scram_credentials_request::UserName;
use kafka_protocol::messages::{AlterUserScramCredentialsRequest, DescribeUserScramCredentialsRequest};
use tokio::net::TcpStream;

use super::Caller;
use super::people::{self, salted};
use crate::support::Bench;
use crate::support::client::text;

fn upsertion(name: &str, mechanism: i8, iterations: i32) -> ScramCredentialUpsertion {
    let hash = match mechanism {
        1 => Mechanism::Sha256,
        _ => Mechanism::Sha512,
    };
    let salted = salted(
        hash,
        "password",
        b"a salt",
        u32::try_from(iterations.max(1)).unwrap(),
    );
    ScramCredentialUpsertion::default()
        .with_name(text(name))
        .with_mechanism(mechanism)
        .with_iterations(iterations)
        .with_salt(b"a salt".as_slice().into())
        .with_salted_password(salted.into())
}

fn deletion(name: &str, mechanism: i8) -> ScramCredentialDeletion {
    ScramCredentialDeletion::default()
        .with_name(text(name))
        .with_mechanism(mechanism)
}

async fn alter(
    caller: &mut Caller<TcpStream>,
    deletions: Vec<ScramCredentialDeletion>,
    upsertions: Vec<ScramCredentialUpsertion>,
) -> Vec<(String, i16)> {
    let request = AlterUserScramCredentialsRequest::default()
        .with_deletions(deletions)
        .with_upsertions(upsertions);
    let told = caller.call(0, &request).await.results;
    told.iter()
        .map(|one| (one.user.to_string(), one.error_code))
        .collect()
}

/// Name, error, and mechanisms with their iterations.
async fn described(caller: &mut Caller<TcpStream>, names: &[&str]) -> Vec<(String, i16, Vec<(i8, i32)>)> {
    let users = names.iter().map(|name| UserName::default().with_name(text(name)));
    let request = DescribeUserScramCredentialsRequest::default().with_users(Some(users.collect()));
    let told = caller.call(0, &request).await;
    assert_eq!(told.error_code, 0);
    let one = |one: &kafka_protocol::messages::describe_user_scram_credentials_response::DescribeUserScramCredentialsResult| {
        let infos = one.credential_infos.iter();
        let infos = infos.map(|info| (info.mechanism, info.iterations)).collect();
        (one.user.to_string(), one.error_code, infos)
    };
    told.results.iter().map(one).collect()
}

fn told(name: &str, error: i16) -> (String, i16) {
    (name.to_owned(), error)
}

#[tokio::test]
async fn users_are_made_listed_changed_and_removed() {
    let bench = Bench::start().await;
    let mut caller = Caller::connect(&bench).await;
    let both = vec![
        upsertion("alice", 1, 4096),
        upsertion("alice", 2, 8192),
        upsertion("bob", 2, 16_384),
    ];
    assert_eq!(
        alter(&mut caller, vec![], both).await,
        [told("alice", 0), told("bob", 0)]
    );
    let alice = ("alice".to_owned(), 0, vec![(1, 4096), (2, 8192)]);
    let bob = ("bob".to_owned(), 0, vec![(2, 16_384)]);
    assert_eq!(described(&mut caller, &[]).await, [alice.clone(), bob.clone()]);
    let absent = ("carol".to_owned(), 91, vec![]);
    assert_eq!(described(&mut caller, &["bob", "carol"]).await, [bob, absent]);
    let twice = described(&mut caller, &["alice", "alice"]).await;
    assert_eq!(twice, [("alice".to_owned(), 92, vec![])]);
    let change = alter(
        &mut caller,
        vec![deletion("alice", 1)],
        vec![upsertion("alice", 2, 4096)],
    )
    .await;
    assert_eq!(change, [told("alice", 0)]);
    let left = ("alice".to_owned(), 0, vec![(2, 4096)]);
    assert_eq!(described(&mut caller, &["alice"]).await, [left]);
    let gone = alter(
        &mut caller,
        vec![deletion("alice", 2), deletion("bob", 2)],
        vec![],
    )
    .await;
    assert_eq!(gone, [told("alice", 0), told("bob", 0)]);
    assert_eq!(described(&mut caller, &[]).await, []);
    bench.stop().await;
}

#[tokio::test]
async fn what_is_wrong_is_told_for_each_user_and_changes_nothing() {
    let bench = Bench::start().await;
    let mut caller = Caller::connect(&bench).await;
    let mut saltless = upsertion("saltless", 1, 4096);
    saltless.salt = bytes::Bytes::new();
    let mut short = upsertion("short", 1, 4096);
    short.salted_password = b"short".as_slice().into();
    let upsertions = vec![
        upsertion("few", 1, 4095),
        upsertion("many", 1, 16_385),
        upsertion("negative", 1, -1),
        upsertion("unknown", 3, 4096),
        upsertion("", 1, 4096),
        upsertion("twice", 1, 4096),
        upsertion("twice", 1, 4096),
        upsertion("half", 1, 4096),
        upsertion("half", 2, 1),
        upsertion("line\n", 1, 4096),
        saltless,
        short,
    ];
    let deletions = vec![deletion("absent", 1), deletion("none", 0)];
    let expected = [
        ("", 93),
        ("absent", 91),
        ("few", 93),
        ("half", 93),
        ("line\n", 93),
        ("many", 93),
        ("negative", 93),
        ("none", 33),
        ("saltless", 93),
        ("short", 93),
        ("twice", 92),
        ("unknown", 33),
    ];
    let expected: Vec<_> = expected.iter().map(|(name, error)| told(name, *error)).collect();
    assert_eq!(alter(&mut caller, deletions, upsertions).await, expected);
    assert_eq!(described(&mut caller, &[]).await, []);
    bench.stop().await;
}

#[tokio::test]
async fn users_of_another_cluster_are_not_there() {
    let bench = Bench::start().await;
    people::cluster(&bench, 1, "one", (1, ClusterState::Active), 100).await;
    let person = people::key(1, "sa_one", None);
    people::put(&bench, &person.credential).await;
    let mut dev = Caller::connect(&bench).await;
    assert_eq!(
        alter(&mut dev, vec![], vec![upsertion("alice", 1, 4096)]).await,
        [told("alice", 0)]
    );
    let mut one = Caller::connect(&bench).await;
    assert_eq!(one.plain(&person.username, &person.secret).await.error_code, 0);
    assert_eq!(described(&mut one, &[]).await, []);
    assert_eq!(
        described(&mut one, &["alice"]).await,
        [("alice".to_owned(), 91, vec![])]
    );
    assert_eq!(
        alter(&mut one, vec![deletion("alice", 1)], vec![]).await,
        [told("alice", 91)]
    );
    assert_eq!(
        alter(&mut one, vec![], vec![upsertion("alice", 1, 5000)]).await,
        [told("alice", 0)]
    );
    let own = ("alice".to_owned(), 0, vec![(1, 4096)]);
    assert_eq!(described(&mut dev, &["alice"]).await, [own]);
    bench.stop().await;
}
