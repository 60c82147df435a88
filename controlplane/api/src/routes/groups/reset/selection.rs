//! Which partitions' offsets are set.

use std::collections::BTreeMap;

use firn_catalog::acl::Operation;
use firn_catalog::ids::PartitionId;

use super::bodies::{ResetTopic, Target};
use crate::kafka::groups::Committed;
use crate::routes::groups::behind::partition;
use crate::routes::groups::place::GroupPlace;
use crate::rules::Problem;

/// How many partitions one request sets.
const MOST: usize = 10_000;
/// How many topics it names.
const MOST_TOPICS: usize = 1_000;

/// A partition whose offset is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chosen {
    pub(super) topic: String,
    pub(super) partition: PartitionId,
    /// What is committed.
    pub(super) before: Option<i64>,
}

/// A partition, with its topic's name and its number.
type Named<'a> = ((&'a str, i32), PartitionId);

/// The partitions, in the order of topics and partitions, each once.
pub(super) fn choose(
    place: &GroupPlace<'_>,
    topics: Option<&[ResetTopic]>,
    committed: &[Committed],
    target: Target,
) -> Result<Vec<Chosen>, Problem> {
    let known: BTreeMap<(&str, i32), i64> = committed
        .iter()
        .map(|committed| ((committed.topic.as_str(), committed.partition), committed.offset))
        .collect();
    let mut chosen: BTreeMap<(&str, i32), PartitionId> = BTreeMap::new();
    match topics {
        Some(topics) if topics.len() > MOST_TOPICS || topics.is_empty() => {
            return Err(Problem::invalid("/topics", format!("must be 1 to {MOST_TOPICS}")));
        }
        Some(topics) => {
            for (at, asked) in topics.iter().enumerate() {
                chosen.extend(of_topic(place, asked, at)?);
                bounded(chosen.len())?;
            }
        }
        None => {
            let exists = |(topic, index): &(&'_ str, i32)| partition(&place.place, topic, *index);
            let all = known.keys().filter_map(|at| Some((*at, exists(at)?)));
            chosen.extend(all);
            bounded(chosen.len())?;
        }
    }
    if chosen.is_empty() {
        let reason = "nothing is committed in any topic; name those whose offsets are to be set";
        return Err(Problem::invalid("/topics", reason));
    }
    let mut seen = "";
    for (topic, _) in chosen.keys() {
        if *topic != seen {
            place.require_topic(Operation::Read, topic)?;
            seen = topic;
        }
    }
    let chosen = chosen.into_iter().map(|((topic, index), partition)| {
        let before = known.get(&(topic, index)).copied();
        if matches!(target, Target::Shift(_)) && before.is_none() {
            let reason =
                format!("nothing is committed in partition {index} of {topic} that could be shifted");
            return Err(Problem::invalid("/to", reason));
        }
        Ok(Chosen {
            topic: topic.to_owned(),
            partition,
            before,
        })
    });
    chosen.collect()
}

fn bounded(count: usize) -> Result<(), Problem> {
    match count {
        0..=MOST => Ok(()),
        _ => Err(Problem::invalid(
            "/topics",
            format!("a request sets offsets of at most {MOST} partitions"),
        )),
    }
}

fn of_topic<'a>(place: &GroupPlace<'_>, asked: &'a ResetTopic, at: usize) -> Result<Vec<Named<'a>>, Problem> {
    let name = asked.topic.as_str();
    let missing = || Problem::invalid(format!("/topics/{at}/topic"), "no such topic");
    let topic = place.place.topic(name).map_err(|_| missing())?;
    let all = i32::try_from(topic.partitions.len()).unwrap_or(i32::MAX);
    let indexes: Vec<i32> = match &asked.partitions {
        None => (0..all).take(MOST + 1).collect(),
        Some(indexes) => indexes.iter().copied().take(MOST + 1).collect(),
    };
    let one = |(place, index): (usize, i32)| match (0..all).contains(&index) {
        true => Ok((
            (name, index),
            PartitionId {
                topic: topic.id,
                index,
            },
        )),
        false => Err(Problem::invalid(
            format!("/topics/{at}/partitions/{place}"),
            format!("the topic has partitions 0 to {}", all - 1),
        )),
    };
    indexes.into_iter().enumerate().map(one).collect()
}
