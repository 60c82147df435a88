//! What the log needs of the cell's catalog: who owns which partition, and which objects are alive.
//!
//! Every method is one transaction. An `Err(CatalogError::Unavailable)` leaves open whether it took effect (the
//! answer to COMMIT may be lost), so each method may be called again with the same arguments: a second
//! call that finds the first one's effect answers as the first would have.
//!
//! A transaction that changes something on behalf of an incarnation requires that incarnation to be
//! [`IncarnationState::Open`] and locks its row, so that a seal and a checkpoint cannot pass each other. Where two
//! incarnation rows are locked, they are locked in id order.

use std::fmt;

use async_trait::async_trait;
use firn_runtime::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{IncarnationId, LeaderEpoch, NodeId, ObjectId, Offset, PartitionId, Slot};

/// Why a catalog call did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CatalogError {
    /// The database did not answer, or not in time. Whether the call took effect is unknown; call again.
    #[error("the catalog did not answer: {0}")]
    Unavailable(String),
    /// The calling incarnation is not `open` (any more): a successor has sealed it. Stop serving.
    #[error("incarnation {0} is not open in the catalog: a successor has taken over")]
    NotOpen(IncarnationId),
    /// The partition is not owned by the calling incarnation in that leader epoch.
    #[error("partition {0} is not owned by the caller in that leader epoch")]
    NotOwner(PartitionId),
    /// The incarnation that a takeover works on is not in the state that the step needs; another sealer was
    /// faster. Read it again.
    #[error("incarnation {id} is {state:?}, which this step does not accept")]
    WrongState {
        /// Whose row.
        id: IncarnationId,
        /// Its state; `None` if there is no such row.
        state: Option<IncarnationState>,
    },
    /// An object was named that is not registered, or is being deleted.
    #[error("object {0} is not registered, or is being deleted")]
    ObjectNotRegistered(ObjectId),
    /// The catalog was written by a newer version of Firn.
    #[error(
        "the catalog has format version {found}; this version of Firn reads up to {supported}: upgrade Firn"
    )]
    NewerFormat {
        /// What the catalog says.
        found: i64,
        /// What this binary reads.
        supported: i64,
    },
    /// The stored rows contradict each other, or a value cannot be read.
    #[error("the catalog is damaged: {0}")]
    Corrupt(String),
}

impl CatalogError {
    /// Whether it says that a successor has taken over from the caller, which must end.
    pub fn is_fenced(&self) -> bool {
        matches!(self, Self::NotOpen(_))
    }
}

/// The life of an incarnation. It only ever moves to the right, one step at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IncarnationState {
    /// It may serve: heartbeats, checkpoints, registrations.
    Open,
    /// A successor has claimed it; its trim point stands still while its write-ahead log is fenced and read.
    Sealing,
    /// Its end is known: the fence and the recovery index are in the row, its partitions have new owners.
    Sealed,
    /// All that its recovery index names is in cold objects; its slots may go (its fence stays).
    Drained,
}

/// Where an incarnation's write-ahead log is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum WalLocation {
    /// In the cell's object store.
    Object,
    /// In a directory of one machine or attached volume, known by the id in the directory's own file, since
    /// paths change.
    Disk {
        /// The directory's id (32 hexadecimal digits).
        volume: String,
    },
}

impl fmt::Display for WalLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Object => f.write_str("in the object store"),
            Self::Disk { volume } => write!(f, "in the directory whose volume.json says {volume}"),
        }
    }
}

/// A row of `incarnations`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incarnation {
    /// Its id.
    pub id: IncarnationId,
    /// The node whose life this is.
    pub node: NodeId,
    /// Where it is in its life.
    pub state: IncarnationState,
    /// Where its write-ahead log is.
    pub wal: WalLocation,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// The first slot that is *not* yet offloaded: every slot below it is in cold objects. Starts at 0.
    pub offloaded: Slot,
    /// The slot that holds the fence; from `Sealed` on.
    pub fence: Option<Slot>,
    /// The recovery index object; from `Sealed` on.
    pub recovery_index: Option<ObjectId>,
    /// The order of the sealed transactions in this cell (1, 2, ...); from `Sealed` on. Drains run in this order.
    pub seal_order: Option<i64>,
}

