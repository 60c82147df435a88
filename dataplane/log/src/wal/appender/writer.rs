//! The writer's state machine: when a bulk freezes, what is put again, what counts. Pure; time comes in.

use std::collections::BTreeMap;
use std::time::Duration;

use firn_catalog::ids::Slot;
use tokio::time::Instant;

use super::AppenderSettings;
use crate::wal::Halt;

/// The pause before the second try of a put; doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(20);
/// The longest pause between tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// What became of a put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The slot's own bytes are in the register, durably.
    Durable,
    /// Not clear: the same bytes go again.
    Unclear,
    /// There is no room; nothing was written. The same bytes go again.
    NoSpace,
    /// It never will be durable.
    Never(Halt),
}

/// What the driver has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Put the slot's bytes (again).
    Put(Slot),
    /// This slot and all before it are durable: tell the sink and the waiters. In slot order.
    Count(Slot),
    /// Refuse new batches, or take them again: there is (no) room.
    Stalled(bool),
    /// Stop for good.
    Halt(Halt),
}

/// Whether the oldest bulk freezes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freeze {
    /// Now.
    Now,
    /// At that time, if nothing happens before.
    At(Instant),
    /// When a slot has been put.
    Later,
}

#[derive(Debug, PartialEq, Eq)]
enum Flight {
    Putting { pause: Duration },
    Pausing { until: Instant, pause: Duration },
    Durable,
}

/// See the module.
#[derive(Debug)]
pub struct Writer {
    settings: AppenderSettings,
    in_flight: BTreeMap<Slot, Flight>,
    /// How many of `in_flight` are not durable.
    undurable: usize,
    counted: Slot,
    stalled: bool,
}

impl Writer {
    /// A writer whose first slot is 0.
    pub fn new(settings: AppenderSettings) -> Self {
        Self {
            settings,
            in_flight: BTreeMap::new(),
            undurable: 0,
            counted: Slot(0),
            stalled: false,
        }
    }

    /// Whether the oldest bulk, of `bytes` record bytes and opened at `opened_at`, freezes; `full`: there is one behind it.
    pub fn freeze(&self, bytes: u64, full: bool, opened_at: Instant, now: Instant) -> Freeze {
        // What is durable but does not count yet is bounded too.
        if self.undurable >= self.settings.max_in_flight
            || self.in_flight.len() >= 4 * self.settings.max_in_flight
        {
            return Freeze::Later;
        }
        let due = opened_at + self.settings.linger;
        if self.in_flight.is_empty() || full || bytes >= self.settings.max_slot_bytes || now >= due {
            Freeze::Now
        } else {
            Freeze::At(due)
        }
    }

    /// A bulk became `slot`, the next one.
    pub fn frozen(&mut self, slot: Slot) -> Output {
        self.in_flight
            .insert(slot, Flight::Putting { pause: FIRST_PAUSE });
        self.undurable += 1;
        Output::Put(slot)
    }

    /// Whether the put that is under way is the first of that slot.
    #[cfg(feature = "planted")]
    pub fn first_try(&self, slot: Slot) -> bool {
        matches!(self.in_flight.get(&slot), Some(Flight::Putting { pause }) if *pause == FIRST_PAUSE)
    }

    /// The last slot that counts.
    pub fn durable_through(&self) -> Option<Slot> {
        self.counted.0.checked_sub(1).map(Slot)
    }

    /// When the next pause ends.
    pub fn next_retry(&self) -> Option<Instant> {
        let pauses = self.in_flight.values().filter_map(|flight| match flight {
            Flight::Pausing { until, .. } => Some(*until),
            Flight::Putting { .. } | Flight::Durable => None,
        });
        pauses.min()
    }

    /// The pauses that are over.
    pub fn tick(&mut self, now: Instant) -> Vec<Output> {
        let mut outputs = Vec::new();
        for (&slot, flight) in &mut self.in_flight {
            if let Flight::Pausing { until, pause } = *flight
                && until <= now
            {
                *flight = Flight::Putting { pause };
                outputs.push(Output::Put(slot));
            }
        }
        outputs
    }

    /// A put was answered.
    pub fn answered(&mut self, slot: Slot, answer: Answer, now: Instant) -> Vec<Output> {
        let Some(flight) = self.in_flight.get_mut(&slot) else {
            return Vec::new();
        };
        let mut outputs = Vec::new();
        match answer {
            Answer::Durable => {
                if *flight != Flight::Durable {
                    *flight = Flight::Durable;
                    self.undurable -= 1;
                }
                outputs.extend(self.stall(false));
                outputs.extend(self.count(slot));
            }
            Answer::Unclear | Answer::NoSpace => {
                let pause = match flight {
                    Flight::Putting { pause } | Flight::Pausing { pause, .. } => *pause,
                    Flight::Durable => FIRST_PAUSE,
                };
                *flight = Flight::Pausing {
                    until: now + pause,
                    pause: (pause * 2).min(LONGEST_PAUSE),
                };
                if answer == Answer::NoSpace {
                    outputs.extend(self.stall(true));
                }
            }
            Answer::Never(why) => outputs.push(Output::Halt(why)),
        }
        outputs
    }

    fn stall(&mut self, stalled: bool) -> Option<Output> {
        let changed = self.stalled != stalled;
        self.stalled = stalled;
        changed.then_some(Output::Stalled(stalled))
    }

    /// The slots that count now that `durable` is durable.
    fn count(&mut self, durable: Slot) -> Vec<Output> {
        #[cfg(feature = "planted")]
        if crate::planted::is(crate::planted::Mistake::AckBeforeEarlier) {
            self.in_flight.remove(&durable);
            self.counted = self.counted.max(durable.next());
            return vec![Output::Count(durable)];
        }
        let mut outputs = Vec::new();
        if durable != self.counted {
            return outputs;
        }
        while let Some(first) = self.in_flight.first_entry()
            && *first.get() == Flight::Durable
        {
            let (slot, _) = first.remove_entry();
            self.counted = slot.next();
            outputs.push(Output::Count(slot));
        }
        outputs
    }
}
