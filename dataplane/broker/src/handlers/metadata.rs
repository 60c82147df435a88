//! Metadata 0-13: brokers, and topics with their leaders. Topics that are asked for and are not there are created, where
//! `auto.create.topics.enable` and the request allow it.
//!
//! All topics: an empty list in version 0, null from 1. Ids may be asked for from 12. A topic that the caller may not
//! describe is answered 29, whether it exists or not, and so is one that is not there and that it may not create where
//! others would. A topic that is being created is answered 3, as Kafka does: clients ask again.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::sync::Arc;

use firn_catalog::acl::{Operation, ResourceName};
use firn_catalog::commands::{CommandError, CreateTopic, collision_key, validate_topic_name};
use firn_catalog::ids::{ClusterId, TopicId};
use firn_catalog::image::{Image, ImageTopic};
use firn_catalog::topic_config::ConfigMap;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use kafka_protocol::messages::{ApiKey, BrokerId, MetadataRequest, MetadataResponse, TopicName};
use tracing::debug;

use super::{text, uuid};
use crate::errors::{self, NONE};
use crate::seams::TOPIC_OPERATIONS;
use crate::serving::request::RequestContext;

pub(crate) const API: ApiKey = ApiKey::Metadata;
pub(crate) const VERSIONS: RangeInclusive<i16> = 0..=13;
const IDS_FROM: i16 = 12;

/// Topics that one request may have created; the others are answered as not there yet, and clients ask again.
const MOST_CREATED: usize = 1000;
/// Topics of one cluster that are being created at a time because somebody asked for them.
const MOST_CREATING: usize = 1_000;

/// What a request asks for, each once.
enum Asked {
    All,
    Some {
        names: Vec<String>,
        ids: Vec<TopicId>,
        invalid: bool,
    },
}

pub(crate) async fn handle(context: Arc<RequestContext>, request: MetadataRequest) -> MetadataResponse {
    let image = context.serving.image();
    let view = View {
        nodes: context.nodes(&image).iter().map(|node| node.id).collect(),
        context: &context,
        image: &image,
        operations: request.include_topic_authorized_operations,
    };
    let topics = match asked(&context, &request) {
        Asked::All => view.all(),
        Asked::Some { names, ids, invalid } => {
            let mut topics = view.named(&names, request.allow_auto_topic_creation);
            topics.extend(ids.iter().map(|id| view.by_id(*id)));
            if invalid {
                topics.push(view.failed(Some(""), ResponseError::InvalidRequest));
            }
            topics
        }
    };
    let brokers = context.nodes(&image).into_iter().map(|node| {
        let broker = MetadataResponseBroker::default().with_node_id(BrokerId(node.id));
        broker.with_host(text(node.host)).with_port(node.port)
    });
    let mut response = MetadataResponse::default()
        .with_brokers(brokers.collect())
        .with_controller_id(BrokerId(context.serving.node.0))
        .with_cluster_id(
            image
                .cluster(context.cluster())
                .map(|cluster| text(cluster.kafka_id.as_str())),
        )
        .with_topics(topics);
    if request.include_cluster_authorized_operations {
        response.cluster_authorized_operations = context.authorized_cluster(&image);
    }
    response
}

fn asked(context: &RequestContext, request: &MetadataRequest) -> Asked {
    let Some(topics) = &request.topics else {
        return Asked::All;
    };
    if topics.is_empty() && context.version == 0 {
        return Asked::All;
    }
    let (mut names, mut ids) = (BTreeMap::new(), BTreeMap::new());
    let mut invalid = false;
    for (place, topic) in topics.iter().enumerate() {
        match &topic.name {
            Some(name) if topic.topic_id.is_nil() || context.version >= IDS_FROM => {
                names.entry(name.as_str().to_owned()).or_insert(place);
            }
            None if !topic.topic_id.is_nil() && context.version >= IDS_FROM => {
                ids.entry(TopicId(topic.topic_id.as_u128())).or_insert(place);
            }
            Some(_) | None => invalid = true,
        }
    }
    Asked::Some {
        names: in_order(names),
        ids: in_order(ids),
        invalid,
    }
}

/// The keys in the order of their first places.
fn in_order<K: Ord>(places: BTreeMap<K, usize>) -> Vec<K> {
    let mut keys: Vec<_> = places.into_iter().collect();
    keys.sort_by_key(|(_, place)| *place);
    keys.into_iter().map(|(key, _)| key).collect()
}

/// The image as one request sees it.
struct View<'a> {
    context: &'a Arc<RequestContext>,
    image: &'a Image,
    nodes: BTreeSet<i32>,
    operations: bool,
}

