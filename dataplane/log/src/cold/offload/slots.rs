//! Reading whole slots of a write-ahead log.

use bytes::Bytes;
use firn_catalog::ids::{IncarnationId, Slot};

use super::{OffloadBatch, OffloadSlot};
use crate::checksum;
use crate::wal::slot::{FormatError, Register};
use crate::wal::{WalError, WriteAheadLog};

/// Reads a slot from its log and checks all of it. An absent one is damage: the caller knows that it counts.
pub async fn read_slot(
    wal: &dyn WriteAheadLog,
    incarnation: IncarnationId,
    slot: Slot,
) -> Result<OffloadSlot, WalError> {
    match wal.get(incarnation, slot).await? {
        Some(bytes) => slot_of_bytes(&bytes, incarnation, slot),
        None => Err(corrupt(incarnation, slot, "it is not there")),
    }
}

/// A slot from its bytes, after all its checksums were checked: that of the batches together by joining theirs, so
/// that each byte is read once.
pub fn slot_of_bytes(bytes: &Bytes, incarnation: IncarnationId, slot: Slot) -> Result<OffloadSlot, WalError> {
    let malformed = |error: FormatError| corrupt(incarnation, slot, &error.to_string());
    let register = Register::parse_front(bytes).map_err(malformed)?;
    if !register.is_at(incarnation, slot) {
        return Err(corrupt(incarnation, slot, "it says that it is another one"));
    }
    let Register::Slot(front) = register else {
        return Err(corrupt(
            incarnation,
            slot,
            "there is a fence where a slot should be",
        ));
    };
    if bytes.len() as u64 != front.total_length() {
        return Err(corrupt(incarnation, slot, "it has another length than it says"));
    }
    let mut batches = Vec::with_capacity(front.batches.len());
    let (mut next, mut whole) = (front.data_start, 0);
    for (meta, position) in front.batches {
        let length = u64::from(meta.length);
        let range = usize::try_from(position)
            .ok()
            .zip(usize::try_from(position + length).ok());
        // Only batches that lie one behind the other have the joined checksum of the whole.
        let (Some((start, end)), true) = (range, position == next && position + length <= bytes.len() as u64)
        else {
            return Err(corrupt(incarnation, slot, "its batches do not follow each other"));
        };
        let batch = OffloadBatch::new(meta, bytes.slice(start..end));
        whole = checksum::joined(whole, batch.checksum(), length);
        next += length;
        batches.push(batch);
    }
    if whole != front.data_checksum {
        return Err(malformed(FormatError::Checksum("slot's batches")));
    }
    Ok(OffloadSlot {
        slot,
        appended_at: front.appended_at,
        batches,
    })
}

fn corrupt(incarnation: IncarnationId, slot: Slot, reason: &str) -> WalError {
    WalError::Corrupt(format!("slot {slot} of incarnation {incarnation}: {reason}"))
}
