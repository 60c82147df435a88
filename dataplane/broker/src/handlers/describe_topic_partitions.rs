//! DescribeTopicPartitions 0: topics in name order, a bounded number of partitions at a time, with a cursor to go on from
//! (KIP-966).

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::sync::Arc;

use firn_catalog::acl::{Operation, ResourceName};
use firn_catalog::commands::validate_topic_name;
use firn_catalog::image::{Image, ImageTopic};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::describe_topic_partitions_response::{
    Cursor, DescribeTopicPartitionsResponsePartition, DescribeTopicPartitionsResponseTopic,
};
use kafka_protocol::messages::{
    ApiKey, BrokerId, DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse, TopicName,
};

use super::{text, uuid};
use crate::errors::NONE;
use crate::seams::TOPIC_OPERATIONS;
use crate::serving::request::RequestContext;

pub(crate) const API: ApiKey = ApiKey::DescribeTopicPartitions;
pub(crate) const VERSIONS: RangeInclusive<i16> = 0..=0;

/// The most partitions of one answer (Kafka's `max.request.partition.size.limit`).
const MOST_PARTITIONS: i32 = 2000;

pub(crate) async fn handle(
    context: Arc<RequestContext>,
    request: DescribeTopicPartitionsRequest,
) -> DescribeTopicPartitionsResponse {
    let mut response = DescribeTopicPartitionsResponse::default();
    let image = context.serving.image();
    let mut left = usize::try_from(request.response_partition_limit.clamp(1, MOST_PARTITIONS)).unwrap_or(1);
    let (from_topic, from_partition) = match &request.cursor {
        Some(cursor) => (cursor.topic_name.as_str(), cursor.partition_index),
        None => ("", 0),
    };
    let (names, asked_for) = names(&context, &image, &request, from_topic);
    for name in names {
        if left == 0 {
            response.next_cursor = Some(cursor(&name, 0));
            break;
        }
        let first = if *name == *from_topic {
            usize::try_from(from_partition).unwrap_or(0)
        } else {
            0
        };
        match find(&context, &image, &name) {
            Err(error) if asked_for => response.topics.push(failed(&name, error)),
            Err(_) => {}
            Ok(topic) => {
                let told = describe(&context, &image, topic, first, left);
                left -= told.partitions.len();
                let next = first + told.partitions.len();
                response.topics.push(told);
                if next < topic.partitions.len() {
                    response.next_cursor = Some(cursor(&name, i32::try_from(next).unwrap_or(i32::MAX)));
                    break;
                }
            }
        }
    }
    response
}

/// The names to tell, from the cursor on, in order; and whether they were asked for by name.
fn names(
    context: &RequestContext,
    image: &Image,
    request: &DescribeTopicPartitionsRequest,
    from: &str,
) -> (Vec<Arc<str>>, bool) {
    if request.topics.is_empty() {
        let all = image.topics_from(context.cluster(), from);
        // One more than can be told: each topic has a partition.
        let most = usize::try_from(MOST_PARTITIONS).unwrap_or(0) + 1;
        return (
            all.filter(|topic| context.may_see(image, &topic.name))
                .map(|topic| Arc::clone(&topic.name))
                .take(most)
                .collect(),
            false,
        );
    }
    let asked: BTreeSet<Arc<str>> = request
        .topics
        .iter()
        .map(|topic| topic.name.as_str())
        .filter(|name| *name >= from)
        .map(Arc::from)
        .collect();
    (asked.into_iter().collect(), true)
}

fn cursor(name: &str, partition: i32) -> Cursor {
    Cursor::default()
        .with_topic_name(TopicName(text(name)))
        .with_partition_index(partition)
}

fn find<'i>(
    context: &RequestContext,
    image: &'i Image,
    name: &str,
) -> Result<&'i Arc<ImageTopic>, ResponseError> {
    context
        .authorize_topic(image, Operation::Describe, name)
        .map_err(|_| ResponseError::TopicAuthorizationFailed)?;
    if let Some(topic) = context.topic_by_name(image, name) {
        return Ok(topic);
    }
    Err(match validate_topic_name(name) {
        Ok(()) => ResponseError::UnknownTopicOrPartition,
        Err(_) => ResponseError::InvalidTopicException,
    })
}

fn failed(name: &str, error: ResponseError) -> DescribeTopicPartitionsResponseTopic {
    DescribeTopicPartitionsResponseTopic::default()
        .with_name(Some(TopicName(text(name))))
        .with_error_code(error.code())
}

fn describe(
    context: &RequestContext,
    image: &Image,
    topic: &ImageTopic,
    first: usize,
    most: usize,
) -> DescribeTopicPartitionsResponseTopic {
    let partition = |(index, leadership): (usize, &firn_catalog::image::Leadership)| {
        let leader = image.broker(leadership.owner).map(|broker| broker.node.0);
        let replicas: Vec<BrokerId> = leader.into_iter().map(BrokerId).collect();
        let error = leader.map_or(ResponseError::LeaderNotAvailable.code(), |_| NONE);
        DescribeTopicPartitionsResponsePartition::default()
            .with_error_code(error)
            .with_partition_index(i32::try_from(index).unwrap_or(i32::MAX))
            .with_leader_id(BrokerId(leader.unwrap_or(-1)))
            .with_leader_epoch(leadership.epoch.0)
            .with_replica_nodes(replicas.clone())
            .with_isr_nodes(replicas)
            .with_eligible_leader_replicas(Some(Vec::new()))
            .with_last_known_elr(Some(Vec::new()))
    };
    let partitions = topic
        .partitions
        .iter()
        .enumerate()
        .skip(first)
        .take(most)
        .map(partition);
    DescribeTopicPartitionsResponseTopic::default()
        .with_name(Some(TopicName(text(&*topic.name))))
        .with_topic_id(uuid(topic.id))
        .with_is_internal(topic.audit)
        .with_partitions(partitions.collect())
        .with_topic_authorized_operations(context.authorized(
            image,
            TOPIC_OPERATIONS,
            ResourceName::Topic(&topic.name),
        ))
}
