//! How much may be read at a time, and how fast.

use parking_lot::Mutex;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Duration, Instant, sleep_until};

/// Bytes that one permit stands for.
const UNIT: u64 = 1024;
/// How much of an unused rate may be made up for at once.
const BURST: Duration = Duration::from_millis(250);

/// A bound on bytes under way and on bytes per second.
pub(super) struct Budget {
    inflight: Semaphore,
    units: u32,
    bytes_per_second: u64,
    /// When all that was admitted so far is paid for.
    paid: Mutex<Option<Instant>>,
}

impl Budget {
    pub fn new(inflight_bytes: u64, bytes_per_second: u64) -> Self {
        let units = u32::try_from(inflight_bytes / UNIT)
            .unwrap_or(u32::MAX)
            .clamp(1, u32::MAX >> 4);
        Self {
            inflight: Semaphore::new(units as usize),
            units,
            bytes_per_second: bytes_per_second.max(1),
            paid: Mutex::new(None),
        }
    }

    /// Waits until `bytes` may be read; they count as under way until the answer is dropped. More than the whole bound
    /// waits until nothing else is under way.
    pub async fn admit(&self, bytes: u64) -> SemaphorePermit<'_> {
        let units = u32::try_from(bytes.div_ceil(UNIT))
            .unwrap_or(u32::MAX)
            .clamp(1, self.units);
        let permit = self
            .inflight
            .acquire_many(units)
            .await
            .expect("the semaphore is never closed");
        if let Some(start) = self.reserve(bytes, Instant::now()) {
            sleep_until(start).await;
        }
        permit
    }

    /// When a read of `bytes` may start; `None`: now.
    fn reserve(&self, bytes: u64, now: Instant) -> Option<Instant> {
        let cost = Duration::from_secs_f64(bytes as f64 / self.bytes_per_second as f64);
        let mut paid = self.paid.lock();
        let start = match *paid {
            Some(paid) if paid + BURST > now => paid,
            _ => now.checked_sub(BURST).unwrap_or(now),
        };
        *paid = Some(start + cost);
        (start > now).then_some(start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn reads_are_held_to_the_rate_after_a_burst() {
        let budget = Budget::new(1 << 20, 100_000);
        let start = Instant::now();
        for _ in 0..20 {
            drop(budget.admit(10_000).await);
        }
        let taken = start.elapsed();
        assert!(taken > Duration::from_millis(1_600), "{taken:?}");
        assert!(taken < Duration::from_millis(2_000), "{taken:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn bytes_under_way_are_bounded_and_an_oversized_read_waits_for_all_others() {
        let budget = Budget::new(64 * 1024, u64::MAX);
        let first = budget.admit(60 * 1024).await;
        let wait = Duration::from_secs(1);
        assert!(tokio::time::timeout(wait, budget.admit(1 << 30)).await.is_err());
        drop(first);
        assert!(tokio::time::timeout(wait, budget.admit(1 << 30)).await.is_ok());
    }
}
