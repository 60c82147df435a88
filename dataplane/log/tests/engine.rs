//! The whole log over an object WAL in memory: appends, reads across tiers, restarts.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use firn_catalog::cell::{LogCatalog, MemoryCatalog};
use firn_catalog::ids::{LeaderEpoch, NodeId, Offset, PartitionId, TopicId};
use firn_log::batch::{BatchBuilder, BatchHeader, BatchRules};
use firn_log::engine::{Assignment, Log, LogParts, LogSettings};
use firn_log::partition::{AppendError, Isolation, Partition, PartitionConfig, ReadError, SequenceError};
use firn_log::wal::{DiskLog, DiskSettings, ObjectLog, WriteAheadLog};
use firn_runtime::{Env, Timestamp};
use object_store::ObjectStore;
use object_store::memory::InMemory;

const P: PartitionId = PartitionId {
    topic: TopicId(1),
    index: 0,
};

struct Cell {
    catalog: Arc<MemoryCatalog>,
    store: Arc<dyn ObjectStore>,
    settings: LogSettings,
}

impl Cell {
    fn new() -> Self {
        Self {
            catalog: Arc::new(MemoryCatalog::new()),
            store: Arc::new(InMemory::new()),
            settings: LogSettings::default(),
        }
    }

    /// A cell whose slots go into cold objects at once, and whose images are dropped then.
    fn that_offloads() -> Self {
        let mut cell = Self::new();
        cell.settings.cold.offload.bytes = 1;
        cell.settings.images.memory = 0;
        cell.settings.images.disk = 0;
        cell
    }

    fn parts(&self, wal: Arc<dyn WriteAheadLog>) -> LogParts {
        LogParts {
            env: Env::system(),
            settings: self.settings.clone(),
            catalog: self.catalog.clone(),
            store: Arc::clone(&self.store),
            wal,
            node: NodeId(0),
            hot_directory: None,
        }
    }

    async fn start(&self) -> Arc<Log> {
        let wal = Arc::new(ObjectLog::new(Arc::clone(&self.store)));
        Log::open(self.parts(wal)).await.unwrap()
    }

    /// Starts, and opens the one partition.
    async fn open(&self) -> (Arc<Log>, Arc<Partition>) {
        let log = self.start().await;
        if self.catalog.partition(P).is_none() {
            self.catalog.add_topic(P.topic, 1, log.incarnation());
        }
        let row = self.catalog.partition(P).unwrap();
        assert_eq!(row.owner, log.incarnation());
        let assignment = Assignment {
            id: P,
            leader_epoch: row.leader_epoch,
            config: config(),
        };
        log.assign(vec![assignment]).await.unwrap();
        let partition = log.partition(P).unwrap();
        (log, partition)
    }
}

fn config() -> Arc<PartitionConfig> {
    Arc::new(PartitionConfig {
        rules: BatchRules::default(),
        retention_ms: None,
        retention_bytes: None,
        deletes: true,
        producer_expiration: Duration::from_secs(3600),
    })
}

fn batch(first_value: i64, records: i64) -> BytesMut {
    (first_value..first_value + records)
        .fold(BatchBuilder::new(), |batch, value| {
            batch.record(1_000 + value, None, Some(&value.to_be_bytes()))
        })
        .build()
}

fn idempotent(epoch: i16, sequence: i32, records: i64) -> BytesMut {
    (0..records)
        .fold(BatchBuilder::new().producer(9, epoch, sequence), |batch, _| {
            batch.record(5, None, Some(b"v"))
        })
        .build()
}

async fn append(log: &Log, partition: &Partition, batch: BytesMut) -> Offset {
    let appended = partition.append(batch, Timestamp(1)).unwrap();
    if let Some(slot) = appended.slot {
        log.wait(slot).await.unwrap();
    }
    appended.first
}

/// Every value from `from` on, read in small bites.
async fn values(partition: &Partition, from: i64) -> Vec<i64> {
    let mut values = Vec::new();
    let mut next = Offset(from);
    loop {
        let slice = partition
            .read(next, 200, Isolation::ReadUncommitted)
            .await
            .unwrap();
        let Some(last) = slice.batches.last() else {
            return values;
        };
        let header = BatchHeader::read(last).unwrap();
        next = Offset(header.base_offset + i64::from(header.last_offset_delta) + 1);
        for batch in &slice.batches {
            values.extend(
                records_of(batch)
                    .into_iter()
                    .filter(|&(offset, _)| offset >= from)
                    .map(|(_, v)| v),
            );
        }
    }
}

