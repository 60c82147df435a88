//! Slot images: the hot tier.
//!
//! The bytes of a slot that counts stay readable as one immutable image: in memory while they are
//! young, then on local disk. A disk WAL's own files are that image already; for an object WAL each counted slot is also
//! written to a file in the hot directory, through the page cache and never synced: a disposable cache that is wiped at start.
//! Images are dropped in slot order, oldest first, once the budget is used up and their batches are in cold objects.
//!
//! Rejected: a segment file per partition. It writes every record twice beside a disk WAL (twice the copying, and its
//! write-back slows fdatasync), one file handle and one system call per partition and slot. The price of images
//! is that a catch-up read of one of very many partitions finds its batches in small runs.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use firn_catalog::ids::{IncarnationId, Slot};
use firn_runtime::{Env, blocking};
use parking_lot::Mutex;
use tokio::sync::mpsc;

use crate::partition::run::Run;
use crate::wal::{CountedBatch, CountedSlot, WalError, WriteAheadLog};

/// How many slots may wait for their hot file; beyond that the file is skipped, and reads ask the store.
const HOT_QUEUE: usize = 8;
/// What a slot costs beside its record bytes: a file, its place in lists.
const SLOT_COST: u64 = 4 << 10;
/// What a batch costs beside its bytes: at most a run, and in memory the rest of the buffer that it came in.
const BATCH_COST: u64 = 1 << 10;

/// What images may cost, in bytes. Each slot and each batch costs a little more than its record bytes, so that small
/// ones do not use up files and memory uncounted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageBudget {
    /// Kept in memory.
    pub memory: u64,
    /// Kept on local disk.
    pub disk: u64,
}

/// The images of the slots of this incarnation, and a way to the slots of others.
pub struct SlotImages {
    own: IncarnationId,
    wal: Arc<dyn WriteAheadLog>,
    env: Env,
    hot: Option<HotFiles>,
    budget: ImageBudget,
    ring: Mutex<Ring>,
}

struct HotFiles {
    directory: PathBuf,
    queue: mpsc::Sender<Arc<CountedSlot>>,
}

#[derive(Default)]
struct Ring {
    /// The youngest counted slots, without a gap.
    memory: VecDeque<Arc<CountedSlot>>,
    memory_bytes: u64,
    /// Every slot that has an image, without a gap, with what it costs.
    sizes: VecDeque<(Slot, u64)>,
    bytes: u64,
    /// Slots below this one are in cold objects.
    offloaded: Slot,
}

impl SlotImages {
    /// Empty images over `wal`; `hot` is the directory for hot files, where the WAL is not local. What is in
    /// it is deleted.
    pub fn new(
        own: IncarnationId,
        wal: Arc<dyn WriteAheadLog>,
        env: &Env,
        hot: Option<PathBuf>,
        budget: ImageBudget,
    ) -> std::io::Result<Self> {
        let hot = hot
            .filter(|_| !wal.is_local())
            .map(|directory| start_hot_files(env, directory))
            .transpose()?;
        Ok(Self {
            own,
            wal,
            env: env.clone(),
            hot,
            budget,
            ring: Mutex::new(Ring::default()),
        })
    }

    /// Takes a slot that counts; slots come in order.
    pub fn counted(&self, slot: &Arc<CountedSlot>) {
        let bytes = cost_of(slot);
        let dropped = {
            let mut ring = self.ring.lock();
            ring.sizes.push_back((slot.slot, bytes));
            ring.bytes += bytes;
            ring.memory.push_back(Arc::clone(slot));
            ring.memory_bytes += bytes;
            while ring.memory_bytes > self.budget.memory && ring.memory.len() > 1 {
                if let Some(oldest) = ring.memory.pop_front() {
                    ring.memory_bytes -= cost_of(&oldest);
                }
            }
            ring.evict(self.budget.disk)
        };
        if let Some(hot) = &self.hot {
            // A full queue means that the disk is slower than the store: that image is then read from the store.
            let _ = hot.queue.try_send(Arc::clone(slot));
        }
        self.delete_files(dropped);
    }

    /// Says that every slot below `offloaded` is in cold objects, so that its image may go.
    pub fn offloaded(&self, offloaded: Slot) {
        let dropped = {
            let mut ring = self.ring.lock();
            ring.offloaded = ring.offloaded.max(offloaded);
            ring.evict(self.budget.disk)
        };
        self.delete_files(dropped);
    }

    /// Own slots below this one have no image any more.
    pub fn floor(&self) -> Slot {
        let ring = self.ring.lock();
        ring.sizes.front().map_or(ring.offloaded, |&(slot, _)| slot)
    }

