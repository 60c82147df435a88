//! DeleteTopics 1-6: by name, from 6 also by id. Answered once this broker no longer serves the topic.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use firn_catalog::acl::{Operation, ResourceName};
use firn_catalog::commands::{DeleteTopic, TopicRef};
use firn_catalog::ids::{FeedSequence, TopicId};
use firn_catalog::image::{Image, ImageTopic};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::delete_topics_response::DeletableTopicResult;
use kafka_protocol::messages::{ApiKey, DeleteTopicsRequest, DeleteTopicsResponse, TopicName};

use super::{text, uuid};
use crate::errors::{self, Failure};
use crate::serving::authorization::Denied;
use crate::serving::request::RequestContext;

pub(crate) const API: ApiKey = ApiKey::DeleteTopics;
pub(crate) const VERSIONS: RangeInclusive<i16> = 1..=6;

/// The first version in which a quota refuses (KIP-599).
const QUOTA_FROM: i16 = 5;

pub(crate) async fn handle(
    context: Arc<RequestContext>,
    request: DeleteTopicsRequest,
) -> DeleteTopicsResponse {
    let patience = Duration::from_millis(u64::try_from(request.timeout_ms).unwrap_or(0));
    let by_name = |name| DeleteTopicState::default().with_name(Some(name));
    let asked: Vec<_> = request
        .topics
        .into_iter()
        .chain(request.topic_names.into_iter().map(by_name))
        .collect();
    let image = context.serving.image();
    let found: Vec<_> = asked.iter().map(|asked| find(&context, &image, asked)).collect();
    let mut times: BTreeMap<TopicId, usize> = BTreeMap::new();
    for topic in found.iter().flatten() {
        *times.entry(topic.id).or_default() += 1;
    }
    let (mut responses, mut latest) = (Vec::with_capacity(asked.len()), None);
    for (asked, topic) in asked.into_iter().zip(found) {
        let deleted = match &topic {
            Err(failure) => Err(failure.clone()),
            Ok(topic) if times.get(&topic.id).is_some_and(|times| *times > 1) => Err(Failure::new(
                ResponseError::InvalidRequest,
                "the request names the topic twice",
            )),
            Ok(topic) => delete(&context, topic).await,
        };
        if let Ok(sequence) = &deleted {
            latest = latest.max(*sequence);
        }
        responses.push(answer(asked, topic.ok(), deleted.err()));
    }
    // Deleted is deleted: should this broker be slow to let go of it, the answer is no other.
    context.serving.reconciled(latest, patience).await;
    DeleteTopicsResponse::default().with_responses(responses)
}

fn answer(
    asked: DeleteTopicState,
    topic: Option<&Arc<ImageTopic>>,
    failure: Option<Failure>,
) -> DeletableTopicResult {
    let name = asked
        .name
        .or_else(|| topic.map(|topic| TopicName(text(&*topic.name))));
    let id = topic.map_or(asked.topic_id, |topic| uuid(topic.id));
    let result = DeletableTopicResult::default().with_name(name).with_topic_id(id);
    match failure {
        None => result,
        Some(failure) => result
            .with_error_code(failure.code())
            .with_error_message(Some(text(failure.message))),
    }
}

fn find<'i>(
    context: &RequestContext,
    image: &'i Image,
    asked: &DeleteTopicState,
) -> Result<&'i Arc<ImageTopic>, Failure> {
    match (&asked.name, asked.topic_id.is_nil()) {
        (Some(name), true) => {
            authorize(context, image, name)?;
            authorize_sight(context, image, name)?;
            let unknown = || Failure::new(ResponseError::UnknownTopicOrPartition, "no such topic");
            context.topic_by_name(image, name).ok_or_else(unknown)
        }
        (None, false) => {
            let id = TopicId(asked.topic_id.as_u128());
            let unknown = || Failure::new(ResponseError::UnknownTopicId, "no topic has this id");
            let topic = context.topic_by_id(image, id).ok_or_else(unknown)?;
            authorize(context, image, &topic.name)?;
            Ok(topic)
        }
        (Some(_), false) | (None, true) => {
            let either = "a topic is named by its name or by its id";
            Err(Failure::new(ResponseError::InvalidRequest, either))
        }
    }
}

/// Refuses who may neither delete this topic nor any.
fn authorize(context: &RequestContext, image: &Image, name: &str) -> Result<(), Failure> {
    refuse(context, image, Operation::Delete, name)
}

/// Refuses who names a topic and may not see it, unless any may be deleted. Who may delete it may see it, but for what denies that.
fn authorize_sight(context: &RequestContext, image: &Image, name: &str) -> Result<(), Failure> {
    refuse(context, image, Operation::Describe, name)
}

fn refuse(context: &RequestContext, image: &Image, operation: Operation, name: &str) -> Result<(), Failure> {
    if context.allows(image, Operation::Delete, ResourceName::Cluster) {
        return Ok(());
    }
    let denied = |denied: Denied| denied.failure(ResponseError::TopicAuthorizationFailed);
    context.authorize_topic(image, operation, name).map_err(denied)
}

async fn delete(context: &RequestContext, topic: &ImageTopic) -> Result<Option<FeedSequence>, Failure> {
    let partitions = u64::try_from(topic.partitions.len()).unwrap_or(u64::MAX);
    if !context.may_change(partitions, context.version >= QUOTA_FROM) {
        return Err(errors::over_quota());
    }
    let command = DeleteTopic {
        cluster: context.cluster(),
        topic: TopicRef::Id(topic.id),
    };
    let deleted = context
        .serving
        .catalog
        .delete_topic(&context.actor(), command)
        .await;
    let deleted = deleted.map_err(|e| errors::of_command(&e, ResponseError::TopicAuthorizationFailed))?;
    Ok(deleted.sequence)
}
