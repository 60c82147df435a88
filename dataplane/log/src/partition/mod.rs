//! One partition's log: append, producer state, leader epochs, high watermark, read.
//!
//! Contract: offsets are assigned, and batches pushed into the broker's open bulk, in one critical section, so offset
//! order is slot order. Readers see nothing past the high watermark, which moves only when a slot counts. What a
//! partition holds in memory is derived: from cold objects, the recovery indexes of predecessors and the slots of this
//! incarnation, in that order and without a gap.

mod append;
pub mod epochs;
mod lookup;
#[expect(
    clippy::disallowed_types,
    reason = "a producer is looked up for every batch; what is walked is sorted before it goes out"
)]
pub mod producers;
mod read;
mod retention;
pub mod run;
mod state;

use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use firn_catalog::ids::{LeaderEpoch, Offset, PartitionId, Slot};
use firn_runtime::Timestamp;
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::batch::{BatchError, BatchRules};
use crate::wal::CountedBatch;
pub use append::Validated;
pub use producers::SequenceError;
pub(crate) use read::Sources;
pub(crate) use state::{Foundation, State};

/// What a topic's configuration asks of the log.
#[derive(Clone, Debug)]
pub struct PartitionConfig {
    /// What a batch must be like.
    pub rules: BatchRules,
    /// How long records are kept, in ms; `None`: for ever.
    pub retention_ms: Option<i64>,
    /// How many bytes are kept; `None`: all.
    pub retention_bytes: Option<u64>,
    /// Whether the cleanup policy deletes old records.
    pub deletes: bool,
    /// How long a silent idempotent producer is remembered.
    pub producer_expiration: Duration,
}

/// Where a partition's log begins and ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartitionOffsets {
    /// The first offset that may be read.
    pub log_start: Offset,
    /// One past the last record that counts.
    pub high_watermark: Offset,
    /// One past the last record that a `read_committed` reader may see (LSO).
    pub last_stable: Offset,
    /// One past the last record that was appended, whether it counts or not (LEO).
    pub log_end: Offset,
    /// One past the last record in cold objects.
    pub cold_end: Offset,
    /// The epoch of the current leader.
    pub leader_epoch: LeaderEpoch,
}

/// An append that was accepted; it is acknowledged once its slot counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// The offset of the first record.
    pub first: Offset,
    /// The offset of the last record.
    pub last: Offset,
    /// The timestamp that the log gave the records, if the topic uses LogAppendTime.
    pub log_append_time: Option<Timestamp>,
    /// The log start offset at that moment.
    pub log_start: Offset,
    /// The slot to wait for; `None` if the batch is a duplicate of one that counted in an earlier incarnation.
    pub slot: Option<Slot>,
}

/// Why a batch was not appended. Nothing of it is in the log.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum AppendError {
    /// The batch itself is not acceptable.
    #[error(transparent)]
    Batch(#[from] BatchError),
    /// Its producer may not append it.
    #[error(transparent)]
    Sequence(#[from] SequenceError),
    /// This broker does not lead the partition (any more): look up the leader.
    #[error("this broker does not lead the partition")]
    NotLeader,
    /// The partition was stopped, since its log has a gap or is damaged; an operator has to look.
    #[error("the partition is stopped: {0}")]
    Stopped(String),
    /// There is no room to make it durable. Try again later.
    #[error("the write-ahead log has no space")]
    NoSpace,
    /// The broker is going down. Try again elsewhere.
    #[error("the broker's log has stopped")]
    Halted,
}

/// Why records cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The offset is before the log start or past the end.
    #[error("offset out of range: the log holds {log_start} to {log_end}")]
    OutOfRange {
        /// The first offset that may be read.
        log_start: Offset,
        /// One past the last record.
        log_end: Offset,
    },
    /// This broker does not lead the partition (any more).
    #[error("this broker does not lead the partition")]
    NotLeader,
    /// The log is damaged at that place; an operator has to look.
    #[error("the partition is stopped: {0}")]
    Stopped(String),
    /// The store did not answer. Try again.
    #[error("the records could not be read now: {0}")]
    Unavailable(String),
}

/// Which records a reader may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isolation {
    /// All that count: up to the high watermark.
    ReadUncommitted,
    /// Up to the last stable offset.
    ReadCommitted,
}

/// An aborted transaction that a `read_committed` reader has to skip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AbortedTransaction {
    /// Whose transaction.
    pub producer_id: i64,
    /// The offset of its first record.
    pub first: Offset,
}

/// Records that were read.
#[derive(Clone, Debug)]
pub struct ReadSlice {
    /// Consecutive whole batches; the first contains the offset that was asked for.
    pub batches: Vec<Bytes>,
    /// Their bytes in all.
    pub bytes: usize,
    /// Where the log began and ended when the read was planned.
    pub offsets: PartitionOffsets,
    /// The aborted transactions that overlap the batches (`read_committed` only).
    pub aborted: Vec<AbortedTransaction>,
}

/// A record found by its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimedOffset {
    /// Its offset.
    pub offset: Offset,
    /// Its timestamp, ms.
    pub timestamp: i64,
    /// The leader epoch in which it was appended.
    pub leader_epoch: LeaderEpoch,
}

/// Why the log start was not moved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeleteRecordsError {
    /// The offset is past the high watermark.
    #[error("offset out of range: the high watermark is {0}")]
    OutOfRange(Offset),
    /// This broker does not lead the partition (any more).
    #[error("this broker does not lead the partition")]
    NotLeader,
    /// The catalog did not answer; the change may have taken effect. Try again.
    #[error("the log start could not be stored now: {0}")]
    Unavailable(String),
}

