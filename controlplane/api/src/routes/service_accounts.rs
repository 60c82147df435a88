//! Service accounts: the programs of a project.

use axum::extract::State;
use axum::response::Response;
use firn_catalog::access::Scope;
use firn_catalog::account::service_accounts::{
    FirstRole, MAX_DESCRIPTION, MAX_NAME, NewServiceAccount, ServiceAccount, ServiceAccountUpdate,
};
use firn_catalog::ids::{ClusterId, ProjectId, ServiceAccountId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::credentials::{body_id, page_of};
use crate::rules::{
    Body, Caller, Ids, Listing, Moment, Paging, Problem, Query, Write, created, ok, ok_with_etag,
};
use crate::state::Api;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(list_service_accounts, create_service_account))
        .routes(routes!(
            get_service_account,
            update_service_account,
            delete_service_account
        ))
}

/// A service account.
#[derive(Serialize, ToSchema)]
#[schema(as = ServiceAccount)]
struct Account {
    /// The id.
    #[schema(pattern = "^sa_[a-h][a-z2-7]{25}$")]
    id: String,
    /// Whose it is.
    #[schema(pattern = "^prj_[a-h][a-z2-7]{25}$")]
    project: String,
    /// The name, unique in the project.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// What it is for.
    #[schema(max_length = 500)]
    description: String,
    /// When it was made.
    created_at: Moment,
}

impl From<ServiceAccount> for Account {
    fn from(account: ServiceAccount) -> Self {
        Self {
            id: account.id.public(),
            project: account.project.public(),
            name: account.name,
            description: account.description,
            created_at: Moment(account.created_at),
        }
    }
}

/// A service account to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewAccount {
    /// In which project.
    #[schema(pattern = "^prj_[a-h][a-z2-7]{25}$")]
    project: String,
    /// The name, unique in the project.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// What it is for.
    #[serde(default)]
    #[schema(max_length = 500)]
    description: String,
    /// The role that it begins with; left out: none, so that only ACLs let it do anything.
    #[serde(default)]
    role: Option<FirstRoleBody>,
}

/// A role to begin with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FirstRole)]
struct FirstRoleBody {
    /// Which.
    #[schema(pattern = "^(owner|admin|operator|developer|viewer|billing)$")]
    role: String,
    /// The cluster that it holds in; left out: all of the project.
    #[serde(default)]
    #[schema(pattern = "^clu_[a-h][a-z2-7]{25}$")]
    cluster: Option<String>,
}

impl FirstRoleBody {
    fn read(&self, project: ProjectId) -> Result<FirstRole, Problem> {
        let role = self.role.parse();
        let role = role.map_err(|_| Problem::invalid("/role/role", "it is no role"))?;
        let scope = match &self.cluster {
            Some(cluster) => Scope::Cluster(body_id("/role/cluster", cluster, ClusterId::from_public)?),
            None => Scope::Project(project),
        };
        Ok(FirstRole { scope, role })
    }
}

/// What to change; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AccountChange {
    /// The name, unique in the project.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 100)]
    name: Option<String>,
    /// What it is for.
    #[serde(default)]
    #[schema(max_length = 500)]
    description: Option<String>,
}

const _: () = assert!(MAX_NAME == 100 && MAX_DESCRIPTION == 500, "the schemas say so");

/// List service accounts
///
/// Those of a project, in the order of their ids.
#[utoipa::path(
    get, path = "/v1/service-accounts", tag = "credentials",
    params(
        ("project" = String, Query, description = "Whose", pattern = "^prj_[a-h][a-z2-7]{25}$"),
        ("page_size" = Option<i64>, Query, description = "How many items a page has at most", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "Where the page begins: next_cursor of the one before", max_length = 2000),
    ),
    responses((status = 200, body = Listing<Account>), (status = 404, body = crate::rules::ProblemBody, content_type = "application/problem+json", description = "There is no such project"))
)]
async fn list_service_accounts(
    State(api): State<Api>,
    caller: Caller,
    paging: Paging,
    query: Query,
) -> Result<Response, Problem> {
    let project = query.id("project", "project", ProjectId::from_public)?;
    let project =
        project.ok_or_else(|| Problem::bad_request("project is missing: whose service accounts?"))?;
    let (after, most) = page_of(&paging)?;
    let rows = api
        .catalog
        .service_accounts(&caller.actor(), project, after, most)
        .await?;
    Ok(ok(paging.page(rows, |row| row.id.to_string(), Account::from)))
}

