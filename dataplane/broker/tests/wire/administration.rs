//! Topics and configs, as clients make and change them.

use firn_log::batch::BatchBuilder;
use kafka_protocol::messages::alter_configs_request::AlterConfigsResource as ReplacedConfigs;
use kafka_protocol::messages::create_partitions_request::CreatePartitionsTopic;
use kafka_protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::describe_topic_partitions_request::Cursor;
use kafka_protocol::messages::incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig};
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::{
    AlterConfigsRequest, CreatePartitionsRequest, CreateTopicsRequest, DescribeConfigsRequest,
    DescribeTopicPartitionsRequest, IncrementalAlterConfigsRequest, ListOffsetsRequest, MetadataRequest,
};

use crate::support::Bench;
use crate::support::client::{Client, batch, text, topic_name};

fn topic(name: &str) -> CreatableTopic {
    CreatableTopic::default()
        .with_name(topic_name(name))
        .with_num_partitions(-1)
        .with_replication_factor(-1)
}

async fn create(client: &mut Client, topic: CreatableTopic) -> i16 {
    let request = CreateTopicsRequest::default()
        .with_topics(vec![topic])
        .with_timeout_ms(10_000);
    client.call(7, &request).await.topics[0].error_code
}

fn config(name: &str, value: &str) -> CreatableTopicConfig {
    CreatableTopicConfig::default()
        .with_name(text(name))
        .with_value(Some(text(value)))
}

#[tokio::test]
async fn a_created_topic_is_served_when_the_answer_comes() {
    let bench = Bench::start().await;
    let mut client = bench.client().await;
    for round in 0..20 {
        let name = format!("t{round}");
        client.create_topic(&name, 3).await;
        assert_eq!(client.produce(&name, 2, batch(&["a"])).await, (0, 0));
    }
    bench.stop().await;
}

#[tokio::test]
async fn topics_that_cannot_be_are_refused_each_with_its_code() {
    let bench = Bench::start().await;
    let mut client = bench.client().await;
    assert_eq!(create(&mut client, topic("a.b")).await, 0);
    assert_eq!(create(&mut client, topic("a.b")).await, 36);
    assert_eq!(create(&mut client, topic("a_b")).await, 17);
    assert_eq!(create(&mut client, topic("no/slash")).await, 17);
    assert_eq!(create(&mut client, topic("t").with_num_partitions(0)).await, 37);
    assert_eq!(
        create(&mut client, topic("t").with_replication_factor(0)).await,
        38
    );
    assert_eq!(
        create(&mut client, topic("t").with_configs(vec![config("nope", "1")])).await,
        40
    );
    assert_eq!(
        create(
            &mut client,
            topic("t").with_configs(vec![config("retention.ms", "x")])
        )
        .await,
        40
    );
    assert_eq!(
        create(&mut client, topic("t").with_replication_factor(3)).await,
        0
    );
    bench.stop().await;
}

