//! "Why throttled?": what a broker tells of the clients that it makes wait, when it is asked
//! [`Question::Throttles`](crate::internal::Question).

use serde::{Deserialize, Serialize};

use super::{QuotaEntity, QuotaKey};

/// Which limit makes a client wait.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// A client quota.
    Quota {
        /// Whose quota says so.
        entity: QuotaEntity,
        /// Which.
        key: QuotaKey,
        /// How much.
        value: f64,
    },
    /// The cluster's limit of bytes that clients send in a second.
    Ingress {
        /// The limit of the cluster.
        limit: u64,
        /// What this broker has of it now.
        share: u64,
    },
    /// The cluster's limit of bytes that clients receive in a second.
    Egress {
        /// The limit of the cluster.
        limit: u64,
        /// What this broker has of it now.
        share: u64,
    },
}

/// A client that one broker makes wait, or made wait lately.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Throttle {
    /// The user: the name after `User:`.
    pub principal: String,
    /// The client id; at most 128 bytes of it.
    pub client_id: String,
    /// By what.
    pub limit: Limit,
    /// Since when it waits again and again, in ms since 1970.
    pub since_ms: i64,
    /// Until when it was told to wait last, in ms since 1970; in the past, if it no longer waits.
    pub until_ms: i64,
    /// How long it has been told to wait since then, all its connections together, in ms.
    pub total_ms: u64,
    /// How often.
    pub times: u64,
}

/// What one broker answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Throttles {
    /// The broker's node.
    pub node: i32,
    /// Who waits, or waited in the last ten minutes.
    pub throttles: Vec<Throttle>,
    /// Whether there are more of whom no account is kept.
    pub incomplete: bool,
    /// Whether the cluster holds as many bytes as it may, so that Produce is refused.
    pub storage_full: bool,
}
