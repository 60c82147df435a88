//! The task that does what the writer decides.

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::Arc;

use bytes::Bytes;
use firn_catalog::ids::{IncarnationId, Slot};
use firn_runtime::Env;
use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt};
use tokio::time::{Instant, sleep_until};

use super::put::{clear, existing, put};
use super::{Answer, Appender, Bulk, Freeze, Output, Writer};
use crate::metrics;
use crate::wal::{CountedSlot, Halt, SlotSink, WriteAheadLog, slot};

/// A slot's bytes, for as long as they may have to be put again.
struct Frozen {
    pieces: Vec<Bytes>,
    counted: Arc<CountedSlot>,
    bytes: u64,
}

pub(super) struct Driver {
    appender: Arc<Appender>,
    env: Env,
    wal: Arc<dyn WriteAheadLog>,
    incarnation: IncarnationId,
    sink: Arc<dyn SlotSink>,
    writer: Writer,
    frozen: BTreeMap<Slot, Frozen>,
    puts: FuturesUnordered<BoxFuture<'static, (Slot, Answer)>>,
    /// Slots to be put next, of a log whose puts block.
    due: Vec<Slot>,
}

impl Driver {
    pub fn new(
        appender: Arc<Appender>,
        env: Env,
        wal: Arc<dyn WriteAheadLog>,
        incarnation: IncarnationId,
        sink: Arc<dyn SlotSink>,
    ) -> Self {
        let writer = Writer::new(appender.settings.clone());
        let (frozen, puts) = (BTreeMap::new(), FuturesUnordered::new());
        Self {
            appender,
            env,
            wal,
            incarnation,
            sink,
            writer,
            frozen,
            puts,
            due: Vec::new(),
        }
    }

    pub async fn run(mut self) {
        loop {
            let wake_at = self.freeze_what_is_due();
            let outputs = if self.due.is_empty() {
                tokio::select! {
                    biased;
                    Some((slot, answer)) = self.puts.next() => self.writer.answered(slot, answer, Instant::now()),
                    () = self.appender.kick.notified() => Vec::new(),
                    () = sleep_or_for_ever(wake_at) => self.writer.tick(Instant::now()),
                }
            } else {
                // An abort takes effect between two groups.
                tokio::task::yield_now().await;
                self.put_due()
            };
            for output in outputs {
                if !self.carry_out(output) {
                    return;
                }
            }
        }
    }

    /// Freezes bulks as the writer says; returns when to look again.
    fn freeze_what_is_due(&mut self) -> Option<Instant> {
        loop {
            let now = Instant::now();
            let bulk = {
                let mut shared = self.appender.shared.lock();
                let full = shared.bulks.len() > 1;
                let decision = shared
                    .bulks
                    .front()
                    .map(|oldest| self.writer.freeze(oldest.bytes, full, oldest.opened_at, now));
                match decision {
                    Some(Freeze::Now) => shared.bulks.pop_front(),
                    Some(Freeze::At(due)) => return earliest(Some(due), self.writer.next_retry()),
                    Some(Freeze::Later) | None => return self.writer.next_retry(),
                }
            };
            if let Some(bulk) = bulk {
                self.freeze(bulk);
            }
        }
    }

    fn freeze(&mut self, bulk: Bulk) {
        let Bulk {
            slot, batches, bytes, ..
        } = bulk;
        let through = self.writer.durable_through();
        let (pieces, counted) = slot::encode(self.incarnation, slot, through, self.env.now(), batches);
        self.frozen.insert(
            slot,
            Frozen {
                pieces,
                counted: Arc::new(counted),
                bytes,
            },
        );
        let output = self.writer.frozen(slot);
        self.carry_out(output);
    }

