//! What is in a register: a slot or a fence.
//!
//! Byte layout: `docs/formats/wal-slot.md`. A slot is a *front* (header and index) and the batches behind it,
//! grouped by partition. The front has a checksum of its own, so that recovery reads fronts and nothing else.
//! All integers are big-endian, as in Kafka's batches. A count or length found in the bytes is never believed before the
//! bytes it speaks of are there.
//!
//! Rejected: a varint index. It saves about a third of 41 to 63 bytes per batch and makes the length of a front
//! depend on its values.

mod encode;
mod fence;
mod fields;
mod index;
#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "golden files are files")]
mod tests;

use bytes::Bytes;
use firn_catalog::ids::{IncarnationId, Slot};
use firn_runtime::Timestamp;

use crate::batch::BatchMeta;

pub use encode::{encode, encoded_overhead};
pub use fence::Fence;
use fields::Fields;

/// The first bytes of a slot.
pub const SLOT_MAGIC: [u8; 8] = *b"FIRNSLOT";
/// The first bytes of a fence.
pub const FENCE_MAGIC: [u8; 8] = *b"FIRNFENC";
/// The newest format that this version reads and the one it writes.
pub const FORMAT_VERSION: u32 = 1;
/// Bytes of a slot's header, before its index.
pub const HEADER_SIZE: usize = 80;
/// Bytes that are checksummed apart from the rest, around the checksum field itself.
const CHECKSUM_AT: std::ops::Range<usize> = 12..16;

/// Why bytes are not a register of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// More bytes are needed to tell.
    #[error("{have} bytes where at least {needed} are needed")]
    TooShort {
        /// How many would do, as far as one can see.
        needed: u64,
        /// How many there are.
        have: u64,
    },
    /// Neither a slot nor a fence.
    #[error("neither a slot nor a fence: the first bytes are {0}")]
    UnknownMagic(String),
    /// Written by a newer version of Firn.
    #[error(
        "{what} format version {found} is newer than {FORMAT_VERSION}, the newest that this version of Firn reads"
    )]
    NewerVersion {
        /// Slot or fence.
        what: &'static str,
        /// What the bytes say.
        found: u32,
    },
    /// The bytes changed since they were written.
    #[error("the checksum of the {0} does not match")]
    Checksum(&'static str),
    /// The checksum matches but the contents contradict themselves.
    #[error("malformed: {0}")]
    Malformed(&'static str),
}

/// A slot's header and index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotFront {
    /// Whose log it belongs to.
    pub incarnation: IncarnationId,
    /// Its number.
    pub slot: Slot,
    /// When it was written, all slots up to this one were durable; `None` if none was known to be.
    pub durable_through: Option<Slot>,
    /// The broker's wall clock when the slot froze. Producer state expires by it.
    pub appended_at: Timestamp,
    /// Bytes of header and index: where the batches begin.
    pub data_start: u64,
    /// Bytes of all batches.
    pub data_length: u64,
    /// CRC32C of the batches.
    pub data_checksum: u32,
    /// Its batches, grouped by partition, and the position of each one's first byte in the slot.
    pub batches: Vec<(BatchMeta, u64)>,
}

impl SlotFront {
    /// Bytes of the whole slot.
    pub fn total_length(&self) -> u64 {
        self.data_start + self.data_length
    }
}

/// What a register holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Register {
    /// Batches of the incarnation that owns the log.
    Slot(SlotFront),
    /// A successor was here: the log ends before this slot.
    Fence(Fence),
}

impl Register {
    /// Reads header and index, and checks their checksum; bytes after them do not matter. [`FormatError::TooShort`]
    /// says how many bytes to come back with.
    pub fn parse_front(bytes: &Bytes) -> Result<Self, FormatError> {
        let needed = front_length(bytes)?;
        need(bytes, needed)?;
        if bytes.starts_with(&FENCE_MAGIC) {
            return Fence::parse(bytes).map(Self::Fence);
        }
        let front_end = usize::try_from(needed).map_err(|_| FormatError::Malformed("index length"))?;
        parse_slot(&bytes[..front_end]).map(Self::Slot)
    }

