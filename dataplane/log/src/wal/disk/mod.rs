//! The write-ahead log on a local disk, for one machine or an attached volume.
//!
//! Layout: `docs/formats/wal-disk.md`. A directory is owned through a kernel lock. Each incarnation has a folder of files that
//! were zeroed before use; registers are appended to them as frames of whole blocks. One thread writes; all puts that
//! wait for it share one fdatasync. Deleted slots stay readable until all files together exceed `hot_bytes`: they are the
//! hot tier. Fences are small files of their own and are never deleted.
//!
//! Rejected: a file per slot. Extending a file and syncing it is several times slower than writing over extents that were
//! written before.

mod buffers;
mod file;
mod frame;
mod freed;
#[cfg(test)]
mod golden;
mod scan;
mod shelf;
mod spares;
#[cfg(test)]
mod tests;
mod volume;
mod writer;
mod zeros;

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use firn_catalog::cell::WalLocation;
use firn_catalog::ids::{IncarnationId, Slot};
use firn_runtime::{Env, blocking};
use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::slot::{FENCE_MAGIC, SLOT_MAGIC, front_length};
use super::{HOT_DISK_BYTES, PutOutcome, WalError, WriteAheadLog};
use buffers::Buffers;
use file::WalFile;
use shelf::{Place, Shelf};
use spares::{Preparer, Spares};
pub use volume::OpenError;
use volume::{Volume, at};
use writer::{Put, Writer, reclaim};

/// Bytes of the first read of a front; most indexes are smaller.
const FRONT_GUESS: u64 = 16 * 1024;

/// Sizes of a disk log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiskSettings {
    /// Bytes of a file once the log has warmed up.
    pub file_bytes: u64,
    /// Bytes of the first file of a process; each further one has twice as many, up to `file_bytes`.
    pub first_file_bytes: u64,
    /// Record bytes after which a group is synced though more puts wait.
    pub max_group_bytes: u64,
    /// Bytes of files up to which deleted slots are kept as the hot tier.
    pub hot_bytes: u64,
}

impl Default for DiskSettings {
    fn default() -> Self {
        Self {
            file_bytes: 64 << 20,
            first_file_bytes: 1 << 20,
            max_group_bytes: 8 << 20,
            hot_bytes: HOT_DISK_BYTES,
        }
    }
}

/// A write-ahead log in a directory that this process owns.
pub struct DiskLog {
    env: Env,
    dir: PathBuf,
    hot_bytes: u64,
    shelf: Arc<Mutex<Shelf>>,
    spares: Arc<Spares>,
    buffers: Arc<Buffers>,
    queue: Option<Sender<Put>>,
    writer: Option<JoinHandle<()>>,
    /// Last, so that the lock goes after the writer.
    volume: Volume,
}

impl DiskLog {
    /// Takes the directory (made if it is absent), finds all slots in it, and starts the writer. Blocks.
    #[expect(
        clippy::disallowed_methods,
        reason = "fdatasync blocks for long, and one thread that does nothing else lets puts share it; the simulation has no disk log"
    )]
    pub fn open(dir: &Path, settings: DiskSettings, env: &Env) -> Result<Self, OpenError> {
        let volume = Volume::open(dir, env)?;
        let mut shelf = Shelf::default();
        for entry in fs::read_dir(dir).map_err(at(dir))? {
            let entry = entry.map_err(at(dir))?;
            let Some(incarnation) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
                continue;
            };
            let row = scan::scan_row(&entry.path(), incarnation)?;
            if let Some(damage) = &row.damage {
                tracing::error!(%incarnation, damage, "a write-ahead log is damaged");
            }
            shelf.add_row(incarnation, row);
        }
        let shelf = Arc::new(Mutex::new(shelf));
        let spares = Spares::open(&dir.join("spare"), settings.file_bytes, env)?;
        let preparer = Preparer::start(Arc::clone(&spares)).map_err(at(dir))?;
        let (queue, inbox) = channel();
        let hot_bytes = settings.hot_bytes;
        let writer = Writer::new(
            dir.to_owned(),
            env.clone(),
            settings,
            Arc::clone(&shelf),
            Arc::clone(&spares),
            preparer,
            inbox,
        );
        let thread = std::thread::Builder::new().name("firn-wal-write".to_owned());
        let writer = thread.spawn(move || writer.run()).map_err(at(dir))?;
        let (queue, writer) = (Some(queue), Some(writer));
        Ok(Self {
            env: env.clone(),
            dir: dir.to_owned(),
            hot_bytes,
            shelf,
            spares,
            buffers: Arc::default(),
            queue,
            writer,
            volume,
        })
    }

    /// The id of the directory, as in [`WalLocation::Disk`].
    pub fn volume(&self) -> &str {
        &self.volume.id
    }

    fn find(&self, incarnation: IncarnationId, slot: Slot) -> Result<Option<Place>, WalError> {
        self.shelf
            .lock()
            .find(incarnation, slot)
            .map_err(WalError::Corrupt)
    }

    async fn read(&self, file: Arc<WalFile>, offset: u64, length: u64) -> Result<Bytes, WalError> {
        let bytes = BytesMut::zeroed(in_memory(length)?);
        Ok(self.fill(bytes, file, offset).await?.freeze())
    }

    /// From the page cache at once, else from the device on another thread.
    async fn fill<B: AsMut<[u8]> + Send + 'static>(
        &self,
        mut bytes: B,
        file: Arc<WalFile>,
        offset: u64,
    ) -> Result<B, WalError> {
        if file.read_cached(bytes.as_mut(), offset) {
            return Ok(bytes);
        }
        let path = file.path.clone();
        let read = move || file.read(bytes.as_mut(), offset).map(|()| bytes);
        let result = blocking(&*self.env.tasks, read).await;
        // Asking a device again does not help.
        result.map_err(|error| WalError::Corrupt(format!("{} cannot be read: {error}", path.display())))
    }
}

