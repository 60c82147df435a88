//! The groups that consume a topic.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use firn_catalog::access::Permission;
use firn_catalog::ids::ClusterId;
use serde::Serialize;
use utoipa::ToSchema;

use super::behind::{Behind, Known, asked, sum};
use super::bodies::StateBody;
use super::listing::{Placed, after};
use crate::kafka::groups::{self, Asking, Committed, ListedGroup};
use crate::routes::topics::Place;
use crate::rules::{Caller, Ids, Paging, Problem, ok};
use crate::state::Api;

/// How many groups are asked at a time, and in all.
const AT_A_TIME: usize = 100;
const MOST: usize = 2_000;

/// The groups that consume a topic, a page of them.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TopicGroupListing)]
pub(super) struct ListingBody {
    /// What is on this page.
    items: Vec<TopicGroup>,
    /// Where the next page begins: pass it as `cursor`. None on the last one.
    next_cursor: Option<String>,
    /// Whether some groups were not looked at: their brokers do not answer, or there are too many.
    incomplete: bool,
}

/// A group that consumes a topic: it has committed offsets there, or a member has some of its partitions.
#[derive(Debug, Serialize, ToSchema)]
struct TopicGroup {
    /// Its name.
    group: String,
    /// Where it stands.
    state: StateBody,
    /// How many members have partitions of the topic.
    #[schema(minimum = 0)]
    members: usize,
    /// Records of the topic that it has not passed; null if it has committed nothing, or a leader does not answer.
    #[schema(minimum = 0)]
    lag_records: Option<i64>,
    /// How old the oldest of them is, in seconds, if that is known.
    #[schema(minimum = 0)]
    lag_seconds: Option<f64>,
}

/// A group that was found.
struct Found {
    placed: Placed,
    state: StateBody,
    members: usize,
    committed: Vec<Committed>,
}

/// List a topic's consumer groups
///
/// Those that have committed offsets in it, or whose members have some of its partitions.
#[utoipa::path(
    get, path = "/v1/clusters/{cluster}/topics/{topic}/groups", tag = "groups",
    params(
        ("topic" = String, Path, description = "Its name", min_length = 1, max_length = 249, pattern = "^[a-zA-Z0-9._-]+$"),
        ("page_size" = Option<i64>, Query, description = "How many items a page has at most", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "Where the page begins: next_cursor of the one before", max_length = 2000),
    ),
    responses((status = 200, body = ListingBody))
)]
pub(super) async fn list_topic_groups(
    State(api): State<Api>,
    caller: Caller,
    Ids((cluster, name)): Ids<(ClusterId, String)>,
    paging: Paging,
) -> Result<Response, Problem> {
    let place = Place::find(&api, &caller, cluster, Permission::ViewCluster).await?;
    let topic = place.topic(&name)?.name.to_string();
    let (delegate, image) = (place.delegate(), Arc::clone(&place.image));
    let asking = Asking {
        pool: api.kafka(),
        delegate: &delegate,
        image: &image,
    };
    let told = groups::list(asking, &[]).await;
    let mut rest = after(told.groups, paging.after.as_deref())?;
    let incomplete = rest.len() > MOST || !told.silent.is_empty();
    rest.truncate(MOST);
    let wanted = usize::try_from(paging.rows()).unwrap_or(usize::MAX);
    let mut found: Vec<Found> = Vec::new();
    while !rest.is_empty() && found.len() < wanted {
        let later = rest.split_off(rest.len().min(AT_A_TIME));
        found.extend(consuming(asking, rest, &topic).await);
        rest = later;
    }
    found.truncate(wanted);
    // Tens of thousands of offsets keep no other request waiting.
    let (place, found, wanted) = firn_runtime::blocking(&*api.env.tasks, move || {
        let wanted = asked(&place, found.iter().flat_map(|found| &found.committed));
        (place, found, wanted)
    })
    .await;
    let positions = groups::positions(asking, &wanted).await;
    let now = api.env.now();
    let page = move || {
        paging.page(
            found,
            |found| found.placed.position(),
            |found| {
                let behind: Behind = sum(&place, &positions, &found.committed, now);
                TopicGroup {
                    group: found.placed.group.name,
                    state: found.state,
                    members: found.members,
                    lag_records: behind.records(),
                    lag_seconds: behind.seconds(),
                }
            },
        )
    };
    let page = firn_runtime::blocking(&*api.env.tasks, page).await;
    Ok(ok(ListingBody {
        items: page.items,
        next_cursor: page.next_cursor,
        incomplete,
    }))
}

/// Those of these groups that consume the topic.
async fn consuming(asking: Asking<'_>, some: Vec<Placed>, topic: &str) -> Vec<Found> {
    let listed: Vec<&ListedGroup> = some.iter().map(|placed| &placed.group).collect();
    let mut known = Known::of(asking, &listed, true).await;
    let found = some.into_iter().filter_map(|placed| {
        let name = &placed.group.name;
        let state = known.states.get(name);
        let members = state.map_or(0, |state| {
            let members = state.members.iter();
            members
                .filter(|member| member.assignment.contains_key(topic))
                .count()
        });
        let kafka = state.map_or(&placed.group.state, |state| &state.state);
        let state = StateBody::of_kafka(kafka);
        let mut committed = known.committed.remove(name).unwrap_or_default();
        committed.retain(|committed| committed.topic == topic);
        (members > 0 || !committed.is_empty()).then_some(Found {
            placed,
            state,
            members,
            committed,
        })
    });
    found.collect()
}
