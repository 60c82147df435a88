//! How many bytes of records one answer to a Fetch request holds.
//!
//! Clients ask for tens of MiB at a time. To read so much before the first byte leaves costs a quarter more processor time than a
//! piece that is still in the processor's cache when it is sent, and the client waits meanwhile. But a client that is far
//! away, and gets one answer for each round trip, needs large ones. So an answer holds what the client could have
//! taken at [`RATE`] since its last one was ready, and [`LEAST`] at least. It may always hold less than was asked for (KIP-74). While
//! clusters share the broker, it holds a quarter of that, and no more than [`LEAST`], so that others need not wait for long.
//!
//! Rejected: answers that are read while they are sent. Their length is sent first, so that a read that fails leaves nothing to do
//! but to cut the connection.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::time::Instant;

/// Bytes that every answer may hold: what a client asks of one partition unless it is told otherwise.
const LEAST: u64 = 1 << 20;
/// Bytes per second.
const RATE: u64 = 100_000_000;

/// The answers of one connection.
pub(crate) struct FetchSize {
    opened: Instant,
    /// When the last answer was ready, in microseconds after `opened`; 0 before the first.
    ready: AtomicU64,
}

impl FetchSize {
    pub(crate) fn new(opened: Instant) -> Self {
        Self {
            opened,
            ready: AtomicU64::new(0),
        }
    }

    /// The most that the answer to a request that came at `asked` should hold, in bytes.
    pub(crate) fn most(&self, asked: Instant) -> usize {
        let since = self
            .micros(asked)
            .saturating_sub(self.ready.load(Ordering::Relaxed));
        let bytes = since.saturating_mul(RATE) / 1_000_000;
        usize::try_from(bytes.max(LEAST)).unwrap_or(usize::MAX)
    }

    /// The same while other clusters want answers, too.
    pub(crate) fn most_contested(&self, asked: Instant) -> usize {
        (self.most(asked) / 4).min(LEAST as usize)
    }

    /// An answer is ready to be sent.
    pub(crate) fn ready(&self, now: Instant) {
        self.ready.store(self.micros(now), Ordering::Relaxed);
    }

    fn micros(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.opened).as_micros()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn near_clients_get_little_at_a_time_and_far_ones_what_a_round_trip_takes() {
        let opened = Instant::now();
        let at = |ms: u64| opened + Duration::from_millis(ms);
        let size = FetchSize::new(opened);
        assert_eq!(size.most(at(1)), 1 << 20);
        size.ready(at(1000));
        assert_eq!(size.most(at(1001)), 1 << 20);
        assert_eq!(size.most(at(1080)), 8_000_000);
        assert_eq!(size.most_contested(at(1001)), 256 << 10);
        assert_eq!(size.most_contested(at(1020)), 500_000);
        assert_eq!(size.most_contested(at(1080)), 1 << 20);
        size.ready(at(1100));
        assert_eq!(size.most(at(1100)), 1 << 20);
    }
}
