//! The cell's catalog in memory, for the simulation and for tests.
//!
//! It passes the same contract suite as the SQL stores. One lock makes every call a transaction; all maps are
//! ordered, so that the same calls give the same answers in the same order.

mod objects;
mod partitions;
mod takeover;

use std::collections::BTreeMap;

use async_trait::async_trait;
use firn_runtime::Timestamp;
use parking_lot::Mutex;

use super::{
    CatalogError, DoomedObject, EndHint, Incarnation, IncarnationState, LogCatalog, LogStartChange,
    ObjectKind, ObjectRow, PartitionRow, WalLocation,
};
use crate::ids::{IncarnationId, NodeId, ObjectId, PartitionId, Slot, TopicId};

/// A cell's catalog in memory. See the module.
#[derive(Default)]
pub struct MemoryCatalog(Mutex<State>);

/// All rows.
#[derive(Default)]
struct State {
    /// Incarnations and when each last showed life.
    incarnations: BTreeMap<IncarnationId, (Incarnation, Timestamp)>,
    /// Ids in order of opening.
    opened: Vec<IncarnationId>,
    /// The partitions of all topics.
    partitions: BTreeMap<PartitionId, PartitionRow>,
    /// Objects that are registered, live or marked for deletion.
    objects: BTreeMap<ObjectId, StoredObject>,
    /// The highest seal order given out.
    last_seal_order: i64,
}

/// An object's row.
struct StoredObject {
    kind: ObjectKind,
    state: ObjectState,
}

/// Where an object is in its life.
enum ObjectState {
    Registered { by: IncarnationId, at: Timestamp },
    Live(Option<ObjectRow>),
    Deleting { marked_at: Timestamp },
}

impl MemoryCatalog {
    /// An empty catalog.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a topic with `partitions` partitions, owned by `owner` in leader epoch 0. Partitions that exist
    /// stay as they are, so that a topic can be widened.
    pub fn add_topic(&self, topic: TopicId, partitions: i32, owner: IncarnationId) {
        self.0.lock().add_topic(topic, partitions, owner);
    }

    /// Deletes a topic with its partitions.
    pub fn remove_topic(&self, topic: TopicId) {
        self.0.lock().partitions.retain(|id, _| id.topic != topic);
    }

    /// The row of a partition, if its topic exists.
    pub fn partition(&self, id: PartitionId) -> Option<PartitionRow> {
        self.0.lock().partitions.get(&id).cloned()
    }

    /// The objects that were registered and are neither live nor marked: what they are, and who registered them.
    pub fn registered(&self) -> Vec<(ObjectId, ObjectKind, IncarnationId)> {
        self.0.lock().registrations()
    }

    /// Every partition, in id order.
    pub fn partitions(&self) -> Vec<PartitionRow> {
        self.0.lock().partitions.values().cloned().collect()
    }
}

impl State {
    /// `id`'s row if it is open.
    fn open(&mut self, id: IncarnationId) -> Result<&mut (Incarnation, Timestamp), CatalogError> {
        match self.incarnations.get_mut(&id) {
            Some(found) if found.0.state == IncarnationState::Open => Ok(found),
            _ => Err(CatalogError::NotOpen(id)),
        }
    }
}

#[async_trait]
impl LogCatalog for MemoryCatalog {
    async fn open_incarnation(
        &self,
        id: IncarnationId,
        node: NodeId,
        wal: WalLocation,
        now: Timestamp,
    ) -> Result<(), CatalogError> {
        self.0.lock().open_incarnation(id, node, wal, now)
    }

    async fn incarnations(&self) -> Result<Vec<Incarnation>, CatalogError> {
        let state = self.0.lock();
        Ok(state
            .opened
            .iter()
            .filter_map(|id| state.incarnations.get(id))
            .map(|(row, _)| row.clone())
            .collect())
    }

    async fn heartbeat(&self, id: IncarnationId, now: Timestamp) -> Result<(), CatalogError> {
        self.0.lock().open(id)?.1 = now;
        Ok(())
    }

    async fn claim_seal(
        &self,
        sealer: IncarnationId,
        dead: IncarnationId,
    ) -> Result<Incarnation, CatalogError> {
        self.0.lock().claim_seal(sealer, dead)
    }

    async fn complete_seal(
        &self,
        sealer: IncarnationId,
        dead: IncarnationId,
        fence: Slot,
        recovery_index: ObjectId,
        heir: IncarnationId,
    ) -> Result<(), CatalogError> {
        self.0
            .lock()
            .complete_seal(sealer, dead, fence, recovery_index, heir)
    }

    async fn drain(
        &self,
        by: IncarnationId,
        dead: IncarnationId,
        objects: Vec<ObjectRow>,
        now: Timestamp,
    ) -> Result<(), CatalogError> {
        self.0.lock().drain(by, dead, &objects, now)
    }

    async fn register_object(
        &self,
        by: IncarnationId,
        id: ObjectId,
        kind: ObjectKind,
        now: Timestamp,
    ) -> Result<(), CatalogError> {
        self.0.lock().register_object(by, id, kind, now)
    }

    async fn checkpoint(
        &self,
        by: IncarnationId,
        offloaded: Slot,
        objects: Vec<ObjectRow>,
    ) -> Result<(), CatalogError> {
        self.0.lock().checkpoint(by, offloaded, &objects)
    }

    async fn replace_objects(
        &self,
        by: IncarnationId,
        removed: Vec<ObjectId>,
        inserted: Vec<ObjectRow>,
        now: Timestamp,
    ) -> Result<(), CatalogError> {
        self.0.lock().replace_objects(by, &removed, &inserted, now)
    }

    async fn trim(
        &self,
        by: IncarnationId,
        log_starts: Vec<LogStartChange>,
        removed: Vec<ObjectId>,
        ends: Vec<EndHint>,
        now: Timestamp,
    ) -> Result<(), CatalogError> {
        self.0.lock().trim(by, &log_starts, &removed, &ends, now)
    }

    async fn live_objects(&self) -> Result<Vec<ObjectRow>, CatalogError> {
        Ok(self.0.lock().live_objects())
    }

    async fn object_is_live(&self, id: ObjectId) -> Result<bool, CatalogError> {
        Ok(self.0.lock().object_is_live(id))
    }

    async fn doomed_objects(&self, before: Timestamp) -> Result<Vec<DoomedObject>, CatalogError> {
        Ok(self.0.lock().doomed_objects(before))
    }

    async fn abandoned_objects(&self, before: Timestamp, now: Timestamp) -> Result<u64, CatalogError> {
        Ok(self.0.lock().abandoned_objects(before, now))
    }

    async fn give_up_objects(
        &self,
        by: IncarnationId,
        ids: Vec<ObjectId>,
        now: Timestamp,
    ) -> Result<(), CatalogError> {
        self.0.lock().give_up_objects(by, &ids, now);
        Ok(())
    }

    async fn forget_objects(&self, ids: Vec<ObjectId>) -> Result<(), CatalogError> {
        self.0.lock().forget_objects(&ids);
        Ok(())
    }

    async fn partitions_owned(&self, owner: IncarnationId) -> Result<Vec<PartitionRow>, CatalogError> {
        Ok(self
            .0
            .lock()
            .partitions
            .values()
            .filter(|row| row.owner == owner)
            .cloned()
            .collect())
    }

    async fn existing_partitions(
        &self,
        partitions: Vec<PartitionId>,
    ) -> Result<Vec<PartitionId>, CatalogError> {
        let state = self.0.lock();
        Ok(partitions
            .into_iter()
            .filter(|id| state.partitions.contains_key(id))
            .collect())
    }
}
