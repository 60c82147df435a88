//! Files made ready before they are needed, on a thread of their own, so that the writer does not wait for zeros to be
//! written; and files put back to be used again.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use firn_runtime::Env;
use parking_lot::Mutex;

use super::file::WalFile;
use super::volume::{OpenError, at};
use crate::folder;

/// Full-sized files that are kept for use again; further ones are removed. An offload frees several at once, and what is in
/// the page cache of each is worth keeping: pages for a new file cost more than the writing.
const MAX_SPARES: usize = 8;

/// The pool of spare files, and who makes new ones.
pub(super) struct Spares {
    folder: PathBuf,
    file_bytes: u64,
    env: Env,
    pool: Mutex<Vec<WalFile>>,
    /// Held while files are taken off the shelf, so that they leave the directory in the same order.
    pub(super) reclaiming: Mutex<()>,
    stop: AtomicBool,
}

impl Spares {
    /// Finds the spares of earlier processes in `folder`.
    pub(super) fn open(folder: &Path, file_bytes: u64, env: &Env) -> Result<Arc<Self>, OpenError> {
        fs::create_dir_all(folder).map_err(at(folder))?;
        let mut pool = Vec::new();
        let mut paths = Vec::new();
        for entry in fs::read_dir(folder).map_err(at(folder))? {
            paths.push(entry.map_err(at(folder))?.path());
        }
        paths.sort();
        for path in paths {
            let ready =
                path.extension().is_some_and(|extension| extension == "spare") && pool.len() < MAX_SPARES;
            match WalFile::open(&path) {
                Ok(file) if ready && file.size == file_bytes => pool.push(file),
                Ok(_) | Err(_) => fs::remove_file(&path).map_err(at(&path))?,
            }
        }
        Ok(Arc::new(Self {
            folder: folder.to_owned(),
            file_bytes,
            env: env.clone(),
            pool: Mutex::new(pool),
            reclaiming: Mutex::new(()),
            stop: AtomicBool::new(false),
        }))
    }

    /// A spare of at least `size` bytes.
    fn pooled(&self, size: u64) -> Option<WalFile> {
        if size <= self.file_bytes {
            self.pool.lock().pop()
        } else {
            None
        }
    }

    fn new_path(&self) -> PathBuf {
        self.folder.join(format!("{:032x}.new", self.env.random_u128()))
    }

    /// A file of at least `size` bytes that were all written once: a spare, or a new one.
    fn prepare(&self, size: u64) -> io::Result<WalFile> {
        match self.pooled(size) {
            Some(file) => Ok(file),
            None => WalFile::create_zeroed(&self.new_path(), size, || self.stop.load(Ordering::Relaxed)),
        }
    }

    /// Puts back a file that nobody needs; removes it if it is too many, of another size, still being read, or cannot be
    /// moved: on a full disk a directory may have no room for another name.
    pub(super) fn put_back(&self, file: Arc<WalFile>) -> io::Result<()> {
        let path = file.path.clone();
        let mut pool = self.pool.lock();
        match Arc::try_unwrap(file) {
            Ok(mut file) if file.size == self.file_bytes && pool.len() < MAX_SPARES => {
                let spare = self.folder.join(format!("{:032x}.spare", self.env.random_u128()));
                if file.rename(spare).is_err() {
                    return fs::remove_file(path);
                }
                pool.push(file);
                Ok(())
            }
            Ok(_) | Err(_) => fs::remove_file(path),
        }
    }
}

/// The thread that makes files ready.
pub(super) struct Preparer {
    spares: Arc<Spares>,
    orders: Option<Sender<u64>>,
    ready: Receiver<io::Result<WalFile>>,
    ordered: bool,
    thread: Option<JoinHandle<()>>,
}

impl Preparer {
    #[expect(
        clippy::disallowed_methods,
        reason = "zeroing tens of MiB would hold a thread of the shared pool for long; the disk log never runs in the simulation"
    )]
    pub(super) fn start(spares: Arc<Spares>) -> io::Result<Self> {
        let (orders, inbox) = channel::<u64>();
        let (outbox, ready) = channel();
        let pool = Arc::clone(&spares);
        let work = move || {
            while let Ok(size) = inbox.recv() {
                if outbox.send(pool.prepare(size)).is_err() {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new()
            .name("firn-wal-prepare".to_owned())
            .spawn(work)?;
        Ok(Self {
            spares,
            orders: Some(orders),
            ready,
            ordered: false,
            thread: Some(thread),
        })
    }

    /// Orders a file of `size` bytes unless one is on order.
    pub(super) fn order(&mut self, size: u64) {
        if !self.ordered
            && let Some(orders) = &self.orders
            && orders.send(size).is_ok()
        {
            self.ordered = true;
        }
    }

    /// A file of at least `size` bytes: the ordered one if it is ready, else a spare, else one whose space is only
    /// reserved. That one syncs more slowly than one of zeros, but a busy writer does not wait for zeros.
    pub(super) fn take(&mut self, size: u64) -> io::Result<WalFile> {
        while let Ok(made) = self.ready.try_recv() {
            self.ordered = false;
            match made {
                Ok(file) if file.size >= size => return Ok(file),
                // Ordered before it was known how large the next slot is.
                Ok(small) => self.spares.put_back(Arc::new(small))?,
                // What follows will find the same, or better.
                Err(_) => {}
            }
        }
        match self.spares.pooled(size) {
            Some(file) => Ok(file),
            None => WalFile::create_reserved(&self.spares.new_path(), size),
        }
    }
}

impl Drop for Preparer {
    fn drop(&mut self) {
        self.spares.stop.store(true, Ordering::Relaxed);
        self.orders = None;
        if let Some(thread) = self.thread.take() {
            // It only ever ends by itself; a panic there has been reported.
            let _ = thread.join();
        }
    }
}

/// Makes a prepared file part of an incarnation's row: the header first, durably, then the name.
pub(super) fn enlist(mut file: WalFile, header: &[u8], folder: &Path, number: u64) -> io::Result<WalFile> {
    let made = (|| {
        // If it was another row's file once, a crash must not bring that name back over the new header.
        file.path.parent().map_or(Ok(()), folder::sync)?;
        file.write_all(&[header], 0)?;
        file.sync()?;
        if !folder.is_dir() {
            fs::create_dir_all(folder)?;
            folder::sync(folder.parent().unwrap_or(folder))?;
        }
        file.rename(folder.join(format!("{number:010}.wal")))?;
        folder::sync(folder)
    })();
    match made {
        Ok(()) => Ok(file),
        Err(error) => {
            let _ = fs::remove_file(&file.path);
            Err(error)
        }
    }
}
