//! What the tests of the cold tier share: a store that fails on demand, a log to offload, a model to compare with.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use firn_catalog::cell::{LogCatalog, MemoryCatalog, WalLocation};
use firn_catalog::ids::{IncarnationId, LeaderEpoch, NodeId, Offset, PartitionId, Slot, TopicId};
use firn_runtime::{Clock, Env, InlineTasks, SeededRandom, Timestamp};
use futures::stream::BoxStream;
use futures::{StreamExt, stream};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, ObjectStoreExt, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use parking_lot::Mutex;

use super::offload::{OffloadBatch, OffloadSlot, PartitionFloor, SlotSource};
use super::retention::{RetentionPolicy, RetentionSubject};
use super::{ColdSettings, ColdTier};
use crate::batch::{BatchBuilder, BatchHeader, BatchMeta, ProducerStamp};
use crate::wal::WalError;

/// A store in memory that fails the next requests, or damages the next answers, as often as it is told.
#[derive(Debug, Default)]
pub struct FaultyStore {
    pub inner: InMemory,
    pub fail_gets: AtomicU32,
    pub fail_puts: AtomicU32,
    /// Applies a put and says that it failed.
    pub drop_put_answers: AtomicU32,
    pub flip_gets: AtomicU32,
    pub gets: AtomicU64,
}

fn took(counter: &AtomicU32) -> bool {
    let less = |left: u32| left.checked_sub(1);
    counter
        .fetch_update(Ordering::SeqCst, Ordering::SeqCst, less)
        .is_ok()
}

fn refused() -> object_store::Error {
    object_store::Error::Generic {
        store: "faulty",
        source: "told to fail".into(),
    }
}

impl FaultyStore {
    pub async fn names(&self) -> Vec<Path> {
        let found: Vec<_> = self.inner.list(None).collect().await;
        found.into_iter().map(|meta| meta.unwrap().location).collect()
    }

    /// Flips a bit of a stored object.
    pub async fn flip(&self, path: &Path, at: usize) {
        let mut bytes = self
            .inner
            .get(path)
            .await
            .unwrap()
            .bytes()
            .await
            .unwrap()
            .to_vec();
        let at = at % bytes.len();
        bytes[at] ^= 0x10;
        self.inner.put(path, PutPayload::from(bytes)).await.unwrap();
    }
}

impl fmt::Display for FaultyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("faulty")
    }
}

#[async_trait]
impl ObjectStore for FaultyStore {
    async fn put_opts(&self, path: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        tokio::task::yield_now().await;
        if took(&self.fail_puts) {
            return Err(refused());
        }
        let done = self.inner.put_opts(path, payload, options).await;
        if took(&self.drop_put_answers) {
            Err(refused())
        } else {
            done
        }
    }

    async fn put_multipart_opts(
        &self,
        path: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(path, options).await
    }

    async fn get_opts(&self, path: &Path, options: GetOptions) -> Result<GetResult> {
        tokio::task::yield_now().await;
        self.gets.fetch_add(1, Ordering::SeqCst);
        if took(&self.fail_gets) {
            return Err(refused());
        }
        let answer = self.inner.get_opts(path, options).await?;
        if !took(&self.flip_gets) {
            return Ok(answer);
        }
        let (meta, range, attributes, extensions) = (
            answer.meta.clone(),
            answer.range.clone(),
            answer.attributes.clone(),
            answer.extensions.clone(),
        );
        let mut bytes = answer.bytes().await?.to_vec();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        let payload = GetResultPayload::Stream(stream::once(async { Ok(Bytes::from(bytes)) }).boxed());
        Ok(GetResult {
            payload,
            meta,
            range,
            attributes,
            extensions,
        })
    }

