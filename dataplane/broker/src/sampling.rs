//! Log lines that clients cause: some a second, and how many there were beside them.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

/// How many are logged in one span of time.
const MOST: u32 = 10;
const SPAN: Duration = Duration::from_secs(1);

/// Says of which events a line is logged.
#[derive(Default)]
pub(crate) struct Sampled(Mutex<Span>);

#[derive(Default)]
struct Span {
    since: Option<Instant>,
    logged: u32,
    passed_over: u64,
}

impl Sampled {
    /// Whether one more is logged, and how many were not since the last that was.
    pub(crate) fn take(&self, now: Instant) -> Option<u64> {
        let mut span = self.0.lock();
        if span.since.is_none_or(|since| now - since >= SPAN) {
            span.since = Some(now);
            span.logged = 0;
        }
        if span.logged == MOST {
            span.passed_over += 1;
            return None;
        }
        span.logged += 1;
        Some(std::mem::take(&mut span.passed_over))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn some_a_second_are_logged_and_the_others_counted() {
        let sampled = Sampled::default();
        let start = Instant::now();
        let taken: Vec<_> = (0..15).map(|_| sampled.take(start)).collect();
        assert_eq!(taken[..10], [Some(0); 10]);
        assert_eq!(taken[10..], [None; 5]);
        assert_eq!(sampled.take(start + SPAN), Some(5));
        assert_eq!(sampled.take(start + SPAN), Some(0));
    }
}
