//! Offload: whole slots of a write-ahead log into cold objects, and the transaction that says so.
//!
//! [`ColdTier::checkpoint`] takes slots of the caller's own log, [`ColdTier::drain`] those of a sealed one. Slots are
//! read one at a time and objects are stored whenever enough bytes have gathered, so memory is bounded however long the
//! range is. Objects are registered before they are uploaded, uploaded before the one transaction that names them
//! all, and slots are freed after it, never before.
//!
//! A partition's batches must go on exactly where its cold log ends. Batches that are cold already are passed over,
//! which makes a range that is offloaded again, after an answer was lost, do nothing. A gap or an overlap
//! stops the partition with an alarm, and a checkpoint ends *before* the slot that shows it: nothing that is not in an
//! object is ever freed. Before a checkpoint, every sealed log that names one of the partitions in an earlier epoch
//! must have been drained; else it ends at the gap.

mod collect;
mod policy;
mod slots;

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use firn_catalog::cell::{CatalogError, ObjectRow};
use firn_catalog::ids::{IncarnationId, Offset, PartitionId, Slot};
use firn_runtime::Timestamp;

use super::ColdError;
use super::format::ObjectIndex;
use super::tier::ColdTier;
use super::uploads::{Uploader, persistently};
use crate::batch::BatchMeta;
use crate::metrics;
use crate::wal::WalError;
use collect::Collector;

pub use policy::{Backlog, due};
pub use slots::{read_slot, slot_of_bytes};

/// A slot to be offloaded.
#[derive(Clone, Debug)]
pub struct OffloadSlot {
    /// Which slot.
    pub slot: Slot,
    /// When it froze.
    pub appended_at: Timestamp,
    /// Its batches, in offset order within each partition.
    pub batches: Vec<(BatchMeta, Bytes)>,
}

/// What the owner of a partition knows of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartitionFloor {
    /// Its log start: what lies below may be missing.
    pub log_start: Offset,
    /// Where its cold log ends if no object names it, as its row in the catalog says.
    pub end_hint: Offset,
    /// How long a silent idempotent producer is remembered.
    pub producer_expiration: Duration,
}

/// The log whose slots are offloaded.
#[async_trait]
pub trait SlotSource: Send + Sync {
    /// Reads a slot.
    async fn slot(&self, slot: Slot) -> Result<OffloadSlot, WalError>;

    /// Whether a batch counts: in an own log all do; in a sealed one those whose partition its incarnation owned in
    /// that epoch.
    fn accepts(&self, meta: &BatchMeta) -> bool;

    /// What is known of a partition.
    fn floor(&self, partition: PartitionId) -> PartitionFloor;

    /// The slots below `offloaded` are in objects that the catalog names, and may be deleted (a fence never).
    async fn free(&self, offloaded: Slot);
}

/// What a checkpoint or drain did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offloaded {
    /// Every slot below this one is in cold objects.
    pub offloaded: Slot,
    /// The partitions that have new cold records, and where their cold logs end now.
    pub ends: Vec<(PartitionId, Offset)>,
    /// How many objects were stored.
    pub objects: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Partitions that must stop, each with its alarm. The checkpoint ends before the slot that shows it.
    pub stopped: Vec<(PartitionId, ColdError)>,
}