    /// Reads header and index of a complete register, and checks its length and every checksum.
    pub fn verify_whole(bytes: &Bytes) -> Result<Self, FormatError> {
        let register = Self::parse_front(bytes)?;
        let length = match &register {
            Self::Slot(front) => front.total_length(),
            Self::Fence(_) => Fence::SIZE as u64,
        };
        need(bytes, length)?;
        if bytes.len() as u64 > length {
            return Err(FormatError::Malformed("bytes after its end"));
        }
        if let Self::Slot(front) = &register {
            let start =
                usize::try_from(front.data_start).map_err(|_| FormatError::Malformed("index length"))?;
            if crc32c::crc32c(&bytes[start..]) != front.data_checksum {
                return Err(FormatError::Checksum("slot's batches"));
            }
        }
        Ok(register)
    }

    /// Whether this is the register at `slot` of `incarnation`'s log, as it says itself.
    pub fn is_at(&self, incarnation: IncarnationId, slot: Slot) -> bool {
        match self {
            Self::Slot(front) => (front.incarnation, front.slot) == (incarnation, slot),
            Self::Fence(fence) => (fence.dead, fence.slot) == (incarnation, slot),
        }
    }
}

/// How many bytes header and index of this register have, going by its first [`HEADER_SIZE`] bytes (fewer for a fence).
/// The answer is not checked by a checksum: ask for that many bytes, but do not allocate them on its word.
pub fn front_length(bytes: &[u8]) -> Result<u64, FormatError> {
    let magic: &[u8; 8] = bytes.first_chunk().ok_or(FormatError::TooShort {
        needed: Fence::SIZE as u64,
        have: bytes.len() as u64,
    })?;
    let (what, header) = match *magic {
        SLOT_MAGIC => ("slot", HEADER_SIZE),
        FENCE_MAGIC => ("fence", Fence::SIZE),
        other => return Err(FormatError::UnknownMagic(hex::encode(other))),
    };
    need(bytes, header as u64)?;
    let mut fields = Fields::new(&bytes[8..]);
    match fields.u32()? {
        FORMAT_VERSION => {}
        0 => return Err(FormatError::Malformed("format version 0")),
        found => return Err(FormatError::NewerVersion { what, found }),
    }
    if *magic == FENCE_MAGIC {
        return Ok(Fence::SIZE as u64);
    }
    let index_length = Fields::new(&bytes[56..]).u32()?;
    Ok(HEADER_SIZE as u64 + u64::from(index_length))
}

/// CRC32C of `bytes` without the checksum field.
fn checksum(bytes: &[u8]) -> u32 {
    crc32c::crc32c_append(
        crc32c::crc32c(&bytes[..CHECKSUM_AT.start]),
        &bytes[CHECKSUM_AT.end..],
    )
}

fn need(bytes: &[u8], needed: u64) -> Result<(), FormatError> {
    let have = bytes.len() as u64;
    if have < needed {
        Err(FormatError::TooShort { needed, have })
    } else {
        Ok(())
    }
}

/// `front` is exactly header and index.
fn parse_slot(front: &[u8]) -> Result<SlotFront, FormatError> {
    let mut fields = Fields::new(&front[CHECKSUM_AT.start..]);
    if fields.u32()? != checksum(front) {
        return Err(FormatError::Checksum("slot's header and index"));
    }
    let incarnation = IncarnationId(fields.u128()?);
    let slot = Slot(fields.u64()?);
    let durable_through = fields.u64()?.checked_sub(1).map(Slot);
    let appended_at = Timestamp(fields.i64()?);
    let _index_length = fields.u32()?;
    let count = fields.u32()?;
    let data_length = fields.u64()?;
    let data_checksum = fields.u32()?;
    let groups = fields.u32()?;
    let data_start = front.len() as u64;
    let batches = index::parse(&mut fields, groups, count, data_start)?;
    let end = batches
        .last()
        .map_or(data_start, |(meta, position)| position + u64::from(meta.length));
    if data_start.checked_add(data_length) != Some(end) {
        return Err(FormatError::Malformed("the index and the data length disagree"));
    }
    Ok(SlotFront {
        incarnation,
        slot,
        durable_through,
        appended_at,
        data_start,
        data_length,
        data_checksum,
        batches,
    })
}
