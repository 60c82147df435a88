//! How often a caller may ask: a bucket for each, in memory, that fills steadily.
//!
//! A caller without a live credential shares the bucket of its address; of an IPv6 one the first 64 bits count. Several control
//! planes each have buckets of their own.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use firn_catalog::commands::Principal;
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::net::network_of;

/// Requests in a window, for each caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimits {
    /// With a live credential.
    pub per_principal: u32,
    /// Without one, for each address.
    pub per_address: u32,
}

/// The time in which an empty bucket fills.
pub(crate) const WINDOW: Duration = Duration::from_secs(60);
/// How many buckets are remembered; past that, full ones are forgotten, then everything.
const MOST_BUCKETS: usize = 100_000;

impl Default for RateLimits {
    fn default() -> Self {
        Self {
            per_principal: 1_200,
            per_address: 600,
        }
    }
}

/// Whose bucket.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Bucket {
    /// Of somebody with a live credential.
    Principal(String),
    /// Of everybody else at an address; `None`: not known from where.
    Address(Option<IpAddr>),
}

impl Bucket {
    pub(crate) fn of(principal: Option<&Principal>, address: Option<IpAddr>) -> Self {
        match principal {
            Some(principal) => Self::Principal(principal.to_string()),
            None => Self::Address(address.map(network_of)),
        }
    }
}

/// What a bucket said to one more request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// Whether it may go on.
    pub(crate) admitted: bool,
    limit: u32,
    remaining: u32,
    /// Until the bucket is full again.
    reset: Duration,
    /// Until there is room for one more.
    pub(crate) retry: Duration,
}

/// All buckets. For each, when it will be full again (GCRA): a moment in the past is a full one.
pub(crate) struct Limiter {
    limits: RateLimits,
    full_at: Mutex<BTreeMap<Bucket, Instant>>,
}

impl Limiter {
    pub(crate) fn new(limits: RateLimits) -> Self {
        Self {
            limits,
            full_at: Mutex::default(),
        }
    }

    /// Takes one from the bucket.
    pub(crate) fn take(&self, bucket: Bucket) -> Verdict {
        let limit = self.limit_of(&bucket);
        let (now, each) = (Instant::now(), WINDOW / limit);
        let mut full_at = self.full_at.lock();
        if full_at.len() >= MOST_BUCKETS && !full_at.contains_key(&bucket) {
            full_at.retain(|_, full| *full > now);
            if full_at.len() >= MOST_BUCKETS {
                full_at.clear();
            }
        }
        let entry = full_at.entry(bucket).or_insert(now);
        let after = (*entry).max(now) + each;
        let missing = after - now;
        let admitted = missing <= WINDOW;
        if admitted {
            *entry = after;
        }
        let reset = entry.saturating_duration_since(now);
        let room = WINDOW.saturating_sub(reset).as_nanos() / each.as_nanos().max(1);
        Verdict {
            admitted,
            limit,
            remaining: u32::try_from(room).unwrap_or(limit).min(limit),
            reset,
            retry: missing.saturating_sub(WINDOW),
        }
    }
}

impl Limiter {
    /// Puts one back that was taken for nothing.
    pub(crate) fn give_back(&self, bucket: &Bucket) {
        let each = WINDOW / self.limit_of(bucket);
        if let Some(full_at) = self.full_at.lock().get_mut(bucket) {
            *full_at = full_at.checked_sub(each).unwrap_or(*full_at);
        }
    }

    fn limit_of(&self, bucket: &Bucket) -> u32 {
        let limit = match bucket {
            Bucket::Principal(_) => self.limits.per_principal,
            Bucket::Address(_) => self.limits.per_address,
        };
        limit.max(1)
    }
}

fn whole_seconds(duration: Duration) -> u64 {
    duration
        .as_millis()
        .div_ceil(1_000)
        .try_into()
        .unwrap_or(u64::MAX)
}

impl Verdict {
    /// How many whole seconds to wait.
    pub(crate) fn retry_after(&self) -> u64 {
        whole_seconds(self.retry).max(1)
    }

    /// Tells the caller where it stands.
    pub(crate) fn write(&self, headers: &mut HeaderMap) {
        let mut put = |name: &'static str, value: HeaderValue| {
            headers.insert(HeaderName::from_static(name), value);
        };
        put("ratelimit-limit", HeaderValue::from(self.limit));
        put("ratelimit-remaining", HeaderValue::from(self.remaining));
        put("ratelimit-reset", HeaderValue::from(whole_seconds(self.reset)));
        if let Ok(policy) = HeaderValue::try_from(format!("{};w={}", self.limit, WINDOW.as_secs())) {
            put("ratelimit-policy", policy);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Bucket {
        Bucket::of(None, Some(text.parse().unwrap()))
    }

    #[tokio::test(start_paused = true)]
    async fn a_bucket_empties_fills_again_and_is_its_owners_own() {
        let limits = RateLimits {
            per_principal: 9,
            per_address: 3,
        };
        let limiter = Limiter::new(limits);
        for left in [2, 1, 0] {
            let verdict = limiter.take(address("10.0.0.1"));
            assert!(verdict.admitted && verdict.remaining == left, "{verdict:?}");
        }
        let refused = limiter.take(address("10.0.0.1"));
        assert!(!refused.admitted && refused.retry_after() == 20, "{refused:?}");
        assert!(limiter.take(address("10.0.0.2")).admitted);
        tokio::time::advance(Duration::from_secs(20)).await;
        assert!(limiter.take(address("10.0.0.1")).admitted);
        assert!(!limiter.take(address("10.0.0.1")).admitted);
    }

    #[tokio::test(start_paused = true)]
    async fn addresses_of_one_ipv6_network_share_a_bucket() {
        let limiter = Limiter::new(RateLimits {
            per_principal: 9,
            per_address: 1,
        });
        assert!(limiter.take(address("2001:db8::1")).admitted);
        assert!(!limiter.take(address("2001:db8::2")).admitted);
        assert!(limiter.take(address("2001:db8:0:1::1")).admitted);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_given_back_can_be_taken_again() {
        let limiter = Limiter::new(RateLimits {
            per_principal: 9,
            per_address: 1,
        });
        for _ in 0..3 {
            assert!(limiter.take(address("10.0.0.1")).admitted);
            limiter.give_back(&address("10.0.0.1"));
        }
        assert!(limiter.take(address("10.0.0.1")).admitted);
        assert!(!limiter.take(address("10.0.0.1")).admitted);
    }
}
