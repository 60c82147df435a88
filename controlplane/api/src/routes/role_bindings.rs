//! Role bindings: which role a person or a service account has in an organization, a project or a cluster.

use axum::extract::State;
use axum::response::Response;
use firn_catalog::access::{Role, Scope};
use firn_catalog::account::{BindingFilter, Holder, RoleBinding};
use firn_catalog::ids::{BindingId, ClusterId, OrganizationId, PersonId, ProjectId, ServiceAccountId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::rules::in_force::InForce;
use crate::rules::{Body, Caller, Ids, Listing, Moment, Paging, Problem, Query, Write, ok, ok_with_etag};
use crate::state::Api;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(list_role_bindings, create_role_binding))
        .routes(routes!(
            get_role_binding,
            update_role_binding,
            delete_role_binding
        ))
}

/// A role, as bodies name it.
#[derive(Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum RoleName {
    /// Everything, owners included.
    Owner,
    /// Everything but the organization's end and its owners.
    Admin,
    /// Clusters and what is in them, records included; no people, no credentials.
    Operator,
    /// Topics, groups and records of clusters that are there.
    Developer,
    /// Sees everything but records and secrets.
    Viewer,
    /// Sees usage and the organization, nothing else.
    Billing,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Owner => Self::Owner,
            RoleName::Admin => Self::Admin,
            RoleName::Operator => Self::Operator,
            RoleName::Developer => Self::Developer,
            RoleName::Viewer => Self::Viewer,
            RoleName::Billing => Self::Billing,
        }
    }
}

impl From<Role> for RoleName {
    fn from(role: Role) -> Self {
        match role {
            Role::Owner => Self::Owner,
            Role::Admin => Self::Admin,
            Role::Operator => Self::Operator,
            Role::Developer => Self::Developer,
            Role::Viewer => Self::Viewer,
            Role::Billing => Self::Billing,
        }
    }
}

/// A role that somebody has somewhere.
#[derive(Serialize, ToSchema)]
#[schema(as = RoleBinding)]
struct BindingView {
    /// Its id.
    #[schema(pattern = "^rol_[a-h][a-z2-7]{25}$")]
    id: String,
    /// Who has it: a person or a service account.
    #[schema(pattern = "^(per|sa)_[a-h][a-z2-7]{25}$")]
    principal: String,
    /// Where: the organization, a project or a cluster of it, and everything inside.
    #[schema(pattern = "^(org|prj|clu)_[a-h][a-z2-7]{25}$")]
    scope: String,
    /// Which role.
    role: RoleName,
    /// Since when.
    created_at: Moment,
}

impl From<RoleBinding> for BindingView {
    fn from(binding: RoleBinding) -> Self {
        Self {
            id: binding.id.public(),
            principal: binding.holder.public(),
            scope: match binding.scope {
                Scope::Organization(id) => id.public(),
                Scope::Project(id) => id.public(),
                Scope::Cluster(id) => id.public(),
            },
            role: binding.role.into(),
            created_at: Moment(binding.created_at),
        }
    }
}

/// A role that is to be given.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewBindingRequest {
    /// To whom: a member or a service account of the organization.
    #[schema(pattern = "^(per|sa)_[a-h][a-z2-7]{25}$")]
    principal: String,
    /// Where: the organization, or a project or a cluster of it.
    #[schema(pattern = "^(org|prj|clu)_[a-h][a-z2-7]{25}$")]
    scope: String,
    /// Which role. Nobody gives one that allows more than they may do there themselves.
    role: RoleName,
}

/// Another role.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct BindingRequest {
    /// Which role.
    role: RoleName,
}

fn holder(text: &str) -> Option<Holder> {
    let person = PersonId::from_public(text).ok().map(Holder::Person);
    person.or_else(|| {
        ServiceAccountId::from_public(text)
            .ok()
            .map(Holder::ServiceAccount)
    })
}

fn scope(text: &str) -> Option<Scope> {
    let organization = OrganizationId::from_public(text).ok().map(Scope::Organization);
    let project = || ProjectId::from_public(text).ok().map(Scope::Project);
    let cluster = || ClusterId::from_public(text).ok().map(Scope::Cluster);
    organization.or_else(project).or_else(cluster)
}

/// Brings a service account's roles to the brokers that know it.
async fn put_in_force(
    api: &Api,
    caller: &Caller,
    write: Write,
    binding: &RoleBinding,
) -> Result<InForce, Problem> {
    let sequence = match binding.holder {
        Holder::ServiceAccount(id) if !write.rehearsal => api.catalog.refresh_service_account(id).await?,
        Holder::ServiceAccount(_) | Holder::Person(_) => None,
    };
    let path = path(binding);
    api.in_force(caller, "change_role_binding", &path, sequence).await
}

fn path(binding: &RoleBinding) -> String {
    let (organization, id) = (binding.organization.public(), binding.id.public());
    format!("/v1/organizations/{organization}/role-bindings/{id}")
}

