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

/// How many buckets of one form one cluster has.
const MOST_BUCKETS: usize = 4_096;
/// How many of them one user or address has. Beyond that, which only somebody comes to who changes its client id again and again, all
/// that is its own shares one; nobody else's is among it.
const MOST_OF_ONE: usize = 256;
/// A bucket that was not used for so long is as good as new: longer than any burst or debt that matters.
const IDLE: Nanos = 600 * 1_000_000_000;
/// How often at most a full table is searched for idle buckets.
const BETWEEN_SWEEPS: Nanos = 1_000_000_000;
/// A limit of so many bytes a second or more is none.
const NO_LIMIT: u64 = 1 << 40;
/// For how many seconds of a cluster's limit may be saved up.
const BURST_SECONDS: f64 = 1.0;

/// One cluster at one broker.
#[derive(Default)]
pub(super) struct Book {
    buckets: Mutex<Buckets>,
    pub(super) ingress: Way,
    pub(super) egress: Way,
    pub(super) account: Account,
}

/// Whose a bucket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Form {
    User,
    Client,
    UserClient,
    Address,
    /// What one user or address shares with itself.
    Rest,
}

/// A bucket as it is looked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Whose {
    pub(super) form: Form,
    /// A hash of whom it is for.
    pub(super) owner: u64,
    /// A hash of the user or address that asks.
    pub(super) asks: u64,
}

#[derive(Default)]
struct Buckets {
    of_forms: HashMap<Form, Table>,
}

/// The buckets of one form.
#[derive(Default)]
struct Table {
    buckets: HashMap<(QuotaKey, u64), Entry>,
    /// How many somebody has asked for first.
    made: HashMap<u64, usize>,
    swept: Option<Nanos>,
}

struct Entry {
    bucket: Arc<Bucket>,
    made_for: u64,
}

impl Book {
    /// The bucket of whoever this is.
    pub(super) fn bucket(&self, key: QuotaKey, whose: Whose, now: Nanos) -> Arc<Bucket> {
        let mut buckets = self.buckets.lock();
        let table = buckets.of_forms.entry(whose.form).or_default();
        if let Some(bucket) = table.bucket((key, whose.owner), whose.asks, now) {
            return bucket;
        }
        let rest = buckets.of_forms.entry(Form::Rest).or_default();
        rest.make((key, whose.asks), whose.asks)
    }

    /// Forgets idle buckets. Whether nothing is left that anybody would miss.
    pub(super) fn sweep(&self, now: Nanos) -> bool {
        let mut buckets = self.buckets.lock();
        buckets.of_forms.retain(|_, table| {
            table.sweep(now);
            !table.buckets.is_empty()
        });
        buckets.of_forms.is_empty() && self.ingress.is_idle(now) && self.egress.is_idle(now)
    }
}

impl Table {
    /// The bucket, if it is there or there is a place for it.
    fn bucket(&mut self, of: (QuotaKey, u64), asks: u64, now: Nanos) -> Option<Arc<Bucket>> {
        if let Some(entry) = self.buckets.get(&of) {
            return Some(Arc::clone(&entry.bucket));
        }
        if !self.has_place(asks) && self.swept.is_none_or(|swept| now - swept > BETWEEN_SWEEPS) {
            self.sweep(now);
        }
        self.has_place(asks).then(|| self.make(of, asks))
    }

    fn has_place(&self, asks: u64) -> bool {
        let made = self.made.get(&asks).copied().unwrap_or(0);
        self.buckets.len() < MOST_BUCKETS && made < MOST_OF_ONE
    }

    fn make(&mut self, of: (QuotaKey, u64), asks: u64) -> Arc<Bucket> {
        let made = &mut self.made;
        let entry = self.buckets.entry(of).or_insert_with(|| {
            *made.entry(asks).or_default() += 1;
            Entry {
                bucket: Arc::default(),
                made_for: asks,
            }
        });
        Arc::clone(&entry.bucket)
    }

