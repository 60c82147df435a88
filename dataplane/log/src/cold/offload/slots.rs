//! Reading whole slots of a write-ahead log.

use bytes::Bytes;
use firn_catalog::ids::{IncarnationId, Slot};

use super::OffloadSlot;
use crate::wal::slot::Register;
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

/// A slot from its bytes, after all its checksums were checked.
pub fn slot_of_bytes(bytes: &Bytes, incarnation: IncarnationId, slot: Slot) -> Result<OffloadSlot, WalError> {
    let register =
        Register::verify_whole(bytes).map_err(|error| corrupt(incarnation, slot, &error.to_string()))?;
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
    let batches = front.batches.into_iter().map(|(meta, position)| {
        let start = usize::try_from(position).ok();
        let range = start.and_then(|start| Some(start..start.checked_add(meta.length as usize)?));
        match range.filter(|range| range.end <= bytes.len()) {
            Some(range) => Ok((meta, bytes.slice(range))),
            None => Err(corrupt(incarnation, slot, "a batch lies outside of it")),
        }
    });
    Ok(OffloadSlot {
        slot,
        appended_at: front.appended_at,
        batches: batches.collect::<Result<_, _>>()?,
    })
}

fn corrupt(incarnation: IncarnationId, slot: Slot, reason: &str) -> WalError {
    WalError::Corrupt(format!("slot {slot} of incarnation {incarnation}: {reason}"))
}
