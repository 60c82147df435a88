//! The data directory: made, locked, and of a format that this build knows.
//!
//! Layout: `docs/formats/data-directory.md`.
//!
//! The kernel's lock is what counts: it goes away with its process, however that ends. The text in the file only
//! serves the error message.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::exit::Failure;

/// The format of the data directory that this build writes, and the newest that it reads.
pub const FORMAT_VERSION: u32 = 1;

/// A data directory that this process holds until the value is dropped.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    _lock: File,
}

impl DataDir {
    /// Makes the directory if it is absent, locks it and checks its format.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let refused = |what: &str, error: &std::io::Error| {
            Failure::failed(format!("data-dir: {} {what}: {error}", path.display()))
        };
        // Records are nobody else's business on this machine.
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(|error| refused("cannot be made", &error))?;
        // Absolute, so that the URLs made from it mean the same to everybody.
        let path = &path
            .canonicalize()
            .map_err(|error| refused("cannot be found", &error))?;
        let lock = lock(path)?;
        check_version(path)?;
        Ok(Self {
            path: path.clone(),
            _lock: lock,
        })
    }

    /// The absolute path.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn lock(directory: &Path) -> Result<File, Failure> {
    let path = directory.join("lock");
    let failed = |error: &std::io::Error| {
        let hint = match error.kind() {
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => " (is the directory writable?)",
            _ => "",
        };
        Failure::failed(format!("data-dir: {}: {error}{hint}", path.display()))
    };
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(|error| failed(&error))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(in_use(directory, &path)),
        Err(TryLockError::Error(error)) => return Err(failed(&error)),
    }
    let holder = format!("process {}\n", std::process::id());
    file.set_len(0)
        .and_then(|()| file.write_all(holder.as_bytes()))
        .map_err(|error| failed(&error))?;
    Ok(file)
}

fn in_use(directory: &Path, lock: &Path) -> Failure {
    let holder = fs::read_to_string(lock).unwrap_or_default();
    let holder = match holder.trim() {
        "" => "another process",
        holder => holder,
    };
    Failure::failed(format!(
        "data-dir: {} is in use by {holder}; stop it, or give this one a directory of its own with --data-dir",
        directory.display()
    ))
}

fn check_version(directory: &Path) -> Result<(), Failure> {
    let path = directory.join("version");
    let failed = |error: std::io::Error| Failure::failed(format!("data-dir: {}: {error}", path.display()));
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return write_version(directory, &path).map_err(failed);
        }
        Err(error) => return Err(failed(error)),
    };
    match text.trim().parse::<u32>() {
        Ok(FORMAT_VERSION) => Ok(()),
        Ok(newer) if newer > FORMAT_VERSION => Err(Failure::failed(format!(
            "data-dir: {} has format version {newer}, this firn knows up to {FORMAT_VERSION}: start the newer firn",
            directory.display()
        ))),
        Ok(_) | Err(_) => Err(Failure::failed(format!(
            "data-dir: {} says \"{}\", which is no format version of a data directory of firn",
            path.display(),
            text.trim().chars().take(40).collect::<String>()
        ))),
    }
}

/// Writes the file under another name first: a crash leaves no file or a whole one.
fn write_version(directory: &Path, path: &Path) -> std::io::Result<()> {
    let draft = directory.join("version.new");
    let mut file = File::create(&draft)?;
    writeln!(file, "{FORMAT_VERSION}")?;
    file.sync_all()?;
    fs::rename(&draft, path)?;
    File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(path: &Path) -> String {
        DataDir::open(path).unwrap_err().to_string()
    }

    #[test]
    fn one_holder_at_a_time_and_the_next_after_it() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("a/b");
        let held = DataDir::open(&path).unwrap();
        let refusal = refusal(&path);
        assert!(
            refusal.contains(&format!("in use by process {}", std::process::id())),
            "{refusal}"
        );
        drop(held);
        DataDir::open(&path).unwrap();
    }

    /// Stored bytes, as in `docs/formats/data-directory.md`.
    #[test]
    fn a_new_directory_says_its_version_and_its_holder() {
        let scratch = tempfile::tempdir().unwrap();
        let held = DataDir::open(scratch.path()).unwrap();
        assert_eq!(fs::read(held.path().join("version")).unwrap(), b"1\n");
        let holder = fs::read_to_string(held.path().join("lock")).unwrap();
        assert_eq!(holder, format!("process {}\n", std::process::id()));
        let mut names: Vec<_> = fs::read_dir(held.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        names.sort();
        assert_eq!(names, ["lock", "version"]);
    }

    #[test]
    fn a_newer_format_is_refused_by_its_number() {
        let scratch = tempfile::tempdir().unwrap();
        fs::write(scratch.path().join("version"), "2\n").unwrap();
        assert!(refusal(scratch.path()).contains("format version 2, this firn knows up to 1"));
        fs::write(scratch.path().join("version"), "").unwrap();
        assert!(refusal(scratch.path()).contains("no format version"));
    }

    #[test]
    fn a_path_that_cannot_be_a_directory_is_named() {
        let scratch = tempfile::tempdir().unwrap();
        let file = scratch.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(refusal(&file.join("data")).contains(file.to_str().unwrap()));
    }
}
