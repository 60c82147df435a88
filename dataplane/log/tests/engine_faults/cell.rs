//! A cell with one node, and processes of it whose store and catalog the test holds.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use firn_catalog::cell::{Incarnation, IncarnationState, LogCatalog, MemoryCatalog};
use firn_catalog::ids::{IncarnationId, LeaderEpoch, NodeId, Offset, PartitionId, Slot, TopicId};
use firn_log::batch::{BatchBuilder, BatchHeader, BatchMeta, BatchRules, TimestampType};
use firn_log::engine::{Assignment, Log, LogParts, LogSettings, OpenError};
use firn_log::partition::{Isolation, Partition, PartitionConfig};
use firn_log::wal::{ObjectLog, WriteAheadLog};
use firn_runtime::{Clock, Env, Timestamp};
use futures::StreamExt;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use tempfile::TempDir;

use super::catalog::Catalog;
use super::store::Store;

pub const P: PartitionId = PartitionId {
    topic: TopicId(1),
    index: 0,
};

/// A clock that tests set.
pub struct TestClock(pub AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

pub struct Cell {
    pub catalog: Arc<MemoryCatalog>,
    pub store: Arc<InMemory>,
    pub settings: LogSettings,
    pub clock: Arc<TestClock>,
    pub timestamp_type: TimestampType,
    /// Around the folder of hot files, if there are any.
    pub hot: Option<TempDir>,
}

/// A process: its log, its partition, and its ways to the world.
pub struct Process {
    pub log: Arc<Log>,
    pub partition: Arc<Partition>,
    pub catalog: Arc<Catalog>,
    pub store: Arc<Store>,
}

impl Cell {
    pub fn new() -> Self {
        Self {
            catalog: Arc::new(MemoryCatalog::new()),
            store: Arc::new(InMemory::new()),
            settings: LogSettings::default(),
            clock: Arc::new(TestClock(AtomicI64::new(1_000_000_000_000))),
            timestamp_type: TimestampType::CreateTime,
            hot: None,
        }
    }

    /// A cell whose slots go into cold objects at once, and whose images are dropped then.
    pub fn that_offloads() -> Self {
        let mut cell = Self::without_images();
        cell.settings.cold.offload.bytes = 1;
        cell
    }

    /// A cell that keeps one slot in memory, so that reads go to the store.
    pub fn without_images() -> Self {
        let mut cell = Self::new();
        cell.settings.images.memory = 0;
        cell.settings.images.disk = 0;
        cell
    }

    /// A cell that keeps one slot in memory and all of them in hot files.
    pub fn with_hot_files() -> Self {
        let mut cell = Self::new();
        cell.settings.images.memory = 0;
        cell.hot = Some(tempfile::tempdir().unwrap());
        cell
    }

    pub fn hot_directory(&self) -> Option<PathBuf> {
        Some(self.hot.as_ref()?.path().join("hot"))
    }

    pub fn ways(&self) -> (Arc<Catalog>, Arc<Store>) {
        (Catalog::over(&self.catalog), Store::over(&self.store))
    }

    pub async fn start(&self, catalog: &Arc<Catalog>, store: &Arc<Store>) -> Result<Arc<Log>, OpenError> {
        let store: Arc<dyn ObjectStore> = store.clone();
        let mut env = Env::system();
        env.clock = self.clock.clone();
        Log::open(LogParts {
            env,
            settings: self.settings.clone(),
            catalog: catalog.clone(),
            wal: Arc::new(ObjectLog::new(Arc::clone(&store))),
            store,
            node: NodeId(0),
            hot_directory: self.hot_directory(),
        })
        .await
    }

    /// Starts a process, and opens the one partition.
    pub async fn open(&self) -> Process {
        let (catalog, store) = self.ways();
        self.open_with(catalog, store).await
    }

    pub async fn open_with(&self, catalog: Arc<Catalog>, store: Arc<Store>) -> Process {
        let log = self.start(&catalog, &store).await.unwrap();
        if self.catalog.partition(P).is_none() {
            self.catalog.add_topic(P.topic, 1, log.incarnation());
        }
        log.assign(vec![self.assignment()]).await.unwrap();
        Process {
            partition: log.partition(P).unwrap(),
            log,
            catalog,
            store,
        }
    }

    pub fn assignment(&self) -> Assignment {
        Assignment {
            id: P,
            leader_epoch: self.catalog.partition(P).unwrap().leader_epoch,
            config: Arc::new(PartitionConfig {
                rules: BatchRules {
                    timestamp_type: self.timestamp_type,
                    ..BatchRules::default()
                },
                retention_ms: None,
                retention_bytes: None,
                deletes: true,
                producer_expiration: Duration::from_secs(3600),
            }),
        }
    }

    pub async fn row(&self, id: IncarnationId) -> Incarnation {
        let rows = self.catalog.incarnations().await.unwrap();
        rows.into_iter().find(|row| row.id == id).unwrap()
    }

    pub async fn until_drained(&self, id: IncarnationId) {
        until("drained", async || {
            self.row(id).await.state == IncarnationState::Drained
        })
        .await;
    }

    /// Which registers of an incarnation hold something.
    pub async fn slots(&self, id: IncarnationId) -> Vec<Slot> {
        let mut found = Vec::new();
        for slot in 0..100 {
            if self.store.head(&ObjectLog::path(id, Slot(slot))).await.is_ok() {
                found.push(Slot(slot));
            }
        }
        found
    }

    /// How many cold objects there are in the store.
    pub async fn cold_objects(&self) -> usize {
        let mut count = 0;
        for folder in ["seg", "mux"] {
            count += self.store.list(Some(&Path::from(folder))).count().await;
        }
        count
    }

    /// The registers, without any gate.
    pub fn wal(&self) -> ObjectLog {
        ObjectLog::new(self.store.clone())
    }

    pub async fn front(&self, id: IncarnationId, slot: Slot) -> Option<Bytes> {
        self.wal().get_front(id, slot).await.unwrap()
    }
}

impl Process {
    /// Appends values and waits for the acknowledgement.
    pub async fn append(&self, first_value: i64, records: i64) -> Offset {
        self.append_batch(batch(first_value, records)).await
    }

    pub async fn append_batch(&self, batch: BytesMut) -> Offset {
        let appended = self.partition.append(batch, Timestamp(1)).unwrap();
        if let Some(slot) = appended.slot {
            self.log.wait(slot).await.unwrap();
        }
        appended.first
    }

    /// Waits until cold objects hold everything below `end`.
    pub async fn until_cold(&self, end: i64) {
        until("offloaded", async || {
            self.partition.offsets().cold_end >= Offset(end)
        })
        .await;
    }

    /// Every value from `from` on.
    pub async fn values(&self, from: i64) -> Vec<i64> {
        let mut values = Vec::new();
        let mut next = Offset(from);
        loop {
            let slice = self
                .partition
                .read(next, 200, Isolation::ReadUncommitted)
                .await
                .unwrap();
            let Some(last) = slice.batches.last() else {
                return values;
            };
            let header = BatchHeader::read(last).unwrap();
            next = Offset(header.base_offset + i64::from(header.last_offset_delta) + 1);
            values.extend(slice.batches.iter().flat_map(values_of));
        }
    }
}

/// How long anything may take before the test fails. Generous: two cores may be busy.
const PATIENCE: Duration = Duration::from_secs(60);

pub async fn until(what: &str, mut is: impl AsyncFnMut() -> bool) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while !is().await {
        assert!(
            tokio::time::Instant::now() < deadline,
            "it did not come to be {what}"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Fails the test if `work` hangs.
pub async fn soon<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, work).await.expect("it hangs")
}

pub fn batch(first_value: i64, records: i64) -> BytesMut {
    (first_value..first_value + records)
        .fold(BatchBuilder::new(), |batch, value| {
            batch.record(1_000 + value, None, Some(&value.to_be_bytes()))
        })
        .build()
}

pub fn idempotent(sequence: i32, records: i64) -> BytesMut {
    (0..records)
        .fold(BatchBuilder::new().producer(9, 0, sequence), |batch, value| {
            batch.record(5, None, Some(&value.to_be_bytes()))
        })
        .build()
}

/// What an index says of one record of 100 bytes.
pub fn meta(offset: i64) -> BatchMeta {
    BatchMeta {
        partition: P,
        leader_epoch: LeaderEpoch(0),
        first: Offset(offset),
        last: Offset(offset),
        length: 100,
        base_timestamp: 0,
        max_timestamp: 0,
        producer: None,
        transactional: false,
        marker: None,
    }
}

fn values_of(batch: &Bytes) -> Vec<i64> {
    let records = firn_log::batch::records(batch).unwrap().map(Result::unwrap);
    let value = |value: Option<Bytes>| i64::from_be_bytes(value.unwrap()[..].try_into().unwrap());
    records.map(|record| value(record.value)).collect()
}
