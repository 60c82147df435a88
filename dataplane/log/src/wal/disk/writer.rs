//! Writing: puts that come together are written together and share one fdatasync.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use firn_catalog::ids::{IncarnationId, Slot};
use firn_runtime::Env;
use parking_lot::{Mutex, MutexGuard};
use tokio::time::Instant;

use super::DiskSettings;
use super::file::{WalFile, is_no_space};
use super::frame::{BLOCK, FRAME_HEADER, FileHeader, FrameHeader, Position, frame_size};
use super::shelf::Shelf;
use super::spares::{Preparer, Spares, enlist};
use super::volume::{Volume, write_durably};
use crate::metrics;
use crate::wal::slot::FENCE_MAGIC;
use crate::wal::{PutOutcome, WalError};

/// What is to be in a register.
pub(super) struct Put {
    pub(super) incarnation: IncarnationId,
    pub(super) slot: Slot,
    pub(super) pieces: Vec<Bytes>,
}

impl Put {
    fn length(&self) -> u64 {
        self.pieces.iter().map(|piece| piece.len() as u64).sum()
    }

    fn is_fence(&self) -> bool {
        self.pieces
            .first()
            .is_some_and(|piece| piece.starts_with(&FENCE_MAGIC))
    }
}

/// The file of a row that is being written.
struct Active {
    file: Arc<WalFile>,
    number: u64,
    generation: u128,
    /// Where the next frame goes.
    end: u64,
    /// All frames before this position are durable.
    synced: Position,
}

/// A frame that was written and is not durable yet.
struct Written {
    /// Which put of the group it is.
    index: usize,
    file: u64,
    offset: u64,
    length: u64,
}

/// What the puts of a group did so far.
#[derive(Default)]
struct Group {
    written: Vec<Written>,
    /// Puts of a slot that another put of the same group wrote.
    repeated: Vec<usize>,
    touched: Vec<Arc<WalFile>>,
}

pub(super) struct Writer {
    pub(super) dir: PathBuf,
    pub(super) env: Env,
    pub(super) settings: DiskSettings,
    pub(super) shelf: Arc<Mutex<Shelf>>,
    pub(super) spares: Arc<Spares>,
    pub(super) preparer: Preparer,
    active: BTreeMap<IncarnationId, Active>,
    /// Bytes of the next new file; doubles up to the settings' size.
    next_size: u64,
    /// The device failed: nothing more is promised.
    failed: Option<String>,
    /// The directory is owned for as long as anything may be written to it.
    _volume: Volume,
}

impl Writer {
    pub(super) fn new(
        dir: PathBuf,
        env: Env,
        settings: DiskSettings,
        shelf: Arc<Mutex<Shelf>>,
        spares: Arc<Spares>,
        mut preparer: Preparer,
        volume: Volume,
    ) -> Self {
        let next_size = settings.first_file_bytes.min(settings.file_bytes);
        preparer.order(next_size);
        Self {
            dir,
            env,
            settings,
            shelf,
            spares,
            preparer,
            active: BTreeMap::new(),
            next_size,
            failed: None,
            _volume: volume,
        }
    }

    /// Puts all of a group in order, with one fdatasync; an answer for each.
    pub(super) fn put_all(&mut self, puts: &[Put]) -> Vec<Result<PutOutcome, WalError>> {
        let started = Instant::now();
        let mut group = Group::default();
        let mut answers: Vec<_> = (0..puts.len())
            .map(|index| self.put(puts, index, &mut group))
            .collect();
        if group.written.is_empty() {
            return answers;
        }
        self.sync(&group.touched);
        if let Some(why) = &self.failed {
            let written = group.written.iter().map(|written| written.index);
            for index in written.chain(group.repeated) {
                answers[index] = Err(WalError::Failed(why.clone()));
            }
            return answers;
        }
        self.now_durable(puts, &group.written, started);
        // Whoever is at it already frees down to the same budget: a group does not wait for that.
        if let Some(in_order) = self.spares.reclaiming.try_lock() {
            reclaim_in(&in_order, &self.shelf, &self.spares, self.settings.hot_bytes);
        }
        self.prepare_ahead();
        answers
    }

