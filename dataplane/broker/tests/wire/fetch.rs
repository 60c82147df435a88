//! Fetch: records as they are, long polls, sessions, limits, epochs.

use std::time::Duration;

use bytes::Bytes;
use firn_log::batch::records;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic, ForgottenTopic};
use kafka_protocol::messages::fetch_response::PartitionData;
use kafka_protocol::messages::{FetchRequest, FetchResponse};
use tokio::time::Instant;

use crate::support::Bench;
use crate::support::client::{Client, batch, topic_name};

/// A long poll, in ms, that no client of a test would wait to the end of.
const NO_END: i32 = 3_600_000;

fn partition(index: i32, offset: i64) -> FetchPartition {
    FetchPartition::default()
        .with_partition(index)
        .with_fetch_offset(offset)
        .with_partition_max_bytes(1_000_000)
        .with_current_leader_epoch(-1)
}

fn fetch(topic: &str, partitions: Vec<FetchPartition>) -> FetchRequest {
    let topic = FetchTopic::default()
        .with_topic(topic_name(topic))
        .with_partitions(partitions);
    FetchRequest::default()
        .with_replica_id((-1).into())
        .with_max_bytes(10_000_000)
        .with_session_epoch(-1)
        .with_topics(vec![topic])
}

fn only(response: &FetchResponse) -> &PartitionData {
    assert_eq!(response.error_code, 0);
    &response.responses[0].partitions[0]
}

fn values(records_of: &Bytes) -> Vec<String> {
    let mut rest = records_of.clone();
    let mut found = Vec::new();
    while !rest.is_empty() {
        let header = firn_log::batch::BatchHeader::read(&rest).unwrap();
        let batch = rest.split_to(header.total_size().unwrap());
        for record in records(&batch).unwrap() {
            found.push(String::from_utf8(record.unwrap().value.unwrap().to_vec()).unwrap());
        }
    }
    found
}

async fn filled(client: &mut Client, topic: &str, partitions: i32) {
    client.create_topic(topic, partitions).await;
    for index in 0..partitions {
        for value in ["a", "b", "c"] {
            client.produce(topic, index, batch(&[value])).await;
        }
    }
}

#[tokio::test]
async fn every_version_returns_the_records() {
    let bench = Bench::start().await;
    let mut client = bench.client().await;
    filled(&mut client, "t", 1).await;
    let id = bench.topic("t");
    for version in 4..=18 {
        let mut request = fetch("t", vec![partition(0, 1)]);
        if version >= 13 {
            request.topics[0].topic = topic_name("");
            request.topics[0].topic_id = uuid::Uuid::from_u128(id.0);
        }
        if version >= 15 {
            request.replica_id = (-1).into();
        }
        let response = client.call(version, &request).await;
        let found = only(&response);
        assert_eq!(
            (found.error_code, found.high_watermark),
            (0, 3),
            "version {version}"
        );
        assert_eq!(
            values(found.records.as_ref().unwrap()),
            ["b", "c"],
            "version {version}"
        );
    }
    bench.stop().await;
}

#[tokio::test]
async fn a_long_poll_ends_when_records_come() {
    let bench = Bench::start().await;
    let (mut reader, mut writer) = (bench.client().await, bench.client().await);
    writer.create_topic("t", 1).await;
    let request = fetch("t", vec![partition(0, 0)])
        .with_max_wait_ms(NO_END)
        .with_min_bytes(1);
    let correlation = reader.send(11, &request).await;
    assert!(reader.is_quiet().await);
    writer.produce("t", 0, batch(&["now"])).await;
    let response = reader.receive::<FetchRequest>(11, correlation).await;
    assert_eq!(values(only(&response).records.as_ref().unwrap()), ["now"]);
    bench.stop().await;
}

#[tokio::test]
async fn a_long_poll_ends_after_max_wait_and_at_once_with_an_error() {
    let bench = Bench::start().await;
    let mut client = bench.client().await;
    client.create_topic("t", 1).await;
    let started = Instant::now();
    let request = fetch("t", vec![partition(0, 0)])
        .with_max_wait_ms(200)
        .with_min_bytes(1);
    let response = client.call(11, &request).await;
    assert_eq!(only(&response).records.as_ref().map(Bytes::len), Some(0));
    assert!(started.elapsed() >= Duration::from_millis(200));
    let request = fetch("t", vec![partition(0, 5)])
        .with_max_wait_ms(NO_END)
        .with_min_bytes(1);
    assert_eq!(only(&client.call(11, &request).await).error_code, 1);
    bench.stop().await;
}

