//! What producers are told.

use std::sync::atomic::Ordering;
use std::time::Duration;

use firn_catalog::ids::Offset;
use firn_log::batch::TimestampType;
use firn_log::partition::AppendError;
use firn_runtime::Timestamp;

use super::cell::{Cell, P, batch, idempotent, soon};
use super::store::Op;

#[tokio::test]
async fn a_duplicate_waits_for_its_original() {
    let cell = Cell::new();
    let process = cell.open().await;
    process.store.hold((Op::Put, "wal/"));
    let original = process.partition.append(idempotent(0, 3), Timestamp(1)).unwrap();
    let duplicate = process.partition.append(idempotent(0, 3), Timestamp(1)).unwrap();
    assert_eq!(duplicate, original);
    let slot = duplicate.slot.expect("its slot does not count yet");
    let early = tokio::time::timeout(Duration::from_millis(50), process.log.wait(slot)).await;
    assert!(early.is_err(), "answered before it was durable");
    process.store.release();
    soon(process.log.wait(slot)).await.unwrap();
}

#[tokio::test]
async fn a_partition_that_comes_back_never_gives_an_offset_twice() {
    let cell = Cell::new();
    let process = cell.open().await;
    process.append(0, 5).await;
    process.log.unassign(&[P]);
    assert_eq!(
        process.partition.append(batch(5, 1), Timestamp(1)),
        Err(AppendError::NotLeader)
    );
    // What it held lies in slots of this very process, which no foundation knows: it must not start anew.
    process.log.assign(vec![cell.assignment()]).await.unwrap();
    let again = process.log.partition(P).unwrap();
    let appended = again.append(batch(5, 1), Timestamp(1));
    assert!(matches!(appended, Err(AppendError::Stopped(_))), "{appended:?}");
    process.log.abort();
    // The next life knows all of it.
    let next = cell.open().await;
    assert_eq!(next.values(0).await, (0..5).collect::<Vec<_>>());
    assert_eq!(next.append(5, 1).await, Offset(5));
}

#[tokio::test]
async fn log_append_time_does_not_go_back_with_the_clock_of_the_next_life() {
    for mut cell in [Cell::new(), Cell::that_offloads()] {
        cell.timestamp_type = TimestampType::LogAppendTime;
        let before = cell.clock.0.load(Ordering::SeqCst);
        let process = cell.open().await;
        let first = process.partition.append(batch(0, 1), Timestamp(before)).unwrap();
        process.log.wait(first.slot.unwrap()).await.unwrap();
        if cell.settings.cold.offload.bytes == 1 {
            process.until_cold(1).await;
        }
        process.log.abort();
        cell.clock.0.store(before - 60_000, Ordering::SeqCst);
        let next = cell.open().await;
        let now = Timestamp(before - 60_000);
        let second = next.partition.append(batch(1, 1), now).unwrap();
        assert_eq!(second.log_append_time, first.log_append_time);
    }
}

#[tokio::test]
async fn a_producer_that_was_silent_for_too_long_is_not_remembered_by_the_next_life() {
    let cell = Cell::new();
    let process = cell.open().await;
    process.append_batch(idempotent(0, 3)).await;
    process.log.abort();
    let later = cell.clock.0.load(Ordering::SeqCst) + 2 * 3_600_000;
    cell.clock.0.store(later, Ordering::SeqCst);
    let next = cell.open().await;
    assert_eq!(next.partition.producers(), []);
    assert_eq!(next.append_batch(idempotent(40, 1)).await, Offset(3));
}

#[tokio::test]
async fn many_small_slots_that_nobody_offloads_hold_producers_back_too() {
    let mut cell = Cell::new();
    cell.settings.max_unsettled_bytes = 64 << 10;
    let process = cell.open().await;
    let mut slots = 0;
    while process.log.has_room() {
        process.append(slots, 1).await;
        slots += 1;
        assert!(slots < 100, "a takeover would have to read every one of them");
    }
}
