//! Consumer groups of a cluster. All of it is asked of the brokers, for the caller as a user of the cluster.
//!
//! | module | what is in it |
//! |---|---|
//! | `place` | a group as its caller may see it, and what becomes of brokers' errors |
//! | `bodies` | groups as bodies show them |
//! | `listing` | the groups of a cluster |
//! | `behind` | how far groups are behind |
//! | `lag` | the lag of one group, partition by partition |
//! | `history` | how it was |
//! | `reset` | offsets set anew |
//! | `of_topic` | the groups that consume a topic |

mod behind;
mod bodies;
mod history;
mod lag;
mod listing;
mod of_topic;
mod place;
mod reset;

use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use firn_catalog::access::Permission;
use firn_catalog::acl::Operation;
use firn_catalog::audit::Details;
use firn_catalog::ids::ClusterId;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::bodies::GroupDetail;
use self::place::{GroupPlace, occupied};
use crate::kafka::groups;
use crate::rules::{Caller, Ids, Problem, Write, deleted, ok, query};
use crate::state::Api;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(listing::list_groups))
        .routes(routes!(get_group, delete_group))
        .routes(routes!(delete_group_offsets))
        .routes(routes!(reset::reset_group_offsets))
        .routes(routes!(lag::get_group_lag))
        .routes(routes!(history::get_group_lag_history))
        .routes(routes!(of_topic::list_topic_groups))
}

/// Get a consumer group
///
/// With its members and their assignments.
#[utoipa::path(
    get, path = "/v1/clusters/{cluster}/groups/{group}", tag = "groups",
    params(("group" = String, Path, description = "Its name, percent-encoded", min_length = 1)),
    responses((status = 200, body = GroupDetail))
)]
async fn get_group(
    State(api): State<Api>,
    caller: Caller,
    Ids((cluster, group)): Ids<(ClusterId, String)>,
) -> Result<Response, Problem> {
    let place = GroupPlace::find(&api, &caller, cluster, &group, Permission::ViewCluster).await?;
    let asking = place.asking(&api);
    let coordinator = groups::coordinator(asking, &group).await;
    let state = place.described(&api).await?;
    let node = coordinator.ok().map(|coordinator| coordinator.node);
    Ok(ok(GroupDetail::of(&place.place, state, node)))
}

/// Delete a consumer group
///
/// With all its committed offsets. A group that has members is refused: stop them first.
#[utoipa::path(
    delete, path = "/v1/clusters/{cluster}/groups/{group}", tag = "groups",
    params(("group" = String, Path, description = "Its name, percent-encoded", min_length = 1)),
    responses((status = 204, description = "It is gone"))
)]
async fn delete_group(
    State(api): State<Api>,
    caller: Caller,
    write: Write,
    Ids((cluster, group)): Ids<(ClusterId, String)>,
) -> Result<Response, Problem> {
    let place = GroupPlace::find(&api, &caller, cluster, &group, Permission::UseCluster).await?;
    place.require(Operation::Delete)?;
    let state = place.described(&api).await?;
    if state.is_occupied() {
        return Err(occupied());
    }
    if write.rehearsal {
        return Ok(deleted());
    }
    let done = groups::delete(place.asking(&api), &group);
    place.done(&api, "delete_group", Details::new(), done).await?;
    Ok(deleted())
}

/// Forget a group's offsets in a topic
///
/// Its consumers begin there as if they had never been. Refused while members of the group subscribe to the topic.
#[utoipa::path(
    delete, path = "/v1/clusters/{cluster}/groups/{group}/offsets", tag = "groups",
    params(
        ("group" = String, Path, description = "Its name, percent-encoded", min_length = 1),
        ("topic" = String, Query, description = "The topic", min_length = 1, max_length = 249),
    ),
    responses((status = 204, description = "They are forgotten"))
)]
async fn delete_group_offsets(
    State(api): State<Api>,
    caller: Caller,
    write: Write,
    Ids((cluster, group)): Ids<(ClusterId, String)>,
    uri: Uri,
) -> Result<Response, Problem> {
    let topic = query::value(&uri, "topic").unwrap_or_default();
    if topic.is_empty() {
        return Err(Problem::bad_request("topic must name the topic whose offsets go"));
    }
    let place = GroupPlace::find(&api, &caller, cluster, &group, Permission::UseCluster).await?;
    place.require(Operation::Delete)?;
    place.place.topic(&topic)?;
    place.require_topic(Operation::Read, &topic)?;
    let state = place.described(&api).await?;
    let committed = groups::committed(place.asking(&api), &group).await;
    let committed = committed.map_err(place::problem)?;
    let partitions: Vec<i32> = committed
        .iter()
        .filter(|committed| committed.topic == topic)
        .map(|committed| committed.partition)
        .collect();
    if partitions.is_empty() {
        return Err(Problem::missing("committed offset"));
    }
    if state.subscribes_to(&topic) {
        return Err(place::subscribed());
    }
    if write.rehearsal {
        return Ok(deleted());
    }
    let mut details = Details::new();
    details.insert("topic".to_owned(), topic.as_str().into());
    details.insert("partitions".to_owned(), partitions.len().into());
    let done = groups::forget(place.asking(&api), &group, &topic, &partitions);
    place.done(&api, "delete_offsets", details, done).await?;
    Ok(deleted())
}