/// List role bindings
#[utoipa::path(
    get, path = "/v1/organizations/{organization}/role-bindings", tag = "members",
    params(
        ("principal" = Option<String>, Query, description = "Only of this person or service account"),
        ("scope" = Option<String>, Query, description = "Only in exactly this organization, project or cluster"),
        ("page_size" = Option<i64>, Query, minimum = 1, maximum = 200), ("cursor" = Option<String>, Query)
    ),
    responses((status = 200, description = "A page of role bindings", body = Listing<BindingView>))
)]
async fn list_role_bindings(
    State(api): State<Api>,
    caller: Caller,
    Ids(organization): Ids<OrganizationId>,
    query: Query,
    paging: Paging,
) -> Result<Response, Problem> {
    let no_id = |name: &str| Problem::bad_request(format!("{name} must be a public id"));
    let wanted = |name: &'static str| query.text(name);
    let holder = wanted("principal")?.map(|text| holder(text).ok_or_else(|| no_id("principal")));
    let scope = wanted("scope")?.map(|text| scope(text).ok_or_else(|| no_id("scope")));
    let filter = BindingFilter {
        holder: holder.transpose()?,
        scope: scope.transpose()?,
        after: paging.after_id(BindingId::from_public)?,
    };
    let found = api
        .catalog
        .role_bindings(&caller.actor(), organization, filter, paging.rows())
        .await?;
    Ok(ok(paging.page(found, |row| row.id.public(), BindingView::from)))
}

/// Give a role
#[utoipa::path(
    post, path = "/v1/organizations/{organization}/role-bindings", tag = "members", request_body = NewBindingRequest,
    responses(
        (status = 201, description = "Given, and in force", body = BindingView,
            headers(("Location" = String), ("ETag" = String))),
        (status = 202, description = "Given; the operation tells when every broker knows", body = BindingView,
            headers(("Location" = String), ("ETag" = String))))
)]
async fn create_role_binding(
    State(api): State<Api>,
    caller: Caller,
    Ids(organization): Ids<OrganizationId>,
    write: Write,
    Body(body): Body<NewBindingRequest>,
) -> Result<Response, Problem> {
    let holder = holder(&body.principal).ok_or_else(|| {
        Problem::invalid(
            "/principal",
            "it must be the public id of a person or a service account",
        )
    })?;
    let scope = scope(&body.scope).ok_or_else(|| {
        Problem::invalid(
            "/scope",
            "it must be the public id of an organization, a project or a cluster",
        )
    })?;
    let binding = (holder, scope, body.role.into());
    let made = api
        .catalog
        .create_role_binding(&caller.actor(), organization, binding, write.rehearsal)
        .await?;
    let in_force = put_in_force(&api, &caller, write, &made).await?;
    let (location, version) = (path(&made), Some(made.version));
    Ok(in_force.created(BindingView::from(made), location, version))
}

/// Get a role binding
#[utoipa::path(
    get, path = "/v1/organizations/{organization}/role-bindings/{binding}", tag = "members",
    responses((status = 200, description = "The role binding", body = BindingView, headers(("ETag" = String))))
)]
async fn get_role_binding(
    State(api): State<Api>,
    caller: Caller,
    Ids((organization, id)): Ids<(OrganizationId, BindingId)>,
) -> Result<Response, Problem> {
    let found = api
        .catalog
        .role_binding(&caller.actor(), organization, id)
        .await?;
    let version = found.version;
    Ok(ok_with_etag(BindingView::from(found), version))
}

/// Change a role
#[utoipa::path(
    patch, path = "/v1/organizations/{organization}/role-bindings/{binding}", tag = "members",
    request_body = BindingRequest, params(("If-Match" = String, Header)),
    responses(
        (status = 200, description = "Changed, and in force", body = BindingView, headers(("ETag" = String))),
        (status = 202, description = "Changed; the operation tells when every broker knows", body = BindingView,
            headers(("Location" = String), ("ETag" = String))))
)]
async fn update_role_binding(
    State(api): State<Api>,
    caller: Caller,
    Ids(of): Ids<(OrganizationId, BindingId)>,
    write: Write,
    Body(body): Body<BindingRequest>,
) -> Result<Response, Problem> {
    let write = write.versioned()?;
    let changed = api
        .catalog
        .update_role_binding(
            &caller.actor(),
            of,
            body.role.into(),
            write.expected,
            write.rehearsal,
        )
        .await?;
    let in_force = put_in_force(&api, &caller, write, &changed).await?;
    let version = Some(changed.version);
    Ok(in_force.changed(BindingView::from(changed), version))
}

/// Take a role away
///
/// The last owner's cannot be taken.
#[utoipa::path(
    delete, path = "/v1/organizations/{organization}/role-bindings/{binding}", tag = "members",
    params(("If-Match" = String, Header)),
    responses(
        (status = 204, description = "Taken, and in force"),
        (status = 202, description = "Taken; the operation tells when every broker knows", body = BindingView,
            headers(("Location" = String))))
)]
async fn delete_role_binding(
    State(api): State<Api>,
    caller: Caller,
    Ids(of): Ids<(OrganizationId, BindingId)>,
    write: Write,
) -> Result<Response, Problem> {
    let write = write.versioned()?;
    let taken = api
        .catalog
        .delete_role_binding(&caller.actor(), of, write.expected, write.rehearsal)
        .await?;
    let in_force = put_in_force(&api, &caller, write, &taken).await?;
    Ok(in_force.deleted(BindingView::from(taken)))
}
