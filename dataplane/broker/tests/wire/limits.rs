//! What is bounded, and that clients are told the bounds that hold.

use kafka_protocol::messages::create_partitions_request::CreatePartitionsTopic;
use kafka_protocol::messages::create_topics_request::{CreatableReplicaAssignment, CreatableTopic};
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig};
use kafka_protocol::messages::{
    CreatePartitionsRequest, CreateTopicsRequest, DescribeConfigsRequest, DescribeConfigsResponse,
    FetchRequest, IncrementalAlterConfigsRequest,
};

use crate::support::client::{Client, text, topic_name};
use crate::support::{Bench, Setup};

async fn describe(client: &mut Client, kind: i8, names: &[&str]) -> DescribeConfigsResponse {
    let resource = |name: &&str| {
        DescribeConfigsResource::default()
            .with_resource_type(kind)
            .with_resource_name(text(name))
            .with_configuration_keys(None)
    };
    let request = DescribeConfigsRequest::default()
        .with_resources(names.iter().map(resource).collect())
        .with_include_documentation(true);
    client.call(4, &request).await
}

#[tokio::test]
async fn a_broker_has_one_name() {
    let bench = Bench::start().await;
    let mut client = bench.client().await;
    let described = describe(&mut client, 4, &["0", "00", "+0", "0", "1"]).await;
    let answers: Vec<_> = described
        .results
        .iter()
        .map(|result| {
            (
                &*result.resource_name,
                result.error_code,
                result.configs.is_empty(),
            )
        })
        .collect();
    assert_eq!(
        answers,
        [
            ("0", 0, false),
            ("00", 42, true),
            ("+0", 42, true),
            ("1", 42, true)
        ]
    );
    bench.stop().await;
}

#[tokio::test]
async fn what_is_only_kept_and_shown_says_so() {
    let bench = Bench::start().await;
    let mut client = bench.client().await;
    client.create_topic("t", 1).await;
    let described = describe(&mut client, 2, &["t"]).await;
    let says = |name: &str| {
        let configs = &described.results[0].configs;
        let config = configs.iter().find(|config| &*config.name == name).unwrap();
        let documentation = config.documentation.as_ref().unwrap();
        documentation.ends_with("Firn does not act on it.")
    };
    assert!(says("segment.bytes") && says("min.compaction.lag.ms"));
    assert!(!says("retention.ms") && !says("max.message.bytes"));
    bench.stop().await;
}

#[tokio::test]
async fn the_number_of_fetch_sessions_is_the_one_that_is_told() {
    const SLOTS: &str = "max.incremental.fetch.session.cache.slots";
    let bench = Bench::with(Setup {
        kafka: vec![(SLOTS, "2")],
        ..Setup::default()
    })
    .await;
    let mut client = bench.client().await;
    client.create_topic("t", 1).await;
    let described = describe(&mut client, 4, &["0"]).await;
    let configs = &described.results[0].configs;
    let told = configs.iter().find(|config| &*config.name == SLOTS).unwrap();
    assert_eq!(told.value.as_deref(), Some("2"));
    let topic = FetchTopic::default()
        .with_topic(topic_name("t"))
        .with_partitions(vec![FetchPartition::default()]);
    let request = FetchRequest::default()
        .with_replica_id((-1).into())
        .with_topics(vec![topic])
        .with_session_epoch(0);
    let mut opened = Vec::new();
    for _ in 0..3 {
        opened.push(client.call(11, &request).await.session_id != 0);
    }
    assert_eq!(opened, [true, true, false]);
    bench.stop().await;
}

fn topic(name: &str, partitions: i32) -> CreatableTopic {
    CreatableTopic::default()
        .with_name(topic_name(name))
        .with_num_partitions(partitions)
        .with_replication_factor(-1)
}

async fn validate(client: &mut Client, topics: Vec<CreatableTopic>) -> Vec<i16> {
    let request = CreateTopicsRequest::default()
        .with_topics(topics)
        .with_validate_only(true);
    let response = client.call(7, &request).await;
    response.topics.iter().map(|topic| topic.error_code).collect()
}

#[tokio::test]
async fn one_request_makes_ten_thousand_partitions_at_most() {
    let bench = Bench::with(Setup {
        kafka: vec![("num.partitions", "5000")],
        ..Setup::default()
    })
    .await;
    let mut client = bench.client().await;
    let assigned = |count: i32| {
        let assignment = |index| {
            CreatableReplicaAssignment::default()
                .with_partition_index(index)
                .with_broker_ids(vec![0.into()])
        };
        topic("c", -1).with_assignments((0..count).map(assignment).collect())
    };
    let most = vec![topic("a", 4998), topic("b", -1), topic("z", 0), assigned(2)];
    assert_eq!(validate(&mut client, most).await, [0, 0, 37, 0]);
    let more = vec![topic("a", 4998), topic("b", -1), topic("z", 0), assigned(3)];
    assert_eq!(validate(&mut client, more).await, [44, 44, 44, 44]);
    client.create_topic("t", 1).await;
    for (counts, errors) in [([10_001, 1], [0, 37]), ([10_001, 3], [44, 44])] {
        client.create_topic(&format!("u{}", counts[1]), 1).await;
        let names = ["t".to_owned(), format!("u{}", counts[1])];
        let asked = names.iter().zip(counts).map(|(name, count)| {
            CreatePartitionsTopic::default()
                .with_name(topic_name(name))
                .with_count(count)
                .with_assignments(None)
        });
        let request = CreatePartitionsRequest::default()
            .with_topics(asked.collect())
            .with_validate_only(true);
        let response = client.call(3, &request).await;
        let answers: Vec<_> = response.results.iter().map(|result| result.error_code).collect();
        assert_eq!(answers, errors);
    }
    bench.stop().await;
}

#[tokio::test]
async fn a_message_that_is_too_long_for_its_version_is_cut() {
    let bench = Bench::start().await;
    let mut client = bench.client().await;
    client.create_topic("t", 1).await;
    let config = AlterableConfig::default()
        .with_name(text("retention.ms"))
        .with_value(Some(text(&"x".repeat(32_767))));
    let resource = AlterConfigsResource::default()
        .with_resource_type(2)
        .with_resource_name(text("t"))
        .with_configs(vec![config]);
    let request = IncrementalAlterConfigsRequest::default().with_resources(vec![resource]);
    for version in 0..=1 {
        let response = client.call(version, &request).await;
        let response = &response.responses[0];
        assert_eq!(response.error_code, 40);
        assert_eq!(response.error_message.as_ref().unwrap().len(), 32_767);
    }
    bench.stop().await;
}
