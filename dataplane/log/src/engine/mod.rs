//! A broker's log: all its partitions, its incarnation, its background work.
//!
//! [`Log::open`] is the one recovery path: a clean stop, a crash and the loss of every cache are followed by the same
//! steps. It opens a new incarnation, seals every earlier one of the same node, and knows where each log ends
//! from cold objects and recovery indexes alone. Records of the predecessors are then served where they lie, while
//! they are drained into cold objects in the background.

mod background;
pub mod images;
mod offload;
mod open;
mod recovered;
mod settings;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::future::Future;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use firn_catalog::cell::LogCatalog;
use firn_catalog::ids::{IncarnationId, LeaderEpoch, NodeId, PartitionId, Slot};
use firn_runtime::{Clock, Env, Timestamp};
use futures::{TryStreamExt, stream};
use object_store::ObjectStore;
use parking_lot::{Mutex, RwLock};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use open::OpenError;
pub use settings::LogSettings;

use crate::cold::ColdError;
use crate::cold::offload::Backlog;
use crate::metrics;
use crate::partition::{Partition, PartitionConfig, Sources};
use crate::wal::{CountedSlot, Halt, SlotSink, WriteAheadLog, broken_by_panic};
use images::SlotImages;
use recovered::Recovered;

/// How many partitions are opened at a time; each may wait for a read of its newest cold object.
const OPENING_AT_ONCE: usize = 64;
/// What a slot counts for beside its record bytes in what is not offloaded: a takeover reads every one.
const UNSETTLED_SLOT_COST: u64 = 16 << 10;

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
    wal: Arc<dyn WriteAheadLog>,
    sources: Arc<Sources>,
    partitions: Arc<Registry>,
    recovered: Recovered,
    /// Held for reading while a partition is opened, for writing while a drain takes its records away.
    opening: tokio::sync::RwLock<()>,
    /// Own slots below this one have been deleted.
    freed: Mutex<Slot>,
    /// Whether slots of drained logs may still be there.
    slots_left: AtomicBool,
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
        let mut foundation = foundation.map_err(|source| AssignError { partition, source })?;
        if self.partitions.has_left(partition) {
            let why = "this process led it before; only its next life can read what it appended then";
            foundation.stopped.get_or_insert(why.to_owned());
        }
        let silence = foundation.config.producer_expiration;
        foundation.producers.expire(self.env.now(), silence);
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
        self.sources.appender.has_room() && (self.may_grow() || self.partitions.refuses())
    }

    /// Waits until the bytes that are not durable yet, and those that are only in the write-ahead log, are below
    /// their bounds. While the offload is stuck nobody waits for it: appends are refused then.
    pub async fn room(&self) {
        self.sources.appender.room().await;
        loop {
            let mut woken = std::pin::pin!(self.partitions.settled.notified());
            woken.as_mut().enable();
            if self.may_grow()
                || self.partitions.refuses()
                || self.halted.borrow().is_some()
                || self.stop.is_cancelled()
            {
                return;
            }
            woken.await;
        }
    }

    /// Whether the write-ahead log is short enough: a takeover reads all of its indexes.
    fn may_grow(&self) -> bool {
        !self.partitions.unsettled.lock().is_full()
    }

    /// Tells when, and why, the log has stopped for good.
    pub fn halted(&self) -> watch::Receiver<Option<Halt>> {
        self.halted.subscribe()
    }

    /// Makes what was appended durable and ends the background work. Appends are refused from here on.
    pub async fn shutdown(&self) {
        self.sources.appender.close().await;
        self.stop.cancel();
        self.partitions.settled.notify_waiters();
        let loops = std::mem::take(&mut *self.loops.lock());
        for task in loops {
            // One that panicked has halted the log; there is nothing left to do for it.
            let _ = task.await;
        }
    }

    /// Ends everything at once, as if the process had been killed: what is in flight may still take effect.
    pub fn abort(&self) {
        self.stop.cancel();
        self.sources.appender.abort();
        self.partitions.settled.notify_waiters();
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
        self.partitions.settled.notify_waiters();
    }

    /// Starts a part without which a broker must not go on: if it panics, the log halts.
    pub fn spawn_vital(
        self: &Arc<Self>,
        name: &'static str,
        work: impl Future<Output = ()> + Send + 'static,
    ) -> JoinHandle<()> {
        let log = Arc::clone(self);
        self.env.tasks.spawn(Box::pin(async move {
            if let Some(why) = broken_by_panic(name, work).await {
                log.halt(why);
            }
        }))
    }

    fn spawn(self: &Arc<Self>, name: &'static str, work: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        let task = self.spawn_vital(name, async move {
            let _ = stop.run_until_cancelled(work).await;
        });
        self.loops.lock().push(task);
    }
}

