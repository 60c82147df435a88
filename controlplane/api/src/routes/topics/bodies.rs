//! Topics as bodies show them.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use firn_catalog::commands::{CreateTopic, topic_version};
use firn_catalog::entities::Topic;
use firn_catalog::ids::TopicId;
use firn_catalog::image::ImageTopic;
use firn_catalog::topic_config::{ConfigAlteration, ConfigOp, ConfigOpKind};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Place;
use crate::rules::Moment;

/// The broker config that says how many partitions a topic gets that does not say it.
const NUM_PARTITIONS: &str = "num.partitions";

/// A topic.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Topic)]
pub(in crate::routes) struct TopicBody {
    /// Its name, which means something in its cluster only.
    name: String,
    /// Its id, as Kafka's tools show it.
    topic_id: String,
    /// The cluster.
    cluster: String,
    /// How many partitions it has.
    #[schema(minimum = 1)]
    partitions: i64,
    /// The configs that it has of its own.
    configs: BTreeMap<String, String>,
    /// When it was made.
    created_at: Moment,
}

fn kafka_id(id: TopicId) -> String {
    URL_SAFE_NO_PAD.encode(id.0.to_be_bytes())
}

/// Its version, for ETags.
pub(super) fn version(topic: &ImageTopic) -> i64 {
    topic_version(topic.id, topic.partitions.len(), &topic.configs)
}

impl TopicBody {
    pub(super) fn of_image(topic: &ImageTopic) -> Self {
        Self {
            name: topic.name.to_string(),
            topic_id: kafka_id(topic.id),
            cluster: topic.cluster.public(),
            partitions: i64::try_from(topic.partitions.len()).unwrap_or(i64::MAX),
            configs: topic
                .configs
                .iter()
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect(),
            created_at: Moment(topic.created_at),
        }
    }

    pub(in crate::routes) fn of_row(topic: &Topic) -> Self {
        Self {
            name: topic.name.clone(),
            topic_id: kafka_id(topic.id),
            cluster: topic.cluster.public(),
            partitions: i64::from(topic.partitions),
            configs: topic
                .configs
                .iter()
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect(),
            created_at: Moment(topic.created_at),
        }
    }
}

/// A topic to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewTopic)]
pub(in crate::routes) struct NewTopicBody {
    /// Its name.
    #[schema(min_length = 1, max_length = 249, pattern = "^[a-zA-Z0-9._-]+$")]
    pub(in crate::routes) name: String,
    /// How many partitions it gets; as many as the cluster's `num.partitions` says if it is not given.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 100_000)]
    partitions: Option<i32>,
    /// Configs of its own.
    #[serde(default)]
    #[schema(required = false)]
    configs: BTreeMap<String, String>,
}

impl NewTopicBody {
    pub(in crate::routes) fn command(self, place: &Place, validate_only: bool) -> CreateTopic {
        let usual = || {
            let cluster = place.image.cluster(place.cluster)?;
            cluster.configs.get(NUM_PARTITIONS)?.parse().ok()
        };
        CreateTopic {
            cluster: place.cluster,
            name: self.name,
            partitions: self.partitions.or_else(usual).unwrap_or(1),
            configs: self.configs.into_iter().collect(),
            validate_only,
        }
    }
}

/// A change of a topic. What is not named stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TopicChange)]
pub(super) struct TopicChangeBody {
    /// How many partitions it shall have: as many as it has, or more.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 100_000)]
    pub(super) partitions: Option<i32>,
    /// Configs by name: a value of its own, or null for what is usual.
    #[serde(default)]
    #[schema(required = false)]
    configs: BTreeMap<String, Option<String>>,
}

impl TopicChangeBody {
    pub(super) fn alteration(self) -> Option<ConfigAlteration> {
        if self.configs.is_empty() {
            return None;
        }
        let op = |(key, value): (String, Option<String>)| ConfigOp {
            key,
            kind: if value.is_some() {
                ConfigOpKind::Set
            } else {
                ConfigOpKind::Delete
            },
            value,
        };
        Some(ConfigAlteration::Incremental(
            self.configs.into_iter().map(op).collect(),
        ))
    }
}