impl View<'_> {
    fn all(&self) -> Vec<MetadataResponseTopic> {
        let described = self.image.topics_of(self.context.cluster());
        let described = described.filter(|topic| self.context.may_see(self.image, &topic.name));
        described.map(|topic| self.describe(topic)).collect()
    }

    fn named(&self, names: &[String], allow_creation: bool) -> Vec<MetadataResponseTopic> {
        let mut missing = Vec::new();
        let mut topics = Vec::with_capacity(names.len());
        for name in names {
            let seen = self
                .context
                .authorize_topic(self.image, Operation::Describe, name);
            let topic = if seen.is_err() {
                self.failed(Some(name), ResponseError::TopicAuthorizationFailed)
            } else if let Some(topic) = self.context.topic_by_name(self.image, name) {
                self.describe(topic)
            } else if validate_topic_name(name).is_err() {
                self.failed(Some(name), ResponseError::InvalidTopicException)
            } else {
                missing.push(name.clone());
                self.failed(Some(name), ResponseError::UnknownTopicOrPartition)
            };
            topics.push(topic);
        }
        let refused = self.create_missing(missing, allow_creation);
        for topic in &mut topics {
            let refusal = topic.name.as_ref().and_then(|name| refused.get(name.as_str()));
            if let Some(error) = refusal {
                topic.error_code = error.code();
            }
        }
        topics
    }

    /// Begins to create topics, where that is allowed. Returns the names that will not be: those that the caller may
    /// not create, and those that collide.
    fn create_missing(&self, missing: Vec<String>, allowed: bool) -> BTreeMap<String, ResponseError> {
        let (context, cluster) = (self.context, self.context.cluster());
        let enabled = |on: bool| on && !missing.is_empty();
        let (creates, partitions) = context.serving.with_defaults(self.image, cluster, |defaults| {
            let on = allowed && defaults.flag("auto.create.topics.enable");
            (enabled(on), defaults.number("num.partitions").unwrap_or(1))
        });
        if !creates {
            return BTreeMap::new();
        }
        let anywhere = context.allows(self.image, Operation::Create, ResourceName::Cluster);
        let (granted, denied): (Vec<_>, Vec<_>) = missing.into_iter().partition(|name| {
            let create = || context.authorize_topic(self.image, Operation::Create, name);
            anywhere || create().is_ok()
        });
        let taken = self.names_that_collide(&granted);
        let (collide, free): (Vec<_>, Vec<_>) = granted
            .into_iter()
            .partition(|name| taken.contains(&collision_key(name)));
        create_in_background(context, free, i32::try_from(partitions).unwrap_or(1));
        let refused = |names: Vec<String>, error| names.into_iter().map(move |name| (name, error));
        let denied = refused(denied, ResponseError::TopicAuthorizationFailed);
        denied
            .chain(refused(collide, ResponseError::InvalidTopicException))
            .collect()
    }

    /// The forms of existing names that one of `names` could collide with.
    fn names_that_collide(&self, names: &[String]) -> BTreeSet<String> {
        if !names.iter().any(|name| name.contains(['.', '_'])) {
            return BTreeSet::new();
        }
        let existing = self.image.topics_of(self.context.cluster());
        existing
            .filter(|topic| topic.name.contains(['.', '_']))
            .map(|topic| collision_key(&topic.name))
            .collect()
    }

    fn by_id(&self, id: TopicId) -> MetadataResponseTopic {
        match self.context.topic_by_id(self.image, id) {
            Some(topic) => {
                let seen = self
                    .context
                    .authorize_topic(self.image, Operation::Describe, &topic.name);
                match seen {
                    Ok(()) => self.describe(topic),
                    // Ids are no secret: the client learns which of those it asked for is meant.
                    Err(_) => self
                        .failed(None, ResponseError::TopicAuthorizationFailed)
                        .with_topic_id(uuid(id)),
                }
            }
            None => self
                .failed(None, ResponseError::UnknownTopicId)
                .with_topic_id(uuid(id)),
        }
    }

    fn failed(&self, name: Option<&str>, error: ResponseError) -> MetadataResponseTopic {
        let name = name.or((self.context.version < IDS_FROM).then_some(""));
        MetadataResponseTopic::default()
            .with_name(name.map(|name| TopicName(text(name))))
            .with_error_code(error.code())
    }

    fn describe(&self, topic: &ImageTopic) -> MetadataResponseTopic {
        let mut described = MetadataResponseTopic::default()
            .with_name(Some(TopicName(text(&*topic.name))))
            .with_topic_id(uuid(topic.id))
            .with_is_internal(topic.audit);
        if self.operations {
            let topic = ResourceName::Topic(&topic.name);
            described.topic_authorized_operations =
                self.context.authorized(self.image, TOPIC_OPERATIONS, topic);
        }
        let mut partitions = Vec::with_capacity(topic.partitions.len());
        for (index, leadership) in (0i32..).zip(topic.partitions.iter()) {
            let leader = self.image.broker(leadership.owner).map(|broker| broker.node.0);
            let leader = leader.filter(|leader| self.nodes.contains(leader));
            let replicas: Vec<BrokerId> = leader.into_iter().map(BrokerId).collect();
            let error = leader.map_or(ResponseError::LeaderNotAvailable.code(), |_| NONE);
            partitions.push(
                MetadataResponsePartition::default()
                    .with_error_code(error)
                    .with_partition_index(index)
                    .with_leader_id(BrokerId(leader.unwrap_or(-1)))
                    .with_leader_epoch(leadership.epoch.0)
                    .with_replica_nodes(replicas.clone())
                    .with_isr_nodes(replicas),
            );
        }
        described.with_partitions(partitions)
    }
}

