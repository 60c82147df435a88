//! CreateTopics 2-7: topics with their partitions and configs. Answered once this broker serves the new partitions.
//!
//! -1 partitions or replicas: the broker's defaults. Any replication factor is accepted and echoed: durability is
//! the object store's. From 5 on the answer tells the effective configs, from 7 the id.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use firn_catalog::acl::{Operation, ResourceName};
use firn_catalog::commands::{Committed, CreateTopic};
use firn_catalog::entities::Topic;
use firn_catalog::image::Image;
use firn_catalog::topic_config::{ConfigMap, describe_topic};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::create_topics_response::{CreatableTopicConfigs, CreatableTopicResult};
use kafka_protocol::messages::{ApiKey, CreateTopicsRequest, CreateTopicsResponse};

use super::{text, uuid};
use crate::errors::{self, Failure};
use crate::serving::config_resources::source_code;
use crate::serving::request::RequestContext;
use crate::serving::{partition_allowance, replica_assignment};

pub(crate) const API: ApiKey = ApiKey::CreateTopics;
pub(crate) const VERSIONS: RangeInclusive<i16> = 2..=7;

/// The first version that tells partitions, replicas and configs.
const CONFIGS_FROM: i16 = 5;
/// The first version in which a quota refuses (KIP-599).
const QUOTA_FROM: i16 = 6;

pub(crate) async fn handle(
    context: Arc<RequestContext>,
    request: CreateTopicsRequest,
) -> CreateTopicsResponse {
    let patience = Duration::from_millis(u64::try_from(request.timeout_ms).unwrap_or(0));
    let image = context.serving.image();
    let anywhere = context.allows(&image, Operation::Create, ResourceName::Cluster);
    let mut named: BTreeMap<String, usize> = BTreeMap::new();
    for topic in &request.topics {
        *named.entry(topic.name.to_string()).or_default() += 1;
    }
    let may_create =
        |name: &str| anywhere || context.allows(&image, Operation::Create, ResourceName::Topic(name));
    let once = request
        .topics
        .iter()
        .filter(|topic| named[topic.name.as_str()] == 1);
    let created = once.filter(|topic| may_create(&topic.name));
    let allowance = partition_allowance::check(asked_for(&context, created));
    let mut results = Vec::with_capacity(named.len());
    let mut latest = None;
    for asked in request.topics {
        let times = named.get_mut(asked.name.as_str()).map_or(0, std::mem::take);
        let created = match times {
            // Told already, with the first of them.
            0 => continue,
            1 if may_create(&asked.name) => match &allowance {
                Ok(()) => create(&context, &asked, request.validate_only).await,
                Err(excessive) => Err(excessive.clone()),
            },
            1 => {
                let denied = context.denied(Operation::Create, ResourceName::Topic(&asked.name));
                Err(denied.failure(ResponseError::TopicAuthorizationFailed))
            }
            _ => Err(Failure::new(
                ResponseError::InvalidRequest,
                "the request names the topic twice",
            )),
        };
        if let Ok((committed, _)) = &created {
            latest = latest.max(committed.sequence);
        }
        results.push((asked.name, created));
    }
    let served = context.serving.reconciled(latest, patience).await;
    let image = context.serving.image();
    let answer = |(name, created): (_, Result<(Committed<Topic>, i16), Failure>)| {
        let result = CreatableTopicResult::default().with_name(name);
        match created {
            Ok((committed, _)) if committed.sequence.is_some() && !served => refused(
                result,
                &Failure::new(ResponseError::RequestTimedOut, "created, but not served yet"),
            ),
            Ok((committed, factor)) => told(
                &context,
                &image,
                result,
                &committed.value,
                factor,
                request.validate_only,
            ),
            Err(failure) => refused(result, &failure),
        }
    };
    CreateTopicsResponse::default().with_topics(results.into_iter().map(answer).collect())
}

fn refused(result: CreatableTopicResult, failure: &Failure) -> CreatableTopicResult {
    let message = Some(text(failure.message.as_str()));
    result
        .with_error_code(failure.code())
        .with_error_message(message)
        .with_num_partitions(-1)
        .with_replication_factor(-1)
        .with_configs(Some(Vec::new()))
}

