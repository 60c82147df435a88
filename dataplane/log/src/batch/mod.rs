//! Record batches, format version 2: what a header says, whether a batch may be appended, and its records.
//!
//! Byte layout: `docs/formats/record-batch.md`. `base_offset` and `partition_leader_epoch` lie outside the
//! checksum, so the leader patches them in place.

mod header;

use firn_catalog::ids::{LeaderEpoch, Offset, PartitionId};
use serde::{Deserialize, Serialize};

pub use header::BatchHeader;

/// Who wrote an idempotent or transactional batch, and as what part of their sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProducerStamp {
    /// The producer id; never negative.
    pub id: i64,
    /// The producer epoch.
    pub epoch: i16,
    /// The sequence number of the first record.
    pub first_sequence: i32,
    /// The sequence number of the last record (wraps from `i32::MAX` to 0).
    pub last_sequence: i32,
}

/// What a slot's index says of one batch: all that recovery needs, without reading the batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchMeta {
    /// The partition it belongs to.
    pub partition: PartitionId,
    /// The leader epoch in which it was appended.
    pub leader_epoch: LeaderEpoch,
    /// The offset of its first record.
    pub first: Offset,
    /// The offset of its last record.
    pub last: Offset,
    /// Its bytes, from the base offset field to its end.
    pub length: u32,
    /// The smallest timestamp that its header claims (the base timestamp), in ms.
    pub base_timestamp: i64,
    /// The largest timestamp, in ms; -1 if the records carry none.
    pub max_timestamp: i64,
    /// The producer, if it has an id.
    pub producer: Option<ProducerStamp>,
    /// Whether it belongs to a transaction.
    pub transactional: bool,
    /// For a control batch (a transaction marker): the verdict and the coordinator's epoch.
    pub marker: Option<Marker>,
}

/// A transaction marker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marker {
    /// Whether the transaction committed.
    pub commit: bool,
    /// The epoch of the coordinator that wrote it.
    pub coordinator_epoch: i32,
}

impl BatchMeta {
    /// One past its last offset.
    pub fn end(&self) -> Offset {
        self.last.plus(1)
    }
}
