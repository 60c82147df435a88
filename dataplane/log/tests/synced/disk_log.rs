//! The write-ahead log on a disk: what was answered is durable, and those who wait share a sync.

use std::ffi::OsStr;
use std::path::Path;

use bytes::Bytes;
use firn_catalog::ids::{IncarnationId, LeaderEpoch, Offset, PartitionId, Slot, TopicId};
use firn_log::batch::{BatchBuilder, BatchHeader, BatchMeta, patch};
use firn_log::wal::slot::{Fence, encode};
use firn_log::wal::{DiskLog, DiskSettings, PendingBatch, PutOutcome, WalError, WriteAheadLog};
use firn_runtime::{Env, Timestamp};
use futures::poll;

use super::device::{Device, until};

pub const ME: IncarnationId = IncarnationId(0xa);

/// Files of a few slots each.
fn small_files() -> DiskSettings {
    DiskSettings {
        file_bytes: 64 << 10,
        first_file_bytes: 32 << 10,
        hot_bytes: 0,
    }
}

pub fn open(folder: &Path, settings: DiskSettings) -> DiskLog {
    DiskLog::open(folder, settings, &Env::system()).unwrap()
}

pub fn is_log_file(path: &Path) -> bool {
    path.extension() == Some(OsStr::new("wal"))
}

pub fn is_spare(path: &Path) -> bool {
    path.parent().is_some_and(|folder| folder.ends_with("spare"))
}

fn slot_of(slot: u64) -> Vec<Bytes> {
    let partition = PartitionId {
        topic: TopicId(7),
        index: 0,
    };
    let value = vec![u8::try_from(slot % 251).unwrap(); 3_000];
    let mut bytes = BatchBuilder::new().record(1, None, Some(&value)).build();
    patch(&mut bytes, Offset(0), LeaderEpoch(0));
    let meta = BatchMeta::of(partition, &BatchHeader::read(&bytes).unwrap(), None);
    let bytes = bytes.freeze();
    encode(
        ME,
        Slot(slot),
        None,
        Timestamp(5),
        vec![PendingBatch { meta, bytes }],
    )
    .0
}

pub async fn put(log: &DiskLog, slot: u64) -> Result<PutOutcome, WalError> {
    log.put_if_absent(ME, Slot(slot), slot_of(slot)).await
}

pub async fn put_fence(log: &DiskLog, slot: u64) -> Result<PutOutcome, WalError> {
    let fence = Fence {
        sealer: IncarnationId(1),
        dead: ME,
        slot: Slot(slot),
    };
    log.put_if_absent(ME, Slot(slot), vec![fence.encode()]).await
}

async fn is_whole(log: &DiskLog, slot: u64) -> bool {
    let expected: Bytes = slot_of(slot).concat().into();
    log.get(ME, Slot(slot)).await == Ok(Some(expected))
}

#[tokio::test]
async fn what_was_answered_survives_a_power_loss() {
    let device = Device::new();
    let log = open(&device.path().join("new/wal"), small_files());
    let mut end = 0;
    // Through several files, and through files that are used again.
    for slot in 0..80 {
        assert_eq!(put(&log, slot).await, Ok(PutOutcome::Written));
        if slot % 20 == 19 {
            end = slot - 5;
            log.delete(ME, Slot(0)..Slot(end)).await.unwrap();
        }
        let left = device.after_power_loss();
        let next = open(&left.path().join("new/wal"), small_files());
        assert_eq!(next.volume(), log.volume());
        for answered in end..=slot {
            assert!(is_whole(&next, answered).await, "{answered} of 0 to {slot}");
        }
    }
}

#[tokio::test]
async fn a_fence_that_was_answered_survives_a_power_loss() {
    // One log that had slots, and one that never had any.
    for dead in [3, 0] {
        let device = Device::new();
        let folder = device.path().join("wal");
        let log = open(&folder, small_files());
        for slot in 0..dead {
            put(&log, slot).await.unwrap();
        }
        drop(log);
        let log = open(&folder, small_files());
        assert_eq!(put_fence(&log, dead).await, Ok(PutOutcome::Written));
        let left = device.after_power_loss();
        let next = open(&left.path().join("wal"), small_files());
        assert!(next.get(ME, Slot(dead)).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn a_put_is_not_answered_before_its_sync_has_ended() {
    let device = Device::new();
    let log = open(&device.path().join("wal"), DiskSettings::default());
    put(&log, 0).await.unwrap();
    let hold = device.hold(is_log_file);
    let mut waiting = Box::pin(put(&log, 1));
    assert!(poll!(&mut waiting).is_pending());
    device.until_held().await;
    assert!(poll!(&mut waiting).is_pending());
    assert_eq!(log.get(ME, Slot(1)).await, Ok(None), "nobody may read it yet");
    drop(hold);
    assert_eq!(waiting.await, Ok(PutOutcome::Written));
}

#[tokio::test]
async fn puts_that_come_together_share_one_sync() {
    let device = Device::new();
    let log = open(&device.path().join("wal"), DiskSettings::default());
    put(&log, 0).await.unwrap();
    let before = device.syncs(is_log_file);
    let puts = (1..101).map(|slot| (Slot(slot), slot_of(slot)));
    let answers = log.blocking_puts().unwrap().put_all(ME, puts.collect());
    assert_eq!(answers, vec![Ok(PutOutcome::Written); 100]);
    assert_eq!(device.syncs(is_log_file) - before, 1);
}

/// Else the first put would have to wait for the zeros.
#[tokio::test]
async fn a_file_is_synced_before_it_is_needed() {
    let device = Device::new();
    let _log = open(&device.path().join("wal"), DiskSettings::default());
    until("synced", || device.syncs(is_spare) == 1).await;
}