    /// One put of a group. What it wrote is not durable yet, whatever the answer is.
    fn put(&mut self, puts: &[Put], index: usize, group: &mut Group) -> Result<PutOutcome, WalError> {
        let put = &puts[index];
        if let Some(why) = &self.failed {
            return Err(WalError::Failed(why.clone()));
        }
        let same = |other: &Written| {
            let other = &puts[other.index];
            (other.incarnation, other.slot) == (put.incarnation, put.slot)
        };
        if group.written.iter().any(same) {
            group.repeated.push(index);
            return Ok(PutOutcome::Exists);
        }
        if self.present(put).map_err(WalError::Corrupt)? {
            return Ok(PutOutcome::Exists);
        }
        if put.is_fence() {
            return self.write_fence(put);
        }
        if self.is_of_an_earlier_process(put.incarnation) {
            return Err(WalError::OutOfReach(format!(
                "{} is the log of an earlier process: it takes nothing but a fence",
                put.incarnation
            )));
        }
        let written = self.write(put, &mut group.touched);
        let (file, offset, length) = written.map_err(|error| self.device_error(&error))?;
        group.written.push(Written {
            index,
            file,
            offset,
            length,
        });
        Ok(PutOutcome::Written)
    }

    fn sync(&mut self, touched: &[Arc<WalFile>]) {
        let syncing = Instant::now();
        if let Err(error) = touched.iter().try_for_each(|file| file.sync()) {
            // The kernel may have dropped the pages: a second fdatasync that succeeds would prove nothing.
            self.failed = Some(format!("fdatasync: {error}"));
        }
        metrics::fdatasync(syncing.elapsed());
    }

    fn now_durable(&mut self, puts: &[Put], written: &[Written], started: Instant) {
        for active in self.active.values_mut() {
            active.synced = Position {
                file: active.number,
                offset: active.end,
            };
        }
        let mut shelf = self.shelf.lock();
        for frame in written {
            let put = &puts[frame.index];
            shelf.add(put.incarnation, put.slot, frame.file, frame.offset, frame.length);
            let length = usize::try_from(frame.length).unwrap_or(usize::MAX);
            metrics::slot_written("disk", length, started.elapsed());
        }
    }

    fn present(&self, put: &Put) -> Result<bool, String> {
        self.shelf
            .lock()
            .find(put.incarnation, put.slot)
            .map(|place| place.is_some())
    }

    /// Only the process that started a row may append to it: what its last frames are worth is known to nobody else.
    fn is_of_an_earlier_process(&self, incarnation: IncarnationId) -> bool {
        !self.active.contains_key(&incarnation) && self.shelf.lock().next_file(incarnation) > 0
    }

    fn write_fence(&mut self, put: &Put) -> Result<PutOutcome, WalError> {
        let folder = self.dir.join(put.incarnation.to_string());
        let bytes = Bytes::from(put.pieces.concat());
        let path = folder.join(format!("fence-{:020}", put.slot.0));
        let made = std::fs::create_dir_all(&folder)
            .and_then(|()| crate::folder::sync(&self.dir))
            .and_then(|()| write_durably(&folder, &path, &bytes));
        match made {
            Ok(()) => {
                self.shelf.lock().add_fence(put.incarnation, put.slot, bytes);
                Ok(PutOutcome::Written)
            }
            Err(error) => Err(self.device_error(&error)),
        }
    }

