//! A catalog whose answers get lost: the call was not made, or was, or will be.

use std::sync::Arc;

use async_trait::async_trait;
use firn_catalog::cell::{
    CatalogError, DoomedObject, EndHint, Incarnation, LogCatalog, LogStartChange, MemoryCatalog, ObjectKind,
    ObjectRow, PartitionRow, WalLocation,
};
use firn_catalog::ids::{IncarnationId, NodeId, ObjectId, PartitionId, Slot};
use firn_runtime::Timestamp;
use futures::future::BoxFuture;

use crate::faults::{CallError, Faults};
use crate::link::Link;

/// One broker's way to the catalog.
pub struct FaultyCatalog {
    inner: Arc<MemoryCatalog>,
    faults: Arc<Faults>,
    link: Arc<Link>,
    /// Whose way it is, for the trace.
    who: String,
}

impl FaultyCatalog {
    /// A way to `inner` over `link`.
    pub fn new(inner: Arc<MemoryCatalog>, faults: Arc<Faults>, link: Arc<Link>, who: String) -> Self {
        Self {
            inner,
            faults,
            link,
            who,
        }
    }
}

impl CallError for CatalogError {
    fn unanswered() -> Self {
        Self::Unavailable("no answer".into())
    }

    fn conflict(_name: &str) -> Self {
        Self::unanswered()
    }
}

/// A call that changes something, with all its faults.
macro_rules! change {
    ($self:ident.$method:ident($($argument:ident),*)) => {{
        let inner = Arc::clone(&$self.inner);
        let name = format!("{} {}", $self.who, stringify!($method));
        let apply = move || {
            let inner = Arc::clone(&inner);
            $(let $argument = $argument.clone();)*
            let call: BoxFuture<'static, _> = Box::pin(async move { inner.$method($($argument),*).await });
            call
        };
        $self.faults.change(&$self.link, name, false, apply).await
    }};
}

/// A call that only asks.
macro_rules! ask {
    ($self:ident.$method:ident($($argument:ident),*)) => {{
        let name = format!("{} {}", $self.who, stringify!($method));
        $self.faults.ask(&$self.link, &name, $self.inner.$method($($argument),*)).await
    }};
}

#[async_trait]
#[allow(clippy::clone_on_copy, reason = "one macro serves ids and lists")]
impl LogCatalog for FaultyCatalog {
    async fn open_incarnation(
        &self,
        id: IncarnationId,
        node: NodeId,
        wal: WalLocation,
        now: Timestamp,
    ) -> Result<(), CatalogError> {
        change!(self.open_incarnation(id, node, wal, now))
    }

    async fn incarnations(&self) -> Result<Vec<Incarnation>, CatalogError> {
        ask!(self.incarnations())
    }

    async fn heartbeat(&self, id: IncarnationId, now: Timestamp) -> Result<(), CatalogError> {
        change!(self.heartbeat(id, now))
    }

    async fn claim_seal(
        &self,
        sealer: IncarnationId,
        dead: IncarnationId,
    ) -> Result<Incarnation, CatalogError> {
        change!(self.claim_seal(sealer, dead))
    }

    async fn complete_seal(
        &self,
        sealer: IncarnationId,
        dead: IncarnationId,
        fence: Slot,
        index: ObjectId,
        heir: IncarnationId,
    ) -> Result<(), CatalogError> {
        change!(self.complete_seal(sealer, dead, fence, index, heir))
    }

    async fn drain(
        &self,
        by: IncarnationId,
        dead: IncarnationId,
        objects: Vec<ObjectRow>,
        now: Timestamp,
    ) -> Result<(), CatalogError> {
        change!(self.drain(by, dead, objects, now))
    }

    async fn register_object(
        &self,
        by: IncarnationId,
        id: ObjectId,
        kind: ObjectKind,
        now: Timestamp,
    ) -> Result<(), CatalogError> {
        change!(self.register_object(by, id, kind, now))
    }

    async fn checkpoint(
        &self,
        by: IncarnationId,
        offloaded: Slot,
        objects: Vec<ObjectRow>,
    ) -> Result<(), CatalogError> {
        change!(self.checkpoint(by, offloaded, objects))
    }

    async fn replace_objects(
        &self,
        by: IncarnationId,
        removed: Vec<ObjectId>,
        inserted: Vec<ObjectRow>,
        now: Timestamp,
    ) -> Result<(), CatalogError> {
        change!(self.replace_objects(by, removed, inserted, now))
    }

    async fn trim(
        &self,
        by: IncarnationId,
        log_starts: Vec<LogStartChange>,
        removed: Vec<ObjectId>,
        ends: Vec<EndHint>,
        now: Timestamp,
    ) -> Result<(), CatalogError> {
        change!(self.trim(by, log_starts, removed, ends, now))
    }

    async fn live_objects(&self) -> Result<Vec<ObjectRow>, CatalogError> {
        ask!(self.live_objects())
    }

    async fn object_is_live(&self, id: ObjectId) -> Result<bool, CatalogError> {
        ask!(self.object_is_live(id))
    }

    async fn doomed_objects(&self, before: Timestamp) -> Result<Vec<DoomedObject>, CatalogError> {
        ask!(self.doomed_objects(before))
    }

    async fn abandoned_objects(&self, before: Timestamp, now: Timestamp) -> Result<u64, CatalogError> {
        change!(self.abandoned_objects(before, now))
    }

    async fn give_up_objects(
        &self,
        by: IncarnationId,
        ids: Vec<ObjectId>,
        now: Timestamp,
    ) -> Result<(), CatalogError> {
        change!(self.give_up_objects(by, ids, now))
    }

    async fn forget_objects(&self, ids: Vec<ObjectId>) -> Result<(), CatalogError> {
        change!(self.forget_objects(ids))
    }

    async fn partitions_owned(&self, owner: IncarnationId) -> Result<Vec<PartitionRow>, CatalogError> {
        ask!(self.partitions_owned(owner))
    }

    async fn existing_partitions(
        &self,
        partitions: Vec<PartitionId>,
    ) -> Result<Vec<PartitionId>, CatalogError> {
        ask!(self.existing_partitions(partitions))
    }
}
