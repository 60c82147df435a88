//! What is in a `seg/` or `mux/` object. Byte layout: `docs/formats/cold-object.md`.
//!
//! Header and index stand at the front, so that one range GET of a known size reads them; behind them lie whole record
//! batches, grouped by partition, in offset order. The index says enough to rebuild the catalog's row and to open a
//! partition: offsets, times, leader epochs, producer state. Every byte is under a checksum that a range read can
//! check: the index under its own, the data in *chunks* of about 64 KiB of whole batches each.
//!
//! Rejected: the index at the end, as file formats have it that are written as a stream; an object is built in memory
//! here, and a footer costs a second round trip. Rejected: trusting the CRC32C inside a batch; it leaves out the offset,
//! the length and the leader epoch.

mod build;
mod decode;
mod encode;
#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "golden files are files")]
mod tests;

use firn_catalog::cell::{ObjectKind, ObjectRow, SegmentRange};
use firn_catalog::ids::{LeaderEpoch, ObjectId, Offset, PartitionId};
use firn_runtime::Timestamp;

use crate::partition::producers::ProducerSnapshot;

pub use build::{BuiltObject, ExtentBuilder, FinishedExtent, build};
pub use decode::{declared_index_size, decode_front};

/// The first bytes of an object.
pub const MAGIC: [u8; 8] = *b"FIRNCOLD";
/// The newest format that this version reads and the one it writes.
pub const FORMAT_VERSION: u32 = 1;
/// Bytes of the header, before the index.
pub const HEADER_SIZE: usize = 64;
/// A chunk is closed once it has this many bytes; a batch is never split.
pub const CHUNK_BYTES: u64 = 64 * 1024;

const KIND_SEGMENT: u32 = 1;
const KIND_MUX: u32 = 2;

/// Why bytes are not what an object's row says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// Not the beginning of a cold object.
    #[error("not a cold object: the first bytes are {0}")]
    UnknownMagic(String),
    /// Written by a newer version of Firn.
    #[error(
        "cold object format version {0} is newer than {FORMAT_VERSION}, the newest that this version of Firn reads: upgrade Firn"
    )]
    NewerVersion(u32),
    /// The bytes changed since they were written, or some are missing.
    #[error("the checksum of the {0} does not match")]
    Checksum(&'static str),
    /// The contents contradict themselves, or what was to be written does.
    #[error("malformed: {0}")]
    Malformed(&'static str),
}

/// An object's header and index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectIndex {
    /// The object's id, which its name repeats.
    pub id: ObjectId,
    /// Segment or mux.
    pub kind: ObjectKind,
    /// When it was built.
    pub created_at: Timestamp,
    /// Bytes of header and index; the data begins here.
    pub index_size: u64,
    /// Bytes in all.
    pub size: u64,
    /// What it holds, ascending by partition and then by offset. Extents of one partition never touch.
    pub extents: Vec<Extent>,
}

/// A range of one partition's log inside an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Whose batches.
    pub partition: PartitionId,
    /// The first offset.
    pub first: Offset,
    /// One past the last offset.
    pub end: Offset,
    /// The position of its first byte in the object.
    pub position: u64,
    /// Its bytes.
    pub length: u64,
    /// Records in it.
    pub records: u64,
    /// The largest record timestamp, in ms; -1 for none.
    pub max_timestamp: i64,
    /// The first offset of the first batch with that timestamp.
    pub max_timestamp_batch: Offset,
    /// When the slot of its first batch was appended.
    pub first_appended_at: Timestamp,
    /// When the slot of its last batch was appended.
    pub last_appended_at: Timestamp,
    /// CRC32C of its data.
    pub checksum: u32,
    /// The partition's history of leader epochs up to the extent's end: each epoch and its first offset.
    pub epochs: Vec<(LeaderEpoch, Offset)>,
    /// The partition's idempotent producers at the extent's end, ascending by id.
    pub producers: Vec<ProducerSnapshot>,
    /// Transactions that were aborted by a marker in this extent, ascending by their markers. Empty until transactions
    /// exist.
    pub aborted: Vec<AbortedRange>,
    /// Where its chunks begin; the first at the extent's first byte.
    pub points: Vec<Point>,
}

/// An aborted transaction whose marker lies in an extent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AbortedRange {
    /// Whose transaction.
    pub producer_id: i64,
    /// The offset of its first record.
    pub first: Offset,
    /// The offset of its marker.
    pub last: Offset,
}

/// The beginning of a chunk: whole batches under one checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// The first offset of the chunk's first batch.
    pub offset: Offset,
    /// The position of its first byte, from the extent's first byte.
    pub position: u64,
    /// The largest record timestamp in the chunk, in ms; -1 for none.
    pub max_timestamp: i64,
    /// CRC32C of the chunk.
    pub checksum: u32,
}

impl Extent {
    /// The number of the chunk that holds `offset`, if the extent does.
    pub fn chunk_of(&self, offset: Offset) -> Option<usize> {
        if offset < self.first || offset >= self.end {
            return None;
        }
        self.points
            .partition_point(|point| point.offset <= offset)
            .checked_sub(1)
    }

    /// One past the last byte of a chunk, from the extent's first byte.
    pub fn chunk_end(&self, chunk: usize) -> u64 {
        self.points
            .get(chunk + 1)
            .map_or(self.length, |next| next.position)
    }

    /// One past the last offset of a chunk.
    pub fn chunk_end_offset(&self, chunk: usize) -> Offset {
        self.points.get(chunk + 1).map_or(self.end, |next| next.offset)
    }
}

impl ObjectIndex {
    /// The extents of one partition, in offset order.
    pub fn extents_of(&self, partition: PartitionId) -> &[Extent] {
        let from = self
            .extents
            .partition_point(|extent| extent.partition < partition);
        let to = self
            .extents
            .partition_point(|extent| extent.partition <= partition);
        &self.extents[from..to]
    }

    /// The extent of `partition` that begins at `first`.
    pub fn extent_at(&self, partition: PartitionId, first: Offset) -> Option<&Extent> {
        self.extents_of(partition)
            .iter()
            .find(|extent| extent.first == first)
    }

    /// The row that names this object in the catalog.
    pub fn row(&self) -> ObjectRow {
        let segment = match (self.kind, self.extents.first()) {
            (ObjectKind::Segment, Some(extent)) => Some(SegmentRange {
                partition: extent.partition,
                first: extent.first,
                end: extent.end,
            }),
            (ObjectKind::Segment | ObjectKind::Mux | ObjectKind::RecoveryIndex, _) => None,
        };
        ObjectRow {
            id: self.id,
            kind: self.kind,
            size: self.size,
            index_size: self.index_size,
            segment,
        }
    }
}

/// CRC32C of a front without its checksum field.
fn front_checksum(front: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&front[..12]), &front[16..])
}
