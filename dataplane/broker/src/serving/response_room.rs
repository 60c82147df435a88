//! Room for large responses: what all connections together may hold of them until clients have taken them.
//!
//! A response takes its room before it goes to its connection and gives it back chunk by chunk as it is written, or when its
//! connection is gone. Writing waits for no room, so those who wait get their turn as clients read. Small responses take
//! none, so they never wait.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Responses up to this size take no room.
pub(crate) const SMALL_RESPONSE: usize = 64 * 1024;

/// Room for large responses of all connections.
pub(crate) struct ResponseRoom {
    left: Arc<Semaphore>,
    total: u32,
}

/// What a response holds of the room.
pub(crate) struct Room {
    permit: OwnedSemaphorePermit,
}

impl ResponseRoom {
    /// Room for so many bytes.
    pub(crate) fn new(bytes: usize) -> Self {
        let total = u32::try_from(bytes).unwrap_or(u32::MAX);
        Self {
            left: Arc::new(Semaphore::new(total as usize)),
            total,
        }
    }

    /// What a response of that size takes; one that is larger than all the room takes all of it.
    fn share(&self, bytes: usize) -> u32 {
        u32::try_from(bytes).unwrap_or(u32::MAX).min(self.total)
    }

    /// Room for so many bytes, if it is there.
    pub(crate) fn try_take(&self, bytes: usize) -> Option<Room> {
        let permit = Arc::clone(&self.left).try_acquire_many_owned(self.share(bytes));
        permit.ok().map(Room::of)
    }

    /// Waits for room, in the order in which it was asked for.
    pub(crate) async fn take(&self, bytes: usize) -> Option<Room> {
        let permit = Arc::clone(&self.left).acquire_many_owned(self.share(bytes));
        permit.await.ok().map(Room::of)
    }
}

impl Room {
    fn of(permit: OwnedSemaphorePermit) -> Self {
        Self { permit }
    }

    /// Ties the room to a response: each chunk gives its part back when it is dropped, the last one what is left.
    pub(crate) fn hold(mut self, chunks: &mut [Bytes]) {
        let Some((last, others)) = chunks.split_last_mut() else {
            return;
        };
        for chunk in others {
            let part = chunk.len().min(self.permit.num_permits());
            if let Some(part) = self.permit.split(part) {
                keep(part, chunk);
            }
        }
        keep(self.permit, last);
    }
}

fn keep(permit: OwnedSemaphorePermit, chunk: &mut Bytes) {
    let bytes = std::mem::take(chunk);
    *chunk = Bytes::from_owner(Held {
        bytes,
        _permit: permit,
    });
}

/// A chunk of a response and the room that goes with it.
struct Held {
    bytes: Bytes,
    _permit: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[test]
    fn room_comes_back_chunk_by_chunk_and_all_of_it_with_the_last() {
        let room = ResponseRoom::new(100);
        let mut chunks = [Bytes::from_static(b"first"), Bytes::from_static(b"last")];
        room.try_take(60).unwrap().hold(&mut chunks);
        assert!(room.try_take(41).is_none());
        let mut waiting = Box::pin(room.take(60));
        assert!((&mut waiting).now_or_never().is_none());
        let [first, last] = chunks;
        assert_eq!((&first[..], &last[..]), (&b"first"[..], &b"last"[..]));
        drop(waiting);
        drop(first);
        assert!(room.try_take(46).is_none());
        assert!(room.try_take(45).is_some());
        drop(last);
        assert!(room.try_take(100).is_some());
    }

    #[test]
    fn a_response_larger_than_all_the_room_gets_all_of_it() {
        let room = ResponseRoom::new(100);
        let taken = room.try_take(1_000);
        assert!(taken.is_some() && room.try_take(1).is_none());
    }
}
