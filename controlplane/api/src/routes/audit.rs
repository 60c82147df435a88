//! The audit trail of an organization; what it shares with that of a cluster is below.

pub(super) mod entries;
pub(super) mod exporting;
pub(super) mod heads;

use axum::extract::State;
use axum::response::Response;
use firn_catalog::audit::Trail;
use firn_catalog::ids::OrganizationId;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::entries::EntryView;
use self::heads::HeadView;
use crate::rules::{Caller, Ids, Listing, Paging, Problem, Query};
use crate::state::Api;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(list_audit))
        .routes(routes!(export_audit))
        .routes(routes!(get_audit_head))
}

/// List audit entries
///
/// What somebody did in the organization or was not allowed to, the newest first.
#[utoipa::path(
    get, path = "/v1/organizations/{organization}/audit", tag = "audit",
    params(
        ("id" = Option<String>, Query, description = "Only this entry", pattern = "^aud_[a-h][a-z2-7]{25}$"),
        ("principal" = Option<String>, Query, description = "Only of this principal, such as `User:per_...`", max_length = 300),
        ("action" = Option<String>, Query, description = "Only this action, such as `create_project`", max_length = 300),
        ("resource_kind" = Option<String>, Query, description = "Only about things of this kind, such as `project`", max_length = 300),
        ("resource" = Option<String>, Query, description = "Only about this thing: a public id or a name", max_length = 300),
        ("decision" = Option<String>, Query, description = "Only what was allowed, or denied", pattern = "^(allowed|denied)$"),
        ("request_id" = Option<String>, Query, description = "Only of this request", max_length = 300),
        ("from" = Option<String>, Query, description = "From this moment on (RFC 3339)", format = "date-time"),
        ("to" = Option<String>, Query, description = "Before this moment (RFC 3339)", format = "date-time"),
        ("page_size" = Option<i64>, Query, minimum = 1, maximum = 200), ("cursor" = Option<String>, Query)
    ),
    responses((status = 200, description = "A page of audit entries", body = Listing<EntryView>))
)]
async fn list_audit(
    State(api): State<Api>,
    caller: Caller,
    Ids(organization): Ids<OrganizationId>,
    query: Query,
    paging: Paging,
) -> Result<Response, Problem> {
    entries::list(&api, &caller, Trail::Organization(organization), &query, &paging).await
}

/// Export the audit trail
///
/// The chained entries as lines of JSON, the oldest first, each with its position, the hash before it and its hash, so that
/// `firn audit verify` can tell whether anything was changed. Goes on where another export ended with `after`.
#[utoipa::path(
    get, path = "/v1/organizations/{organization}/audit/export", tag = "audit",
    params(
        ("after" = Option<u64>, Query, description = "After the entry at this position"),
        ("from" = Option<String>, Query, description = "From the first entry on that is of this moment or later (RFC 3339)", format = "date-time"),
        ("to" = Option<String>, Query, description = "Up to the last entry before this moment (RFC 3339)", format = "date-time"),
    ),
    responses((status = 200, description = "The entries, one a line", body = String, content_type = "application/x-ndjson"))
)]
async fn export_audit(
    State(api): State<Api>,
    caller: Caller,
    Ids(organization): Ids<OrganizationId>,
    query: Query,
) -> Result<Response, Problem> {
    exporting::export(api, &caller, Trail::Organization(organization), &query).await
}

/// Where the audit trail ends
///
/// Signed: whoever keeps it can prove later that nothing before it was cut off or rewritten.
#[utoipa::path(
    get, path = "/v1/organizations/{organization}/audit/head", tag = "audit",
    responses((status = 200, description = "The end of the trail", body = HeadView))
)]
async fn get_audit_head(
    State(api): State<Api>,
    caller: Caller,
    Ids(organization): Ids<OrganizationId>,
) -> Result<Response, Problem> {
    heads::head(&api, &caller, Trail::Organization(organization)).await
}
