//! A token bucket that lends: what is taken beyond what is there is a debt, which the time pays back at the rate.
//!
//! So no request is refused or split, and over any time `t` no more is taken than `rate * (t + burst)` and what those requests took
//! that were let in before the debt was told. Kafka measures a rate over eleven samples of a second instead; its clients see the same
//! throttle times, but after a quiet time it lets through ten seconds' worth at once.

use std::time::Duration;

use parking_lot::Mutex;

/// Nanoseconds on the ledger's own clock.
pub(super) type Nanos = i64;

const SECOND: f64 = 1e9;
/// The longest that a client is told to wait at a time.
const LONGEST: Duration = Duration::from_secs(300);

/// How much in a second, and for how many seconds it may be saved up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rate {
    pub(super) per_second: f64,
    pub(super) burst_seconds: f64,
    /// The most seconds of debt that are remembered.
    pub(super) most_debt_seconds: f64,
}

/// What one bucket holds.
#[derive(Debug, Default)]
pub(super) struct Bucket(Mutex<Level>);

#[derive(Debug, Default)]
struct Level {
    /// Negative: a debt.
    tokens: f64,
    /// As of when; before the first use there is none.
    at: Option<Nanos>,
}

impl Level {
    fn pass(&mut self, rate: Rate, now: Nanos) {
        let full = rate.per_second * rate.burst_seconds;
        self.tokens = match self.at {
            None => full,
            Some(at) => {
                let passed = now.saturating_sub(at).max(0) as f64 / SECOND;
                (self.tokens + passed * rate.per_second).min(full)
            }
        };
        // Of two that look at the clock at the same time the later one may come first.
        self.at = Some(self.at.map_or(now, |at| at.max(now)));
    }

    fn debt(&self, rate: Rate) -> Duration {
        if self.tokens >= 0.0 {
            return Duration::ZERO;
        }
        let wait = Duration::try_from_secs_f64(-self.tokens / rate.per_second).unwrap_or(LONGEST);
        wait.min(LONGEST)
    }
}

impl Bucket {
    /// Takes so much, and says how long it takes until all is paid.
    pub(super) fn take(&self, amount: f64, rate: Rate, now: Nanos) -> Duration {
        let mut level = self.0.lock();
        level.pass(rate, now);
        let most = rate.per_second * rate.most_debt_seconds;
        // What one request takes is never forgotten as a whole, however low the rate.
        level.tokens = (level.tokens - amount).max(-most.max(amount));
        level.debt(rate)
    }

    /// How long it takes until all is paid.
    pub(super) fn debt(&self, rate: Rate, now: Nanos) -> Duration {
        let mut level = self.0.lock();
        level.pass(rate, now);
        level.debt(rate)
    }

    /// Puts back what was taken and not used.
    pub(super) fn give_back(&self, amount: f64) {
        // What is too much goes when the time next passes.
        self.0.lock().tokens += amount;
    }

    /// Whether it has not been touched since `then`.
    pub(super) fn is_idle_since(&self, then: Nanos) -> bool {
        self.0.lock().at.is_none_or(|at| at < then)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Nanos = 1_000_000;

    fn rate(per_second: f64) -> Rate {
        Rate {
            per_second,
            burst_seconds: 1.0,
            most_debt_seconds: 900.0,
        }
    }

    /// Numbers that look random and are the same in each run.
    fn numbers(mut seed: u64) -> impl FnMut(u64) -> u64 {
        move |below| {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % below
        }
    }

    #[test]
    fn any_window_of_30_s_is_within_a_tenth_of_the_quota_for_a_client_that_always_sends() {
        for seed in 0..50 {
            let mut number = numbers(seed);
            let quota = 10_000.0 + number(10_000_000) as f64;
            // Requests of up to a third of a second's worth, on up to five connections, each muted as it is told.
            let connections = 1 + number(5) as usize;
            let bucket = Bucket::default();
            let mut free_at = vec![0; connections];
            let mut sent: Vec<(Nanos, f64)> = Vec::new();
            for now in (0..120_000).map(|ms| ms * MS) {
                for free in &mut free_at {
                    if *free <= now {
                        let amount = quota / 3.0 * (1 + number(100)) as f64 / 100.0 / connections as f64;
                        sent.push((now, amount));
                        let wait = bucket.take(amount, rate(quota), now);
                        *free = now + Nanos::try_from(wait.as_nanos()).unwrap().max(MS);
                    }
                }
            }
            // From the moment on at which what was saved up is gone.
            for from in (2..90).map(|second| second * 1_000 * MS) {
                let window = from..from + 30_000 * MS;
                let taken: f64 = sent
                    .iter()
                    .filter(|(at, _)| window.contains(at))
                    .map(|(_, amount)| amount)
                    .sum();
                let share = taken / (30.0 * quota);
                assert!((0.9..=1.1).contains(&share), "seed {seed}: {share} from {from}");
            }
        }
    }

    #[test]
    fn any_window_is_bounded_however_a_client_times_its_requests() {
        for seed in 0..50 {
            let mut number = numbers(seed);
            let quota = 1_000.0 + number(1_000_000) as f64;
            let bucket = Bucket::default();
            let (mut now, mut free, mut sent) = (0, 0, Vec::new());
            while now < 90_000 * MS {
                now += Nanos::try_from(number(5_000)).unwrap() * MS;
                now = now.max(free);
                let amount = quota * number(1_000) as f64 / 1_000.0;
                sent.push((now, amount));
                let wait = bucket.take(amount, rate(quota), now);
                free = now + Nanos::try_from(wait.as_nanos()).unwrap();
            }
            for (from, _) in &sent {
                let window = *from..*from + 30_000 * MS;
                let taken: f64 = sent
                    .iter()
                    .filter(|(at, _)| window.contains(at))
                    .map(|(_, amount)| amount)
                    .sum();
                // A burst of a second, and the last request of the window.
                assert!(taken <= 32.0 * quota, "seed {seed}: {taken} of {quota}");
            }
        }
    }

    #[test]
    fn a_raised_quota_counts_at_once_and_a_debt_is_remembered_no_longer_than_it_is_said() {
        let bucket = Bucket::default();
        let waits = bucket.take(11_000.0, rate(1_000.0), 0);
        assert_eq!(waits, Duration::from_secs(10));
        assert_eq!(bucket.debt(rate(10_000.0), 0), Duration::from_secs(1));
        let forgetful = Rate {
            most_debt_seconds: 2.0,
            ..rate(1_000.0)
        };
        let bucket = Bucket::default();
        for _ in 0..10 {
            bucket.take(1_000.0, forgetful, 0);
        }
        assert_eq!(bucket.debt(forgetful, 0), Duration::from_secs(2));
    }

    #[test]
    fn nobody_waits_longer_than_the_longest_time_and_nothing_overflows() {
        let bucket = Bucket::default();
        for (amount, per_second) in [(1e300, 1.0), (1.0, f64::MIN_POSITIVE), (f64::MAX, f64::MAX)] {
            let waits = bucket.take(amount, rate(per_second), 0);
            assert!(waits <= LONGEST);
        }
        bucket.debt(rate(1.0), Nanos::MAX);
        assert!(bucket.debt(rate(1.0), Nanos::MIN) <= LONGEST);
    }
}
