//! A catalog some of whose calls wait until the test says otherwise.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use firn_catalog::cell::{
    CatalogError, DoomedObject, EndHint, Incarnation, LogCatalog, LogStartChange, MemoryCatalog, ObjectKind,
    ObjectRow, PartitionRow, WalLocation,
};
use firn_catalog::ids::{IncarnationId, NodeId, ObjectId, PartitionId, Slot};
use firn_runtime::Timestamp;
use tokio::sync::watch;

/// A call that may be held: before it has its effect, or after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Call {
    Heartbeat,
    AfterIncarnations,
    Checkpoint,
    Drain,
}

type Answer<T> = Result<T, CatalogError>;

/// What one process sees of the catalog.
pub struct Catalog {
    inner: Arc<MemoryCatalog>,
    held: watch::Sender<BTreeSet<Call>>,
    waiting: AtomicUsize,
}

impl Catalog {
    pub fn over(inner: &Arc<MemoryCatalog>) -> Arc<Self> {
        Arc::new(Self {
            inner: Arc::clone(inner),
            held: watch::Sender::default(),
            waiting: AtomicUsize::new(0),
        })
    }

    /// From here on such calls wait.
    pub fn hold(&self, call: Call) {
        self.held.send_if_modified(|held| held.insert(call));
    }

    /// All that wait go on, and nothing waits any more.
    pub fn release(&self) {
        self.held.send_modify(BTreeSet::clear);
    }

    /// How many calls have come to wait so far.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::SeqCst)
    }

    async fn pass(&self, call: Call) {
        let mut held = self.held.subscribe();
        if held.borrow().contains(&call) {
            self.waiting.fetch_add(1, Ordering::SeqCst);
        }
        let _ = held.wait_for(|held| !held.contains(&call)).await;
    }
}

#[async_trait]
impl LogCatalog for Catalog {
    async fn open_incarnation(
        &self,
        id: IncarnationId,
        node: NodeId,
        wal: WalLocation,
        now: Timestamp,
    ) -> Answer<()> {
        self.inner.open_incarnation(id, node, wal, now).await
    }

    async fn incarnations(&self) -> Answer<Vec<Incarnation>> {
        let answer = self.inner.incarnations().await;
        self.pass(Call::AfterIncarnations).await;
        answer
    }

    async fn heartbeat(&self, id: IncarnationId, now: Timestamp) -> Answer<()> {
        self.pass(Call::Heartbeat).await;
        self.inner.heartbeat(id, now).await
    }

    async fn claim_seal(&self, sealer: IncarnationId, dead: IncarnationId) -> Answer<Incarnation> {
        self.inner.claim_seal(sealer, dead).await
    }

    async fn complete_seal(
        &self,
        sealer: IncarnationId,
        dead: IncarnationId,
        fence: Slot,
        recovery_index: ObjectId,
        heir: IncarnationId,
    ) -> Answer<()> {
        let index = recovery_index;
        self.inner.complete_seal(sealer, dead, fence, index, heir).await
    }

    async fn drain(
        &self,
        by: IncarnationId,
        dead: IncarnationId,
        objects: Vec<ObjectRow>,
        now: Timestamp,
    ) -> Answer<()> {
        self.pass(Call::Drain).await;
        self.inner.drain(by, dead, objects, now).await
    }

    async fn register_object(
        &self,
        by: IncarnationId,
        id: ObjectId,
        kind: ObjectKind,
        now: Timestamp,
    ) -> Answer<()> {
        self.inner.register_object(by, id, kind, now).await
    }

    async fn checkpoint(&self, by: IncarnationId, offloaded: Slot, objects: Vec<ObjectRow>) -> Answer<()> {
        self.pass(Call::Checkpoint).await;
        self.inner.checkpoint(by, offloaded, objects).await
    }

    async fn replace_objects(
        &self,
        by: IncarnationId,
        removed: Vec<ObjectId>,
        inserted: Vec<ObjectRow>,
        now: Timestamp,
    ) -> Answer<()> {
        self.inner.replace_objects(by, removed, inserted, now).await
    }

    async fn trim(
        &self,
        by: IncarnationId,
        log_starts: Vec<LogStartChange>,
        removed: Vec<ObjectId>,
        ends: Vec<EndHint>,
        now: Timestamp,
    ) -> Answer<()> {
        self.inner.trim(by, log_starts, removed, ends, now).await
    }

    async fn live_objects(&self) -> Answer<Vec<ObjectRow>> {
        self.inner.live_objects().await
    }

    async fn object_is_live(&self, id: ObjectId) -> Answer<bool> {
        self.inner.object_is_live(id).await
    }

    async fn doomed_objects(&self, before: Timestamp) -> Answer<Vec<DoomedObject>> {
        self.inner.doomed_objects(before).await
    }

    async fn abandoned_objects(&self, before: Timestamp, now: Timestamp) -> Answer<u64> {
        self.inner.abandoned_objects(before, now).await
    }

    async fn give_up_objects(&self, by: IncarnationId, ids: Vec<ObjectId>, now: Timestamp) -> Answer<()> {
        self.inner.give_up_objects(by, ids, now).await
    }

    async fn forget_objects(&self, ids: Vec<ObjectId>) -> Answer<()> {
        self.inner.forget_objects(ids).await
    }

    async fn partitions_owned(&self, owner: IncarnationId) -> Answer<Vec<PartitionRow>> {
        self.inner.partitions_owned(owner).await
    }

    async fn existing_partitions(&self, partitions: Vec<PartitionId>) -> Answer<Vec<PartitionId>> {
        self.inner.existing_partitions(partitions).await
    }
}
