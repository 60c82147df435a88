//! A sync that fails ends the log: a later one that succeeds would prove nothing.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use firn_catalog::cell::MemoryCatalog;
use firn_catalog::ids::{NodeId, PartitionId, Slot, TopicId};
use firn_log::batch::{BatchBuilder, BatchRules};
use firn_log::engine::{Assignment, Log, LogParts, LogSettings};
use firn_log::partition::PartitionConfig;
use firn_log::wal::{DiskSettings, Halt, PutOutcome, WalError, WriteAheadLog};
use firn_runtime::{Env, Timestamp};
use object_store::memory::InMemory;

use super::device::Device;
use super::disk_log::{ME, is_log_file, is_spare, open, put, put_fence};

fn is_row(path: &Path) -> bool {
    path.ends_with(ME.to_string())
}

fn is_volume(path: &Path) -> bool {
    path.ends_with("wal")
}

#[tokio::test]
async fn after_a_failed_sync_that_put_and_all_later_ones_fail() {
    let device = Device::new();
    let folder = device.path().join("wal");
    let log = open(&folder, DiskSettings::default());
    assert_eq!(put(&log, 0).await, Ok(PutOutcome::Written));
    device.fail(is_log_file);
    // Two of one slot, which may come to share the sync.
    let (one, other) = tokio::join!(put(&log, 1), put(&log, 1));
    device.mend();
    let later = [put(&log, 2).await, put(&log, 0).await, put_fence(&log, 3).await];
    for answer in [one, other].into_iter().chain(later) {
        assert!(matches!(answer, Err(WalError::Failed(_))), "{answer:?}");
    }
    assert_eq!(log.get(ME, Slot(1)).await, Ok(None));
    assert!(log.get(ME, Slot(0)).await.unwrap().is_some(), "reads go on");
}

#[tokio::test]
async fn a_new_file_that_cannot_be_synced_ends_the_log_too() {
    for such in [is_spare, is_row, is_volume] {
        let device = Device::new();
        let log = open(&device.path().join("wal"), DiskSettings::default());
        device.fail(such);
        let first = put(&log, 0).await;
        device.mend();
        for answer in [first, put(&log, 0).await] {
            assert!(matches!(answer, Err(WalError::Failed(_))), "{answer:?}");
        }
    }
}

#[tokio::test]
async fn a_fence_that_cannot_be_synced_is_not_answered() {
    for such in [is_row, is_volume, is_fence] {
        let device = Device::new();
        let log = open(&device.path().join("wal"), DiskSettings::default());
        device.fail(such);
        let fence = put_fence(&log, 0).await;
        assert!(matches!(fence, Err(WalError::Failed(_))), "{fence:?}");
    }
}

fn is_fence(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    name.is_some_and(|name| name.starts_with("fence-"))
}

#[tokio::test]
async fn a_failed_sync_halts_the_engine() {
    let device = Device::new();
    let partition = PartitionId {
        topic: TopicId(1),
        index: 0,
    };
    let catalog = Arc::new(MemoryCatalog::new());
    let parts = LogParts {
        env: Env::system(),
        settings: LogSettings::default(),
        catalog: catalog.clone(),
        store: Arc::new(InMemory::new()),
        wal: Arc::new(open(&device.path().join("wal"), DiskSettings::default())),
        node: NodeId(0),
        hot_directory: None,
    };
    let log = Log::open(parts).await.unwrap();
    catalog.add_topic(partition.topic, 1, log.incarnation());
    let config = PartitionConfig {
        rules: BatchRules::default(),
        retention_ms: None,
        retention_bytes: None,
        deletes: true,
        producer_expiration: Duration::from_secs(3600),
    };
    let assignment = Assignment {
        id: partition,
        leader_epoch: catalog.partition(partition).unwrap().leader_epoch,
        config: Arc::new(config),
    };
    log.assign(vec![assignment]).await.unwrap();
    let partition = log.partition(partition).unwrap();
    let append = || {
        let batch = BatchBuilder::new().record(1, None, Some(b"value")).build();
        partition.append(batch, Timestamp(1))
    };
    let slot = append().unwrap().slot.unwrap();
    log.wait(slot).await.unwrap();
    let end = partition.offsets().high_watermark;
    device.fail(is_log_file);
    let slot = append().unwrap().slot.unwrap();
    assert!(log.wait(slot).await.is_err());
    device.mend();
    let mut halted = log.halted();
    let why = halted.wait_for(Option::is_some).await.unwrap().clone();
    let says = |why: &str| why.contains("the write-ahead log's device failed: fdatasync");
    assert!(matches!(&why, Some(Halt::Broken(why)) if says(why)), "{why:?}");
    assert_eq!(partition.offsets().high_watermark, end, "nobody reads it");
    assert!(append().is_err());
}
