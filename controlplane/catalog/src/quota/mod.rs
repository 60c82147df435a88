//! Kafka's client quotas: how much whom.
//!
//! A quota entity is a user, a client id, or both together, each by name or as the default for those without one of their own; or an
//! IP address. What counts for a client is told by Kafka's precedence of (user, client id) (KIP-13, KIP-55, KIP-546; KIP-612 for addresses).

mod entity;
mod resolution;
mod rules;
#[cfg(test)]
mod tests;
pub mod throttle;

pub use resolution::{Applied, Bucket, ClusterQuotas};
pub(crate) use rules::check_alteration;
pub use rules::{InvalidQuota, MAX_ENTITIES_PER_CLUSTER, MAX_NAME_BYTES, check_entity, check_value};

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// A name, or the default for names that have no quota of their own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Named<T> {
    /// Whoever has no quota of the own.
    Default,
    /// This one.
    Name(T),
}

/// Whom a quota is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuotaEntity {
    /// A user: the name after `User:`.
    User(Named<String>),
    /// A client id.
    Client(Named<String>),
    /// A user with a client id.
    UserClient(Named<String>, Named<String>),
    /// An address from which connections come.
    Ip(Named<IpAddr>),
}

/// What a quota bounds, by Kafka's name of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuotaKey {
    /// Bytes a second that a client produces.
    ProducerByteRate,
    /// Bytes a second that a client fetches.
    ConsumerByteRate,
    /// Percent of one processor's time for a client's requests.
    RequestPercentage,
    /// Partitions created and deleted a second (KIP-599).
    ControllerMutationRate,
    /// Connections a second from an address (KIP-612).
    ConnectionCreationRate,
}

/// The quotas of one entity.
pub type QuotaValues = BTreeMap<QuotaKey, f64>;

/// Stands for the quotas of an entity: two sets of them have different versions. Never negative.
pub fn version(quotas: &QuotaValues) -> i64 {
    let texts = quotas
        .iter()
        .map(|(key, value)| format!("{} {value}", key.name()));
    crate::networks::version_of(texts)
}
