//! Opening stores, and the probe that refuses those on which records could be lost.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]
#![expect(
    clippy::disallowed_methods,
    reason = "a store may be a directory, and several processes may open it"
)]

#[path = "wal_contract/s3.rs"]
mod s3;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use firn_log::store::{ProbeError, StoreError, open, probe};
use firn_runtime::Env;
use futures::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    ObjectStoreExt, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

/// What is wrong with a store.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// Checks, then writes, with a pause between.
    Races,
    /// Ignores the condition.
    Ignores,
    /// Says that it exists, and overwrites it all the same.
    Overwrites,
    /// Answers a create that ran into another with a conflict, though nothing is there.
    PhantomConflict,
}

#[derive(Debug)]
struct Faulty {
    inner: InMemory,
    fault: Fault,
}

impl fmt::Display for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "faulty({:?})", self.fault)
    }
}

fn exists(location: &Path) -> Error {
    Error::AlreadyExists {
        path: location.to_string(),
        source: "409".into(),
    }
}

#[async_trait]
impl ObjectStore for Faulty {
    async fn put_opts(&self, location: &Path, payload: PutPayload, opts: PutOptions) -> Result<PutResult> {
        let create = opts.mode == PutMode::Create;
        let there = self.inner.head(location).await.is_ok();
        match self.fault {
            Fault::Races if create => {
                tokio::task::yield_now().await;
                if there {
                    Err(exists(location))
                } else {
                    self.inner.put(location, payload).await
                }
            }
            Fault::Overwrites if create && there => {
                self.inner.put(location, payload).await?;
                Err(exists(location))
            }
            Fault::PhantomConflict if create => Err(exists(location)),
            Fault::Races | Fault::Overwrites | Fault::PhantomConflict => {
                self.inner.put_opts(location, payload, opts).await
            }
            Fault::Ignores => self.inner.put(location, payload).await,
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

async fn probe_faulty(fault: Fault) -> ProbeError {
    probe(
        &Faulty {
            inner: InMemory::new(),
            fault,
        },
        &Env::system(),
    )
    .await
    .unwrap_err()
}

#[tokio::test]
async fn a_store_that_lets_two_creates_win_is_refused() {
    for fault in [Fault::Races, Fault::Ignores] {
        let error = probe_faulty(fault).await;
        assert!(
            matches!(error, ProbeError::SeveralWinners { .. }),
            "{fault:?}: {error}"
        );
    }
}

#[tokio::test]
async fn a_store_that_overwrites_is_refused() {
    let error = probe_faulty(Fault::Overwrites).await;
    assert!(matches!(error, ProbeError::Overwrites), "{error}");
}

#[tokio::test]
async fn a_store_whose_conflicts_never_end_is_refused() {
    let error = probe_faulty(Fault::PhantomConflict).await;
    assert!(matches!(error, ProbeError::Unreachable { .. }), "{error}");
}

#[tokio::test]
async fn good_stores_pass_and_nothing_is_left_behind() {
    let folder = tempfile::tempdir().unwrap();
    let server = s3::S3Server::start();
    let local = open(&format!("file://{}", folder.path().join("a/b").display())).unwrap();
    let memory: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    for store in [memory, local, server.open()] {
        assert_eq!(probe(&*store, &Env::system()).await, Ok(()), "{store}");
        let left: Vec<_> = futures::TryStreamExt::try_collect(store.list(None))
            .await
            .unwrap();
        assert!(left.is_empty(), "{store}: {left:?}");
    }
}

#[tokio::test]
async fn a_conflict_is_not_believed_until_the_object_was_seen() {
    let wal = firn_log::wal::ObjectLog::new(Arc::new(Faulty {
        inner: InMemory::new(),
        fault: Fault::PhantomConflict,
    }));
    let (incarnation, slot) = (firn_catalog::ids::IncarnationId(1), firn_catalog::ids::Slot(0));
    let put = firn_log::wal::WriteAheadLog::put_if_absent(&wal, incarnation, slot, vec!["x".into()]);
    assert!(matches!(put.await, Err(firn_log::wal::WalError::Unavailable(_))));
}

#[test]
fn a_directory_may_be_opened_by_several_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("file://{}", folder.path().join("store").display());
    std::thread::scope(|scope| {
        let openers: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| (0..500).filter_map(|_| open(&url).err()).next()))
            .collect();
        for opener in openers {
            let refusal = opener.join().unwrap();
            assert!(refusal.is_none(), "{}", refusal.unwrap());
        }
    });
}

#[test]
fn addresses_that_are_none_are_refused_with_a_reason() {
    assert!(matches!(open("not an address"), Err(StoreError::Address { .. })));
    assert!(matches!(open("file://host/dir"), Err(StoreError::Address { .. })));
    for (url, scheme) in [("ftp://somewhere/dir", "ftp"), ("memory://", "memory")] {
        let Err(error) = open(url) else {
            panic!("{url} opened")
        };
        let expected = format!("'{scheme}' is not supported");
        assert!(error.to_string().contains(&expected), "{error}");
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "").unwrap();
    let under_a_file = open(&format!("file://{}/file/store", folder.path().display()));
    assert!(matches!(under_a_file, Err(StoreError::Directory { .. })));
}
