//! Room for frames that are large and not whole yet: what all connections together may hold of them.
//!
//! A frame asks for its whole size at once, when the first part of it is there: so each that is let in can be finished,
//! and a claim without bytes takes nothing. Connections whose frame is not let in are not read from.

use std::sync::Arc;

use futures::future::BoxFuture;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes of large frames that are not whole yet.
const BYTES: usize = 512 << 20;
/// What room is counted in.
const UNIT: usize = 1024;

/// The room of all connections. Clones are the same one.
#[derive(Clone)]
pub(crate) struct LargeFrames {
    room: Arc<Semaphore>,
    units: u32,
}

/// Room for one frame; given back on drop.
pub(crate) type Share = OwnedSemaphorePermit;

impl Default for LargeFrames {
    fn default() -> Self {
        Self::of(BYTES)
    }
}

impl LargeFrames {
    /// Room for so many bytes.
    pub(crate) fn of(bytes: usize) -> Self {
        let units = u32::try_from(bytes / UNIT).unwrap_or(u32::MAX);
        let permits = usize::try_from(units).unwrap_or(0).min(Semaphore::MAX_PERMITS);
        Self {
            room: Arc::new(Semaphore::new(permits)),
            units,
        }
    }

    /// Waits for room for a frame of this size, in the order of asking. A frame that is larger than all of it gets all of it.
    pub(crate) fn share(&self, bytes: usize) -> BoxFuture<'static, Option<Share>> {
        let units = u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX);
        let asked = Arc::clone(&self.room).acquire_many_owned(units.min(self.units));
        Box::pin(async move { asked.await.ok() })
    }
}
