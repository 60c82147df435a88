//! OffsetDelete 0: forgets committed offsets of topics that the group does not subscribe to (KIP-496).

use std::ops::RangeInclusive;
use std::sync::Arc;

use firn_catalog::acl::Operation;
use firn_catalog::ids::PartitionId;
use firn_coordinator::api::{Answer, GroupError, Request};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::offset_delete_request::OffsetDeleteRequestTopic;
use kafka_protocol::messages::offset_delete_response::{
    OffsetDeleteResponsePartition, OffsetDeleteResponseTopic,
};
use kafka_protocol::messages::{ApiKey, OffsetDeleteRequest, OffsetDeleteResponse};

use crate::errors::{self, NONE};
use crate::serving::groups::{consumed_partition, named};
use crate::serving::request::RequestContext;

pub(crate) const API: ApiKey = ApiKey::OffsetDelete;
pub(crate) const VERSIONS: RangeInclusive<i16> = 0..=0;

pub(crate) async fn handle(
    context: Arc<RequestContext>,
    request: OffsetDeleteRequest,
) -> OffsetDeleteResponse {
    match delete(&context, request).await {
        Ok(topics) => OffsetDeleteResponse::default().with_topics(topics),
        Err(error) => OffsetDeleteResponse::default().with_error_code(error.code()),
    }
}

async fn delete(
    context: &RequestContext,
    request: OffsetDeleteRequest,
) -> Result<Vec<OffsetDeleteResponseTopic>, ResponseError> {
    let group = request.group_id;
    context
        .authorize_group(&context.serving.image(), Operation::Delete, &group)
        .map_err(|_| ResponseError::GroupAuthorizationFailed)?;
    named(&group)?;
    let Checked {
        mut topics,
        places,
        partitions,
    } = check(context, request.topics);
    // The group is asked even if there is nothing to forget: whether there is such a group comes first.
    let forget = Request::DeleteOffsets { partitions };
    let take = |answer| match answer {
        Answer::DeleteOffsets(forgotten) => Some(forgotten),
        _ => None,
    };
    let forgotten: Vec<Result<(), GroupError>> = context
        .ask(&group, forget, take)
        .await?
        .map_err(errors::of_group)?;
    for ((topic, partition), forgotten) in places.into_iter().zip(forgotten) {
        if let Err(error) = forgotten {
            topics[topic].partitions[partition].error_code = errors::of_group(error).code();
        }
    }
    Ok(topics)
}

/// What can be forgotten, and where in the answer it is told what became of it.
struct Checked {
    topics: Vec<OffsetDeleteResponseTopic>,
    /// For each of the partitions, the place of its topic and its own in the answer.
    places: Vec<(usize, usize)>,
    /// Each with its topic's name.
    partitions: Vec<(PartitionId, Arc<str>)>,
}

fn check(context: &RequestContext, asked: Vec<OffsetDeleteRequestTopic>) -> Checked {
    let image = context.serving.image();
    let mut checked = Checked {
        topics: Vec::with_capacity(asked.len()),
        places: Vec::new(),
        partitions: Vec::new(),
    };
    for asked in asked {
        let topic = context.consumed(&image, &asked.name);
        let mut answers = Vec::with_capacity(asked.partitions.len());
        for asked in asked.partitions {
            let index = asked.partition_index;
            let found = topic.and_then(|topic| Ok((consumed_partition(topic, index)?, &topic.name)));
            if let Ok((partition, name)) = found {
                checked.places.push((checked.topics.len(), answers.len()));
                checked.partitions.push((partition, Arc::clone(name)));
            }
            answers.push(
                OffsetDeleteResponsePartition::default()
                    .with_partition_index(index)
                    .with_error_code(found.err().map_or(NONE, |error| error.code())),
            );
        }
        checked.topics.push(
            OffsetDeleteResponseTopic::default()
                .with_name(asked.name)
                .with_partitions(answers),
        );
    }
    checked
}
