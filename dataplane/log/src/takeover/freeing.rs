//! Deleting the slots of a log that is in cold objects, and of one that nobody writes any more.
//!
//! No LIST tells what is left, so deletions keep an order that lets one look-up tell: slots go from the oldest on, and the
//! last one goes last. While it is there, something may be left before it; once it is gone, nothing is (but for a put
//! that arrives late, into a slot that was deleted: garbage of one slot). A local log needs none of this: a deletion there
//! is a mark in memory, and knows which slots there are.
//!
//! A fence stays for ever: a stalled writer that found its slot empty would take it, and acknowledge what nobody
//! will ever read.

use std::ops::Range;

use firn_catalog::cell::{Incarnation, IncarnationState};
use firn_catalog::ids::{IncarnationId, Slot};
use futures::{StreamExt, TryStreamExt, stream};

use crate::wal::{WalError, WriteAheadLog};

/// How many slots are deleted in one call, and how many are looked for at a time while it is searched for the oldest.
const WINDOW: u64 = 128;
/// How many look-ups are under way at a time.
const LOOK_UPS: usize = 16;
/// How far behind a fence the slots may be that a writer had in flight.
const BEHIND_FENCE: u64 = 64;

/// Deletes slots, oldest first, so that whoever finds the last one gone knows that all are.
pub async fn free_in_order(
    wal: &dyn WriteAheadLog,
    incarnation: IncarnationId,
    slots: Range<Slot>,
) -> Result<(), WalError> {
    let Some(last) = slots.end.0.checked_sub(1).filter(|last| *last >= slots.start.0) else {
        return Ok(());
    };
    if wal.is_local() {
        return wal.delete(incarnation, slots).await;
    }
    let mut from = slots.start.0;
    while from < last {
        let to = last.min(from + WINDOW);
        wal.delete(incarnation, Slot(from)..Slot(to)).await?;
        from = to;
    }
    wal.delete(incarnation, Slot(last)..slots.end).await
}

/// Deletes the slots of a drained log, and what its owner left behind. May be repeated.
pub async fn free(wal: &dyn WriteAheadLog, drained: &Incarnation) -> Result<(), WalError> {
    let (IncarnationState::Drained, Some(fence)) = (drained.state, drained.fence) else {
        return Ok(());
    };
    #[cfg(feature = "planted")]
    if crate::planted::is(crate::planted::Mistake::LeaveSlots) {
        return wal.delete(drained.id, drained.offloaded..fence).await;
    }
    wal.delete(drained.id, behind(fence)).await?;
    let from = if wal.is_local() {
        Slot(0)
    } else {
        left_behind(wal, drained.id, drained.offloaded).await?
    };
    #[cfg(feature = "planted")]
    let fence = if crate::planted::is(crate::planted::Mistake::DeleteFence) {
        fence.next()
    } else {
        fence
    };
    free_in_order(wal, drained.id, from..fence).await
}

/// Deletes what a dead writer had in flight when its log was fenced: nothing behind a fence ever counted. To be done
/// before the log is drained, since nobody looks for it afterwards.
pub async fn free_behind_fence(wal: &dyn WriteAheadLog, sealed: &Incarnation) -> Result<(), WalError> {
    match sealed.fence {
        // Marks of a local log are for slots that are in cold objects: it is freed as a whole once it is drained.
        Some(fence) if !wal.is_local() => wal.delete(sealed.id, behind(fence)).await,
        Some(_) | None => Ok(()),
    }
}

fn behind(fence: Slot) -> Range<Slot> {
    fence.next()..Slot(fence.0 + 1 + BEHIND_FENCE)
}

/// Deletes the slots of all drained logs that are still there: whoever drained them may have ended before it came to it.
/// `rows` are all incarnations. Goes on after a failure, and tells the last one.
pub async fn free_what_is_left(wal: &dyn WriteAheadLog, rows: &[Incarnation]) -> Result<(), WalError> {
    let mut failed = None;
    let here = wal.location();
    for row in rows.iter().filter(|row| row.wal == here) {
        let last = row.fence.and_then(|fence| fence.0.checked_sub(1)).map(Slot);
        let (IncarnationState::Drained, Some(last)) = (row.state, last) else {
            continue;
        };
        let freed = match exists(wal, row.id, last).await {
            Ok(true) => free(wal, row).await,
            // What is damaged there is in cold objects.
            Ok(false) | Err(WalError::Corrupt(_)) => Ok(()),
            Err(error) => Err(error),
        };
        failed = freed.err().or(failed);
    }
    failed.map_or(Ok(()), Err)
}

/// The oldest slot below `offloaded` that its owner has not deleted, or `offloaded`. The owner may have ended after a
/// checkpoint and before, or amid, its deletions, which it makes in order: what is left follows without a hole
/// longer than a window.
async fn left_behind(
    wal: &dyn WriteAheadLog,
    incarnation: IncarnationId,
    offloaded: Slot,
) -> Result<Slot, WalError> {
    let mut from = offloaded;
    loop {
        let before = if from == offloaded {
            from.0.saturating_sub(1)
        } else {
            from.0.saturating_sub(WINDOW)
        };
        let found: Vec<bool> = stream::iter(before..from.0)
            .map(|slot| exists(wal, incarnation, Slot(slot)))
            .buffered(LOOK_UPS)
            .try_collect()
            .await?;
        if !found.contains(&true) {
            return Ok(from);
        }
        from = Slot(before);
    }
}

async fn exists(wal: &dyn WriteAheadLog, incarnation: IncarnationId, slot: Slot) -> Result<bool, WalError> {
    Ok(wal.get_range(incarnation, slot, 0..0).await?.is_some())
}

#[cfg(test)]
mod tests;
