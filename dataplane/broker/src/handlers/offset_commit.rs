//! OffsetCommit 2-9: consumers commit how far they have come. From 6 with leader epochs, from 7 by static members; up to 4
//! a request may say how long its offsets are to stay.
//!
//! What cannot be committed has its error at its place and the rest is committed all the same. Consumers without a
//! group's management name no member and no generation, and their group may have no name.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use firn_catalog::acl::Operation;
use firn_catalog::ids::PartitionId;
use firn_coordinator::api::{Answer, Commit, GroupError, NewOffset, Request};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::offset_commit_request::OffsetCommitRequestTopic;
use kafka_protocol::messages::offset_commit_response::{
    OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use kafka_protocol::messages::{ApiKey, OffsetCommitRequest, OffsetCommitResponse};

use crate::errors::{self, NONE};
use crate::serving::groups::{consumed_partition, member};
use crate::serving::request::RequestContext;

pub(crate) const API: ApiKey = ApiKey::OffsetCommit;
pub(crate) const VERSIONS: RangeInclusive<i16> = 2..=9;

/// The retention of requests that leave it to the broker.
const NO_RETENTION: i64 = -1;
/// What is stored of a commit names the group with each offset; so many bytes of it at most, which are as many as Kafka's topic of
/// offsets takes at a time.
const MOST_NAMES: usize = 1 << 20;

pub(crate) async fn handle(
    context: Arc<RequestContext>,
    mut request: OffsetCommitRequest,
) -> OffsetCommitResponse {
    let topics = std::mem::take(&mut request.topics);
    let Checked {
        topics: mut answers,
        places,
        offsets,
    } = check(&context, &request.group_id, topics);
    if offsets.is_empty() {
        return OffsetCommitResponse::default().with_topics(answers);
    }
    let committed = match offsets.len().saturating_mul(request.group_id.len()) {
        ..=MOST_NAMES => commit(&context, &request, offsets).await,
        _ => Err(ResponseError::InvalidCommitOffsetSize),
    };
    let mut fail = |(topic, partition): (usize, usize), error: ResponseError| {
        answers[topic].partitions[partition].error_code = error.code();
    };
    match committed {
        Ok(committed) => places.into_iter().zip(committed).for_each(|(place, committed)| {
            if let Err(error) = committed {
                fail(place, errors::of_group(error));
            }
        }),
        Err(error) => places.into_iter().for_each(|place| fail(place, error)),
    }
    OffsetCommitResponse::default().with_topics(answers)
}

/// What can be committed, and where in the answer it is told what became of it.
struct Checked {
    topics: Vec<OffsetCommitResponseTopic>,
    /// For each of the offsets, the place of its topic and of its partition in the answer.
    places: Vec<(usize, usize)>,
    offsets: Vec<(PartitionId, NewOffset)>,
}

fn check(context: &RequestContext, group: &str, asked: Vec<OffsetCommitRequestTopic>) -> Checked {
    let image = context.serving.image();
    let member = context.authorize_group(&image, Operation::Read, group);
    let no_metadata: Arc<str> = Arc::default();
    let mut checked = Checked {
        topics: Vec::with_capacity(asked.len()),
        places: Vec::new(),
        offsets: Vec::new(),
    };
    for asked in asked {
        let topic = match member {
            Ok(()) => context.consumed(&image, &asked.name),
            Err(_) => Err(ResponseError::GroupAuthorizationFailed),
        };
        let mut partitions = Vec::with_capacity(asked.partitions.len());
        for asked in asked.partitions {
            let partition = topic.and_then(|topic| consumed_partition(topic, asked.partition_index));
            if let Ok(partition) = partition {
                let metadata = asked.committed_metadata.as_deref().unwrap_or_default();
                let offset = NewOffset {
                    offset: asked.committed_offset,
                    leader_epoch: asked.committed_leader_epoch,
                    metadata: match metadata {
                        "" => Arc::clone(&no_metadata),
                        metadata => metadata.into(),
                    },
                };
                checked.places.push((checked.topics.len(), partitions.len()));
                checked.offsets.push((partition, offset));
            }
            partitions.push(
                OffsetCommitResponsePartition::default()
                    .with_partition_index(asked.partition_index)
                    .with_error_code(partition.err().map_or(NONE, |error| error.code())),
            );
        }
        checked.topics.push(
            OffsetCommitResponseTopic::default()
                .with_name(asked.name)
                .with_partitions(partitions),
        );
    }
    checked
}

async fn commit(
    context: &RequestContext,
    request: &OffsetCommitRequest,
    offsets: Vec<(PartitionId, NewOffset)>,
) -> Result<Vec<Result<(), GroupError>>, ResponseError> {
    let retention = match request.retention_time_ms {
        NO_RETENTION => None,
        ms => Some(Duration::from_millis(u64::try_from(ms).unwrap_or(0))),
    };
    let commit = Commit {
        member: member(&request.member_id, request.group_instance_id.as_ref()),
        generation: request.generation_id_or_member_epoch,
        retention,
        offsets,
    };
    let take = |answer| match answer {
        Answer::Commit(committed) => Some(committed),
        _ => None,
    };
    let committed = context
        .ask(&request.group_id, Request::Commit(commit), take)
        .await?;
    committed.map_err(errors::of_group)
}
