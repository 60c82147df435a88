//! The recovery index: what a sealed write-ahead log holds, in one object. Byte layout:
//! `docs/formats/recovery-index.md`.
//!
//! It repeats the fronts (header and index) of the slots from the trim point to the fence, so that whoever opens a
//! partition reads one object instead of every slot. It is written once, under a name of its attempt's own,
//! and counts only while an incarnation's row names it.
//!
//! Rejected: an encoding of its own. A front says all that is needed, has its own checksum, and has one parser.

use std::collections::BTreeMap;

use bytes::{BufMut, Bytes, BytesMut};
use firn_catalog::cell::Incarnation;
use firn_catalog::ids::{IncarnationId, ObjectId, PartitionId, Slot};
use firn_runtime::Timestamp;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

use super::insist::insist;
use crate::batch::BatchMeta;
use crate::wal::slot::{Register, SlotFront, front_length};

const MAGIC: &[u8; 8] = b"FIRNRECV";
/// The version that this build writes, and the newest that it reads.
const VERSION: u32 = 1;
/// Where the checksummed part begins: after magic, version and the checksum itself.
const CHECKED_FROM: usize = 16;
/// Bytes before the first front.
const HEADER_SIZE: usize = 48;

/// What a sealed write-ahead log holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecoveryIndex {
    /// Whose log.
    pub incarnation: IncarnationId,
    /// The slot that holds the fence; nothing in it or after it counts.
    pub fence: Slot,
    /// The slots before the fence that are not in cold objects, in order and without a hole.
    pub slots: Vec<SlotFront>,
}

/// One batch of a sealed log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedBatch {
    /// The slot that holds it.
    pub slot: Slot,
    /// When the slot's writer froze it: producer state expires by this.
    pub appended_at: Timestamp,
    /// The position of its first byte in the slot.
    pub position: u64,
    /// What the slot's index says of it.
    pub meta: BatchMeta,
}

/// Why a recovery index cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IndexError {
    /// Try again: the object store did not answer.
    #[error("the object store did not answer for recovery index {id}: {reason}")]
    Unavailable {
        /// Which.
        id: ObjectId,
        /// What the store said.
        reason: String,
    },
    /// Read the incarnation's row again; only if it still names the object is this an alarm.
    #[error("recovery index {0} is not in the object store")]
    Missing(ObjectId),
    /// Written by a newer version of Firn.
    #[error(
        "a recovery index has format version {0}; this version of Firn reads up to {VERSION}: upgrade Firn"
    )]
    NewerFormat(u32),
    /// What is stored is not what was written.
    #[error("a recovery index is damaged: {0}")]
    Corrupt(String),
    /// The row that was to name it names none: the incarnation is not sealed.
    #[error("incarnation {0} has no recovery index: it is not sealed")]
    NotSealed(IncarnationId),
}

impl RecoveryIndex {
    /// Its batches by partition, in slot order within each.
    pub fn runs(&self) -> BTreeMap<PartitionId, Vec<SealedBatch>> {
        let mut runs: BTreeMap<PartitionId, Vec<SealedBatch>> = BTreeMap::new();
        for front in &self.slots {
            for (meta, position) in &front.batches {
                runs.entry(meta.partition).or_default().push(SealedBatch {
                    slot: front.slot,
                    appended_at: front.appended_at,
                    position: *position,
                    meta: meta.clone(),
                });
            }
        }
        runs
    }

    /// The object's bytes: `fronts` are those of the slots that end before `fence`, exactly header and index each.
    pub(super) fn encode(incarnation: IncarnationId, fence: Slot, fronts: &[Bytes]) -> Bytes {
        let length: usize = fronts.iter().map(Bytes::len).sum();
        let mut out = BytesMut::with_capacity(HEADER_SIZE + length);
        out.put_slice(MAGIC);
        out.put_u32(VERSION);
        out.put_u32(0);
        out.put_u128(incarnation.0);
        out.put_u64(fence.0 - fronts.len() as u64);
        out.put_u64(fence.0);
        for front in fronts {
            out.put_slice(front);
        }
        let crc = crc32c::crc32c(&out[CHECKED_FROM..]);
        out[12..CHECKED_FROM].copy_from_slice(&crc.to_be_bytes());
        out.freeze()
    }

