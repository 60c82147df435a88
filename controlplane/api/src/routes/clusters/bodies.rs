//! What requests and answers about clusters hold.

use firn_catalog::account::clusters::{ClusterPhase, ClusterUpdate, ClusterView, LimitsUpdate, NewCluster};
use firn_catalog::entities::ClusterLimits;
use firn_catalog::ids::ProjectId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::rules::{Moment, Problem};
use crate::state::Api;

/// A virtual Kafka cluster.
#[derive(Serialize, ToSchema)]
pub(crate) struct Cluster {
    /// Its id.
    #[schema(pattern = "^clu_[a-h][a-z2-7]{25}$")]
    id: String,
    /// The project that it is in.
    project: String,
    /// Whose it is.
    organization: String,
    /// What its owner calls it.
    name: String,
    /// Its DNS label, unique in its cell.
    slug: String,
    /// Where it is in its life.
    state: ClusterState,
    /// What Kafka clients connect to first.
    bootstrap: String,
    /// The cluster id that Kafka clients see; null while it is being created.
    kafka_cluster_id: Option<String>,
    /// How much it may hold.
    limits: Limits,
    /// How much it holds.
    usage: Usage,
    /// Whether it may not be deleted.
    deletion_protection: bool,
    /// When it goes, if it is being deleted. Until then it can be undeleted.
    delete_at: Option<Moment>,
    /// When it was made.
    created_at: Moment,
    /// Counts its changes.
    version: i64,
}

/// Where a cluster is in its life.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ClusterState {
    /// It is being made.
    Creating,
    /// It serves.
    Active,
    /// It serves nothing until it is resumed.
    Suspended,
    /// It serves nothing, and goes at `delete_at`.
    Deleting,
}

/// How much a cluster may hold.
#[derive(Serialize, ToSchema)]
#[schema(as = ClusterLimits)]
pub(crate) struct Limits {
    /// Topics.
    topics: i64,
    /// Partitions of all topics together.
    partitions: i64,
    /// Consumer groups.
    groups: i64,
    /// Connections to one broker.
    connections: i64,
    /// Bytes of records, as they are stored.
    storage_bytes: i64,
    /// Bytes of records that clients may send in a second, to all brokers together.
    ingress_bytes_per_second: i64,
    /// Bytes of records that clients may receive in a second, from all brokers together.
    egress_bytes_per_second: i64,
}

/// How much a cluster holds.
#[derive(Serialize, ToSchema)]
#[schema(as = ClusterUsage)]
pub(crate) struct Usage {
    /// Topics.
    topics: i64,
    /// Partitions of all topics together.
    partitions: i64,
}

impl From<ClusterPhase> for ClusterState {
    fn from(phase: ClusterPhase) -> Self {
        match phase {
            ClusterPhase::Creating => Self::Creating,
            ClusterPhase::Active => Self::Active,
            ClusterPhase::Suspended => Self::Suspended,
            ClusterPhase::Deleting => Self::Deleting,
        }
    }
}

impl From<ClusterLimits> for Limits {
    fn from(limits: ClusterLimits) -> Self {
        Self {
            topics: limits.topics,
            partitions: limits.partitions,
            groups: limits.groups,
            connections: limits.connections,
            storage_bytes: limits.storage_bytes,
            ingress_bytes_per_second: limits.ingress,
            egress_bytes_per_second: limits.egress,
        }
    }
}

impl Cluster {
    pub(super) fn of(api: &Api, cluster: ClusterView) -> Self {
        let held = cluster.in_cell.as_ref();
        Self {
            id: cluster.id.public(),
            project: cluster.project.public(),
            organization: cluster.organization.public(),
            bootstrap: bootstrap(api, &cluster.slug),
            usage: Usage {
                topics: held.map_or(0, |held| held.topics),
                partitions: held.map_or(0, |held| held.partitions),
            },
            kafka_cluster_id: cluster.in_cell.map(|held| held.kafka_id),
            name: cluster.name,
            slug: cluster.slug,
            state: cluster.phase.into(),
            limits: cluster.limits.into(),
            deletion_protection: cluster.deletion_protection,
            delete_at: cluster.delete_at.map(Moment),
            created_at: Moment(cluster.created_at),
            version: cluster.version,
        }
    }
}