#[tokio::test]
async fn a_deleted_topic_ends_a_long_poll() {
    let bench = Bench::start().await;
    let (mut reader, mut admin) = (bench.client().await, bench.client().await);
    admin.create_topic("t", 1).await;
    let request = fetch("t", vec![partition(0, 0)])
        .with_max_wait_ms(NO_END)
        .with_min_bytes(1);
    let correlation = reader.send(11, &request).await;
    assert!(reader.is_quiet().await);
    let delete = kafka_protocol::messages::DeleteTopicsRequest::default()
        .with_topic_names(vec![topic_name("t")])
        .with_timeout_ms(10_000);
    assert_eq!(admin.call(5, &delete).await.responses[0].error_code, 0);
    let response = reader.receive::<FetchRequest>(11, correlation).await;
    assert_eq!(only(&response).error_code, 6);
    bench.stop().await;
}

#[tokio::test]
async fn the_first_partition_returns_a_batch_whatever_the_limits() {
    let bench = Bench::start().await;
    let mut client = bench.client().await;
    filled(&mut client, "t", 2).await;
    let small = |index| partition(index, 0).with_partition_max_bytes(1);
    let request = fetch("t", vec![small(0), small(1)]).with_max_bytes(1);
    let response = client.call(11, &request).await;
    let partitions = &response.responses[0].partitions;
    assert_eq!(values(partitions[0].records.as_ref().unwrap()), ["a"]);
    assert_eq!(partitions[1].records.as_ref().map(Bytes::len), Some(0));
    assert_eq!((partitions[1].error_code, partitions[1].high_watermark), (0, 3));
    bench.stop().await;
}

#[tokio::test]
async fn epochs_of_leaders_are_checked() {
    let bench = Bench::start().await;
    let mut client = bench.client().await;
    filled(&mut client, "t", 1).await;
    for (epoch, error) in [(-1, 0), (0, 0), (7, 75)] {
        let request = fetch("t", vec![partition(0, 0).with_current_leader_epoch(epoch)]);
        assert_eq!(only(&client.call(11, &request).await).error_code, error);
    }
    bench.stop().await;
}

#[tokio::test]
async fn a_session_tells_only_what_changed() {
    let bench = Bench::start().await;
    let mut client = bench.client().await;
    filled(&mut client, "t", 2).await;
    let full = fetch("t", vec![partition(0, 3), partition(1, 3)]).with_session_epoch(0);
    let created = client.call(11, &full).await;
    assert_eq!(created.responses[0].partitions.len(), 2);
    let id = created.session_id;
    assert_ne!(id, 0);
    let next = |epoch: i32| {
        fetch("t", Vec::new())
            .with_topics(Vec::new())
            .with_session_id(id)
            .with_session_epoch(epoch)
    };
    let nothing = client.call(11, &next(1)).await;
    assert_eq!(
        (nothing.error_code, nothing.session_id, nothing.responses.len()),
        (0, id, 0)
    );
    client.produce("t", 1, batch(&["d"])).await;
    let changed = client.call(11, &next(2)).await;
    assert_eq!(changed.responses[0].partitions.len(), 1);
    assert_eq!(only(&changed).partition_index, 1);
    assert_eq!(values(only(&changed).records.as_ref().unwrap()), ["d"]);
    let forget = ForgottenTopic::default()
        .with_topic(topic_name("t"))
        .with_partitions(vec![1]);
    let forgotten = client
        .call(11, &next(3).with_forgotten_topics_data(vec![forget]))
        .await;
    assert_eq!(forgotten.responses.len(), 0);
    bench.stop().await;
}

#[tokio::test]
async fn sessions_are_refused_by_id_and_epoch_and_belong_to_one_kind_of_request() {
    let bench = Bench::start().await;
    let mut client = bench.client().await;
    filled(&mut client, "t", 1).await;
    let created = client
        .call(11, &fetch("t", vec![partition(0, 0)]).with_session_epoch(0))
        .await;
    let next = |id: i32, epoch: i32| {
        fetch("t", Vec::new())
            .with_topics(Vec::new())
            .with_session_id(id)
            .with_session_epoch(epoch)
    };
    assert_eq!(client.call(11, &next(created.session_id, 5)).await.error_code, 71);
    assert_eq!(
        client.call(11, &next(created.session_id ^ 1, 1)).await.error_code,
        70
    );
    assert_eq!(
        client.call(13, &next(created.session_id, 1)).await.error_code,
        106
    );
    let closed = client.call(11, &next(created.session_id, -1)).await;
    assert_eq!((closed.error_code, closed.session_id), (0, 0));
    assert_eq!(client.call(11, &next(created.session_id, 1)).await.error_code, 70);
    bench.stop().await;
}