/// The partitions that are open, and what is done when a slot counts.
pub(crate) struct Registry {
    open: RwLock<BTreeMap<PartitionId, Arc<Partition>>>,
    /// The partitions that were open once. Own slots may hold batches of them, which no foundation knows.
    left: Mutex<BTreeSet<PartitionId>>,
    images: Arc<SlotImages>,
    clock: Arc<dyn Clock>,
    /// The slots that count and are not in cold objects yet, oldest first.
    unsettled: Mutex<Unsettled>,
    /// Wakes those who wait for fewer of them.
    settled: Notify,
    /// Whether appends are refused: see [`Sources::refusing`].
    refusing: Arc<AtomicBool>,
}

impl Registry {
    pub fn new(images: &Arc<SlotImages>, env: &Env, settings: &LogSettings) -> Self {
        Self {
            open: RwLock::new(BTreeMap::new()),
            left: Mutex::default(),
            images: Arc::clone(images),
            clock: Arc::clone(&env.clock),
            unsettled: Mutex::new(Unsettled::new(settings.max_unsettled_bytes)),
            settled: Notify::new(),
            refusing: Arc::default(),
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
        let removed = self.open.write().remove(&id);
        if removed.is_some() {
            self.left.lock().insert(id);
        }
        removed
    }

    fn has_left(&self, id: PartitionId) -> bool {
        self.left.lock().contains(&id)
    }

    /// All open partitions, in order of id.
    fn all(&self) -> Vec<Arc<Partition>> {
        self.open.read().values().cloned().collect()
    }

    /// What is only in the write-ahead log.
    fn backlog(&self) -> Backlog {
        let unsettled = self.unsettled.lock();
        Backlog {
            bytes: unsettled.bytes,
            slots: unsettled.slots.len() as u64,
            oldest: unsettled.slots.front().map(|slot| slot.counted_at),
        }
    }

    /// The oldest slots that wait to be offloaded: as many as hold `bytes` of records, or all.
    fn oldest_unsettled(&self, bytes: u64) -> Range<Slot> {
        let slots = &self.unsettled.lock().slots;
        let Some(first) = slots.front() else {
            return Slot(0)..Slot(0);
        };
        let (mut end, mut held) = (first.slot, 0);
        for slot in slots {
            held += slot.bytes;
            end = slot.slot.next();
            if held >= bytes {
                break;
            }
        }
        first.slot..end
    }

    /// Slots below `offloaded` are in cold objects.
    fn settle(&self, offloaded: Slot) {
        {
            let mut unsettled = self.unsettled.lock();
            while let Some(oldest) = unsettled.slots.front().filter(|oldest| oldest.slot < offloaded) {
                unsettled.bytes -= oldest.bytes;
                unsettled.slots.pop_front();
            }
            self.decide(&unsettled);
        }
        self.settled.notify_waiters();
    }

    /// Whether the offload is stuck: then nobody may wait until the write-ahead log is shorter.
    fn stuck(&self, stuck: bool) {
        {
            let mut unsettled = self.unsettled.lock();
            if stuck && !unsettled.stuck {
                tracing::error!(
                    "ALARM: the offload is stuck; once the write-ahead log is full, appends are refused"
                );
            }
            unsettled.stuck = stuck;
            self.decide(&unsettled);
        }
        self.settled.notify_waiters();
    }

    fn decide(&self, unsettled: &Unsettled) {
        let refuses = unsettled.stuck && unsettled.is_full();
        if self.refusing.swap(refuses, Ordering::SeqCst) != refuses {
            metrics::appends_refused(refuses);
        }
    }

    fn refuses(&self) -> bool {
        self.refusing.load(Ordering::SeqCst)
    }
}

/// See [`Registry::unsettled`].
struct Unsettled {
    slots: VecDeque<UnsettledSlot>,
    bytes: u64,
    max_bytes: u64,
    /// Whether the offload makes no progress until somebody helps.
    stuck: bool,
}

impl Unsettled {
    fn new(max_bytes: u64) -> Self {
        Self {
            slots: VecDeque::new(),
            bytes: 0,
            max_bytes,
            stuck: false,
        }
    }

    fn is_full(&self) -> bool {
        self.bytes + self.slots.len() as u64 * UNSETTLED_SLOT_COST >= self.max_bytes
    }
}

struct UnsettledSlot {
    slot: Slot,
    bytes: u64,
    counted_at: Timestamp,
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
        let counted_at = self.clock.now();
        let mut unsettled = self.unsettled.lock();
        unsettled.slots.push_back(UnsettledSlot {
            slot: slot.slot,
            bytes,
            counted_at,
        });
        unsettled.bytes += bytes;
        self.decide(&unsettled);
    }
}
