//! Writes past the page cache, for what nobody reads soon: through it they cost many times the processor time (a page that
//! the machine's host has to find first costs microseconds), and push out pages that somebody reads.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;

/// What such writes are aligned to, in memory and in the file.
pub const ALIGNMENT: usize = 4096;

/// Memory that begins at a multiple of [`ALIGNMENT`].
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

/// A file that is written past the page cache, for as long as the file system and the device take that.
pub struct PastCache<'f> {
    file: &'f File,
    direct: Option<File>,
}

impl<'f> PastCache<'f> {
    /// For `file`, which is open for writing, at `path`.
    pub fn open(file: &'f File, path: &Path) -> io::Result<Self> {
        let flags = OFlags::WRONLY | OFlags::DIRECT | OFlags::CLOEXEC;
        let direct = match open(path, flags, Mode::empty()) {
            Ok(direct) => Some(direct.into()),
            Err(Errno::INVAL | Errno::OPNOTSUPP) => None,
            Err(error) => return Err(error.into()),
        };
        Ok(Self { file, direct })
    }

    /// Writes all of `piece`: the whole blocks in it past the page cache, the rest through it. `offset` is a multiple of
    /// [`ALIGNMENT`], and `piece` lies in [`Aligned`] memory, at its start. Nothing is durable before the file is synced.
    pub fn write_all_at(&mut self, piece: &[u8], offset: u64) -> io::Result<()> {
        let blocks = piece.len() / ALIGNMENT * ALIGNMENT;
        let mut done = 0;
        if let Some(direct) = self.direct.as_ref().filter(|_| blocks > 0) {
            match direct.write_all_at(&piece[..blocks], offset) {
                Ok(()) => done = blocks,
                // The device wants another alignment. What was written of the piece is written again.
                Err(error) if Errno::from_io_error(&error) == Some(Errno::INVAL) => self.direct = None,
                Err(error) => return Err(error),
            }
        }
        self.file.write_all_at(&piece[done..], offset + done as u64)
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
            let file = options.write(true).create_new(true).open(&path).unwrap();
            let mut memory = Aligned::zeros(2 * ALIGNMENT + 100);
            for (at, byte) in memory.as_mut().iter_mut().enumerate() {
                *byte = u8::try_from(at % 251).unwrap();
            }
            let piece = &memory.as_ref()[shift..];
            let mut past = PastCache::open(&file, &path).unwrap();
            if refused {
                past.direct = None;
            }
            past.write_all_at(piece, 0).unwrap();
            assert_eq!(fs::read(&path).unwrap(), piece, "{shift} {refused}");
        }
    }
}