    /// Returns whether to go on.
    fn carry_out(&mut self, output: Output) -> bool {
        match output {
            Output::Put(slot) => {
                #[cfg(feature = "planted")]
                self.reuse_slot_number(slot);
                if self.wal.blocking_puts().is_some() {
                    self.due.push(slot);
                } else if let Some(frozen) = self.frozen.get(&slot) {
                    let (wal, incarnation, pieces) =
                        (Arc::clone(&self.wal), self.incarnation, frozen.pieces.clone());
                    self.puts.push(Box::pin(async move {
                        (slot, put(wal, incarnation, slot, pieces).await)
                    }));
                }
                true
            }
            Output::Count(slot) => {
                if let Some(frozen) = self.frozen.remove(&slot) {
                    // The sink first: whoever waits for the slot may read at once what was acknowledged.
                    self.sink.counted(frozen.counted);
                    self.appender.counted(slot, frozen.bytes);
                    metrics::appender(self.frozen.len(), self.appender.pending_bytes());
                }
                true
            }
            Output::Stalled(stalled) => {
                self.appender.shared.lock().stalled = stalled;
                if stalled {
                    metrics::stalled();
                }
                true
            }
            Output::Halt(why) => {
                tracing::error!(?why, "the write-ahead log stops for good");
                self.appender.halt(why);
                false
            }
        }
    }

    /// Puts what is due and waits for it on this thread, which is the log's own.
    fn put_due(&mut self) -> Vec<Output> {
        let slots = std::mem::take(&mut self.due);
        let Some(blocking) = self.wal.blocking_puts() else {
            return Vec::new();
        };
        let pieces = |slot: &Slot| self.frozen.get(slot).map(|frozen| (*slot, frozen.pieces.clone()));
        let puts: Vec<_> = slots.iter().filter_map(pieces).collect();
        let fronts: Vec<_> = puts
            .iter()
            .map(|(slot, pieces)| (*slot, pieces.first().cloned().unwrap_or_default()))
            .collect();
        let results = blocking.put_all(self.incarnation, puts);
        let now = Instant::now();
        let mut outputs = Vec::new();
        for ((slot, front), result) in fronts.into_iter().zip(results) {
            match clear(result) {
                Some(answer) => outputs.extend(self.writer.answered(slot, answer, now)),
                None => {
                    let (wal, incarnation) = (Arc::clone(&self.wal), self.incarnation);
                    self.puts.push(Box::pin(async move {
                        (slot, existing(wal, incarnation, slot, front).await)
                    }));
                }
            }
        }
        outputs
    }

    /// The planted mistake: a slot that was put before takes the batches of the next bulk along.
    #[cfg(feature = "planted")]
    fn reuse_slot_number(&mut self, slot: Slot) {
        use crate::wal::PendingBatch;
        if !crate::planted::is(crate::planted::Mistake::ReuseSlotNumber) || self.writer.first_try(slot) {
            return;
        }
        let Some(bulk) = self.appender.shared.lock().bulks.pop_front() else {
            return;
        };
        let Some(frozen) = self.frozen.remove(&slot) else {
            return;
        };
        let old = frozen.counted.batches.iter();
        let mut batches: Vec<_> = old
            .map(|batch| PendingBatch {
                meta: batch.meta.clone(),
                bytes: batch.bytes.clone(),
            })
            .collect();
        batches.extend(bulk.batches);
        let through = self.writer.durable_through();
        let (pieces, counted) = slot::encode(self.incarnation, slot, through, self.env.now(), batches);
        let bytes = frozen.bytes + bulk.bytes;
        self.frozen.insert(
            slot,
            Frozen {
                pieces,
                counted: Arc::new(counted),
                bytes,
            },
        );
        // The taken bulk's own number is put with nothing in it, so that the row has no hole.
        let (pieces, counted) =
            slot::encode(self.incarnation, bulk.slot, through, self.env.now(), Vec::new());
        self.frozen.insert(
            bulk.slot,
            Frozen {
                pieces,
                counted: Arc::new(counted),
                bytes: 0,
            },
        );
        let output = self.writer.frozen(bulk.slot);
        self.carry_out(output);
    }
}

impl Drop for Driver {
    /// A driver that panics must not leave anybody waiting.
    fn drop(&mut self) {
        if std::thread::panicking() {
            let why = "the appender panicked; the log above says where".to_owned();
            self.appender.halt(Halt::Broken(why));
        }
    }
}

fn earliest(a: Option<Instant>, b: Option<Instant>) -> Option<Instant> {
    a.into_iter().chain(b).min()
}

async fn sleep_or_for_ever(until: Option<Instant>) {
    match until {
        Some(until) => sleep_until(until).await,
        None => pending().await,
    }
}
