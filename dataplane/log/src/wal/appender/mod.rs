//! The appender: bulks fill, freeze into slots, and are put several at a time, in the order of their numbers.
//!
//! A bulk's slot number is known when its first batch is pushed, so a producer knows at once what to wait for. The bytes of
//! a frozen slot never change: an answer that is not a clear success is followed by the same bytes again, until they
//! are durable, a fence is found there, or the process ends. [`Writer`] decides, the driver does.
//!
//! A bulk freezes at once if nothing is in flight, so a lone producer never waits for a linger; while slots are in
//! flight it freezes when it is full or has lingered long enough, so a busy broker fills its bulks.

mod driver;
mod put;
#[cfg(test)]
mod tests;
mod writer;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use firn_catalog::ids::{IncarnationId, Slot};
use firn_runtime::Env;
use futures::future::BoxFuture;
use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::{Halt, PendingBatch, SlotSink, WriteAheadLog, broken_by_panic};

pub use writer::{Answer, Freeze, Output, Writer};

/// When bulks freeze and how much may be under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppenderSettings {
    /// How long a bulk waits for more batches while other slots are in flight.
    pub linger: Duration,
    /// Record bytes after which a bulk freezes; one batch may be larger.
    pub max_slot_bytes: u64,
    /// How many slots are put at the same time.
    pub max_in_flight: usize,
    /// Record bytes that may be pushed and not yet durable before [`Appender::has_room`] says no.
    pub max_pending_bytes: u64,
}

impl Default for AppenderSettings {
    fn default() -> Self {
        Self {
            linger: Duration::from_millis(2),
            max_slot_bytes: 4 << 20,
            max_in_flight: 4,
            max_pending_bytes: 64 << 20,
        }
    }
}

/// Why a batch was not pushed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PushError {
    /// The appender is closed, fenced or broken.
    #[error("the write-ahead log has stopped")]
    Halted,
    /// There is no room for a slot; the ones under way wait for it.
    #[error("the write-ahead log has no space")]
    NoSpace,
}

/// The batches that go into one slot.
struct Bulk {
    slot: Slot,
    batches: Vec<PendingBatch>,
    bytes: u64,
    opened_at: Instant,
}

/// What pushers, waiters and the driver share.
struct Shared {
    /// Bulks that are not frozen; the last one is open. Empty ones are not kept.
    bulks: VecDeque<Bulk>,
    /// The number of the next bulk.
    next: Slot,
    /// Slots below this one count.
    counted: Slot,
    pending_bytes: u64,
    stalled: bool,
    closing: bool,
    /// The driver has been aborted: nothing more counts.
    aborted: bool,
    gates: BTreeMap<Slot, Arc<Notify>>,
}

/// See the module.
pub struct Appender {
    settings: AppenderSettings,
    shared: Mutex<Shared>,
    /// Wakes the driver: a bulk was opened or filled, or the appender closes.
    kick: Notify,
    /// Wakes those who wait for room.
    room: Notify,
    halted: watch::Sender<Option<Halt>>,
    driver: Mutex<Option<JoinHandle<()>>>,
}

impl Appender {
    /// Starts appending to `incarnation`'s log at slot 0.
    pub fn start(
        env: &Env,
        wal: Arc<dyn WriteAheadLog>,
        incarnation: IncarnationId,
        settings: AppenderSettings,
        sink: Arc<dyn SlotSink>,
    ) -> Arc<Self> {
        let appender = Arc::new(Self {
            settings,
            shared: Mutex::new(Shared {
                bulks: VecDeque::new(),
                next: Slot(0),
                counted: Slot(0),
                pending_bytes: 0,
                stalled: false,
                closing: false,
                aborted: false,
                gates: BTreeMap::new(),
            }),
            kick: Notify::new(),
            room: Notify::new(),
            halted: watch::Sender::new(None),
            driver: Mutex::new(None),
        });
        let thread = wal.blocking_puts().map(|blocking| blocking.thread().clone());
        let driver = driver::Driver::new(Arc::clone(&appender), env.clone(), wal, incarnation, sink);
        let driven = Arc::clone(&appender);
        let run = Box::pin(async move {
            if let Some(why) = broken_by_panic("the write-ahead log", driver.run()).await {
                driven.halt(why);
            }
        });
        *appender.driver.lock() = Some(match thread {
            Some(thread) => spawn_there(&thread, run),
            None => env.tasks.spawn(run),
        });
        appender
    }

