//! DeleteRecords 0-2: moves the start of logs up. -1 is the high watermark; below 0 or above it is out of range. Topics
//! that are compacted and not deleted from refuse, and the audit topic does; one without any cleanup policy does not.

use std::ops::RangeInclusive;
use std::sync::Arc;

use firn_catalog::acl::Operation;
use firn_catalog::ids::Offset;
use firn_catalog::image::{Image, ImageTopic};
use firn_catalog::topic_config::TopicConfig;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::delete_records_request::DeleteRecordsPartition;
use kafka_protocol::messages::delete_records_response::{
    DeleteRecordsPartitionResult, DeleteRecordsTopicResult,
};
use kafka_protocol::messages::{ApiKey, DeleteRecordsRequest, DeleteRecordsResponse};

use crate::errors;
use crate::serving::request::RequestContext;

pub(crate) const API: ApiKey = ApiKey::DeleteRecords;
pub(crate) const VERSIONS: RangeInclusive<i16> = 0..=2;

pub(crate) async fn handle(
    context: Arc<RequestContext>,
    request: DeleteRecordsRequest,
) -> DeleteRecordsResponse {
    let image = context.serving.image();
    let mut topics = Vec::with_capacity(request.topics.len());
    for asked in request.topics {
        let topic = match context.authorize_topic(&image, Operation::Delete, &asked.name) {
            Ok(()) => context
                .topic_by_name(&image, &asked.name)
                .ok_or(ResponseError::UnknownTopicOrPartition),
            Err(_) => Err(ResponseError::TopicAuthorizationFailed),
        };
        let mut partitions = Vec::with_capacity(asked.partitions.len());
        for partition in &asked.partitions {
            let start = match &topic {
                Ok(topic) => delete(&context, &image, topic, partition).await,
                Err(error) => Err(*error),
            };
            let error = start.as_ref().err().map_or(errors::NONE, ResponseError::code);
            partitions.push(
                DeleteRecordsPartitionResult::default()
                    .with_partition_index(partition.partition_index)
                    .with_low_watermark(start.map_or(-1, |start| start.0))
                    .with_error_code(error),
            );
        }
        topics.push(
            DeleteRecordsTopicResult::default()
                .with_name(asked.name)
                .with_partitions(partitions),
        );
    }
    DeleteRecordsResponse::default().with_topics(topics)
}

async fn delete(
    context: &RequestContext,
    image: &Image,
    topic: &ImageTopic,
    asked: &DeleteRecordsPartition,
) -> Result<Offset, ResponseError> {
    let partition = context
        .partition(image, topic, asked.partition_index)
        .map_err(|not| not.error)?;
    let policy = context.serving.with_defaults(image, topic.cluster, |defaults| {
        TopicConfig::resolve(&topic.configs, defaults).cleanup_policy
    });
    if policy.compact && !policy.delete || topic.audit {
        return Err(ResponseError::PolicyViolation);
    }
    let before = match asked.offset {
        -1 => partition.offsets().high_watermark,
        0.. => Offset(asked.offset),
        _ => return Err(ResponseError::OffsetOutOfRange),
    };
    partition
        .delete_records(before)
        .await
        .map_err(|error| errors::of_delete_records(&error))
}
