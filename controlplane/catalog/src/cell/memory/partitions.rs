//! Partitions: who owns them and where their logs start.

use firn_runtime::Timestamp;

use super::State;
use crate::cell::{CatalogError, EndHint, LogStartChange, PartitionRow};
use crate::ids::{IncarnationId, LeaderEpoch, ObjectId, Offset, PartitionId, TopicId};

impl State {
    pub(super) fn add_topic(&mut self, topic: TopicId, partitions: i32, owner: IncarnationId) {
        for index in 0..partitions {
            let id = PartitionId { topic, index };
            self.partitions.entry(id).or_insert(PartitionRow {
                id,
                owner,
                leader_epoch: LeaderEpoch(0),
                log_start: Offset(0),
                end_hint: Offset(0),
            });
        }
    }

    pub(super) fn trim(
        &mut self,
        by: IncarnationId,
        log_starts: &[LogStartChange],
        removed: &[ObjectId],
        ends: &[EndHint],
        now: Timestamp,
    ) -> Result<(), CatalogError> {
        self.open(by)?;
        for change in log_starts {
            if let Some(row) = self.partitions.get(&change.partition)
                && (row.owner, row.leader_epoch) != (by, change.leader_epoch)
            {
                return Err(CatalogError::NotOwner(change.partition));
            }
        }
        self.none_only_registered(removed)?;
        for change in log_starts {
            if let Some(row) = self.partitions.get_mut(&change.partition) {
                row.log_start = row.log_start.max(change.log_start);
            }
        }
        for end in ends {
            if let Some(row) = self.partitions.get_mut(&end.partition) {
                row.end_hint = row.end_hint.max(end.end);
            }
        }
        self.mark(removed, now);
        Ok(())
    }
}