    /// Writes one frame, not yet durably; gives its file, the register's position and length.
    fn write(&mut self, put: &Put, touched: &mut Vec<Arc<WalFile>>) -> io::Result<(u64, u64, u64)> {
        let length = put.length();
        let size = frame_size(length);
        let fits = self
            .active
            .get(&put.incarnation)
            .is_some_and(|active| size <= active.file.size - active.end);
        if !fits {
            self.roll(put.incarnation, size)?;
        }
        let active = self
            .active
            .get_mut(&put.incarnation)
            .ok_or(io::ErrorKind::NotFound)?;
        let header = FrameHeader {
            generation: active.generation,
            slot: put.slot,
            length,
            synced: active.synced,
        }
        .encode();
        let padding = [0; BLOCK as usize];
        let pad = usize::try_from(size - FRAME_HEADER as u64 - length).expect("less than a block");
        let mut pieces: Vec<&[u8]> = Vec::with_capacity(put.pieces.len() + 2);
        pieces.push(&header);
        pieces.extend(put.pieces.iter().map(|piece| &piece[..]));
        pieces.push(&padding[..pad]);
        active.file.write_all(&pieces, active.end)?;
        self.shelf.lock().expect(put.incarnation, active.number);
        let offset = active.end + FRAME_HEADER as u64;
        active.end += size;
        if !touched.iter().any(|file| Arc::ptr_eq(file, &active.file)) {
            touched.push(Arc::clone(&active.file));
        }
        Ok((active.number, offset, length))
    }

    /// Puts a fresh file into service that has room for a frame of `frame` bytes.
    fn roll(&mut self, incarnation: IncarnationId, frame: u64) -> io::Result<()> {
        let needed = frame.saturating_add(BLOCK);
        let wanted = needed.max(self.next_size);
        let file = match self.preparer.take(wanted) {
            Err(error) if is_no_space(&error) => {
                // What is only kept for readers goes before a producer is refused.
                reclaim(&self.shelf, &self.spares, 0);
                self.preparer.take(needed)?
            }
            taken => taken?,
        };
        let previous = self.active.get(&incarnation);
        let number = self.shelf.lock().next_file(incarnation);
        let header = FileHeader {
            incarnation,
            number,
            generation: self.env.random_u128(),
            previous_end: previous.map_or(0, |active| active.end),
        };
        let synced = previous.map_or(
            Position {
                file: number,
                offset: 0,
            },
            |active| active.synced,
        );
        let file = enlist(
            file,
            &header.encode(),
            &self.dir.join(incarnation.to_string()),
            number,
        )?;
        let file = Arc::new(file);
        self.next_size = (self.next_size * 2).min(self.settings.file_bytes);
        self.shelf.lock().activate(incarnation, number, Arc::clone(&file));
        let active = Active {
            file,
            number,
            generation: header.generation,
            end: BLOCK,
            synced,
        };
        self.active.insert(incarnation, active);
        Ok(())
    }

    /// Orders the next file once the one in use is half full.
    fn prepare_ahead(&mut self) {
        if self
            .active
            .values()
            .any(|active| active.end > active.file.size / 2)
        {
            self.preparer.order(self.next_size);
        }
    }

    /// What an error of the file system means to whoever put.
    fn device_error(&mut self, error: &io::Error) -> WalError {
        if is_no_space(error) {
            return WalError::NoSpace(error.to_string());
        }
        self.failed = Some(error.to_string());
        WalError::Failed(error.to_string())
    }
}

/// Takes files that hold nothing live off the shelf while all files together exceed `budget`.
pub(super) fn reclaim(shelf: &Mutex<Shelf>, spares: &Spares, budget: u64) {
    reclaim_in(&spares.reclaiming.lock(), shelf, spares, budget);
}

fn reclaim_in(_in_order: &MutexGuard<'_, ()>, shelf: &Mutex<Shelf>, spares: &Spares, budget: u64) {
    loop {
        let Some((incarnation, file)) = shelf.lock().reclaim(budget) else {
            return;
        };
        let path = file.path.clone();
        if let Err(error) = spares.put_back(file) {
            tracing::warn!(path = %path.display(), %error, "a file of the write-ahead log could not be freed; its row keeps the others");
            // The next start finds it again: those behind it have to be there too.
            shelf.lock().keep(incarnation);
        }
    }
}
