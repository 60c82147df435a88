//! Failures in the log: why, without secrets, and not more than a few a second.

use std::net::IpAddr;

use tokio::time::Instant;
use tracing::info;

use super::credentials::Refused;
use crate::sampling::Sampled;

/// Logs some failures, and how many others there were.
#[derive(Default)]
pub(crate) struct Failures(Sampled);

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
        if let Some(passed_over) = self.0.take(now) {
            let reason = refused.0;
            info!(connection, %address, mechanism, reason, passed_over, "authentication failed");
        }
    }
}