fn in_memory(length: u64) -> Result<usize, WalError> {
    usize::try_from(length).map_err(|_| WalError::Corrupt("a length beyond memory".to_owned()))
}

#[async_trait]
impl WriteAheadLog for DiskLog {
    fn location(&self) -> WalLocation {
        WalLocation::Disk {
            volume: self.volume.id.clone(),
        }
    }

    async fn put_if_absent(
        &self,
        incarnation: IncarnationId,
        slot: Slot,
        pieces: Vec<Bytes>,
    ) -> Result<PutOutcome, WalError> {
        let known = pieces
            .first()
            .is_some_and(|piece| piece.starts_with(&SLOT_MAGIC) || piece.starts_with(&FENCE_MAGIC));
        if !known {
            // A start after a crash tells whole registers from torn ones by their own checksums.
            return Err(WalError::Corrupt("only slots and fences can be put".to_owned()));
        }
        let (answer, answered) = oneshot::channel();
        let ended = || WalError::Failed("the thread that writes the log has ended".to_owned());
        let queue = self.queue.as_ref().ok_or_else(ended)?;
        queue
            .send(Put {
                incarnation,
                slot,
                pieces,
                answer,
            })
            .map_err(|_| ended())?;
        answered.await.map_err(|_| ended())?
    }

    async fn get(&self, incarnation: IncarnationId, slot: Slot) -> Result<Option<Bytes>, WalError> {
        match self.find(incarnation, slot)? {
            None => Ok(None),
            Some(Place::Fence(bytes)) => Ok(Some(bytes)),
            Some(Place::Frame { file, offset, length }) => {
                let bytes = self.buffers.lend(in_memory(length)?);
                Ok(Some(self.fill(bytes, file, offset).await?.freeze()))
            }
        }
    }

    async fn get_front(&self, incarnation: IncarnationId, slot: Slot) -> Result<Option<Bytes>, WalError> {
        let (file, offset, length) = match self.find(incarnation, slot)? {
            None => return Ok(None),
            Some(Place::Fence(bytes)) => return Ok(Some(bytes)),
            Some(Place::Frame { file, offset, length }) => (file, offset, length),
        };
        let front = self
            .read(Arc::clone(&file), offset, length.min(FRONT_GUESS))
            .await?;
        match front_length(&front) {
            Ok(needed) if needed > front.len() as u64 && needed <= length => {
                self.read(file, offset, needed).await.map(Some)
            }
            // Whoever parses it says what is wrong with it.
            Ok(_) | Err(_) => Ok(Some(front)),
        }
    }

    async fn get_range(
        &self,
        incarnation: IncarnationId,
        slot: Slot,
        range: Range<u64>,
    ) -> Result<Option<Bytes>, WalError> {
        let short =
            |length: u64| WalError::Corrupt(format!("slot {slot} of {incarnation} has only {length} bytes"));
        let wanted = range.end.saturating_sub(range.start);
        match self.find(incarnation, slot)? {
            None => Ok(None),
            Some(Place::Fence(bytes)) if range.end > bytes.len() as u64 => Err(short(bytes.len() as u64)),
            Some(Place::Fence(bytes)) => {
                let position = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
                Ok(Some(bytes.slice(
                    position(range.start.min(range.end))..position(range.end),
                )))
            }
            Some(Place::Frame { length, .. }) if range.end > length => Err(short(length)),
            Some(Place::Frame { file, offset, .. }) => {
                self.read(file, offset + range.start, wanted).await.map(Some)
            }
        }
    }

    async fn delete(&self, incarnation: IncarnationId, slots: Range<Slot>) -> Result<(), WalError> {
        // An offload ends with this, and nobody else reads whole slots for long.
        self.buffers.drop_idle();
        let freed = self.shelf.lock().delete(incarnation, slots);
        let (shelf, spares, budget) = (Arc::clone(&self.shelf), Arc::clone(&self.spares), self.hot_bytes);
        let folder = self.dir.join(incarnation.to_string());
        let work = move || {
            if let Some(Err(error)) = freed.map(|slot| freed::write(&folder, slot)) {
                // Only a hint: the next start finds the deleted slots again.
                tracing::debug!(folder = %folder.display(), %error, "it could not be noted which slots are deleted");
            }
            reclaim(&shelf, &spares, budget);
        };
        blocking(&*self.env.tasks, work).await;
        Ok(())
    }

    fn is_local(&self) -> bool {
        true
    }
}

impl Drop for DiskLog {
    /// Waits for the puts that were taken, so that the lock outlives them.
    fn drop(&mut self) {
        self.queue = None;
        if let Some(writer) = self.writer.take() {
            // A panic there has been reported, and failed every put since.
            let _ = writer.join();
        }
    }
}
