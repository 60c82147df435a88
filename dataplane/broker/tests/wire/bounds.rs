//! What requests and their answers may cost, in memory and in work.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use firn_broker::Limits;
use firn_catalog::ids::{Offset, PartitionId};
use firn_log::batch::{BatchBuilder, Compression};
use firn_log::partition::Isolation;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::{FetchRequest, FetchResponse, ProduceRequest};

use crate::support::client::{Client, batch, frame, produce, produced, topic_name};
use crate::support::{Bench, Setup};

/// The bound on the past makes the broker look into compressed batches; this one refuses none.
const LOOKED_INTO: (&str, &str) = ("message.timestamp.before.max.ms", "9223372036854775806");

/// A request with a batch for each partition of one topic, from 0 on.
fn produce_all(topic: &str, batches: &[BytesMut]) -> ProduceRequest {
    let partitions = batches.iter().zip(0..).map(|(batch, index)| {
        PartitionProduceData::default()
            .with_index(index)
            .with_records(Some(batch.clone().freeze()))
    });
    let topic = TopicProduceData::default()
        .with_name(topic_name(topic))
        .with_partition_data(partitions.collect());
    ProduceRequest::default()
        .with_acks(-1)
        .with_timeout_ms(10_000)
        .with_topic_data(vec![topic])
}

async fn codes(client: &mut Client, request: &ProduceRequest) -> Vec<i16> {
    let response = client.call(9, request).await;
    let partitions = &response.responses[0].partition_responses;
    partitions.iter().map(|partition| partition.error_code).collect()
}

/// A batch of one record whose value has so many bytes.
fn large(codec: Compression, bytes: usize) -> BytesMut {
    BatchBuilder::new()
        .compression(codec)
        .record(1_000, None, Some(&vec![b'x'; bytes]))
        .build()
}

/// Where the newest batch of a partition lies in the log's memory.
async fn place(bench: &Bench, index: i32) -> usize {
    let topic = bench.topic("t");
    let partition = bench.log.partition(PartitionId { topic, index }).unwrap();
    let newest = Offset(partition.offsets().log_end.0 - 1);
    let read = partition.read(newest, 1, Isolation::ReadUncommitted).await;
    read.unwrap().batches[0].as_ptr().addr()
}

/// Where a batch lies in a frame; its first bytes are the broker's to set.
fn place_in(frame: &[u8], batch: &[u8]) -> usize {
    let tail = &batch[17..];
    let found = frame.windows(tail.len()).position(|window| window == tail);
    found.unwrap() - 17
}

#[tokio::test]
async fn batches_stay_in_their_frame_only_if_they_are_most_of_it() {
    let bench = Bench::start().await;
    let mut client = bench.client().await;
    client.create_topic("t", 3).await;
    let small = || [large(Compression::None, 20_000), large(Compression::None, 20_001)];
    let whole = || large(Compression::None, 900_000);
    let sequence = |first| {
        BatchBuilder::new()
            .producer(7, 0, first)
            .record(1_000, None, Some(&vec![b'y'; 900_000]))
            .build()
    };
    assert_eq!(client.produce("t", 1, sequence(0)).await, (0, 0));
    let junk = BytesMut::from(&vec![0; 900_000][..]);
    for (middle, error, stays) in [(whole(), 0, true), (junk, 87, false), (sequence(0), 0, false)] {
        let [first, last] = small();
        let request = produce_all("t", &[first.clone(), middle, last.clone()]);
        let bytes = frame(1, 9, &request);
        assert_eq!(codes(&mut client, &request).await, [0, error, 0]);
        let in_frame = place_in(&bytes, &last) - place_in(&bytes, &first);
        let in_log = place(&bench, 2).await.wrapping_sub(place(&bench, 0).await);
        assert_eq!(in_log == in_frame, stays, "the middle batch is answered {error}");
    }
    bench.stop().await;
}

#[tokio::test]
async fn a_batch_that_takes_long_to_check_is_appended_before_the_next_request() {
    let bench = Bench::start().await;
    let mut client = bench.client().await;
    client.create_topic_with("t", 1, &[LOOKED_INTO]).await;
    let heavy = produce("t", 0, large(Compression::Gzip, 8 << 20), -1);
    let heavy = client.send(9, &heavy).await;
    let light = client.send(9, &produce("t", 0, batch(&["next"]), -1)).await;
    let answer = client.receive::<ProduceRequest>(9, heavy).await;
    assert_eq!(produced(&answer), (0, 0));
    let answer = client.receive::<ProduceRequest>(9, light).await;
    assert_eq!(produced(&answer), (0, 1));
    bench.stop().await;
}

