//! Two clusters that share a broker, without any quota: what one reads is little at a time while the other is active.

use std::time::Duration;

use bytes::Bytes;
use firn_catalog::access::Role;
use firn_log::batch::BatchBuilder;
use kafka_protocol::messages::FetchRequest;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};

use crate::isolation::tenants::Tenant;
use crate::support::client::{Client, PATIENCE, batch, topic_name};
use crate::support::{Bench, Setup};

const BATCH: usize = 100_000;
const BATCHES: usize = 8;
/// What an answer holds at most while the other cluster is active.
const LITTLE: usize = 256 << 10;

fn fetch() -> FetchRequest {
    let partition = FetchPartition::default()
        .with_partition_max_bytes(i32::MAX)
        .with_current_leader_epoch(-1);
    let topic = FetchTopic::default()
        .with_topic(topic_name("t"))
        .with_partitions(vec![partition]);
    FetchRequest::default()
        .with_replica_id((-1).into())
        .with_min_bytes(1)
        .with_max_bytes(i32::MAX)
        .with_session_epoch(-1)
        .with_topics(vec![topic])
}

/// Bytes of records in the next answer.
async fn fetched(client: &mut Client) -> usize {
    let answer = client.call(11, &fetch()).await;
    let partition = &answer.responses[0].partitions[0];
    assert_eq!(partition.error_code, 0);
    partition.records.as_ref().map_or(0, Bytes::len)
}

/// A broker, a client of each of two clusters, and one more of the first, whose topic has records.
async fn shared() -> (Bench, [Client; 2], Client) {
    let setup = Setup {
        named: true,
        ..Setup::default()
    };
    let bench = Bench::with(setup).await;
    let (greedy, light) = (
        Tenant::new(&bench, "greedy").await,
        Tenant::new(&bench, "light").await,
    );
    let mut reader = greedy.client(&bench, Role::Admin).await;
    let stuck = greedy.client(&bench, Role::Admin).await;
    let mut other = light.client(&bench, Role::Admin).await;
    reader.create_topic("t", 1).await;
    other.create_topic("t", 1).await;
    let large = BatchBuilder::new()
        .record(1_000, None, Some(&vec![b'x'; BATCH]))
        .build();
    for _ in 0..BATCHES {
        assert_eq!(reader.produce("t", 0, large.clone()).await.0, 0);
    }
    (bench, [reader, stuck], other)
}

#[tokio::test]
async fn an_answer_holds_little_while_another_cluster_is_active_and_all_of_it_when_that_is_quiet() {
    let (bench, [mut reader, _], mut other) = shared().await;
    let contested = async {
        loop {
            other.produce("t", 0, batch(&["a"])).await;
            let size = fetched(&mut reader).await;
            assert!(size > 0);
            if size <= LITTLE {
                return;
            }
        }
    };
    let contested = tokio::time::timeout(PATIENCE, contested).await;
    assert!(contested.is_ok(), "the answers stay large");
    let alone = async {
        while fetched(&mut reader).await < BATCH * BATCHES {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let alone = tokio::time::timeout(PATIENCE, alone).await;
    assert!(alone.is_ok(), "the answers stay small");
    bench.stop().await;
}

#[tokio::test]
async fn a_client_that_reads_no_answers_or_goes_away_does_not_keep_its_cluster_from_reading() {
    let (bench, [mut reader, mut stuck], mut other) = shared().await;
    for _ in 0..100 {
        stuck.send(11, &fetch()).await;
    }
    for _ in 0..10 {
        other.produce("t", 0, batch(&["a"])).await;
        assert!(fetched(&mut reader).await > 0);
    }
    let connections = bench.broker.connections();
    drop(stuck);
    bench.connections(connections - 1).await;
    other.produce("t", 0, batch(&["a"])).await;
    assert!(fetched(&mut reader).await > 0);
    bench.stop().await;
}
