//! Frames, limits, versions: what happens before any handler.

use std::time::Duration;

use bytes::Buf;
use firn_broker::Limits;
use kafka_protocol::messages::{ApiKey, ApiVersionsRequest, ApiVersionsResponse};
use kafka_protocol::protocol::Decodable;
use tokio::io::AsyncWriteExt;

use crate::support::client::{batch, frame, text};
use crate::support::{Bench, Setup};

fn named(name: &str) -> ApiVersionsRequest {
    ApiVersionsRequest::default()
        .with_client_software_name(text(name))
        .with_client_software_version(text("1.0"))
}

#[tokio::test]
async fn api_versions_tells_the_table() {
    let bench = Bench::start().await;
    let mut client = bench.client().await;
    for version in 0..=4 {
        let request = if version >= 3 {
            named("x")
        } else {
            ApiVersionsRequest::default()
        };
        let response = client.call(version, &request).await;
        let range = |key: ApiKey| {
            let api = response
                .api_keys
                .iter()
                .find(|api| api.api_key == key as i16)
                .unwrap();
            (api.min_version, api.max_version)
        };
        assert_eq!((response.error_code, response.api_keys.len()), (0, 39));
        assert_eq!((range(ApiKey::Produce), range(ApiKey::Fetch)), ((0, 13), (4, 18)));
        assert!(response.finalized_features.is_empty());
    }
    assert_eq!(client.call(3, &named("not a name!")).await.error_code, 42);
    bench.stop().await;
}

#[tokio::test]
async fn an_unknown_version_of_api_versions_is_answered_in_version_0() {
    let bench = Bench::start().await;
    let mut client = bench.client().await;
    let mut asked = frame(5, 3, &named("x"));
    asked[6..8].copy_from_slice(&99i16.to_be_bytes());
    client.stream.write_all(&asked).await.unwrap();
    let mut answer = client.frame().await.unwrap();
    assert_eq!(answer.get_i32(), 5);
    let response = ApiVersionsResponse::decode(&mut answer, 0).unwrap();
    assert_eq!((response.error_code, response.api_keys[0].api_key), (35, 18));
    assert_eq!(answer.remaining(), 0);
    client.call(3, &named("x")).await;
    bench.stop().await;
}

#[tokio::test]
async fn what_is_not_served_closes_the_connection() {
    let bench = Bench::start().await;
    for (key, version) in [(0, 2), (1, 3), (1, 19), (10, 0), (999, 0), (-1, 0)] {
        let mut client = bench.client().await;
        let mut bytes = frame(1, 0, &ApiVersionsRequest::default());
        bytes[4..6].copy_from_slice(&i16::to_be_bytes(key));
        bytes[6..8].copy_from_slice(&i16::to_be_bytes(version));
        client.stream.write_all(&bytes).await.unwrap();
        assert!(client.is_closed().await, "{key} {version}");
    }
    bench.stop().await;
}

#[tokio::test]
async fn lengths_that_cannot_be_close_the_connection() {
    let bench = Bench::start().await;
    for length in [-1, 0, 9, i32::MAX, i32::MIN, 100 * 1024 * 1024 + 1] {
        let mut client = bench.client().await;
        client.stream.write_all(&length.to_be_bytes()).await.unwrap();
        assert!(client.is_closed().await, "{length}");
    }
    let mut tls = bench.client().await;
    tls.stream.write_all(&[0x16, 3, 1, 2, 0, 1, 0]).await.unwrap();
    assert!(tls.is_closed().await);
    bench.stop().await;
}

#[tokio::test]
async fn a_frame_may_come_byte_by_byte() {
    let bench = Bench::start().await;
    let mut client = bench.client().await;
    for byte in frame(1, 3, &named("slow")) {
        client.stream.write_all(&[byte]).await.unwrap();
    }
    client.receive::<ApiVersionsRequest>(3, 1).await;
    bench.stop().await;
}

#[tokio::test]
async fn connections_over_the_limit_are_closed_and_their_places_come_back() {
    let limits = Limits {
        connections: 2,
        ..Limits::default()
    };
    let bench = Bench::with(Setup {
        limits,
        ..Setup::default()
    })
    .await;
    let (mut first, second) = (bench.client().await, bench.client().await);
    first.call(3, &named("x")).await;
    assert!(bench.client().await.is_closed().await);
    drop(second);
    bench.connections(1).await;
    bench.client().await.call(3, &named("x")).await;
    bench.stop().await;
}

#[tokio::test]
async fn idle_and_slow_connections_are_closed() {
    let limits = Limits {
        idle: Duration::from_millis(200),
        stall: Duration::from_millis(200),
        ..Limits::default()
    };
    let bench = Bench::with(Setup {
        limits,
        ..Setup::default()
    })
    .await;
    let mut idle = bench.client().await;
    let mut slow = bench.client().await;
    slow.stream.write_all(&[0, 0, 0, 50, 0, 18]).await.unwrap();
    assert!(idle.is_closed().await);
    assert!(slow.is_closed().await);
    bench.connections(0).await;
    bench.stop().await;
}

#[tokio::test]
async fn a_shutdown_answers_what_is_in_flight() {
    let bench = Bench::start().await;
    let mut client = bench.client().await;
    client.create_topic("t", 1).await;
    bench.wal.hold();
    let request = crate::support::client::produce("t", 0, batch(&["last"]), -1);
    let correlation = client.send(9, &request).await;
    assert!(client.is_quiet().await);
    let (wal, log) = (bench.wal.clone(), bench.log.clone());
    let release = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        wal.release();
    };
    tokio::join!(bench.broker.shutdown(), release);
    let response = client
        .receive::<kafka_protocol::messages::ProduceRequest>(9, correlation)
        .await;
    assert_eq!(crate::support::client::produced(&response), (0, 0));
    assert!(client.is_closed().await);
    log.shutdown().await;
}
