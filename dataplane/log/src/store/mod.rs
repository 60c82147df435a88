//! The object store: opening one by its address, conditional puts that can be believed, the probe at start.
//!
//! A local directory syncs every file and its folder before a put succeeds; large objects go past the page cache. For S3,
//! credentials, region and endpoint come from the `AWS_*` variables.

mod conditional;
mod large;
mod probe;
mod s3;

use std::path::{Path as FsPath, PathBuf};
use std::sync::Arc;

use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use url::Url;

use crate::folder;
use conditional::ConditionalStore;
pub use probe::{ProbeError, probe};

/// What an address with credentials in it is told.
const IN_ADDRESS: &str = "credentials do not belong in it: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";

/// Why the address of a store is of no use.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Not an address.
    #[error("'{url}' is not the address of an object store: {why}")]
    Address {
        /// What was given.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// A kind of store that this version does not know.
    #[error("object store '{0}' is not supported: use file:///DIRECTORY or s3://BUCKET/PREFIX")]
    Scheme(String),
    /// The directory cannot be made or used.
    #[error("the object store's directory {} is not usable: {source}", path.display())]
    Directory {
        /// Which one.
        path: PathBuf,
        /// What the file system says.
        source: std::io::Error,
    },
    /// A variable whose value is of no use.
    #[error("{name}: {why}")]
    Variable {
        /// Its name.
        name: String,
        /// What is wrong with it, without secrets.
        why: String,
    },
    /// The client library refuses the configuration.
    #[error("the object store is not configured rightly: {0}")]
    Configuration(#[from] object_store::Error),
}

/// Opens the store at `url`: `file:///DIRECTORY` (made if it is absent) or `s3://BUCKET/PREFIX`. Sends nothing yet:
/// [`probe`] does.
#[expect(
    clippy::disallowed_methods,
    reason = "the credentials of S3 are in the environment"
)]
pub fn open(url: &str) -> Result<Arc<dyn ObjectStore>, StoreError> {
    open_with(
        url,
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))),
    )
}

/// As [`open`], with the `AWS_*` variables among `variables` instead of the process's.
pub fn open_with(
    url: &str,
    variables: impl IntoIterator<Item = (String, String)>,
) -> Result<Arc<dyn ObjectStore>, StoreError> {
    let address = |why: &str| StoreError::Address {
        url: shown(url),
        why: why.to_owned(),
    };
    let parsed = Url::parse(url).map_err(|error| {
        if url.starts_with("s3://") && url.contains('@') {
            address(IN_ADDRESS)
        } else {
            address(&error.to_string())
        }
    })?;
    match parsed.scheme() {
        "file" => {
            let path = parsed
                .to_file_path()
                .map_err(|()| address("a file address has an absolute path and no host"))?;
            open_directory(&path)
        }
        "s3" => {
            let bucket = bucket(&parsed).map_err(address)?;
            let prefix = Path::from_url_path(parsed.path()).map_err(|error| address(&error.to_string()))?;
            Ok(prefixed(s3::open(bucket, variables)?, prefix))
        }
        other => Err(StoreError::Scheme(other.to_owned())),
    }
}

/// An address as errors may show it: what stands before an `@` may be a key.
fn shown(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://***@{rest}"),
        (None, Some((_, rest))) => format!("***@{rest}"),
        (_, None) => url.to_owned(),
    }
}

fn bucket(url: &Url) -> Result<&str, &'static str> {
    if !url.username().is_empty() || url.password().is_some() {
        return Err(IN_ADDRESS);
    }
    if url.port().is_some() {
        return Err("a bucket has no port: AWS_ENDPOINT_URL says where the server is");
    }
    let legal = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    match url.host_str() {
        None | Some("") => Err("no bucket"),
        Some(name) if name.chars().all(legal) => Ok(name),
        Some(_) => Err("the name of a bucket has letters, digits, '-', '.' and '_' only"),
    }
}

#[expect(clippy::disallowed_methods, reason = "this store is a directory")]
fn open_directory(path: &FsPath) -> Result<Arc<dyn ObjectStore>, StoreError> {
    let unusable = |source| StoreError::Directory {
        path: path.to_owned(),
        source,
    };
    folder::create(path)
        .and_then(|()| folder::sync(path))
        .map_err(unusable)?;
    // Shows now whether it may be written to.
    let mark = path.join(".writable");
    std::fs::write(&mark, []).map_err(unusable)?;
    match std::fs::remove_file(&mark) {
        // Another process that opens the directory has just done the same.
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(unusable(error)),
        Ok(()) | Err(_) => {}
    }
    let store = LocalFileSystem::new_with_prefix(path)?.with_fsync(true);
    Ok(Arc::new(ConditionalStore::new(
        Arc::new(store),
        Some(path.to_owned()),
    )))
}

fn prefixed(store: Arc<dyn ObjectStore>, prefix: Path) -> Arc<dyn ObjectStore> {
    if prefix.as_ref().is_empty() {
        store
    } else {
        Arc::new(PrefixStore::new(store, prefix))
    }
}
