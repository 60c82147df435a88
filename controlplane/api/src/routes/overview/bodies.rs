//! What an overview holds.

use serde::Serialize;
use utoipa::ToSchema;

use crate::rules::Moment;

/// A cluster at a glance.
#[derive(Serialize, ToSchema)]
#[schema(as = ClusterOverview)]
pub(super) struct Overview {
    /// Whether it is well.
    pub(super) health: Health,
    /// The brokers of its cell.
    pub(super) brokers: Vec<BrokerBody>,
    /// How much goes on.
    pub(super) throughput: Throughput,
    /// What its records take up.
    pub(super) storage: Storage,
    /// Topics.
    #[schema(minimum = 0)]
    pub(super) topics: u64,
    /// Partitions of all topics together.
    #[schema(minimum = 0)]
    pub(super) partitions: u64,
    /// Consumer groups; null while a broker cannot tell.
    #[schema(minimum = 0)]
    pub(super) groups: Option<u64>,
    /// Connections of clients that are open.
    #[schema(minimum = 0)]
    pub(super) connections: u64,
    /// All of its limits.
    pub(super) limits: Vec<LimitUse>,
    /// What ends within 30 days, or ended in the last 30: at most 20 of each kind, the first to end first.
    pub(super) expiring: Vec<Expiring>,
    /// Whether a broker did not tell what it knows, so that it is missing.
    pub(super) incomplete: bool,
}

/// Whether a cluster is well.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = ClusterHealth)]
pub(super) struct Health {
    /// How it is.
    pub(super) status: Status,
    /// Why it is not `ok`, a sentence each.
    pub(super) reasons: Vec<String>,
}

/// How a cluster is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ClusterHealthStatus)]
pub(super) enum Status {
    /// All of it serves.
    Ok,
    /// Nothing is known to be amiss, and not all is known.
    Unknown,
    /// Some of it does not.
    Degraded,
    /// None of it does.
    Down,
}

/// A broker of the cell.
#[derive(Serialize, ToSchema)]
#[schema(as = OverviewBroker)]
pub(super) struct BrokerBody {
    /// Its node.
    node: i32,
    /// Whether it answers the control plane.
    answers: bool,
}

impl BrokerBody {
    pub(super) fn of((node, answers): (i32, bool)) -> Self {
        Self { node, answers }
    }
}

/// What is done in a second, over about the last ten.
#[derive(Serialize, ToSchema)]
#[schema(as = ClusterThroughput)]
pub(super) struct Throughput {
    /// Bytes of record batches that clients append.
    #[schema(minimum = 0)]
    pub(super) produced_bytes_per_second: f64,
    /// Bytes of record batches that clients are answered with.
    #[schema(minimum = 0)]
    pub(super) fetched_bytes_per_second: f64,
    /// Requests that are answered.
    #[schema(minimum = 0)]
    pub(super) requests_per_second: f64,
}

/// Bytes of records, as they are stored.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[schema(as = ClusterStorage)]
pub(super) struct Storage {
    /// All of them.
    #[schema(minimum = 0)]
    pub(super) total_bytes: u64,
    /// Those in objects.
    #[schema(minimum = 0)]
    pub(super) tiered_bytes: u64,
    /// Those in the write-ahead log, or still near a broker. Some are in objects too.
    #[schema(minimum = 0)]
    pub(super) local_bytes: u64,
}

/// What a limit counts.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ClusterLimitUnit)]
pub(super) enum Unit {
    /// Things.
    Count,
    /// Bytes.
    Bytes,
    /// Bytes in a second.
    BytesPerSecond,
}

/// A limit, and how much of it is used.
#[derive(Serialize, ToSchema)]
#[schema(as = ClusterLimitUse)]
pub(super) struct LimitUse {
    /// Its name.
    #[schema(value_type = String)]
    name: &'static str,
    /// How much is used now.
    #[schema(minimum = 0)]
    used: f64,
    /// How much may be.
    #[schema(minimum = 0)]
    limit: i64,
    /// Of what.
    unit: Unit,
}

impl LimitUse {
    pub(super) fn of(name: &'static str, used: f64, limit: i64, unit: Unit) -> Self {
        Self {
            name,
            used,
            limit,
            unit,
        }
    }
}

/// What kind of thing ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ExpiringKind)]
pub(super) enum Kind {
    /// The certificate of an authority, in a CA pool.
    CaCertificate,
    /// An API key.
    ApiKey,
    /// A SCRAM credential.
    ScramCredential,
}

/// Something that ends soon, or has ended.
#[derive(Serialize, ToSchema)]
pub(super) struct Expiring {
    /// What it is.
    pub(super) kind: Kind,
    /// Its id; of a certificate that of its pool.
    pub(super) id: String,
    /// Whose it is: a certificate's subject, or a credential's principal.
    pub(super) name: String,
    /// When it ends.
    pub(super) at: Moment,
}
