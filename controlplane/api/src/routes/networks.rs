//! From where a cluster's Kafka clients and an organization's callers may come.

use axum::extract::State;
use axum::response::Response;
use firn_catalog::access::Permission;
use firn_catalog::account::AlterOrganizationNetworks;
use firn_catalog::commands::AlterClusterNetworks;
use firn_catalog::ids::{ClusterId, OrganizationId};
use firn_catalog::networks;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::topics::Place;
use crate::rules::{Body, Caller, Code, Ids, Problem, Query, Write, ok_with_etag};
use crate::state::Api;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(get_cluster_networks, put_cluster_networks))
        .routes(routes!(get_organization_networks, put_organization_networks))
}

/// A list of networks.
#[derive(Serialize, ToSchema)]
struct Networks {
    /// From where somebody may come; empty: from anywhere.
    #[schema(value_type = Vec<String>, max_items = 100)]
    networks: Vec<IpNet>,
    /// The address that this request came from, as far as the service can tell.
    #[schema(max_length = 45)]
    your_address: Option<String>,
}

impl Networks {
    fn of(networks: Vec<IpNet>, caller: &Caller) -> Self {
        let address = caller.request.address;
        Self {
            networks,
            your_address: address.map(|address| address.to_canonical().to_string()),
        }
    }
}

/// From where somebody may come.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NetworksRequest {
    /// `ADDRESS` or `ADDRESS/BITS` each, IPv4 or IPv6; none: from anywhere.
    #[schema(max_items = 100, example = json!(["192.0.2.0/24", "2001:db8::/32"]))]
    networks: Vec<String>,
}

impl NetworksRequest {
    fn read(&self) -> Result<Vec<IpNet>, Problem> {
        networks::parse(&self.networks).map_err(|refused| {
            let pointer = match refused.index {
                Some(index) => format!("/networks/{index}"),
                None => "/networks".to_owned(),
            };
            Problem::invalid(pointer, refused.reason)
        })
    }
}

/// Get a cluster's networks
///
/// From where its Kafka clients may come. REST goes by the organization's list.
#[utoipa::path(
    get, path = "/v1/clusters/{cluster}/networks", tag = "clusters",
    responses((status = 200, body = Networks, headers(("ETag" = String))))
)]
async fn get_cluster_networks(
    State(api): State<Api>,
    caller: Caller,
    Ids(cluster): Ids<ClusterId>,
) -> Result<Response, Problem> {
    let place = Place::find(&api, &caller, cluster, Permission::ViewCluster).await?;
    let found = place.image.cluster(cluster);
    let networks = found.map(|found| found.networks.clone()).unwrap_or_default();
    let version = networks::version(&networks);
    Ok(ok_with_etag(Networks::of(networks, &caller), version))
}

/// Set a cluster's networks
///
/// Kafka clients from elsewhere are refused like those with a wrong password, and their live connections are closed.
#[utoipa::path(
    put, path = "/v1/clusters/{cluster}/networks", tag = "clusters", request_body = NetworksRequest,
    params(("If-Match" = Option<String>, Header)),
    responses(
        (status = 200, description = "They are in force", body = Networks, headers(("ETag" = String))),
        (status = 202, description = "They are stored, and not every broker knows yet", body = Networks,
            headers(("ETag" = String), ("Location", description = "The operation that tells when they do"))),
    )
)]
async fn put_cluster_networks(
    State(api): State<Api>,
    caller: Caller,
    Ids(cluster): Ids<ClusterId>,
    write: Write,
    Body(body): Body<NetworksRequest>,
) -> Result<Response, Problem> {
    let place = Place::find(&api, &caller, cluster, Permission::ViewCluster).await?;
    let command = AlterClusterNetworks {
        cluster,
        networks: body.read()?,
        expected: write.expected,
        validate_only: write.rehearsal,
    };
    let committed = api.catalog.alter_cluster_networks(&place.actor, command).await?;
    let (action, resource) = (
        "alter_cluster_networks",
        format!("/v1/clusters/{}/networks", cluster.public()),
    );
    let in_force = api
        .in_force(&caller, action, &resource, committed.sequence)
        .await?;
    super::topics::seen(&api, committed.sequence).await;
    let version = networks::version(&committed.value);
    Ok(in_force.changed(Networks::of(committed.value, &caller), Some(version)))
}

/// Get an organization's networks
///
/// From where it, and all that is in it, is reached by REST. For those who manage the organization.
#[utoipa::path(
    get, path = "/v1/organizations/{organization}/networks", tag = "organizations",
    responses((status = 200, body = Networks, headers(("ETag" = String))))
)]
async fn get_organization_networks(
    State(api): State<Api>,
    caller: Caller,
    Ids(id): Ids<OrganizationId>,
) -> Result<Response, Problem> {
    let networks = api.catalog.organization_networks(&caller.actor(), id).await?;
    let version = networks::version(&networks);
    Ok(ok_with_etag(Networks::of(networks, &caller), version))
}

/// Set an organization's networks
///
/// From the next request on its members get `address_not_allowed` from elsewhere, and lists of theirs leave it out. A list without
/// the caller's own address is refused (409) unless `force=true`.
#[utoipa::path(
    put, path = "/v1/organizations/{organization}/networks", tag = "organizations", request_body = NetworksRequest,
    params(
        ("If-Match" = Option<String>, Header),
        ("force" = Option<bool>, Query, description = "Also without the caller's own address"),
    ),
    responses((status = 200, body = Networks, headers(("ETag" = String))))
)]
async fn put_organization_networks(
    State(api): State<Api>,
    caller: Caller,
    Ids(id): Ids<OrganizationId>,
    query: Query,
    write: Write,
    Body(body): Body<NetworksRequest>,
) -> Result<Response, Problem> {
    let force = match query.word("force")? {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return Err(Problem::new(Code::InvalidRequest, "force must be true or false")),
    };
    let change = AlterOrganizationNetworks {
        organization: id,
        networks: body.read()?,
        expected: write.expected,
        force,
    };
    api.catalog
        .alter_organization_networks(&caller.actor(), &change, write.rehearsal)
        .await?;
    let version = networks::version(&change.networks);
    Ok(ok_with_etag(Networks::of(change.networks, &caller), version))
}