fn told(
    context: &RequestContext,
    image: &Image,
    result: CreatableTopicResult,
    topic: &Topic,
    factor: i16,
    only_validated: bool,
) -> CreatableTopicResult {
    let result = if only_validated {
        result
    } else {
        result.with_topic_id(uuid(topic.id))
    };
    let result = result.with_error_message(None);
    if context.version < CONFIGS_FROM {
        return result;
    }
    let configs = ResourceName::Topic(&topic.name);
    if !context.allows(image, Operation::DescribeConfigs, configs) {
        return result
            .with_topic_config_error_code(ResponseError::TopicAuthorizationFailed.code())
            .with_num_partitions(-1)
            .with_replication_factor(-1)
            .with_configs(Some(Vec::new()));
    }
    let configs = context.serving.with_defaults(image, topic.cluster, |defaults| {
        let described = describe_topic(&topic.configs, defaults)
            .into_iter()
            .map(|config| {
                CreatableTopicConfigs::default()
                    .with_name(text(config.key.name))
                    .with_value(config.value.map(text))
                    .with_config_source(source_code(config.source))
            });
        described.collect()
    });
    result
        .with_num_partitions(topic.partitions)
        .with_replication_factor(factor)
        .with_configs(Some(configs))
}

async fn create(
    context: &RequestContext,
    asked: &CreatableTopic,
    validate_only: bool,
) -> Result<(Committed<Topic>, i16), Failure> {
    let image = context.serving.image();
    let (partitions, factor) = shape(context, &image, asked)?;
    let is_new = context.topic_by_name(&image, &asked.name).is_none();
    let made = u64::try_from(partitions).unwrap_or(0);
    if is_new && !validate_only && !context.may_change(made, context.version >= QUOTA_FROM) {
        return Err(errors::over_quota());
    }
    let mut configs = ConfigMap::new();
    for config in &asked.configs {
        let value = config.value.as_ref().ok_or_else(|| {
            Failure::new(
                ResponseError::InvalidConfig,
                format!("config '{}' has no value", &*config.name),
            )
        })?;
        if configs
            .insert(config.name.to_string(), value.to_string())
            .is_some()
        {
            let twice = format!("config '{}' is named twice", &*config.name);
            return Err(Failure::new(ResponseError::InvalidConfig, twice));
        }
    }
    let command = CreateTopic {
        cluster: context.cluster(),
        name: asked.name.to_string(),
        partitions,
        configs,
        validate_only,
    };
    let created = context
        .serving
        .catalog
        .create_topic(&context.actor(), command)
        .await;
    let created = created.map_err(|e| errors::of_command(&e, ResponseError::TopicAuthorizationFailed))?;
    Ok((created, factor))
}

/// How many partitions each of the topics would have.
fn asked_for<'t>(
    context: &RequestContext,
    topics: impl Iterator<Item = &'t CreatableTopic>,
) -> impl Iterator<Item = i64> {
    let default = default(context, &context.serving.image(), "num.partitions");
    topics.map(move |topic| match topic.num_partitions {
        _ if !topic.assignments.is_empty() => i64::try_from(topic.assignments.len()).unwrap_or(i64::MAX),
        -1 => default,
        partitions => i64::from(partitions),
    })
}

/// The number that applies where a request leaves it open.
fn default(context: &RequestContext, image: &Image, name: &str) -> i64 {
    context
        .serving
        .with_defaults(image, context.cluster(), |defaults| {
            defaults.number(name).unwrap_or(1)
        })
}

/// How many partitions and replicas.
fn shape(context: &RequestContext, image: &Image, asked: &CreatableTopic) -> Result<(i32, i16), Failure> {
    if !asked.assignments.is_empty() {
        if asked.num_partitions != -1 || asked.replication_factor != -1 {
            let both = "with a replica assignment, partitions and replication factor must be -1";
            return Err(Failure::new(ResponseError::InvalidRequest, both));
        }
        let known: BTreeSet<i32> = context.nodes(image).iter().map(|node| node.id).collect();
        let partitions = replica_assignment::partitions(&asked.assignments, &known)?;
        let replicas = asked
            .assignments
            .first()
            .map_or(1, |assignment| assignment.broker_ids.len());
        return Ok((partitions, i16::try_from(replicas).unwrap_or(i16::MAX)));
    }
    let default = |name| default(context, image, name);
    let factor = match asked.replication_factor {
        -1 => i16::try_from(default("default.replication.factor")).unwrap_or(1),
        1.. => asked.replication_factor,
        _ => {
            let range = "the replication factor must be at least 1, or -1 for the default";
            return Err(Failure::new(ResponseError::InvalidReplicationFactor, range));
        }
    };
    let partitions = match asked.num_partitions {
        -1 => i32::try_from(default("num.partitions")).unwrap_or(1),
        partitions => partitions,
    };
    Ok((partitions, factor))
}
