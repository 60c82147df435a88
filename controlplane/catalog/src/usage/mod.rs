//! Usage: what principals and clusters used, minute by minute, as the brokers counted it. What the numbers mean and how they add
//! up is in `docs/metering.md`.
//!
//! | module | what is in it |
//! |---|---|
//! | `recording` | brokers write rows of absolute values: a repeat changes nothing |
//! | `reading` | sums over hours, days or minutes, for whoever may see them |
//! | `rolling` | old minutes become hours, very old hours go |

mod reading;
mod recording;
mod rolling;

use std::ops::AddAssign;

use crate::ids::{ClusterId, IncarnationId, OrganizationId};

pub use reading::{Granularity, Grouping, UsageItem, UsageKey, UsageQuery};
pub use rolling::{HOUR_ROWS_KEPT_MINUTES, MINUTE_ROWS_KEPT_MINUTES};

/// Minutes of an hour.
pub const HOUR: i64 = 60;
/// Minutes of a day.
pub const DAY: i64 = 24 * HOUR;
/// How old a row may be that a broker still writes, in minutes: older ones may be rolled up already.
pub const LATEST_MINUTES: i64 = DAY;

/// How much was used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amounts {
    /// Bytes of request frames.
    pub bytes_in: i64,
    /// Bytes of response frames.
    pub bytes_out: i64,
    /// Bytes of record batches that were appended.
    pub produced_bytes: i64,
    /// Bytes of record batches that were returned.
    pub fetched_bytes: i64,
    /// Requests.
    pub requests: i64,
    /// The most connections that were open at a time.
    pub connections_peak: i64,
    /// Bytes that records took up, times the minutes for which they did.
    pub storage_byte_minutes: i64,
    /// Partitions, times the minutes for which they were there.
    pub partition_minutes: i64,
}

impl Amounts {
    /// Whether nothing was used.
    pub fn is_zero(&self) -> bool {
        *self == Self::default()
    }
}

impl AddAssign for Amounts {
    /// Adds what was used at another time: the peak of connections is the higher one.
    fn add_assign(&mut self, other: Self) {
        let add = |sum: &mut i64, more: i64| *sum = sum.saturating_add(more);
        add(&mut self.bytes_in, other.bytes_in);
        add(&mut self.bytes_out, other.bytes_out);
        add(&mut self.produced_bytes, other.produced_bytes);
        add(&mut self.fetched_bytes, other.fetched_bytes);
        add(&mut self.requests, other.requests);
        self.connections_peak = self.connections_peak.max(other.connections_peak);
        add(&mut self.storage_byte_minutes, other.storage_byte_minutes);
        add(&mut self.partition_minutes, other.partition_minutes);
    }
}

/// What one broker counted in one minute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageRow {
    /// Whose cluster it is.
    pub organization: OrganizationId,
    /// The cluster.
    pub cluster: ClusterId,
    /// Who used it, as [`crate::commands::Principal`] prints; empty for what the cluster as a whole takes up.
    pub principal: String,
    /// Which minute, since the Unix epoch.
    pub minute: i64,
    /// Who counted.
    pub incarnation: IncarnationId,
    /// All that it counted in that minute so far.
    pub amounts: Amounts,
}
