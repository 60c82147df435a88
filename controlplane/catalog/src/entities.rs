//! The rows that commands make and the image shows.

use std::fmt;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::ids::{ClusterId, LeaderEpoch, OrganizationId, ProjectId, TopicId};
use crate::topic_config::ConfigMap;

/// Who signs up and pays. Lives in the account store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organization {
    /// Its id.
    pub id: OrganizationId,
    /// Its name, unique among organizations.
    pub name: String,
}

/// A part of an organization that clusters belong to. Lives in the account store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// Its id.
    pub id: ProjectId,
    /// Whose it is.
    pub organization: OrganizationId,
    /// Its name, unique in its organization.
    pub name: String,
}

/// How much a cluster may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterLimits {
    /// Topics.
    pub topics: i64,
    /// Partitions of all topics together.
    pub partitions: i64,
    /// Consumer groups.
    #[serde(default = "ClusterLimits::most_groups")]
    pub groups: i64,
    /// Connections to one broker.
    #[serde(default = "ClusterLimits::most_connections")]
    pub connections: i64,
    /// Bytes of records, as they are stored.
    #[serde(default = "ClusterLimits::most_storage_bytes")]
    pub storage_bytes: i64,
    /// Bytes of records that clients may send in a second, to all brokers together.
    #[serde(default = "ClusterLimits::most_ingress")]
    pub ingress: i64,
    /// Bytes of records that clients may receive in a second, from all brokers together.
    #[serde(default = "ClusterLimits::most_egress")]
    pub egress: i64,
}

impl ClusterLimits {
    /// What no cluster may exceed; also what the cell's own cluster and the one of `firn dev` have.
    pub const HIGHEST: Self = Self {
        topics: 10_000,
        partitions: 100_000,
        groups: 10_000,
        connections: 10_000,
        storage_bytes: 1 << 50,
        ingress: 1 << 40,
        egress: 1 << 40,
    };
    /// What a new cluster has unless its owner says otherwise. As many of these as an organization may usually have fit into what
    /// it may usually have over all its clusters.
    pub const USUAL: Self = Self {
        topics: 1_000,
        partitions: 1_000,
        groups: 1_000,
        connections: 1_000,
        storage_bytes: 100 << 30,
        ingress: 100 << 20,
        egress: 200 << 20,
    };

    // Entries of the feed that were stored before these limits were there do not name them.
    fn most_groups() -> i64 {
        Self::HIGHEST.groups
    }

    fn most_connections() -> i64 {
        Self::HIGHEST.connections
    }

    fn most_storage_bytes() -> i64 {
        Self::HIGHEST.storage_bytes
    }

    fn most_ingress() -> i64 {
        Self::HIGHEST.ingress
    }

    fn most_egress() -> i64 {
        Self::HIGHEST.egress
    }
}

impl Default for ClusterLimits {
    fn default() -> Self {
        Self::HIGHEST
    }
}

/// Where a cluster is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClusterState {
    /// It serves.
    #[default]
    Active,
    /// It serves nothing until it is resumed; all that is in it stays.
    Suspended,
    /// It serves nothing, and goes once its time has come; until then it may be undeleted.
    Deleting,
}

/// A virtual Kafka cluster. Lives in the cell store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cluster {
    /// Its id.
    pub id: ClusterId,
    /// Its DNS label, unique in the cell.
    pub slug: String,
    /// The cluster id that Kafka clients see: 22 characters of URL-safe base64, as Kafka makes them.
    pub kafka_id: String,
    /// Whose it is.
    pub organization: OrganizationId,
    /// Where it is in its life.
    #[serde(default)]
    pub state: ClusterState,
    /// When it goes, if it is `Deleting`.
    #[serde(default)]
    pub delete_at: Option<firn_runtime::Timestamp>,
    /// How much it may hold.
    pub limits: ClusterLimits,
    /// Broker configs that its owner has set.
    pub configs: ConfigMap,
    /// From where Kafka clients may come; empty: from anywhere.
    #[serde(default)]
    pub networks: Vec<IpNet>,
    /// The version of the account store's row that this follows.
    #[serde(default = "first_version")]
    pub version: i64,
}

fn first_version() -> i64 {
    1
}

/// A topic. Lives in the cell store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Topic {
    /// Its id.
    pub id: TopicId,
    /// The cluster in which its name means something.
    pub cluster: ClusterId,
    /// Its name.
    pub name: String,
    /// How many partitions it has.
    pub partitions: i32,
    /// Its own overrides.
    pub configs: ConfigMap,
    /// When it was created, in milliseconds since the Unix epoch.
    pub created_at: firn_runtime::Timestamp,
}

/// Where Kafka clients reach a broker.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Address {
    /// A host name or IP address.
    pub host: String,
    /// A TCP port.
    pub port: u16,
}

impl fmt::Display for Address {
    /// `HOST:PORT`, with an IPv6 address in brackets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// The leader epoch of a new partition.
pub const FIRST_EPOCH: LeaderEpoch = LeaderEpoch(0);
