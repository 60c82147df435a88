//! Partitions that move to another broker: clients are told who leads them now (KIP-951).

use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::fetch_response::LeaderIdAndEpoch;
use kafka_protocol::messages::{FetchRequest, FetchResponse};

use crate::support::Bench;
use crate::support::client::batch;

fn fetch(id: uuid::Uuid, epoch: i32) -> FetchRequest {
    let partition = FetchPartition::default()
        .with_partition_max_bytes(1000)
        .with_fetch_offset(1)
        .with_current_leader_epoch(epoch);
    let topic = FetchTopic::default()
        .with_topic_id(id)
        .with_partitions(vec![partition]);
    FetchRequest::default()
        .with_max_bytes(1000)
        .with_min_bytes(1)
        .with_max_wait_ms(15_000)
        .with_session_epoch(-1)
        .with_topics(vec![topic])
}

/// The error, and whether the leader is named with this epoch and its address.
fn told(response: &FetchResponse, epoch: i32) -> (i16, bool) {
    let partition = &response.responses[0].partitions[0];
    let leader = LeaderIdAndEpoch::default()
        .with_leader_id(0.into())
        .with_leader_epoch(epoch);
    let addresses = &response.node_endpoints;
    let address = addresses.len() == 1 && addresses[0].node_id == 0 && addresses[0].port != 0;
    (
        partition.error_code,
        partition.current_leader == leader && address,
    )
}

#[tokio::test]
async fn a_reader_learns_who_leads_a_partition_that_has_moved() {
    let first = Bench::start().await;
    let mut reader = first.client().await;
    reader.create_topic("t", 1).await;
    reader.produce("t", 0, batch(&["a"])).await;
    let id = uuid::Uuid::from_u128(first.topic("t").0);
    let correlation = reader.send(16, &fetch(id, 0)).await;
    assert!(reader.is_quiet().await);
    let second = first.successor().await;
    let moved = reader.receive::<FetchRequest>(16, correlation).await;
    assert_eq!(told(&moved, 1), (6, true));
    let mut client = second.client().await;
    let fenced = client.call(16, &fetch(id, 0)).await;
    assert_eq!(told(&fenced, 1), (74, true));
    let fenced = client.call(15, &fetch(id, 0)).await;
    assert_eq!(told(&fenced, 1), (74, false));
    first.stop().await;
    second.stop().await;
}
