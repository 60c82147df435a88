//! A cluster at a glance: whether it is well, how much goes on, what it holds, and what is close to a limit or to its end.

mod bodies;
mod expiring;
mod health;

use axum::extract::State;
use axum::response::Response;
use firn_catalog::access::Permission;
use firn_catalog::account::clusters::ClusterView;
use firn_catalog::acl::MAX_ACLS_PER_CLUSTER;
use firn_catalog::commands::MAX_IDENTITY_PROVIDERS;
use firn_catalog::credential::MAX_CREDENTIALS_PER_CLUSTER;
use firn_catalog::ids::ClusterId;
use firn_catalog::internal::Load;
use firn_catalog::networks::MAX_NETWORKS;
use firn_catalog::quota::MAX_ENTITIES_PER_CLUSTER;
use firn_catalog::trust::MAX_CA_POOLS;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::bodies::{BrokerBody, LimitUse, Overview, Storage, Throughput, Unit};
use super::topics::Place;
use crate::kafka;
use crate::rules::{Caller, Ids, Problem, ok};
use crate::state::Api;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(get_overview))
}

/// Get a cluster's overview
///
/// Put together from what every broker tells. Where one does not tell, what it knows is missing and `incomplete` is true.
#[utoipa::path(
    get, path = "/v1/clusters/{cluster}/overview", tag = "clusters",
    responses((status = 200, body = Overview))
)]
async fn get_overview(
    State(api): State<Api>,
    caller: Caller,
    Ids(id): Ids<ClusterId>,
) -> Result<Response, Problem> {
    let place = Place::find(&api, &caller, id, Permission::ViewCluster).await?;
    let cluster = api.catalog.cluster(&caller.actor(), id).await?;
    let told = kafka::ask_all::<Load>(api.kafka(), &place.delegate(), &place.image).await;
    let health = health::judge(&cluster, &place.image, &told);
    let sums = Sums::of(&place, &told.answers);
    let mut brokers: Vec<_> = told.answers.iter().map(|load| (load.node, true)).collect();
    brokers.extend(told.untold.iter().map(|node| (*node, true)));
    brokers.extend(told.silent.iter().map(|node| (*node, false)));
    brokers.sort_unstable();
    Ok(ok(Overview {
        health,
        brokers: brokers.into_iter().map(BrokerBody::of).collect(),
        throughput: Throughput {
            produced_bytes_per_second: sums.produced,
            fetched_bytes_per_second: sums.fetched,
            requests_per_second: sums.requests,
        },
        storage: sums.storage,
        topics: sums.topics,
        partitions: sums.partitions,
        groups: sums.groups,
        connections: sums.connections,
        limits: limits(&cluster, &place, &sums),
        expiring: expiring::soon(&api, &caller, &place).await,
        incomplete: !told.missing().is_empty() || sums.groups.is_none(),
    }))
}

/// What all brokers tell, together.
struct Sums {
    produced: f64,
    fetched: f64,
    requests: f64,
    storage: Storage,
    topics: u64,
    partitions: u64,
    groups: Option<u64>,
    connections: u64,
    /// Of the broker that has the most of them.
    most_connections: u64,
}

impl Sums {
    fn of(place: &Place, told: &[Load]) -> Self {
        let sum = |of: fn(&Load) -> u64| told.iter().map(of).fold(0, u64::saturating_add);
        let partitions = place.image.topics_of(place.cluster);
        Self {
            produced: told.iter().map(|load| load.produced_bytes_per_second).sum(),
            fetched: told.iter().map(|load| load.fetched_bytes_per_second).sum(),
            requests: told.iter().map(|load| load.requests_per_second).sum(),
            storage: Storage {
                total_bytes: sum(|load| load.total_bytes),
                tiered_bytes: sum(|load| load.tiered_bytes),
                local_bytes: sum(|load| load.local_bytes),
            },
            topics: place.image.topic_count(place.cluster) as u64,
            partitions: partitions.map(|topic| topic.partitions.len() as u64).sum(),
            groups: told.iter().map(|load| load.groups).sum(),
            connections: sum(|load| load.connections),
            most_connections: told.iter().map(|load| load.connections).max().unwrap_or(0),
        }
    }
}

/// All limits of the cluster, and how much of each is used.
fn limits(cluster: &ClusterView, place: &Place, sums: &Sums) -> Vec<LimitUse> {
    let image = &place.image;
    let (access, of) = (image.access(place.cluster), &cluster.limits);
    let count = |name, used: usize, limit| LimitUse::of(name, used as f64, limit, Unit::Count);
    let networks = image
        .cluster(place.cluster)
        .map_or(0, |cluster| cluster.networks.len());
    let most_networks = i64::try_from(MAX_NETWORKS).unwrap_or(i64::MAX);
    vec![
        LimitUse::of("topics", sums.topics as f64, of.topics, Unit::Count),
        LimitUse::of("partitions", sums.partitions as f64, of.partitions, Unit::Count),
        LimitUse::of("groups", sums.groups.unwrap_or(0) as f64, of.groups, Unit::Count),
        LimitUse::of(
            "connections_per_broker",
            sums.most_connections as f64,
            of.connections,
            Unit::Count,
        ),
        LimitUse::of(
            "storage_bytes",
            sums.storage.total_bytes as f64,
            of.storage_bytes,
            Unit::Bytes,
        ),
        LimitUse::of(
            "ingress_bytes_per_second",
            sums.produced,
            of.ingress,
            Unit::BytesPerSecond,
        ),
        LimitUse::of(
            "egress_bytes_per_second",
            sums.fetched,
            of.egress,
            Unit::BytesPerSecond,
        ),
        count(
            "acls",
            access.map_or(0, |access| access.acl_set().len()),
            MAX_ACLS_PER_CLUSTER,
        ),
        count(
            "credentials",
            image.credentials_of(place.cluster).count(),
            MAX_CREDENTIALS_PER_CLUSTER,
        ),
        count(
            "quotas",
            access.map_or(0, |access| access.quotas().len()),
            MAX_ENTITIES_PER_CLUSTER,
        ),
        count(
            "ca_pools",
            access.map_or(0, |access| access.ca_pools().count()),
            MAX_CA_POOLS,
        ),
        count(
            "identity_providers",
            access.map_or(0, |access| access.identity_providers().count()),
            MAX_IDENTITY_PROVIDERS,
        ),
        count("networks", networks, most_networks),
    ]
}
