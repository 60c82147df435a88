use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::process::Command;

use firn_catalog::ids::{LeaderEpoch, Offset, PartitionId, TopicId};
use firn_runtime::Timestamp;
use tempfile::TempDir;

use super::frame::{BLOCK, FRAME_HEADER};
use super::*;
use crate::batch::BatchMeta;
use crate::wal::PendingBatch;
use crate::wal::slot::{Fence, encode};

const ME: IncarnationId = IncarnationId(0xa);

fn settings() -> DiskSettings {
    DiskSettings {
        file_bytes: 64 << 10,
        first_file_bytes: 32 << 10,
        hot_bytes: 0,
    }
}

fn open(dir: &Path) -> DiskLog {
    DiskLog::open(dir, settings(), &Env::system()).unwrap()
}

fn slot_of(slot: u64, bytes: usize) -> Vec<Bytes> {
    let meta = BatchMeta {
        partition: PartitionId {
            topic: TopicId(7),
            index: 0,
        },
        leader_epoch: LeaderEpoch(0),
        first: Offset(0),
        last: Offset(0),
        length: u32::try_from(bytes).unwrap(),
        base_timestamp: 0,
        max_timestamp: 0,
        producer: None,
        transactional: false,
        marker: None,
    };
    let fill = u8::try_from(slot % 251).unwrap();
    let batch = PendingBatch {
        meta,
        bytes: vec![fill; bytes].into(),
    };
    encode(ME, Slot(slot), None, Timestamp(0), vec![batch]).0
}

async fn put(log: &DiskLog, slot: u64, bytes: usize) -> Result<PutOutcome, WalError> {
    log.put_if_absent(ME, Slot(slot), slot_of(slot, bytes)).await
}

async fn is_whole(log: &DiskLog, slot: u64, bytes: usize) -> bool {
    let expected: Bytes = slot_of(slot, bytes).concat().into();
    log.get(ME, Slot(slot)).await == Ok(Some(expected))
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(dir.join(ME.to_string()))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
}

/// Overwrites bytes of a file.
fn damage(path: &Path, offset: u64, bytes: &[u8]) {
    OpenOptions::new()
        .write(true)
        .open(path)
        .unwrap()
        .write_all_at(bytes, offset)
        .unwrap();
}

#[tokio::test]
async fn a_second_owner_is_refused_and_told_who_has_it() {
    let dir = TempDir::new().unwrap();
    let first = open(dir.path());
    let Err(error) = DiskLog::open(dir.path(), settings(), &Env::system()) else {
        panic!("two owners")
    };
    assert!(
        matches!(error, OpenError::InUse { pid: Some(pid), .. } if pid == std::process::id()),
        "{error}"
    );
    let volume = first.volume().to_owned();
    drop(first);
    assert_eq!(open(dir.path()).volume(), volume);
}

/// Overwrites a header with what another format version would have there.
fn change_version(path: &Path, offset: u64, version: u32) {
    let mut header = [0; FRAME_HEADER];
    let file = fs::File::open(path).unwrap();
    file.read_exact_at(&mut header, offset).unwrap();
    frame::with_version(&mut header, version);
    damage(path, offset, &header);
}

#[tokio::test]
async fn whatever_has_a_newer_format_version_is_refused_by_name() {
    let newer = 2u32.to_be_bytes();
    let volume = |dir: &Path| {
        let path = dir.join("volume.json");
        let text = fs::read_to_string(&path).unwrap();
        fs::write(path, text.replace("\"format\":1", "\"format\":2")).unwrap();
    };
    let file = |dir: &Path| change_version(&files(dir)[0], 0, 2);
    let frame = |dir: &Path| change_version(&files(dir)[0], BLOCK, 2);
    let register = |dir: &Path| damage(&files(dir)[0], BLOCK + FRAME_HEADER as u64 + 8, &newer);
    let fence = |dir: &Path| {
        let fences = files(dir).into_iter();
        let path = fences.filter(|path| path.to_str().unwrap().contains("fence-"));
        path.for_each(|path| damage(&path, 8, &newer));
    };
    type Change<'a> = (&'a str, &'a dyn Fn(&Path));
    let changes: [Change<'_>; 5] = [
        ("volume.json", &volume),
        (".wal", &file),
        (".wal", &frame),
        (".wal", &register),
        ("fence-00000000000000000001", &fence),
    ];
    for (name, change) in changes {
        let dir = TempDir::new().unwrap();
        let log = open(dir.path());
        put(&log, 0, 10).await.unwrap();
        drop(log);
        let log = open(dir.path());
        let fence = Fence {
            sealer: IncarnationId(1),
            dead: ME,
            slot: Slot(1),
        };
        log.put_if_absent(ME, Slot(1), vec![fence.encode()])
            .await
            .unwrap();
        drop(log);
        change(dir.path());
        let Err(error) = DiskLog::open(dir.path(), settings(), &Env::system()) else {
            panic!("{name}: opened")
        };
        let error = error.to_string();
        let says = format!("{name} has format version 2, newer than 1");
        assert!(error.contains(&says), "{name}: {error}");
    }
}

