//! Commands: the one way in which topics, clusters and configurations change.
//!
//! Kafka's CreateTopics and REST's `POST /topics` call the same command. Each one authorizes, validates, checks
//! limits, and in one transaction changes the rows, writes the audit row and stamps the feed row. With `validate_only`
//! it does all but the writing.

mod acls;
mod authorization;
mod ca_pools;
mod cell;
mod cluster_life;
mod clusters;
mod configs;
pub(crate) mod credentials;
mod identity_providers;
mod networks;
mod partitions;
mod quotas;
mod recording;
#[cfg(test)]
mod tests;
mod topic_changes;
mod topic_name;
mod topics;

pub use acls::{ChangeAcls, ChangedAcls, CreateAcls, CreatedAcl, DeleteAcls, MAX_ACLS_PER_COMMAND};
pub use authorization::{
    AclAuthorizer, Actor, Authorizer, CredentialId, Operation, Principal, Resource, User,
};
pub use ca_pools::{PutCaPool, RemoveCaPool};
pub use cell::{CELL_CLUSTER, COORDINATOR_TOPIC};
pub use cluster_life::WantedCluster;
pub use clusters::{DEV, DevIds};
pub use configs::{AlterClusterConfigs, AlterTopicConfigs};
pub use credentials::{AlterScramUser, PutCredential, RemoveCredential};
pub use identity_providers::{MAX_IDENTITY_PROVIDERS, PutIdentityProvider, RemoveIdentityProvider};
pub use networks::AlterClusterNetworks;
pub use partitions::CreatePartitions;
pub use quotas::{AlterQuotas, AlteredQuotas, DeleteQuotas, MAX_QUOTA_ALTERATIONS, QuotaChanges};
pub use topic_changes::{ChangeTopic, topic_version};
pub use topic_name::{MAX_NAME_LENGTH, collision_key, validate_topic_name};
pub use topics::{CreateTopic, DeleteTopic, MAX_PARTITIONS_PER_TOPIC, TopicRef};

use crate::acl::InvalidAcl;
use crate::cell::CatalogError;
use crate::ids::{FeedSequence, ServiceAccountId};
use crate::quota::InvalidQuota;
use crate::topic_config::ConfigError;
use crate::trust::InvalidCaPool;

/// What a command did, and where in the feed it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed<T> {
    /// What was made or changed (or would be).
    pub value: T,
    /// The position of the change in the feed; `None` if nothing was changed: a mere validation, or nothing to do.
    pub sequence: Option<FeedSequence>,
}

/// Why a command was refused. Nothing has changed, unless it is `Catalog(Unavailable)`: then look.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// The topic name is taken.
    #[error("topic '{name}' already exists")]
    TopicExists {
        /// The name.
        name: String,
    },
    /// There is no such topic in the cluster.
    #[error("no such topic")]
    UnknownTopic,
    /// There is no such cluster.
    #[error("no such cluster")]
    UnknownCluster,
    /// The cluster is suspended, or is being deleted.
    #[error("the cluster is not active")]
    ClusterNotActive,
    /// The name cannot be a topic's.
    #[error("invalid topic name: {reason}")]
    InvalidName {
        /// What is wrong.
        reason: String,
    },
    /// The name differs from an existing one only in `.` and `_`, which metrics cannot tell apart.
    #[error("topic '{name}' collides with existing topic '{existing}': they differ only in '.' and '_'")]
    NameCollision {
        /// The name asked for.
        name: String,
        /// The name that exists.
        existing: String,
    },
    /// The number of partitions cannot be.
    #[error("invalid number of partitions: {reason}")]
    InvalidPartitions {
        /// What is wrong.
        reason: String,
    },
    /// A config value does not do.
    #[error("invalid value for config '{key}': {reason}")]
    InvalidConfig {
        /// The key.
        key: String,
        /// Which values do.
        reason: String,
    },
    /// A change of configs contradicts itself, or changes what is fixed.
    #[error("invalid change of config '{key}': {reason}")]
    MalformedConfigChange {
        /// The key.
        key: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// There is no such config.
    #[error("unknown config '{key}'")]
    UnknownConfig {
        /// The key.
        key: String,
    },
    /// The cluster is full.
    #[error("the cluster may have at most {limit} {which}")]
    LimitExceeded {
        /// Of what: `topics` or `partitions`.
        which: &'static str,
        /// How many.
        limit: i64,
    },
    /// The name cannot be a SCRAM user's.
    #[error("invalid user name: {reason}")]
    InvalidUserName {
        /// What is wrong.
        reason: String,
    },
    /// Salt, iterations or verifier do not do.
    #[error("unacceptable credential: {reason}")]
    UnacceptableCredential {
        /// What is wrong.
        reason: String,
    },
    /// There is no such credential, or no such SCRAM user.
    #[error("no such credential")]
    UnknownCredential,
    /// A SCRAM user that Kafka's tools made has the name.
    #[error("user '{name}' already exists")]
    UserExists {
        /// The name.
        name: String,
    },
    /// The SCRAM user is one of a service account, through which alone it is changed.
    #[error("user '{name}' belongs to service account {}: change its credentials there", account.public())]
    OwnedByServiceAccount {
        /// The name.
        name: String,
        /// Whose it is.
        account: ServiceAccountId,
    },
    /// There cannot be such a binding.
    #[error(transparent)]
    InvalidAcl(#[from] InvalidAcl),
    /// There is no binding of that id.
    #[error("no such ACL")]
    UnknownAcl,
    /// A quota, or what is to become of it, cannot be.
    #[error("invalid quota: {reason}")]
    InvalidQuota {
        /// What is wrong.
        reason: String,
    },
    /// No entity of that id has quotas.
    #[error("no such quota")]
    UnknownQuota,
    /// Whom a cluster is to trust does not do.
    #[error("{pointer}: {reason}")]
    InvalidTrust {
        /// Where, as a JSON pointer into what was given.
        pointer: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// The cluster trusts one of that name, or of what else is unique, already.
    #[error("there is {what} already: {name}")]
    TrustExists {
        /// A what: `an identity provider with this issuer`.
        what: &'static str,
        /// Which.
        name: String,
    },
    /// The cluster trusts none of that id.
    #[error("no such {what}")]
    UnknownTrust {
        /// What it would be: `identity provider`.
        what: &'static str,
    },
    /// It was changed since the actor read it.
    #[error("it has version {current} now")]
    VersionMismatch {
        /// The version that it has now.
        current: i64,
    },
    /// The actor may not do this.
    #[error("not authorized")]
    NotAuthorized,
    /// No broker is open that could own partitions. Try again when one is.
    #[error("no broker is open that could own the partitions")]
    NoBroker,
    /// The store's own failure.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
}

impl From<InvalidCaPool> for CommandError {
    fn from(InvalidCaPool { pointer, reason }: InvalidCaPool) -> Self {
        Self::InvalidTrust { pointer, reason }
    }
}

impl From<InvalidQuota> for CommandError {
    fn from(InvalidQuota(reason): InvalidQuota) -> Self {
        Self::InvalidQuota { reason }
    }
}

impl From<ConfigError> for CommandError {
    fn from(error: ConfigError) -> Self {
        match error {
            ConfigError::Unknown { key } => Self::UnknownConfig { key },
            ConfigError::Invalid { key, reason } => Self::InvalidConfig { key, reason },
            ConfigError::Malformed { key, reason } => Self::MalformedConfigChange { key, reason },
        }
    }
}
