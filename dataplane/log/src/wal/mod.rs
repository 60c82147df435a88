//! The write-ahead log: a row of write-once registers per incarnation.
//!
//! `put_if_absent(slot, bytes)` and `get(slot)`, over the object store or a local directory, behind one contract
//! suite. The appender fills bulks, freezes them into slots and puts several at a time; a slot *counts*
//! once it and every slot before it are durable.

pub mod appender;
#[expect(
    clippy::disallowed_methods,
    reason = "this log is files on a disk; the simulation does not run it"
)]
mod disk;
mod object;
pub mod slot;

use std::ops::Range;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use firn_catalog::cell::WalLocation;
use firn_catalog::ids::{IncarnationId, Slot};
use futures::FutureExt;
use tokio::runtime::Handle;

use crate::batch::BatchMeta;

pub use appender::{Appender, AppenderSettings, PushError};
pub use disk::{DiskLog, DiskSettings, OpenError};
pub use object::ObjectLog;

/// Bytes of recent records on the local disk, unless somebody sets it: files of a disk log, or copies of an object
/// log's slots.
pub const HOT_DISK_BYTES: u64 = 2 << 30;

/// Whether a put took the register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PutOutcome {
    /// These bytes are in the register now, durably, and were not there before.
    Written,
    /// Something is there already (perhaps these bytes, from an earlier try): read it before you believe anything.
    Exists,
}

/// Why a register could not be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WalError {
    /// Try again: the store did not answer, or in time. A put may have taken effect.
    #[error("the write-ahead log's store did not answer: {0}")]
    Unavailable(String),
    /// There is no room. Try again later; nothing was written.
    #[error("no space for the write-ahead log: {0}")]
    NoSpace(String),
    /// What is stored is not what was written. Never retried, never the end of the log.
    #[error("the write-ahead log is damaged: {0}")]
    Corrupt(String),
    /// The device failed (fdatasync said no): nothing more can be promised; the process must end.
    #[error("the write-ahead log's device failed: {0}")]
    Failed(String),
    /// That incarnation's log is not within reach: another volume, or another process holds it.
    #[error("{0}")]
    OutOfReach(String),
}

/// A store of write-once registers. Reads and fences work on any incarnation's row that is within reach.
#[async_trait]
pub trait WriteAheadLog: Send + Sync + 'static {
    /// Where it is, for the incarnation's row in the catalog.
    fn location(&self) -> WalLocation;

    /// Puts `pieces`, one after the other, as the bytes of a register, if nothing is there. Durable when it answers
    /// `Written`. An `Err` leaves open whether it took effect, except for `NoSpace`.
    async fn put_if_absent(
        &self,
        incarnation: IncarnationId,
        slot: Slot,
        pieces: Vec<Bytes>,
    ) -> Result<PutOutcome, WalError>;

    /// The bytes of a register; `None` if nothing is there.
    async fn get(&self, incarnation: IncarnationId, slot: Slot) -> Result<Option<Bytes>, WalError>;

    /// The first bytes of a register, at least its header and index if it holds that much; `None` if nothing is there.
    async fn get_front(&self, incarnation: IncarnationId, slot: Slot) -> Result<Option<Bytes>, WalError>;

    /// A byte range of a register; `None` if nothing is there. `Corrupt` if the register is shorter.
    async fn get_range(
        &self,
        incarnation: IncarnationId,
        slot: Slot,
        range: Range<u64>,
    ) -> Result<Option<Bytes>, WalError>;

    /// Deletes the registers of `incarnation` in `slots`, none of which may hold a fence. Deleting an absent one succeeds. A
    /// local log may keep the bytes readable for as long as it has room (they serve as the hot tier then).
    async fn delete(&self, incarnation: IncarnationId, slots: Range<Slot>) -> Result<(), WalError>;

    /// Whether `get_range` reads from local disk, so that no second local copy is worth having.
    fn is_local(&self) -> bool;

    /// For a log whose puts are calls that block: how they are best put. The appender then runs on the log's own thread.
    fn blocking_puts(&self) -> Option<&dyn BlockingPuts> {
        None
    }
}

/// Puts that block the thread that makes them. One thread that fills, writes, syncs and counts wakes nobody in between: a wake-up
/// of another, idle core costs as much as half a small fdatasync.
pub trait BlockingPuts: Send + Sync {
    /// The thread that may be blocked.
    fn thread(&self) -> &Handle;

    /// Puts all of them in order, as [`WriteAheadLog::put_if_absent`] would; they share what makes them durable. As many answers
    /// as puts.
    fn put_all(
        &self,
        incarnation: IncarnationId,
        puts: Vec<(Slot, Vec<Bytes>)>,
    ) -> Vec<Result<PutOutcome, WalError>>;
}

/// A batch on its way into the open bulk: what the index will say, and its bytes (offset and epoch patched).
#[derive(Clone, Debug)]
pub struct PendingBatch {
    /// What the slot's index says of it.
    pub meta: BatchMeta,
    /// The whole batch.
    pub bytes: Bytes,
}

/// A slot that counts: its batches in the order of its data section, and where each is.
#[derive(Debug)]
pub struct CountedSlot {
    /// Which slot.
    pub slot: Slot,
    /// Bytes of header and index, before the data.
    pub data_start: u64,
    /// Its batches, grouped by partition, in offset order within each; positions count from the slot's first byte.
    pub batches: Vec<CountedBatch>,
}

/// One batch of a [`CountedSlot`].
#[derive(Clone, Debug)]
pub struct CountedBatch {
    /// What the index says of it.
    pub meta: BatchMeta,
    /// The position of its first byte in the slot.
    pub position: u64,
    /// The whole batch.
    pub bytes: Bytes,
}

/// Who learns that a slot counts: called once for each slot, in slot order, never concurrently. Must be short.
pub trait SlotSink: Send + Sync + 'static {
    /// `slot` and all before it are durable.
    fn counted(&self, slot: Arc<CountedSlot>);
}

/// Why the writer stopped for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Halt {
    /// A successor's fence is in a slot of ours: stop serving, exit 3.
    Fenced,
    /// Something that must not happen: exit 1 with this sentence.
    Broken(String),
}

/// Runs `work` to its end; if it panics, tells the halt that follows. What it left half done must not be served on.
pub(crate) async fn broken_by_panic(name: &str, work: impl Future<Output = ()>) -> Option<Halt> {
    let panic = AssertUnwindSafe(work).catch_unwind().await.err()?;
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    let why = format!("{name} panicked: {}", text.unwrap_or("without a text"));
    tracing::error!(why, "ALARM: a part of the broker is gone; it stops");
    Some(Halt::Broken(why))
}
