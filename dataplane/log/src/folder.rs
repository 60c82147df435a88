//! Folders of the disk whose entries survive a power loss.
#![expect(clippy::disallowed_methods, reason = "the subject is a disk")]

use std::fs::{self, File};
use std::io;
use std::path::Path;

/// Makes the entries of a folder durable.
pub fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Makes a folder, and those above it that are absent; then its entry and theirs are durable.
pub fn create(folder: &Path) -> io::Result<()> {
    let absent = folder
        .ancestors()
        .skip(1)
        .take_while(|above| !above.as_os_str().is_empty() && !above.exists())
        .count();
    fs::create_dir_all(folder)?;
    for made in folder.ancestors().take(1 + absent) {
        let above = made.parent().unwrap_or(made);
        let is_here = above.as_os_str().is_empty();
        sync(if is_here { Path::new(".") } else { above })?;
    }
    Ok(())
}
