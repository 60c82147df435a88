//! The requests, and whether an answer is the one that its path is about.

use firn_log::batch::BatchBuilder;
use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::{
    CreateTopicsRequest, CreateTopicsResponse, FetchRequest, FetchResponse, MetadataRequest,
    MetadataResponse, ProduceRequest, ProduceResponse,
};

use crate::broker::NOW;
use crate::client::topic_name;

/// Versions that clients of today ask with, and that name topics.
pub const PRODUCE: i16 = 9;
pub const FETCH: i16 = 12;
pub const METADATA: i16 = 12;
pub const CREATE_TOPICS: i16 = 7;

/// The most bytes that a Fetch asks for.
const MOST: i32 = 1 << 20;

/// CreateTopics of these topics, with their numbers of partitions.
pub fn create(topics: &[(&str, i32)]) -> CreateTopicsRequest {
    let topic = |(name, partitions): &(&str, i32)| {
        CreatableTopic::default()
            .with_name(topic_name(name))
            .with_num_partitions(*partitions)
            .with_replication_factor(1)
    };
    CreateTopicsRequest::default()
        .with_topics(topics.iter().map(topic).collect())
        .with_timeout_ms(600_000)
}

/// Whether all of them are there.
pub fn are_created(answer: &CreateTopicsResponse) -> bool {
    answer.topics.iter().all(|topic| topic.error_code == 0)
}

/// Produce of a batch of so many records of 1 KiB to each of so many partitions.
pub fn produce(topic: &str, partitions: i32, records: usize) -> ProduceRequest {
    let value = [b'v'; 1024];
    let add = |batch: BatchBuilder, _| batch.record(NOW, None, Some(&value));
    let batch = (0..records).fold(BatchBuilder::new(), add).build().freeze();
    let partition = |index| {
        PartitionProduceData::default()
            .with_index(index)
            .with_records(Some(batch.clone()))
    };
    let topic = TopicProduceData::default()
        .with_name(topic_name(topic))
        .with_partition_data((0..partitions).map(partition).collect());
    ProduceRequest::default()
        .with_acks(-1)
        .with_timeout_ms(30_000)
        .with_topic_data(vec![topic])
}

/// Whether all of it was appended.
pub fn is_appended(answer: &ProduceResponse) -> bool {
    let partitions = || {
        answer
            .responses
            .iter()
            .flat_map(|topic| &topic.partition_responses)
    };
    partitions().count() > 0 && partitions().all(|partition| partition.error_code == 0)
}

/// Fetch without a session, from the first offset of a topic's only partition.
pub fn fetch(topic: &str) -> FetchRequest {
    begin_session(topic, 1, 0).with_session_epoch(-1)
}

/// The Fetch that begins a session of a topic's partitions, each from this offset.
pub fn begin_session(topic: &str, partitions: i32, offset: i64) -> FetchRequest {
    let partition = |index| {
        FetchPartition::default()
            .with_partition(index)
            .with_fetch_offset(offset)
            .with_current_leader_epoch(-1)
            .with_partition_max_bytes(MOST)
    };
    let topic = FetchTopic::default()
        .with_topic(topic_name(topic))
        .with_partitions((0..partitions).map(partition).collect());
    continue_session(0, 0).with_topics(vec![topic])
}

/// A Fetch of what a session is about.
pub fn continue_session(id: i32, epoch: i32) -> FetchRequest {
    FetchRequest::default()
        .with_replica_id((-1).into())
        .with_min_bytes(1)
        .with_max_bytes(MOST)
        .with_session_id(id)
        .with_session_epoch(epoch)
}

/// Bytes of records in an answer without errors.
pub fn fetched_bytes(answer: &FetchResponse) -> Option<usize> {
    let partitions = || answer.responses.iter().flat_map(|topic| &topic.partitions);
    let good = answer.error_code == 0 && partitions().all(|partition| partition.error_code == 0);
    let bytes = partitions().filter_map(|partition| Some(partition.records.as_ref()?.len()));
    good.then(|| bytes.sum())
}

/// Metadata of one topic.
pub fn metadata(topic: &str) -> MetadataRequest {
    let topic = MetadataRequestTopic::default().with_name(Some(topic_name(topic)));
    MetadataRequest::default().with_topics(Some(vec![topic]))
}

/// How many partitions are told.
pub fn told_partitions(answer: &MetadataResponse) -> usize {
    answer.topics.iter().map(|topic| topic.partitions.len()).sum()
}
