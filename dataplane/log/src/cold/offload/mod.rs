//! Offload: whole slots of a write-ahead log into cold objects, and the transaction that says so.
//!
//! [`ColdTier::checkpoint`] takes slots of the caller's own log, [`ColdTier::drain`] those of a sealed one. Slots are
//! read one at a time and objects are stored whenever enough bytes have gathered, while the next ones gather, so memory is
//! bounded however long the range is. Objects are registered before they are uploaded, uploaded before the one transaction that names them
//! all, and slots are freed after it, never before. A slot that cannot be read now is asked for again, so that what was
//! gathered is not thrown away; one that is damaged ends a checkpoint before it. What was stored for work that failed is
//! given up at once.
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
use parking_lot::Mutex;

use super::ColdError;
use super::format::ObjectIndex;
use super::tier::ColdTier;
use super::uploads::{Uploader, persistently, until_definite};
use crate::batch::BatchMeta;
use crate::metrics;
use crate::wal::WalError;
use collect::{Collector, Taken};

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
    pub batches: Vec<OffloadBatch>,
}

/// A batch to be offloaded.
#[derive(Clone, Debug)]
pub struct OffloadBatch {
    meta: BatchMeta,
    bytes: Bytes,
    checksum: u32,
}

impl OffloadBatch {
    /// A batch of which a slot's index says `meta`.
    pub fn new(meta: BatchMeta, bytes: Bytes) -> Self {
        let checksum = crc32c::crc32c(&bytes);
        Self {
            meta,
            bytes,
            checksum,
        }
    }

    /// What the slot's index says of it.
    pub fn meta(&self) -> &BatchMeta {
        &self.meta
    }

    /// All of it.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// CRC32C of all bytes, as they are.
    pub fn checksum(&self) -> u32 {
        self.checksum
    }
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
    /// The partitions that the slots name, and where their cold logs end now.
    pub ends: Vec<(PartitionId, Offset)>,
    /// How many objects were stored.
    pub objects: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Partitions that must stop, each with its alarm. The checkpoint ends before the slot that shows it.
    pub stopped: Vec<(PartitionId, ColdError)>,
}

/// Why nothing was offloaded. What was uploaded is marked for deletion.
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
        let uploader = self.uploader(by);
        let done = self.checkpoint_with(&uploader, slots, source).await;
        if done.is_err() {
            uploader.give_up().await;
        }
        done
    }

    async fn checkpoint_with(
        &self,
        uploader: &Uploader,
        slots: Range<Slot>,
        source: &dyn SlotSource,
    ) -> Result<Offloaded, OffloadError> {
        self.know_the_rows().await?;
        let from = slots.start;
        let gathered = self.gather_slots(uploader, slots, source).await?;
        if let Some(damage) = gathered.damaged {
            tracing::error!(slot = %gathered.end, %damage, "ALARM: a slot cannot be offloaded");
            // What comes before it can.
            if gathered.end == from {
                return Err(damage.into());
            }
        }
        let collected = gathered.collector.finish(gathered.end).await?;
        let mut done = collected.summary();
        #[cfg(feature = "planted")]
        if crate::planted::is(crate::planted::Mistake::FreeBeforeCheckpoint) {
            source.free(done.offloaded).await;
        }
        let rows = collected.rows();
        {
            let changing = self.changing.lock().await;
            self.uncertain.store(true, Ordering::SeqCst);
            let commit = || self.catalog.checkpoint(uploader.by, done.offloaded, rows.clone());
            persistently(commit).await?;
            self.publish(&changing, &[], &collected.indexes());
            self.uncertain.store(false, Ordering::SeqCst);
        }
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
        let uploader = self.uploader(by);
        let done = self.drain_with(&uploader, dead, slots, source).await;
        if done.is_err() {
            uploader.give_up().await;
        }
        done
    }

    async fn drain_with(
        &self,
        uploader: &Uploader,
        dead: IncarnationId,
        slots: Range<Slot>,
        source: &dyn SlotSource,
    ) -> Result<Offloaded, OffloadError> {
        self.know_the_rows().await?;
        let gathered = self.gather_slots(uploader, slots, source).await?;
        // A part of it helps nobody: not one more object is stored.
        if let Some((_, error)) = gathered.collector.stopped().first() {
            return Err(OffloadError::Stopped(error.clone()));
        }
        if let Some(damage) = gathered.damaged {
            return Err(damage.into());
        }
        let collected = gathered.collector.finish(gathered.end).await?;
        let done = collected.summary();
        let rows = collected.rows();
        let now = self.env.now();
        {
            let changing = self.changing.lock().await;
            self.uncertain.store(true, Ordering::SeqCst);
            persistently(|| self.catalog.drain(uploader.by, dead, rows.clone(), now)).await?;
            self.publish(&changing, &[], &collected.indexes());
            self.uncertain.store(false, Ordering::SeqCst);
        }
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

    /// Takes slots up to the first that is damaged or shows a broken partition.
    async fn gather_slots<'a>(
        &'a self,
        uploader: &'a Uploader,
        slots: Range<Slot>,
        source: &'a dyn SlotSource,
    ) -> Result<Gathered<'a>, OffloadError> {
        let mut gathered = Gathered {
            collector: Collector::new(self, source, uploader),
            end: slots.start,
            damaged: None,
        };
        while gathered.end < slots.end {
            let may_pass =
                |error: &WalError| matches!(error, WalError::Unavailable(_) | WalError::NoSpace(_));
            let next = gathered.end;
            let read = until_definite(|| source.slot(next), may_pass);
            let read = gathered.collector.beside_upload(read).await?;
            // A slot that is in the page cache is read without waiting: others want this thread too.
            tokio::task::yield_now().await;
            let taken = match read {
                Ok(slot) => gathered.collector.take(slot).await?,
                Err(error @ WalError::Corrupt(_)) => Taken::Damaged(error),
                Err(error) => return Err(error.into()),
            };
            match taken {
                Taken::Whole => gathered.end = gathered.end.next(),
                Taken::Broken => break,
                Taken::Damaged(error) => {
                    gathered.damaged = Some(error);
                    break;
                }
            }
        }
        Ok(gathered)
    }

    pub(super) fn uploader(&self, by: IncarnationId) -> Uploader {
        Uploader {
            env: self.env.clone(),
            store: Arc::clone(&self.store),
            catalog: Arc::clone(&self.catalog),
            by,
            timeout: self.settings.offload.timeout,
            named: Mutex::default(),
        }
    }
}

/// The slots that were taken: those below `end`.
struct Gathered<'a> {
    collector: Collector<'a>,
    end: Slot,
    /// What is wrong with the slot at `end`.
    damaged: Option<WalError>,
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
