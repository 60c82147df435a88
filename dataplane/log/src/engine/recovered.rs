//! What a new incarnation inherits: the partitions it leads, and the sealed logs that are not drained yet.

use std::collections::BTreeMap;
use std::sync::Arc;

use firn_catalog::cell::{Incarnation, PartitionRow};
use firn_catalog::ids::{IncarnationId, PartitionId};
use firn_runtime::Timestamp;
use parking_lot::Mutex;

use super::Assignment;
use crate::cold::{ColdError, ColdTier};
use crate::partition::Foundation;
use crate::partition::epochs::EpochHistory;
use crate::partition::producers::Producers;
use crate::partition::run::Run;
use crate::takeover::{RecoveryIndex, SealedBatch, SealedLog, clip};

/// A sealed log that is not drained yet.
pub(super) struct Inherited {
    pub row: Incarnation,
    pub index: RecoveryIndex,
    by_partition: BTreeMap<PartitionId, Vec<SealedBatch>>,
}

/// See the module.
pub(super) struct Recovered {
    rows: BTreeMap<PartitionId, PartitionRow>,
    /// In the order of their seals, which is the order of their drains.
    logs: Mutex<Vec<Arc<Inherited>>>,
}

impl Inherited {
    pub fn new(row: Incarnation, index: RecoveryIndex) -> Self {
        let by_partition = index.runs();
        Self {
            row,
            index,
            by_partition,
        }
    }
}

impl Recovered {
    pub fn new(rows: Vec<PartitionRow>, logs: Vec<Inherited>) -> Self {
        let rows = rows.into_iter().map(|row| (row.id, row)).collect();
        Self {
            rows,
            logs: Mutex::new(logs.into_iter().map(Arc::new).collect()),
        }
    }

    /// The log that is drained next.
    pub fn next_to_drain(&self) -> Option<Arc<Inherited>> {
        self.logs.lock().first().cloned()
    }

    /// A log is in cold objects now.
    pub fn drained(&self, incarnation: IncarnationId) {
        self.logs.lock().retain(|log| log.row.id != incarnation);
    }

    /// The partitions in a sealed log that this incarnation did not lead when it started.
    pub fn foreign(&self, log: &Inherited) -> Vec<PartitionId> {
        let named = log.by_partition.keys();
        named.filter(|id| !self.rows.contains_key(id)).copied().collect()
    }

    /// What the catalog said of a partition at the start; a topic made since then starts empty.
    pub fn row(&self, id: PartitionId) -> Option<&PartitionRow> {
        self.rows.get(&id)
    }

    /// What a partition is built on: cold objects, then the sealed logs in the order of their epochs.
    pub async fn foundation(&self, cold: &ColdTier, assigned: Assignment) -> Result<Foundation, ColdError> {
        let Assignment {
            id,
            leader_epoch,
            config,
        } = assigned;
        let Some(row) = self.rows.get(&id) else {
            return Ok(Foundation::empty(id, leader_epoch, config));
        };
        let tail = match cold.verify(id, row.log_start, row.end_hint) {
            Ok(()) => cold.tail_state(id).await,
            Err(error) => Err(error),
        };
        let (tail, mut stopped) = match tail {
            Ok(tail) => (tail, None),
            Err(error) if error.is_retriable() => return Err(error),
            Err(error) => (None, Some(error.to_string())),
        };
        let logs = self.logs.lock().clone();
        let sealed = sealed_batches(&logs, id);
        let cold_end = tail
            .as_ref()
            .map_or(row.end_hint, |tail| tail.end.max(row.end_hint));
        let mut last_appended_at = tail
            .as_ref()
            .map_or(Timestamp(i64::MIN), |tail| tail.last_appended_at);
        let (snapshot, starts) = tail.map_or_else(Default::default, |tail| (tail.producers, tail.epochs));
        let mut producers = Producers::from_snapshot(snapshot);
        let mut epochs = EpochHistory::from_starts(starts);
        let row = PartitionRow {
            leader_epoch,
            ..row.clone()
        };
        let (end, runs) = match clip(&row, cold_end, &sealed) {
            Ok(clipped) => {
                for (_, batch) in &clipped.batches {
                    producers.apply(&batch.meta, batch.appended_at);
                    epochs.note(batch.meta.leader_epoch, batch.meta.first);
                    last_appended_at = last_appended_at.max(batch.appended_at);
                }
                (clipped.end, runs_of(&clipped.batches))
            }
            Err(gap) => {
                stopped.get_or_insert(gap.to_string());
                (cold_end, Vec::new())
            }
        };
        let log_start = row.log_start;
        Ok(Foundation {
            id,
            leader_epoch,
            log_start,
            end,
            cold_end,
            runs,
            producers,
            epochs,
            last_appended_at,
            config,
            stopped,
        })
    }
}

/// What the sealed logs hold of a partition, in the order of their seals.
fn sealed_batches(logs: &[Arc<Inherited>], id: PartitionId) -> Vec<SealedLog<'_>> {
    let named = logs.iter().filter_map(|log| {
        let batches = log.by_partition.get(&id)?;
        Some(SealedLog {
            incarnation: log.row.id,
            batches,
        })
    });
    named.collect()
}

fn runs_of(batches: &[(IncarnationId, SealedBatch)]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for (wal, batch) in batches {
        let extended = runs
            .last_mut()
            .is_some_and(|run| run.wal == *wal && run.extend(batch.slot, &batch.meta, batch.position));
        if !extended {
            runs.push(Run::of(*wal, batch.slot, &batch.meta, batch.position));
        }
    }
    runs
}
