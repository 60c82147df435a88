//! Config resources: topics by name, brokers by number (or "" for all of them). What the four APIs about configs share.
//!
//! The brokers have one configuration, since any of them may serve the cluster next: each shows it, and only that of all of them is changed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use firn_catalog::acl::Operation;
use firn_catalog::commands::{AlterClusterConfigs, AlterTopicConfigs, TopicRef, validate_topic_name};
use firn_catalog::ids::FeedSequence;
use firn_catalog::image::{Image, ImageTopic};
use firn_catalog::topic_config::{ConfigAlteration, ConfigSource};
use kafka_protocol::ResponseError;
use kafka_protocol::protocol::StrBytes;

use crate::errors::{self, Failure};
use crate::handlers::text;
use crate::serving::request::RequestContext;

/// Kafka's number of the resource type for topics.
pub(crate) const TOPIC: i8 = 2;
/// Kafka's number of the resource type for brokers.
pub(crate) const BROKER: i8 = 4;
/// Kafka's number of the resource type for groups.
pub(crate) const GROUP: i8 = 32;

/// How long a change of configs waits until this broker applies it.
const PATIENCE: Duration = Duration::from_secs(30);

/// Kafka's number of where a config's value comes from.
pub(crate) fn source_code(source: ConfigSource) -> i8 {
    match source {
        ConfigSource::Topic => 1,
        ConfigSource::Cluster => 3,
        ConfigSource::Broker => 4,
        ConfigSource::Default => 5,
    }
}

/// A resource that exists and that the caller may use.
pub(crate) enum ConfigResource<'i> {
    Topic(&'i Arc<ImageTopic>),
    /// The brokers of the cluster: they share one configuration.
    Brokers,
}

/// Finds a resource.
pub(crate) fn find<'i>(
    context: &RequestContext,
    image: &'i Image,
    operation: Operation,
    kind: i8,
    name: &str,
) -> Result<ConfigResource<'i>, Failure> {
    match kind {
        TOPIC => {
            context
                .authorize_topic(image, operation, name)
                .map_err(|denied| denied.failure(ResponseError::TopicAuthorizationFailed))?;
            if let Err(error) = validate_topic_name(name) {
                return Err(errors::of_command(
                    &error,
                    ResponseError::TopicAuthorizationFailed,
                ));
            }
            let unknown = || Failure::new(ResponseError::UnknownTopicOrPartition, "no such topic");
            context
                .topic_by_name(image, name)
                .map(ConfigResource::Topic)
                .ok_or_else(unknown)
        }
        BROKER => {
            context
                .authorize_cluster(image, operation)
                .map_err(|denied| denied.failure(ResponseError::ClusterAuthorizationFailed))?;
            // One name for each broker: "00" is none, or one request could ask for the same thing many times.
            let known = context.nodes(image);
            let known = known.iter().any(|node| node.id.to_string() == name);
            if name.is_empty() || known {
                Ok(ConfigResource::Brokers)
            } else {
                let unknown = format!("there is no broker '{}'", name.escape_debug());
                Err(Failure::new(ResponseError::InvalidRequest, unknown))
            }
        }
        _ => {
            if kind == GROUP {
                context
                    .authorize_group(image, operation, name)
                    .map_err(|denied| denied.failure(ResponseError::GroupAuthorizationFailed))?;
            }
            Err(Failure::new(
                ResponseError::InvalidRequest,
                format!("resource type {kind} has no configs here"),
            ))
        }
    }
}

/// A resource and how its configs are to be changed.
pub(crate) struct Alteration {
    pub(crate) kind: i8,
    pub(crate) name: String,
    pub(crate) change: Result<ConfigAlteration, Failure>,
}

/// What came of an alteration, as the responses of both APIs tell it.
pub(crate) struct Altered {
    pub(crate) kind: i8,
    pub(crate) name: StrBytes,
    pub(crate) code: i16,
    pub(crate) message: Option<StrBytes>,
}

impl Altered {
    fn new(kind: i8, name: String, failure: Option<Failure>) -> Self {
        Self {
            kind,
            name: StrBytes::from_string(name),
            code: failure.as_ref().map_or(errors::NONE, Failure::code),
            message: failure.map(|failure| text(failure.message)),
        }
    }
}

/// Changes configs, each resource for itself; answered once this broker applies them. One result for each, in order.
pub(crate) async fn alter(
    context: &RequestContext,
    alterations: Vec<Alteration>,
    validate_only: bool,
) -> Vec<Altered> {
    let mut times: BTreeMap<(i8, String), usize> = BTreeMap::new();
    for alteration in &alterations {
        *times
            .entry((alteration.kind, alteration.name.clone()))
            .or_default() += 1;
    }
    let (mut results, mut latest) = (Vec::with_capacity(alterations.len()), None);
    for Alteration { kind, name, change } in alterations {
        let twice = times.get(&(kind, name.clone())).is_some_and(|times| *times > 1);
        let outcome = match change {
            _ if twice => Err(Failure::new(
                ResponseError::InvalidRequest,
                "the request names the resource twice",
            )),
            Ok(change) => alter_one(context, kind, &name, change, validate_only).await,
            Err(failure) => find(
                context,
                &context.serving.image(),
                Operation::AlterConfigs,
                kind,
                &name,
            )
            .and(Err(failure)),
        };
        if let Ok(sequence) = &outcome {
            latest = latest.max(*sequence);
        }
        results.push(Altered::new(kind, name, outcome.err()));
    }
    context.serving.reconciled(latest, PATIENCE).await;
    results
}

async fn alter_one(
    context: &RequestContext,
    kind: i8,
    name: &str,
    alteration: ConfigAlteration,
    validate_only: bool,
) -> Result<Option<FeedSequence>, Failure> {
    let image = context.serving.image();
    let (catalog, actor, cluster) = (&context.serving.catalog, context.actor(), context.cluster());
    match find(context, &image, Operation::AlterConfigs, kind, name)? {
        ConfigResource::Topic(topic) => {
            let topic = TopicRef::Id(topic.id);
            let command = AlterTopicConfigs {
                cluster,
                topic,
                alteration,
                validate_only,
            };
            let altered = catalog.alter_topic_configs(&actor, command).await;
            altered
                .map(|committed| committed.sequence)
                .map_err(|error| errors::of_command(&error, ResponseError::TopicAuthorizationFailed))
        }
        ConfigResource::Brokers if !name.is_empty() => {
            let shared = "the brokers share one configuration: change the default of all of them";
            Err(Failure::new(ResponseError::InvalidRequest, shared))
        }
        ConfigResource::Brokers => {
            let command = AlterClusterConfigs {
                cluster,
                alteration,
                validate_only,
            };
            let altered = catalog.alter_cluster_configs(&actor, command).await;
            altered
                .map(|committed| committed.sequence)
                .map_err(|error| errors::of_command(&error, ResponseError::ClusterAuthorizationFailed))
        }
    }
}