#[tokio::test]
async fn a_topic_that_is_asked_for_is_created() {
    let bench = Bench::start().await;
    let mut client = bench.client().await;
    let asked = |allow| {
        let topic = MetadataRequestTopic::default().with_name(Some(topic_name("wanted")));
        MetadataRequest::default()
            .with_topics(Some(vec![topic]))
            .with_allow_auto_topic_creation(allow)
    };
    assert_eq!(client.call(9, &asked(false)).await.topics[0].error_code, 3);
    assert_eq!(client.call(9, &asked(true)).await.topics[0].error_code, 3);
    let mut error = 3;
    for _ in 0..1_200 {
        error = client.call(9, &asked(false)).await.topics[0].error_code;
        if error == 0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(error, 0);
    bench.stop().await;
}

#[tokio::test]
async fn added_partitions_are_served_when_the_answer_comes() {
    let bench = Bench::start().await;
    let mut client = bench.client().await;
    client.create_topic("t", 1).await;
    let ask = |count| {
        let topic = CreatePartitionsTopic::default()
            .with_name(topic_name("t"))
            .with_count(count)
            .with_assignments(None);
        CreatePartitionsRequest::default()
            .with_topics(vec![topic])
            .with_timeout_ms(10_000)
    };
    assert_eq!(client.call(3, &ask(4)).await.results[0].error_code, 0);
    assert_eq!(client.produce("t", 3, batch(&["a"])).await, (0, 0));
    assert_eq!(client.call(3, &ask(4)).await.results[0].error_code, 37);
    bench.stop().await;
}

#[tokio::test]
async fn a_changed_config_is_described_and_enforced() {
    let bench = Bench::start().await;
    let mut client = bench.client().await;
    client.create_topic("t", 1).await;
    let alter = |name: &str, value: &str, operation| {
        let config = AlterableConfig::default()
            .with_name(text(name))
            .with_value(Some(text(value)))
            .with_config_operation(operation);
        let resource = AlterConfigsResource::default()
            .with_resource_type(2)
            .with_resource_name(text("t"))
            .with_configs(vec![config]);
        IncrementalAlterConfigsRequest::default().with_resources(vec![resource])
    };
    let compacted = alter("cleanup.policy", "compact", 2);
    assert_eq!(client.call(1, &compacted).await.responses[0].error_code, 0);
    assert_eq!(
        client.call(1, &alter("retention.ms", "1", 2)).await.responses[0].error_code,
        40
    );
    assert_eq!(
        client.call(1, &alter("retention.ms", "1", 9)).await.responses[0].error_code,
        42
    );
    let resource = DescribeConfigsResource::default()
        .with_resource_type(2)
        .with_resource_name(text("t"))
        .with_configuration_keys(None);
    let describe = DescribeConfigsRequest::default()
        .with_resources(vec![resource])
        .with_include_synonyms(true)
        .with_include_documentation(true);
    let described = client.call(4, &describe).await;
    let configs = &described.results[0].configs;
    let policy = configs
        .iter()
        .find(|config| &*config.name == "cleanup.policy")
        .unwrap();
    assert_eq!(
        (policy.value.as_deref(), policy.config_source),
        (Some("delete,compact"), 1)
    );
    assert!(configs.len() > 20 && configs.iter().all(|config| config.documentation.is_some()));
    let keyless = BatchBuilder::new().record(1, None, Some(b"v")).build();
    assert_eq!(
        client.produce("t", 0, keyless).await.0,
        87,
        "compacted topics need keys"
    );
    bench.stop().await;
}

#[tokio::test]
async fn the_configs_of_all_brokers_are_changed_and_those_of_one_are_not() {
    let bench = Bench::start().await;
    let mut client = bench.client().await;
    for (broker, value, error, partitions) in [("0", "2", 42, 1), ("", "3", 0, 3), ("0", "4", 42, 3)] {
        let config = AlterableConfig::default()
            .with_name(text("num.partitions"))
            .with_value(Some(text(value)));
        let resource = AlterConfigsResource::default()
            .with_resource_type(4)
            .with_resource_name(text(broker))
            .with_configs(vec![config]);
        let request = IncrementalAlterConfigsRequest::default().with_resources(vec![resource]);
        let answer = client.call(1, &request).await;
        assert_eq!(answer.responses[0].error_code, error, "{broker:?}");
        let replaced = ReplacedConfigs::default()
            .with_resource_type(4)
            .with_resource_name(text("0"));
        let request = AlterConfigsRequest::default().with_resources(vec![replaced]);
        assert_eq!(client.call(2, &request).await.responses[0].error_code, 42);
        let name = format!("t{value}");
        assert_eq!(create(&mut client, topic(&name)).await, 0);
        let image = bench.images.image();
        let made = image.topic_by_name(bench.cluster, &name).unwrap();
        assert_eq!(made.partitions.len(), partitions, "{broker:?}");
    }
    bench.stop().await;
}

async fn offset_at(client: &mut Client, timestamp: i64) -> (i16, i64) {
    let partition = ListOffsetsPartition::default()
        .with_timestamp(timestamp)
        .with_current_leader_epoch(-1);
    let topic = ListOffsetsTopic::default()
        .with_name(topic_name("t"))
        .with_partitions(vec![partition]);
    let request = ListOffsetsRequest::default()
        .with_replica_id((-1).into())
        .with_topics(vec![topic]);
    let response = client.call(9, &request).await;
    let partition = &response.topics[0].partitions[0];
    (partition.error_code, partition.offset)
}

#[tokio::test]
async fn offsets_are_found_by_time_and_move_with_deleted_records() {
    let bench = Bench::start().await;
    let mut client = bench.client().await;
    client.create_topic("t", 1).await;
    for time in [10, 30, 20] {
        client
            .produce("t", 0, BatchBuilder::new().record(time, None, Some(b"v")).build())
            .await;
    }
    for (timestamp, offset) in [
        (-1, 3),
        (-2, 0),
        (-3, 1),
        (-4, 0),
        (-5, -1),
        (5, 0),
        (25, 1),
        (31, -1),
    ] {
        assert_eq!(
            offset_at(&mut client, timestamp).await,
            (0, offset),
            "{timestamp}"
        );
    }
    assert_eq!(offset_at(&mut client, -9).await.0, 35);
    for (before, result) in [
        (2, (0, 2)),
        (1, (0, 2)),
        (9, (1, -1)),
        (-2, (1, -1)),
        (-1, (0, 3)),
    ] {
        assert_eq!(
            client.delete_records("t", before).await,
            result,
            "before {before}"
        );
    }
    assert_eq!(offset_at(&mut client, -2).await, (0, 3));
    bench.stop().await;
}

#[tokio::test]
async fn records_are_deleted_unless_the_topic_is_compacted_only() {
    let bench = Bench::start().await;
    let mut client = bench.client().await;
    for (policy, error) in [("", 0), ("compact,delete", 0), ("compact", 44)] {
        let name = format!("t{}", policy.len());
        let configs = vec![config("cleanup.policy", policy)];
        assert_eq!(create(&mut client, topic(&name).with_configs(configs)).await, 0);
        assert_eq!(client.delete_records(&name, -1).await.0, error, "{policy}");
    }
    bench.stop().await;
}

#[tokio::test]
async fn a_cursor_leads_through_all_partitions() {
    let bench = Bench::start().await;
    let mut client = bench.client().await;
    for name in ["a", "b", "c"] {
        client.create_topic(name, 3).await;
    }
    let mut seen = Vec::new();
    let mut cursor: Option<Cursor> = None;
    loop {
        let request = DescribeTopicPartitionsRequest::default()
            .with_response_partition_limit(2)
            .with_cursor(cursor.take());
        let response = client.call(0, &request).await;
        for topic in &response.topics {
            let name = topic.name.as_ref().unwrap().to_string();
            seen.extend(
                topic
                    .partitions
                    .iter()
                    .map(|partition| (name.clone(), partition.partition_index)),
            );
        }
        let Some(next) = response.next_cursor else { break };
        let from = Cursor::default().with_topic_name(next.topic_name);
        cursor = Some(from.with_partition_index(next.partition_index));
    }
    let all: Vec<_> = ["a", "b", "c"]
        .iter()
        .flat_map(|name| (0..3).map(|index| ((*name).to_owned(), index)))
        .collect();
    assert_eq!(seen, all);
    bench.stop().await;
}
