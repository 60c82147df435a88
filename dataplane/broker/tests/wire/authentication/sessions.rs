//! When somebody is no longer: revoked, expired, another cluster's state; and authenticating anew.

use std::sync::Arc;
use std::time::Duration;

use firn_catalog::access::{Role, RoleSet};
use firn_catalog::commands::User;
use firn_catalog::entities::ClusterState;
use firn_runtime::Env;
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::people::{self, Person};
use super::{Caller, SOON, asking, named, with};
use crate::support::client::PATIENCE;
use crate::support::{Bench, Setup};

const ACTIVE: (i64, ClusterState) = (1, ClusterState::Active);

/// How long a credential is good that ends: enough to log in with it, on a machine that is busy.
const LIFE: Duration = Duration::from_secs(3);

async fn logged_in(bench: &Bench, person: &Person) -> Caller<TcpStream> {
    let mut caller = Caller::connect(bench).await;
    assert_eq!(caller.plain(&person.username, &person.secret).await.error_code, 0);
    assert!(caller.cluster().await.is_some());
    caller
}

async fn bench() -> (Bench, Person) {
    let bench = named().await;
    people::cluster(&bench, 1, "one", ACTIVE, 2).await;
    let person = people::key(1, "sa_one", None);
    people::put(&bench, &person.credential).await;
    (bench, person)
}

/// Asks without a pause until the connection is closed, which must be soon.
async fn assert_ends(caller: &mut Caller<TcpStream>) {
    let since = Instant::now();
    while caller.cluster().await.is_some() {
        assert!(since.elapsed() < SOON, "it goes on");
    }
}

#[tokio::test]
async fn a_revoked_credential_ends_its_connections_soon() {
    let (bench, person) = bench().await;
    let other = people::key(1, "sa_one", None);
    people::put(&bench, &other.credential).await;
    let mut caller = logged_in(&bench, &person).await;
    let mut stays = logged_in(&bench, &other).await;
    people::revoke(&bench, &person.credential).await;
    assert_ends(&mut caller).await;
    assert!(stays.cluster().await.is_some());
    bench.stop().await;
}

#[tokio::test]
async fn once_a_revocation_is_in_force_the_connections_are_closed() {
    let (bench, person) = bench().await;
    let other = people::key(1, "sa_one", None);
    people::put(&bench, &other.credential).await;
    let mut stays = logged_in(&bench, &other).await;
    for _ in 0..10 {
        let person = people::key(1, "sa_one", None);
        people::put(&bench, &person.credential).await;
        let mut caller = logged_in(&bench, &person).await;
        let sequence = people::revoke(&bench, &person.credential).await;
        assert!(bench.catalog.applied_everywhere(sequence, PATIENCE).await);
        assert_eq!(caller.cluster().await, None, "it is served after that");
    }
    assert!(stays.cluster().await.is_some());
    drop(person);
    bench.stop().await;
}

#[tokio::test]
async fn changed_roles_end_connections() {
    let (bench, person) = bench().await;
    let mut caller = logged_in(&bench, &person).await;
    let mut changed = person.credential.clone();
    changed.user = Arc::new(User {
        roles: RoleSet::NONE.with(Role::Viewer),
        ..changed.user.as_ref().clone()
    });
    people::put(&bench, &changed).await;
    assert_ends(&mut caller).await;
    logged_in(&bench, &person).await;
    bench.stop().await;
}

#[tokio::test]
async fn an_expired_credential_ends_its_connections() {
    let (bench, _) = bench().await;
    let expires_at = Env::system().now().plus(LIFE);
    let person = people::key(1, "sa_one", Some(expires_at));
    people::put(&bench, &person.credential).await;
    let mut caller = Caller::connect(&bench).await;
    let told = caller.plain(&person.username, &person.secret).await;
    assert!(
        (1..=i64::try_from(LIFE.as_millis()).unwrap()).contains(&told.session_lifetime_ms),
        "{}",
        told.session_lifetime_ms
    );
    assert!(caller.is_closed().await);
    bench.stop().await;
}

#[tokio::test]
async fn a_suspended_cluster_ends_its_connections() {
    let (bench, person) = bench().await;
    let mut caller = logged_in(&bench, &person).await;
    people::cluster(&bench, 1, "one", (2, ClusterState::Suspended), 2).await;
    assert_ends(&mut caller).await;
    let mut refused = Caller::connect(&bench).await;
    assert_eq!(
        refused.plain(&person.username, &person.secret).await.error_code,
        58
    );
    people::cluster(&bench, 1, "one", (3, ClusterState::Active), 2).await;
    logged_in(&bench, &person).await;
    bench.stop().await;
}

#[tokio::test]
async fn a_cluster_has_no_more_connections_than_it_may() {
    let (bench, person) = bench().await;
    let first = logged_in(&bench, &person).await;
    let _second = logged_in(&bench, &person).await;
    let mut third = Caller::connect(&bench).await;
    assert_eq!(third.handshake(1, "PLAIN").await, 0);
    let token = format!("\0{}\0{}", person.username, person.secret);
    let request = kafka_protocol::messages::SaslAuthenticateRequest::default().with_auth_bytes(token.into());
    assert!(
        third.try_call(2, &request).await.is_none(),
        "closed without an answer"
    );
    drop(first);
    bench.connections(1).await;
    logged_in(&bench, &person).await;
    bench.stop().await;
}

#[tokio::test]
async fn a_session_goes_on_only_for_who_authenticates_anew_as_the_same() {
    let bench = with(Setup {
        kafka: vec![("connections.max.reauth.ms", "6000")],
        ..Setup::default()
    })
    .await;
    people::cluster(&bench, 1, "one", ACTIVE, 10).await;
    let (one, again, other) = (
        people::key(1, "sa_one", None),
        people::key(1, "sa_one", None),
        people::key(1, "sa_two", None),
    );
    for person in [&one, &again, &other] {
        people::put(&bench, &person.credential).await;
    }
    let mut caller = Caller::connect(&bench).await;
    let told = caller.plain(&one.username, &one.secret).await;
    assert_eq!((told.error_code, told.session_lifetime_ms), (0, 6_000));
    let mut late = logged_in(&bench, &one).await;
    let mut changes = logged_in(&bench, &one).await;
    assert_eq!(changes.plain(&other.username, &other.secret).await.error_code, 58);
    assert!(changes.is_closed().await);
    let mut switches = logged_in(&bench, &one).await;
    assert_eq!(
        switches.handshake(0, "PLAIN").await,
        34,
        "no raw tokens between requests"
    );
    for _ in 0..2 {
        // Well within a session, on a machine that is busy; both together are longer than one.
        tokio::time::sleep(Duration::from_millis(3_100)).await;
        // With the key that takes the first one's place.
        assert_eq!(caller.plain(&again.username, &again.secret).await.error_code, 0);
        assert!(caller.cluster().await.is_some());
    }
    assert_eq!(late.call(0, &asking()).await.error_code, 0);
    late.assert_nobody().await;
    bench.stop().await;
}
