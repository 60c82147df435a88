//! Processes that have been taken over and do not know.

use std::time::Duration;

use firn_catalog::cell::IncarnationState;
use firn_catalog::ids::{Offset, Slot};
use firn_log::wal::Halt;
use firn_runtime::Timestamp;

use super::catalog::Call;
use super::cell::{Cell, batch, soon, until};
use super::store::Op;

#[tokio::test]
async fn a_put_that_arrives_after_the_fence_is_never_acknowledged() {
    let cell = Cell::new();
    let zombie = cell.open().await;
    zombie.append(0, 5).await;
    zombie.store.hold((Op::Put, "wal/"));
    let late = zombie.partition.append(batch(100, 5), Timestamp(1)).unwrap();
    until("on its way", async || zombie.store.waiting() > 0).await;
    let successor = cell.open().await;
    zombie.store.release();
    assert_eq!(soon(zombie.log.wait(late.slot.unwrap())).await, Err(Halt::Fenced));
    assert_eq!(zombie.partition.offsets().high_watermark, Offset(5));
    assert_eq!(successor.append(5, 5).await, Offset(5));
    assert_eq!(successor.values(0).await, (0..10).collect::<Vec<_>>());
}

/// The row of the fence is found even if the slots before it were drained and deleted.
#[tokio::test]
async fn a_put_that_arrives_after_the_drain_finds_the_fence() {
    let cell = Cell::new();
    let zombie = cell.open().await;
    zombie.append(0, 5).await;
    zombie.store.hold((Op::Put, "wal/"));
    let late = zombie.partition.append(batch(100, 5), Timestamp(1)).unwrap();
    until("on its way", async || zombie.store.waiting() > 0).await;
    let dead = zombie.log.incarnation();
    let successor = cell.open().await;
    cell.until_drained(dead).await;
    until("deleted", async || cell.slots(dead).await == [Slot(1)]).await;
    zombie.store.release();
    assert_eq!(soon(zombie.log.wait(late.slot.unwrap())).await, Err(Halt::Fenced));
    assert_eq!(successor.append(5, 5).await, Offset(5));
}

#[tokio::test]
async fn a_checkpoint_that_arrives_after_the_seal_changes_nothing() {
    let cell = Cell::that_offloads();
    let zombie = cell.open().await;
    let dead = zombie.log.incarnation();
    zombie.catalog.hold(Call::Checkpoint);
    zombie.append(0, 10).await;
    until("uploaded", async || zombie.catalog.waiting() > 0).await;
    let (catalog, store) = cell.ways();
    catalog.hold(Call::Drain);
    let successor = cell.open_with(catalog, store).await;
    zombie.catalog.release();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let row = cell.row(dead).await;
    assert_eq!((row.state, row.offloaded), (IncarnationState::Sealed, Slot(0)));
    assert_eq!(cell.slots(dead).await, [Slot(0), Slot(1)]);
    assert_eq!(successor.values(0).await, (0..10).collect::<Vec<_>>());
    successor.catalog.release();
    successor.until_cold(10).await;
    assert_eq!(successor.values(0).await, (0..10).collect::<Vec<_>>());
}
