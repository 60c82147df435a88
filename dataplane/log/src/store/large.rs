//! Large objects of a store in a directory, written past the page cache: they are read again seldom and late.
//!
//! As with the small ones, the bytes are written to a file beside the object's place and synced, the file is renamed, and
//! the folders down to it synced. `docs/formats/data-directory.md` tells what a kill leaves behind.
#![expect(clippy::disallowed_methods, reason = "the subject is a directory")]

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use object_store::PutPayload;

use crate::direct::{Aligned, PastCache};
use crate::folder;

/// Objects of so many bytes and more are large.
pub(super) const LARGE: usize = 1 << 20;
/// Bytes of one write. A device does one after the other: the log's writes and syncs come between two of them.
const PIECE: usize = 256 << 10;

/// Makes `payload` the object at `path`, in the store at `root`, durably, whatever was there.
pub(super) fn put(root: &Path, path: &Path, payload: &PutPayload) -> io::Result<()> {
    fs::create_dir_all(path.parent().unwrap_or(root))?;
    let (staged, file) = stage(path)?;
    let put = write(&file, &staged, payload)
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&staged, path));
    if let Err(error) = put {
        // The error that matters is the first one.
        let _ = fs::remove_file(&staged);
        return Err(error);
    }
    // All of them: another put may have made the folders, and not have synced them yet.
    let folders = path.ancestors().skip(1);
    folders
        .take_while(|folder| folder.starts_with(root))
        .try_for_each(folder::sync)
}

/// A new file beside the place of the object.
fn stage(path: &Path) -> io::Result<(PathBuf, File)> {
    let mut number = 1_u64;
    loop {
        let mut name = OsString::from(path);
        name.push(format!("#{number}"));
        match OpenOptions::new().write(true).create_new(true).open(&name) {
            Ok(file) => return Ok((name.into(), file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
            Err(error) => return Err(error),
        }
    }
}

fn write(file: &File, path: &Path, payload: &PutPayload) -> io::Result<()> {
    let mut past = PastCache::open(file, path)?;
    let mut memory = Aligned::zeros(PIECE);
    let (mut filled, mut offset) = (0, 0);
    for mut rest in payload.iter().map(|chunk| &chunk[..]) {
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(PIECE - filled));
            memory.as_mut()[filled..filled + now.len()].copy_from_slice(now);
            filled += now.len();
            rest = later;
            if filled == PIECE {
                past.write_all_at(memory.as_ref(), offset)?;
                offset += PIECE as u64;
                filled = 0;
            }
        }
    }
    past.write_all_at(&memory.as_ref()[..filled], offset)
}
