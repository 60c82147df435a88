//! Lag: how far consumer groups are behind, now and minute by minute.
//!
//! | module | what is in it |
//! |---|---|
//! | [`positions`] | how a broker is asked where partitions that it leads begin and end, and how old what comes at an offset is |
//! | `recording` | brokers write a row for each group, topic and minute: a repeat changes nothing |
//! | `reading` | the history of one group |
//! | `thinning` | old minutes are thinned, very old ones go |

pub mod positions;
mod reading;
mod recording;
mod thinning;

use ring::digest::{SHA256, digest};

use crate::ids::ClusterId;

pub use reading::{LagPoint, LagQuery};
pub use thinning::{KEPT_MINUTES, THINNED_AFTER_MINUTES, THINNED_STEP_MINUTES};

/// How far a group was behind in a topic, in one minute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LagRow {
    /// The cluster.
    pub cluster: ClusterId,
    /// The group, by [`group_digest`].
    pub group: String,
    /// The topic's name.
    pub topic: String,
    /// Which minute, since the Unix epoch.
    pub minute: i64,
    /// Records that the group had not passed, in all partitions together.
    pub lag_records: i64,
    /// How old the oldest of them was, in ms; `None`: that is not known.
    pub lag_ms: Option<i64>,
}

/// What stands for a group's name in rows: names are any text, and longer than a key of an index may be.
pub fn group_digest(name: &str) -> String {
    hex::encode(digest(&SHA256, name.as_bytes()))
}
