//! OffsetForLeaderEpoch 2-4: where a leader epoch ended (KIP-101, KIP-320).
//!
//! The current epoch ends at the log's end; another at the start of the next one; of an epoch that never was, the
//! last one before it is told. An epoch before all that is known ends where the first known one begins. No epoch (-1),
//! or one to come: -1 and -1.

use std::ops::RangeInclusive;
use std::sync::Arc;

use firn_catalog::acl::{Operation, ResourceName};
use firn_catalog::ids::LeaderEpoch;
use firn_catalog::image::Image;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::offset_for_leader_epoch_request::OffsetForLeaderPartition;
use kafka_protocol::messages::offset_for_leader_epoch_response::{
    EpochEndOffset, OffsetForLeaderTopicResult,
};
use kafka_protocol::messages::{ApiKey, OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse};

use crate::errors;
use crate::serving::request::RequestContext;
use crate::serving::topics::check_epoch;

pub(crate) const API: ApiKey = ApiKey::OffsetForLeaderEpoch;
pub(crate) const VERSIONS: RangeInclusive<i16> = 2..=4;

pub(crate) async fn handle(
    context: Arc<RequestContext>,
    request: OffsetForLeaderEpochRequest,
) -> OffsetForLeaderEpochResponse {
    let image = context.serving.image();
    let replicates = context.allows(&image, Operation::ClusterAction, ResourceName::Cluster);
    let mut topics = Vec::with_capacity(request.topics.len());
    for topic in request.topics {
        let seen = match replicates {
            true => Ok(()),
            false => context.authorize_topic(&image, Operation::Describe, &topic.topic),
        };
        let answer = |asked: &OffsetForLeaderPartition| {
            let found = match seen {
                Ok(()) => find(&context, &image, &topic.topic, asked),
                Err(_) => Err(ResponseError::TopicAuthorizationFailed),
            };
            let error = found.as_ref().err().map_or(errors::NONE, ResponseError::code);
            let (epoch, end) = found.unwrap_or((-1, -1));
            EpochEndOffset::default()
                .with_error_code(error)
                .with_partition(asked.partition)
                .with_leader_epoch(epoch)
                .with_end_offset(end)
        };
        let partitions = topic.partitions.iter().map(answer).collect();
        topics.push(
            OffsetForLeaderTopicResult::default()
                .with_topic(topic.topic)
                .with_partitions(partitions),
        );
    }
    OffsetForLeaderEpochResponse::default().with_topics(topics)
}

fn find(
    context: &RequestContext,
    image: &Image,
    name: &str,
    asked: &OffsetForLeaderPartition,
) -> Result<(i32, i64), ResponseError> {
    let topic = context
        .topic_by_name(image, name)
        .ok_or(ResponseError::UnknownTopicOrPartition)?;
    let partition = context
        .partition(image, topic, asked.partition)
        .map_err(|not| not.error)?;
    check_epoch(&partition, asked.current_leader_epoch)?;
    let end = partition.epoch_end(LeaderEpoch(asked.leader_epoch));
    Ok(end.map_or((-1, -1), |(epoch, end)| (epoch.0, end.0)))
}
