//! An object store that keeps what it acknowledged, and is otherwise as bad as the network lets it be.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures::StreamExt;
use futures::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    ObjectStoreExt, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use parking_lot::Mutex;

use crate::faults::{CallError, Faults};
use crate::link::Link;

/// What happened to names in the store.
#[derive(Default)]
pub struct Ledger(Mutex<Names>);

#[derive(Default)]
struct Names {
    deleted: BTreeSet<Path>,
    late: BTreeSet<Path>,
}

impl Ledger {
    /// Whether a put of that name arrived after somebody had deleted it. Nobody can know of such an object.
    pub fn is_late(&self, name: &Path) -> bool {
        self.0.lock().late.contains(name)
    }

    fn put(&self, name: &Path) {
        let mut names = self.0.lock();
        if names.deleted.contains(name) {
            names.late.insert(name.clone());
        }
    }

    fn deleted(&self, name: &Path) {
        self.0.lock().deleted.insert(name.clone());
    }
}

/// One broker's way to the object store.
pub struct FaultyStore {
    inner: Arc<InMemory>,
    ledger: Arc<Ledger>,
    faults: Arc<Faults>,
    link: Arc<Link>,
    /// Whose way it is, for the trace.
    who: String,
}

impl FaultyStore {
    /// A way to `inner` over `link`.
    pub fn new(
        (inner, ledger): (Arc<InMemory>, Arc<Ledger>),
        faults: Arc<Faults>,
        link: Arc<Link>,
        who: String,
    ) -> Self {
        Self {
            inner,
            ledger,
            faults,
            link,
            who,
        }
    }
}

impl fmt::Debug for FaultyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FaultyStore({})", self.who)
    }
}

impl fmt::Display for FaultyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl CallError for Error {
    fn unanswered() -> Self {
        Self::Generic {
            store: "simulated",
            source: "no answer".into(),
        }
    }

    fn conflict(name: &str) -> Self {
        Self::AlreadyExists {
            path: name.to_owned(),
            source: "409 Conflict".into(),
        }
    }
}

#[async_trait]
impl ObjectStore for FaultyStore {
    async fn put_opts(&self, location: &Path, payload: PutPayload, opts: PutOptions) -> Result<PutResult> {
        let conditional = opts.mode == PutMode::Create;
        let name = format!("{} put {location} {}", self.who, payload.content_length());
        let (inner, ledger) = (Arc::clone(&self.inner), Arc::clone(&self.ledger));
        let location = location.clone();
        let apply = move || {
            let (inner, location) = (Arc::clone(&inner), location.clone());
            ledger.put(&location);
            let (payload, opts) = (payload.clone(), opts.clone());
            let put: futures::future::BoxFuture<'static, Result<PutResult>> =
                Box::pin(async move { inner.put_opts(&location, payload, opts).await });
            put
        };
        self.faults.change(&self.link, name, conditional, apply).await
    }

    async fn put_multipart_opts(
        &self,
        _location: &Path,
        _opts: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        Err(Error::NotImplemented {
            operation: "put_multipart_opts".into(),
            implementer: "the simulation".into(),
        })
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let name = format!("{} get {location}", self.who);
        self.faults
            .ask(&self.link, &name, self.inner.get_opts(location, options))
            .await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let (inner, faults) = (Arc::clone(&self.inner), Arc::clone(&self.faults));
        let ledger = Arc::clone(&self.ledger);
        let (link, who) = (Arc::clone(&self.link), self.who.clone());
        let deletes = locations.map(move |location| {
            let (inner, faults, link) = (Arc::clone(&inner), Arc::clone(&faults), Arc::clone(&link));
            let (who, ledger) = (who.clone(), Arc::clone(&ledger));
            async move {
                let location = location?;
                let name = format!("{who} delete {location}");
                let target = location.clone();
                let apply = move || {
                    let (inner, target) = (Arc::clone(&inner), target.clone());
                    ledger.deleted(&target);
                    let delete: futures::future::BoxFuture<'static, Result<()>> =
                        Box::pin(async move { inner.delete(&target).await });
                    delete
                };
                faults.change(&link, name, false, apply).await?;
                Ok(location)
            }
        });
        deletes.buffered(10).boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let name = format!("{} list {prefix:?}", self.who);
        self.faults
            .ask(&self.link, &name, self.inner.list_with_delimiter(prefix))
            .await
    }

    async fn copy_opts(&self, _from: &Path, _to: &Path, _options: CopyOptions) -> Result<()> {
        Err(Error::NotImplemented {
            operation: "copy_opts".into(),
            implementer: "the simulation".into(),
        })
    }
}