    /// The batches of a run, if its slot is in memory.
    pub fn in_memory(&self, run: &Run) -> Option<Vec<CountedBatch>> {
        if run.wal != self.own {
            return None;
        }
        let slot = {
            let ring = self.ring.lock();
            let first = ring.memory.front()?.slot;
            let index = usize::try_from(run.slot.0.checked_sub(first.0)?).ok()?;
            Arc::clone(ring.memory.get(index)?)
        };
        let from = slot
            .batches
            .partition_point(|batch| batch.position < run.position);
        let end = run.position + run.length;
        Some(
            slot.batches[from..]
                .iter()
                .take_while(|batch| batch.position < end)
                .cloned()
                .collect(),
        )
    }

    /// The bytes of a run from the hot file, if there is one.
    pub async fn from_hot_file(&self, run: &Run) -> Option<Bytes> {
        let hot = self.hot.as_ref().filter(|_| run.wal == self.own)?;
        let path = hot_file(&hot.directory, run.slot);
        let (position, length) = (run.position, run.length);
        let read = blocking(&*self.env.tasks, move || read_range(&path, position, length)).await;
        read.ok().map(Bytes::from)
    }

    /// The bytes of a run from its write-ahead log; `None` once its slot has been deleted.
    pub async fn from_wal(&self, run: &Run) -> Result<Option<Bytes>, WalError> {
        let range = run.position..run.position + run.length;
        self.wal.get_range(run.wal, run.slot, range).await
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "a hot file is a file; the simulation has no hot directory"
    )]
    fn delete_files(&self, slots: Vec<Slot>) {
        let Some(hot) = self.hot.as_ref().filter(|_| !slots.is_empty()) else {
            return;
        };
        let paths: Vec<_> = slots
            .into_iter()
            .map(|slot| hot_file(&hot.directory, slot))
            .collect();
        let tasks = Arc::clone(&self.env.tasks);
        drop(self.env.tasks.spawn(Box::pin(async move {
            blocking(&*tasks, move || {
                paths.iter().for_each(|path| drop(std::fs::remove_file(path)));
            })
            .await;
        })));
    }
}

impl Ring {
    /// Drops the oldest images that are over the budget and offloaded; returns their slots.
    fn evict(&mut self, budget: u64) -> Vec<Slot> {
        let mut dropped = Vec::new();
        while let Some(&(slot, bytes)) = self.sizes.front() {
            if self.bytes <= budget || slot >= self.offloaded {
                break;
            }
            self.sizes.pop_front();
            self.bytes -= bytes;
            dropped.push(slot);
        }
        dropped
    }
}

fn cost_of(slot: &CountedSlot) -> u64 {
    let batches = slot.batches.iter();
    SLOT_COST
        + batches
            .map(|batch| BATCH_COST + u64::from(batch.meta.length))
            .sum::<u64>()
}

fn hot_file(directory: &Path, slot: Slot) -> PathBuf {
    directory.join(format!("{:020}", slot.0))
}

#[expect(
    clippy::disallowed_methods,
    reason = "a hot file is a file; the simulation has no hot directory"
)]
fn start_hot_files(env: &Env, directory: PathBuf) -> std::io::Result<HotFiles> {
    match std::fs::remove_dir_all(&directory) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => std::fs::create_dir_all(&directory)?,
    }
    let (queue, mut slots) = mpsc::channel::<Arc<CountedSlot>>(HOT_QUEUE);
    let (tasks, target) = (Arc::clone(&env.tasks), directory.clone());
    drop(env.tasks.spawn(Box::pin(async move {
        while let Some(slot) = slots.recv().await {
            let path = hot_file(&target, slot.slot);
            let written = blocking(&*tasks, move || write_image(&path, &slot)).await;
            if let Err(error) = written {
                tracing::debug!(%error, "a hot file was not written; reads go to the store");
            }
        }
    })));
    Ok(HotFiles { directory, queue })
}

/// Writes the batches at their positions in the slot; the front, which nobody reads here, stays a hole.
#[expect(
    clippy::disallowed_methods,
    reason = "a hot file is a file; the simulation has no hot directory"
)]
fn write_image(path: &Path, slot: &CountedSlot) -> std::io::Result<()> {
    use std::io::{IoSlice, Seek, SeekFrom, Write};
    let mut file = std::fs::File::create(path)?;
    file.seek(SeekFrom::Start(slot.data_start))?;
    let mut slices: Vec<_> = slot
        .batches
        .iter()
        .map(|batch| IoSlice::new(&batch.bytes))
        .collect();
    let mut rest = slices.as_mut_slice();
    while !rest.is_empty() {
        let window = rest.len().min(512);
        let written = file.write_vectored(&rest[..window])?;
        if written == 0 {
            return Err(std::io::ErrorKind::WriteZero.into());
        }
        IoSlice::advance_slices(&mut rest, written);
    }
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "a hot file is a file; the simulation has no hot directory"
)]
fn read_range(path: &Path, position: u64, length: u64) -> std::io::Result<Vec<u8>> {
    use std::os::unix::fs::FileExt;
    let length = usize::try_from(length).map_err(|_| std::io::ErrorKind::InvalidInput)?;
    let mut bytes = vec![0; length];
    std::fs::File::open(path)?.read_exact_at(&mut bytes, position)?;
    Ok(bytes)
}
