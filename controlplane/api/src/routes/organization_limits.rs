//! What an organization may have, and what of it it has.

use axum::extract::State;
use axum::response::Response;
use firn_catalog::account::LimitUse;
use firn_catalog::ids::OrganizationId;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::rules::{Caller, Ids, Problem, ok};
use crate::state::Api;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(list_organization_limits))
}

/// What an organization may have.
#[derive(Serialize, ToSchema)]
struct OrganizationLimits {
    /// One for each limit.
    items: Vec<OrganizationLimit>,
}

/// A limit, and what is used of it.
#[derive(Serialize, ToSchema)]
struct OrganizationLimit {
    /// Of what. Those whose names begin with `cluster_` are about what the limits of all clusters come to together.
    #[schema(value_type = String, example = "clusters")]
    name: &'static str,
    /// How much there is.
    #[schema(minimum = 0)]
    used: i64,
    /// How much there may be.
    #[schema(minimum = 0)]
    limit: i64,
    /// What is counted.
    #[schema(value_type = String, example = "count", pattern = "^(count|bytes|bytes_per_second)$")]
    unit: &'static str,
}

impl From<LimitUse> for OrganizationLimit {
    fn from(limit: LimitUse) -> Self {
        Self {
            name: limit.name,
            used: limit.used,
            limit: limit.limit,
            unit: limit.unit,
        }
    }
}

/// List an organization's limits
///
/// What it has and may have. A cluster's own limits are with the cluster.
#[utoipa::path(
    get, path = "/v1/organizations/{organization}/limits", tag = "organizations",
    responses((status = 200, body = OrganizationLimits))
)]
async fn list_organization_limits(
    State(api): State<Api>,
    caller: Caller,
    Ids(organization): Ids<OrganizationId>,
) -> Result<Response, Problem> {
    let limits = api
        .catalog
        .organization_limits(&caller.actor(), organization)
        .await?;
    Ok(ok(OrganizationLimits {
        items: limits.into_iter().map(OrganizationLimit::from).collect(),
    }))
}
