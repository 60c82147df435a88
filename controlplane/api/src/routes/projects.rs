//! Projects: the parts of an organization that clusters and service accounts belong to.

use axum::extract::State;
use axum::response::Response;
use firn_catalog::account::Project;
use firn_catalog::ids::{OrganizationId, ProjectId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::rules::{
    Body, Caller, Ids, Listing, Moment, Paging, Problem, Query, Write, created, deleted, ok, ok_with_etag,
};
use crate::state::Api;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(list_projects, create_project))
        .routes(routes!(get_project, update_project, delete_project))
}

/// A project.
#[derive(Serialize, ToSchema)]
#[schema(as = Project)]
struct ProjectView {
    /// Its id.
    #[schema(pattern = "^prj_[a-h][a-z2-7]{25}$")]
    id: String,
    /// Whose it is.
    #[schema(pattern = "^org_[a-h][a-z2-7]{25}$")]
    organization: String,
    /// Its name, unique in the organization.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// When it was made.
    created_at: Moment,
}

impl From<Project> for ProjectView {
    fn from(project: Project) -> Self {
        Self {
            id: project.id.public(),
            organization: project.organization.public(),
            name: project.name,
            created_at: Moment(project.created_at),
        }
    }
}

/// A project that is to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewProjectRequest {
    /// In which organization.
    #[schema(pattern = "^org_[a-h][a-z2-7]{25}$")]
    organization: String,
    /// Its name, unique in the organization.
    #[schema(min_length = 1, max_length = 100, example = "payments")]
    name: String,
}

/// What a project is called.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ProjectRequest {
    /// Its name, unique in the organization.
    #[schema(min_length = 1, max_length = 100, example = "payments")]
    name: String,
}

/// List projects
///
/// Those in which the caller has a role, by the project or its organization.
#[utoipa::path(
    get, path = "/v1/projects", tag = "projects",
    params(
        ("organization" = Option<String>, Query, description = "Only of this organization"),
        ("page_size" = Option<i64>, Query, minimum = 1, maximum = 200), ("cursor" = Option<String>, Query)
    ),
    responses((status = 200, description = "A page of projects", body = Listing<ProjectView>))
)]
async fn list_projects(
    State(api): State<Api>,
    caller: Caller,
    query: Query,
    paging: Paging,
) -> Result<Response, Problem> {
    let organization = query.id("organization", "organization", OrganizationId::from_public)?;
    let after = paging.after_id(ProjectId::from_public)?;
    let found = api
        .catalog
        .projects(&caller.actor(), organization, after, paging.rows())
        .await?;
    Ok(ok(paging.page(found, |row| row.id.public(), ProjectView::from)))
}

/// Make a project
#[utoipa::path(
    post, path = "/v1/projects", tag = "projects", request_body = NewProjectRequest,
    responses((status = 201, description = "Made", body = ProjectView, headers(("Location" = String), ("ETag" = String))))
)]
async fn create_project(
    State(api): State<Api>,
    caller: Caller,
    write: Write,
    Body(body): Body<NewProjectRequest>,
) -> Result<Response, Problem> {
    let organization =
        OrganizationId::from_public(&body.organization).map_err(|_| Problem::missing("organization"))?;
    let made = api
        .catalog
        .create_project(&caller.actor(), organization, &body.name, write.rehearsal)
        .await?;
    let (location, version) = (format!("/v1/projects/{}", made.id.public()), made.version);
    Ok(created(ProjectView::from(made), location, Some(version)))
}

/// Get a project
#[utoipa::path(
    get, path = "/v1/projects/{project}", tag = "projects",
    responses((status = 200, description = "The project", body = ProjectView, headers(("ETag" = String))))
)]
async fn get_project(
    State(api): State<Api>,
    caller: Caller,
    Ids(id): Ids<ProjectId>,
) -> Result<Response, Problem> {
    let found = api.catalog.project(&caller.actor(), id).await?;
    let version = found.version;
    Ok(ok_with_etag(ProjectView::from(found), version))
}

/// Rename a project
#[utoipa::path(
    patch, path = "/v1/projects/{project}", tag = "projects", request_body = ProjectRequest,
    params(("If-Match" = String, Header)),
    responses((status = 200, description = "Renamed", body = ProjectView, headers(("ETag" = String))))
)]
async fn update_project(
    State(api): State<Api>,
    caller: Caller,
    Ids(id): Ids<ProjectId>,
    write: Write,
    Body(body): Body<ProjectRequest>,
) -> Result<Response, Problem> {
    let write = write.versioned()?;
    let changed = api
        .catalog
        .update_project(&caller.actor(), id, &body.name, write.expected, write.rehearsal)
        .await?;
    let version = changed.version;
    Ok(ok_with_etag(ProjectView::from(changed), version))
}

/// Delete a project
///
/// It must have no clusters and no service accounts any more.
#[utoipa::path(
    delete, path = "/v1/projects/{project}", tag = "projects",
    params(("If-Match" = String, Header)),
    responses((status = 204, description = "Deleted"))
)]
async fn delete_project(
    State(api): State<Api>,
    caller: Caller,
    Ids(id): Ids<ProjectId>,
    write: Write,
) -> Result<Response, Problem> {
    let write = write.versioned()?;
    api.catalog
        .delete_project(&caller.actor(), id, write.expected, write.rehearsal)
        .await?;
    Ok(deleted())
}
