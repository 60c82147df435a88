//! Configs of a topic: every key, as a broker tells of it.

use axum::extract::State;
use axum::response::Response;
use firn_catalog::access::Permission;
use firn_catalog::ids::ClusterId;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::topics::Place;
use crate::kafka::{KafkaConfig, describe_configs};
use crate::rules::{Caller, Ids, Listing, Paging, Problem, ok};
use crate::state::Api;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(list_topic_configs))
}

/// A config of a topic.
#[derive(Debug, Serialize, ToSchema)]
struct TopicConfig {
    /// The key.
    name: String,
    /// The value in effect.
    value: Option<String>,
    /// What the value would be if the topic had none of its own.
    default: Option<String>,
    /// Where the value comes from.
    source: Source,
    /// What kind of value it is.
    #[serde(rename = "type")]
    kind: Kind,
    /// Whether it cannot be changed.
    read_only: bool,
    /// What it does.
    documentation: Option<String>,
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = TopicConfigSource)]
enum Source {
    /// The topic has it of its own.
    Topic,
    /// The cluster's owner has set it for all topics.
    Cluster,
    /// The operator has set it.
    Service,
    /// Nobody has set it.
    Default,
}

/// Kinds of values, in Kafka's words.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = TopicConfigType)]
enum Kind {
    Boolean,
    String,
    Int,
    Short,
    Long,
    Double,
    List,
    Class,
    Password,
    Unknown,
}

impl TopicConfig {
    fn of(config: KafkaConfig) -> Self {
        Self {
            name: config.name,
            value: config.value,
            default: config.default,
            source: match config.source {
                1 => Source::Topic,
                2 | 3 => Source::Cluster,
                4 => Source::Service,
                _ => Source::Default,
            },
            kind: match config.kind {
                1 => Kind::Boolean,
                2 => Kind::String,
                3 => Kind::Int,
                4 => Kind::Short,
                5 => Kind::Long,
                6 => Kind::Double,
                7 => Kind::List,
                8 => Kind::Class,
                9 => Kind::Password,
                _ => Kind::Unknown,
            },
            read_only: config.read_only,
            documentation: config.documentation,
        }
    }
}

/// List a topic's configs
///
/// Every key, in the order of their names. Change them with the topic.
#[utoipa::path(
    get, path = "/v1/clusters/{cluster}/topics/{topic}/configs", tag = "topics",
    params(
        ("topic" = String, Path, description = "Its name", min_length = 1, max_length = 249, pattern = "^[a-zA-Z0-9._-]+$"),
        ("page_size" = Option<i64>, Query, description = "How many items a page has at most", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "Where the page begins: next_cursor of the one before", max_length = 2000),
    ),
    responses((status = 200, body = Listing<TopicConfig>))
)]
async fn list_topic_configs(
    State(api): State<Api>,
    caller: Caller,
    Ids((cluster, name)): Ids<(ClusterId, String)>,
    paging: Paging,
) -> Result<Response, Problem> {
    let place = Place::find(&api, &caller, cluster, Permission::ViewCluster).await?;
    place.topic(&name)?;
    let mut configs = describe_configs(api.kafka(), &place.delegate(), &place.image, &name).await?;
    if let Some(after) = &paging.after {
        configs.retain(|config| config.name > *after);
    }
    Ok(ok(paging.page(
        configs,
        |config| config.name.clone(),
        TopicConfig::of,
    )))
}
