//! Reads and writes past the page cache, for what nobody reads again soon: through it they cost many times the processor time (a
//! page that the machine's host has to find first costs microseconds), and push out pages that somebody reads.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;

/// What such writes are aligned to, in memory and in the file.
pub const ALIGNMENT: usize = 4096;

/// Bytes of one call, for whatever nobody waits for: a device does one after the other, and the log's writes and syncs come
/// between two of them.
pub const PIECE: usize = 256 << 10;

/// Memory that begins at a multiple of [`ALIGNMENT`].
#[derive(Debug, Default)]
pub struct Aligned {
    memory: Vec<u8>,
    start: usize,
    length: usize,
}

impl Aligned {
    /// `length` zeros.
    pub fn zeros(length: usize) -> Self {
        let memory = vec![0; length + ALIGNMENT];
        let start = memory.as_ptr().align_offset(ALIGNMENT).min(ALIGNMENT);
        Self {
            memory,
            start,
            length,
        }
    }
}

impl AsRef<[u8]> for Aligned {
    fn as_ref(&self) -> &[u8] {
        &self.memory[self.start..self.start + self.length]
    }
}

impl AsMut<[u8]> for Aligned {
    fn as_mut(&mut self) -> &mut [u8] {
        &mut self.memory[self.start..self.start + self.length]
    }
}

/// The way to a file past the page cache, for as long as the file system and the device take that.
#[derive(Debug)]
pub struct PastCache {
    direct: Option<File>,
    /// The device wants another alignment.
    refused: AtomicBool,
}

impl PastCache {
    /// To the file at `path`, which is open for reading and writing elsewhere.
    pub fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDWR | OFlags::DIRECT | OFlags::CLOEXEC;
        let direct = match open(path, flags, Mode::empty()) {
            Ok(direct) => Some(direct.into()),
            Err(Errno::INVAL | Errno::OPNOTSUPP) => None,
            Err(error) => return Err(error.into()),
        };
        Ok(Self {
            direct,
            refused: AtomicBool::new(false),
        })
    }

    /// Does `call` with the file, if it is taken.
    fn tried(&self, call: impl FnOnce(&File) -> io::Result<()>) -> io::Result<bool> {
        let direct = self
            .direct
            .as_ref()
            .filter(|_| !self.refused.load(Ordering::Relaxed));
        match direct.map(call) {
            None => Ok(false),
            Some(Ok(())) => Ok(true),
            Some(Err(error)) if Errno::from_io_error(&error) == Some(Errno::INVAL) => {
                self.refused.store(true, Ordering::Relaxed);
                Ok(false)
            }
            Some(Err(error)) => Err(error),
        }
    }

    /// Writes all of `piece`: the whole blocks in it past the page cache, the rest through `file`, which is the same one. `offset` is
    /// a multiple of [`ALIGNMENT`], and `piece` lies in [`Aligned`] memory, at its start. Nothing is durable before the file
    /// is synced.
    pub fn write_all_at(&self, file: &File, piece: &[u8], offset: u64) -> io::Result<()> {
        let blocks = piece.len() / ALIGNMENT * ALIGNMENT;
        let written = blocks > 0 && self.tried(|direct| direct.write_all_at(&piece[..blocks], offset))?;
        let done = if written { blocks } else { 0 };
        file.write_all_at(&piece[done..], offset + done as u64)
    }

    /// Fills `into`, which is whole blocks at the start of [`Aligned`] memory, from a multiple of [`ALIGNMENT`]; through `file`, which
    /// is the same one, if it cannot be done past the page cache.
    pub fn read_exact_at(&self, file: &File, into: &mut [u8], offset: u64) -> io::Result<()> {
        let mut at = offset;
        for piece in into.chunks_mut(PIECE) {
            if !self.tried(|direct| direct.read_exact_at(piece, at))? {
                file.read_exact_at(piece, at)?;
            }
            at += piece.len() as u64;
        }
        Ok(())
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the subject is a disk")]
mod tests {
    use std::fs::{self, OpenOptions};

    use tempfile::TempDir;

    use super::*;

    #[test]
    fn all_is_written_whether_direct_writes_are_taken_or_not() {
        // Taken, refused when the file is opened, refused when the file system sees one.
        for (shift, refused) in [(0, false), (0, true), (1, false)] {
            let dir = TempDir::new().unwrap();
            let path = dir.path().join("new");
            let mut options = OpenOptions::new();
            let file = options
                .read(true)
                .write(true)
                .create_new(true)
                .open(&path)
                .unwrap();
            let mut memory = Aligned::zeros(2 * ALIGNMENT + 100);
            for (at, byte) in memory.as_mut().iter_mut().enumerate() {
                *byte = u8::try_from(at % 251).unwrap();
            }
            let piece = &memory.as_ref()[shift..];
            let mut past = PastCache::open(&path).unwrap();
            if refused {
                past.direct = None;
            }
            past.write_all_at(&file, piece, 0).unwrap();
            assert_eq!(fs::read(&path).unwrap(), piece, "{shift} {refused}");
            let mut back = Aligned::zeros(ALIGNMENT + shift);
            let into = &mut back.as_mut()[shift..];
            past.read_exact_at(&file, into, 4096).unwrap();
            assert_eq!(into, &piece[4096..8192], "{shift} {refused}");
        }
    }
}
