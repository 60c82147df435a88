//! A broker's log: all its partitions, its incarnation, its background work.
//!
//! [`Log::open`] is the one recovery path: a clean stop, a crash and the loss of every cache are followed by the same
//! steps. It opens a new incarnation, seals every earlier one of the same node, and knows where each log ends
//! from cold objects and recovery indexes alone. Records of the predecessors are then served where they lie, while
//! they are drained into cold objects in the background.

mod background;
pub mod images;
mod open;
mod recovered;
mod settings;

use std::collections::BTreeMap;
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use firn_catalog::cell::LogCatalog;
use firn_catalog::ids::{IncarnationId, LeaderEpoch, NodeId, PartitionId, Slot};
use firn_runtime::Env;
use futures::{TryStreamExt, stream};
use object_store::ObjectStore;
use parking_lot::{Mutex, RwLock};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use open::OpenError;
pub use settings::LogSettings;

use crate::cold::ColdError;
use crate::partition::{Partition, PartitionConfig, Sources};
use crate::wal::{CountedSlot, Halt, SlotSink, WriteAheadLog};
use images::SlotImages;
use recovered::Recovered;

/// How many partitions are opened at a time; each may wait for a read of its newest cold object.
const OPENING_AT_ONCE: usize = 64;

/// What a log is made of.
pub struct LogParts {
    /// Clock, randomness, tasks.
    pub env: Env,
    /// Sizes, times, budgets.
    pub settings: LogSettings,
    /// The cell's catalog.
    pub catalog: Arc<dyn LogCatalog>,
    /// The cell's object store, for cold objects and recovery indexes.
    pub store: Arc<dyn ObjectStore>,
    /// The write-ahead log.
    pub wal: Arc<dyn WriteAheadLog>,
    /// The broker's node id.
    pub node: NodeId,
    /// Where the hot files of an object WAL go; wiped at start. `None`: no local copy.
    pub hot_directory: Option<PathBuf>,
}

/// A partition that the catalog says this incarnation leads.
#[derive(Clone, Debug)]
pub struct Assignment {
    /// Which partition.
    pub id: PartitionId,
    /// The epoch in which this incarnation leads it.
    pub leader_epoch: LeaderEpoch,
    /// What its topic asks for.
    pub config: Arc<PartitionConfig>,
}

/// Why a partition could not be opened. Try again.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("partition {partition} cannot be opened: {source}")]
pub struct AssignError {
    /// Which one.
    pub partition: PartitionId,
    /// Why.
    pub source: ColdError,
}

/// The log of one broker process.
pub struct Log {
    own: IncarnationId,
    env: Env,
    settings: LogSettings,
    catalog: Arc<dyn LogCatalog>,
    store: Arc<dyn ObjectStore>,
    wal: Arc<dyn WriteAheadLog>,
    sources: Arc<Sources>,
    partitions: Arc<Registry>,
    recovered: Recovered,
    /// Held for reading while a partition is opened, for writing while a drain takes its records away.
    opening: tokio::sync::RwLock<()>,
    halted: watch::Sender<Option<Halt>>,
    stop: CancellationToken,
    loops: Mutex<Vec<JoinHandle<()>>>,
}

impl Log {
    /// Opens the log: see the module. When it returns, partitions can be assigned.
    pub async fn open(parts: LogParts) -> Result<Arc<Self>, OpenError> {
        open::open(parts).await
    }

    /// Which incarnation this process is.
    pub fn incarnation(&self) -> IncarnationId {
        self.own
    }

    /// Opens the partitions that are not open yet, and takes over epoch and configuration of those that are.
    pub async fn assign(&self, assignments: Vec<Assignment>) -> Result<(), AssignError> {
        stream::iter(assignments.into_iter().map(Ok))
            .try_for_each_concurrent(OPENING_AT_ONCE, |assignment| async move {
                match self.partition(assignment.id) {
                    Some(open) => open.configure(assignment.leader_epoch, assignment.config),
                    None => self.open_partition(assignment).await?,
                }
                Ok(())
            })
            .await
    }

    async fn open_partition(&self, assignment: Assignment) -> Result<(), AssignError> {
        let _no_drain = self.opening.read().await;
        let partition = assignment.id;
        let foundation = self.recovered.foundation(&self.sources.cold, assignment).await;
        let foundation = foundation.map_err(|source| AssignError { partition, source })?;
        if let Some(why) = &foundation.stopped {
            tracing::error!(%partition, why, "ALARM: the partition is stopped");
        }
        self.partitions
            .insert(Arc::new(Partition::new(Arc::clone(&self.sources), foundation)));
        Ok(())
    }

