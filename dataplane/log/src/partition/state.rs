//! What a partition knows, behind its one short mutex.

use std::collections::VecDeque;
use std::sync::Arc;

use firn_catalog::ids::{IncarnationId, LeaderEpoch, Offset, PartitionId, Slot};
use firn_runtime::Timestamp;

use super::epochs::EpochHistory;
use super::producers::Producers;
use super::run::Run;
use super::{PartitionConfig, PartitionOffsets, ReadError};
use crate::batch::BatchMeta;

/// What a partition is built on when this incarnation begins to lead it.
pub(crate) struct Foundation {
    pub id: PartitionId,
    pub leader_epoch: LeaderEpoch,
    pub log_start: Offset,
    /// Where the log ends: of cold objects and the runs below.
    pub end: Offset,
    pub cold_end: Offset,
    /// The batches in sealed write-ahead logs that lie past the cold end, in offset order.
    pub runs: Vec<Run>,
    pub producers: Producers,
    pub epochs: EpochHistory,
    /// When the last batch was appended: LogAppendTime goes on from there, whatever the clock says.
    pub last_appended_at: Timestamp,
    pub config: Arc<PartitionConfig>,
    /// Why it must not serve: a gap or damage was found.
    pub stopped: Option<String>,
}

impl Foundation {
    /// A partition that never held a record.
    pub fn empty(id: PartitionId, leader_epoch: LeaderEpoch, config: Arc<PartitionConfig>) -> Self {
        Self {
            id,
            leader_epoch,
            log_start: Offset(0),
            end: Offset(0),
            cold_end: Offset(0),
            runs: Vec::new(),
            producers: Producers::default(),
            epochs: EpochHistory::default(),
            last_appended_at: Timestamp(i64::MIN),
            config,
            stopped: None,
        }
    }
}

pub(crate) struct State {
    pub leader_epoch: LeaderEpoch,
    pub log_start: Offset,
    pub next: Offset,
    pub high_watermark: Offset,
    pub cold_end: Offset,
    pub runs: VecDeque<Run>,
    pub producers: Producers,
    pub epochs: EpochHistory,
    pub config: Arc<PartitionConfig>,
    /// The last time that LogAppendTime gave out.
    pub last_append_time: Timestamp,
    pub stopped: Option<String>,
    pub closed: bool,
}

impl State {
    pub fn new(foundation: Foundation) -> Self {
        let mut epochs = foundation.epochs;
        epochs.note(foundation.leader_epoch, foundation.end);
        epochs.trim(foundation.log_start);
        Self {
            leader_epoch: foundation.leader_epoch,
            log_start: foundation.log_start,
            next: foundation.end,
            high_watermark: foundation.end,
            cold_end: foundation.cold_end,
            runs: foundation.runs.into(),
            producers: foundation.producers,
            epochs,
            config: foundation.config,
            last_append_time: foundation.last_appended_at,
            stopped: foundation.stopped,
            closed: false,
        }
    }

    pub fn offsets(&self) -> PartitionOffsets {
        PartitionOffsets {
            log_start: self.log_start,
            high_watermark: self.high_watermark,
            last_stable: self.high_watermark,
            log_end: self.next,
            cold_end: self.cold_end,
            leader_epoch: self.leader_epoch,
        }
    }

    pub fn readable(&self) -> Result<(), ReadError> {
        match &self.stopped {
            _ if self.closed => Err(ReadError::NotLeader),
            Some(why) => Err(ReadError::Stopped(why.clone())),
            None => Ok(()),
        }
    }

    /// Adds a counted batch at the end of the runs.
    pub fn add_run(&mut self, wal: IncarnationId, slot: Slot, meta: &BatchMeta, position: u64) {
        let extended = self
            .runs
            .back_mut()
            .is_some_and(|run| run.wal == wal && run.extend(slot, meta, position));
        if !extended {
            self.runs.push_back(Run::of(wal, slot, meta, position));
        }
    }

    /// Forgets runs of `own` slots that have no image any more. They are in cold objects.
    pub fn drop_runs_below(&mut self, own: IncarnationId, floor: Slot) {
        while let Some(run) = self.runs.front() {
            if run.wal != own || run.slot >= floor || run.end > self.cold_end {
                break;
            }
            self.runs.pop_front();
        }
    }

    /// Forgets the runs of a write-ahead log that has been drained into cold objects.
    pub fn drop_runs_of(&mut self, wal: IncarnationId) {
        self.runs.retain(|run| run.wal != wal);
    }

    /// The runs from the one that holds `from`, up to `bound` and until they hold `max_bytes`. Empty if no
    /// run holds it.
    pub fn runs_from(&self, from: Offset, bound: Offset, max_bytes: usize) -> Vec<Run> {
        let start = self.runs.partition_point(|run| run.end <= from);
        let mut found = Vec::new();
        let (mut next, mut bytes) = (from, 0u64);
        for run in self.runs.range(start..) {
            let continues = if found.is_empty() {
                run.first <= from
            } else {
                run.first == next
            };
            // What lies before `from` in the first run does not count towards the limit.
            let counted = if run.first < from { 0 } else { run.length };
            let fits = bytes + counted <= max_bytes as u64 || bytes < max_bytes as u64 / 2;
            if !continues || run.first >= bound || !fits && !found.is_empty() {
                break;
            }
            bytes += counted;
            next = run.end;
            found.push(run.clone());
        }
        found
    }
}
