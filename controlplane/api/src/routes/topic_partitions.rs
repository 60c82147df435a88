//! Partitions of a topic, as their leaders tell of them.

use axum::extract::State;
use axum::response::Response;
use firn_catalog::access::Permission;
use firn_catalog::ids::ClusterId;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::topics::Place;
use crate::kafka::partition_states;
use crate::rules::{Caller, Ids, Listing, Paging, Problem, ok};
use crate::state::Api;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(list_partitions))
}

/// A partition. What its leader does not tell, since it has just changed, is null.
#[derive(Debug, Serialize, ToSchema)]
struct Partition {
    /// Its number.
    #[schema(minimum = 0)]
    partition: i32,
    /// The node that leads it.
    leader: Option<i32>,
    /// How often its leadership has changed hands.
    #[schema(minimum = 0)]
    leader_epoch: i32,
    /// The first offset that may be read.
    log_start: Option<i64>,
    /// The end of what may be read.
    high_watermark: Option<i64>,
    /// The first offset that is not in objects yet.
    local_start: Option<i64>,
    /// The end of what is in objects; null if nothing is.
    tiered_end: Option<i64>,
    /// Bytes of its records, as they are stored.
    size_bytes: Option<i64>,
}

/// List a topic's partitions
///
/// With leader, offsets, tiers and sizes.
#[utoipa::path(
    get, path = "/v1/clusters/{cluster}/topics/{topic}/partitions", tag = "topics",
    params(
        ("topic" = String, Path, description = "Its name", min_length = 1, max_length = 249, pattern = "^[a-zA-Z0-9._-]+$"),
        ("page_size" = Option<i64>, Query, description = "How many items a page has at most", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "Where the page begins: next_cursor of the one before", max_length = 2000),
    ),
    responses((status = 200, body = Listing<Partition>))
)]
async fn list_partitions(
    State(api): State<Api>,
    caller: Caller,
    Ids((cluster, name)): Ids<(ClusterId, String)>,
    paging: Paging,
) -> Result<Response, Problem> {
    let place = Place::find(&api, &caller, cluster, Permission::ViewCluster).await?;
    let topic = place.topic(&name)?;
    let after = paging.after.as_deref().map(str::parse::<usize>).transpose();
    let first = after
        .map_err(|_| Problem::internal())?
        .map_or(0, |after| after + 1);
    let most = usize::try_from(paging.rows()).unwrap_or(usize::MAX);
    let numbers = (0_i32..).zip(topic.partitions.iter()).skip(first).take(most);
    let rows: Vec<_> = numbers.collect();
    let shown = rows.len().min(most - 1);
    let asked: Vec<i32> = rows[..shown].iter().map(|(number, _)| *number).collect();
    let states = partition_states(api.kafka(), &place.delegate(), &place.image, topic, &asked).await?;
    let show = |(number, leader): (i32, &firn_catalog::image::Leadership)| {
        let state = states.get(&number).copied().unwrap_or_default();
        Partition {
            partition: number,
            leader: place.image.broker(leader.owner).map(|broker| broker.node.0),
            leader_epoch: leader.epoch.0,
            log_start: state.log_start,
            high_watermark: state.high_watermark,
            local_start: state.local_start,
            tiered_end: state.tiered_end,
            size_bytes: state.size_bytes,
        }
    };
    Ok(ok(paging.page(rows, |(number, _)| number.to_string(), show)))
}