    /// Drops partitions whose topic is deleted, or that another broker leads now.
    pub fn unassign(&self, gone: &[PartitionId]) {
        for id in gone {
            if let Some(partition) = self.partitions.remove(*id) {
                partition.close();
            }
        }
    }

    /// A partition that this incarnation leads.
    pub fn partition(&self, id: PartitionId) -> Option<Arc<Partition>> {
        self.partitions.get(id)
    }

    /// Waits until `slot` counts. An `Err` leaves open whether its records survive.
    pub async fn wait(&self, slot: Slot) -> Result<(), Halt> {
        self.sources.appender.wait(slot).await
    }

    /// Whether more may be appended now; else wait for [`Log::room`].
    pub fn has_room(&self) -> bool {
        self.sources.appender.has_room()
    }

    /// Waits until the bytes that are not durable yet are below their bound.
    pub async fn room(&self) {
        self.sources.appender.room().await;
    }

    /// Tells when, and why, the log has stopped for good.
    pub fn halted(&self) -> watch::Receiver<Option<Halt>> {
        self.halted.subscribe()
    }

    /// Makes what was appended durable and ends the background work. Appends are refused from here on.
    pub async fn shutdown(&self) {
        self.sources.appender.close().await;
        self.stop.cancel();
        let loops = std::mem::take(&mut *self.loops.lock());
        for task in loops {
            // A loop that panicked has said so; there is nothing left to do for it.
            let _ = task.await;
        }
    }

    /// Ends everything at once, as if the process had been killed: what is in flight may still take effect.
    pub fn abort(&self) {
        self.stop.cancel();
        self.sources.appender.abort();
        for task in self.loops.lock().drain(..) {
            task.abort();
        }
    }

    fn halt(&self, why: Halt) {
        self.halted.send_if_modified(|halted| {
            let first = halted.is_none();
            halted.get_or_insert(why);
            first
        });
    }

    fn spawn(self: &Arc<Self>, work: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        let task = self.env.tasks.spawn(Box::pin(async move {
            let _ = stop.run_until_cancelled(work).await;
        }));
        self.loops.lock().push(task);
    }
}

/// The partitions that are open, and what is done when a slot counts.
pub(crate) struct Registry {
    open: RwLock<BTreeMap<PartitionId, Arc<Partition>>>,
    images: Arc<SlotImages>,
    /// Record bytes that count, since the start.
    bytes_counted: AtomicU64,
    /// One more than the last slot that counts.
    counted: AtomicU64,
}

impl Registry {
    pub fn new(images: Arc<SlotImages>) -> Self {
        Self {
            open: RwLock::new(BTreeMap::new()),
            images,
            bytes_counted: AtomicU64::new(0),
            counted: AtomicU64::new(0),
        }
    }

    fn get(&self, id: PartitionId) -> Option<Arc<Partition>> {
        self.open.read().get(&id).cloned()
    }

    fn insert(&self, partition: Arc<Partition>) {
        // The first one stays: it may have been appended to already.
        self.open.write().entry(partition.id()).or_insert(partition);
    }

    fn remove(&self, id: PartitionId) -> Option<Arc<Partition>> {
        self.open.write().remove(&id)
    }

    /// All open partitions, in order of id.
    fn all(&self) -> Vec<Arc<Partition>> {
        self.open.read().values().cloned().collect()
    }

    /// How much counts: record bytes since the start, and one past the last slot.
    fn counted_so_far(&self) -> (u64, Slot) {
        (
            self.bytes_counted.load(Ordering::Acquire),
            Slot(self.counted.load(Ordering::Acquire)),
        )
    }
}

impl SlotSink for Registry {
    fn counted(&self, slot: Arc<CountedSlot>) {
        self.images.counted(&slot);
        let floor = self.images.floor();
        for batches in slot.batches.chunk_by(|a, b| a.meta.partition == b.meta.partition) {
            // A partition that is gone has nobody who waits.
            if let Some(partition) = batches.first().and_then(|batch| self.get(batch.meta.partition)) {
                partition.counted(slot.slot, batches, floor);
            }
        }
        let bytes: u64 = slot
            .batches
            .iter()
            .map(|batch| u64::from(batch.meta.length))
            .sum();
        self.bytes_counted.fetch_add(bytes, Ordering::AcqRel);
        self.counted.store(slot.slot.0 + 1, Ordering::Release);
    }
}
