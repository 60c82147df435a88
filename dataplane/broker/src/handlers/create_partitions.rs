//! CreatePartitions 0-3: more partitions for topics. Answered once this broker serves them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use firn_catalog::acl::{Operation, ResourceName};
use firn_catalog::commands::{CreatePartitions, TopicRef};
use firn_catalog::ids::FeedSequence;
use firn_catalog::image::Image;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::create_partitions_request::CreatePartitionsTopic;
use kafka_protocol::messages::create_partitions_response::CreatePartitionsTopicResult;
use kafka_protocol::messages::{ApiKey, CreatePartitionsRequest, CreatePartitionsResponse};

use super::text;
use crate::errors::{self, Failure};
use crate::serving::request::RequestContext;
use crate::serving::{partition_allowance, replica_assignment};

pub(crate) const API: ApiKey = ApiKey::CreatePartitions;
pub(crate) const VERSIONS: RangeInclusive<i16> = 0..=3;

/// The first version in which a quota refuses (KIP-599).
const QUOTA_FROM: i16 = 3;

pub(crate) async fn handle(
    context: Arc<RequestContext>,
    request: CreatePartitionsRequest,
) -> CreatePartitionsResponse {
    let patience = Duration::from_millis(u64::try_from(request.timeout_ms).unwrap_or(0));
    let mut named: BTreeMap<String, usize> = BTreeMap::new();
    for topic in &request.topics {
        *named.entry(topic.name.to_string()).or_default() += 1;
    }
    let image = context.serving.image();
    let allowance = partition_allowance::check(added(&context, &image, &request.topics).into_iter());
    let (mut results, mut latest) = (Vec::new(), None);
    for topic in request.topics {
        let created = match named.get_mut(topic.name.as_str()).map_or(0, std::mem::take) {
            // Told already, with the first of them.
            0 => continue,
            1 => match (
                context.authorize_topic(&image, Operation::Alter, &topic.name),
                &allowance,
            ) {
                (Err(denied), _) => Err(denied.failure(ResponseError::TopicAuthorizationFailed)),
                (Ok(()), Ok(())) => create(&context, &topic, request.validate_only).await,
                (Ok(()), Err(excessive)) => Err(excessive.clone()),
            },
            _ => Err(Failure::new(
                ResponseError::InvalidRequest,
                "the request names the topic twice",
            )),
        };
        if let Ok(sequence) = &created {
            latest = latest.max(*sequence);
        }
        results.push((topic.name, created));
    }
    let served = context.serving.reconciled(latest, patience).await;
    let answer = |(name, created): (_, Result<Option<FeedSequence>, Failure>)| {
        let failure = match created {
            Ok(Some(_)) if !served => Some(Failure::new(
                ResponseError::RequestTimedOut,
                "created, but not served yet",
            )),
            Ok(_) => None,
            Err(failure) => Some(failure),
        };
        CreatePartitionsTopicResult::default()
            .with_name(name)
            .with_error_code(failure.as_ref().map_or(errors::NONE, Failure::code))
            .with_error_message(failure.map(|failure| text(failure.message)))
    };
    CreatePartitionsResponse::default().with_results(results.into_iter().map(answer).collect())
}

/// How many partitions would be added, to each of the topics that the caller may change.
fn added(context: &RequestContext, image: &Image, topics: &[CreatePartitionsTopic]) -> Vec<i64> {
    let more = |asked: &CreatePartitionsTopic| {
        let topic = context.topic_by_name(image, &asked.name)?;
        let there = i64::try_from(topic.partitions.len()).unwrap_or(i64::MAX);
        Some(i64::from(asked.count).saturating_sub(there))
    };
    let allowed = topics
        .iter()
        .filter(|asked| context.allows(image, Operation::Alter, ResourceName::Topic(&asked.name)));
    allowed.filter_map(more).collect()
}

async fn create(
    context: &RequestContext,
    asked: &CreatePartitionsTopic,
    validate_only: bool,
) -> Result<Option<FeedSequence>, Failure> {
    let image = context.serving.image();
    let unknown = || Failure::new(ResponseError::UnknownTopicOrPartition, "no such topic");
    let topic = context.topic_by_name(&image, &asked.name).ok_or_else(unknown)?;
    if let Some(assignments) = &asked.assignments {
        let known: BTreeSet<i32> = context.nodes(&image).iter().map(|node| node.id).collect();
        for assignment in assignments {
            replica_assignment::check(&assignment.broker_ids, &known)?;
        }
        let there = i32::try_from(topic.partitions.len()).unwrap_or(i32::MAX);
        let added = i32::try_from(assignments.len()).unwrap_or(i32::MAX);
        if asked.count > there && asked.count - there != added {
            let count = format!(
                "{} partitions are added, {added} are assigned",
                asked.count - there
            );
            return Err(Failure::new(ResponseError::InvalidReplicaAssignment, count));
        }
    }
    let there = i64::try_from(topic.partitions.len()).unwrap_or(i64::MAX);
    let added = u64::try_from(i64::from(asked.count).saturating_sub(there)).unwrap_or(0);
    if added > 0 && !validate_only && !context.may_change(added, context.version >= QUOTA_FROM) {
        return Err(errors::over_quota());
    }
    let command = CreatePartitions {
        cluster: context.cluster(),
        topic: TopicRef::Id(topic.id),
        total: asked.count,
        validate_only,
    };
    let created = context
        .serving
        .catalog
        .create_partitions(&context.actor(), command)
        .await;
    let created = created.map_err(|e| errors::of_command(&e, ResponseError::TopicAuthorizationFailed))?;
    Ok(created.sequence)
}