/// A producer, as DescribeProducers shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProducerState {
    /// The producer id.
    pub id: i64,
    /// Its epoch.
    pub epoch: i16,
    /// The sequence number of its last record; -1 if none is known.
    pub last_sequence: i32,
    /// When its last batch was appended.
    pub last_timestamp: Timestamp,
    /// The epoch of the coordinator of its last marker; -1 if there is none.
    pub coordinator_epoch: i32,
    /// The first offset of its open transaction.
    pub transaction_first: Option<Offset>,
}

/// What a partition takes up, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PartitionSizes {
    /// In slots that are not offloaded, or whose image is still local.
    pub local: u64,
    /// In cold objects.
    pub cold: u64,
}

/// One partition that this incarnation leads.
pub struct Partition {
    id: PartitionId,
    sources: Arc<Sources>,
    state: Mutex<State>,
    waiters: Mutex<Vec<Weak<Notify>>>,
    /// One change of the log start at a time.
    trimming: tokio::sync::Mutex<()>,
}

impl Partition {
    pub(crate) fn new(sources: Arc<Sources>, foundation: Foundation) -> Self {
        Self {
            id: foundation.id,
            sources,
            state: Mutex::new(State::new(foundation)),
            waiters: Mutex::new(Vec::new()),
            trimming: tokio::sync::Mutex::new(()),
        }
    }

    /// Which partition this is.
    pub fn id(&self) -> PartitionId {
        self.id
    }

    /// The epoch in which this incarnation leads it.
    pub fn leader_epoch(&self) -> LeaderEpoch {
        self.state.lock().leader_epoch
    }

    /// Where the log begins and ends.
    pub fn offsets(&self) -> PartitionOffsets {
        self.state.lock().offsets()
    }

    /// The configuration in force.
    pub fn config(&self) -> Arc<PartitionConfig> {
        Arc::clone(&self.state.lock().config)
    }

    /// Registers `waiter`, which gets a `notify_one` whenever the high watermark or the log start moves, or the
    /// partition closes. It is forgotten once its last `Arc` is dropped.
    pub fn watch(&self, waiter: &Arc<Notify>) {
        let mut waiters = self.waiters.lock();
        if waiters.len() >= 64 {
            waiters.retain(|known| known.strong_count() > 0);
        }
        let waiter = Arc::downgrade(waiter);
        if !waiters.iter().any(|known| known.ptr_eq(&waiter)) {
            waiters.push(waiter);
        }
    }

    /// The largest leader epoch up to `asked` and the offset where it ends (OffsetForLeaderEpoch); `None` if `asked` is
    /// no epoch, or one to come.
    pub fn epoch_end(&self, asked: LeaderEpoch) -> Option<(LeaderEpoch, Offset)> {
        let state = self.state.lock();
        // Not the log end: a restart may take back what does not count yet.
        state
            .epochs
            .end_of(asked, state.leader_epoch, state.high_watermark)
    }

    /// Where a log that was read up to `offset`, the last record in `epoch`, parts from this one: the largest epoch that
    /// both may know, and where it ends here. `Ok(None)`: they agree. An epoch that is not known here is an error.
    pub fn diverging(
        &self,
        epoch: LeaderEpoch,
        offset: Offset,
    ) -> Result<Option<(LeaderEpoch, Offset)>, ReadError> {
        let state = self.state.lock();
        let (log_start, log_end) = (state.log_start, state.next);
        let (known, end) = match state.epochs.end_of(epoch, state.leader_epoch, log_end) {
            Some(end) if offset >= log_start => end,
            _ => return Err(ReadError::OutOfRange { log_start, log_end }),
        };
        Ok((known < epoch || end < offset).then_some((known, end)))
    }

    /// The leader epoch of the record at `offset`.
    pub fn epoch_at(&self, offset: Offset) -> Option<LeaderEpoch> {
        self.state.lock().epochs.at(offset)
    }

    /// The idempotent producers that are remembered, in order of id.
    pub fn producers(&self) -> Vec<ProducerState> {
        let snapshot = self.state.lock().producers.snapshot();
        let describe = |producer: producers::ProducerSnapshot| ProducerState {
            id: producer.id,
            epoch: producer.epoch,
            last_sequence: producer.batches.last().map_or(-1, |batch| batch.last_sequence),
            last_timestamp: producer.last_appended_at,
            coordinator_epoch: producer.coordinator_epoch,
            transaction_first: producer.open_transaction_first,
        };
        snapshot.into_iter().map(describe).collect()
    }

    /// What it takes up.
    pub fn sizes(&self) -> PartitionSizes {
        let local = self.state.lock().runs.iter().map(|run| run.length).sum();
        PartitionSizes {
            local,
            cold: self.sources.cold.sizes(self.id),
        }
    }

    pub(crate) fn configure(&self, leader_epoch: LeaderEpoch, config: Arc<PartitionConfig>) {
        let mut state = self.state.lock();
        state.leader_epoch = state.leader_epoch.max(leader_epoch);
        state.config = config;
    }

    /// Its batches of a slot that counts now.
    pub(crate) fn counted(&self, slot: Slot, batches: &[CountedBatch], floor: Slot) {
        {
            let mut state = self.state.lock();
            for batch in batches {
                state.add_run(self.sources.own, slot, &batch.meta, batch.position);
            }
            if let Some(last) = batches.last() {
                state.high_watermark = last.meta.end();
            }
            state.drop_runs_below(self.sources.own, floor);
        }
        self.wake();
    }

    /// The partition leaves this broker.
    pub(crate) fn close(&self) {
        self.state.lock().closed = true;
        self.wake();
    }

    fn wake(&self) {
        let mut waiters = self.waiters.lock();
        waiters.retain(|waiter| match waiter.upgrade() {
            Some(waiter) => {
                waiter.notify_one();
                true
            }
            None => false,
        });
    }
}