/// A row of `partitions`, with what a new owner needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionRow {
    /// Which partition.
    pub id: PartitionId,
    /// Who leads it.
    pub owner: IncarnationId,
    /// The current leader epoch; the first is 0.
    pub leader_epoch: LeaderEpoch,
    /// The first offset that may be read; only ever rises.
    pub log_start: Offset,
    /// The end of the cold log when the last object naming the partition went; where the log goes on if no
    /// object names it. Only ever rises.
    pub end_hint: Offset,
}

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObjectKind {
    /// Batches of one partition (`seg/`).
    Segment,
    /// Batches of many partitions, sorted by partition (`mux/`).
    Mux,
    /// A recovery index (`recovery/`).
    RecoveryIndex,
}

/// A live object that holds batches, as its row tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectRow {
    /// Its id, which is also its name in the store.
    pub id: ObjectId,
    /// What it is: `Segment` or `Mux`.
    pub kind: ObjectKind,
    /// Bytes in all.
    pub size: u64,
    /// Bytes of header and index at its front: one range GET of this many reads them.
    pub index_size: u64,
    /// For a segment: its partition and offset range. A mux object tells these in its index.
    pub segment: Option<SegmentRange>,
}

/// The offsets that a segment object covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentRange {
    /// Whose batches.
    pub partition: PartitionId,
    /// The first offset.
    pub first: Offset,
    /// One past the last offset.
    pub end: Offset,
}

/// An object that retention, compaction or topic deletion is done with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DoomedObject {
    /// Which.
    pub id: ObjectId,
    /// What it was, which tells its name in the store.
    pub kind: ObjectKind,
    /// When it was marked.
    pub marked_at: Timestamp,
}

/// A rise of a partition's log start, by its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogStartChange {
    /// Which partition.
    pub partition: PartitionId,
    /// The epoch in which the caller leads it.
    pub leader_epoch: LeaderEpoch,
    /// The new log start; a value below the stored one changes nothing.
    pub log_start: Offset,
}

/// Where the log of a partition ends in cold objects, written when the last object that names it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndHint {
    /// Which partition.
    pub partition: PartitionId,
    /// One past the last offset that any object held.
    pub end: Offset,
}

