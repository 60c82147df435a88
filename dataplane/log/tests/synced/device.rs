//! A device that keeps only what was synced.
//!
//! This file defines `fsync` and `fdatasync` for the whole test process, in place of the C library's: the standard library,
//! and whatever else is linked in, calls these. Each passes the call on to the kernel, and notes what it makes durable: the bytes
//! of a file as they are at that moment, or the names in a folder. So no test here passes unless the
//! code under test really makes the system call.
#![allow(
    unsafe_code,
    reason = "functions that stand in for the C library's, and descriptors that come as numbers"
)]

use std::collections::BTreeMap;
use std::ffi::{OsString, c_int};
use std::fs;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::fs::{DirEntryExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use rustix::io::Errno;
use tempfile::TempDir;

/// All devices of this process.
static DEVICES: Mutex<Vec<Weak<Device>>> = Mutex::new(Vec::new());

/// Which files and folders.
type Such = fn(&Path) -> bool;

/// A folder, and what of it is durable.
pub struct Device {
    folder: TempDir,
    root: PathBuf,
    state: Mutex<State>,
    released: Condvar,
}

#[derive(Default)]
struct State {
    /// Durable bytes of files, by inode.
    files: BTreeMap<u64, Vec<u8>>,
    /// Durable names in folders, by inode.
    folders: BTreeMap<u64, BTreeMap<OsString, Entry>>,
    /// What was synced, in order.
    synced: Vec<PathBuf>,
    held: Option<Such>,
    waiting: usize,
    failing: Option<Such>,
}

#[derive(Clone, Copy)]
struct Entry {
    inode: u64,
    is_folder: bool,
}

/// While it lives, such syncs wait.
pub struct Hold<'a>(&'a Device);

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        self.0.state.lock().held = None;
        self.0.released.notify_all();
    }
}

impl Device {
    pub fn new() -> Arc<Self> {
        let folder = tempfile::tempdir().unwrap();
        let device = Arc::new(Self {
            root: folder.path().canonicalize().unwrap(),
            folder,
            state: Mutex::default(),
            released: Condvar::new(),
        });
        DEVICES.lock().push(Arc::downgrade(&device));
        device
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A folder with what a power loss now would leave. Files whose name is durable and whose bytes are not are empty.
    pub fn after_power_loss(&self) -> TempDir {
        let left = tempfile::tempdir().unwrap();
        let root = fs::metadata(&self.root).unwrap().ino();
        self.state.lock().restore(root, left.path());
        left
    }

    /// From here on syncs of such files and folders wait until the hold is dropped.
    pub fn hold(&self, such: Such) -> Hold<'_> {
        self.state.lock().held = Some(such);
        Hold(self)
    }

    /// Waits until a sync waits.
    pub async fn until_held(&self) {
        until("synced", || self.state.lock().waiting > 0).await;
    }

    /// From here on syncs of such files and folders fail.
    pub fn fail(&self, such: Such) {
        self.state.lock().failing = Some(such);
    }

    /// Nothing fails any more.
    pub fn mend(&self) {
        self.state.lock().failing = None;
    }

    /// How often such files and folders were synced.
    pub fn syncs(&self, such: Such) -> usize {
        self.state.lock().synced.iter().filter(|path| such(path)).count()
    }

    /// The device that has this file, and the path of the file.
    fn of(fd: BorrowedFd<'_>) -> Option<(Arc<Self>, PathBuf)> {
        let path = fs::read_link(by_number(fd)).ok()?;
        let mut devices = DEVICES.lock();
        devices.retain(|device| device.strong_count() > 0);
        let mut alive = devices.iter().filter_map(Weak::upgrade);
        let device = alive.find(|device| path.starts_with(&device.root))?;
        Some((device, path))
    }

    fn note(&self, fd: BorrowedFd<'_>, path: PathBuf) -> Result<(), Errno> {
        let mut state = self.state.lock();
        while state.held.is_some_and(|such| such(&path)) {
            state.waiting += 1;
            self.released.wait(&mut state);
            state.waiting -= 1;
        }
        if state.failing.is_some_and(|such| such(&path)) {
            return Err(Errno::IO);
        }
        state.synced.push(path);
        let itself = by_number(fd);
        let found = fs::metadata(&itself).unwrap();
        if found.is_dir() {
            state.folders.insert(found.ino(), names_in(&itself));
        } else {
            state.files.insert(found.ino(), fs::read(&itself).unwrap());
        }
        Ok(())
    }
}

impl State {
    fn restore(&self, folder: u64, into: &Path) {
        for (name, entry) in self.folders.get(&folder).into_iter().flatten() {
            let path = into.join(name);
            if entry.is_folder {
                fs::create_dir(&path).unwrap();
                self.restore(entry.inode, &path);
            } else {
                let bytes = self.files.get(&entry.inode).map_or(&[][..], |bytes| bytes);
                fs::write(&path, bytes).unwrap();
            }
        }
    }
}

pub async fn until(what: &str, mut is: impl FnMut() -> bool) {
    for _ in 0..6_000 {
        if is() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it did not come to be {what}");
}

/// A path that leads to an open file, whatever its name is now.
fn by_number(fd: BorrowedFd<'_>) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", fd.as_raw_fd()))
}

fn names_in(folder: &Path) -> BTreeMap<OsString, Entry> {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    let named = entries.filter_map(|entry| {
        let is_folder = entry.file_type().ok()?.is_dir();
        let inode = entry.ino();
        Some((entry.file_name(), Entry { inode, is_folder }))
    });
    named.collect()
}

fn sync(fd: c_int, pass_on: fn(BorrowedFd<'_>) -> Result<(), Errno>) -> c_int {
    // SAFETY: whoever syncs a file keeps it open meanwhile.
    let fd = unsafe { BorrowedFd::borrow_raw(fd) };
    let noted = Device::of(fd).map_or(Ok(()), |(device, path)| device.note(fd, path));
    match noted.and_then(|()| pass_on(fd)) {
        Ok(()) => 0,
        Err(error) => {
            errno::set_errno(errno::Errno(error.raw_os_error()));
            -1
        }
    }
}

#[unsafe(no_mangle)]
extern "C" fn fsync(fd: c_int) -> c_int {
    sync(fd, |fd| rustix::fs::fsync(fd))
}

#[unsafe(no_mangle)]
extern "C" fn fdatasync(fd: c_int) -> c_int {
    sync(fd, |fd| rustix::fs::fdatasync(fd))
}
