//! Who gets round a quota by asking much at once: by requests in flight, other connections, parallel fetches, topics that Metadata makes.

use firn_catalog::entities::ClusterLimits;
use firn_catalog::quota::QuotaKey;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::{FetchRequest, HeartbeatRequest, MetadataRequest, ProduceRequest};
use tokio::io::AsyncWriteExt;

use super::{every_user, fetch, large, limit, quota, send, used_up};
use crate::support::Bench;
use crate::support::client::{Client, frame, produce, text, topic_name};

/// Up to where the topic "t" holds records.
async fn end(client: &mut Client) -> i64 {
    let fetched = client.call(12, &fetch("t", (0, -1))).await;
    fetched.responses[0].partitions[0].high_watermark
}

#[tokio::test]
async fn of_requests_in_flight_none_is_accepted_while_what_came_before_is_unpaid() {
    let bench = Bench::start().await;
    let (mut client, mut beside) = (bench.client().await, bench.client().await);
    client.create_topic("t", 1).await;
    quota(&bench, every_user(), QuotaKey::ProducerByteRate, Some(1_000.0)).await;
    beside.call(9, &MetadataRequest::default()).await;
    let requests: Vec<u8> = (100..120)
        .flat_map(|number| frame(number, 9, &produce("t", 0, large(20_000), -1)))
        .collect();
    client.stream.write_all(&requests).await.unwrap();
    let told = client.receive::<ProduceRequest>(9, 100).await;
    assert!(told.throttle_time_ms > 15_000, "{told:?}");
    // Another connection of the client's is held back, too, and everything else goes on.
    beside.send(9, &produce("t", 0, large(10), -1)).await;
    assert!(client.is_quiet().await && beside.is_quiet().await);
    let mut member = bench.client().await;
    assert_eq!(end(&mut member).await, 1, "one of twenty is accepted");
    let beat = HeartbeatRequest::default().with_group_id(text("g").into());
    assert_eq!(member.call(4, &beat).await.throttle_time_ms, 0);
    quota(&bench, every_user(), QuotaKey::ProducerByteRate, None).await;
    let sent = beside.receive::<ProduceRequest>(9, 2).await;
    assert_eq!(sent.responses[0].partition_responses[0].error_code, 0);
    bench.stop().await;
}

#[tokio::test]
async fn a_new_connection_does_not_get_round_the_clusters_limit() {
    let bench = Bench::start().await;
    let mut client = bench.client().await;
    client.create_topic("t", 1).await;
    limit(&bench, 2, 1_000, ClusterLimits::HIGHEST.egress).await;
    send(&mut client, "t", 20_000).await;
    let mut fresh = Vec::new();
    for _ in 0..5 {
        let mut one = bench.client().await;
        one.send(9, &produce("t", 0, large(10), -1)).await;
        fresh.push(one);
    }
    for one in &mut fresh {
        assert!(one.is_quiet().await);
    }
    let mut reader = bench.client().await;
    assert_eq!(end(&mut reader).await, 1);
    limit(
        &bench,
        3,
        ClusterLimits::HIGHEST.ingress,
        ClusterLimits::HIGHEST.egress,
    )
    .await;
    reader.call(9, &MetadataRequest::default()).await;
    for one in &mut fresh {
        one.receive::<ProduceRequest>(9, 1).await;
    }
    bench.stop().await;
}

#[tokio::test]
async fn a_long_poll_that_wakes_up_in_debt_reads_nothing() {
    let bench = Bench::start().await;
    let (mut client, mut poller) = (bench.client().await, bench.client().await);
    client.create_topic("t", 1).await;
    send(&mut client, "t", 50_000).await;
    quota(&bench, every_user(), QuotaKey::ConsumerByteRate, Some(1_000.0)).await;
    let mut poll = fetch("t", (0, -1)).with_max_wait_ms(15_000).with_min_bytes(1);
    poll.topics[0].partitions[0].fetch_offset = 1;
    let asked = poller.send(12, &poll).await;
    assert!(poller.is_quiet().await);
    let mut other = bench.client().await;
    let read = other.call(12, &fetch("t", (0, -1))).await;
    assert_eq!(
        (read.throttle_time_ms, read.responses.len()),
        (0, 1),
        "who waits for records holds none"
    );
    send(&mut client, "t", 10).await;
    let woken = poller.receive::<FetchRequest>(12, asked).await;
    assert!(woken.throttle_time_ms > 40_000, "{woken:?}");
    let records = woken.responses.iter().flat_map(|topic| &topic.partitions);
    let bytes: usize = records
        .filter_map(|partition| partition.records.as_ref())
        .map(bytes::Bytes::len)
        .sum();
    assert_eq!(bytes, 0);
    bench.stop().await;
}

#[tokio::test]
async fn topics_that_metadata_creates_are_charged_and_over_the_quota_none_is() {
    let (bench, mut client) = used_up().await;
    let unknown = ResponseError::UnknownTopicOrPartition.code();
    let named = MetadataRequestTopic::default().with_name(Some(topic_name("asked")));
    let request = MetadataRequest::default()
        .with_topics(Some(vec![named]))
        .with_allow_auto_topic_creation(true);
    for _ in 0..2 {
        let told = client.call(9, &request).await;
        assert_eq!((told.topics[0].error_code, told.throttle_time_ms), (unknown, 0));
        assert!(client.is_quiet().await);
    }
    quota(&bench, every_user(), QuotaKey::ControllerMutationRate, None).await;
    let created = async { while client.call(9, &request).await.topics[0].error_code != 0 {} };
    tokio::time::timeout(crate::support::client::PATIENCE, created)
        .await
        .expect("within its quota it is created");
    // What it creates counts.
    quota(&bench, every_user(), QuotaKey::ControllerMutationRate, Some(0.1)).await;
    let mut made = 0;
    for number in 0..6 {
        let name = format!("more-{number}");
        let named = MetadataRequestTopic::default().with_name(Some(topic_name(&name)));
        let request = request.clone().with_topics(Some(vec![named]));
        client.call(9, &request).await;
        assert!(client.is_quiet().await);
        made += usize::from(client.call(9, &request).await.topics[0].error_code == 0);
    }
    assert!(made <= 2, "{made} of six");
    bench.stop().await;
}
