//! The log's view of the catalog, on the SQL stores.

use async_trait::async_trait;
use firn_runtime::Timestamp;

use super::transaction;
use crate::catalog::Catalog;
use crate::cell::{
    CatalogError, DoomedObject, EndHint, Incarnation, LogCatalog, LogStartChange, ObjectKind, ObjectRow,
    PartitionRow, WalLocation,
};
use crate::entities::Address;
use crate::ids::{IncarnationId, NodeId, ObjectId, PartitionId, Slot};

impl Catalog {
    /// Says where Kafka clients reach the broker whose open incarnation is `id`, and where the control plane does.
    pub async fn advertise(
        &self,
        id: IncarnationId,
        address: Address,
        internal: Option<Address>,
    ) -> Result<(), CatalogError> {
        let now = self.env().now();
        let told = transaction!(self.store(), write, |tx| tx
            .advertise(id, &address, internal.as_ref(), now)
            .await);
        self.hint_after(told)
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
    ) -> Result<(), CatalogError> {
        let opened = transaction!(self.store(), write, |tx| tx
            .open_incarnation(id, node, &wal, now)
            .await);
        self.hint_after(opened)
    }

    async fn incarnations(&self) -> Result<Vec<Incarnation>, CatalogError> {
        transaction!(self.store(), snapshot, |tx| tx.incarnations().await)
    }

    async fn heartbeat(&self, id: IncarnationId, now: Timestamp) -> Result<(), CatalogError> {
        transaction!(self.store(), write, |tx| tx.heartbeat(id, now).await)
    }

    async fn claim_seal(
        &self,
        sealer: IncarnationId,
        dead: IncarnationId,
    ) -> Result<Incarnation, CatalogError> {
        let now = self.env().now();
        let claimed = transaction!(self.store(), write, |tx| tx.claim_seal(sealer, dead, now).await);
        self.hint_after(claimed)
    }

    async fn complete_seal(
        &self,
        sealer: IncarnationId,
        dead: IncarnationId,
        fence: Slot,
        recovery_index: ObjectId,
        heir: IncarnationId,
    ) -> Result<(), CatalogError> {
        let now = self.env().now();
        let end = (fence, recovery_index);
        let sealed = transaction!(self.store(), write, |tx| tx
            .complete_seal(sealer, dead, end, heir, now)
            .await);
        self.hint_after(sealed)
    }

    async fn drain(
        &self,
        by: IncarnationId,
        dead: IncarnationId,
        objects: Vec<ObjectRow>,
        now: Timestamp,
    ) -> Result<(), CatalogError> {
        transaction!(self.store(), write, |tx| tx.drain(by, dead, &objects, now).await)
    }

    async fn register_object(
        &self,
        by: IncarnationId,
        id: ObjectId,
        kind: ObjectKind,
        now: Timestamp,
    ) -> Result<(), CatalogError> {
        transaction!(self.store(), write, |tx| tx
            .register_object(by, id, kind, now)
            .await)
    }

    async fn checkpoint(
        &self,
        by: IncarnationId,
        offloaded: Slot,
        objects: Vec<ObjectRow>,
    ) -> Result<(), CatalogError> {
        transaction!(self.store(), write, |tx| tx
            .checkpoint(by, offloaded, &objects)
            .await)
    }

    async fn replace_objects(
        &self,
        by: IncarnationId,
        removed: Vec<ObjectId>,
        inserted: Vec<ObjectRow>,
        now: Timestamp,
    ) -> Result<(), CatalogError> {
        transaction!(self.store(), write, |tx| tx
            .replace_objects(by, &removed, &inserted, now)
            .await)
    }

    async fn trim(
        &self,
        by: IncarnationId,
        log_starts: Vec<LogStartChange>,
        removed: Vec<ObjectId>,
        ends: Vec<EndHint>,
        now: Timestamp,
    ) -> Result<(), CatalogError> {
        transaction!(self.store(), write, |tx| tx
            .trim(by, &log_starts, &removed, &ends, now)
            .await)
    }

    async fn live_objects(&self) -> Result<Vec<ObjectRow>, CatalogError> {
        transaction!(self.store(), snapshot, |tx| tx.live_objects().await)
    }

    async fn object_is_live(&self, id: ObjectId) -> Result<bool, CatalogError> {
        transaction!(self.store(), snapshot, |tx| tx.object_is_live(id).await)
    }

    async fn doomed_objects(&self, before: Timestamp) -> Result<Vec<DoomedObject>, CatalogError> {
        transaction!(self.store(), snapshot, |tx| tx.doomed_objects(before).await)
    }

    async fn abandoned_objects(&self, before: Timestamp, now: Timestamp) -> Result<u64, CatalogError> {
        transaction!(self.store(), write, |tx| tx.abandoned_objects(before, now).await)
    }

    async fn give_up_objects(
        &self,
        by: IncarnationId,
        ids: Vec<ObjectId>,
        now: Timestamp,
    ) -> Result<(), CatalogError> {
        transaction!(self.store(), write, |tx| tx.give_up_objects(by, &ids, now).await)
    }

    async fn forget_objects(&self, ids: Vec<ObjectId>) -> Result<(), CatalogError> {
        transaction!(self.store(), write, |tx| tx.forget_objects(&ids).await)
    }

    async fn partitions_owned(&self, owner: IncarnationId) -> Result<Vec<PartitionRow>, CatalogError> {
        transaction!(self.store(), snapshot, |tx| tx.partitions_owned(owner).await)
    }

    async fn existing_partitions(
        &self,
        partitions: Vec<PartitionId>,
    ) -> Result<Vec<PartitionId>, CatalogError> {
        transaction!(self.store(), snapshot, |tx| tx
            .existing_partitions(&partitions)
            .await)
    }
}
