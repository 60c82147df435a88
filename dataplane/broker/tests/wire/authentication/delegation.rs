//! The internal listener, and who is let in there.

use std::net::IpAddr;

use firn_catalog::entities::ClusterState;
use firn_catalog::ids::ClusterId;
use firn_runtime::Env;
use firn_secrets::delegation::Delegation;
use firn_secrets::{MasterKey, Secrets};
use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::{CreateTopicsRequest, SaslHandshakeRequest};
use tokio::net::TcpStream;

use super::{Caller, with};
use super::{acls, networks, people};
use crate::support::client::{batch, produce, produced, text, topic_name};
use crate::support::{Bench, Setup, secrets};

fn delegation(roles: &[&str]) -> Delegation {
    Delegation {
        cluster: 1,
        user: "per_somebody".to_owned(),
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        expires_at_ms: Env::system().now().0 + 60_000,
        request_id: "request-1".to_owned(),
        address: None,
    }
}

async fn bench() -> Bench {
    let bench = with(Setup {
        internal: true,
        ..Setup::default()
    })
    .await;
    people::cluster(&bench, 1, "one", (1, ClusterState::Active), 100).await;
    bench
}

async fn inside(bench: &Bench, token: &str) -> (Caller<TcpStream>, i16) {
    let address = bench.broker.internal_address().unwrap();
    let mut caller = Caller::over(TcpStream::connect(address).await.unwrap());
    assert_eq!(caller.handshake(1, "FIRN-DELEGATION").await, 0);
    let error = caller.token(token).await.error_code;
    (caller, error)
}

async fn create(caller: &mut Caller<TcpStream>, name: &str) -> i16 {
    let topic = CreatableTopic::default()
        .with_name(topic_name(name))
        .with_num_partitions(1)
        .with_replication_factor(1);
    let request = CreateTopicsRequest::default()
        .with_topics(vec![topic])
        .with_timeout_ms(10_000);
    caller.call(5, &request).await.topics[0].error_code
}

#[tokio::test]
async fn the_control_plane_asks_for_somebody_and_may_what_they_may() {
    let bench = bench().await;
    let (mut admin, error) = inside(&bench, &delegation(&["admin"]).sign(&secrets())).await;
    assert_eq!((error, create(&mut admin, "made").await), (0, 0));
    let (mut viewer, error) = inside(&bench, &delegation(&["viewer"]).sign(&secrets())).await;
    assert_eq!(error, 0);
    assert_ne!(create(&mut viewer, "other").await, 0);
    people::cluster(&bench, 1, "one", (2, ClusterState::Suspended), 100).await;
    for before in [&mut admin, &mut viewer] {
        assert!(before.is_closed().await, "it spoke to an active cluster");
    }
    let (mut looks, error) = inside(&bench, &delegation(&["admin"]).sign(&secrets())).await;
    assert_eq!(error, 0, "what is in a suspended cluster can be looked at");
    assert!(looks.cluster().await.is_some());
    assert_ne!(create(&mut looks, "third").await, 0);
    let internal = bench.broker.internal_address().unwrap();
    let image = bench.images.image();
    let told: Vec<_> = image
        .brokers()
        .filter_map(|broker| broker.internal.clone())
        .collect();
    assert_eq!(told[0].port, internal.port());
    bench.stop().await;
}

#[tokio::test]
async fn who_asks_by_rest_counts_as_being_where_it_asked_from() {
    let bench = bench().await;
    acls::bind_writer(&bench, ClusterId(1), "User:sa_bound").await;
    for (address, code) in [([127, 0, 0, 1], 0), ([192, 0, 2, 7], 29)] {
        let asked = Delegation {
            user: "sa_bound".to_owned(),
            address: Some(IpAddr::from(address)),
            ..delegation(&[])
        };
        let (mut caller, error) = inside(&bench, &asked.sign(&secrets())).await;
        assert_eq!(error, 0);
        let answer = caller.call(9, &produce("bound", 0, batch(&["a"]), -1)).await;
        assert_eq!(produced(&answer).0, code, "{address:?}");
    }
    bench.stop().await;
}

#[tokio::test]
async fn a_list_of_networks_keeps_kafka_clients_out_and_lets_who_asks_by_rest_in() {
    let bench = bench().await;
    let person = people::key(1, "sa_one", None);
    people::put(&bench, &person.credential).await;
    let token = |address: Option<[u8; 4]>| {
        let asked = Delegation {
            address: address.map(IpAddr::from),
            ..delegation(&["admin"])
        };
        asked.sign(&secrets())
    };
    let (mut live, error) = inside(&bench, &token(Some([198, 51, 100, 7]))).await;
    assert_eq!(error, 0);
    networks::allow(&bench, ClusterId(1), &["192.0.2.0/24"]).await;
    let mut client = Caller::connect(&bench).await;
    let told = client.plain(&person.username, &person.secret).await;
    assert_eq!(told.error_code, 58, "the client comes from 127.0.0.1");
    assert!(
        live.cluster().await.is_some(),
        "REST goes by the organization's list"
    );
    for address in [None, Some([198, 51, 100, 7]), Some([192, 0, 2, 7])] {
        let (mut caller, error) = inside(&bench, &token(address)).await;
        assert_eq!(error, 0, "{address:?}");
        assert!(caller.cluster().await.is_some());
    }
    bench.stop().await;
}

#[tokio::test]
async fn forged_and_expired_delegations_are_refused() {
    let bench = bench().await;
    let foreign = Secrets::new(&MasterKey::from_text(&"8".repeat(64)).unwrap());
    let mut expired = delegation(&["admin"]);
    expired.expires_at_ms = Env::system().now().0 - 1;
    let mut nowhere = delegation(&["admin"]);
    nowhere.cluster = 77;
    for token in [
        delegation(&["admin"]).sign(&foreign),
        expired.sign(&secrets()),
        nowhere.sign(&secrets()),
        delegation(&["emperor"]).sign(&secrets()),
        String::new(),
    ] {
        let (mut caller, error) = inside(&bench, &token).await;
        assert_eq!(error, 58);
        assert!(caller.is_closed().await);
    }
    bench.stop().await;
}

#[tokio::test]
async fn each_listener_offers_its_own_mechanisms_only() {
    let bench = bench().await;
    for mechanism in ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] {
        let address = bench.broker.internal_address().unwrap();
        let mut caller = Caller::over(TcpStream::connect(address).await.unwrap());
        let request = SaslHandshakeRequest::default().with_mechanism(text(mechanism));
        let told = caller.call(1, &request).await;
        assert_eq!(
            (told.error_code, told.mechanisms),
            (33, vec![text("FIRN-DELEGATION")])
        );
    }
    let mut outside = Caller::connect(&bench).await;
    assert_eq!(outside.handshake(1, "FIRN-DELEGATION").await, 33);
    bench.stop().await;
}
