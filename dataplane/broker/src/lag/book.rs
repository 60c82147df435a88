//! How far groups are behind, as rows of a minute. Apart from I/O.

use std::collections::BTreeMap;

use firn_catalog::ids::{ClusterId, PartitionId};
use firn_catalog::lag::positions::Position;
use firn_catalog::lag::{LagRow, group_digest};
use firn_coordinator::api::CommittedIn;

/// How many rows of a cluster one broker keeps in a minute: a row is a group in a topic. Of more groups those first by name.
pub(super) const MOST_OF_CLUSTER: usize = 500;
/// How many rows it keeps in a minute in all.
pub(super) const MOST: usize = 20_000;

/// What is known of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct At<'a> {
    /// Its topic's name.
    pub(super) topic: &'a str,
    /// Its cluster.
    pub(super) cluster: ClusterId,
    /// What its leader says; `None`: nothing.
    pub(super) position: Option<Position>,
}

type Key = (ClusterId, String, String);

/// The rows of the minute that runs.
#[derive(Debug, Default)]
pub(super) struct Book {
    minute: i64,
    of_cluster: BTreeMap<ClusterId, usize>,
    /// How many records behind, as it is written.
    written: BTreeMap<Key, i64>,
}

impl Book {
    /// From here on rows are of this minute. It never goes back, whatever the clock does.
    pub(super) fn turn_to(&mut self, minute: i64) -> i64 {
        if minute > self.minute {
            *self = Self {
                minute,
                ..Self::default()
            };
        }
        self.minute
    }

    /// The rows that say something else than what is written of this minute. `at` tells of a partition, with the offset at which the group
    /// is; `None`: there is no such partition any more. A topic of which a leader says nothing has no row: half of its lag would pass for
    /// all of it.
    pub(super) fn due<'a>(
        &self,
        groups: &[CommittedIn],
        now_ms: i64,
        at: impl Fn(PartitionId, i64) -> Option<At<'a>>,
    ) -> Vec<LagRow> {
        let mut rows = Vec::new();
        for CommittedIn { group, offsets } in groups {
            let mut topics: BTreeMap<&str, Option<(i64, Option<i64>)>> = BTreeMap::new();
            for (partition, offset) in offsets {
                let Some(at) = at(*partition, *offset).filter(|at| at.cluster == group.cluster) else {
                    continue;
                };
                let sum = topics.entry(at.topic).or_insert(Some((0, Some(0))));
                *sum = match (*sum, at.position) {
                    (Some(sum), Some(position)) => Some(add(sum, &position, *offset, now_ms)),
                    _ => None,
                };
            }
            if topics.is_empty() {
                continue;
            }
            let digest = group_digest(&group.name);
            for (topic, sum) in topics {
                let Some((lag_records, lag_ms)) = sum else {
                    continue;
                };
                let row = LagRow {
                    cluster: group.cluster,
                    group: digest.clone(),
                    topic: topic.to_owned(),
                    minute: self.minute,
                    lag_records,
                    lag_ms,
                };
                if self.written.get(&key(&row)) != Some(&lag_records) {
                    rows.push(row);
                }
            }
        }
        rows
    }

    /// Leaves those that there is room for.
    pub(super) fn bounded(&self, rows: &mut Vec<LagRow>) {
        let mut of_cluster = self.of_cluster.clone();
        let mut all = self.written.len();
        rows.retain(|row| {
            if self.written.contains_key(&key(row)) {
                return true;
            }
            let own = of_cluster.entry(row.cluster).or_default();
            let room = *own < MOST_OF_CLUSTER && all < MOST;
            if room {
                *own += 1;
                all += 1;
            }
            room
        });
    }

    /// These rows are written.
    pub(super) fn written(&mut self, rows: &[LagRow]) {
        for row in rows {
            if self.written.insert(key(row), row.lag_records).is_none() {
                *self.of_cluster.entry(row.cluster).or_default() += 1;
            }
        }
    }
}

fn key(row: &LagRow) -> Key {
    (row.cluster, row.group.clone(), row.topic.clone())
}

/// All of a topic's lag, with one more partition: records add up, of times the oldest counts.
fn add(
    (records, oldest): (i64, Option<i64>),
    position: &Position,
    offset: i64,
    now_ms: i64,
) -> (i64, Option<i64>) {
    let lag = position.lag(offset);
    let ms = position.lag_ms(offset, now_ms);
    let oldest = match (oldest, ms) {
        (Some(oldest), Some(ms)) => Some(oldest.max(ms)),
        _ => None,
    };
    (records.saturating_add(lag), oldest)
}

