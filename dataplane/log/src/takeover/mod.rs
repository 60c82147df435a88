//! Takeover: how a successor learns where a log ends, and why the dead can write no more.
//!
//! 1. [`seal`] claims the dead incarnation in the catalog, which makes its trim point stand still; puts a fence
//!    into the first empty slot from there; reads the indexes of the slots before the fence; stores them
//!    as one recovery index object; and completes the seal, which gives the partitions to the heir.
//! 2. [`load`] reads a recovery index back; [`clip`] tells which of its batches belong to a partition's log.
//! 3. Draining (`cold`) copies what counts into objects; then [`free`] deletes the slots, but never the fence.
//!
//! Order matters: the claim comes before the trim point is read, the fence before the indexes, both before
//! `sealed`. Any other order is a known way to lose records. Nothing here trusts a clock or a LIST.
//!
//! Rejected: copying the dead log's data before serving. Its slots are readable where they are, so a takeover costs
//! as many small reads as there are slots, however large they are.

mod clip;
mod freeing;
mod insist;
mod predecessors;
mod recovery_index;
mod seal;
#[cfg(test)]
mod testing;

pub use clip::{Clipped, Gap, SealedLog, clip};
pub use freeing::{free, free_behind_fence, free_in_order, free_what_is_left};
pub use predecessors::{Predecessors, predecessors};
pub use recovery_index::{IndexError, RecoveryIndex, SealedBatch, load, object_path};
pub use seal::{SealOutcome, TakeoverError, seal};
