//! What is told of epochs and producers, and what a replacement of configs leaves.

use firn_log::batch::BatchBuilder;
use kafka_protocol::messages::alter_configs_request::{AlterConfigsResource, AlterableConfig};
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::describe_producers_request::TopicRequest;
use kafka_protocol::messages::describe_producers_response::ProducerState;
use kafka_protocol::messages::offset_for_leader_epoch_request::{
    OffsetForLeaderPartition, OffsetForLeaderTopic,
};
use kafka_protocol::messages::{
    AlterConfigsRequest, DescribeConfigsRequest, DescribeProducersRequest, OffsetForLeaderEpochRequest,
};

use crate::support::Bench;
use crate::support::client::{Client, batch, produce, produced, text, topic_name};

/// Asserts (error, epoch, end) for this epoch, in every version.
async fn epoch_ends(client: &mut Client, (current, asked): (i32, i32), expected: (i16, i32, i64)) {
    for version in 2..=4 {
        let partition = OffsetForLeaderPartition::default()
            .with_current_leader_epoch(current)
            .with_leader_epoch(asked);
        let topic = OffsetForLeaderTopic::default()
            .with_topic(topic_name("t"))
            .with_partitions(vec![partition]);
        let request = OffsetForLeaderEpochRequest::default().with_topics(vec![topic]);
        let response = client.call(version, &request).await;
        let told = &response.topics[0].partitions[0];
        assert_eq!(
            (told.error_code, told.leader_epoch, told.end_offset),
            expected,
            "version {version}, epoch {asked}, the current one believed to be {current}"
        );
    }
}

async fn append(client: &mut Client, values: &[&str]) {
    for value in values {
        assert_eq!(client.produce("t", 0, batch(&[value])).await.0, 0);
    }
}

#[tokio::test]
async fn epochs_end_where_the_next_one_begins() {
    let bench = Bench::start().await;
    bench.client().await.create_topic("t", 1).await;
    append(&mut bench.client().await, &["a", "b", "c"]).await;
    let bench = bench.restarted().await;
    append(&mut bench.client().await, &["d", "e"]).await;
    // The third epoch, 2, has no record.
    let bench = bench.restarted().await.restarted().await;
    let mut client = bench.client().await;
    append(&mut client, &["f"]).await;
    for (asked, expected) in [
        (0, (0, 0, 3)),
        (1, (0, 1, 5)),
        (2, (0, 1, 5)),
        (3, (0, 3, 6)),
        (4, (0, -1, -1)),
        (-1, (0, -1, -1)),
    ] {
        epoch_ends(&mut client, (-1, asked), expected).await;
    }
    epoch_ends(&mut client, (3, 0), (0, 0, 3)).await;
    epoch_ends(&mut client, (2, 0), (74, -1, -1)).await;
    epoch_ends(&mut client, (4, 0), (75, -1, -1)).await;
    assert_eq!(client.delete_records("t", 4).await, (0, 4));
    epoch_ends(&mut client, (-1, 0), (0, 0, 4)).await;
    epoch_ends(&mut client, (-1, 1), (0, 1, 5)).await;
    bench.stop().await;
}

/// What is told of the producers of each of these partitions.
async fn producers(client: &mut Client, indexes: &[i32]) -> Vec<Vec<ProducerState>> {
    let topic = TopicRequest::default()
        .with_name(topic_name("t"))
        .with_partition_indexes(indexes.to_vec());
    let request = DescribeProducersRequest::default().with_topics(vec![topic]);
    let response = client.call(0, &request).await;
    let partitions = &response.topics[0].partitions;
    let told: Vec<_> = partitions
        .iter()
        .map(|partition| (partition.partition_index, partition.error_code))
        .collect();
    let expected: Vec<_> = indexes.iter().map(|index| (*index, 0)).collect();
    assert_eq!(told, expected);
    let states = partitions
        .iter()
        .map(|partition| partition.active_producers.clone());
    states.collect()
}

