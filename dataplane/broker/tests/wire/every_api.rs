//! Every served API and version: absent names and ids, duplicate entries, empty and null arrays are answered, and the
//! connection goes on.

use kafka_protocol::messages::{
    ApiKey, ApiVersionsRequest, DescribeLogDirsRequest, MetadataRequest, MetadataResponse,
};
use kafka_protocol::protocol::Decodable;
use tokio::io::AsyncWriteExt;
use uuid::Uuid;

use crate::support::client::Client;
use crate::support::{Bench, samples};

/// How often the two bytes of an error code are in an answer.
fn has_code(answer: &[u8], code: i16) -> bool {
    answer.windows(2).any(|bytes| bytes == code.to_be_bytes())
}

async fn ask(client: &mut Client, sample: &samples::Sample) -> bytes::Bytes {
    client.stream.write_all(&sample.frame).await.unwrap();
    let answer = client.frame().await;
    answer.unwrap_or_else(|| panic!("{:?} {} closes the connection", sample.key, sample.version))
}

/// The error that an API answers to a topic that is not there; `None`: it tells nothing of it, or needs none.
fn absent(sample: &samples::Sample) -> Option<i16> {
    let by_id = match sample.key {
        ApiKey::Produce | ApiKey::Fetch => sample.version >= 13,
        ApiKey::Metadata => sample.version >= 12,
        ApiKey::DeleteTopics => sample.version >= 6,
        _ => false,
    };
    match sample.key {
        ApiKey::CreateTopics
        | ApiKey::ApiVersions
        | ApiKey::DescribeCluster
        | ApiKey::InitProducerId
        | ApiKey::DescribeLogDirs
        | ApiKey::ListConfigResources => None,
        _ => Some(if by_id { 100 } else { 3 }),
    }
}

#[tokio::test]
async fn an_absent_topic_has_its_error_in_every_version() {
    let bench = Bench::with(crate::support::Setup {
        kafka: vec![("auto.create.topics.enable", "false")],
        ..Default::default()
    })
    .await;
    let mut client = bench.client().await;
    for sample in samples::all("zz", Uuid::from_u128(99), 1) {
        let answer = ask(&mut client, &sample).await;
        if let Some(code) = absent(&sample) {
            assert!(
                has_code(&answer, code),
                "{:?} {} {answer:?}",
                sample.key,
                sample.version
            );
        }
    }
    bench.stop().await;
}

#[tokio::test]
async fn duplicate_entries_are_answered_in_every_version() {
    let bench = Bench::start().await;
    let mut client = bench.client().await;
    client.create_topic("t", 1).await;
    let id = Uuid::from_u128(bench.images.image().topics().next().unwrap().id.0);
    for sample in samples::all("t", id, 3) {
        let answer = ask(&mut client, &sample).await;
        let refused = matches!(
            sample.key,
            ApiKey::Produce
                | ApiKey::ListOffsets
                | ApiKey::CreateTopics
                | ApiKey::DeleteTopics
                | ApiKey::CreatePartitions
                | ApiKey::AlterConfigs
                | ApiKey::IncrementalAlterConfigs
        );
        if refused {
            assert!(has_code(&answer, 42), "{:?} {}", sample.key, sample.version);
        }
    }
    assert!(
        bench.images.image().topics().next().is_some(),
        "the topic was not deleted"
    );
    bench.stop().await;
}

#[tokio::test]
async fn empty_arrays_are_answered_in_every_version() {
    let bench = Bench::start().await;
    let mut client = bench.client().await;
    client.create_topic("t", 1).await;
    for sample in samples::all("t", Uuid::nil(), 0) {
        let mut answer = ask(&mut client, &sample).await;
        if sample.key == ApiKey::Metadata {
            let header = if sample.version >= 9 { 5 } else { 4 };
            bytes::Buf::advance(&mut answer, header);
            let topics = MetadataResponse::decode(&mut answer, sample.version)
                .unwrap()
                .topics
                .len();
            assert_eq!(
                topics,
                usize::from(sample.version == 0),
                "an empty list means all in version 0 only"
            );
        }
    }
    bench.stop().await;
}

#[tokio::test]
async fn null_arrays_mean_all_where_they_may_be_and_close_where_they_may_not() {
    let bench = Bench::start().await;
    let mut client = bench.client().await;
    client.create_topic("t", 2).await;
    for version in 1..=13 {
        let response = client
            .call(version, &MetadataRequest::default().with_topics(None))
            .await;
        assert_eq!(response.topics[0].partitions.len(), 2);
    }
    for version in 1..=4 {
        let response = client
            .call(version, &DescribeLogDirsRequest::default().with_topics(None))
            .await;
        assert_eq!(response.results[0].topics[0].partitions.len(), 2);
    }
    // CreateTopics 4 with a null array of topics, which its schema does not allow.
    let frame = b"\0\0\0\x13\0\x13\0\x04\0\0\0\x01\xff\xff\xff\xff\xff\xff\0\0\0\0\0";
    client.stream.write_all(frame).await.unwrap();
    assert!(client.is_closed().await);
    bench.client().await.call(0, &ApiVersionsRequest::default()).await;
    bench.stop().await;
}
