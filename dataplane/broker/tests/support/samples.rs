//! A request of every API and version that is served, about a topic by name and by id.

use bytes::BytesMut;
use kafka_protocol::messages as m;
use kafka_protocol::messages::{
    alter_configs_request as alter, incremental_alter_configs_request as incremental,
};
use uuid::Uuid;

use super::client::{batch, frame, produce, text, topic_name};

/// A request frame.
pub struct Sample {
    pub key: m::ApiKey,
    pub version: i16,
    pub frame: BytesMut,
}

/// All of them. `times`: how often each names its topic; 0 makes their arrays empty.
pub fn all(name: &str, id: Uuid, times: usize) -> Vec<Sample> {
    let mut samples = Vec::new();
    records(&mut samples, name, id, times);
    topics(&mut samples, name, id, times);
    configs(&mut samples, name, times);
    descriptions(&mut samples, name, times);
    samples
}

fn add<R: kafka_protocol::protocol::Request>(
    samples: &mut Vec<Sample>,
    versions: std::ops::RangeInclusive<i16>,
    make: impl Fn(i16) -> R,
) {
    for version in versions {
        let key = m::ApiKey::try_from(R::KEY).unwrap();
        samples.push(Sample {
            key,
            version,
            frame: frame(7, version, &make(version)),
        });
    }
}

fn records(samples: &mut Vec<Sample>, name: &str, id: Uuid, times: usize) {
    add(samples, 3..=13, |version| {
        let mut request = produce(name, 0, batch(&["sample"]), -1);
        if version >= 13 {
            request.topic_data[0].name = topic_name("");
            request.topic_data[0].topic_id = id;
        }
        let topic = request.topic_data.remove(0);
        request.with_topic_data(vec![topic; times])
    });
    add(samples, 4..=18, |version| {
        let partition = m::fetch_request::FetchPartition::default()
            .with_partition_max_bytes(1000)
            .with_current_leader_epoch(-1);
        let topic = m::fetch_request::FetchTopic::default().with_partitions(vec![partition; times]);
        let topic = if version >= 13 {
            topic.with_topic_id(id)
        } else {
            topic.with_topic(topic_name(name))
        };
        m::FetchRequest::default()
            .with_replica_id((-1).into())
            .with_max_bytes(1000)
            .with_topics(vec![topic; times])
            .with_session_epoch(-1)
    });
    add(samples, 1..=10, |_| {
        let partition = m::list_offsets_request::ListOffsetsPartition::default()
            .with_timestamp(-1)
            .with_current_leader_epoch(-1);
        let topic = m::list_offsets_request::ListOffsetsTopic::default()
            .with_name(topic_name(name))
            .with_partitions(vec![partition; times]);
        m::ListOffsetsRequest::default()
            .with_replica_id((-1).into())
            .with_topics(vec![topic; times])
    });
    add(samples, 2..=4, |_| {
        let partition = m::offset_for_leader_epoch_request::OffsetForLeaderPartition::default();
        let topic = m::offset_for_leader_epoch_request::OffsetForLeaderTopic::default()
            .with_topic(topic_name(name))
            .with_partitions(vec![partition; times]);
        m::OffsetForLeaderEpochRequest::default()
            .with_replica_id((-2).into())
            .with_topics(vec![topic; times])
    });
    add(samples, 0..=5, |_| {
        m::InitProducerIdRequest::default()
            .with_transactional_id(None)
            .with_producer_id((-1).into())
            .with_producer_epoch(-1)
    });
    add(samples, 0..=2, |_| {
        let partition = m::delete_records_request::DeleteRecordsPartition::default();
        let topic = m::delete_records_request::DeleteRecordsTopic::default()
            .with_name(topic_name(name))
            .with_partitions(vec![partition; times]);
        m::DeleteRecordsRequest::default().with_topics(vec![topic; times])
    });
}