/// The catalog as the log sees it. See the module's contract.
#[async_trait]
pub trait LogCatalog: Send + Sync + 'static {
    /// Adds a new incarnation in state `Open`. The same id a second time, still open, is a success.
    async fn open_incarnation(
        &self,
        id: IncarnationId,
        node: NodeId,
        wal: WalLocation,
        now: Timestamp,
    ) -> Result<(), CatalogError>;

    /// Every incarnation there is a row of, in order of opening.
    async fn incarnations(&self) -> Result<Vec<Incarnation>, CatalogError>;

    /// Says that `id` is alive. `NotOpen` once a successor has claimed it.
    async fn heartbeat(&self, id: IncarnationId, now: Timestamp) -> Result<(), CatalogError>;

    /// Takeover step 1: moves `dead` from `Open` to `Sealing` (or finds it there) and returns its row, whose
    /// `offloaded` no longer moves. `NotOpen` if the sealer is not open; `WrongState` past `Sealing`.
    async fn claim_seal(
        &self,
        sealer: IncarnationId,
        dead: IncarnationId,
    ) -> Result<Incarnation, CatalogError>;

    /// Takeover step 4: `dead` moves from `Sealing` to `Sealed` with its fence, its registered recovery index and the next
    /// seal order; every partition it owns *now* gets the owner `heir` and its leader epoch + 1; the feed tells.
    /// Found `Sealed` with the same index: the first call's success. Otherwise `WrongState`.
    async fn complete_seal(
        &self,
        sealer: IncarnationId,
        dead: IncarnationId,
        fence: Slot,
        recovery_index: ObjectId,
        heir: IncarnationId,
    ) -> Result<(), CatalogError>;

    /// Takeover step 5: `dead` moves from `Sealed` to `Drained` and its batches' objects (registered before) become
    /// live, in one transaction. Every incarnation with a lower seal order must be drained, else `WrongState`
    /// with that one's id. The recovery index object is marked for deletion.
    async fn drain(
        &self,
        by: IncarnationId,
        dead: IncarnationId,
        objects: Vec<ObjectRow>,
        now: Timestamp,
    ) -> Result<(), CatalogError>;

    /// Registers an object before it is uploaded. Whoever registers one that is not to become live says so with
    /// [`LogCatalog::give_up_objects`]; if it ends before, [`LogCatalog::abandoned_objects`] finds it.
    async fn register_object(
        &self,
        by: IncarnationId,
        id: ObjectId,
        kind: ObjectKind,
        now: Timestamp,
    ) -> Result<(), CatalogError>;

    /// The owner's checkpoint: its slots below `offloaded` are in `objects` (registered before), which become live.
    /// `offloaded` only ever rises; a call with the value already stored and objects already live succeeds.
    async fn checkpoint(
        &self,
        by: IncarnationId,
        offloaded: Slot,
        objects: Vec<ObjectRow>,
    ) -> Result<(), CatalogError>;

    /// A merge: `inserted` (registered before) become live and `removed` (live before) are marked for deletion, in one
    /// transaction.
    async fn replace_objects(
        &self,
        by: IncarnationId,
        removed: Vec<ObjectId>,
        inserted: Vec<ObjectRow>,
        now: Timestamp,
    ) -> Result<(), CatalogError>;

    /// Retention, DeleteRecords, topic deletion: raises log starts, marks objects for deletion and notes the
    /// ends of partitions that no live object names any more, in one transaction. `NotOwner` for a partition that
    /// exists but is not the caller's in that epoch (nothing is changed); partitions that no longer exist are passed over.
    async fn trim(
        &self,
        by: IncarnationId,
        log_starts: Vec<LogStartChange>,
        removed: Vec<ObjectId>,
        ends: Vec<EndHint>,
        now: Timestamp,
    ) -> Result<(), CatalogError>;

    /// Every live object that holds batches, in no particular order.
    async fn live_objects(&self) -> Result<Vec<ObjectRow>, CatalogError>;

    /// Whether `id` is (still) live.
    async fn object_is_live(&self, id: ObjectId) -> Result<bool, CatalogError>;

    /// Objects that were marked for deletion before `before`.
    async fn doomed_objects(&self, before: Timestamp) -> Result<Vec<DoomedObject>, CatalogError>;

    /// Marks for deletion the objects that were registered before `before`, never became live, and whose registrar
    /// is not open (one that is open may still be uploading).
    async fn abandoned_objects(&self, before: Timestamp, now: Timestamp) -> Result<u64, CatalogError>;

    /// Marks for deletion those of `ids` that `by` registered and that never became live. Others stay as they are. It need
    /// not be open.
    async fn give_up_objects(
        &self,
        by: IncarnationId,
        ids: Vec<ObjectId>,
        now: Timestamp,
    ) -> Result<(), CatalogError>;

    /// Removes the rows of objects that have been deleted from the store; only marked ones go.
    async fn forget_objects(&self, ids: Vec<ObjectId>) -> Result<(), CatalogError>;

    /// The partitions that `owner` leads.
    async fn partitions_owned(&self, owner: IncarnationId) -> Result<Vec<PartitionRow>, CatalogError>;

    /// Which of `partitions` still exist: their topic is not deleted.
    async fn existing_partitions(
        &self,
        partitions: Vec<PartitionId>,
    ) -> Result<Vec<PartitionId>, CatalogError>;
}