    fn delete_stream(&self, paths: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
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

/// A clock that tests set.
pub struct TestClock(pub AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// A batch as the model remembers it.
#[derive(Clone, Debug)]
pub struct Known {
    pub first: Offset,
    pub end: Offset,
    pub max_timestamp: i64,
    pub bytes: Bytes,
}

/// A broker with a log of slots in memory, and what was appended.
pub struct Bed {
    pub env: Env,
    pub clock: Arc<TestClock>,
    pub catalog: Arc<MemoryCatalog>,
    pub store: Arc<FaultyStore>,
    pub own: IncarnationId,
    pub tier: Arc<ColdTier>,
    pub settings: ColdSettings,
    pub log: TestLog,
    pub model: BTreeMap<PartitionId, Vec<Known>>,
    open: Vec<(BatchMeta, Bytes)>,
    pub epoch: LeaderEpoch,
}

/// The slots of a write-ahead log.
#[derive(Default)]
pub struct TestLog {
    pub slots: Mutex<BTreeMap<Slot, OffloadSlot>>,
    pub freed: Mutex<Slot>,
    pub log_starts: BTreeMap<PartitionId, Offset>,
    /// How many of the next reads are not answered.
    pub unanswered: AtomicU32,
}

#[async_trait]
impl SlotSource for TestLog {
    async fn slot(&self, slot: Slot) -> std::result::Result<OffloadSlot, WalError> {
        if took(&self.unanswered) {
            return Err(WalError::Unavailable("told to fail".to_owned()));
        }
        let found = self.slots.lock().get(&slot).cloned();
        found.ok_or_else(|| WalError::Corrupt(format!("slot {slot} is not there")))
    }

    fn accepts(&self, _: &BatchMeta) -> bool {
        true
    }

    fn floor(&self, partition: PartitionId) -> PartitionFloor {
        PartitionFloor {
            log_start: self.log_starts.get(&partition).copied().unwrap_or_default(),
            end_hint: Offset(0),
            producer_expiration: Duration::from_secs(86_400),
        }
    }

    async fn free(&self, offloaded: Slot) {
        *self.freed.lock() = offloaded;
    }
}

pub const TOPIC: TopicId = TopicId(77);

pub fn partition(index: i32) -> PartitionId {
    PartitionId { topic: TOPIC, index }
}

/// Settings with which small tests meet every bound.
pub fn small() -> ColdSettings {
    let mut settings = ColdSettings::default();
    settings.read.block_bytes = 4 << 10;
    settings.read.readahead_bytes = 16 << 10;
    settings.read.cache_bytes = 64 << 10;
    settings.offload.object_bytes = 64 << 10;
    settings.offload.segment_min_bytes = 16 << 10;
    settings.merge.fan_in = 3;
    settings.merge.segment_min_bytes = 24 << 10;
    settings
}

impl Bed {
    pub async fn new(seed: u64, partitions: i32, settings: ColdSettings) -> Self {
        let clock = Arc::new(TestClock(AtomicI64::new(1_000_000)));
        let env = Env {
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            random: Arc::new(SeededRandom::new(seed)),
            tasks: Arc::new(InlineTasks),
        };
        let (catalog, store) = (Arc::new(MemoryCatalog::new()), Arc::new(FaultyStore::default()));
        let own = IncarnationId(1);
        catalog
            .open_incarnation(own, NodeId(0), WalLocation::Object, env.now())
            .await
            .unwrap();
        catalog.add_topic(TOPIC, partitions, own);
        let tier = ColdTier::open(
            &env,
            Arc::clone(&store) as Arc<dyn ObjectStore>,
            Arc::clone(&catalog) as Arc<dyn LogCatalog>,
            settings.clone(),
        );
        Self {
            tier: tier.await.unwrap(),
            env,
            clock,
            catalog,
            store,
            own,
            settings,
            log: TestLog::default(),
            model: BTreeMap::new(),
            open: Vec::new(),
            epoch: LeaderEpoch(0),
        }
    }

    /// Below `bound`, from the seed.
    pub fn random(&self, bound: u64) -> u64 {
        self.env.random_u64() % bound
    }

    /// Opens the tier again, from rows and objects alone.
    pub async fn restart(&mut self) {
        self.tier = self.try_open().await.unwrap();
    }

    /// Opens the tier again; an error is told.
    pub async fn try_open(&self) -> std::result::Result<Arc<ColdTier>, super::ColdError> {
        let store = Arc::clone(&self.store) as Arc<dyn ObjectStore>;
        let catalog = Arc::clone(&self.catalog) as Arc<dyn LogCatalog>;
        ColdTier::open(&self.env, store, catalog, self.settings.clone()).await
    }

    /// Appends a batch of `records` records of `size` bytes to the open slot.
    pub fn append(&mut self, index: i32, records: u64, size: usize, timestamp: i64) {
        self.append_as(index, records, size, timestamp, None);
    }

    pub fn append_as(
        &mut self,
        index: i32,
        records: u64,
        size: usize,
        timestamp: i64,
        producer: Option<(i64, i32)>,
    ) {
        let id = partition(index);
        let known = self.model.entry(id).or_default();
        let first = known.last().map_or(Offset(0), |last| last.end);
        let mut batch = BatchBuilder::new();
        if let Some((producer, sequence)) = producer {
            batch = batch.producer(producer, 0, sequence);
        }
        for record in 0..records {
            let mut value = vec![0; size];
            self.env.random.fill(&mut value);
            batch = batch.record(timestamp - i64::try_from(record).unwrap(), None, Some(&value));
        }
        let mut bytes = batch.build();
        bytes[..8].copy_from_slice(&first.0.to_be_bytes());
        bytes[12..16].copy_from_slice(&self.epoch.0.to_be_bytes());
        let bytes = bytes.freeze();
        let meta = meta_of(id, &bytes);
        known.push(Known {
            first,
            end: meta.end(),
            max_timestamp: meta.max_timestamp,
            bytes: bytes.clone(),
        });
        self.open.push((meta, bytes));
    }

    /// Ends the open slot.
    pub fn freeze(&mut self) -> Slot {
        let mut slots = self.log.slots.lock();
        let slot = Slot(slots.len() as u64);
        let mut batches = std::mem::take(&mut self.open);
        batches.sort_by_key(|(meta, _)| (meta.partition, meta.first));
        let frozen = OffloadSlot {
            slot,
            appended_at: self.env.now(),
            batches: batches
                .into_iter()
                .map(|(meta, bytes)| OffloadBatch::new(meta, bytes))
                .collect(),
        };
        slots.insert(slot, frozen);
        slot
    }

    pub fn slots(&self) -> Range<Slot> {
        Slot(0)..Slot(self.log.slots.lock().len() as u64)
    }

    /// Offloads all slots that were not offloaded before.
    pub async fn checkpoint(&self) -> super::offload::Offloaded {
        let from = *self.log.freed.lock();
        let range = from..self.slots().end;
        self.tier.checkpoint(self.own, range, &self.log).await.unwrap()
    }

    /// Reads a partition from `from` to its cold end with limits of `max_bytes`, and compares with what was appended.
    pub async fn assert_reads(&self, index: i32, from: Offset, max_bytes: usize) {
        let id = partition(index);
        let mut next = from;
        let end = self.tier.bounds(id).unwrap().1;
        while next < end {
            let read = self.tier.read(id, next, max_bytes).await.unwrap();
            assert!(!read.batches.is_empty(), "{id} gives nothing at {next}");
            let known = &self.model[&id];
            let mut at = known.partition_point(|known| known.end <= next);
            for batch in &read.batches {
                assert_eq!(batch, &known[at].bytes, "{id} at {next}");
                at += 1;
            }
            assert_eq!(read.next, known[at - 1].end);
            next = read.next;
        }
    }

    pub fn subject(&self, index: i32, policy: RetentionPolicy) -> RetentionSubject {
        let row = self.catalog.partition(partition(index)).unwrap();
        RetentionSubject {
            partition: row.id,
            leader_epoch: row.leader_epoch,
            log_start: row.log_start,
            local: Vec::new(),
            policy,
            producer_expiration: Duration::from_secs(86_400),
        }
    }
}

pub fn meta_of(partition: PartitionId, bytes: &Bytes) -> BatchMeta {
    let header = BatchHeader::read(bytes).unwrap();
    let producer = (header.producer_id >= 0).then(|| ProducerStamp {
        id: header.producer_id,
        epoch: header.producer_epoch,
        first_sequence: header.base_sequence,
        last_sequence: header.base_sequence + header.last_offset_delta,
    });
    BatchMeta {
        partition,
        leader_epoch: LeaderEpoch(header.partition_leader_epoch),
        first: Offset(header.base_offset),
        last: Offset(header.base_offset + i64::from(header.last_offset_delta)),
        length: u32::try_from(bytes.len()).unwrap(),
        base_timestamp: header.base_timestamp,
        max_timestamp: header.max_timestamp,
        producer,
        transactional: false,
        marker: None,
    }
}
