//! An object store some of whose calls wait, or fail, until the test says otherwise.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use futures::stream::{BoxStream, StreamExt};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetRange, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use tokio::sync::watch;

/// A kind of call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Op {
    Put,
    /// Of an object from its start.
    Get,
    /// Of a part that does not begin at the start.
    GetPart,
    Delete,
}

/// Calls on names that begin so.
pub type Rule = (Op, &'static str);

/// What one process sees of the store.
#[derive(Debug)]
pub struct Store {
    inner: Arc<InMemory>,
    held: watch::Sender<BTreeSet<Rule>>,
    failing: watch::Sender<BTreeSet<Rule>>,
    waiting: AtomicUsize,
}

impl Store {
    pub fn over(inner: &Arc<InMemory>) -> Arc<Self> {
        Arc::new(Self {
            inner: Arc::clone(inner),
            held: watch::Sender::default(),
            failing: watch::Sender::default(),
            waiting: AtomicUsize::new(0),
        })
    }

    /// From here on such calls wait.
    pub fn hold(&self, rule: Rule) {
        self.held.send_if_modified(|held| held.insert(rule));
    }

    /// All that wait go on, and nothing waits any more.
    pub fn release(&self) {
        self.held.send_modify(BTreeSet::clear);
    }

    /// From here on such calls fail.
    pub fn fail(&self, rule: Rule) {
        self.failing.send_if_modified(|failing| failing.insert(rule));
    }

    /// Nothing fails any more.
    pub fn mend(&self) {
        self.failing.send_modify(BTreeSet::clear);
    }

    /// How many calls have come to wait so far.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::SeqCst)
    }

    async fn pass(&self, op: Op, path: &Path) -> Result<()> {
        let hit = |rules: &BTreeSet<Rule>| {
            rules
                .iter()
                .any(|(held, prefix)| *held == op && path.as_ref().starts_with(prefix))
        };
        if hit(&self.failing.borrow()) {
            return Err(away());
        }
        let mut held = self.held.subscribe();
        if hit(&held.borrow()) {
            self.waiting.fetch_add(1, Ordering::SeqCst);
        }
        let _ = held.wait_for(|held| !hit(held)).await;
        Ok(())
    }
}

fn away() -> Error {
    Error::Generic {
        store: "test",
        source: "away".into(),
    }
}

impl std::fmt::Display for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a store with gates")
    }
}

#[async_trait]
impl ObjectStore for Store {
    async fn put_opts(&self, path: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.pass(Op::Put, path).await?;
        self.inner.put_opts(path, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        path: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(path, options).await
    }

    async fn get_opts(&self, path: &Path, options: GetOptions) -> Result<GetResult> {
        let op = match &options.range {
            Some(GetRange::Bounded(range)) if range.start > 0 => Op::GetPart,
            _ => Op::Get,
        };
        self.pass(op, path).await?;
        self.inner.get_opts(path, options).await
    }

    fn delete_stream(&self, paths: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        if self.failing.borrow().iter().any(|(op, _)| *op == Op::Delete) {
            return paths.map(|_| Err(away())).boxed();
        }
        self.inner.delete_stream(paths)
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
