//! From where a cluster's clients may come, and how many of one principal.

use firn_broker::Limits;
use firn_catalog::commands::AlterClusterNetworks;
use firn_catalog::entities::ClusterState;
use firn_catalog::ids::ClusterId;
use firn_catalog::networks;
use kafka_protocol::ResponseError;

use super::{Caller, owner, people, with};
use crate::support::{Bench, Setup};

const ACTIVE: (i64, ClusterState) = (1, ClusterState::Active);

pub async fn allow(bench: &Bench, cluster: ClusterId, texts: &[&str]) {
    let command = AlterClusterNetworks {
        cluster,
        networks: networks::parse(texts).unwrap(),
        expected: None,
        validate_only: false,
    };
    let actor = owner(cluster);
    let done = bench.catalog.alter_cluster_networks(&actor, command);
    let sequence = done.await.unwrap().sequence.unwrap();
    bench.images.wait_for(sequence).await;
}

#[tokio::test]
async fn clients_from_elsewhere_are_refused_like_any_other_and_live_ones_end() {
    let bench = with(Setup::default()).await;
    for (id, slug) in [(1, "one"), (2, "two")] {
        people::cluster(&bench, id, slug, ACTIVE, 100).await;
    }
    let (one, two) = (people::key(1, "sa_one", None), people::key(2, "sa_two", None));
    for person in [&one, &two] {
        people::put(&bench, &person.credential).await;
    }
    let mut live = Caller::connect(&bench).await;
    assert_eq!(live.plain(&one.username, &one.secret).await.error_code, 0);
    let mut other = Caller::connect(&bench).await;
    assert_eq!(other.plain(&two.username, &two.secret).await.error_code, 0);
    allow(&bench, ClusterId(1), &["127.0.0.0/8", "2001:db8::/32"]).await;
    assert!(live.cluster().await.is_some(), "it comes from there");
    allow(&bench, ClusterId(1), &["192.0.2.0/24"]).await;
    assert!(live.is_closed().await);
    let mut refused = Caller::connect(&bench).await;
    let told = refused.plain(&one.username, &one.secret).await;
    let mut wrong = Caller::connect(&bench).await;
    let as_wrong = wrong.plain(&one.username, "nonsense").await;
    assert_eq!(told.error_code, ResponseError::SaslAuthenticationFailed.code());
    assert_eq!(told, as_wrong, "nobody learns that the key is right");
    assert!(refused.is_closed().await);
    assert!(other.cluster().await.is_some(), "another cluster's clients stay");
    allow(&bench, ClusterId(1), &[]).await;
    let mut back = Caller::connect(&bench).await;
    assert_eq!(back.plain(&one.username, &one.secret).await.error_code, 0);
    bench.stop().await;
}

#[tokio::test]
async fn who_is_somebody_without_being_asked_comes_from_there_too() {
    let bench = Bench::start().await;
    let mut live = Caller::connect(&bench).await;
    assert!(live.cluster().await.is_some());
    allow(&bench, bench.cluster, &["192.0.2.0/24"]).await;
    assert!(live.is_closed().await);
    Caller::connect(&bench).await.assert_nobody().await;
    allow(&bench, bench.cluster, &["127.0.0.1"]).await;
    assert!(Caller::connect(&bench).await.cluster().await.is_some());
    bench.stop().await;
}

#[tokio::test]
async fn a_principal_has_so_many_connections_and_the_next_one_is_closed() {
    let limits = Limits {
        connections_per_principal: 2,
        ..Limits::default()
    };
    let bench = with(Setup {
        limits,
        ..Setup::default()
    })
    .await;
    people::cluster(&bench, 1, "one", ACTIVE, 100).await;
    let (first, second) = (people::key(1, "sa_one", None), people::key(1, "sa_one", None));
    let other = people::key(1, "sa_other", None);
    for person in [&first, &second, &other] {
        people::put(&bench, &person.credential).await;
    }
    let mut known = Vec::new();
    for person in [&first, &second, &other] {
        let mut caller = Caller::connect(&bench).await;
        assert_eq!(caller.plain(&person.username, &person.secret).await.error_code, 0);
        known.push(caller);
    }
    let mut refused = Caller::connect(&bench).await;
    assert_eq!(refused.handshake(1, "PLAIN").await, 0);
    let token = format!("\0{}\0{}", second.username, second.secret);
    let request = kafka_protocol::messages::SaslAuthenticateRequest::default().with_auth_bytes(token.into());
    assert!(refused.try_call(2, &request).await.is_none(), "it is closed");
    assert!(known[0].cluster().await.is_some(), "and the others stay");
    drop(known.remove(0));
    bench.connections(2).await;
    let mut next = Caller::connect(&bench).await;
    assert_eq!(next.plain(&first.username, &first.secret).await.error_code, 0);
    bench.stop().await;
}