    fn sweep(&mut self, now: Nanos) {
        self.swept = Some(now);
        self.buckets.retain(|_, Entry { bucket, .. }| {
            Arc::strong_count(bucket) > 1 || !bucket.is_idle_since(now - IDLE)
        });
        self.made.clear();
        for entry in self.buckets.values() {
            *self.made.entry(entry.made_for).or_default() += 1;
        }
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
            // Else whoever takes much at once would have the rest for nothing.
            most_debt_seconds: f64::INFINITY,
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

    /// Whether there is a limit.
    pub(super) fn is_limited(&self) -> bool {
        self.limit.load(Ordering::Relaxed) < NO_LIMIT
    }

    /// Takes bytes that may be used. Whether there is anything to give back.
    pub(super) fn reserve(&self, bytes: usize, now: Nanos) -> bool {
        let Some(rate) = self.rate() else { return false };
        self.bucket.take(bytes as f64, rate, now);
        true
    }

    /// Gives back what was reserved.
    pub(super) fn give_back(&self, bytes: usize) {
        self.bucket.give_back(bytes as f64);
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
        let paid = || {
            self.rate()
                .is_none_or(|rate| self.bucket.debt(rate, now).is_zero())
        };
        self.bucket.is_idle_since(now - IDLE) && paid()
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

    fn whose(form: Form, owner: u64, asks: u64) -> Whose {
        Whose { form, owner, asks }
    }

    #[test]
    fn ever_new_client_ids_of_one_user_take_a_bounded_number_of_buckets_and_none_of_anybody_elses() {
        let key = QuotaKey::ProducerByteRate;
        for form in [Form::Client, Form::UserClient] {
            let book = Book::default();
            let kept = book.bucket(key, whose(form, u64::MAX, 1), 0);
            for owner in 1_000..100_000 {
                book.bucket(key, whose(form, owner, 1), 0).take(1.0, RATE, 0);
            }
            let all = |book: &Book| -> usize {
                let buckets = book.buckets.lock();
                buckets.of_forms.values().map(|table| table.buckets.len()).sum()
            };
            assert!(all(&book) <= MOST_OF_ONE + 1);
            let crowded = book.bucket(key, whose(form, 200_000, 1), 0);
            assert!(Arc::ptr_eq(
                &crowded,
                &book.bucket(key, whose(form, 200_001, 1), 0)
            ));
            assert!(
                Arc::ptr_eq(&kept, &book.bucket(key, whose(form, u64::MAX, 1), 0)),
                "who was there first keeps its own"
            );
            // Another user's clients each have their own, and users have theirs.
            for (form, owner, asks) in [(form, 300_000, 2), (form, 300_001, 2), (Form::User, 3, 3)] {
                let own = book.bucket(key, whose(form, owner, asks), 0);
                assert!(!Arc::ptr_eq(&own, &crowded) && own.debt(RATE, 0).is_zero());
            }
            // Many such users share only with themselves.
            for asks in 10..100 {
                for owner in 0..300 {
                    book.bucket(key, whose(form, asks * 1_000 + owner, asks), 0);
                }
            }
            assert!(all(&book) <= MOST_BUCKETS + 1 + 1 + 90);
            let own = book.bucket(key, whose(form, 400_000, 5), 0);
            assert!(!Arc::ptr_eq(&own, &book.bucket(key, whose(form, 400_001, 6), 0)));
            drop(own);
            // Once they are idle, there is room again; what a connection holds stays.
            assert!(!book.sweep(2 * IDLE) && all(&book) <= 2);
            drop((kept, crowded));
            assert!(book.sweep(2 * IDLE));
        }
    }

    #[test]
    fn a_clusters_debt_is_never_forgotten_before_it_is_paid() {
        let way = Way::default();
        way.set_limit(1_000, 1);
        for _ in 0..1_000 {
            way.take(1_000, 0);
        }
        assert!(!way.debt(998 * SECOND).is_zero());
        let long = Way::default();
        long.set_limit(1_000, 1);
        long.take(2_000_000, 0);
        assert!(!long.is_idle(IDLE + SECOND), "it is untouched, but not paid");
        assert!(long.is_idle(5 * IDLE));
    }

    #[test]
    fn what_is_reserved_is_seen_by_others_until_it_is_given_back() {
        let way = Way::default();
        way.set_limit(1_000, 1);
        assert!(way.reserve(1_500, 0));
        assert_eq!(way.debt(0), Duration::from_millis(500));
        way.give_back(1_500);
        assert!(way.debt(0).is_zero());
        // Giving back makes no more than there was.
        way.give_back(9_000);
        assert_eq!(way.take(2_000, 0), Duration::from_secs(1));
        way.set_limit(i64::MAX, 1);
        assert!(!way.reserve(1, 0));
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
