//! A run: consecutive batches of one partition that lie next to each other in one slot.

use bytes::Bytes;
use firn_catalog::ids::{IncarnationId, LeaderEpoch, Offset, Slot};

use crate::batch::{BatchHeader, BatchMeta};

/// A run is closed once it holds this many bytes: a read that begins in its middle, or has no room for its end, reads about as
/// much in vain.
const TARGET_BYTES: u64 = 64 << 10;

/// Consecutive batches of one partition and one leader epoch inside one slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Whose write-ahead log the slot belongs to.
    pub wal: IncarnationId,
    /// The slot.
    pub slot: Slot,
    /// The leader epoch of its batches.
    pub leader_epoch: LeaderEpoch,
    /// The offset of its first record.
    pub first: Offset,
    /// One past the offset of its last record.
    pub end: Offset,
    /// The position of its first byte in the slot.
    pub position: u64,
    /// Its bytes.
    pub length: u64,
    /// The largest timestamp in it, ms.
    pub max_timestamp: i64,
}

/// What a read found in place of a run's batches.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "slot {slot} of incarnation {wal} does not hold the batches {first}..{end} that its index names: {what}"
)]
pub struct DamagedRun {
    wal: IncarnationId,
    slot: Slot,
    first: Offset,
    end: Offset,
    what: &'static str,
}

impl Run {
    /// The run that consists of one batch.
    pub fn of(wal: IncarnationId, slot: Slot, meta: &BatchMeta, position: u64) -> Self {
        Self {
            wal,
            slot,
            leader_epoch: meta.leader_epoch,
            first: meta.first,
            end: meta.end(),
            position,
            length: u64::from(meta.length),
            max_timestamp: meta.max_timestamp,
        }
    }

    /// Adds a batch if it continues this run and there is room; tells whether it did.
    pub fn extend(&mut self, slot: Slot, meta: &BatchMeta, position: u64) -> bool {
        let continues = slot == self.slot
            && meta.first == self.end
            && meta.leader_epoch == self.leader_epoch
            && position == self.position + self.length
            && self.length < TARGET_BYTES;
        if continues {
            self.end = meta.end();
            self.length += u64::from(meta.length);
            self.max_timestamp = self.max_timestamp.max(meta.max_timestamp);
        }
        continues
    }

    /// Splits the run's bytes into its batches, after checking that they are just the batches that the index named:
    /// offsets without a gap, the leader epoch, every checksum. The bytes come from a disk or a store.
    pub fn batches(&self, bytes: &Bytes) -> Result<Vec<(BatchHeader, Bytes)>, DamagedRun> {
        let damaged = |what| DamagedRun {
            wal: self.wal,
            slot: self.slot,
            first: self.first,
            end: self.end,
            what,
        };
        let mut batches = Vec::new();
        let mut rest = bytes.clone();
        let mut next = self.first;
        while !rest.is_empty() {
            let header = BatchHeader::read(&rest).ok_or_else(|| damaged("a batch is cut short"))?;
            let size = header.total_size().filter(|&size| size <= rest.len());
            let batch = rest.split_to(size.ok_or_else(|| damaged("a batch has an impossible length"))?);
            if header.base_offset != next.0 || header.last_offset_delta < 0 {
                return Err(damaged("an offset is not the expected one"));
            }
            if header.partition_leader_epoch != self.leader_epoch.0 || header.magic != 2 {
                return Err(damaged("a leader epoch or the format is not the expected one"));
            }
            if crc32c::crc32c(&batch[BatchHeader::CRC_START..]) != header.crc {
                return Err(damaged("a checksum does not match"));
            }
            next = next.plus(i64::from(header.last_offset_delta) + 1);
            batches.push((header, batch));
        }
        if next == self.end {
            Ok(batches)
        } else {
            Err(damaged("batches are missing"))
        }
    }
}