#[tokio::test]
async fn the_batches_of_a_request_share_a_bound_on_what_they_decompress_to() {
    let bench = Bench::start().await;
    let mut client = bench.client().await;
    client.create_topic_with("t", 4, &[LOOKED_INTO]).await;
    let heavy = large(Compression::Zstd, 90 << 20);
    let batches = [heavy.clone(), heavy.clone(), heavy.clone(), batch(&["plain"])];
    let answers = codes(&mut client, &produce_all("t", &batches)).await;
    assert_eq!(answers, [0, 0, 10, 0]);
    assert_eq!(client.produce("t", 2, heavy).await, (0, 0), "alone it is welcome");
    bench.stop().await;
}

#[tokio::test]
async fn a_partition_named_twice_gets_neither_batch() {
    let bench = Bench::start().await;
    let mut client = bench.client().await;
    client.create_topic("t", 2).await;
    let mut request = produce_all("t", &[batch(&["a"]), batch(&["b"])]);
    let again = produce_all("t", &[batch(&["c"])]).topic_data.remove(0);
    request.topic_data.push(again);
    assert_eq!(codes(&mut client, &request).await, [42, 42]);
    assert_eq!(client.produce("t", 0, batch(&["d"])).await, (0, 0));
    bench.stop().await;
}

#[tokio::test]
async fn an_answer_names_a_hundred_bad_records_at_most() {
    let bench = Bench::start().await;
    let mut client = bench.client().await;
    let past = ("message.timestamp.before.max.ms", "1000");
    client.create_topic_with("t", 3, &[past]).await;
    let old = batch(&["old"; 80]);
    let request = produce_all("t", &[old.clone(), old.clone(), old]);
    let response = client.call(9, &request).await;
    let partitions = &response.responses[0].partition_responses;
    let told = partitions
        .iter()
        .map(|answer| (answer.error_code, answer.record_errors.len()));
    assert_eq!(told.collect::<Vec<_>>(), [(32, 80), (32, 20), (32, 0)]);
    let before = client.call(7, &request).await;
    assert_eq!(produced(&before).0, 32);
    bench.stop().await;
}

fn fetch(topic: &str) -> FetchRequest {
    let partition = FetchPartition::default()
        .with_partition_max_bytes(20_000_000)
        .with_current_leader_epoch(-1);
    let topic = FetchTopic::default()
        .with_topic(topic_name(topic))
        .with_partitions(vec![partition]);
    FetchRequest::default()
        .with_replica_id((-1).into())
        .with_max_bytes(20_000_000)
        .with_min_bytes(20_000_000)
        .with_session_epoch(-1)
        .with_topics(vec![topic])
}

fn size(response: &FetchResponse) -> usize {
    let records = &response.responses[0].partitions[0].records;
    records.as_ref().map_or(0, Bytes::len)
}

#[tokio::test]
async fn large_answers_wait_until_others_are_taken_and_small_ones_do_not() {
    let limits = Limits {
        response_bytes: 12 << 20,
        grace: Duration::from_secs(1),
        ..Limits::default()
    };
    let setup = Setup {
        limits,
        ..Setup::default()
    };
    let bench = Bench::with(setup).await;
    let mut client = bench.client().await;
    client.create_topic("large", 1).await;
    client.create_topic("small", 1).await;
    for _ in 0..12 {
        client
            .produce("large", 0, large(Compression::None, 900_000))
            .await;
    }
    client.produce("small", 0, batch(&["a"])).await;
    let address = bench.broker.local_address();
    for shut_down in [false, true] {
        let mut idle = Client::with_small_buffer(address).await;
        idle.send(11, &fetch("large")).await;
        let mut first_byte = [0];
        idle.stream.peek(&mut first_byte).await.unwrap();
        let mut waiting = bench.client().await;
        let correlation = waiting.send(11, &fetch("large")).await;
        assert!(waiting.is_quiet().await, "there is no room");
        assert!(size(&client.call(11, &fetch("small")).await) > 0);
        let answer = waiting.receive::<FetchRequest>(11, correlation);
        if shut_down {
            let (answer, ()) = tokio::join!(answer, bench.broker.shutdown());
            assert_eq!(size(&answer), 0);
            break;
        }
        drop(idle);
        assert!(size(&answer.await) > 10_000_000);
    }
    bench.log.shutdown().await;
}
