//! "Why throttled?": whom the brokers make wait, and by which limit.

use axum::extract::State;
use axum::response::Response;
use firn_catalog::access::Permission;
use firn_catalog::ids::ClusterId;
use firn_catalog::quota::throttle::{Limit, Throttle, Throttles};
use firn_runtime::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::quotas::EntityBody;
use super::topics::Place;
use crate::kafka;
use crate::rules::{Caller, Ids, Moment, Problem, ok};
use crate::state::Api;

/// How many clients an answer names.
const MOST: usize = 1_000;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(get_throttles))
}

/// Whom the brokers of a cluster make wait.
#[derive(Serialize, ToSchema)]
#[schema(as = Throttles)]
struct ThrottlesBody {
    /// Clients that wait, or waited in the last ten minutes: those that have waited longest first.
    throttles: Vec<ThrottleBody>,
    /// Whether there are more.
    incomplete: bool,
    /// The nodes of brokers that did not answer: what they know is missing.
    silent_brokers: Vec<i32>,
    /// Whether the cluster holds as many bytes as it may: then records are refused, not delayed.
    storage_full: bool,
}

/// A client that one broker makes wait.
#[derive(Serialize, ToSchema)]
#[schema(as = Throttle)]
struct ThrottleBody {
    /// The node of the broker.
    broker: i32,
    /// Who: `User:` and a name.
    principal: String,
    /// The client id.
    client_id: String,
    /// By which limit.
    limit: LimitBody,
    /// Whether it waits now.
    active: bool,
    /// Since when it waits again and again.
    since: Moment,
    /// Until when it was told to wait last.
    until: Moment,
    /// How much of that is left, in ms.
    #[schema(minimum = 0)]
    remaining_ms: u64,
    /// How long it has been told to wait since then, all its connections together, in ms.
    #[schema(minimum = 0)]
    total_ms: u64,
    /// How often.
    #[schema(minimum = 0)]
    times: u64,
}

/// A limit.
#[derive(Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[schema(as = ThrottleLimit)]
enum LimitBody {
    /// A client quota.
    Quota {
        /// The quota's id.
        #[schema(pattern = "^qta_[a-h][a-z2-7]{25}$")]
        quota: String,
        /// Whose it is.
        entity: EntityBody,
        /// Which, by Kafka's name.
        #[schema(value_type = String)]
        key: &'static str,
        /// How much.
        value: f64,
    },
    /// The cluster's limit of bytes of records that clients send in a second.
    Ingress {
        /// All of it.
        value: u64,
        /// What this broker has of it now.
        share: u64,
    },
    /// The cluster's limit of bytes of records that clients receive in a second.
    Egress {
        /// All of it.
        value: u64,
        /// What this broker has of it now.
        share: u64,
    },
}

impl From<&Limit> for LimitBody {
    fn from(limit: &Limit) -> Self {
        match limit {
            Limit::Quota { entity, key, value } => Self::Quota {
                quota: entity.id().public(),
                entity: EntityBody::of(entity),
                key: key.name(),
                value: *value,
            },
            Limit::Ingress { limit, share } => Self::Ingress {
                value: *limit,
                share: *share,
            },
            Limit::Egress { limit, share } => Self::Egress {
                value: *limit,
                share: *share,
            },
        }
    }
}

impl ThrottleBody {
    fn of(broker: i32, throttle: &Throttle, now: Timestamp) -> Self {
        let left = u64::try_from(throttle.until_ms.saturating_sub(now.0)).unwrap_or(0);
        Self {
            broker,
            principal: format!("User:{}", throttle.principal),
            client_id: throttle.client_id.clone(),
            limit: (&throttle.limit).into(),
            active: left > 0,
            since: Moment(Timestamp(throttle.since_ms)),
            until: Moment(Timestamp(throttle.until_ms)),
            remaining_ms: left,
            total_ms: throttle.total_ms,
            times: throttle.times,
        }
    }
}

/// Tell who is throttled
///
/// Which clients brokers make wait, by which limit, since when, and how long. Each broker delays its own clients.
#[utoipa::path(
    get, path = "/v1/clusters/{cluster}/throttles", tag = "quotas",
    responses((status = 200, body = ThrottlesBody))
)]
async fn get_throttles(
    State(api): State<Api>,
    caller: Caller,
    Ids(cluster): Ids<ClusterId>,
) -> Result<Response, Problem> {
    let place = Place::find(&api, &caller, cluster, Permission::ViewCluster).await?;
    let told = kafka::ask_all(api.kafka(), &place.delegate(), &place.image).await;
    let mut all: Vec<(i32, &Throttle)> = Vec::new();
    for Throttles { node, throttles, .. } in &told.answers {
        all.extend(throttles.iter().map(|throttle| (*node, throttle)));
    }
    all.sort_by_key(|(_, throttle)| std::cmp::Reverse(throttle.total_ms));
    let incomplete = all.len() > MOST || told.answers.iter().any(|answer| answer.incomplete);
    all.truncate(MOST);
    let now = api.env.now();
    Ok(ok(ThrottlesBody {
        throttles: all
            .into_iter()
            .map(|(broker, throttle)| ThrottleBody::of(broker, throttle, now))
            .collect(),
        incomplete,
        silent_brokers: told.missing(),
        storage_full: told.answers.iter().any(|answer| answer.storage_full),
    }))
}
