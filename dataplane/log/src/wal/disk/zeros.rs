//! Filling a new file with zeros, past the page cache where the file system allows it: through it they cost many times the
//! processor time, and push out pages that somebody reads.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use rustix::fs::{FallocateFlags, Mode, OFlags, fallocate, open};
use rustix::io::Errno;

/// Bytes of one write.
const PIECE: usize = 4 << 20;
/// What direct writes are aligned to, in memory and in the file.
const ALIGNMENT: usize = 4096;

/// Writes `size` zeros into the new and empty `file` at `path`; whoever calls syncs it. Fails as interrupted if `give_up`
/// says so between two pieces.
pub(super) fn fill(file: &File, path: &Path, size: u64, give_up: impl Fn() -> bool) -> io::Result<()> {
    match fallocate(file, FallocateFlags::empty(), 0, size) {
        // Without it each write reserves its own space.
        Ok(()) | Err(Errno::OPNOTSUPP | Errno::NOSYS) => {}
        Err(error) => return Err(error.into()),
    }
    let memory = vec![0; PIECE + ALIGNMENT];
    let start = memory.as_ptr().align_offset(ALIGNMENT).min(ALIGNMENT);
    let zeros = &memory[start..start + PIECE];
    write(file, open_direct(path)?, zeros, size, give_up)
}

/// A second descriptor whose writes go past the page cache; `None` where the file system refuses that.
fn open_direct(path: &Path) -> io::Result<Option<File>> {
    match open(
        path,
        OFlags::WRONLY | OFlags::DIRECT | OFlags::CLOEXEC,
        Mode::empty(),
    ) {
        Ok(direct) => Ok(Some(direct.into())),
        Err(Errno::INVAL | Errno::OPNOTSUPP) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Writes pieces of `zeros`: whole blocks to `direct` for as long as it takes them, the rest to `file`.
fn write(
    file: &File,
    mut direct: Option<File>,
    zeros: &[u8],
    size: u64,
    give_up: impl Fn() -> bool,
) -> io::Result<()> {
    let mut offset = 0;
    while offset < size {
        if give_up() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let left = usize::try_from(size - offset).unwrap_or(usize::MAX);
        let length = left.min(zeros.len());
        let blocks = length / ALIGNMENT * ALIGNMENT;
        if let Some(past_the_cache) = direct.as_ref().filter(|_| blocks > 0) {
            match past_the_cache.write_all_at(&zeros[..blocks], offset) {
                Ok(()) => {
                    offset += blocks as u64;
                    continue;
                }
                // The device wants another alignment. What was written of the piece is written again.
                Err(error) if Errno::from_io_error(&error) == Some(Errno::INVAL) => direct = None,
                Err(error) => return Err(error),
            }
        }
        file.write_all_at(&zeros[..length], offset)?;
        offset += length as u64;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::fs::OpenOptions;
    use std::path::PathBuf;

    use tempfile::TempDir;

    use super::*;

    /// Not a multiple of a block, and more than one piece.
    const SIZE: u64 = PIECE as u64 + 3 * ALIGNMENT as u64 + 17;

    fn new_file(dir: &TempDir) -> (PathBuf, File) {
        let path = dir.path().join("new");
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&path)
            .unwrap();
        (path, file)
    }

    fn holds_zeros(path: &Path) -> bool {
        let bytes = fs::read(path).unwrap();
        bytes.len() as u64 == SIZE && bytes.iter().all(|byte| *byte == 0)
    }

    #[test]
    fn a_file_of_any_size_is_filled() {
        let dir = TempDir::new().unwrap();
        let (path, file) = new_file(&dir);
        fill(&file, &path, SIZE, || false).unwrap();
        assert!(holds_zeros(&path));
    }

    #[test]
    fn where_direct_writes_are_refused_the_page_cache_takes_them() {
        let memory = vec![0; PIECE + ALIGNMENT];
        let start = memory.as_ptr().align_offset(ALIGNMENT);
        let misaligned = &memory[start + 1..];
        // The file system refuses them when it is asked for them, or when it sees one.
        for at_once in [true, false] {
            let dir = TempDir::new().unwrap();
            let (path, file) = new_file(&dir);
            let direct = if at_once {
                None
            } else {
                open_direct(&path).unwrap()
            };
            write(&file, direct, misaligned, SIZE, || false).unwrap();
            assert!(holds_zeros(&path), "at once: {at_once}");
        }
    }

    #[test]
    fn filling_ends_between_pieces_when_it_is_given_up() {
        let dir = TempDir::new().unwrap();
        let (path, file) = new_file(&dir);
        let asked = std::cell::Cell::new(0);
        let give_up = || asked.replace(asked.get() + 1) > 0;
        let error = fill(&file, &path, SIZE, give_up).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::Interrupted);
        assert_eq!(asked.get(), 2);
    }
}
