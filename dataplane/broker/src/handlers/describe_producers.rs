//! DescribeProducers 0: the producer state of partitions (KIP-664).

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::sync::Arc;

use firn_catalog::acl::Operation;
use firn_catalog::image::Image;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::describe_producers_response::{
    PartitionResponse, ProducerState, TopicResponse,
};
use kafka_protocol::messages::{
    ApiKey, DescribeProducersRequest, DescribeProducersResponse, ProducerId, TopicName,
};

use super::text;
use crate::serving::request::RequestContext;

pub(crate) const API: ApiKey = ApiKey::DescribeProducers;
pub(crate) const VERSIONS: RangeInclusive<i16> = 0..=0;

pub(crate) async fn handle(
    context: Arc<RequestContext>,
    request: DescribeProducersRequest,
) -> DescribeProducersResponse {
    let image = context.serving.image();
    // Each partition once: an answer may be much longer than a question.
    let mut asked: BTreeMap<String, BTreeSet<i32>> = BTreeMap::new();
    for topic in request.topics {
        asked
            .entry(topic.name.to_string())
            .or_default()
            .extend(topic.partition_indexes);
    }
    let mut topics = Vec::with_capacity(asked.len());
    for (name, indexes) in asked {
        let read = context.authorize_topic(&image, Operation::Read, &name);
        let partition = |index: i32| {
            let response = PartitionResponse::default().with_partition_index(index);
            let producers = match read {
                Ok(()) => producers(&context, &image, &name, index),
                Err(_) => Err(ResponseError::TopicAuthorizationFailed),
            };
            match producers {
                Ok(producers) => response.with_active_producers(producers),
                Err(error) => response.with_error_code(error.code()),
            }
        };
        let partitions = indexes.into_iter().map(partition).collect();
        topics.push(
            TopicResponse::default()
                .with_name(TopicName(text(name)))
                .with_partitions(partitions),
        );
    }
    DescribeProducersResponse::default().with_topics(topics)
}

fn producers(
    context: &RequestContext,
    image: &Image,
    name: &str,
    index: i32,
) -> Result<Vec<ProducerState>, ResponseError> {
    let topic = context
        .topic_by_name(image, name)
        .ok_or(ResponseError::UnknownTopicOrPartition)?;
    let partition = context.partition(image, topic, index).map_err(|not| not.error)?;
    let tell = |state: firn_log::partition::ProducerState| {
        ProducerState::default()
            .with_producer_id(ProducerId(state.id))
            .with_producer_epoch(i32::from(state.epoch))
            .with_last_sequence(state.last_sequence)
            .with_last_timestamp(state.last_timestamp.0)
            .with_coordinator_epoch(state.coordinator_epoch)
            .with_current_txn_start_offset(state.transaction_first.map_or(-1, |first| first.0))
    };
    Ok(partition.producers().into_iter().map(tell).collect())
}