    /// Puts a batch into the open bulk and tells the slot that it will be in. Called under a partition's lock, so that
    /// offset order is slot order; short, and never waits.
    pub fn push(&self, batch: PendingBatch) -> Result<Slot, PushError> {
        let bytes = batch.bytes.len() as u64;
        let mut shared = self.shared.lock();
        if shared.closing {
            return Err(PushError::Halted);
        }
        if shared.stalled {
            return Err(PushError::NoSpace);
        }
        shared.pending_bytes += bytes;
        let max = self.settings.max_slot_bytes;
        if let Some(open) = shared.bulks.back_mut().filter(|open| open.bytes + bytes <= max) {
            open.batches.push(batch);
            open.bytes += bytes;
            return Ok(open.slot);
        }
        let slot = shared.next;
        shared.next = slot.next();
        shared.bulks.push_back(Bulk {
            slot,
            batches: vec![batch],
            bytes,
            opened_at: Instant::now(),
        });
        drop(shared);
        // The bulk before it, if there is one, is full: either way there may be something to freeze.
        self.kick.notify_one();
        Ok(slot)
    }

    /// The last slot that counts.
    pub fn durable_through(&self) -> Option<Slot> {
        self.shared.lock().counted.0.checked_sub(1).map(Slot)
    }

    /// Waits until `slot` counts. `Err`: it will not, in this process; whether its batches survive is open.
    pub async fn wait(&self, slot: Slot) -> Result<(), Halt> {
        let gate = {
            let mut shared = self.shared.lock();
            if slot < shared.counted {
                return Ok(());
            }
            Arc::clone(shared.gates.entry(slot).or_default())
        };
        let mut woken = std::pin::pin!(gate.notified());
        woken.as_mut().enable();
        loop {
            {
                let shared = self.shared.lock();
                if slot < shared.counted {
                    return Ok(());
                }
                if shared.aborted {
                    return Err(Halt::Broken("the write-ahead log was closed".to_owned()));
                }
            }
            if let Some(why) = &*self.halted.borrow() {
                return Err(why.clone());
            }
            woken.as_mut().await;
            woken.set(gate.notified());
            woken.as_mut().enable();
        }
    }

    /// Record bytes that were pushed and do not count yet.
    pub fn pending_bytes(&self) -> u64 {
        self.shared.lock().pending_bytes
    }

    /// Whether more should be pushed.
    pub fn has_room(&self) -> bool {
        self.pending_bytes() < self.settings.max_pending_bytes
    }

    /// Waits for [`Self::has_room`]; returns at once when halted or aborted, since a push then says so.
    pub async fn room(&self) {
        loop {
            let mut woken = std::pin::pin!(self.room.notified());
            woken.as_mut().enable();
            if self.has_room() || self.halted.borrow().is_some() || self.shared.lock().aborted {
                return;
            }
            woken.await;
        }
    }

    /// Waits until all that was pushed before counts.
    pub async fn flush(&self) -> Result<(), Halt> {
        let next = self.shared.lock().next;
        match next.0.checked_sub(1) {
            Some(last) => self.wait(Slot(last)).await,
            None => Ok(()),
        }
    }

    /// Tells when, and why, the appender stopped for good.
    pub fn halted(&self) -> watch::Receiver<Option<Halt>> {
        self.halted.subscribe()
    }

    /// Refuses new batches and waits until those that were pushed count, or never will.
    pub async fn close(&self) {
        self.shared.lock().closing = true;
        // A halt ends the driver too: there is nothing left to wait for.
        let _ = self.flush().await;
        self.abort();
    }

    /// Stops at once; puts that are under way may still take effect. Whoever waits is told that nothing more counts.
    pub fn abort(&self) {
        if let Some(driver) = self.driver.lock().take() {
            driver.abort();
        }
        let gates = {
            let mut shared = self.shared.lock();
            shared.closing = true;
            shared.aborted = true;
            std::mem::take(&mut shared.gates)
        };
        self.wake(&gates);
    }

    /// Says for good that nothing more will count.
    fn halt(&self, why: Halt) {
        // First: whoever comes for a gate once these are taken sees it.
        self.halted.send_replace(Some(why));
        let gates = {
            let mut shared = self.shared.lock();
            shared.closing = true;
            shared.bulks.clear();
            std::mem::take(&mut shared.gates)
        };
        self.wake(&gates);
    }

    /// A slot counts: its waiters go on.
    fn counted(&self, slot: Slot, bytes: u64) {
        let gates = {
            let mut shared = self.shared.lock();
            shared.counted = shared.counted.max(slot.next());
            shared.pending_bytes = shared.pending_bytes.saturating_sub(bytes);
            let later = shared.gates.split_off(&slot.next());
            std::mem::replace(&mut shared.gates, later)
        };
        self.wake(&gates);
    }

    fn wake(&self, gates: &BTreeMap<Slot, Arc<Notify>>) {
        gates.values().for_each(|gate| gate.notify_waiters());
        self.room.notify_waiters();
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "puts that block belong on the log's own thread; the simulation has no such log"
)]
fn spawn_there(thread: &Handle, run: BoxFuture<'static, ()>) -> JoinHandle<()> {
    thread.spawn(run)
}
