//! What the threads of a load count, readable while they run.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hdrhistogram::Histogram;

/// Requests and bytes that were acknowledged, or fetched.
#[derive(Debug, Default)]
pub struct Gauge {
    requests: AtomicU64,
    bytes: AtomicU64,
}

/// A gauge's state at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Requests that were answered.
    pub requests: u64,
    /// Bytes of batches that they carried.
    pub bytes: u64,
}

impl Gauge {
    /// One more answer, for `bytes` of batches.
    pub fn add(&self, bytes: u64) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// What was counted so far.
    pub fn counted(&self) -> Counted {
        Counted {
            requests: self.requests.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
        }
    }
}

impl Counted {
    /// What came after `earlier`.
    pub fn since(self, earlier: Self) -> Self {
        Self {
            requests: self.requests - earlier.requests,
            bytes: self.bytes - earlier.bytes,
        }
    }
}

/// Latencies in microseconds, from 1 us to 5 minutes, with three digits.
#[derive(Clone, Debug)]
pub struct Latencies(pub Histogram<u64>);

impl Latencies {
    const LONGEST_US: u64 = 300_000_000;

    /// No latencies yet.
    pub fn new() -> Self {
        let histogram = Histogram::new_with_bounds(1, Self::LONGEST_US, 3);
        Self(histogram.expect("the bounds are constants that hdrhistogram accepts"))
    }

    /// Adds one.
    pub fn record(&mut self, latency: Duration) {
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        self.0.saturating_record(micros.max(1));
    }

    /// Adds those of another one.
    pub fn add(&mut self, other: &Self) {
        self.0
            .add(&other.0)
            .expect("all histograms here have the same bounds");
    }
}
