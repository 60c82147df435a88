//! Append: validate, then one short critical section in which order is decided.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::BytesMut;
use firn_runtime::Timestamp;

use super::producers::Verdict;
use super::{AppendError, Appended, Partition, PartitionConfig};
use crate::batch::{self, BatchError, BatchMeta, ValidBatch, WorkBudget};
use crate::wal::{PendingBatch, PushError};

/// A batch that passed a partition's rules, and what they were.
#[derive(Debug)]
pub struct Validated {
    batch: ValidBatch,
    config: Arc<PartitionConfig>,
}

impl Validated {
    /// The bytes of the batch, as they will be stored.
    pub fn size(&self) -> usize {
        self.batch.bytes.len()
    }

    /// The bytes that lie in the buffer that was validated: all, or none if they were compressed anew.
    pub fn shared(&self) -> usize {
        if self.batch.recompressed { 0 } else { self.size() }
    }

    /// Copies the batch out of the buffer that was validated, which it would otherwise keep alive in the log.
    pub fn detach(&mut self) {
        if !self.batch.recompressed {
            self.batch.bytes = BytesMut::from(&self.batch.bytes[..]);
        }
    }
}

impl Partition {
    /// [`Partition::validate`] and [`Partition::append_validated`] at once, whatever work that takes.
    pub fn append(&self, mut sent: BytesMut, now: Timestamp) -> Result<Appended, AppendError> {
        let batch = self.validate(&mut sent, now, &mut WorkBudget::default())?;
        self.append_validated(batch, now)
    }

    /// Checks one whole batch, as a client sent it, by the rules of the topic; the work is taken from `budget`. It may
    /// take long, and changes nothing. On an error `sent` stays what it is.
    pub fn validate(
        &self,
        sent: &mut BytesMut,
        now: Timestamp,
        budget: &mut WorkBudget,
    ) -> Result<Validated, BatchError> {
        let config = self.config();
        let batch = batch::validate_within(sent, &config.rules, now, budget)?;
        Ok(Validated { batch, config })
    }

    /// Whether the batch would be appended now, as a new one.
    pub fn expects(&self, validated: &Validated) -> bool {
        let state = self.state.lock();
        let new = |stamp| matches!(state.producers.check(stamp), Ok(Verdict::Append));
        !state.closed && state.stopped.is_none() && validated.batch.producer.as_ref().is_none_or(new)
    }

    /// Appends a batch. On success it lies in the open bulk, and is acknowledged once
    /// [`Appended::slot`] counts. A batch of an idempotent producer that is in the log already is not
    /// appended again: the answer tells where it is, and waits for that slot (invariant 8).
    pub fn append_validated(&self, validated: Validated, now: Timestamp) -> Result<Appended, AppendError> {
        let Validated {
            batch: mut valid,
            config,
        } = validated;
        let by_log = config.rules.log_append_time();
        let mut state = self.state.lock();
        if state.closed {
            return Err(AppendError::NotLeader);
        }
        if let Some(why) = &state.stopped {
            return Err(AppendError::Stopped(why.clone()));
        }
        if let Some(stamp) = &valid.producer
            && let Verdict::Duplicate {
                first,
                last,
                timestamp,
                slot,
            } = state.producers.check(stamp)?
        {
            #[cfg(feature = "planted")]
            let slot = slot.filter(|_| !crate::planted::is(crate::planted::Mistake::AnswerDuplicateEarly));
            let log_start = state.log_start;
            return Ok(Appended {
                first,
                last,
                log_append_time: timestamp.filter(|_| by_log),
                log_start,
                slot,
            });
        }
        if self.sources.refusing.load(Ordering::SeqCst) {
            return Err(AppendError::NoSpace);
        }
        let log_append_time = by_log.then(|| now.max(state.last_append_time));
        if let Some(time) = log_append_time {
            batch::stamp_log_append_time(&mut valid, time);
        }
        let first = state.next;
        let last = first.plus(i64::from(valid.header.last_offset_delta));
        batch::patch(&mut valid.bytes, first, state.leader_epoch);
        let meta = self.meta_of(&valid, &state, first);
        let pending = PendingBatch {
            meta: meta.clone(),
            bytes: valid.bytes.freeze(),
        };
        let slot = self.sources.appender.push(pending).map_err(|error| match error {
            PushError::NoSpace => AppendError::NoSpace,
            PushError::Halted => AppendError::Halted,
        })?;
        state.next = last.plus(1);
        if let Some(time) = log_append_time {
            state.last_append_time = time;
        }
        let epoch = state.leader_epoch;
        state.epochs.note(epoch, first);
        state.producers.appended(&meta, now, slot);
        Ok(Appended {
            first,
            last,
            log_append_time,
            log_start: state.log_start,
            slot: Some(slot),
        })
    }

    fn meta_of(
        &self,
        valid: &ValidBatch,
        state: &super::State,
        first: firn_catalog::ids::Offset,
    ) -> BatchMeta {
        BatchMeta {
            partition: self.id,
            leader_epoch: state.leader_epoch,
            first,
            last: first.plus(i64::from(valid.header.last_offset_delta)),
            length: u32::try_from(valid.bytes.len())
                .expect("validation bounds a batch by its i32 length field"),
            base_timestamp: valid.header.base_timestamp,
            max_timestamp: valid.header.max_timestamp,
            producer: valid.producer,
            transactional: valid.transactional,
            marker: None,
        }
    }
}