/// Create a service account
#[utoipa::path(
    post, path = "/v1/service-accounts", tag = "credentials",
    request_body = NewAccount,
    responses((status = 201, body = Account, headers(("Location", description = "The service account"), ("ETag", description = "Its version"))))
)]
async fn create_service_account(
    State(api): State<Api>,
    caller: Caller,
    write: Write,
    Body(body): Body<NewAccount>,
) -> Result<Response, Problem> {
    let project = body_id("/project", &body.project, ProjectId::from_public)?;
    let role = body.role.map(|role| role.read(project)).transpose()?;
    let new = NewServiceAccount {
        project,
        name: body.name,
        description: body.description,
        role,
    };
    let account = api
        .catalog
        .create_service_account(&caller.actor(), new, write.rehearsal)
        .await?;
    let (location, version) = (place(account.id), account.version);
    Ok(created(Account::from(account), location, Some(version)))
}

fn place(id: ServiceAccountId) -> String {
    format!("/v1/service-accounts/{}", id.public())
}

/// Get a service account
#[utoipa::path(
    get, path = "/v1/service-accounts/{service_account}", tag = "credentials",
    responses((status = 200, body = Account, headers(("ETag", description = "Its version"))))
)]
async fn get_service_account(
    State(api): State<Api>,
    caller: Caller,
    Ids(id): Ids<ServiceAccountId>,
) -> Result<Response, Problem> {
    let account = api.catalog.service_account(&caller.actor(), id).await?;
    let version = account.version;
    Ok(ok_with_etag(Account::from(account), version))
}

/// Change a service account
#[utoipa::path(
    patch, path = "/v1/service-accounts/{service_account}", tag = "credentials",
    params(("If-Match" = Option<String>, Header, description = "The ETag that was read last, or * for whatever is there")),
    request_body = AccountChange,
    responses((status = 200, body = Account, headers(("ETag", description = "Its version"))))
)]
async fn update_service_account(
    State(api): State<Api>,
    caller: Caller,
    write: Write,
    Ids(id): Ids<ServiceAccountId>,
    Body(body): Body<AccountChange>,
) -> Result<Response, Problem> {
    let write = write.versioned()?;
    let update = ServiceAccountUpdate {
        name: body.name,
        description: body.description,
    };
    let account = api
        .catalog
        .update_service_account(&caller.actor(), id, update, write.expected, write.rehearsal)
        .await?;
    let version = account.version;
    Ok(ok_with_etag(Account::from(account), version))
}

/// Delete a service account
///
/// All its roles, API keys and SCRAM credentials go with it; connections that use them are closed.
#[utoipa::path(
    delete, path = "/v1/service-accounts/{service_account}", tag = "credentials",
    params(("If-Match" = Option<String>, Header, description = "The ETag that was read last; without it, whatever is there")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 202, description = "It is gone, and not every broker knows yet", body = Account,
            headers(("Location", description = "The operation that tells when they do"))),
    )
)]
async fn delete_service_account(
    State(api): State<Api>,
    caller: Caller,
    write: Write,
    Ids(id): Ids<ServiceAccountId>,
) -> Result<Response, Problem> {
    let actor = caller.actor();
    let account = api.catalog.service_account(&actor, id).await?;
    let committed = api
        .catalog
        .delete_service_account(&actor, id, write.expected, write.rehearsal)
        .await?;
    api.tokens().in_force.forget_of(id);
    let in_force = api
        .in_force(&caller, "delete_service_account", &place(id), committed.sequence)
        .await?;
    Ok(in_force.deleted(Account::from(account)))
}
