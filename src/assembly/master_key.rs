//! The key that secrets in the catalog are sealed and checked with.

use std::path::Path;

use firn_runtime::Env;
use firn_secrets::{MasterKey, Secrets};
use zeroize::Zeroizing;

use crate::exit::Failure;
use crate::private_file::{self, ReadError, Readers};

/// What is derived from the key in this file.
pub fn read(path: &Path) -> Result<Secrets, Failure> {
    of_text(path, private_file::read(path).map_err(refused)?)
}

/// What is derived from the key in this file, which is made if it is absent.
pub fn read_or_make(path: &Path, env: &Env) -> Result<Secrets, Failure> {
    match private_file::read(path) {
        Ok(text) => of_text(path, text),
        Err(ReadError::Absent(_)) => {
            let key = MasterKey::generate(&*env.random);
            let line = Zeroizing::new(format!("{}\n", *key.to_text()));
            private_file::write(path, line.as_bytes(), Readers::Owner).map_err(|error| {
                Failure::failed(format!("master-key: {} cannot be made: {error}", path.display()))
            })?;
            Ok(Secrets::new(&key))
        }
        Err(error) => Err(refused(error)),
    }
}

fn refused(error: ReadError) -> Failure {
    Failure::setting("master-key", error)
}

/// The file may hold something else that is secret, so its content is never told.
fn of_text(path: &Path, text: Vec<u8>) -> Result<Secrets, Failure> {
    let text = Zeroizing::new(text);
    let key = str::from_utf8(&text)
        .ok()
        .and_then(|text| MasterKey::from_text(text).ok());
    let key = key.ok_or_else(|| {
        Failure::setting(
            "master-key",
            format!(
                "{} does not hold 64 hexadecimal digits (openssl rand -hex 32 makes them)",
                path.display()
            ),
        )
    })?;
    Ok(Secrets::new(&key))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_key_is_made_once_and_stays() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("master.key");
        assert!(
            matches!(read(&path), Err(Failure::Misconfigured(_))),
            "nobody made it"
        );
        let env = Env::system();
        let made = read_or_make(&path, &env).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.trim_end().len(), 64);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let again = read_or_make(&path, &env).unwrap();
        assert_eq!(made.digest("test", b"x"), again.digest("test", b"x"));
        assert_eq!(
            read(&path).unwrap().digest("test", b"x"),
            made.digest("test", b"x")
        );
    }

    #[test]
    fn a_file_that_is_no_key_or_that_others_can_read_is_refused_without_its_content() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("master.key");
        private_file::write(&path, b"hunter2", Readers::Owner).unwrap();
        let refusal = read(&path).unwrap_err().to_string();
        assert!(
            refusal.starts_with("master-key: ") && !refusal.contains("hunter2"),
            "{refusal}"
        );
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let refusal = read_or_make(&path, &Env::system()).unwrap_err().to_string();
        assert!(refusal.contains("mode 0644"), "{refusal}");
    }
}
