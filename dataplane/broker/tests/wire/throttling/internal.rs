//! What the processes of a cell say to each other: only on the internal listener, only with a delegation, whatever the bytes.

use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use firn_catalog::cell::{LogCatalog, WalLocation};
use firn_catalog::entities::{Address, ClusterLimits};
use firn_catalog::ids::{IncarnationId, NodeId, PartitionId, TopicId};
use firn_catalog::internal::{Connections, INTERNAL_API, Load};
use firn_catalog::lag::positions::{AskedPosition, INTERNAL_POSITIONS, decode_told, encode_asked};
use firn_catalog::quota::QuotaKey;
use firn_catalog::quota::throttle::{Limit, Throttles};
use firn_runtime::Env;
use firn_secrets::delegation::{Delegation, MECHANISM};
use kafka_protocol::messages::{
    ApiVersionsRequest, MetadataRequest, SaslAuthenticateRequest, SaslHandshakeRequest,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::{every_user, fetch, large, limit, quota, send};
use crate::isolation::tenants::Tenant;
use crate::support::client::{Client, PATIENCE, produce, text};
use crate::support::{Bench, Setup, secrets};

const INVALID_REQUEST: i16 = 42;
const NOT_ALLOWED: i16 = 31;
const NOT_REGISTERED: i16 = 102;
const ASK: &[u8] = b"\0\"throttles\"";

async fn bench() -> Bench {
    Bench::with(Setup {
        internal: true,
        ..Setup::default()
    })
    .await
}

/// A connection to the internal listener for somebody in a cluster.
async fn inside(bench: &Bench, cluster: u128, roles: &[&str]) -> Client {
    inside_as(bench, "per_somebody", cluster, roles).await
}

/// A connection of a broker of that incarnation.
async fn broker(bench: &Bench, incarnation: u128) -> Client {
    inside_as(bench, &format!("broker-{incarnation:032x}"), 0, &[]).await
}

async fn inside_as(bench: &Bench, user: &str, cluster: u128, roles: &[&str]) -> Client {
    let mut client = Client::connect(bench.broker.internal_address().unwrap()).await;
    let chosen = SaslHandshakeRequest::default().with_mechanism(text(MECHANISM));
    assert_eq!(client.call(1, &chosen).await.error_code, 0);
    let delegation = Delegation {
        cluster,
        user: user.to_owned(),
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        expires_at_ms: Env::system().now().0 + 60_000,
        request_id: "request-1".to_owned(),
        address: None,
    };
    let proof = SaslAuthenticateRequest::default().with_auth_bytes(Bytes::from(delegation.sign(&secrets())));
    assert_eq!(client.call(2, &proof).await.error_code, 0);
    client
}

fn message(body: &[u8]) -> BytesMut {
    let mut frame = BytesMut::new();
    frame.put_i32(i32::try_from(12 + body.len()).unwrap());
    frame.put_i16(INTERNAL_API);
    frame.put_i16(0);
    frame.put_i32(7);
    frame.put_i16(2);
    frame.put_slice(b"me");
    frame.put_slice(body);
    frame
}

/// Says something; the error code and what follows it.
async fn say(client: &mut Client, body: &[u8]) -> (i16, Bytes) {
    client.stream.write_all(&message(body)).await.unwrap();
    let mut answer = client.frame().await.expect("an answer");
    assert_eq!(answer.get_i32(), 7);
    (answer.get_i16(), answer)
}

fn demands(clusters: u32) -> Vec<u8> {
    let mut body = vec![1];
    body.put_u32(clusters);
    for cluster in 0..clusters {
        body.put_u128(cluster.into());
        body.put_u64(5);
        body.put_u64(6);
    }
    body
}

#[tokio::test]
async fn why_somebody_is_throttled_is_told_to_whoever_may_see_the_cluster() {
    let bench = bench().await;
    let mut client = bench.client().await;
    client.create_topic("t", 1).await;
    let mut viewer = inside(&bench, bench.cluster.0, &["viewer"]).await;
    let (error, told) = say(&mut viewer, ASK).await;
    assert_eq!(error, 0);
    let told: Throttles = serde_json::from_slice(&told).unwrap();
    assert_eq!(told, Throttles::default(), "nobody waits");
    quota(&bench, every_user(), QuotaKey::ProducerByteRate, Some(1_000.0)).await;
    let before = Env::system().now().0;
    send(&mut client, "t", 50_000).await;
    let (_, told) = say(&mut viewer, ASK).await;
    let told: Throttles = serde_json::from_slice(&told).unwrap();
    let throttle = &told.throttles[0];
    assert_eq!(
        (throttle.principal.as_str(), throttle.client_id.as_str()),
        ("ANONYMOUS", "test")
    );
    assert!(throttle.since_ms >= before && throttle.until_ms > throttle.since_ms + 40_000);
    assert!(throttle.total_ms > 40_000 && throttle.times == 1);
    let expected = Limit::Quota {
        entity: every_user(),
        key: QuotaKey::ProducerByteRate,
        value: 1_000.0,
    };
    assert_eq!(throttle.limit, expected);
    // Somebody without a role there learns nothing, nor does another cluster.
    let mut nobody = inside(&bench, bench.cluster.0, &[]).await;
    assert_eq!(say(&mut nobody, ASK).await, (NOT_ALLOWED, Bytes::new()));
    bench.stop().await;
}

#[tokio::test]
async fn who_is_connected_and_how_much_goes_on_is_told_to_whoever_may_see_the_cluster() {
    let bench = bench().await;
    let mut viewer = inside(&bench, bench.cluster.0, &["viewer"]).await;
    let (error, told) = say(&mut viewer, b"\0\"connections\"").await;
    assert_eq!(error, 0);
    let told: Connections = serde_json::from_slice(&told).unwrap();
    assert_eq!(told, Connections::default(), "who asks for somebody is no client");
    let before = Env::system().now().0;
    let mut client = bench.client().await;
    client.create_topic("t", 3).await;
    send(&mut client, "t", 5_000).await;
    let (_, told) = say(&mut viewer, b"\0\"connections\"").await;
    let told: Connections = serde_json::from_slice(&told).unwrap();
    let [connection] = &told.connections[..] else {
        panic!("one client is there: {told:?}");
    };
    assert_eq!(
        (connection.principal.as_str(), connection.client_id.as_deref()),
        ("User:ANONYMOUS", Some("test"))
    );
    assert_eq!(
        (connection.requests, connection.last_api.as_deref()),
        (2, Some("Produce"))
    );
    assert!(connection.bytes_in > 5_000 && connection.bytes_out > 0 && !connection.tls);
    assert!(connection.opened_ms >= before - 1 && connection.closed_ms.is_none());
    assert!(connection.last_request_ms >= Some(connection.opened_ms));
    assert_eq!(told.first_connection_ms, Some(connection.opened_ms));
    assert!(told.first_record_ms >= told.first_connection_ms);

    let (_, load) = say(&mut viewer, b"\0\"load\"").await;
    let load: Load = serde_json::from_slice(&load).unwrap();
    assert!(
        load.produced_bytes_per_second > 0.0 && load.requests_per_second > 0.0,
        "{load:?}"
    );
    assert_eq!(
        (load.connections, load.partitions, load.unavailable_partitions),
        (1, 3, 0)
    );
    assert!(
        load.total_bytes > 5_000 && load.total_bytes == load.local_bytes,
        "{load:?}"
    );
    assert_eq!((load.groups, load.storage_full), (Some(0), false));

    // Whoever went is told of, and nobody else learns anything.
    drop(client);
    let went = async {
        loop {
            let (_, told) = say(&mut viewer, b"\0\"connections\"").await;
            let told: Connections = serde_json::from_slice(&told).unwrap();
            if told.connections[0].closed_ms.is_some() {
                return told;
            }
            tokio::task::yield_now().await;
        }
    };
    let told = tokio::time::timeout(PATIENCE, went).await.expect("it went");
    assert_eq!((told.connections.len(), told.connections[0].requests), (1, 2));
    for ask in [&b"\0\"connections\""[..], b"\0\"load\""] {
        let mut nobody = inside(&bench, bench.cluster.0, &[]).await;
        assert_eq!(say(&mut nobody, ask).await, (NOT_ALLOWED, Bytes::new()));
    }
    bench.stop().await;
}

#[tokio::test]
async fn what_software_a_client_is_may_be_said_once_it_is_somebody() {
    let bench = bench().await;
    let mut viewer = inside(&bench, bench.cluster.0, &["viewer"]).await;
    let mut client = bench.client().await;
    client.create_topic("t", 1).await;
    for name in ["apache-kafka-java", "another"] {
        let named = ApiVersionsRequest::default()
            .with_client_software_name(text(name))
            .with_client_software_version(text("4.3.0"));
        assert_eq!(client.call(3, &named).await.error_code, 0);
        let (_, told) = say(&mut viewer, b"\0\"connections\"").await;
        let told: Connections = serde_json::from_slice(&told).unwrap();
        let software = (
            &told.connections[0].software_name,
            &told.connections[0].software_version,
        );
        let first = (&Some("apache-kafka-java".to_owned()), &Some("4.3.0".to_owned()));
        assert_eq!(software, first, "the first word counts");
    }
    bench.stop().await;
}

#[tokio::test]
async fn demands_are_taken_from_brokers_of_the_cell_only() {
    let bench = bench().await;
    let mut tenant = inside(&bench, bench.cluster.0, &["admin"]).await;
    assert_eq!(say(&mut tenant, &demands(2)).await.0, NOT_ALLOWED);
    // Whoever takes a broker's name in a tenant's cluster is none, nor is the cell without a broker's name.
    let name = format!("broker-{:032x}", 12_345);
    let mut named = inside_as(&bench, &name, bench.cluster.0, &["admin"]).await;
    assert_eq!(say(&mut named, &demands(2)).await.0, NOT_ALLOWED);
    let mut cell = inside(&bench, 0, &[]).await;
    assert_eq!(say(&mut cell, &demands(2)).await.0, NOT_ALLOWED);
    let own = bench.log.incarnation().0;
    for stranger in [own, 12_345] {
        let mut stranger = broker(&bench, stranger).await;
        assert_eq!(say(&mut stranger, &demands(2)).await.0, NOT_REGISTERED);
    }
    bench.stop().await;
}

#[tokio::test]
async fn whatever_bytes_come_are_answered_with_an_error_and_the_connection_goes_on() {
    let bench = bench().await;
    let mut cell = broker(&bench, 9).await;
    let mut short = demands(3);
    short.pop();
    let mut claims = demands(0);
    claims[1..5].copy_from_slice(&u32::MAX.to_be_bytes());
    let nested = [&b"\0"[..], &[b'['; 1_000]].concat();
    let hostile: [&[u8]; 9] = [
        b"",
        b"\x03",
        b"\0",
        b"\0{",
        b"\0\"other\"",
        b"\x01",
        &short,
        &claims,
        &nested,
    ];
    for body in hostile {
        assert_eq!(say(&mut cell, body).await.0, INVALID_REQUEST, "{body:?}");
    }
    assert_eq!(say(&mut cell, &demands(10_000)).await.0, NOT_REGISTERED);
    // Another version is none.
    let mut other = message(ASK);
    other[7] = 1;
    cell.stream.write_all(&other).await.unwrap();
    assert!(cell.is_closed().await);
    bench.stop().await;
}

#[tokio::test]
async fn clients_cannot_send_internal_messages_and_nobody_can_without_a_delegation() {
    let bench = bench().await;
    let mut client = bench.client().await;
    client.create_topic("t", 1).await;
    client.stream.write_all(&message(ASK)).await.unwrap();
    assert!(client.is_closed().await, "it is an unknown API");
    let mut stranger = Client::connect(bench.broker.internal_address().unwrap()).await;
    stranger.stream.write_all(&message(ASK)).await.unwrap();
    assert!(stranger.is_closed().await);
    bench.stop().await;
}

#[tokio::test]
async fn records_that_the_control_plane_carries_for_somebody_are_charged_to_it_and_its_questions_are_not() {
    let bench = bench().await;
    let mut client = bench.client().await;
    client.create_topic("t", 1).await;
    quota(&bench, every_user(), QuotaKey::ProducerByteRate, Some(1_000.0)).await;
    quota(&bench, every_user(), QuotaKey::ConsumerByteRate, Some(1_000.0)).await;
    let mut admin = inside(&bench, bench.cluster.0, &["admin"]).await;
    let request = produce("t", 0, large(50_000), -1);
    let sent = tokio::time::timeout(PATIENCE, admin.call(9, &request)).await;
    assert!(sent.expect("an answer").throttle_time_ms > 30_000);
    // The connection is not muted: who asks for somebody has it wait.
    let fetched = tokio::time::timeout(PATIENCE, admin.call(11, &fetch("t", (0, -1)))).await;
    let fetched = fetched.expect("an answer");
    assert!(!fetched.responses.is_empty() && fetched.throttle_time_ms == 0);
    let later = tokio::time::timeout(PATIENCE, admin.call(11, &fetch("t", (0, -1)))).await;
    let later = later.expect("an answer");
    assert!(
        later.responses.is_empty() && later.throttle_time_ms > 30_000,
        "{later:?}"
    );
    let asked = tokio::time::timeout(PATIENCE, admin.call(9, &MetadataRequest::default())).await;
    assert_eq!(asked.expect("an answer").throttle_time_ms, 0);
    bench.stop().await;
}

/// Reads a frame that a broker sends, and answers that all is well; what follows its header.
async fn understood(stream: &mut TcpStream) -> Bytes {
    let read = async {
        let length = usize::try_from(stream.read_i32().await.unwrap()).unwrap();
        let mut frame = vec![0; length];
        stream.read_exact(&mut frame).await.unwrap();
        frame
    };
    let frame = tokio::time::timeout(PATIENCE, read).await.expect("a frame");
    let correlation = &frame[4..8];
    let answer = [&6_i32.to_be_bytes()[..], correlation, &[0, 0]].concat();
    stream.write_all(&answer).await.unwrap();
    let name = usize::from(u16::from_be_bytes([frame[8], frame[9]]));
    Bytes::from(frame).slice(10 + name..)
}

/// What this broker has of the cluster's limit, as a client that waits is told.
async fn share(bench: &Bench, viewer: &mut Client) -> u64 {
    // As much as there is in a second, so that somebody waits the while.
    send(&mut bench.client().await, "t", 500_000).await;
    let (_, told) = say(viewer, ASK).await;
    let told: Throttles = serde_json::from_slice(&told).unwrap();
    match told.throttles[0].limit {
        Limit::Ingress {
            share,
            limit: 1_000_000,
        } => share,
        ref other => panic!("another limit: {other:?}"),
    }
}

#[tokio::test]
async fn a_broker_tells_the_others_what_is_wanted_and_takes_what_they_leave() {
    let bench = bench().await;
    let mut client = bench.client().await;
    client.create_topic("t", 1).await;
    // Another broker of the cell, which is this test.
    let peer = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (id, at) = (IncarnationId(77), peer.local_addr().unwrap());
    let address = Address {
        host: at.ip().to_string(),
        port: at.port(),
    };
    let (catalog, now) = (&bench.catalog, Env::system().now());
    let opened = catalog.open_incarnation(id, NodeId(1), WalLocation::Object, now);
    opened.await.unwrap();
    catalog
        .advertise(id, address.clone(), Some(address))
        .await
        .unwrap();
    limit(&bench, 2, 1_000_000, ClusterLimits::HIGHEST.egress).await;
    let (mut stream, _) = tokio::time::timeout(PATIENCE, peer.accept())
        .await
        .unwrap()
        .unwrap();
    let mut viewer = inside(&bench, bench.cluster.0, &["viewer"]).await;
    for _ in 0..2 {
        send(&mut bench.client().await, "t", 500_000).await;
    }
    assert_eq!(
        share(&bench, &mut viewer).await,
        500_000,
        "an equal part, while nothing is heard"
    );

    assert_eq!(&understood(&mut stream).await[2..], MECHANISM.as_bytes());
    let proof = understood(&mut stream).await;
    let proof = Delegation::verify(str::from_utf8(&proof[4..]).unwrap(), &secrets(), now.0).unwrap();
    assert_eq!((proof.cluster, proof.roles.len()), (0, 0));
    assert_eq!(proof.user, format!("broker-{:032x}", bench.log.incarnation().0));
    let until = Env::system().now().0 + 10_000;
    assert!(proof.expires_at_ms <= until, "it can be shown for some seconds");
    let wanted = async {
        loop {
            let mut told = understood(&mut stream).await;
            assert_eq!(told.get_u8(), 1);
            if told.get_u32() > 0 {
                assert_eq!(told.get_u128(), bench.cluster.0);
                return told.get_u64();
            }
        }
    };
    assert!(wanted.await > 500_000, "more than it has");
    // The other one says that nothing is wanted there.
    let mut other = broker(&bench, id.0).await;
    let grows = async {
        while share(&bench, &mut viewer).await < 999_000 {
            assert_eq!(say(&mut other, &demands(0)).await.0, 0);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(PATIENCE, grows)
        .await
        .expect("it takes what is left");
    bench.stop().await;
}

#[tokio::test]
async fn where_partitions_end_is_told_of_topics_that_one_may_see() {
    let bench = bench().await;
    let mut client = bench.client().await;
    client.create_topic("t", 2).await;
    send(&mut client, "t", 500).await;
    let topic = bench.images.image().topic_by_name(bench.cluster, "t").unwrap().id;
    let asked: Vec<_> = [(topic, 0, 0), (topic, 1, -1), (topic, 9, 0), (TopicId(7), 0, 0)]
        .into_iter()
        .map(|(topic, index, offset)| AskedPosition {
            partition: PartitionId { topic, index },
            offset,
        })
        .collect();
    let mut body = vec![INTERNAL_POSITIONS];
    body.extend(encode_asked(&asked));
    let mut viewer = inside(&bench, bench.cluster.0, &["viewer"]).await;
    let mut other = broker(&bench, 12_345).await;
    for asking in [&mut viewer, &mut other] {
        let (error, told) = say(asking, &body).await;
        assert_eq!(error, 0);
        let told = decode_told(&told, 4).unwrap();
        let first = told[0].unwrap();
        assert_eq!((first.log_start, first.end), (0, 1));
        assert!(first.time_ms.is_some());
        let empty = told[1].unwrap();
        assert_eq!((empty.log_start, empty.end, empty.time_ms), (0, 0, None));
        assert_eq!(told[2..], [None, None]);
    }
    // A cluster's topics are nothing to another one, and to somebody without a role there is no answer.
    let foreign = Tenant::new(&bench, "foreign").await;
    let mut foreign = inside(&bench, foreign.cluster.0, &["admin"]).await;
    let (error, told) = say(&mut foreign, &body).await;
    assert_eq!((error, decode_told(&told, 4).unwrap()), (0, vec![None; 4]));
    let mut nobody = inside(&bench, bench.cluster.0, &[]).await;
    assert_eq!(say(&mut nobody, &body).await, (NOT_ALLOWED, Bytes::new()));
    assert_eq!(say(&mut viewer, &body[..9]).await.0, INVALID_REQUEST);
    bench.stop().await;
}
