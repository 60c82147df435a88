//! Halting, aborting, and those who wait meanwhile.

use std::sync::Arc;
use std::time::Duration;

use firn_catalog::ids::{IncarnationId, Offset, Slot};
use firn_log::partition::AppendError;
use firn_log::wal::{Appender, AppenderSettings, CountedSlot, Halt, ObjectLog, PendingBatch, SlotSink};
use firn_runtime::{Env, Timestamp};
use object_store::ObjectStoreExt;

use super::catalog::Call;
use super::cell::{Cell, batch, meta, soon, until};
use super::store::Op;

#[tokio::test]
async fn a_fenced_log_whose_catalog_never_answers_halts_all_the_same() {
    let mut cell = Cell::new();
    cell.settings.heartbeat_interval = Duration::from_millis(20);
    let zombie = cell.open().await;
    zombie.catalog.hold(Call::Heartbeat);
    let _successor = cell.open().await;
    let mut halted = zombie.log.halted();
    let why = soon(halted.wait_for(Option::is_some)).await.unwrap().clone();
    assert_eq!(why, Some(Halt::Fenced));
}

#[tokio::test]
async fn who_waits_for_the_log_to_shrink_goes_on_when_it_halts() {
    let mut cell = Cell::new();
    cell.settings.heartbeat_interval = Duration::from_millis(200);
    cell.settings.max_unsettled_bytes = 1;
    let zombie = cell.open().await;
    zombie.append(0, 1).await;
    assert!(!zombie.log.has_room());
    let _successor = cell.open().await;
    soon(zombie.log.room()).await;
    assert!(zombie.log.halted().borrow().is_some());
}

#[tokio::test]
async fn who_waits_for_a_slot_or_for_room_goes_on_when_the_log_is_aborted() {
    let mut cell = Cell::new();
    cell.settings.appender.max_pending_bytes = 1;
    let process = cell.open().await;
    process.store.hold((Op::Put, "wal/"));
    let appended = process.partition.append(batch(0, 1), Timestamp(1)).unwrap();
    let abort = async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        process.log.abort();
    };
    let waits = async {
        tokio::join!(
            process.log.wait(appended.slot.unwrap()),
            process.log.room(),
            abort
        )
    };
    assert!(soon(waits).await.0.is_err());
    assert!(soon(process.log.wait(appended.slot.unwrap())).await.is_err());
    assert_eq!(
        *process.log.halted().borrow(),
        None,
        "an abort is no reason to exit with an error"
    );
}

#[tokio::test]
async fn once_the_offload_is_stuck_and_the_log_full_appends_are_refused_until_it_goes_on() {
    let mut cell = Cell::that_offloads();
    cell.settings.max_unsettled_bytes = 1;
    let process = cell.open().await;
    let path = ObjectLog::path(process.log.incarnation(), Slot(0));
    process.store.hold((Op::Get, "wal/"));
    process.append(0, 1).await;
    until("read", async || process.store.waiting() > 0).await;
    let written = cell.store.get(&path).await.unwrap().bytes().await.unwrap();
    cell.store.put(&path, "damaged".into()).await.unwrap();
    assert!(!process.log.has_room());
    process.store.release();
    soon(process.log.room()).await;
    assert!(process.log.has_room(), "nobody need wait to be refused");
    let refused = process.partition.append(batch(1, 1), Timestamp(1));
    assert_eq!(refused, Err(AppendError::NoSpace));
    cell.store.put(&path, written.into()).await.unwrap();
    until("offloaded", async || {
        process.partition.offsets().cold_end == Offset(1)
    })
    .await;
    assert_eq!(process.append(1, 1).await, Offset(1));
}

struct Panics;

impl SlotSink for Panics {
    fn counted(&self, _: Arc<CountedSlot>) {
        panic!("a slot counts");
    }
}

#[tokio::test]
async fn who_waits_for_a_slot_goes_on_when_the_appender_panics() {
    let wal = Arc::new(Cell::new().wal());
    let (own, settings) = (IncarnationId(7), AppenderSettings::default());
    let appender = Appender::start(&Env::system(), wal, own, settings, Arc::new(Panics));
    let slot = appender.push(PendingBatch {
        meta: meta(0),
        bytes: vec![7; 100].into(),
    });
    assert_eq!(slot, Ok(Slot(0)));
    let waited = soon(appender.wait(Slot(0))).await;
    assert!(matches!(waited, Err(Halt::Broken(_))), "{waited:?}");
    assert!(appender.halted().borrow().is_some());
}