#[tokio::test]
async fn puts_that_come_together_are_all_there_and_the_first_of_a_slot_wins() {
    let dir = TempDir::new().unwrap();
    let log = open(dir.path());
    let puts = (0..200).chain([7]).map(|slot| (Slot(slot), slot_of(slot, 3_000)));
    let mut results = log.put_all(ME, puts.collect());
    assert_eq!(results.pop(), Some(Ok(PutOutcome::Exists)), "slot 7 again");
    assert_eq!(results, vec![Ok(PutOutcome::Written); 200]);
    drop(log);
    let log = open(dir.path());
    for slot in 0..200 {
        assert!(is_whole(&log, slot, 3_000).await, "slot {slot}");
    }
}

#[tokio::test]
async fn a_slot_larger_than_a_file_gets_a_file_of_its_own() {
    let dir = TempDir::new().unwrap();
    let log = open(dir.path());
    for (slot, bytes) in [(0, 100), (1, 500_000), (2, 100), (3, 70_000)] {
        assert_eq!(put(&log, slot, bytes).await, Ok(PutOutcome::Written));
    }
    drop(log);
    let log = open(dir.path());
    for (slot, bytes) in [(0, 100), (1, 500_000), (2, 100), (3, 70_000)] {
        assert!(is_whole(&log, slot, bytes).await);
    }
}

#[tokio::test]
async fn a_torn_tail_is_the_end_of_the_log() {
    let dir = TempDir::new().unwrap();
    let log = open(dir.path());
    for slot in 0..3 {
        put(&log, slot, 3_000).await.unwrap();
    }
    drop(log);
    // The third frame: its header is whole, its register is not.
    damage(&files(dir.path())[0], 3 * 4096 + 2_000, &[0xee; 16]);
    let log = open(dir.path());
    assert!(is_whole(&log, 0, 3_000).await && is_whole(&log, 1, 3_000).await);
    assert_eq!(log.get(ME, Slot(2)).await, Ok(None));
    assert!(
        matches!(put(&log, 2, 10).await, Err(WalError::OutOfReach(_))),
        "a dead row takes fences only"
    );
    let fence = Fence {
        sealer: IncarnationId(1),
        dead: ME,
        slot: Slot(2),
    }
    .encode();
    assert_eq!(
        log.put_if_absent(ME, Slot(2), vec![fence]).await,
        Ok(PutOutcome::Written)
    );
}

#[tokio::test]
async fn a_frame_that_was_durable_once_is_never_taken_for_the_end() {
    for (what, file, offset) in [
        ("frame header", 0, 4096),
        ("another file's end", 0, 6 * 4096),
        ("file header", 1, 0),
    ] {
        let dir = TempDir::new().unwrap();
        let log = open(dir.path());
        for slot in 0..30 {
            put(&log, slot, 3_000).await.unwrap();
        }
        drop(log);
        damage(&files(dir.path())[file], offset, &[0xee; 64]);
        let log = open(dir.path());
        let lost: Vec<u64> = {
            let mut lost = Vec::new();
            for slot in 0..31 {
                if !is_whole(&log, slot, 3_000).await {
                    lost.push(slot);
                }
            }
            lost
        };
        assert!(lost.len() > 1, "{what}: {lost:?}");
        for slot in lost {
            assert!(
                matches!(log.get(ME, Slot(slot)).await, Err(WalError::Corrupt(_))),
                "{what}: slot {slot}"
            );
            assert!(
                matches!(put(&log, slot, 1).await, Err(WalError::Corrupt(_))),
                "{what}: slot {slot}"
            );
        }
    }
}

#[tokio::test]
async fn a_missing_file_is_damage() {
    let dir = TempDir::new().unwrap();
    let log = open(dir.path());
    for slot in 0..60 {
        put(&log, slot, 3_000).await.unwrap();
    }
    drop(log);
    fs::remove_file(&files(dir.path())[1]).unwrap();
    assert!(matches!(
        open(dir.path()).get(ME, Slot(60)).await,
        Err(WalError::Corrupt(_))
    ));
}

#[tokio::test]
async fn a_file_that_is_used_again_never_brings_old_slots_back() {
    let dir = TempDir::new().unwrap();
    let log = open(dir.path());
    for slot in 0..400u64 {
        put(&log, slot, 3_000).await.unwrap();
        if slot % 20 == 19 {
            log.delete(ME, Slot(0)..Slot(slot - 5)).await.unwrap();
        }
    }
    assert!(
        log.shelf.lock().total_bytes() < 10 * (64 << 10),
        "files are used again"
    );
    drop(log);
    let log = open(dir.path());
    for slot in 394..400 {
        assert!(is_whole(&log, slot, 3_000).await, "slot {slot}");
    }
    for slot in 0..330 {
        assert_eq!(log.get(ME, Slot(slot)).await, Ok(None), "slot {slot}");
    }
}

