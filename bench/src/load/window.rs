//! When a load runs and which part of it is measured.

use std::time::{Duration, Instant};

/// The load begins at `start`, is measured from `opens` to `closes`, and ends there.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// When the load begins.
    pub start: Instant,
    /// The end of the warm-up.
    pub opens: Instant,
    /// The end.
    pub closes: Instant,
}

impl Window {
    /// A window whose load begins in a moment, when all threads are there.
    pub fn soon(warmup: Duration, measured: Duration) -> Self {
        let start = Instant::now() + Duration::from_millis(50);
        Self {
            start,
            opens: start + warmup,
            closes: start + warmup + measured,
        }
    }

    /// Whether what happened, or was to happen, at `moment` is measured.
    pub fn measures(&self, moment: Instant) -> bool {
        moment >= self.opens && moment < self.closes
    }

    /// Whether the load is over.
    pub fn is_over(&self) -> bool {
        Instant::now() >= self.closes
    }
}

/// Sleeps until `moment`; not at all if that is past.
pub fn sleep_until(moment: Instant) {
    if let Some(rest) = moment.checked_duration_since(Instant::now()) {
        std::thread::sleep(rest);
    }
}