/// Why nothing was offloaded. What was uploaded is garbage that is found again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OffloadError {
    /// Objects or the catalog; the error says whether to try again.
    #[error(transparent)]
    Cold(#[from] ColdError),
    /// A slot could not be read.
    #[error(transparent)]
    Wal(#[from] WalError),
    /// A sealed log cannot be drained, since a partition of it has a gap. An alarm: nothing of it is freed.
    #[error("the sealed log cannot be drained: {0}")]
    Stopped(ColdError),
}

impl From<CatalogError> for OffloadError {
    fn from(error: CatalogError) -> Self {
        Self::Cold(ColdError::Catalog(error))
    }
}

impl OffloadError {
    /// Whether trying again can help.
    pub fn is_retriable(&self) -> bool {
        match self {
            Self::Cold(error) => error.is_retriable(),
            Self::Wal(error) => match error {
                WalError::Unavailable(_) | WalError::NoSpace(_) | WalError::OutOfReach(_) => true,
                WalError::Corrupt(_) | WalError::Failed(_) => false,
            },
            Self::Stopped(_) => false,
        }
    }
}

impl ColdTier {
    /// Offloads the slots of `by`'s own log in `slots`, all of which count. Then they are free.
    pub async fn checkpoint(
        &self,
        by: IncarnationId,
        slots: Range<Slot>,
        source: &dyn SlotSource,
    ) -> Result<Offloaded, OffloadError> {
        let _one_at_a_time = self.offloading.lock().await;
        self.know_the_rows().await?;
        let collected = self.collect(by, slots, source).await?;
        let mut done = collected.summary();
        #[cfg(feature = "planted")]
        if crate::planted::is(crate::planted::Mistake::FreeBeforeCheckpoint) {
            source.free(done.offloaded).await;
        }
        let rows = collected.rows();
        self.uncertain.store(true, Ordering::SeqCst);
        let commit = || self.catalog.checkpoint(by, done.offloaded, rows.clone());
        persistently(commit).await?;
        self.publish(&[], &collected.indexes());
        self.uncertain.store(false, Ordering::SeqCst);
        source.free(done.offloaded).await;
        done.stopped = collected.stopped;
        metrics::cold_offloaded(done.bytes);
        Ok(done)
    }

    /// Offloads the slots of the sealed log of `dead`, up to its fence, and moves it to `drained`. Then they are free,
    /// the fence excepted.
    pub async fn drain(
        &self,
        by: IncarnationId,
        dead: IncarnationId,
        slots: Range<Slot>,
        source: &dyn SlotSource,
    ) -> Result<Offloaded, OffloadError> {
        let _one_at_a_time = self.offloading.lock().await;
        self.know_the_rows().await?;
        let collected = self.collect(by, slots, source).await?;
        if let Some((_, error)) = collected.stopped.first() {
            return Err(OffloadError::Stopped(error.clone()));
        }
        let done = collected.summary();
        let rows = collected.rows();
        let now = self.env.now();
        self.uncertain.store(true, Ordering::SeqCst);
        persistently(|| self.catalog.drain(by, dead, rows.clone(), now)).await?;
        self.publish(&[], &collected.indexes());
        self.uncertain.store(false, Ordering::SeqCst);
        source.free(done.offloaded).await;
        metrics::cold_offloaded(done.bytes);
        Ok(done)
    }

    /// If an earlier transaction was given up before its answer came, only the rows can tell what it did.
    async fn know_the_rows(&self) -> Result<(), ColdError> {
        if self.uncertain.load(Ordering::SeqCst) {
            self.refresh().await?;
            self.uncertain.store(false, Ordering::SeqCst);
        }
        Ok(())
    }

    async fn collect(
        &self,
        by: IncarnationId,
        slots: Range<Slot>,
        source: &dyn SlotSource,
    ) -> Result<Collected, OffloadError> {
        let uploader = self.uploader(by);
        let mut collector = Collector::new(self, source, uploader);
        let mut slot = slots.start;
        while slot < slots.end {
            let read = source.slot(slot).await?;
            if !collector.take(read).await? {
                break;
            }
            slot = slot.next();
        }
        collector.finish(slot).await
    }

    pub(super) fn uploader(&self, by: IncarnationId) -> Uploader {
        Uploader {
            env: self.env.clone(),
            store: Arc::clone(&self.store),
            catalog: Arc::clone(&self.catalog),
            by,
            timeout: self.settings.offload.timeout,
        }
    }
}

/// Objects that are stored and wait for their transaction.
struct Collected {
    end: Slot,
    objects: Vec<Arc<ObjectIndex>>,
    ends: Vec<(PartitionId, Offset)>,
    stopped: Vec<(PartitionId, ColdError)>,
}

impl Collected {
    fn rows(&self) -> Vec<ObjectRow> {
        self.objects.iter().map(|index| index.row()).collect()
    }

    fn indexes(&self) -> Vec<Arc<ObjectIndex>> {
        self.objects.clone()
    }

    fn summary(&self) -> Offloaded {
        Offloaded {
            offloaded: self.end,
            ends: self.ends.clone(),
            objects: self.objects.len(),
            bytes: self.objects.iter().map(|index| index.size).sum(),
            stopped: Vec::new(),
        }
    }
}