#[tokio::test]
async fn deleted_slots_stay_readable_within_the_hot_budget() {
    let dir = TempDir::new().unwrap();
    let roomy = DiskSettings {
        hot_bytes: 10 << 20,
        ..settings()
    };
    let log = DiskLog::open(dir.path(), roomy, &Env::system()).unwrap();
    for slot in 0..100 {
        put(&log, slot, 3_000).await.unwrap();
    }
    log.delete(ME, Slot(0)..Slot(100)).await.unwrap();
    assert!(is_whole(&log, 0, 3_000).await && is_whole(&log, 99, 3_000).await);
}

#[tokio::test]
async fn a_fence_outlives_its_slots_and_the_process() {
    let dir = TempDir::new().unwrap();
    let log = open(dir.path());
    for slot in 0..40 {
        put(&log, slot, 3_000).await.unwrap();
    }
    drop(log);
    let log = open(dir.path());
    let fence = Fence {
        sealer: IncarnationId(1),
        dead: ME,
        slot: Slot(40),
    }
    .encode();
    assert_eq!(
        log.put_if_absent(ME, Slot(40), vec![fence.clone()]).await,
        Ok(PutOutcome::Written)
    );
    log.delete(ME, Slot(0)..Slot(40)).await.unwrap();
    drop(log);
    let log = open(dir.path());
    assert_eq!(log.get(ME, Slot(0)).await, Ok(None));
    assert_eq!(log.get(ME, Slot(40)).await, Ok(Some(fence)));
    assert_eq!(put(&log, 40, 10).await, Ok(PutOutcome::Exists));
}

/// A small file system of its own.
struct SmallDisk(TempDir);

impl SmallDisk {
    /// Fails the test where mounting is not allowed: skipping it would say that it passed.
    fn mount() -> Self {
        let dir = TempDir::new().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"])
            .arg(dir.path())
            .output()
            .unwrap();
        assert!(
            mounted.status.success(),
            "this test fills a tmpfs, which takes root (or CAP_SYS_ADMIN) to mount: run the tests as root. mount says: {}",
            String::from_utf8_lossy(&mounted.stderr)
        );
        Self(dir)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

#[tokio::test]
async fn a_full_disk_refuses_puts_until_there_is_room() {
    let disk = SmallDisk::mount();
    let dir = disk.0.path();
    let log = open(dir);
    let (mut slot, mut refused) = (0, 0);
    // A refusal may give back what it had begun to take, and tmpfs counts its pages for each processor.
    while refused < 5 {
        match put(&log, slot, 20_000).await {
            Ok(PutOutcome::Written) => (slot, refused) = (slot + 1, 0),
            Err(WalError::NoSpace(_)) => refused += 1,
            other => panic!("slot {slot}: {other:?}"),
        }
    }
    assert!(slot > 10);
    assert!(is_whole(&log, 0, 20_000).await, "reads go on");
    log.delete(ME, Slot(0)..Slot(slot - 2)).await.unwrap();
    assert_eq!(put(&log, slot, 20_000).await, Ok(PutOutcome::Written));
    drop(log);
    let log = open(dir);
    assert!(is_whole(&log, slot, 20_000).await && is_whole(&log, slot - 1, 20_000).await);
    assert_eq!(log.get(ME, Slot(slot + 1)).await, Ok(None));
}

#[tokio::test]
async fn what_was_deleted_does_not_take_room_from_the_next_process() {
    let dir = TempDir::new().unwrap();
    let roomy = DiskSettings {
        hot_bytes: 10 << 20,
        ..settings()
    };
    let log = DiskLog::open(dir.path(), roomy, &Env::system()).unwrap();
    for slot in 0..100 {
        put(&log, slot, 3_000).await.unwrap();
    }
    log.delete(ME, Slot(0)..Slot(60)).await.unwrap();
    log.delete(ME, Slot(70)..Slot(80)).await.unwrap();
    drop(log);
    let log = open(dir.path());
    log.delete(IncarnationId(99), Slot(0)..Slot(1)).await.unwrap();
    assert_eq!(
        log.get(ME, Slot(0)).await,
        Ok(None),
        "its file went, since there is no budget now"
    );
    for slot in 60..100 {
        assert!(
            is_whole(&log, slot, 3_000).await,
            "slot {slot} is not below all that live"
        );
    }
}

#[tokio::test]
async fn a_file_that_cannot_become_a_spare_is_removed_in_its_turn() {
    let dir = TempDir::new().unwrap();
    let log = open(dir.path());
    for slot in 0..3 {
        put(&log, slot, 70_000).await.unwrap();
    }
    fs::remove_dir_all(dir.path().join("spare")).unwrap();
    log.delete(ME, Slot(0)..Slot(3)).await.unwrap();
    let left = files(dir.path());
    let names: Vec<_> = left
        .iter()
        .filter_map(|path| path.file_name()?.to_str())
        .collect();
    assert_eq!(names, ["0000000002.wal", "freed"], "all but the active file");
    drop(log);
    let log = open(dir.path());
    assert_eq!(log.get(ME, Slot(0)).await, Ok(None), "nothing is missed");
}