    /// Reads an object's bytes.
    pub fn decode(bytes: &Bytes) -> Result<Self, IndexError> {
        if !bytes.starts_with(MAGIC) {
            return Err(corrupt("it does not begin as one"));
        }
        let version = number(bytes, 8).map(u32::from_be_bytes)?;
        if version > VERSION {
            return Err(IndexError::NewerFormat(version));
        }
        let crc = number(bytes, 12).map(u32::from_be_bytes)?;
        if version == 0 || crc != crc32c::crc32c(&bytes[CHECKED_FROM..]) {
            return Err(corrupt("its checksum is wrong"));
        }
        let incarnation = IncarnationId(number(bytes, 16).map(u128::from_be_bytes)?);
        let first = number(bytes, 32).map(u64::from_be_bytes)?;
        let fence = number(bytes, 40).map(u64::from_be_bytes)?;
        let mut rest = bytes.slice(HEADER_SIZE..);
        // The range is not trusted with memory: each turn takes a front off the rest, or fails.
        let mut slots = Vec::new();
        for slot in first..fence {
            slots.push(take_front(&mut rest, incarnation, Slot(slot))?);
        }
        if first > fence || !rest.is_empty() {
            return Err(corrupt("it does not end where it says"));
        }
        Ok(Self {
            incarnation,
            fence: Slot(fence),
            slots,
        })
    }
}

fn corrupt(reason: impl Into<String>) -> IndexError {
    IndexError::Corrupt(reason.into())
}

fn number<const N: usize>(bytes: &[u8], at: usize) -> Result<[u8; N], IndexError> {
    bytes
        .get(at..)
        .and_then(|rest| rest.first_chunk())
        .copied()
        .ok_or_else(|| corrupt("it is cut short"))
}

/// Takes the front of `slot` off `rest`.
fn take_front(rest: &mut Bytes, incarnation: IncarnationId, slot: Slot) -> Result<SlotFront, IndexError> {
    let wrong = |error| corrupt(format!("slot {slot}: {error}"));
    let register = Register::parse_front(rest).map_err(wrong)?;
    let length = front_length(rest).map_err(wrong)?;
    let length = usize::try_from(length).map_err(|_| corrupt("a front that is too long"))?;
    *rest = rest.slice(length..);
    match register {
        Register::Slot(front) if (front.incarnation, front.slot) == (incarnation, slot) => Ok(front),
        Register::Slot(_) | Register::Fence(_) => Err(corrupt(format!("slot {slot}: it holds another one"))),
    }
}

/// The name of a recovery index in the object store.
pub fn object_path(id: ObjectId) -> Path {
    // Random ids: their own first digits spread the names over the store's partitions.
    Path::from(format!("recovery/{:02x}/{id}", id.0 >> 120))
}

/// Reads the recovery index that the row of a sealed incarnation names. A silent store is asked again for a while.
pub async fn load(store: &dyn ObjectStore, row: &Incarnation) -> Result<RecoveryIndex, IndexError> {
    let (Some(id), Some(fence)) = (row.recovery_index, row.fence) else {
        return Err(IndexError::NotSealed(row.id));
    };
    let path = object_path(id);
    let bytes = insist(|| async {
        let answer = store.get(&path).await.map_err(|error| failed(id, error))?;
        answer.bytes().await.map_err(|error| failed(id, error))
    });
    let index = RecoveryIndex::decode(&bytes.await?)?;
    if (index.incarnation, index.fence) != (row.id, fence) {
        return Err(corrupt(
            "it is another incarnation's, or has another fence than the row",
        ));
    }
    Ok(index)
}

fn failed(id: ObjectId, error: object_store::Error) -> IndexError {
    match error {
        object_store::Error::NotFound { .. } => IndexError::Missing(id),
        other => IndexError::Unavailable {
            id,
            reason: other.to_string(),
        },
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "golden files are files")]
mod tests;
