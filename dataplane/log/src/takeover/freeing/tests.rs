use std::collections::BTreeSet;
use std::sync::atomic::Ordering::Relaxed;

use bytes::Bytes;
use firn_catalog::cell::WalLocation;
use firn_catalog::ids::NodeId;
use firn_runtime::Timestamp;

use super::*;
use crate::takeover::testing::MemoryWal;

const A: IncarnationId = IncarnationId(0xa);

/// A log in which these slots hold something.
fn log(slots: impl IntoIterator<Item = u64>) -> MemoryWal {
    let wal = MemoryWal::default();
    for slot in slots {
        wal.registers
            .lock()
            .insert((A, Slot(slot)), Bytes::from_static(b"x"));
    }
    wal
}

fn left(wal: &MemoryWal) -> BTreeSet<u64> {
    wal.registers.lock().keys().map(|(_, slot)| slot.0).collect()
}

fn drained(offloaded: u64, fence: u64) -> Incarnation {
    Incarnation {
        id: A,
        node: NodeId(0),
        state: IncarnationState::Drained,
        wal: WalLocation::Object,
        opened_at: Timestamp(0),
        offloaded: Slot(offloaded),
        fence: Some(Slot(fence)),
        recovery_index: None,
        seal_order: Some(1),
    }
}

#[tokio::test]
async fn all_goes_that_the_owner_left_behind_however_much_and_what_it_had_in_flight() {
    // It ended after a checkpoint over a thousand slots, amid the second window of its deletions; 4002 and 4005 were
    // in flight behind the fence.
    let behind = (2_000 + 128 + 100..4_000).chain([4_000, 4_002, 4_005]);
    let wal = log(behind.chain([2_140, 2_180]));
    free(&wal, &drained(3_500, 4_000)).await.unwrap();
    assert_eq!(left(&wal), BTreeSet::from([4_000]));
}

#[tokio::test]
async fn a_local_log_loses_all_its_slots_but_the_fence() {
    let mut wal = log([3, 700, 900, 1_000, 1_003]);
    wal.local = true;
    free(&wal, &drained(900, 1_000)).await.unwrap();
    assert_eq!(left(&wal), BTreeSet::from([1_000]));
}

#[tokio::test]
async fn a_log_that_is_sealed_keeps_the_slots_before_its_fence() {
    let wal = log([7, 8, 9, 11]);
    let sealed = Incarnation {
        state: IncarnationState::Sealed,
        ..drained(7, 9)
    };
    free(&wal, &sealed).await.unwrap();
    free_behind_fence(&wal, &sealed).await.unwrap();
    assert_eq!(left(&wal), BTreeSet::from([7, 8, 9]));
}

#[tokio::test]
async fn whenever_it_is_cut_off_the_last_slot_tells_that_there_is_more() {
    for deletions in 0..9 {
        let wal = log(0..=700);
        *wal.deletions_left.lock() = Some(deletions);
        let row = drained(300, 700);
        let cut_off = free(&wal, &row).await.is_err();
        assert_eq!(cut_off, deletions < 8, "{deletions}");
        assert_eq!(cut_off, left(&wal).contains(&699));
        *wal.deletions_left.lock() = None;
        free_what_is_left(&wal, &[row]).await.unwrap();
        assert_eq!(left(&wal), BTreeSet::from([700]));
    }
}

#[tokio::test]
async fn a_log_that_is_freed_costs_one_look_and_another_places_none() {
    let wal = log([700]);
    let elsewhere = Incarnation {
        wal: WalLocation::Disk { volume: "d".into() },
        ..drained(300, 700)
    };
    free_what_is_left(&wal, &[drained(300, 700), elsewhere, drained(0, 0)])
        .await
        .unwrap();
    assert_eq!(wal.looks.load(Relaxed), 1);
    assert_eq!(left(&wal), BTreeSet::from([700]));
}
