//! A cluster's audit trail: every command that had an effect in it, and what was denied to its clients.

use axum::extract::State;
use axum::response::Response;
use firn_catalog::audit::Trail;
use firn_catalog::ids::ClusterId;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::routes::audit::entries::{self, EntryView};
use crate::routes::audit::exporting;
use crate::routes::audit::heads::{self, HeadView};
use crate::rules::{Caller, Ids, Listing, Paging, Problem, Query};
use crate::state::Api;

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(list_cluster_audit))
        .routes(routes!(export_cluster_audit))
        .routes(routes!(get_cluster_audit_head))
}

/// List what was done to a cluster
///
/// Also what was denied to its Kafka clients, about a second later; equal denials of a moment are one entry with a count. The newest first.
#[utoipa::path(
    get, path = "/v1/clusters/{cluster}/audit", tag = "clusters",
    params(
        ("id" = Option<String>, Query, description = "Only this entry: the id that an error message names", pattern = "^aud_[a-h][a-z2-7]{25}$"),
        ("principal" = Option<String>, Query, description = "Only of this principal, such as `User:sa_...`", max_length = 300),
        ("action" = Option<String>, Query, description = "Only this action, such as `create_topic` or `write`", max_length = 300),
        ("resource_kind" = Option<String>, Query, description = "Only about things of this kind, such as `topic`", max_length = 300),
        ("resource" = Option<String>, Query, description = "Only about this thing: a name or a public id", max_length = 300),
        ("decision" = Option<String>, Query, description = "Only what was allowed, or denied", pattern = "^(allowed|denied)$"),
        ("request_id" = Option<String>, Query, description = "Only of this request", max_length = 300),
        ("from" = Option<String>, Query, description = "From this moment on (RFC 3339)", format = "date-time"),
        ("to" = Option<String>, Query, description = "Before this moment (RFC 3339)", format = "date-time"),
        ("page_size" = Option<i64>, Query, description = "How many items a page has at most", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "Where the page begins: next_cursor of the one before", max_length = 2000),
    ),
    responses((status = 200, body = Listing<EntryView>))
)]
async fn list_cluster_audit(
    State(api): State<Api>,
    caller: Caller,
    paging: Paging,
    Ids(id): Ids<ClusterId>,
    query: Query,
) -> Result<Response, Problem> {
    entries::list(&api, &caller, Trail::Cluster(id), &query, &paging).await
}

/// Export a cluster's audit trail
///
/// The chained entries as lines of JSON, the oldest first, each with its position, the hash before it and its hash, so that
/// `firn audit verify` can tell whether anything was changed. Goes on where another export ended with `after`.
#[utoipa::path(
    get, path = "/v1/clusters/{cluster}/audit/export", tag = "clusters",
    params(
        ("after" = Option<u64>, Query, description = "After the entry at this position"),
        ("from" = Option<String>, Query, description = "From the first entry on that is of this moment or later (RFC 3339)", format = "date-time"),
        ("to" = Option<String>, Query, description = "Up to the last entry before this moment (RFC 3339)", format = "date-time"),
    ),
    responses((status = 200, description = "The entries, one a line", body = String, content_type = "application/x-ndjson"))
)]
async fn export_cluster_audit(
    State(api): State<Api>,
    caller: Caller,
    Ids(id): Ids<ClusterId>,
    query: Query,
) -> Result<Response, Problem> {
    exporting::export(api, &caller, Trail::Cluster(id), &query).await
}

/// Where a cluster's audit trail ends
///
/// Signed: whoever keeps it can prove later that nothing before it was cut off or rewritten.
#[utoipa::path(
    get, path = "/v1/clusters/{cluster}/audit/head", tag = "clusters",
    responses((status = 200, description = "The end of the trail", body = HeadView))
)]
async fn get_cluster_audit_head(
    State(api): State<Api>,
    caller: Caller,
    Ids(id): Ids<ClusterId>,
) -> Result<Response, Problem> {
    heads::head(&api, &caller, Trail::Cluster(id)).await
}
