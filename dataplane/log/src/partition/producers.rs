//! What a partition knows of its idempotent producers: who may append what next, and what was appended already.
//!
//! Pure: batches in, verdicts out. It is rebuilt from a snapshot in the newest cold object and the indexes
//! of the slots after it. A producer is forgotten after it has been silent for a time measured by when slots were
//! appended, never by the timestamps in records, which may be years old.

use std::collections::HashMap;
use std::collections::VecDeque;
use std::time::Duration;

use firn_catalog::ids::{Offset, Slot};
use firn_runtime::Timestamp;

use crate::batch::{BatchMeta, ProducerStamp};

/// How many of a producer's last batches can be told to be duplicates, as in Apache Kafka: a client has at most
/// five requests in flight.
pub const REMEMBERED_BATCHES: usize = 5;

/// One of the last batches of a producer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProducerBatch {
    /// The sequence number of its first record.
    pub first_sequence: i32,
    /// The sequence number of its last record.
    pub last_sequence: i32,
    /// The offset of its first record.
    pub first: Offset,
    /// The offset of its last record.
    pub last: Offset,
}

/// A producer's state, as stored beside the batches of a cold object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProducerSnapshot {
    /// The producer id.
    pub id: i64,
    /// Its current epoch.
    pub epoch: i16,
    /// When its last batch was appended.
    pub last_appended_at: Timestamp,
    /// Its last batches in that epoch, oldest first; at most [`REMEMBERED_BATCHES`].
    pub batches: Vec<ProducerBatch>,
    /// The epoch of the coordinator that wrote its last marker; -1 if there was none.
    pub coordinator_epoch: i32,
    /// The first offset of its open transaction, if one is open.
    pub open_transaction_first: Option<Offset>,
}

/// What may be done with a batch that has a producer id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It comes next: append it.
    Append,
    /// It was appended before, at these offsets, in that slot (`None`: a slot of an earlier incarnation,
    /// which counts). The answer waits for the slot.
    Duplicate {
        /// The offset of its first record.
        first: Offset,
        /// The offset of its last record.
        last: Offset,
        /// Its largest timestamp: when it was appended, in a topic with LogAppendTime. `None` where a snapshot tells
        /// of it, which does not say.
        timestamp: Option<Timestamp>,
        /// The slot it is in.
        slot: Option<Slot>,
    },
}

/// Why a batch may not be appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SequenceError {
    /// A gap or a duplicate too old to be told: the producer has to give up or bump its epoch.
    #[error("sequence {got} of producer {id} is out of order: {expected} comes next")]
    OutOfOrder {
        /// The producer.
        id: i64,
        /// The first sequence it sent.
        got: i32,
        /// The one that would have been accepted.
        expected: i32,
    },
    /// A newer instance of the producer has taken over.
    #[error("epoch {got} of producer {id} is fenced: the current one is {current}")]
    Fenced {
        /// The producer.
        id: i64,
        /// The epoch it sent.
        got: i16,
        /// The current epoch.
        current: i16,
    },
}

#[derive(Clone, Copy, Debug)]
struct Remembered {
    batch: ProducerBatch,
    timestamp: Option<Timestamp>,
    slot: Option<Slot>,
}

#[derive(Clone, Debug)]
struct Producer {
    epoch: i16,
    last_appended_at: Timestamp,
    coordinator_epoch: i32,
    open_transaction_first: Option<Offset>,
    batches: VecDeque<Remembered>,
}

/// The producers of one partition.
#[derive(Clone, Debug, Default)]
pub struct Producers {
    by_id: HashMap<i64, Producer>,
}

impl Producers {
    /// The state that a snapshot tells.
    pub fn from_snapshot(snapshot: Vec<ProducerSnapshot>) -> Self {
        let by_id = snapshot.into_iter().map(|stored| {
            let batches = stored
                .batches
                .iter()
                .map(|&batch| Remembered {
                    batch,
                    timestamp: None,
                    slot: None,
                })
                .collect();
            let producer = Producer {
                epoch: stored.epoch,
                last_appended_at: stored.last_appended_at,
                coordinator_epoch: stored.coordinator_epoch,
                open_transaction_first: stored.open_transaction_first,
                batches,
            };
            (stored.id, producer)
        });
        Self {
            by_id: by_id.collect(),
        }
    }