/// Notes names as being created: those that are not yet, and no more than may be. Returns them.
fn claim(
    creating: &mut BTreeSet<(ClusterId, String)>,
    cluster: ClusterId,
    mut names: Vec<String>,
) -> Vec<String> {
    names.truncate(MOST_CREATED);
    let own = creating.range((cluster, String::new())..);
    let mut count = own.take_while(|(of, _)| *of == cluster).count();
    names.retain(|name| {
        let claimed = count < MOST_CREATING && creating.insert((cluster, name.clone()));
        count += usize::from(claimed);
        claimed
    });
    names
}

/// Whether the other names that were asked for would fail in the same way.
fn concerns_all(error: &CommandError) -> bool {
    !matches!(
        error,
        CommandError::TopicExists { .. }
            | CommandError::NameCollision { .. }
            | CommandError::InvalidName { .. }
    )
}

/// Whether who asked for a topic may still create it, as of now: what was asked for may wait for long.
fn may_still_create(context: &RequestContext, name: &str) -> bool {
    let image = context.serving.image();
    if context.serving.shutdown.is_cancelled() || !context.identity.holds(&image) {
        return false;
    }
    let anywhere = context.allows(&image, Operation::Create, ResourceName::Cluster);
    anywhere || context.allows(&image, Operation::Create, ResourceName::Topic(name))
}

/// Creates topics that were asked for, in a task of its own. A name that is being created already is left out, and so is one that the
/// quota of changes does not allow: nobody waits for that, since the client asks again anyway.
fn create_in_background(context: &Arc<RequestContext>, names: Vec<String>, partitions: i32) {
    let cluster = context.cluster();
    let names = claim(&mut context.serving.creating.lock(), cluster, names);
    let made = u64::try_from(partitions).unwrap_or(0);
    let (names, over): (Vec<_>, Vec<_>) = names.into_iter().partition(|_| context.may_change(made, true));
    if !over.is_empty() {
        let mut creating = context.serving.creating.lock();
        for name in over {
            creating.remove(&(cluster, name));
        }
    }
    if names.is_empty() {
        return;
    }
    let task = Arc::clone(context);
    let create = async move {
        let mut names = names.into_iter();
        for name in names.by_ref() {
            if !may_still_create(&task, &name) {
                task.serving.creating.lock().remove(&(cluster, name));
                continue;
            }
            let command = CreateTopic {
                cluster,
                name: name.clone(),
                partitions,
                configs: ConfigMap::new(),
                validate_only: false,
            };
            let created = task.serving.catalog.create_topic(&task.actor(), command).await;
            task.serving.creating.lock().remove(&(cluster, name.clone()));
            if let Err(error) = created {
                let code = errors::of_command(&error, ResponseError::TopicAuthorizationFailed).code();
                debug!(%error, code, topic = name, "a topic that was asked for is not created");
                if concerns_all(&error) {
                    break;
                }
            }
        }
        let mut creating = task.serving.creating.lock();
        for name in names {
            creating.remove(&(cluster, name));
        }
    };
    drop(context.serving.env.tasks.spawn(Box::pin(create)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_and_a_cluster_create_a_bounded_number_of_topics_at_a_time_whatever_others_do() {
        let names = |of: usize| (0..2000).map(|n| format!("t{of}-{n}")).collect::<Vec<_>>();
        let mut creating = BTreeSet::new();
        let claimed = claim(&mut creating, ClusterId(1), names(0));
        assert_eq!(claimed, names(0)[..MOST_CREATED]);
        assert_eq!(claim(&mut creating, ClusterId(1), names(0)), Vec::<String>::new());
        for round in 1..20 {
            claim(&mut creating, ClusterId(1), names(round));
        }
        assert_eq!(creating.len(), MOST_CREATING);
        for other in [0, 2] {
            assert_eq!(
                claim(&mut creating, ClusterId(other), names(0)).len(),
                MOST_CREATED
            );
        }
        assert_eq!(
            claim(&mut creating, ClusterId(1), names(30)),
            Vec::<String>::new()
        );
    }

    #[test]
    fn what_one_name_does_wrong_does_not_stop_the_others() {
        let name = || "t".to_owned();
        assert!(!concerns_all(&CommandError::TopicExists { name: name() }));
        let which = "topics";
        assert!(concerns_all(&CommandError::LimitExceeded { which, limit: 1 }));
        assert!(concerns_all(&CommandError::NotAuthorized));
    }
}
