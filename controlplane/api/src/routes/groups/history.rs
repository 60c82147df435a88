//! How far a group was behind: what its coordinator wrote down minute by minute.

use axum::extract::State;
use axum::response::Response;
use firn_catalog::access::Permission;
use firn_catalog::ids::ClusterId;
use firn_catalog::lag::{KEPT_MINUTES, LagPoint, LagQuery};
use firn_runtime::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::behind::seconds;
use super::place::GroupPlace;
use crate::rules::{Caller, Ids, Moment, Problem, Query, ok};
use crate::state::Api;

const MINUTE_MS: i64 = 60_000;
/// How long ago a history begins that does not say it, in minutes.
const USUAL_MINUTES: i64 = 24 * 60;
/// How long a step of a history is, in minutes: the shortest with which it has no more than so many of them.
const STEPS: [i64; 7] = [1, 2, 5, 10, 20, 30, 60];
const MOST_STEPS: i64 = 750;
/// How many points an answer has.
const MOST_POINTS: usize = 20_000;

/// How far a group was behind.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = GroupLagHistory)]
pub(super) struct HistoryBody {
    /// How long the time is that a point stands for, in seconds; its largest lag counts.
    #[schema(minimum = 60)]
    step_seconds: i64,
    /// In the order of topics and times. Where there is none, the group was not looked at.
    points: Vec<PointBody>,
    /// Whether these are all.
    complete: bool,
}

/// How far a group was behind in a topic.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = GroupLagPoint)]
struct PointBody {
    /// When the time begins.
    time: Moment,
    /// The topic's name.
    topic: String,
    /// Records that it had not passed.
    #[schema(minimum = 0)]
    lag_records: i64,
    /// How old the oldest of them was, in seconds; null if that was not known.
    #[schema(minimum = 0)]
    lag_seconds: Option<f64>,
}

impl From<LagPoint> for PointBody {
    fn from(point: LagPoint) -> Self {
        Self {
            time: Moment(Timestamp(point.minute.saturating_mul(MINUTE_MS))),
            topic: point.topic,
            lag_records: point.lag_records,
            lag_seconds: point.lag_ms.map(seconds),
        }
    }
}

/// The minutes from and to, and how many one step has.
fn span(from: Option<Moment>, to: Option<Moment>, now: Timestamp) -> Result<(i64, i64, i64), Problem> {
    let to = to.map_or(now, |to| to.0).0.min(now.0.saturating_add(MINUTE_MS));
    let from = from.map_or(to - USUAL_MINUTES * MINUTE_MS, |from| from.0.0);
    if from >= to {
        return Err(Problem::bad_request(
            "from must be before to, and not in the future",
        ));
    }
    // What is older is not kept.
    let from = from.max(now.0 - (KEPT_MINUTES + 60) * MINUTE_MS);
    let (from, to) = (from.div_euclid(MINUTE_MS), (to - 1).div_euclid(MINUTE_MS) + 1);
    let step = STEPS.into_iter().find(|step| (to - from) / step <= MOST_STEPS);
    Ok((from, to, step.unwrap_or(60)))
}

/// Tell how far a group was behind
///
/// As its coordinator saw it, once a minute; after six hours of ten minutes one is kept, and after seven days none.
#[utoipa::path(
    get, path = "/v1/clusters/{cluster}/groups/{group}/lag/history", tag = "groups",
    params(
        ("group" = String, Path, description = "Its name, percent-encoded", min_length = 1),
        ("topic" = Option<String>, Query, description = "Only in this topic", max_length = 249),
        ("from" = Option<String>, Query, description = "From when on: a day before `to` if it is not given", format = "date-time"),
        ("to" = Option<String>, Query, description = "Until when: now if it is not given", format = "date-time"),
    ),
    responses((status = 200, body = HistoryBody))
)]
pub(super) async fn get_group_lag_history(
    State(api): State<Api>,
    caller: Caller,
    Ids((cluster, group)): Ids<(ClusterId, String)>,
    query: Query,
) -> Result<Response, Problem> {
    let (from, to, step) = span(query.moment("from")?, query.moment("to")?, api.env.now())?;
    let topic = query.text("topic")?.map(str::to_owned);
    let place = GroupPlace::find(&api, &caller, cluster, &group, Permission::ViewCluster).await?;
    let asked = LagQuery {
        cluster,
        group: group.clone(),
        topic,
        from,
        to,
        step,
        limit: i64::try_from(MOST_POINTS).unwrap_or(i64::MAX) + 1,
    };
    let mut points = api.catalog.lag_history(&asked).await?;
    if points.is_empty() {
        // There may be none yet of a group that is there.
        place.described(&api).await?;
    }
    let complete = points.len() <= MOST_POINTS;
    points.truncate(MOST_POINTS);
    points.retain(|point| place.place.may_see(&point.topic));
    Ok(ok(HistoryBody {
        step_seconds: step * 60,
        points: points.into_iter().map(PointBody::from).collect(),
        complete,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_has_steps_that_suit_its_length() {
        let now = Timestamp(30_000_000 * MINUTE_MS);
        let ago = |minutes: i64| Some(Moment(Timestamp(now.0 - minutes * MINUTE_MS)));
        let of = |from, to| span(from, to, now).unwrap();
        assert_eq!(of(ago(60), None), (29_999_940, 30_000_000, 1));
        assert_eq!(of(None, None), (29_998_560, 30_000_000, 2));
        assert_eq!(of(ago(7 * 24 * 60), None).2, 20);
        assert_eq!(
            of(ago(i64::MAX / MINUTE_MS / 4), None).2,
            20,
            "no older than it is kept"
        );
        assert!(span(ago(5), ago(5), now).is_err() && span(ago(-500), None, now).is_err());
    }
}