    /// The state, in order of producer id.
    pub fn snapshot(&self) -> Vec<ProducerSnapshot> {
        let mut all: Vec<_> = self
            .by_id
            .iter()
            .map(|(&id, producer)| ProducerSnapshot {
                id,
                epoch: producer.epoch,
                last_appended_at: producer.last_appended_at,
                batches: producer
                    .batches
                    .iter()
                    .map(|remembered| remembered.batch)
                    .collect(),
                coordinator_epoch: producer.coordinator_epoch,
                open_transaction_first: producer.open_transaction_first,
            })
            .collect();
        all.sort_unstable_by_key(|producer| producer.id);
        all
    }

    /// Whether a batch may be appended now. Duplicates are told first, as clients rely on.
    pub fn check(&self, stamp: &ProducerStamp) -> Result<Verdict, SequenceError> {
        // A producer that is not known may start anywhere: its state may have expired.
        let Some(producer) = self.by_id.get(&stamp.id) else {
            return Ok(Verdict::Append);
        };
        let out_of_order = |expected| SequenceError::OutOfOrder {
            id: stamp.id,
            got: stamp.first_sequence,
            expected,
        };
        if stamp.epoch < producer.epoch {
            return Err(SequenceError::Fenced {
                id: stamp.id,
                got: stamp.epoch,
                current: producer.epoch,
            });
        }
        if stamp.epoch > producer.epoch {
            return if stamp.first_sequence == 0 {
                Ok(Verdict::Append)
            } else {
                Err(out_of_order(0))
            };
        }
        let same = |known: &&Remembered| {
            known.batch.first_sequence == stamp.first_sequence
                && known.batch.last_sequence == stamp.last_sequence
        };
        if let Some(known) = producer.batches.iter().rev().find(same) {
            return Ok(Verdict::Duplicate {
                first: known.batch.first,
                last: known.batch.last,
                timestamp: known.timestamp,
                slot: known.slot,
            });
        }
        match producer.batches.back() {
            Some(newest) if stamp.first_sequence != next_sequence(newest.batch.last_sequence) => {
                Err(out_of_order(next_sequence(newest.batch.last_sequence)))
            }
            _ => Ok(Verdict::Append),
        }
    }

    /// Takes note of a batch in the log. Batches come in offset order; one that is known already, because
    /// a snapshot holds it, changes nothing.
    pub fn apply(&mut self, meta: &BatchMeta, appended_at: Timestamp) {
        self.note(meta, appended_at, None);
    }

    /// Takes note of a batch that was just put into a slot that may not count yet.
    pub fn appended(&mut self, meta: &BatchMeta, appended_at: Timestamp, slot: Slot) {
        self.note(meta, appended_at, Some(slot));
    }

    fn note(&mut self, meta: &BatchMeta, appended_at: Timestamp, slot: Option<Slot>) {
        let Some(stamp) = meta.producer else { return };
        let producer = self.by_id.entry(stamp.id).or_insert_with(|| Producer {
            epoch: stamp.epoch,
            last_appended_at: appended_at,
            coordinator_epoch: -1,
            open_transaction_first: None,
            batches: VecDeque::new(),
        });
        if producer
            .batches
            .back()
            .is_some_and(|newest| meta.last <= newest.batch.last)
        {
            return;
        }
        if stamp.epoch != producer.epoch {
            producer.epoch = stamp.epoch;
            producer.batches.clear();
        }
        producer.last_appended_at = producer.last_appended_at.max(appended_at);
        if let Some(marker) = meta.marker {
            producer.coordinator_epoch = marker.coordinator_epoch;
            producer.open_transaction_first = None;
            return;
        }
        if meta.transactional && producer.open_transaction_first.is_none() {
            producer.open_transaction_first = Some(meta.first);
        }
        if producer.batches.len() == REMEMBERED_BATCHES {
            producer.batches.pop_front();
        }
        let batch = ProducerBatch {
            first_sequence: stamp.first_sequence,
            last_sequence: stamp.last_sequence,
            first: meta.first,
            last: meta.last,
        };
        producer.batches.push_back(Remembered {
            batch,
            timestamp: Some(Timestamp(meta.max_timestamp)),
            slot,
        });
    }

    /// Forgets producers that have been silent for `silence`, unless a transaction of theirs is open.
    pub fn expire(&mut self, now: Timestamp, silence: Duration) {
        self.by_id.retain(|_, producer| {
            producer.open_transaction_first.is_some() || now.since(producer.last_appended_at) < silence
        });
    }
}

/// The sequence number after `sequence`: they wrap from `i32::MAX` to 0.
pub fn next_sequence(sequence: i32) -> i32 {
    if sequence == i32::MAX { 0 } else { sequence + 1 }
}

#[cfg(test)]
#[path = "producers_tests.rs"]
mod tests;
