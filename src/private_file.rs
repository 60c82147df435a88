//! Files whose content is nobody else's business: written whole, with mode 0600, and read only if nobody else can read them.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// Who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readers {
    /// Its owner.
    Owner,
    /// Everybody whom the directory lets in.
    Everybody,
}

/// Writes the file under another name first: a crash leaves the old one or a whole new one.
pub fn write(path: &Path, content: &[u8], readers: Readers) -> io::Result<()> {
    let mut draft = path.as_os_str().to_owned();
    draft.push(".new");
    let draft = Path::new(&draft);
    // A draft that a crash has left may have another mode.
    match fs::remove_file(draft) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mode = match readers {
        Readers::Owner => 0o600,
        Readers::Everybody => 0o644,
    };
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(draft)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(draft, path)?;
    let directory = path.parent().ok_or(ErrorKind::InvalidInput)?;
    File::open(directory)?.sync_all()
}

/// Why a private file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It is not there.
    #[error("{0} does not exist")]
    Absent(String),
    /// Others can read it, too.
    #[error(
        "{path} has mode {mode:04o}, so that others can read it; chmod 600 it, and consider what is in it known"
    )]
    Open {
        /// The file.
        path: String,
        /// Its permissions.
        mode: u32,
    },
    /// The operating system says no.
    #[error("{path}: {cause}")]
    Io {
        /// The file.
        path: String,
        /// Why.
        cause: io::Error,
    },
}

/// The content of a file that only its owner can read.
pub fn read(path: &Path) -> Result<Vec<u8>, ReadError> {
    let shown = || path.display().to_string();
    let failed = |cause: io::Error| match cause.kind() {
        ErrorKind::NotFound => ReadError::Absent(shown()),
        _ => ReadError::Io { path: shown(), cause },
    };
    let mode = fs::metadata(path).map_err(failed)?.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(ReadError::Open { path: shown(), mode });
    }
    fs::read(path).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_private_is_written_and_read_so() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("key");
        assert!(matches!(read(&path), Err(ReadError::Absent(_))));
        fs::write(scratch.path().join("key.new"), "left by a crash").unwrap();
        write(&path, b"secret", Readers::Owner).unwrap();
        assert_eq!(read(&path).unwrap(), b"secret");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let refusal = read(&path).unwrap_err().to_string();
        assert!(refusal.contains("mode 0640"), "{refusal}");
        write(&path, b"anew", Readers::Owner).unwrap();
        assert_eq!(read(&path).unwrap(), b"anew");
        let names: Vec<_> = fs::read_dir(scratch.path()).unwrap().collect();
        assert_eq!(names.len(), 1, "no draft stays");
    }
}
