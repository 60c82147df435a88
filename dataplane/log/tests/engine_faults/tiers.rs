//! Slots into objects: what goes when, and what stays.

use std::sync::Arc;

use bytes::Bytes;
use firn_catalog::cell::IncarnationState;
use firn_catalog::ids::{IncarnationId, LeaderEpoch, Offset, Slot};
use firn_log::engine::images::{ImageBudget, SlotImages};
use firn_log::wal::{CountedBatch, CountedSlot};
use firn_runtime::Env;

use super::catalog::Call;
use super::cell::{Cell, meta, until};
use super::store::Op;

#[tokio::test]
async fn slots_go_only_after_the_checkpoint_has_committed() {
    let cell = Cell::that_offloads();
    let process = cell.open().await;
    let own = process.log.incarnation();
    process.catalog.hold(Call::Checkpoint);
    process.append(0, 10).await;
    until("uploaded", async || process.catalog.waiting() > 0).await;
    assert_eq!(cell.cold_objects().await, 1);
    assert_eq!(cell.slots(own).await, [Slot(0)]);
    process.catalog.release();
    until("deleted", async || cell.slots(own).await.is_empty()).await;
    assert_eq!(process.values(0).await, (0..10).collect::<Vec<_>>());
}

#[tokio::test]
async fn slots_of_a_sealed_log_stay_until_it_is_drained_and_its_fence_for_ever() {
    let cell = Cell::new();
    let process = cell.open().await;
    process.append(0, 10).await;
    process.log.abort();
    let dead = process.log.incarnation();
    let (catalog, store) = cell.ways();
    catalog.hold(Call::Drain);
    let next = cell.open_with(catalog, store).await;
    until("uploaded", async || next.catalog.waiting() > 0).await;
    assert_eq!(cell.row(dead).await.state, IncarnationState::Sealed);
    assert_eq!(cell.slots(dead).await, [Slot(0), Slot(1)]);
    next.catalog.release();
    cell.until_drained(dead).await;
    until("deleted", async || cell.slots(dead).await == [Slot(1)]).await;
    assert!(cell.front(dead, Slot(1)).await.is_some(), "the fence");
    assert_eq!(next.values(0).await, (0..10).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_second_takeover_before_the_first_tail_was_drained_keeps_both_and_drains_in_order() {
    let cell = Cell::that_offloads();
    let mut dead = Vec::new();
    for life in 0..3 {
        let (catalog, store) = cell.ways();
        catalog.hold(Call::Drain);
        catalog.hold(Call::Checkpoint);
        let process = cell.open_with(catalog, store).await;
        assert_eq!(process.partition.leader_epoch(), LeaderEpoch(life));
        assert_eq!(
            process.values(0).await,
            (0..i64::from(life) * 10).collect::<Vec<_>>()
        );
        process.append(i64::from(life) * 10, 10).await;
        process.log.abort();
        dead.push(process.log.incarnation());
    }
    let last = cell.open().await;
    assert_eq!(last.append(30, 5).await, Offset(30));
    last.until_cold(35).await;
    for dead in dead {
        assert_eq!(cell.row(dead).await.state, IncarnationState::Drained);
    }
    assert_eq!(last.values(0).await, (0..35).collect::<Vec<_>>());
}

/// The third life lists the first as sealed, and while it starts the second, not dead yet, drains it.
#[tokio::test]
async fn a_log_that_a_zombie_has_drained_meanwhile_does_not_hold_up_the_offload() {
    let cell = Cell::that_offloads();
    let first = cell.open().await;
    first.append(0, 10).await;
    first.log.abort();
    let (catalog, store) = cell.ways();
    catalog.hold(Call::Drain);
    let second = cell.open_with(catalog, store).await;
    second.append(10, 10).await;

    let (catalog, store) = cell.ways();
    catalog.hold(Call::AfterIncarnations);
    let third = cell.open_with(Arc::clone(&catalog), store);
    let meanwhile = async {
        until("listed", async || catalog.waiting() > 0).await;
        second.catalog.release();
        cell.until_drained(first.log.incarnation()).await;
        catalog.release();
    };
    let (third, ()) = tokio::join!(third, meanwhile);
    assert_eq!(third.append(20, 10).await, Offset(20));
    third.until_cold(30).await;
    assert_eq!(third.values(0).await, (0..30).collect::<Vec<_>>());
}

#[tokio::test]
async fn slots_that_could_not_be_deleted_go_with_the_next_ones() {
    let cell = Cell::that_offloads();
    let process = cell.open().await;
    let own = process.log.incarnation();
    process.store.fail((Op::Delete, "wal/"));
    process.append(0, 10).await;
    process.until_cold(10).await;
    assert_eq!(cell.slots(own).await, [Slot(0)]);
    process.store.mend();
    process.append(10, 10).await;
    process.until_cold(20).await;
    until("deleted", async || cell.slots(own).await.is_empty()).await;
}

#[tokio::test]
async fn small_slots_cost_more_than_their_bytes() {
    let (own, cell) = (IncarnationId(7), Cell::new());
    let budget = ImageBudget {
        memory: 1 << 20,
        disk: 1 << 20,
    };
    let images = SlotImages::new(own, Arc::new(cell.wal()), &Env::system(), None, budget).unwrap();
    let slots = 10_000;
    for slot in 0..slots {
        images.counted(&Arc::new(tiny_slot(slot)));
        images.offloaded(Slot(slot));
    }
    let kept = slots - images.floor().0;
    assert!(
        kept < 1_000,
        "{kept} slots of 100 bytes: each has a file, and a run in memory"
    );
}

fn tiny_slot(slot: u64) -> CountedSlot {
    let batch = CountedBatch {
        meta: meta(i64::try_from(slot).unwrap()),
        position: 200,
        bytes: Bytes::from_static(&[7; 100]),
    };
    CountedSlot {
        slot: Slot(slot),
        data_start: 200,
        batches: vec![batch],
    }
}