fn records_of(batch: &Bytes) -> Vec<(i64, i64)> {
    let base = BatchHeader::read(batch).unwrap().base_offset;
    let records = firn_log::batch::records(batch).unwrap().map(Result::unwrap);
    let value = |value: Option<Bytes>| i64::from_be_bytes(value.unwrap()[..].try_into().unwrap());
    records
        .map(|record| (base + i64::from(record.offset_delta), value(record.value)))
        .collect()
}

/// Waits until cold objects hold everything below `end`.
async fn until_cold(partition: &Partition, end: i64) {
    for _ in 0..2_400 {
        if partition.offsets().cold_end >= Offset(end) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("not offloaded to {end}: {:?}", partition.offsets());
}

#[tokio::test]
async fn what_was_acknowledged_is_read_back_after_a_crash_and_another() {
    let cell = Cell::new();
    let mut next = 0;
    for life in 0..4 {
        let (log, partition) = cell.open().await;
        assert_eq!(partition.leader_epoch(), LeaderEpoch(life));
        assert_eq!(values(&partition, 0).await, (0..next).collect::<Vec<_>>());
        for _ in 0..10 {
            assert_eq!(append(&log, &partition, batch(next, 7)).await, Offset(next));
            next += 7;
        }
        log.abort();
    }
}

#[tokio::test]
async fn one_read_goes_through_cold_objects_the_sealed_log_and_the_own_one() {
    let mut cell = Cell::that_offloads();
    let (log, partition) = cell.open().await;
    for n in 0..20 {
        append(&log, &partition, batch(n * 5, 5)).await;
    }
    until_cold(&partition, 100).await;
    log.shutdown().await;
    // From here the own log is not offloaded; whether the sealed one is drained meanwhile is open.
    cell.settings = LogSettings::default();
    let (log, partition) = cell.open().await;
    for n in 20..30 {
        append(&log, &partition, batch(n * 5, 5)).await;
    }
    assert_eq!(values(&partition, 3).await, (3..150).collect::<Vec<_>>());
    log.abort();
    let (log, partition) = cell.open().await;
    for n in 30..40 {
        append(&log, &partition, batch(n * 5, 5)).await;
    }
    assert_eq!(values(&partition, 0).await, (0..200).collect::<Vec<_>>());
    assert_eq!(
        partition.epoch_end(LeaderEpoch(0)),
        Some((LeaderEpoch(0), Offset(100)))
    );
    assert_eq!(
        partition.epoch_end(LeaderEpoch(1)),
        Some((LeaderEpoch(1), Offset(150)))
    );
    assert_eq!(partition.epoch_at(Offset(170)), Some(LeaderEpoch(2)));
    log.shutdown().await;
}

#[tokio::test]
async fn a_sealed_log_is_drained_and_still_read() {
    let cell = Cell::new();
    let (log, partition) = cell.open().await;
    append(&log, &partition, batch(0, 50)).await;
    log.abort();
    let dead = log.incarnation();
    let (_log, partition) = cell.open().await;
    until_cold(&partition, 50).await;
    assert_eq!(values(&partition, 0).await, (0..50).collect::<Vec<_>>());
    let rows = cell.catalog.incarnations().await.unwrap();
    let row = rows.iter().find(|row| row.id == dead).unwrap();
    assert_eq!(row.state, firn_catalog::cell::IncarnationState::Drained);
}

#[tokio::test]
async fn a_retry_is_told_its_first_offset_after_a_takeover_too() {
    for cell in [Cell::new(), Cell::that_offloads()] {
        let (log, partition) = cell.open().await;
        for n in 0..6 {
            append(&log, &partition, idempotent(0, n * 3, 3)).await;
        }
        if cell.settings.cold.offload.bytes == 1 {
            until_cold(&partition, 18).await;
        }
        log.abort();
        let (log, partition) = cell.open().await;
        assert_eq!(append(&log, &partition, idempotent(0, 15, 3)).await, Offset(15));
        assert_eq!(partition.offsets().log_end, Offset(18));
        let too_old = partition.append(idempotent(0, 0, 3), Timestamp(1));
        assert!(matches!(
            too_old,
            Err(AppendError::Sequence(SequenceError::OutOfOrder { .. }))
        ));
        assert_eq!(append(&log, &partition, idempotent(0, 18, 1)).await, Offset(18));
        log.shutdown().await;
    }
}

#[tokio::test]
async fn a_reader_sees_nothing_past_the_high_watermark_and_is_woken_when_it_moves() {
    let cell = Cell::new();
    let (log, partition) = cell.open().await;
    let waiter = Arc::new(tokio::sync::Notify::new());
    partition.watch(&waiter);
    let appended = partition.append(batch(0, 3), Timestamp(1)).unwrap();
    assert_eq!(partition.offsets().high_watermark, Offset(0));
    assert!(
        partition
            .read(Offset(0), 1000, Isolation::ReadUncommitted)
            .await
            .unwrap()
            .batches
            .is_empty()
    );
    waiter.notified().await;
    log.wait(appended.slot.unwrap()).await.unwrap();
    assert_eq!(partition.offsets().high_watermark, Offset(3));
    let past = partition.read(Offset(4), 1000, Isolation::ReadUncommitted).await;
    assert_eq!(
        past.unwrap_err(),
        ReadError::OutOfRange {
            log_start: Offset(0),
            log_end: Offset(3)
        }
    );
}

#[tokio::test]
async fn deleted_records_stay_deleted_and_offsets_go_on() {
    for cell in [Cell::new(), Cell::that_offloads()] {
        let (log, partition) = cell.open().await;
        append(&log, &partition, batch(0, 10)).await;
        append(&log, &partition, batch(10, 10)).await;
        assert_eq!(partition.delete_records(Offset(15)).await, Ok(Offset(15)));
        assert_eq!(partition.delete_records(Offset(3)).await, Ok(Offset(15)));
        assert!(partition.delete_records(Offset(21)).await.is_err());
        assert_eq!(values(&partition, 15).await, [15, 16, 17, 18, 19]);
        log.abort();
        let (log, partition) = cell.open().await;
        assert_eq!(partition.offsets().log_start, Offset(15));
        assert!(
            partition
                .read(Offset(14), 100, Isolation::ReadUncommitted)
                .await
                .is_err()
        );
        assert_eq!(append(&log, &partition, batch(20, 1)).await, Offset(20));
        log.shutdown().await;
    }
}

#[tokio::test]
async fn times_are_found_in_every_tier() {
    let cell = Cell::that_offloads();
    let (log, partition) = cell.open().await;
    for n in 0..10 {
        append(&log, &partition, batch(n * 10, 10)).await;
    }
    until_cold(&partition, 100).await;
    log.abort();
    let mut cell = cell;
    cell.settings = LogSettings::default();
    let (log, partition) = cell.open().await;
    append(&log, &partition, batch(100, 10)).await;
    for value in [0, 7, 55, 99, 100, 109] {
        let found = partition
            .offset_for_time(1_000 + value, Isolation::ReadUncommitted)
            .await
            .unwrap()
            .unwrap();
        assert_eq!((found.offset, found.timestamp), (Offset(value), 1_000 + value));
    }
    assert_eq!(
        partition.offset_for_time(1_110, Isolation::ReadUncommitted).await,
        Ok(None)
    );
    let newest = partition
        .offset_of_max_timestamp(Isolation::ReadUncommitted)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(newest.offset, Offset(109));
    log.shutdown().await;
}

#[tokio::test]
async fn the_largest_timestamp_is_that_of_a_record_which_is_not_deleted() {
    let timed = |times: &[i64]| {
        let batch = BatchBuilder::new();
        let add = |batch: BatchBuilder, time: &i64| batch.record(*time, None, Some(b"v"));
        times.iter().fold(batch, add).build()
    };
    for offloads in [false, true] {
        let cell = if offloads {
            Cell::that_offloads()
        } else {
            Cell::new()
        };
        let (log, partition) = cell.open().await;
        append(&log, &partition, timed(&[5_000, 5_000])).await;
        append(&log, &partition, timed(&[1_000, 9_000, 100, 300, 200, 300])).await;
        append(&log, &partition, timed(&[250])).await;
        if offloads {
            until_cold(&partition, 9).await;
        }
        for (log_start, offset, time) in [(0, 3, 9_000), (4, 5, 300), (6, 7, 300), (8, 8, 250)] {
            partition.delete_records(Offset(log_start)).await.unwrap();
            let newest = partition
                .offset_of_max_timestamp(Isolation::ReadUncommitted)
                .await;
            let newest = newest.unwrap().unwrap();
            assert_eq!((newest.offset, newest.timestamp), (Offset(offset), time));
        }
        partition.delete_records(Offset(9)).await.unwrap();
        let newest = partition
            .offset_of_max_timestamp(Isolation::ReadUncommitted)
            .await;
        assert_eq!(newest, Ok(None));
        log.shutdown().await;
    }
}

#[tokio::test]
async fn a_start_with_another_write_ahead_log_is_refused_and_leaves_no_trace() {
    let cell = Cell::new();
    let (log, partition) = cell.open().await;
    append(&log, &partition, batch(0, 5)).await;
    log.shutdown().await;
    let directory = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let wal = DiskLog::open(directory.path(), DiskSettings::default(), &Env::system()).unwrap();
        let refused = Log::open(cell.parts(Arc::new(wal))).await.map(|_| ());
        let error = refused.unwrap_err().to_string();
        assert!(
            error.contains("write-ahead log in the object store") && error.contains("volume.json"),
            "{error}"
        );
    }
    let (_log, partition) = cell.open().await;
    assert_eq!(values(&partition, 0).await, (0..5).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_panic_in_a_vital_part_halts_the_log() {
    let cell = Cell::new();
    let (log, partition) = cell.open().await;
    append(&log, &partition, batch(0, 1)).await;
    log.spawn_vital("a part", async { panic!("something that must not happen") });
    let mut halted = log.halted();
    let halt = halted.wait_for(Option::is_some).await.unwrap().clone();
    let why = "a part panicked: something that must not happen".to_owned();
    assert_eq!(halt, Some(firn_log::wal::Halt::Broken(why)));
}

#[tokio::test]
async fn retention_by_size_lets_go_of_old_objects_and_keeps_offsets() {
    let mut cell = Cell::that_offloads();
    cell.settings.cold.gc.interval = Duration::from_millis(50);
    let (log, _) = cell.open().await;
    let mut small = (*config()).clone();
    small.retention_bytes = Some(300);
    let small = Arc::new(small);
    let assignment = Assignment {
        id: P,
        leader_epoch: LeaderEpoch(0),
        config: small,
    };
    log.assign(vec![assignment]).await.unwrap();
    let partition = log.partition(P).unwrap();
    for n in 0..5 {
        append(&log, &partition, batch(n * 10, 10)).await;
        until_cold(&partition, n * 10 + 10).await;
    }
    for _ in 0..2_400 {
        if partition.offsets().log_start > Offset(0) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    let start = partition.offsets().log_start.0;
    assert!(start > 0 && start < 50, "log start {start}");
    assert_eq!(values(&partition, start).await, (start..50).collect::<Vec<_>>());
    log.abort();
    let (_log, partition) = cell.open().await;
    assert!(partition.offsets().log_start >= Offset(start));
    assert_eq!(partition.offsets().log_end, Offset(50));
}

#[tokio::test]
async fn a_successor_fences_a_log_that_still_runs() {
    let cell = Cell::new();
    let (zombie, old) = cell.open().await;
    append(&zombie, &old, batch(0, 1)).await;
    let (log, partition) = cell.open().await;
    let late = old.append(batch(1, 1), Timestamp(1)).unwrap();
    assert!(zombie.wait(late.slot.unwrap()).await.is_err());
    zombie
        .halted()
        .wait_for(|halted| *halted == Some(firn_log::wal::Halt::Fenced))
        .await
        .unwrap();
    assert_eq!(append(&log, &partition, batch(1, 1)).await, Offset(1));
    assert_eq!(values(&partition, 0).await, [0, 1]);
}

#[tokio::test]
async fn about_when_a_record_was_written_is_known_without_reading_it() {
    for cell in [Cell::new(), Cell::that_offloads()] {
        let (log, partition) = cell.open().await;
        for n in 0..20 {
            append(&log, &partition, batch(n * 5, 5)).await;
        }
        if cell.settings.cold.offload.bytes == 1 {
            until_cold(&partition, 100).await;
        }
        for offset in [0, 17, 50, 99] {
            let time = partition.time_near(Offset(offset)).unwrap();
            // A record's timestamp is its offset above 1,000, and its run or extent is somewhere below 100.
            assert!((1_000 + offset..=1_099).contains(&time), "{offset}: {time}");
        }
        assert_eq!(partition.time_near(Offset(99)), Some(1_099));
        assert_eq!(
            partition.time_near(Offset(100)),
            None,
            "there is no such record yet"
        );
        partition.delete_records(Offset(40)).await.unwrap();
        assert_eq!(partition.time_near(Offset(0)), partition.time_near(Offset(40)));
        log.shutdown().await;
    }
}
