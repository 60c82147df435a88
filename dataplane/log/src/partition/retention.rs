//! Moves of the log start: DeleteRecords, and what retention decides.

use firn_catalog::cell::{CatalogError, LogStartChange};
use firn_catalog::ids::Offset;
use firn_runtime::Timestamp;

use super::{DeleteRecordsError, Partition};
use crate::cold::retention::{RetentionPolicy, RetentionSubject};

impl Partition {
    /// Deletes the records below `before`, for good: once it answers, the catalog has the new log start, and no
    /// restart shows them again. An offset below the log start changes nothing. Returns the log start.
    pub async fn delete_records(&self, before: Offset) -> Result<Offset, DeleteRecordsError> {
        let _one_at_a_time = self.trimming.lock().await;
        let (leader_epoch, high_watermark, log_start) = {
            let state = self.state.lock();
            if state.closed {
                return Err(DeleteRecordsError::NotLeader);
            }
            (state.leader_epoch, state.high_watermark, state.log_start)
        };
        if before > high_watermark || before < Offset(0) {
            return Err(DeleteRecordsError::OutOfRange(high_watermark));
        }
        if before <= log_start {
            return Ok(log_start);
        }
        let change = LogStartChange {
            partition: self.id,
            leader_epoch,
            log_start: before,
        };
        let sources = &self.sources;
        let now = sources.env.now();
        let stored = sources
            .catalog
            .trim(sources.own, vec![change], Vec::new(), Vec::new(), now)
            .await;
        stored.map_err(|error| match error {
            CatalogError::NotOpen(_) | CatalogError::NotOwner(_) => DeleteRecordsError::NotLeader,
            CatalogError::Unavailable(_)
            | CatalogError::WrongState { .. }
            | CatalogError::ObjectNotRegistered(_)
            | CatalogError::NewerFormat { .. }
            | CatalogError::Corrupt(_) => DeleteRecordsError::Unavailable(error.to_string()),
        })?;
        self.raise_log_start(before);
        Ok(before)
    }

    /// What retention has to know.
    pub(crate) fn retention(&self) -> RetentionSubject {
        let state = self.state.lock();
        let config = &state.config;
        let local = state
            .runs
            .iter()
            // Only a policy by size has to know.
            .filter(|run| config.retention_bytes.is_some() && run.end > state.cold_end)
            .map(|run| (run.end, run.length));
        RetentionSubject {
            partition: self.id,
            leader_epoch: state.leader_epoch,
            log_start: state.log_start,
            local: local.collect(),
            policy: RetentionPolicy {
                retention_ms: config.retention_ms,
                retention_bytes: config.retention_bytes,
                deletes: config.deletes,
            },
            producer_expiration: config.producer_expiration,
        }
    }

    /// Takes over a log start that the catalog has.
    pub(crate) fn raise_log_start(&self, log_start: Offset) {
        {
            let mut state = self.state.lock();
            if log_start <= state.log_start {
                return;
            }
            state.log_start = log_start;
            state.epochs.trim(log_start);
        }
        self.wake();
    }

    /// Cold objects hold the log up to `cold_end` now.
    pub(crate) fn offloaded(&self, cold_end: Offset) {
        let mut state = self.state.lock();
        state.cold_end = state.cold_end.max(cold_end);
    }

    /// The write-ahead log of a predecessor has been drained into cold objects.
    pub(crate) fn drained(&self, wal: firn_catalog::ids::IncarnationId, cold_end: Offset) {
        let mut state = self.state.lock();
        state.cold_end = state.cold_end.max(cold_end);
        state.drop_runs_of(wal);
    }

    /// The log is damaged: nothing more is appended or read, until an operator has looked.
    pub(crate) fn stop(&self, why: String) {
        tracing::error!(partition = %self.id, why, "ALARM: the partition is stopped");
        self.state.lock().stopped.get_or_insert(why);
        self.wake();
    }

    /// Housekeeping: forgets silent producers and runs without an image.
    pub(crate) fn tidy(&self, now: Timestamp) {
        let floor = self.sources.images.floor();
        let mut state = self.state.lock();
        let silence = state.config.producer_expiration;
        state.producers.expire(now, silence);
        state.drop_runs_below(self.sources.own, floor);
    }
}