/// The address that a cluster's clients connect to first: its own host name where the cell has a domain.
pub(in crate::routes) fn bootstrap(api: &Api, slug: &str) -> String {
    let port = api.settings.kafka_port;
    match &api.settings.cell_domain {
        Some(domain) => format!("{slug}.{domain}:{port}"),
        None if api.settings.kafka_host.contains(':') => format!("[{}]:{port}", api.settings.kafka_host),
        None => format!("{}:{port}", api.settings.kafka_host),
    }
}

/// A new cluster.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewCluster)]
pub(crate) struct NewClusterBody {
    /// The project that it is to be in.
    #[schema(pattern = "^prj_[a-h][a-z2-7]{25}$")]
    project: String,
    /// What its owner calls it.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// Its DNS label, which cannot be changed; made out of the name if there is none.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 40, pattern = "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$")]
    slug: Option<String>,
    /// How much it may hold; the usual limits where there are none.
    #[serde(default)]
    limits: Option<NewLimits>,
    /// Whether it may not be deleted; `false` if it is left out.
    #[serde(default)]
    deletion_protection: bool,
}

/// Limits to set. Those that are left out stay.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewClusterLimits)]
pub(crate) struct NewLimits {
    /// Topics.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 10_000)]
    topics: Option<i64>,
    /// Partitions of all topics together.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 100_000)]
    partitions: Option<i64>,
    /// Consumer groups.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 10_000)]
    groups: Option<i64>,
    /// Connections to one broker.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 10_000)]
    connections: Option<i64>,
    /// Bytes of records, as they are stored.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1_125_899_906_842_624i64)]
    storage_bytes: Option<i64>,
    /// Bytes of records that clients may send in a second, to all brokers together.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1_099_511_627_776i64)]
    ingress_bytes_per_second: Option<i64>,
    /// Bytes of records that clients may receive in a second, from all brokers together.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1_099_511_627_776i64)]
    egress_bytes_per_second: Option<i64>,
}

/// What to change of a cluster. What is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ClusterChange)]
pub(crate) struct ClusterChange {
    /// What its owner calls it.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 100)]
    name: Option<String>,
    /// How much it may hold.
    #[serde(default)]
    limits: Option<NewLimits>,
    /// Whether it may not be deleted.
    #[serde(default)]
    deletion_protection: Option<bool>,
}

impl From<NewLimits> for LimitsUpdate {
    fn from(limits: NewLimits) -> Self {
        Self {
            topics: limits.topics,
            partitions: limits.partitions,
            groups: limits.groups,
            connections: limits.connections,
            storage_bytes: limits.storage_bytes,
            ingress: limits.ingress_bytes_per_second,
            egress: limits.egress_bytes_per_second,
        }
    }
}

impl TryFrom<NewClusterBody> for NewCluster {
    type Error = Problem;

    fn try_from(body: NewClusterBody) -> Result<Self, Problem> {
        let project = ProjectId::from_public(&body.project)
            .map_err(|_| Problem::invalid("/project", "it must be the id of a project"))?;
        let limits = LimitsUpdate::from(body.limits.unwrap_or_default());
        Ok(Self {
            project,
            name: body.name,
            slug: body.slug,
            limits: limits.on(ClusterLimits::USUAL),
            deletion_protection: body.deletion_protection,
        })
    }
}

impl From<ClusterChange> for ClusterUpdate {
    fn from(body: ClusterChange) -> Self {
        Self {
            name: body.name,
            limits: body.limits.unwrap_or_default().into(),
            deletion_protection: body.deletion_protection,
        }
    }
}