#[tokio::test]
async fn a_partition_tells_its_producers_and_where_each_of_them_is() {
    let bench = Bench::start().await;
    let mut client = bench.client().await;
    let by_log = ("message.timestamp.type", "LogAppendTime");
    client.create_topic_with("t", 2, &[by_log]).await;
    assert_eq!(producers(&mut client, &[0, 1]).await, [vec![], vec![]]);
    let mut appended_at = Vec::new();
    for (id, epoch, sequence) in [(9, 0, 0), (7, 3, 0), (7, 3, 2)] {
        let records = BatchBuilder::new().producer(id, epoch, sequence);
        let records = records.record(5, None, Some(b"a")).record(6, None, Some(b"b"));
        let response = client.call(9, &produce("t", 0, records.build(), -1)).await;
        assert_eq!(produced(&response).0, 0);
        appended_at.push(response.responses[0].partition_responses[0].log_append_time_ms);
    }
    append(&mut client, &["of no producer"]).await;
    let state = |id: i64, epoch, sequence, time| {
        ProducerState::default()
            .with_producer_id(id.into())
            .with_producer_epoch(epoch)
            .with_last_sequence(sequence)
            .with_last_timestamp(time)
            .with_coordinator_epoch(-1)
            .with_current_txn_start_offset(-1)
    };
    let expected = [
        vec![state(7, 3, 3, appended_at[2]), state(9, 0, 1, appended_at[0])],
        vec![],
    ];
    assert_eq!(producers(&mut client, &[0, 1]).await, expected);
    let bench = bench.restarted().await;
    assert_eq!(producers(&mut bench.client().await, &[0, 1]).await, expected);
    bench.stop().await;
}

/// Replaces the configs of `t`; the error.
async fn replace(client: &mut Client, version: i16, configs: &[(&str, Option<&str>)], only_ask: bool) -> i16 {
    let config = |(name, value): &(&str, Option<&str>)| {
        AlterableConfig::default()
            .with_name(text(name))
            .with_value(value.map(text))
    };
    let resource = AlterConfigsResource::default()
        .with_resource_type(2)
        .with_resource_name(text("t"))
        .with_configs(configs.iter().map(config).collect());
    let request = AlterConfigsRequest::default()
        .with_resources(vec![resource])
        .with_validate_only(only_ask);
    let response = client.call(version, &request).await;
    let told = &response.responses[0];
    assert_eq!((told.resource_type, &*told.resource_name), (2, "t"));
    told.error_code
}

/// The values of `t`'s retention.ms and max.message.bytes, each with the code of its source: 1 where it is set, 5 for
/// the default.
async fn values(client: &mut Client) -> [(String, i8); 2] {
    let resource = DescribeConfigsResource::default()
        .with_resource_type(2)
        .with_resource_name(text("t"))
        .with_configuration_keys(None);
    let request = DescribeConfigsRequest::default().with_resources(vec![resource]);
    let described = client.call(4, &request).await;
    let configs = &described.results[0].configs;
    ["retention.ms", "max.message.bytes"].map(|name| {
        let config = configs.iter().find(|config| &*config.name == name).unwrap();
        (config.value.as_ref().unwrap().to_string(), config.config_source)
    })
}

#[tokio::test]
async fn replaced_configs_are_those_that_are_named_and_no_others() {
    let bench = Bench::start().await;
    let mut client = bench.client().await;
    client.create_topic("t", 1).await;
    let is = |value: &str, source: i8| (value.to_owned(), source);
    let default = is("604800000", 5);
    for version in 0..=2 {
        let both = [
            ("retention.ms", Some("1000")),
            ("max.message.bytes", Some("2000")),
        ];
        assert_eq!(replace(&mut client, version, &both, false).await, 0);
        assert_eq!(values(&mut client).await, [is("1000", 1), is("2000", 1)]);
        let one = [("max.message.bytes", Some("3000"))];
        assert_eq!(replace(&mut client, version, &one, true).await, 0);
        assert_eq!(
            values(&mut client).await,
            [is("1000", 1), is("2000", 1)],
            "it was only asked whether that would do"
        );
        assert_eq!(replace(&mut client, version, &one, false).await, 0);
        let replaced = [default.clone(), is("3000", 1)];
        assert_eq!(values(&mut client).await, replaced);
        let wrong = [
            ("max.message.bytes", Some("4000")),
            ("retention.ms", Some("soon")),
        ];
        let nothing = [("max.message.bytes", None)];
        for only_ask in [false, true] {
            assert_eq!(replace(&mut client, version, &wrong, only_ask).await, 40);
            assert_eq!(replace(&mut client, version, &nothing, only_ask).await, 42);
        }
        assert_eq!(values(&mut client).await, replaced, "the refused changed nothing");
        assert_eq!(replace(&mut client, version, &[], false).await, 0);
        assert_eq!(values(&mut client).await, [default.clone(), is("1048588", 5)]);
    }
    bench.stop().await;
}