fn topics(samples: &mut Vec<Sample>, name: &str, id: Uuid, times: usize) {
    add(samples, 0..=13, |version| {
        let topic = m::metadata_request::MetadataRequestTopic::default();
        let topic = match version >= 12 {
            true => topic.with_name(None).with_topic_id(id),
            false => topic.with_name(Some(topic_name(name))),
        };
        m::MetadataRequest::default()
            .with_topics(Some(vec![topic; times]))
            .with_allow_auto_topic_creation(version < 4)
    });
    add(samples, 2..=7, |_| {
        let topic = m::create_topics_request::CreatableTopic::default()
            .with_name(topic_name(name))
            .with_num_partitions(1)
            .with_replication_factor(1);
        m::CreateTopicsRequest::default()
            .with_topics(vec![topic; times])
            .with_validate_only(true)
    });
    add(samples, 0..=3, |_| {
        let topic = m::create_partitions_request::CreatePartitionsTopic::default()
            .with_name(topic_name(name))
            .with_count(5)
            .with_assignments(None);
        m::CreatePartitionsRequest::default()
            .with_topics(vec![topic; times])
            .with_validate_only(true)
    });
    add(samples, 1..=6, |version| {
        if version < 6 {
            return m::DeleteTopicsRequest::default().with_topic_names(vec![topic_name(name); times]);
        }
        let topic = m::delete_topics_request::DeleteTopicState::default()
            .with_name(None)
            .with_topic_id(id);
        m::DeleteTopicsRequest::default().with_topics(vec![topic; times])
    });
}

fn configs(samples: &mut Vec<Sample>, name: &str, times: usize) {
    add(samples, 1..=4, |_| {
        let resource = m::describe_configs_request::DescribeConfigsResource::default()
            .with_resource_type(2)
            .with_resource_name(text(name))
            .with_configuration_keys(None);
        m::DescribeConfigsRequest::default().with_resources(vec![resource; times])
    });
    add(samples, 0..=2, |_| {
        let resource = alter::AlterConfigsResource::default()
            .with_resource_type(2)
            .with_resource_name(text(name));
        m::AlterConfigsRequest::default()
            .with_resources(vec![resource; times])
            .with_validate_only(true)
    });
    add(samples, 0..=1, |_| {
        let config = incremental::AlterableConfig::default()
            .with_name(text("retention.ms"))
            .with_value(Some(text("1")));
        let resource = incremental::AlterConfigsResource::default()
            .with_resource_type(2)
            .with_resource_name(text(name))
            .with_configs(vec![config]);
        m::IncrementalAlterConfigsRequest::default()
            .with_resources(vec![resource; times])
            .with_validate_only(true)
    });
    add(samples, 0..=1, |version| {
        let kinds = if version == 0 { Vec::new() } else { vec![2; times] };
        m::ListConfigResourcesRequest::default().with_resource_types(kinds)
    });
}

fn descriptions(samples: &mut Vec<Sample>, name: &str, times: usize) {
    add(samples, 0..=4, |version| match version {
        0..3 => m::ApiVersionsRequest::default(),
        _ => m::ApiVersionsRequest::default()
            .with_client_software_name(text("test"))
            .with_client_software_version(text("1")),
    });
    add(samples, 0..=2, |_| m::DescribeClusterRequest::default());
    add(samples, 1..=4, |_| {
        let topic = m::describe_log_dirs_request::DescribableLogDirTopic::default()
            .with_topic(topic_name(name))
            .with_partitions(vec![0; times]);
        m::DescribeLogDirsRequest::default().with_topics(Some(vec![topic; times]))
    });
    add(samples, 0..=0, |_| {
        let topic = m::describe_producers_request::TopicRequest::default()
            .with_name(topic_name(name))
            .with_partition_indexes(vec![0; times]);
        m::DescribeProducersRequest::default().with_topics(vec![topic; times])
    });
    add(samples, 0..=0, |_| {
        let topic = m::describe_topic_partitions_request::TopicRequest::default().with_name(topic_name(name));
        m::DescribeTopicPartitionsRequest::default()
            .with_topics(vec![topic; times])
            .with_response_partition_limit(100)
    });
}