#[tokio::test]
async fn partitions_take_turns_in_a_session() {
    let bench = Bench::start().await;
    let mut client = bench.client().await;
    filled(&mut client, "t", 2).await;
    let full = fetch("t", vec![partition(0, 0), partition(1, 0)])
        .with_session_epoch(0)
        .with_max_bytes(1);
    let with_records = |response: &FetchResponse| {
        let partitions = response.responses.iter().flat_map(|topic| &topic.partitions);
        let full = partitions.filter(|partition| partition.records.as_ref().is_some_and(|r| !r.is_empty()));
        full.map(|partition| partition.partition_index)
            .collect::<Vec<_>>()
    };
    let mut response = client.call(11, &full).await;
    let mut turns = vec![with_records(&response)];
    for epoch in 1..4 {
        let next = FetchRequest::default()
            .with_replica_id((-1).into())
            .with_max_bytes(1)
            .with_session_id(response.session_id)
            .with_session_epoch(epoch);
        response = client.call(11, &next).await;
        turns.push(with_records(&response));
    }
    assert_eq!(turns, [[0], [1], [0], [1]]);
    bench.stop().await;
}

#[tokio::test]
async fn a_fetch_does_not_wait_for_more_than_fits_into_its_answer() {
    let bench = Bench::start().await;
    let mut client = bench.client().await;
    client.create_topic("t", 2).await;
    let value = "x".repeat(600);
    for index in [0, 0, 1, 1] {
        client.produce("t", index, batch(&[&value])).await;
    }
    let limited = |index, bytes| partition(index, 0).with_partition_max_bytes(bytes);
    for (partitions, max_bytes, min_bytes) in [
        (vec![limited(0, 1000)], 1_000_000, 1000),
        (vec![limited(0, 1000), limited(1, 1000)], 1200, 1200),
        (vec![partition(0, 1)], 10, 5000),
    ] {
        let request = fetch("t", partitions)
            .with_max_bytes(max_bytes)
            .with_min_bytes(min_bytes)
            .with_max_wait_ms(NO_END);
        let answer = client.call(11, &request).await;
        assert!(!only(&answer).records.as_ref().unwrap().is_empty());
    }
    let started = Instant::now();
    let request = fetch("t", vec![partition(0, 0)])
        .with_min_bytes(5000)
        .with_max_wait_ms(200);
    client.call(11, &request).await;
    assert!(
        started.elapsed() >= Duration::from_millis(200),
        "all there is is less"
    );
    bench.stop().await;
}

#[tokio::test]
async fn a_fetcher_whose_last_epoch_ended_earlier_is_told_where_it_diverges() {
    let bench = Bench::start().await;
    let mut client = bench.client().await;
    filled(&mut client, "t", 1).await;
    let bench = bench.restarted().await;
    let mut client = bench.client().await;
    for value in ["d", "e"] {
        client.produce("t", 0, batch(&[value])).await;
    }
    let ask = |offset, epoch| {
        let asked = partition(0, offset).with_last_fetched_epoch(epoch);
        fetch("t", vec![asked])
            .with_min_bytes(1_000_000)
            .with_max_wait_ms(NO_END)
    };
    for offset in [4, 5] {
        let answer = client.call(12, &ask(offset, 0)).await;
        let found = only(&answer);
        let diverging = &found.diverging_epoch;
        assert_eq!(
            (found.error_code, diverging.epoch, diverging.end_offset),
            (0, 0, 3)
        );
        assert_eq!(found.records.as_ref().map(Bytes::len), Some(0));
        assert_eq!(found.high_watermark, 5);
    }
    for (offset, epoch, rest) in [(3, 0, 2), (4, 1, 1), (4, -1, 1)] {
        let answer = client.call(12, &ask(offset, epoch).with_max_wait_ms(0)).await;
        let found = only(&answer);
        assert_eq!((found.error_code, found.diverging_epoch.epoch), (0, -1));
        assert_eq!(values(found.records.as_ref().unwrap()).len(), rest);
    }
    let unknown = client.call(12, &ask(4, 9)).await;
    assert_eq!(only(&unknown).error_code, 1);
    bench.stop().await;
}
