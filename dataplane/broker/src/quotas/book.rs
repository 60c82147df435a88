//! What one broker keeps of one cluster: its buckets, its part of the cluster's limits, and who waits.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use firn_catalog::quota::QuotaKey;
use parking_lot::Mutex;

use super::account::Account;
use super::bucket::{Bucket, Nanos, Rate};
use super::sharing;

/// How many buckets one cluster has for its clients. Those beyond, which only somebody makes who changes its client id again and
/// again, share a few.
const MOST_BUCKETS: usize = 4_096;
const SHARED: u64 = 64;
/// A bucket that was not used for so long is as good as new: longer than any burst or debt that matters.
const IDLE: Nanos = 600 * 1_000_000_000;
/// How often at most a full table is searched for idle buckets.
const BETWEEN_SWEEPS: Nanos = 1_000_000_000;
/// A limit of so many bytes a second or more is none.
const NO_LIMIT: u64 = 1 << 40;
/// For how many seconds of a cluster's limit may be saved up.
const BURST_SECONDS: f64 = 1.0;
/// The debt of a cluster that is remembered, in seconds.
const MOST_DEBT_SECONDS: f64 = 60.0;

/// One cluster at one broker.
#[derive(Default)]
pub(super) struct Book {
    buckets: Mutex<Buckets>,
    pub(super) ingress: Way,
    pub(super) egress: Way,
    pub(super) account: Account,
}

#[derive(Default)]
struct Buckets {
    of_clients: HashMap<(QuotaKey, u64), Arc<Bucket>>,
    swept: Option<Nanos>,
}

impl Book {
    /// The bucket of whoever this is the hash of.
    pub(super) fn bucket(&self, key: QuotaKey, whose: u64, now: Nanos) -> Arc<Bucket> {
        let mut buckets = self.buckets.lock();
        if let Some(bucket) = buckets.of_clients.get(&(key, whose)) {
            return Arc::clone(bucket);
        }
        let full = buckets.of_clients.len() >= MOST_BUCKETS;
        if full && buckets.swept.is_none_or(|swept| now - swept > BETWEEN_SWEEPS) {
            buckets.sweep(now);
        }
        let whose = match buckets.of_clients.len() >= MOST_BUCKETS {
            true => whose % SHARED,
            false => whose,
        };
        Arc::clone(buckets.of_clients.entry((key, whose)).or_default())
    }

    /// Forgets idle buckets. Whether nothing is left that anybody would miss.
    pub(super) fn sweep(&self, now: Nanos) -> bool {
        let mut buckets = self.buckets.lock();
        buckets.sweep(now);
        buckets.of_clients.is_empty() && self.ingress.is_idle(now) && self.egress.is_idle(now)
    }
}

impl Buckets {
    fn sweep(&mut self, now: Nanos) {
        self.swept = Some(now);
        self.of_clients
            .retain(|_, bucket| Arc::strong_count(bucket) > 1 || !bucket.is_idle_since(now - IDLE));
    }
}

/// One way of a cluster's bytes: in or out.
#[derive(Default)]
pub(super) struct Way {
    bucket: Bucket,
    /// Of the whole cluster; 0: not known yet.
    limit: AtomicU64,
    /// What this broker has of it.
    share: AtomicU64,
    /// Taken since the last turn.
    used: AtomicU64,
    throttled: AtomicBool,
    /// What was wanted at the last turn, as the bits of an f64.
    wanted: AtomicU64,
}

impl Way {
    /// The cluster's limit is this, shared by so many brokers.
    pub(super) fn set_limit(&self, limit: i64, brokers: usize) {
        let limit = u64::try_from(limit).unwrap_or(0).max(1);
        if self.limit.swap(limit, Ordering::Relaxed) != limit {
            let equal = limit / u64::try_from(brokers.max(1)).unwrap_or(1);
            self.share.store(equal.max(1), Ordering::Relaxed);
        }
    }

    /// The limit, and what this broker has of it.
    pub(super) fn limit(&self) -> (u64, u64) {
        (
            self.limit.load(Ordering::Relaxed),
            self.share.load(Ordering::Relaxed),
        )
    }

    fn rate(&self) -> Option<Rate> {
        let (limit, share) = self.limit();
        (limit < NO_LIMIT).then_some(Rate {
            per_second: share as f64,
            burst_seconds: BURST_SECONDS,
            most_debt_seconds: MOST_DEBT_SECONDS,
        })
    }

    /// Bytes that may be taken at once so that they are no lump.
    pub(super) fn portion(&self) -> Option<usize> {
        let rate = self.rate()?;
        Some((rate.per_second / 4.0) as usize)
    }

