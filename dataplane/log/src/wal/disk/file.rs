//! One file: whole writes, and reads that do not block where the page cache has the bytes.

use std::fs::{self, File, OpenOptions};
use std::io::{self, IoSlice, IoSliceMut};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::{Errno, ReadWriteFlags, preadv2, pwritev};

use super::zeros;

/// The most pieces that one system call takes (Linux's IOV_MAX).
const MAX_PIECES: usize = 1024;

/// An open file of known size. Its path changes only while nobody else holds it.
#[derive(Debug)]
pub(super) struct WalFile {
    pub(super) path: PathBuf,
    pub(super) size: u64,
    file: File,
}

impl WalFile {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        let size = file.metadata()?.len();
        Ok(Self {
            path: path.to_owned(),
            size,
            file,
        })
    }

    /// A new file of zeros, written and synced: extents that were written once are several times faster to sync. Removed
    /// again if there is no room, or if `give_up` says so between two pieces.
    pub(super) fn create_zeroed(path: &Path, size: u64, give_up: impl Fn() -> bool) -> io::Result<Self> {
        let made = (|| {
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .create_new(true)
                .open(path)?;
            zeros::fill(&file, path, size, give_up)?;
            file.sync_all()?;
            Ok(file)
        })();
        match made {
            Ok(file) => Ok(Self {
                path: path.to_owned(),
                size,
                file,
            }),
            Err(error) => {
                let _ = fs::remove_file(path);
                Err(error)
            }
        }
    }

    /// A new file whose space is reserved but not written.
    pub(super) fn create_reserved(path: &Path, size: u64) -> io::Result<Self> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .open(path)?;
        match fallocate(&file, FallocateFlags::empty(), 0, size) {
            Ok(()) => Ok(Self {
                path: path.to_owned(),
                size,
                file,
            }),
            Err(error) => {
                let _ = fs::remove_file(path);
                match error {
                    Errno::OPNOTSUPP | Errno::NOSYS => Self::create_zeroed(path, size, || false),
                    _ => Err(error.into()),
                }
            }
        }
    }

    /// Moves the file within the volume.
    pub(super) fn rename(&mut self, to: PathBuf) -> io::Result<()> {
        fs::rename(&self.path, &to)?;
        self.path = to;
        Ok(())
    }

    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    /// Writes all of `pieces`, one after the other.
    pub(super) fn write_all(&self, pieces: &[&[u8]], mut offset: u64) -> io::Result<()> {
        let mut slices: Vec<IoSlice<'_>> = pieces
            .iter()
            .filter(|piece| !piece.is_empty())
            .map(|piece| IoSlice::new(piece))
            .collect();
        let mut rest = &mut slices[..];
        while !rest.is_empty() {
            let now = rest.len().min(MAX_PIECES);
            match pwritev(&self.file, &rest[..now], offset) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    offset += written as u64;
                    IoSlice::advance_slices(&mut rest, written);
                }
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Fills `into` if it can be done from the page cache alone; returns whether it did.
    pub(super) fn read_cached(&self, into: &mut [u8], offset: u64) -> bool {
        let mut filled = 0;
        while filled < into.len() {
            let rest = &mut [IoSliceMut::new(&mut into[filled..])];
            match preadv2(&self.file, rest, offset + filled as u64, ReadWriteFlags::NOWAIT) {
                Ok(read) if read > 0 => filled += read,
                Ok(_) | Err(_) => return false,
            }
        }
        true
    }

    /// Fills `into`, waiting for the device if need be.
    pub(super) fn read(&self, into: &mut [u8], offset: u64) -> io::Result<()> {
        self.file.read_exact_at(into, offset)
    }
}

/// Whether an error says that the disk, or a quota, is full.
pub(super) fn is_no_space(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}
