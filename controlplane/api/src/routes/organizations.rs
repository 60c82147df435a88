//! Organizations: who signs up and pays.

use axum::extract::State;
use axum::response::Response;
use firn_catalog::account::Organization;
use firn_catalog::ids::OrganizationId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::rules::{
    Body, Caller, Ids, Listing, Moment, Paging, Problem, Write, created, deleted, ok, ok_with_etag,
};
use crate::state::Api;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(list_organizations, create_organization))
        .routes(routes!(
            get_organization,
            update_organization,
            delete_organization
        ))
}

/// An organization.
#[derive(Serialize, ToSchema)]
#[schema(as = Organization)]
struct OrganizationView {
    /// Its id.
    #[schema(pattern = "^org_[a-h][a-z2-7]{25}$")]
    id: String,
    /// What people call it; others may be called the same.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// When it was made.
    created_at: Moment,
}

impl From<Organization> for OrganizationView {
    fn from(organization: Organization) -> Self {
        Self {
            id: organization.id.public(),
            name: organization.title,
            created_at: Moment(organization.created_at),
        }
    }
}

/// What an organization is called.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct OrganizationRequest {
    /// 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100, example = "Analytical Engines")]
    name: String,
}

/// List organizations
///
/// Those in which the caller has a role.
#[utoipa::path(
    get, path = "/v1/organizations", tag = "organizations",
    params(("page_size" = Option<i64>, Query, minimum = 1, maximum = 200), ("cursor" = Option<String>, Query)),
    responses((status = 200, description = "A page of organizations", body = Listing<OrganizationView>))
)]
async fn list_organizations(
    State(api): State<Api>,
    caller: Caller,
    paging: Paging,
) -> Result<Response, Problem> {
    let after = paging.after_id(OrganizationId::from_public)?;
    let found = api
        .catalog
        .organizations(&caller.actor(), after, paging.rows())
        .await?;
    Ok(ok(paging.page(
        found,
        |row| row.id.public(),
        OrganizationView::from,
    )))
}

/// Make an organization
///
/// The caller, a person, owns it. It has a project called `default`.
#[utoipa::path(
    post, path = "/v1/organizations", tag = "organizations", request_body = OrganizationRequest,
    responses((status = 201, description = "Made", body = OrganizationView,
        headers(("Location" = String), ("ETag" = String))))
)]
async fn create_organization(
    State(api): State<Api>,
    caller: Caller,
    write: Write,
    Body(body): Body<OrganizationRequest>,
) -> Result<Response, Problem> {
    let made = api
        .catalog
        .found_organization(&caller.actor(), &body.name, write.rehearsal)
        .await?;
    let (location, version) = (format!("/v1/organizations/{}", made.id.public()), made.version);
    Ok(created(OrganizationView::from(made), location, Some(version)))
}

/// Get an organization
#[utoipa::path(
    get, path = "/v1/organizations/{organization}", tag = "organizations",
    responses((status = 200, description = "The organization", body = OrganizationView, headers(("ETag" = String))))
)]
async fn get_organization(
    State(api): State<Api>,
    caller: Caller,
    Ids(id): Ids<OrganizationId>,
) -> Result<Response, Problem> {
    let found = api.catalog.organization(&caller.actor(), id).await?;
    let version = found.version;
    Ok(ok_with_etag(OrganizationView::from(found), version))
}

/// Rename an organization
#[utoipa::path(
    patch, path = "/v1/organizations/{organization}", tag = "organizations", request_body = OrganizationRequest,
    params(("If-Match" = String, Header)),
    responses((status = 200, description = "Renamed", body = OrganizationView, headers(("ETag" = String))))
)]
async fn update_organization(
    State(api): State<Api>,
    caller: Caller,
    Ids(id): Ids<OrganizationId>,
    write: Write,
    Body(body): Body<OrganizationRequest>,
) -> Result<Response, Problem> {
    let write = write.versioned()?;
    let changed = api
        .catalog
        .update_organization(&caller.actor(), id, &body.name, write.expected, write.rehearsal)
        .await?;
    let version = changed.version;
    Ok(ok_with_etag(OrganizationView::from(changed), version))
}

/// End an organization
///
/// It must have no clusters and no service accounts any more. Nobody is a member of it afterwards.
#[utoipa::path(
    delete, path = "/v1/organizations/{organization}", tag = "organizations",
    params(("If-Match" = String, Header)),
    responses((status = 204, description = "Ended"))
)]
async fn delete_organization(
    State(api): State<Api>,
    caller: Caller,
    Ids(id): Ids<OrganizationId>,
    write: Write,
) -> Result<Response, Problem> {
    let write = write.versioned()?;
    api.catalog
        .delete_organization(&caller.actor(), id, write.expected, write.rehearsal)
        .await?;
    Ok(deleted())
}
