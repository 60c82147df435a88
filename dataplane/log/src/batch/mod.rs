//! Record batches, format version 2: what a header says, whether a batch may be appended, and its records.
//!
//! Byte layout: `docs/formats/record-batch.md`. `base_offset` and `partition_leader_epoch` lie outside the
//! checksum, so the leader patches them in place.

mod builder;
mod compression;
#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "golden files are files")]
mod golden;
mod header;
mod records;
#[cfg(test)]
mod tests;
mod validate;

use firn_catalog::ids::{LeaderEpoch, Offset, PartitionId};
use serde::{Deserialize, Serialize};

pub use builder::{BatchBuilder, read_marker};
pub use compression::Compression;
pub use header::{BatchHeader, LOG_APPEND_TIME};
pub use records::{
    DEFAULT_MAX_DECOMPRESSED_BYTES, RecordView, Records, RecordsError, find_record, records, records_within,
};
pub use validate::{
    BatchError, BatchRules, RecordError, TimestampType, ValidBatch, WorkBudget, patch, stamp_log_append_time,
    validate, validate_within,
};

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
    /// What the index will say of a batch with this header, its offset and epoch patched. `marker` belongs to a control
    /// batch.
    ///
    /// # Panics
    /// If the header claims less than its own size: validate first.
    pub fn of(partition: PartitionId, header: &BatchHeader, marker: Option<Marker>) -> Self {
        let length = header.total_size().and_then(|size| u32::try_from(size).ok());
        Self {
            partition,
            leader_epoch: LeaderEpoch(header.partition_leader_epoch),
            first: Offset(header.base_offset),
            last: Offset(header.base_offset + i64::from(header.last_offset_delta)),
            length: length.expect("a validated batch is no shorter than its header"),
            base_timestamp: header.base_timestamp,
            max_timestamp: header.max_timestamp,
            producer: header.producer(),
            transactional: header.is_transactional(),
            marker,
        }
    }

    /// One past its last offset.
    pub fn end(&self) -> Offset {
        self.last.plus(1)
    }
}
