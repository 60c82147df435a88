//! Committed offsets of a group.

use std::collections::BTreeMap;
use std::sync::Arc;

use firn_catalog::ids::{PartitionId, TopicId};
use firn_runtime::Timestamp;

/// An offset that was committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommittedOffset {
    /// The next record to be consumed.
    pub offset: i64,
    /// The leader epoch of the last consumed record; -1 if it is not known.
    pub leader_epoch: i32,
    /// What the consumer wants to be told with it.
    pub metadata: Arc<str>,
    /// When it was committed.
    pub committed_at: Timestamp,
    /// When it goes, if the commit said so; else the group's retention decides.
    pub expires_at: Option<Timestamp>,
}

/// The committed offsets of a group, by partition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Offsets(BTreeMap<PartitionId, CommittedOffset>);

impl Offsets {
    pub(crate) fn put(&mut self, partition: PartitionId, offset: CommittedOffset) {
        self.0.insert(partition, offset);
    }

    pub(crate) fn remove(&mut self, partition: &PartitionId) -> bool {
        self.0.remove(partition).is_some()
    }

    pub(crate) fn get(&self, partition: &PartitionId) -> Option<&CommittedOffset> {
        self.0.get(partition)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = (&PartitionId, &CommittedOffset)> {
        self.0.iter()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The partitions whose offsets are past their time at `now`, or whose topic is gone. An offset's time begins with its commit,
    /// or at `idle_since` if that is later; `None`: it does not run, as the group uses it. A time that the commit itself named counts
    /// from nothing else.
    pub(crate) fn expired(
        &self,
        now: Timestamp,
        retention_ms: i64,
        idle_since: impl Fn(&PartitionId) -> Option<Timestamp>,
        exists: impl Fn(TopicId) -> bool,
    ) -> Vec<PartitionId> {
        let past = |partition: &PartitionId, offset: &CommittedOffset| {
            if !exists(partition.topic) {
                return true;
            }
            let Some(idle) = idle_since(partition) else {
                return false;
            };
            match offset.expires_at {
                Some(at) => now >= at,
                None => now.0 - offset.committed_at.max(idle).0 >= retention_ms,
            }
        };
        let expired = self
            .0
            .iter()
            .filter(|(partition, offset)| past(partition, offset));
        expired.map(|(partition, _)| *partition).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offset(committed_at: i64, expires_at: Option<i64>) -> CommittedOffset {
        CommittedOffset {
            offset: 5,
            leader_epoch: -1,
            metadata: "".into(),
            committed_at: Timestamp(committed_at),
            expires_at: expires_at.map(Timestamp),
        }
    }

    fn partition(index: i32) -> PartitionId {
        PartitionId {
            topic: TopicId(7),
            index,
        }
    }

    #[test]
    fn an_offset_goes_when_it_was_idle_for_long_enough_or_when_it_said_so() {
        let mut offsets = Offsets::default();
        offsets.put(partition(0), offset(100, None));
        offsets.put(partition(1), offset(100, Some(150)));
        offsets.put(partition(2), offset(170, None));
        let at = |now, idle: i64| {
            let expired = offsets.expired(Timestamp(now), 60, |_| Some(Timestamp(idle)), |_| true);
            expired
                .iter()
                .map(|partition| partition.index)
                .collect::<Vec<_>>()
        };
        assert!(at(149, 0).is_empty());
        assert_eq!(at(150, 0), [1]);
        assert_eq!(at(160, 0), [0, 1]);
        assert_eq!(at(160, 120), [1], "the group was in use until then");
        assert_eq!(at(230, 0), [0, 1, 2]);
        let in_use = offsets.expired(Timestamp(1000), 60, |_| None, |_| true);
        assert!(in_use.is_empty());
        let gone = offsets.expired(Timestamp(0), 60, |_| None, |_| false);
        assert_eq!(gone.len(), 3, "the topic was deleted");
    }
}
