//! How far groups are behind.

use std::collections::BTreeMap;

use firn_catalog::ids::PartitionId;
use firn_catalog::lag::positions::AskedPosition;
use firn_runtime::Timestamp;

use crate::kafka::groups::{self, Asking, Committed, GroupState, ListedGroup, Positions};
use crate::routes::topics::Place;

/// How many partitions' ends one request asks for. What is beyond counts as not known.
pub(super) const MOST_POSITIONS: usize = 50_000;

/// How far a group is behind, in some of its partitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Behind {
    records: i64,
    /// `None`: of some record that was not passed it is not known.
    ms: Option<i64>,
    /// Whether the leaders of all partitions have told.
    pub(super) complete: bool,
    partitions: usize,
}

impl Default for Behind {
    fn default() -> Self {
        Self {
            records: 0,
            ms: Some(0),
            complete: true,
            partitions: 0,
        }
    }
}

impl Behind {
    /// One partition more: records that were not passed, and the age of the oldest; `None`: its leader does not tell.
    pub(super) fn add(&mut self, told: Option<(i64, Option<i64>)>) {
        self.partitions += 1;
        match told {
            Some((records, ms)) => {
                self.records = self.records.saturating_add(records);
                self.ms = match (self.ms, ms) {
                    (Some(oldest), Some(ms)) => Some(oldest.max(ms)),
                    _ => None,
                };
            }
            None => self.complete = false,
        }
    }

    /// Records, if all of it is known.
    pub(super) fn records(&self) -> Option<i64> {
        (self.complete && self.partitions > 0).then_some(self.records)
    }

    /// Records in the partitions that are known.
    pub(super) fn known_records(&self) -> i64 {
        self.records
    }

    /// The age of the oldest of these records, in seconds.
    pub(super) fn seconds(&self) -> Option<f64> {
        self.ms
            .filter(|_| self.complete && self.partitions > 0)
            .map(seconds)
    }
}

/// Milliseconds as seconds.
pub(super) fn seconds(ms: i64) -> f64 {
    ms as f64 / 1_000.0
}

/// A partition of a topic that the caller may see; `None`: there is none.
pub(super) fn partition(place: &Place, topic: &str, index: i32) -> Option<PartitionId> {
    let found = place.image.topic_by_name(place.cluster, topic)?;
    let exists = usize::try_from(index).is_ok_and(|index| index < found.partitions.len());
    (exists && place.may_see(topic)).then_some(PartitionId {
        topic: found.id,
        index,
    })
}

/// What leaders have to tell of these offsets.
pub(super) fn asked<'a>(
    place: &Place,
    committed: impl IntoIterator<Item = &'a Committed>,
) -> Vec<AskedPosition> {
    let asked = committed.into_iter().filter_map(|committed| {
        let partition = partition(place, &committed.topic, committed.partition)?;
        let offset = committed.offset;
        Some(AskedPosition { partition, offset })
    });
    asked.take(MOST_POSITIONS).collect()
}

/// How far behind somebody is with these offsets. Topics that are gone do not count.
pub(super) fn sum<'a>(
    place: &Place,
    positions: &Positions,
    committed: impl IntoIterator<Item = &'a Committed>,
    now: Timestamp,
) -> Behind {
    let mut behind = Behind::default();
    for committed in committed {
        let Some(partition) = partition(place, &committed.topic, committed.partition) else {
            continue;
        };
        let offset = committed.offset;
        let position = positions.at(partition, offset);
        behind.add(position.map(|at| (at.lag(offset), at.lag_ms(offset, now.0))));
    }
    behind
}

/// What is known of several groups.
#[derive(Default)]
pub(super) struct Known {
    pub(super) states: BTreeMap<String, GroupState>,
    pub(super) committed: BTreeMap<String, Vec<Committed>>,
}

impl Known {
    /// Asks the coordinators of these groups, one after the other; what one does not tell is missing.
    pub(super) async fn of(asking: Asking<'_>, listed: &[&ListedGroup], with_offsets: bool) -> Self {
        let mut by_coordinator: BTreeMap<i32, Vec<&ListedGroup>> = BTreeMap::new();
        for group in listed {
            by_coordinator
                .entry(group.coordinator.node)
                .or_default()
                .push(group);
        }
        let mut known = Self::default();
        for groups in by_coordinator.values() {
            let Some(coordinator) = groups.first().map(|group| &group.coordinator) else {
                continue;
            };
            let names: Vec<&str> = groups.iter().map(|group| group.name.as_str()).collect();
            match groups::describe_at(asking, coordinator, &names).await {
                Ok(states) => {
                    let named = states.into_iter().map(|state| (state.name.clone(), state));
                    known.states.extend(named);
                }
                Err(error) => tracing::debug!(%error, "groups cannot be described now"),
            }
            if !with_offsets {
                continue;
            }
            match groups::committed_at(asking, coordinator, &names).await {
                Ok(committed) => known.committed.extend(committed),
                Err(error) => tracing::debug!(%error, "offsets of groups cannot be told now"),
            }
        }
        known
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lag_adds_up_and_what_is_not_known_is_not_told() {
        let mut behind = Behind::default();
        assert_eq!(
            (behind.records(), behind.seconds()),
            (None, None),
            "nothing is committed"
        );
        behind.add(Some((3, Some(500))));
        behind.add(Some((4, Some(2_500))));
        assert_eq!((behind.records(), behind.seconds()), (Some(7), Some(2.5)));
        behind.add(Some((1, None)));
        assert_eq!((behind.records(), behind.seconds()), (Some(8), None));
        behind.add(None);
        assert_eq!((behind.records(), behind.known_records()), (None, 8));
    }
}