    /// Takes bytes. How long until they are paid.
    pub(super) fn take(&self, bytes: usize, now: Nanos) -> Duration {
        let Some(rate) = self.rate() else {
            return Duration::ZERO;
        };
        self.used.fetch_add(bytes as u64, Ordering::Relaxed);
        self.told(self.bucket.take(bytes as f64, rate, now))
    }

    /// How long until all that was taken is paid.
    pub(super) fn debt(&self, now: Nanos) -> Duration {
        let Some(rate) = self.rate() else {
            return Duration::ZERO;
        };
        self.told(self.bucket.debt(rate, now))
    }

    fn told(&self, wait: Duration) -> Duration {
        if !wait.is_zero() {
            self.throttled.store(true, Ordering::Relaxed);
        }
        wait
    }

    /// A turn of so many seconds is over: what is wanted, in bytes a second; nothing, if there is no limit.
    pub(super) fn turn(&self, seconds: f64) -> f64 {
        let used = self.used.swap(0, Ordering::Relaxed) as f64 / seconds;
        let throttled = self.throttled.swap(false, Ordering::Relaxed);
        let before = f64::from_bits(self.wanted.load(Ordering::Relaxed));
        let (_, share) = self.limit();
        let wanted = sharing::demand(before, used, share as f64, throttled);
        let wanted = if wanted < 1.0 { 0.0 } else { wanted };
        self.wanted.store(wanted.to_bits(), Ordering::Relaxed);
        wanted
    }

    /// This broker has so much from now on, where others want so much, and of some nothing is known.
    pub(super) fn share_with(&self, heard: &[f64], unheard: usize) {
        let (limit, _) = self.limit();
        let own = f64::from_bits(self.wanted.load(Ordering::Relaxed));
        let share = sharing::share(limit as f64, own, heard, unheard);
        self.share.store((share as u64).max(1), Ordering::Relaxed);
    }

    fn is_idle(&self, now: Nanos) -> bool {
        self.bucket.is_idle_since(now - IDLE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Nanos = 1_000_000_000;
    const RATE: Rate = Rate {
        per_second: 10.0,
        burst_seconds: 1.0,
        most_debt_seconds: 900.0,
    };

    #[test]
    fn ever_new_clients_take_a_bounded_number_of_buckets_and_then_share() {
        let book = Book::default();
        let key = QuotaKey::ProducerByteRate;
        let kept = book.bucket(key, u64::MAX, 0);
        for whose in 1_000..100_000 {
            book.bucket(key, whose, 0).take(1.0, RATE, 0);
        }
        assert!(book.buckets.lock().of_clients.len() <= MOST_BUCKETS + SHARED as usize);
        let crowded = book.bucket(key, 7 + SHARED * 1_000_000, 0);
        assert!(Arc::ptr_eq(
            &crowded,
            &book.bucket(key, 7 + SHARED * 2_000_000, 0)
        ));
        assert!(
            Arc::ptr_eq(&kept, &book.bucket(key, u64::MAX, 0)),
            "who was there first keeps its own"
        );
        // Once they are idle, there is room again; what a connection holds stays.
        assert!(!book.sweep(2 * IDLE) && book.buckets.lock().of_clients.len() <= 2);
        drop((kept, crowded));
        assert!(book.sweep(2 * IDLE));
    }

    #[test]
    fn a_limit_is_shared_equally_at_first_and_a_very_high_one_is_none() {
        let way = Way::default();
        way.set_limit(1_000, 4);
        assert_eq!(way.limit(), (1_000, 250));
        assert_eq!(way.take(500, 0), Duration::from_secs(1));
        assert_eq!(way.debt(SECOND / 2), Duration::from_millis(500));
        way.set_limit(i64::MAX, 4);
        assert_eq!(
            (way.take(usize::MAX, 0), way.debt(0)),
            (Duration::ZERO, Duration::ZERO)
        );
    }

    #[test]
    fn a_turn_tells_what_is_wanted_and_the_share_follows() {
        let way = Way::default();
        way.set_limit(1_000, 2);
        way.take(5_000, 0);
        let wanted = way.turn(1.0);
        assert_eq!(wanted, 7_500.0, "clients wait: more is wanted than they got");
        way.share_with(&[0.0], 0);
        assert_eq!(way.limit().1, 1_000);
        way.share_with(&[], 1);
        assert_eq!(way.limit().1, 500);
        for _ in 0..20 {
            way.turn(1.0);
        }
        assert_eq!(way.turn(1.0), 0.0, "nothing is wanted any more");
    }
}
