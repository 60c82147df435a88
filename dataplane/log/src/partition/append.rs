//! Append: validate, then one short critical section in which order is decided.

use std::sync::atomic::Ordering;

use bytes::BytesMut;
use firn_runtime::Timestamp;

use super::producers::Verdict;
use super::{AppendError, Appended, Partition};
use crate::batch::{self, BatchMeta, ValidBatch};
use crate::wal::{PendingBatch, PushError};

impl Partition {
    /// Appends one whole batch, as a client sent it. On success it lies in the open bulk, and is acknowledged once
    /// [`Appended::slot`] counts. A batch of an idempotent producer that is in the log already is not
    /// appended again: the answer tells where it is, and waits for that slot (invariant 8).
    pub fn append(&self, sent: BytesMut, now: Timestamp) -> Result<Appended, AppendError> {
        let config = self.config();
        let mut valid = batch::validate(sent, &config.rules, now)?;
        let mut state = self.state.lock();
        if state.closed {
            return Err(AppendError::NotLeader);
        }
        if let Some(why) = &state.stopped {
            return Err(AppendError::Stopped(why.clone()));
        }
        if let Some(stamp) = &valid.producer
            && let Verdict::Duplicate { first, last, slot } = state.producers.check(stamp)?
        {
            #[cfg(feature = "planted")]
            let slot = slot.filter(|_| !crate::planted::is(crate::planted::Mistake::AnswerDuplicateEarly));
            let log_start = state.log_start;
            return Ok(Appended {
                first,
                last,
                log_append_time: None,
                log_start,
                slot,
            });
        }
        if self.sources.refusing.load(Ordering::SeqCst) {
            return Err(AppendError::NoSpace);
        }
        let log_append_time = config
            .rules
            .log_append_time()
            .then(|| now.max(state.last_append_time));
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
