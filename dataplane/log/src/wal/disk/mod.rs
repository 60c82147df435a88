//! The write-ahead log on a local disk, for one machine or an attached volume.
//!
//! Layout: `docs/formats/wal-disk.md`. A directory is owned through a kernel lock. Each incarnation has a folder of files that
//! were zeroed before use; registers are appended to them as frames of whole blocks. The appender runs on the log's own
//! thread, where a put may block, and what it puts together shares one fdatasync. Deleted slots stay readable until all files together exceed `hot_bytes`: they are the
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

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use firn_catalog::cell::WalLocation;
use firn_catalog::ids::{IncarnationId, Slot};
use firn_runtime::{Env, OwnThread, blocking};
use parking_lot::Mutex;
use tokio::runtime::Handle;

use super::slot::{FENCE_MAGIC, SLOT_MAGIC, front_length};
use super::{BlockingPuts, HOT_DISK_BYTES, PutOutcome, WalError, WriteAheadLog};
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
    /// Bytes of files up to which deleted slots are kept as the hot tier.
    pub hot_bytes: u64,
}

impl Default for DiskSettings {
    fn default() -> Self {
        Self {
            file_bytes: 64 << 20,
            first_file_bytes: 1 << 20,
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
    writer: Arc<Mutex<Writer>>,
    thread: OwnThread,
    /// The directory's id.
    volume: String,
}

impl DiskLog {
    /// Takes the directory (made if it is absent), finds all slots in it, and starts the log's thread. Blocks.
    pub fn open(dir: &Path, settings: DiskSettings, env: &Env) -> Result<Self, OpenError> {
        let volume = Volume::open(dir, env)?;
        let id = volume.id.clone();
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
        let hot_bytes = settings.hot_bytes;
        let writer = Writer::new(
            dir.to_owned(),
            env.clone(),
            settings,
            Arc::clone(&shelf),
            Arc::clone(&spares),
            preparer,
            volume,
        );
        Ok(Self {
            env: env.clone(),
            dir: dir.to_owned(),
            hot_bytes,
            shelf,
            spares,
            buffers: Arc::default(),
            writer: Arc::new(Mutex::new(writer)),
            thread: OwnThread::start("firn-wal").map_err(at(dir))?,
            volume: id,
        })
    }

    /// The id of the directory, as in [`WalLocation::Disk`].
    pub fn volume(&self) -> &str {
        &self.volume
    }

    fn find(&self, incarnation: IncarnationId, slot: Slot) -> Result<Option<Place>, WalError> {
        self.shelf
            .lock()
            .find(incarnation, slot)
            .map_err(WalError::Corrupt)
    }

    async fn read(&self, file: Arc<WalFile>, offset: u64, length: u64) -> Result<Bytes, WalError> {
        let length = in_memory(length)?;
        if length < buffers::STEP {
            let bytes = BytesMut::zeroed(length);
            return Ok(self.fill(bytes, file, offset).await?.freeze());
        }
        let bytes = self.buffers.lend(length);
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
            volume: self.volume.clone(),
        }
    }

    async fn put_if_absent(
        &self,
        incarnation: IncarnationId,
        slot: Slot,
        pieces: Vec<Bytes>,
    ) -> Result<PutOutcome, WalError> {
        let put = Put {
            incarnation,
            slot,
            pieces,
        };
        let writer = Arc::clone(&self.writer);
        let answers = blocking(&*self.env.tasks, move || put_all(&writer, &[put])).await;
        let ended = || WalError::Failed("a put has no answer".to_owned());
        answers.into_iter().next().unwrap_or_else(|| Err(ended()))
    }

    async fn get(&self, incarnation: IncarnationId, slot: Slot) -> Result<Option<Bytes>, WalError> {
        match self.find(incarnation, slot)? {
            None => Ok(None),
            Some(Place::Fence(bytes)) => Ok(Some(bytes)),
            Some(Place::Frame { file, offset, length }) => self.read(file, offset, length).await.map(Some),
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

    fn blocking_puts(&self) -> Option<&dyn BlockingPuts> {
        Some(self)
    }
}

impl BlockingPuts for DiskLog {
    fn thread(&self) -> &Handle {
        self.thread.handle()
    }

    fn put_all(
        &self,
        incarnation: IncarnationId,
        puts: Vec<(Slot, Vec<Bytes>)>,
    ) -> Vec<Result<PutOutcome, WalError>> {
        let puts = puts.into_iter().map(|(slot, pieces)| Put {
            incarnation,
            slot,
            pieces,
        });
        put_all(&self.writer, &puts.collect::<Vec<_>>())
    }
}

fn put_all(writer: &Mutex<Writer>, puts: &[Put]) -> Vec<Result<PutOutcome, WalError>> {
    let known = |put: &Put| {
        let front = put.pieces.first();
        front.is_some_and(|piece| piece.starts_with(&SLOT_MAGIC) || piece.starts_with(&FENCE_MAGIC))
    };
    if puts.iter().all(known) {
        return writer.lock().put_all(puts);
    }
    // A start after a crash tells whole registers from torn ones by their own checksums.
    let refused = || Err(WalError::Corrupt("only slots and fences can be put".to_owned()));
    puts.iter().map(|_| refused()).collect()
}
