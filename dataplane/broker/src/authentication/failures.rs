//! Failures in the log: why, without secrets, and not more than a few a second.

use std::net::IpAddr;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;
use tracing::info;

use super::credentials::Refused;

/// How many are logged in one span of time.
const MOST: u32 = 10;
const SPAN: Duration = Duration::from_secs(1);

/// Logs some failures, and how many others there were.
#[derive(Default)]
pub(crate) struct Failures(Mutex<Sample>);

#[derive(Default)]
struct Sample {
    since: Option<Instant>,
    logged: u32,
    passed_over: u64,
}

impl Sample {
    /// Whether one more is logged, and how many were not since the last that was.
    fn take(&mut self, now: Instant) -> Option<u64> {
        if self.since.is_none_or(|since| now - since >= SPAN) {
            self.since = Some(now);
            self.logged = 0;
        }
        if self.logged == MOST {
            self.passed_over += 1;
            return None;
        }
        self.logged += 1;
        Some(std::mem::take(&mut self.passed_over))
    }
}

impl Failures {
    /// A client failed to authenticate.
    pub(crate) fn log(
        &self,
        now: Instant,
        connection: u64,
        address: IpAddr,
        mechanism: &str,
        refused: Refused,
    ) {
        let taken = self.0.lock().take(now);
        if let Some(passed_over) = taken {
            let reason = refused.0;
            info!(connection, %address, mechanism, reason, passed_over, "authentication failed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn some_a_second_are_logged_and_the_others_counted() {
        let mut sample = Sample::default();
        let start = Instant::now();
        let taken: Vec<_> = (0..15).map(|_| sample.take(start)).collect();
        assert_eq!(taken[..10], [Some(0); 10]);
        assert_eq!(taken[10..], [None; 5]);
        assert_eq!(sample.take(start + SPAN), Some(5));
        assert_eq!(sample.take(start + SPAN), Some(0));
    }
}
