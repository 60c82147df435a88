//! Filling a new file with zeros, past the page cache where the file system allows it.

use std::fs::File;
use std::io;
use std::path::Path;

use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::Errno;

use crate::direct::{Aligned, PastCache};

/// Bytes of one write. The device does one after the other: other writes and syncs come between two of them.
const PIECE: usize = 128 << 10;

/// Writes `size` zeros into the new and empty `file` at `path`; whoever calls syncs it. Fails as interrupted if `give_up`
/// says so between two pieces.
pub(super) fn fill(file: &File, path: &Path, size: u64, give_up: impl Fn() -> bool) -> io::Result<()> {
    match fallocate(file, FallocateFlags::empty(), 0, size) {
        // Without it each write reserves its own space.
        Ok(()) | Err(Errno::OPNOTSUPP | Errno::NOSYS) => {}
        Err(error) => return Err(error.into()),
    }
    let zeros = Aligned::zeros(PIECE);
    let mut past = PastCache::open(file, path)?;
    let mut offset = 0;
    while offset < size {
        if give_up() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let length = usize::try_from(size - offset).unwrap_or(PIECE).min(PIECE);
        past.write_all_at(&zeros.as_ref()[..length], offset)?;
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
    const SIZE: u64 = PIECE as u64 + 3 * 4096 + 17;

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
