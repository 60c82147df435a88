//! The directory as a whole: its owner, its id, its format.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use firn_runtime::Env;
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

use super::frame::FORMAT_VERSION;
use crate::folder;

/// Why a directory cannot be opened as a write-ahead log.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process owns it.
    #[error("the write-ahead log in {} is in use by {}", dir.display(), owner(*pid))]
    InUse {
        /// The directory.
        dir: PathBuf,
        /// The process, if it said who it is.
        pid: Option<u32>,
    },
    /// Written by a newer version of Firn.
    #[error(
        "{} has format version {found}, newer than {FORMAT_VERSION}, the newest that this version of Firn reads",
        path.display()
    )]
    NewerVersion {
        /// The file that says so.
        path: PathBuf,
        /// What it says.
        found: u32,
    },
    /// The file that says whose volume this is cannot be understood.
    #[error("{} is damaged: {why}", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The file system says no.
    #[error("the write-ahead log cannot use {}: {source}", path.display())]
    Io {
        /// Which file or directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

fn owner(pid: Option<u32>) -> String {
    pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
}

/// Puts the path into an error of the file system.
pub(super) fn at(path: &Path) -> impl FnOnce(io::Error) -> OpenError {
    move |source| OpenError::Io {
        path: path.to_owned(),
        source,
    }
}

/// The contents of the file `volume.json`.
#[derive(Serialize, Deserialize)]
struct VolumeFile {
    format: u32,
    volume: String,
}

/// A directory that this process owns for as long as this value lives.
#[derive(Debug)]
pub(super) struct Volume {
    pub(super) id: String,
    /// The kernel drops the lock with the file.
    _lock: File,
}

impl Volume {
    pub(super) fn open(dir: &Path, env: &Env) -> Result<Self, OpenError> {
        folder::create(dir).map_err(at(dir))?;
        let lock = lock(dir)?;
        let id = identify(dir, env)?;
        Ok(Self { id, _lock: lock })
    }
}

fn lock(dir: &Path) -> Result<File, OpenError> {
    let path = dir.join("lock");
    let mut options = OpenOptions::new();
    let mut file = options
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(at(&path))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(rustix::io::Errno::WOULDBLOCK) => {
            let mut text = String::new();
            // Without a number the message is a little poorer.
            let _ = file.read_to_string(&mut text);
            return Err(OpenError::InUse {
                dir: dir.to_owned(),
                pid: text.trim().parse().ok(),
            });
        }
        Err(error) => return Err(at(&path)(error.into())),
    }
    file.set_len(0)
        .and_then(|()| writeln!(file, "{}", std::process::id()))
        .map_err(at(&path))?;
    Ok(file)
}

fn identify(dir: &Path, env: &Env) -> Result<String, OpenError> {
    let path = dir.join("volume.json");
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return create(dir, &path, env),
        Err(error) => return Err(at(&path)(error)),
    };
    let damaged = |why: String| OpenError::Damaged {
        path: path.clone(),
        why,
    };
    let value: serde_json::Value = serde_json::from_str(&text).map_err(|error| damaged(error.to_string()))?;
    let format = value
        .get("format")
        .and_then(serde_json::Value::as_u64)
        .and_then(|format| u32::try_from(format).ok());
    match format {
        Some(FORMAT_VERSION) => {}
        Some(0) => return Err(damaged("there is no format version 0".to_owned())),
        Some(found) => return Err(OpenError::NewerVersion { path, found }),
        None => return Err(damaged("it names no format version".to_owned())),
    }
    let file: VolumeFile = serde_json::from_value(value).map_err(|error| damaged(error.to_string()))?;
    Ok(file.volume)
}

fn create(dir: &Path, path: &Path, env: &Env) -> Result<String, OpenError> {
    let file = VolumeFile {
        format: FORMAT_VERSION,
        volume: format!("{:032x}", env.random_u128()),
    };
    let text = serde_json::to_vec(&file).expect("a number and a string are always JSON");
    write_durably(dir, path, &text).map_err(at(path))?;
    Ok(file.volume)
}

/// Makes `path` in `dir` appear with all its bytes, or not at all.
pub(super) fn write_durably(dir: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension("new");
    let mut file = File::create(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    folder::sync(dir)
}
