//! One try to put a slot, and what its answer means.

use std::sync::Arc;

use bytes::Bytes;
use firn_catalog::ids::{IncarnationId, Slot};

use super::Answer;
use crate::wal::slot::Register;
use crate::wal::{Halt, PutOutcome, WalError, WriteAheadLog};

/// Puts `pieces`, whose first one is the slot's front. "Already exists" is not success: what is there is read.
pub async fn put(
    wal: Arc<dyn WriteAheadLog>,
    incarnation: IncarnationId,
    slot: Slot,
    pieces: Vec<Bytes>,
) -> Answer {
    let front = pieces.first().cloned().unwrap_or_default();
    let result = wal.put_if_absent(incarnation, slot, pieces).await;
    match clear(result) {
        Some(answer) => answer,
        None => existing(wal, incarnation, slot, front).await,
    }
}

/// What the result of a put means; `None` if something is there already, which has to be read.
pub fn clear(result: Result<PutOutcome, WalError>) -> Option<Answer> {
    match result {
        Ok(PutOutcome::Written) => Some(Answer::Durable),
        #[cfg(feature = "planted")]
        Ok(PutOutcome::Exists) if crate::planted::is(crate::planted::Mistake::ExistsIsSuccess) => {
            Some(Answer::Durable)
        }
        Ok(PutOutcome::Exists) => None,
        Err(error) => Some(failure(error)),
    }
}

/// What it means that a register with this `front` could not be put since something is there.
pub async fn existing(
    wal: Arc<dyn WriteAheadLog>,
    incarnation: IncarnationId,
    slot: Slot,
    front: Bytes,
) -> Answer {
    match wal.get(incarnation, slot).await {
        Ok(Some(found)) => judge(&found, &front, incarnation, slot),
        // It was there a moment ago, and nobody deletes a slot that does not count.
        Ok(None) => Answer::Unclear,
        Err(error) => failure(error),
    }
}

fn judge(found: &Bytes, front: &Bytes, incarnation: IncarnationId, slot: Slot) -> Answer {
    let broken = |what: &str| {
        Answer::Never(Halt::Broken(format!(
            "slot {slot} of the own write-ahead log {incarnation} {what}"
        )))
    };
    match Register::verify_whole(found) {
        Ok(Register::Fence(fence)) if fence.dead == incarnation && fence.slot == slot => {
            Answer::Never(Halt::Fenced)
        }
        Ok(Register::Fence(_)) => broken("holds the fence of another slot"),
        // The front holds the id, the number and the checksum of the batches.
        Ok(Register::Slot(_)) if found.starts_with(front) => Answer::Durable,
        #[cfg(feature = "planted")]
        Ok(Register::Slot(_)) if crate::planted::is(crate::planted::Mistake::ReuseSlotNumber) => {
            Answer::Durable
        }
        Ok(Register::Slot(_)) => broken("holds other bytes than were put there"),
        Err(error) => broken(&format!("is damaged: {error}")),
    }
}

fn failure(error: WalError) -> Answer {
    match error {
        WalError::Unavailable(why) => {
            tracing::debug!(why, "a put to the write-ahead log is not answered; it goes again");
            Answer::Unclear
        }
        WalError::NoSpace(why) => {
            tracing::warn!(
                why,
                "no space for the write-ahead log; produce is refused until there is room"
            );
            Answer::NoSpace
        }
        error @ (WalError::Corrupt(_) | WalError::Failed(_) | WalError::OutOfReach(_)) => {
            Answer::Never(Halt::Broken(error.to_string()))
        }
    }
}
