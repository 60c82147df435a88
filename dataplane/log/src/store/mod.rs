//! The object store: opening one by its address, conditional puts that can be believed, the probe at start.
//!
//! A local directory syncs every file and its folder before a put succeeds. For S3, credentials, region and endpoint come
//! from the `AWS_*` variables; an endpoint on the loopback interface may be plain HTTP.

mod conditional;
mod probe;

use std::path::{Path as FsPath, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{ClientOptions, ObjectStore, RetryConfig};
use url::{Host, Url};

use crate::folder;
use conditional::ConditionalStore;
pub use probe::{ProbeError, probe};

/// How long a connection to the store may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How long one request may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// How long the client retries on its own. Short: callers retry, and they know what a put without an answer means.
const RETRY_TIMEOUT: Duration = Duration::from_secs(10);

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
        url: url.to_owned(),
        why: why.to_owned(),
    };
    let parsed = Url::parse(url).map_err(|error| address(&error.to_string()))?;
    match parsed.scheme() {
        "file" => {
            let path = parsed
                .to_file_path()
                .map_err(|()| address("a file address has an absolute path and no host"))?;
            open_directory(&path)
        }
        "s3" => {
            let bucket = parsed
                .host_str()
                .filter(|host| !host.is_empty())
                .ok_or_else(|| address("no bucket"))?;
            let prefix = Path::from_url_path(parsed.path()).map_err(|error| address(&error.to_string()))?;
            Ok(prefixed(open_s3(bucket, variables)?, prefix))
        }
        other => Err(StoreError::Scheme(other.to_owned())),
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

fn open_s3(
    bucket: &str,
    variables: impl IntoIterator<Item = (String, String)>,
) -> Result<Arc<dyn ObjectStore>, StoreError> {
    let options = ClientOptions::new()
        .with_connect_timeout(CONNECT_TIMEOUT)
        .with_timeout(REQUEST_TIMEOUT);
    let retry = RetryConfig {
        max_retries: 3,
        retry_timeout: RETRY_TIMEOUT,
        ..RetryConfig::default()
    };
    let mut builder = AmazonS3Builder::new();
    for (name, value) in variables.into_iter().filter(|(name, _)| name.starts_with("AWS_")) {
        // The client knows its own names; AWS has more of them.
        if let Ok(key) = name.to_ascii_lowercase().parse() {
            builder = builder.with_config(key, value);
        }
    }
    builder = builder
        .with_bucket_name(bucket)
        .with_client_options(options)
        .with_retry(retry);
    let configured = |key| builder.get_config_value(&key);
    use object_store::aws::AmazonS3ConfigKey::{Endpoint, Region, S3Endpoint};
    let endpoint = configured(S3Endpoint).or_else(|| configured(Endpoint));
    let region = configured(Region);
    if endpoint.is_some_and(|endpoint| is_loopback(&endpoint)) {
        builder = builder
            .with_allow_http(true)
            .with_virtual_hosted_style_request(false);
    }
    if region.is_none() {
        builder = builder.with_region("us-east-1");
    }
    let store = builder.build()?;
    Ok(Arc::new(ConditionalStore::new(Arc::new(store), None)))
}

fn is_loopback(endpoint: &str) -> bool {
    match Url::parse(endpoint).as_ref().map(Url::host) {
        Ok(Some(Host::Domain(name))) => name == "localhost",
        Ok(Some(Host::Ipv4(address))) => address.is_loopback(),
        Ok(Some(Host::Ipv6(address))) => address.is_loopback(),
        Ok(None) | Err(_) => false,
    }
}

fn prefixed(store: Arc<dyn ObjectStore>, prefix: Path) -> Arc<dyn ObjectStore> {
    if prefix.as_ref().is_empty() {
        store
    } else {
        Arc::new(PrefixStore::new(store, prefix))
    }
}
