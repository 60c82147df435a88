//! The lag of one group, partition by partition.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::Response;
use firn_catalog::access::Permission;
use firn_catalog::ids::ClusterId;
use firn_catalog::lag::positions::{AskedPosition, Position};
use firn_runtime::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::behind::{Behind, partition, seconds};
use super::place::{GroupPlace, problem};
use crate::kafka::groups::{self, Committed, GroupState};
use crate::rules::{Caller, Ids, Problem, Query, ok};
use crate::state::Api;

/// How many partitions an answer shows.
const MOST: usize = 10_000;
/// The offset of who has committed none.
const NONE: i64 = -1;

/// How far a group is behind.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct GroupLag {
    /// Records that it has not passed, in all partitions whose leaders tell.
    #[schema(minimum = 0)]
    lag_records: i64,
    /// How old the oldest of them is, in seconds; null if that is not known. 0 if there is none.
    #[schema(minimum = 0)]
    lag_seconds: Option<f64>,
    /// Whether all leaders have told, and all partitions are here.
    complete: bool,
    /// What is committed or assigned, in the order of topics and partitions.
    partitions: Vec<PartitionLag>,
}

/// How far a group is behind in a partition.
#[derive(Debug, Serialize, ToSchema)]
struct PartitionLag {
    /// The topic's name.
    topic: String,
    /// The partition.
    #[schema(minimum = 0)]
    partition: i32,
    /// The next record that it consumes; null if it has committed none.
    committed: Option<i64>,
    /// What it said with it.
    metadata: String,
    /// The first offset that may be read.
    log_start: Option<i64>,
    /// The end of what may be read.
    end: Option<i64>,
    /// Records that it has not passed. What retention has taken does not count.
    #[schema(minimum = 0)]
    lag_records: Option<i64>,
    /// How old the first of them is, in seconds: by its timestamp, as near as the leader knows it without reading it.
    #[schema(minimum = 0)]
    lag_seconds: Option<f64>,
    /// The member that consumes it.
    member_id: Option<String>,
    /// Why it is not known, if it is not.
    error: Option<&'static str>,
}

/// A partition, before its leader has told.
struct Row<'a> {
    committed: Option<&'a Committed>,
    member: Option<&'a str>,
}

fn rows<'a>(
    state: &'a GroupState,
    committed: &'a [Committed],
    topic: Option<&str>,
) -> BTreeMap<(&'a str, i32), Row<'a>> {
    let mut rows: BTreeMap<(&str, i32), Row<'_>> = BTreeMap::new();
    for committed in committed {
        let row = Row {
            committed: Some(committed),
            member: None,
        };
        rows.insert((&committed.topic, committed.partition), row);
    }
    for member in &state.members {
        for (topic, partitions) in &member.assignment {
            for partition in partitions {
                let row = rows.entry((topic, *partition)).or_insert(Row {
                    committed: None,
                    member: None,
                });
                row.member = Some(&member.id);
            }
        }
    }
    rows.retain(|(of, _), _| topic.is_none_or(|topic| topic == *of));
    rows
}

fn show(
    (topic, partition): (&str, i32),
    row: &Row<'_>,
    position: Option<Position>,
    now: Timestamp,
) -> PartitionLag {
    let offset = row.committed.map(|committed| committed.offset);
    let of_both = position.zip(offset);
    PartitionLag {
        topic: topic.to_owned(),
        partition,
        committed: offset,
        metadata: row
            .committed
            .map(|committed| committed.metadata.clone())
            .unwrap_or_default(),
        log_start: position.map(|position| position.log_start),
        end: position.map(|position| position.end),
        lag_records: of_both.map(|(position, offset)| position.lag(offset)),
        lag_seconds: of_both
            .and_then(|(position, offset)| position.lag_ms(offset, now.0))
            .map(seconds),
        member_id: row.member.map(str::to_owned),
        error: position
            .is_none()
            .then_some("the partition's leader does not answer now"),
    }
}

/// Tell how far a group is behind
///
/// In records and in time, partition by partition. A leader that does not answer hides its own partitions only.
#[utoipa::path(
    get, path = "/v1/clusters/{cluster}/groups/{group}/lag", tag = "groups",
    params(
        ("group" = String, Path, description = "Its name, percent-encoded", min_length = 1),
        ("topic" = Option<String>, Query, description = "Only in this topic", max_length = 249),
    ),
    responses((status = 200, body = GroupLag))
)]
pub(super) async fn get_group_lag(
    State(api): State<Api>,
    caller: Caller,
    Ids((cluster, group)): Ids<(ClusterId, String)>,
    query: Query,
) -> Result<Response, Problem> {
    let topic = query.text("topic")?;
    let place = GroupPlace::find(&api, &caller, cluster, &group, Permission::ViewCluster).await?;
    let state = place.described(&api).await?;
    let committed = groups::committed(place.asking(&api), &group).await;
    let committed = committed.map_err(problem)?;
    let rows = rows(&state, &committed, topic);
    // Topics that are gone, or not the caller's to see, have no partition.
    let mut known: Vec<_> = rows
        .into_iter()
        .filter_map(|(at, row)| Some((at, row, partition(&place.place, at.0, at.1)?)))
        .collect();
    let whole = known.len() <= MOST;
    known.truncate(MOST);
    let offset = |row: &Row<'_>| row.committed.map_or(NONE, |committed| committed.offset);
    let asked: Vec<_> = known
        .iter()
        .map(|(_, row, partition)| AskedPosition {
            partition: *partition,
            offset: offset(row),
        })
        .collect();
    let positions = groups::positions(place.asking(&api), &asked).await;
    let (now, mut behind) = (api.env.now(), Behind::default());
    let mut partitions = Vec::with_capacity(known.len());
    for (at, row, partition) in &known {
        let (position, offset) = (positions.at(*partition, offset(row)), offset(row));
        match row.committed {
            Some(_) => behind.add(position.map(|at| (at.lag(offset), at.lag_ms(offset, now.0)))),
            None if position.is_none() => behind.add(None),
            None => {}
        }
        partitions.push(show(*at, row, position, now));
    }
    Ok(ok(GroupLag {
        lag_records: behind.known_records(),
        lag_seconds: behind.seconds(),
        complete: behind.complete && whole,
        partitions,
    }))
}
