//! Reads while what they planned to read goes elsewhere.

use bytes::Bytes;
use firn_catalog::ids::{LeaderEpoch, Offset, Slot};
use firn_log::partition::Isolation;
use firn_log::wal::ObjectLog;
use firn_runtime::Timestamp;
use object_store::ObjectStoreExt;

use super::cell::{Cell, batch, soon, until};
use super::store::Op;

#[tokio::test]
async fn a_search_by_time_follows_a_run_into_cold_objects() {
    let cell = Cell::that_offloads();
    let process = cell.open().await;
    process.store.hold((Op::GetPart, "wal/"));
    process.append(0, 10).await;
    // The second slot keeps the first one out of memory.
    process.append(10, 1).await;
    let search = process
        .partition
        .offset_for_time(1_005, Isolation::ReadUncommitted);
    let meanwhile = async {
        until("read", async || process.store.waiting() > 0).await;
        process.until_cold(11).await;
        until("deleted", async || {
            cell.slots(process.log.incarnation()).await.is_empty()
        })
        .await;
        process.store.release();
    };
    let (found, ()) = tokio::join!(search, meanwhile);
    let found = found.unwrap().expect("the record is in the log all the time");
    assert_eq!((found.offset, found.timestamp), (Offset(5), 1_005));
}

#[tokio::test]
async fn a_read_follows_a_run_into_cold_objects() {
    let cell = Cell::that_offloads();
    let process = cell.open().await;
    process.store.hold((Op::GetPart, "wal/"));
    process.append(0, 10).await;
    process.append(10, 1).await;
    let read = process
        .partition
        .read(Offset(3), 10_000, Isolation::ReadUncommitted);
    let meanwhile = async {
        until("read", async || process.store.waiting() > 0).await;
        process.until_cold(11).await;
        until("deleted", async || {
            cell.slots(process.log.incarnation()).await.is_empty()
        })
        .await;
        process.store.release();
    };
    let (read, ()) = tokio::join!(read, meanwhile);
    assert!(!read.unwrap().batches.is_empty());
    assert_eq!(process.values(0).await, (0..11).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_damaged_slot_does_not_hide_what_cold_objects_have() {
    let mut cell = Cell::that_offloads();
    // All but the newest slot are read from the write-ahead log, for as long as they are there.
    cell.settings.images.disk = 1 << 30;
    let process = cell.open().await;
    process.store.fail((Op::Delete, "wal/"));
    process.append(0, 10).await;
    process.append(10, 1).await;
    process.until_cold(11).await;
    let own = process.log.incarnation();
    let path = ObjectLog::path(own, Slot(0));
    let whole = cell.store.get(&path).await.unwrap().bytes().await.unwrap();
    let garbage = Bytes::from(vec![0x5a; whole.len()]);
    cell.store.put(&path, garbage.into()).await.unwrap();
    assert_eq!(process.values(0).await, (0..11).collect::<Vec<_>>());
    let found = process
        .partition
        .offset_for_time(1_005, Isolation::ReadUncommitted)
        .await;
    assert_eq!(found.unwrap().unwrap().offset, Offset(5));
}

#[tokio::test]
async fn the_end_of_an_epoch_does_not_tell_of_what_does_not_count_yet() {
    let cell = Cell::new();
    let process = cell.open().await;
    process.append(0, 5).await;
    process.store.hold((Op::Put, "wal/"));
    let appended = process.partition.append(batch(5, 5), Timestamp(1)).unwrap();
    let end = || process.partition.epoch_end(LeaderEpoch(0));
    assert_eq!(end(), Some((LeaderEpoch(0), Offset(5))));
    process.store.release();
    process.log.wait(appended.slot.unwrap()).await.unwrap();
    assert_eq!(end(), Some((LeaderEpoch(0), Offset(10))));
}

#[tokio::test]
async fn a_zombie_whose_slots_are_gone_finds_the_records_in_the_objects_of_its_successor() {
    let cell = Cell::without_images();
    let zombie = cell.open().await;
    zombie.append(0, 10).await;
    zombie.append(10, 1).await;
    let dead = zombie.log.incarnation();
    let successor = cell.open().await;
    cell.until_drained(dead).await;
    until("deleted", async || cell.slots(dead).await.len() == 1).await;
    assert_eq!(soon(zombie.values(0)).await, (0..11).collect::<Vec<_>>());
    assert_eq!(soon(successor.values(0)).await, (0..11).collect::<Vec<_>>());
}
