//! Offsets of a group set anew.

mod bodies;
mod selection;

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::Response;
use firn_catalog::access::Permission;
use firn_catalog::acl::Operation;
use firn_catalog::audit::Details;
use firn_catalog::ids::ClusterId;
use firn_catalog::lag::positions::{AskedPosition, Position};
use serde_json::json;

use self::bodies::{ItemBody, ResetBody, ResetResult, Target};
use self::selection::{Chosen, choose};
use super::place::{GroupPlace, occupied, problem};
use crate::kafka::groups::{self, NewOffset, Positions, Unfinished};
use crate::rules::{Body, Caller, Code, Ids, Problem, Write, ok};
use crate::state::Api;

/// How many topics the trail names; of all of them it has the number.
const MOST_NAMED: usize = 50;

/// Set a group's offsets
///
/// To the beginning or end of partitions, a time, an offset, or so many records away from where it is. What lies outside of a partition is
/// brought inside. With `dry_run` it is a preview. A group that has members is refused: they would commit over it. One that there is not yet
/// begins so, if topics are named. What was done in part only, or nobody knows whether, is answered with 409 `not_all_done` and how many
/// offsets were set.
#[utoipa::path(
    post, path = "/v1/clusters/{cluster}/groups/{group}/offsets:reset", tag = "groups",
    params(("group" = String, Path, description = "Its name, percent-encoded", min_length = 1)),
    request_body = ResetBody,
    responses((status = 200, description = "They are set", body = ResetResult))
)]
pub(super) async fn reset_group_offsets(
    State(api): State<Api>,
    caller: Caller,
    write: Write,
    Ids((cluster, group)): Ids<(ClusterId, String)>,
    Body(body): Body<ResetBody>,
) -> Result<Response, Problem> {
    let target = body.to.read()?;
    let place = GroupPlace::find(&api, &caller, cluster, &group, Permission::UseCluster).await?;
    place.require(Operation::Read)?;
    match groups::describe(place.asking(&api), &group)
        .await
        .map_err(problem)?
    {
        Some(state) if state.is_occupied() => return Err(occupied()),
        // Where nobody has been yet, topics have to be named: so consumers are told where to begin.
        None if body.topics.is_none() => return Err(Problem::missing("group")),
        Some(_) | None => {}
    }
    let committed = groups::committed(place.asking(&api), &group).await;
    let chosen = choose(
        &place,
        body.topics.as_deref(),
        &committed.map_err(problem)?,
        target,
    )?;
    let items = planned(&api, &place, target, &chosen).await?;
    if !write.rehearsal {
        let offsets: Vec<NewOffset> = items.iter().map(ItemBody::new_offset).collect();
        let mut topics: BTreeMap<&str, i64> = BTreeMap::new();
        for item in &items {
            *topics.entry(item.topic()).or_default() += 1;
        }
        let named: BTreeMap<_, _> = topics.iter().take(MOST_NAMED).collect();
        let mut details = Details::new();
        details.insert("to".to_owned(), target.told());
        details.insert("partitions".to_owned(), json!(named));
        details.insert("topics".to_owned(), json!(topics.len()));
        let committing = groups::commit(place.asking(&api), &group, &offsets);
        let deed = ("reset_offsets", details);
        let done = place
            .place
            .done(&api, ("group", group.as_str()), deed, committing);
        done.await?
            .map_err(|unfinished| told(unfinished, offsets.len()))?;
    }
    Ok(ok(ResetResult { items }))
}

/// What a reset that failed is answered. If it may have set anything it is not for repeating: it would shift that twice.
fn told(unfinished: Unfinished, all: usize) -> Problem {
    let Unfinished { set, unknown, error } = unfinished;
    if set == 0 && unknown == 0 {
        return problem(error);
    }
    let unknown = match unknown {
        0 => String::new(),
        unknown => format!(", and of {unknown} it is not known"),
    };
    Problem::new(
        Code::NotAllDone,
        format!(
            "{set} of {all} offsets were set, in about the order of topics and partitions{unknown}: \
             look at the group's lag, then ask for what is missing"
        ),
    )
}

/// What becomes of each partition.
async fn planned(
    api: &Api,
    place: &GroupPlace<'_>,
    target: Target,
    chosen: &[Chosen],
) -> Result<Vec<ItemBody>, Problem> {
    let asked: Vec<_> = chosen
        .iter()
        .map(|chosen| AskedPosition {
            partition: chosen.partition,
            offset: chosen.before.unwrap_or(-1),
        })
        .collect();
    let positions = groups::positions(place.asking(api), &asked).await;
    let times = match target {
        Target::Time(time) => found(api, place, chosen, time).await?,
        _ => BTreeMap::new(),
    };
    let item = |chosen: &Chosen| {
        let position = position(&positions, chosen)?;
        let time = times.get(&(chosen.topic.as_str(), chosen.partition.index));
        let wanted = match target {
            Target::Earliest => position.log_start,
            Target::Latest => position.end,
            // Nothing is as young: all of it is passed.
            Target::Time(_) => time.copied().flatten().unwrap_or(position.end),
            Target::Offset(offset) => offset,
            Target::Shift(by) => chosen.before.unwrap_or(position.log_start).saturating_add(by),
        };
        Ok(ItemBody::of(chosen, &position, wanted))
    };
    chosen.iter().map(item).collect()
}

fn position(positions: &Positions, chosen: &Chosen) -> Result<Position, Problem> {
    let position = positions.at(chosen.partition, chosen.before.unwrap_or(-1));
    position.ok_or_else(|| {
        let (topic, index) = (&chosen.topic, chosen.partition.index);
        let detail = format!("the leader of partition {index} of {topic} does not answer now; try again");
        Problem::new(Code::Unavailable, detail).retry_after(1)
    })
}

/// The offsets at a time, by topic and partition.
async fn found<'a>(
    api: &Api,
    place: &GroupPlace<'_>,
    chosen: &'a [Chosen],
    time_ms: i64,
) -> Result<BTreeMap<(&'a str, i32), Option<i64>>, Problem> {
    let mut all = BTreeMap::new();
    for of_topic in chosen.chunk_by(|a, b| a.topic == b.topic) {
        let Some(first) = of_topic.first() else { continue };
        let topic = place.place.topic(&first.topic)?;
        let partitions: Vec<i32> = of_topic.iter().map(|chosen| chosen.partition.index).collect();
        let times = groups::times(place.asking(api), topic, &partitions, time_ms).await;
        let times = times.map_err(problem)?.into_iter();
        all.extend(times.map(|(index, offset)| ((first.topic.as_str(), index), offset)));
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kafka::KafkaError;

    fn told_of(set: usize, unknown: usize) -> (Code, String) {
        let error = KafkaError::Refused(groups::UNKNOWN_MEMBER);
        let problem = told(Unfinished { set, unknown, error }, 5_000);
        let code = problem.code();
        let body = serde_json::to_value(problem.body()).unwrap();
        (code, body["detail"].as_str().unwrap().to_owned())
    }

    #[test]
    fn a_reset_that_ends_midway_says_how_much_it_has_set() {
        let (code, detail) = told_of(2_000, 0);
        assert_eq!(code, Code::NotAllDone);
        assert!(detail.starts_with("2000 of 5000 offsets were set,"), "{detail}");
        assert!(!detail.contains("not known"), "{detail}");
        let (code, detail) = told_of(0, 2_000);
        assert_eq!(code, Code::NotAllDone);
        assert!(detail.contains("and of 2000 it is not known"), "{detail}");
        assert_eq!(
            told_of(0, 0).0,
            Code::Protected,
            "nothing is set: it may be repeated"
        );
    }
}