#[cfg(test)]
mod tests {
    use firn_catalog::ids::TopicId;
    use firn_coordinator::api::GroupKey;

    use super::*;

    const CLUSTER: ClusterId = ClusterId(7);

    fn committed(group: &str, offsets: &[(u128, i32, i64)]) -> CommittedIn {
        let one = |(topic, index, offset): &(u128, i32, i64)| {
            let topic = TopicId(*topic);
            (PartitionId { topic, index: *index }, *offset)
        };
        CommittedIn {
            group: GroupKey {
                cluster: CLUSTER,
                name: group.into(),
            },
            offsets: offsets.iter().map(one).collect(),
        }
    }

    /// Partitions of two topics, 100 records each, the last offset's age is 0 and each before is a second older.
    fn at(partition: PartitionId, offset: i64) -> Option<At<'static>> {
        let topic = match partition.topic.0 {
            1 => "a",
            2 => "b",
            _ => return None,
        };
        Some(At {
            topic,
            cluster: CLUSTER,
            position: (partition.index < 5).then_some(Position {
                log_start: 0,
                end: 100,
                time_ms: Some(1_000_000 - (99 - offset) * 1_000),
            }),
        })
    }

    fn short(rows: &[LagRow]) -> Vec<(&str, i64, Option<i64>)> {
        rows.iter()
            .map(|row| (row.topic.as_str(), row.lag_records, row.lag_ms))
            .collect()
    }

    #[test]
    fn a_row_adds_up_its_topics_partitions_and_has_the_oldest_age() {
        let mut book = Book::default();
        book.turn_to(5);
        let groups = [committed("g", &[(1, 0, 90), (1, 1, 99), (2, 0, 100), (3, 0, 1)])];
        let rows = book.due(&groups, 1_000_000, at);
        assert_eq!(short(&rows), [("a", 11, Some(9_000)), ("b", 0, Some(0))]);
        assert_eq!((rows[0].minute, &*rows[0].group), (5, &*group_digest("g")));
    }

    #[test]
    fn a_topic_of_which_a_leader_is_silent_has_no_row() {
        let groups = [committed("g", &[(1, 0, 90), (1, 7, 90), (2, 0, 50)])];
        let rows = Book::default().due(&groups, 1_000_000, at);
        assert_eq!(short(&rows), [("b", 50, Some(49_000))]);
    }

    #[test]
    fn what_is_written_is_written_again_only_if_it_has_changed_or_the_minute_has() {
        let mut book = Book::default();
        book.turn_to(5);
        let groups = [committed("g", &[(1, 0, 90)])];
        let rows = book.due(&groups, 1_000_000, at);
        book.written(&rows);
        assert!(book.due(&groups, 1_020_000, at).is_empty());
        let moved = [committed("g", &[(1, 0, 95)])];
        assert_eq!(book.due(&moved, 1_000_000, at).len(), 1);
        assert_eq!(book.turn_to(4), 5, "a clock is set back");
        assert!(book.due(&groups, 1_000_000, at).is_empty());
        book.turn_to(6);
        assert_eq!(book.due(&groups, 1_000_000, at)[0].minute, 6);
    }

    #[test]
    fn a_cluster_has_so_many_rows_a_minute_and_those_stay() {
        let mut book = Book::default();
        let groups: Vec<_> = (0..MOST_OF_CLUSTER + 9)
            .map(|n| committed(&format!("g{n:04}"), &[(1, 0, 90)]))
            .collect();
        let mut rows = book.due(&groups, 1_000_000, at);
        book.bounded(&mut rows);
        assert_eq!(rows.len(), MOST_OF_CLUSTER);
        assert_eq!(rows[0].group, group_digest("g0000"));
        book.written(&rows);
        let later = [
            committed("g0001", &[(1, 0, 91)]),
            committed("g9999", &[(1, 0, 91)]),
        ];
        let mut rows = book.due(&later, 1_000_000, at);
        book.bounded(&mut rows);
        assert_eq!(rows.len(), 1, "one that has its row already, and no new one");
        assert_eq!(rows[0].group, group_digest("g0001"));
    }
}
