//! The hot files beside a log in the object store: what they serve, and that nothing depends on them.
#![expect(clippy::disallowed_methods, reason = "a hot file is a file")]

use std::path::PathBuf;

use firn_catalog::ids::{Offset, Slot};
use firn_log::partition::Isolation;
use firn_log::wal::ObjectLog;
use object_store::ObjectStoreExt;

use super::catalog::Call;
use super::cell::{Cell, Process, until};
use super::store::Op;

/// Slots of the log under test, each with ten records. Memory keeps the last one.
const SLOTS: u64 = 4;

/// A process whose slots all have their hot files.
async fn with_hot_files(cell: &Cell) -> Process {
    let process = cell.open().await;
    fill(cell, &process).await;
    process
}

async fn fill(cell: &Cell, process: &Process) {
    let own = process.log.incarnation();
    for slot in 0..SLOTS {
        process.append(i64::try_from(slot).unwrap() * 10, 10).await;
        let written = cell.store.head(&ObjectLog::path(own, Slot(slot))).await;
        let size = written.unwrap().size;
        // A hot file ends where its slot ends.
        until("kept in a file", async || {
            std::fs::metadata(hot_file(cell, slot)).is_ok_and(|file| file.len() == size)
        })
        .await;
    }
}

fn hot_file(cell: &Cell, slot: u64) -> PathBuf {
    cell.hot_directory().unwrap().join(format!("{slot:020}"))
}

/// From here on the store gives no slots.
fn lose_slots(process: &Process) {
    process.store.fail((Op::Get, "wal/"));
    process.store.fail((Op::GetPart, "wal/"));
}

async fn is_readable(process: &Process) -> bool {
    let read = process.partition.read(Offset(0), 200, Isolation::ReadUncommitted);
    read.await.is_ok()
}

fn all() -> Vec<i64> {
    (0..i64::try_from(SLOTS).unwrap() * 10).collect()
}

#[tokio::test]
async fn reads_are_served_from_hot_files_and_ask_the_store_for_nothing() {
    let cell = Cell::with_hot_files();
    let process = with_hot_files(&cell).await;
    lose_slots(&process);
    assert_eq!(process.values(0).await, all());
}

#[tokio::test]
async fn a_damaged_hot_file_is_not_believed() {
    let cell = Cell::with_hot_files();
    let process = with_hot_files(&cell).await;
    let path = hot_file(&cell, 0);
    let mut bytes = std::fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&path, bytes).unwrap();
    assert_eq!(process.values(0).await, all());
    lose_slots(&process);
    assert!(!is_readable(&process).await, "the store had given the records");
}

#[tokio::test]
async fn hot_files_may_go_while_the_log_runs() {
    let cell = Cell::with_hot_files();
    let process = with_hot_files(&cell).await;
    std::fs::remove_dir_all(cell.hot_directory().unwrap()).unwrap();
    assert_eq!(process.values(0).await, all());
    assert_eq!(process.append(40, 1).await, Offset(40), "the log goes on");
    lose_slots(&process);
    assert!(!is_readable(&process).await, "the store had given the records");
}

#[tokio::test]
async fn a_hot_file_goes_once_its_slot_is_cold_and_the_budget_used_up() {
    let mut cell = Cell::with_hot_files();
    cell.settings.images.disk = 0;
    cell.settings.cold.offload.bytes = 1;
    let (catalog, store) = cell.ways();
    catalog.hold(Call::Checkpoint);
    let process = cell.open_with(catalog, store).await;
    fill(&cell, &process).await;
    process.catalog.release();
    for slot in 0..SLOTS {
        until("removed", async || !hot_file(&cell, slot).exists()).await;
    }
    assert_eq!(process.values(0).await, all());
}

#[tokio::test]
async fn hot_files_of_an_earlier_process_are_removed_at_start() {
    let cell = Cell::with_hot_files();
    let process = with_hot_files(&cell).await;
    process.log.abort();
    let next = cell.open().await;
    assert!(!hot_file(&cell, SLOTS - 1).exists());
    assert_eq!(next.values(0).await, all());
}
