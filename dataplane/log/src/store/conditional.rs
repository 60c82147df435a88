//! Creates on condition whose "already exists" can be believed.
//!
//! `object_store` turns every 409 of S3 into `AlreadyExists`. S3 answers 409 also when two conditional puts of one key run
//! into each other, whereupon neither may have won. Here the object is looked for before anyone is told that it exists. On a local
//! store its folder is synced too: an earlier put may have linked the file and failed before that.

use std::path::PathBuf;
use std::sync::Arc;
use std::{fmt, fs, io};

use async_trait::async_trait;
use bytes::Bytes;
use firn_runtime::{TokioTasks, blocking};
use futures::stream::BoxStream;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    ObjectStoreExt, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use tokio::sync::Semaphore;

use super::large;

/// See the module.
#[derive(Debug)]
pub(super) struct ConditionalStore {
    inner: Arc<dyn ObjectStore>,
    /// The root, if it is a local directory.
    directory: Option<PathBuf>,
    /// Large objects of a directory are written one at a time: a device is not faster with more, and whoever syncs a small
    /// write meanwhile waits behind all of them.
    large: Arc<Semaphore>,
}

impl ConditionalStore {
    pub(super) fn new(inner: Arc<dyn ObjectStore>, directory: Option<PathBuf>) -> Self {
        Self {
            inner,
            directory,
            large: Arc::new(Semaphore::new(1)),
        }
    }

    /// Makes the entry of a local object durable, whoever made it.
    #[expect(
        clippy::disallowed_methods,
        reason = "a local folder is synced; object_store syncs it only for the put that made the entry"
    )]
    fn sync_entry(&self, location: &Path) -> io::Result<()> {
        let Some(directory) = &self.directory else {
            return Ok(());
        };
        let file = directory.join(location.as_ref());
        fs::File::open(file.parent().unwrap_or(directory))?.sync_all()
    }
}

fn generic(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::Generic {
        store: "conditional create",
        source: source.into(),
    }
}

impl fmt::Display for ConditionalStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

#[async_trait]
impl ObjectStore for ConditionalStore {
    async fn put_opts(&self, location: &Path, payload: PutPayload, opts: PutOptions) -> Result<PutResult> {
        if opts.mode == PutMode::Overwrite
            && let Some(directory) = &self.directory
            && payload.content_length() >= large::LARGE
        {
            let (root, path) = (directory.clone(), directory.join(location.as_ref()));
            let turn = Arc::clone(&self.large).acquire_owned().await.map_err(generic)?;
            let put = blocking(&TokioTasks, move || {
                let put = large::put(&root, &path, &payload);
                // The turn ends with the work, even if nobody waits for it by then.
                drop(turn);
                put
            })
            .await;
            let put_result = PutResult {
                e_tag: None,
                version: None,
                extensions: Default::default(),
            };
            return put.map(|()| put_result).map_err(generic);
        }
        let create = opts.mode == PutMode::Create;
        match self.inner.put_opts(location, payload, opts).await {
            Err(exists @ Error::AlreadyExists { .. }) if create => match self.inner.head(location).await {
                Ok(_) => {
                    self.sync_entry(location).map_err(generic)?;
                    Err(exists)
                }
                Err(Error::NotFound { .. }) => {
                    Err(generic(format!("{location}: a conflict, but nothing is there")))
                }
                Err(error) => Err(error),
            },
            other => other,
        }
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        opts: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(location, opts).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.inner.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[std::ops::Range<u64>]) -> Result<Vec<Bytes>> {
        self.inner.get_ranges(location, ranges).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}
