//! Clusters: virtual Kafka clusters of projects.

mod audit;
mod bodies;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use firn_catalog::account::clusters::{ClusterFilter, ClusterPhase, ClusterView};
use firn_catalog::commands::Committed;
use firn_catalog::ids::{ClusterId, ProjectId};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) use self::bodies::bootstrap;
use self::bodies::{Cluster, ClusterChange, NewClusterBody};
use crate::rules::in_force::InForce;
use crate::rules::{Body, Caller, Ids, Listing, Paging, Problem, Write, ok, ok_with_etag};
use crate::state::Api;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(list_clusters, create_cluster))
        .routes(routes!(get_cluster, update_cluster, delete_cluster))
        .routes(routes!(undelete_cluster))
        .routes(routes!(suspend_cluster))
        .routes(routes!(resume_cluster))
        .merge(audit::routes())
}

/// A change as it is answered, and whether it is in force.
async fn settled(
    api: &Api,
    caller: &Caller,
    action: &'static str,
    committed: Committed<ClusterView>,
) -> Result<(InForce, Cluster, i64), Problem> {
    let Committed { value, sequence } = committed;
    let resource = format!("/v1/clusters/{}", value.id.public());
    let in_force = api.in_force(caller, action, &resource, sequence).await?;
    let version = value.version;
    Ok((in_force, Cluster::of(api, value), version))
}

async fn changed(
    api: &Api,
    caller: &Caller,
    action: &'static str,
    committed: Committed<ClusterView>,
) -> Result<Response, Problem> {
    let (in_force, cluster, version) = settled(api, caller, action, committed).await?;
    Ok(in_force.changed(cluster, Some(version)))
}

/// List clusters
///
/// Those that the caller may see, in the order of their ids.
#[utoipa::path(
    get, path = "/v1/clusters", tag = "clusters",
    params(
        ("project" = Option<String>, Query, description = "Those of this project", pattern = "^prj_[a-h][a-z2-7]{25}$"),
        ("state" = Option<String>, Query, description = "Those in this state: creating, active, suspended or deleting",
            pattern = "^(creating|active|suspended|deleting)$"),
        ("name" = Option<String>, Query, description = "Those whose name begins so, in upper or lower case", max_length = 100),
        ("page_size" = Option<i64>, Query, description = "How many items a page has at most", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "Where the page begins: next_cursor of the one before", max_length = 2000),
    ),
    responses((status = 200, body = Listing<Cluster>))
)]
async fn list_clusters(
    State(api): State<Api>,
    caller: Caller,
    paging: Paging,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let filter = filter(query.as_deref().unwrap_or_default())?;
    let after = paging.after.as_deref().map(str::parse::<ClusterId>).transpose();
    let after = after.map_err(|_| Problem::internal())?;
    let most = usize::try_from(paging.rows()).unwrap_or(usize::MAX);
    let rows = api
        .catalog
        .clusters(&caller.actor(), &filter, after, most)
        .await?;
    Ok(ok(paging.page(
        rows,
        |row| row.id.to_string(),
        |row| Cluster::of(&api, row),
    )))
}

fn filter(query: &str) -> Result<ClusterFilter, Problem> {
    let mut filter = ClusterFilter::default();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "project" => {
                let project = ProjectId::from_public(&value);
                let project =
                    project.map_err(|_| Problem::bad_request("project must be the id of a project"))?;
                filter.project = Some(project);
            }
            "state" => {
                filter.phase = Some(match &*value {
                    "creating" => ClusterPhase::Creating,
                    "active" => ClusterPhase::Active,
                    "suspended" => ClusterPhase::Suspended,
                    "deleting" => ClusterPhase::Deleting,
                    _ => {
                        let reason = "state must be creating, active, suspended or deleting";
                        return Err(Problem::bad_request(reason));
                    }
                });
            }
            "name" if value.chars().count() > 100 || value.contains('\0') => {
                return Err(Problem::bad_request("no name begins so"));
            }
            "name" => filter.name_prefix = Some(value.into_owned()),
            _ => {}
        }
    }
    Ok(filter)
}

/// Create a cluster
#[utoipa::path(
    post, path = "/v1/clusters", tag = "clusters",
    request_body = NewClusterBody,
    responses(
        (status = 201, description = "It serves", body = Cluster, headers(("Location", description = "The cluster"), ("ETag", description = "Its version"))),
        (status = 202, description = "It is made, and not in force everywhere yet", body = Cluster,
            headers(("Location", description = "The operation that tells when it is"), ("ETag", description = "Its version"))),
    )
)]
async fn create_cluster(
    State(api): State<Api>,
    caller: Caller,
    write: Write,
    Body(body): Body<NewClusterBody>,
) -> Result<Response, Problem> {
    let new = body.try_into()?;
    let committed = api
        .catalog
        .create_cluster(&caller.actor(), new, write.rehearsal)
        .await?;
    let location = format!("/v1/clusters/{}", committed.value.id.public());
    let (in_force, cluster, version) = settled(&api, &caller, "create_cluster", committed).await?;
    Ok(in_force.created(cluster, location, Some(version)))
}

/// Get a cluster
#[utoipa::path(
    get, path = "/v1/clusters/{cluster}", tag = "clusters",
    responses((status = 200, body = Cluster, headers(("ETag", description = "Its version"))))
)]
async fn get_cluster(
    State(api): State<Api>,
    caller: Caller,
    Ids(id): Ids<ClusterId>,
) -> Result<Response, Problem> {
    let cluster = api.catalog.cluster(&caller.actor(), id).await?;
    let version = cluster.version;
    Ok(ok_with_etag(Cluster::of(&api, cluster), version))
}

/// Change a cluster
#[utoipa::path(
    patch, path = "/v1/clusters/{cluster}", tag = "clusters",
    params(("If-Match" = Option<String>, Header, description = "The ETag that was read last, or * for whatever is there")),
    request_body = ClusterChange,
    responses(
        (status = 200, description = "The change is in force", body = Cluster, headers(("ETag", description = "Its version"))),
        (status = 202, description = "It is made, and not in force everywhere yet", body = Cluster,
            headers(("Location", description = "The operation that tells when it is"), ("ETag", description = "Its version"))),
    )
)]
async fn update_cluster(
    State(api): State<Api>,
    caller: Caller,
    write: Write,
    Ids(id): Ids<ClusterId>,
    Body(body): Body<ClusterChange>,
) -> Result<Response, Problem> {
    let write = write.versioned()?;
    let committed = api
        .catalog
        .update_cluster(&caller.actor(), id, body.into(), write.expected, write.rehearsal)
        .await?;
    changed(&api, &caller, "update_cluster", committed).await
}

/// Delete a cluster
///
/// It serves nothing any more, and goes with all that is in it at its `delete_at`. Until then it can be undeleted.
#[utoipa::path(
    delete, path = "/v1/clusters/{cluster}", tag = "clusters",
    params(("If-Match" = Option<String>, Header, description = "The ETag that was read last; without it, whatever is there")),
    responses(
        (status = 200, description = "It serves nothing any more", body = Cluster, headers(("ETag", description = "Its version"))),
        (status = 202, description = "It is deleted, and this is not in force everywhere yet", body = Cluster,
            headers(("Location", description = "The operation that tells when it is"), ("ETag", description = "Its version"))),
    )
)]
async fn delete_cluster(
    State(api): State<Api>,
    caller: Caller,
    write: Write,
    Ids(id): Ids<ClusterId>,
) -> Result<Response, Problem> {
    let window = api.settings.undelete_window;
    let committed = api
        .catalog
        .delete_cluster(&caller.actor(), id, window, write.expected, write.rehearsal)
        .await?;
    changed(&api, &caller, "delete_cluster", committed).await
}

/// Undelete a cluster
///
/// Within its window it comes back as it was.
#[utoipa::path(
    post, path = "/v1/clusters/{cluster}/undelete", tag = "clusters",
    params(("If-Match" = Option<String>, Header, description = "The ETag that was read last; without it, whatever is there")),
    responses(
        (status = 200, description = "It is back", body = Cluster, headers(("ETag", description = "Its version"))),
        (status = 202, description = "It is back, and this is not in force everywhere yet", body = Cluster,
            headers(("Location", description = "The operation that tells when it is"), ("ETag", description = "Its version"))),
    )
)]
async fn undelete_cluster(
    State(api): State<Api>,
    caller: Caller,
    write: Write,
    Ids(id): Ids<ClusterId>,
) -> Result<Response, Problem> {
    let committed = api
        .catalog
        .undelete_cluster(&caller.actor(), id, write.expected, write.rehearsal)
        .await?;
    changed(&api, &caller, "undelete_cluster", committed).await
}

/// Suspend a cluster
///
/// It serves nothing until it is resumed; all that is in it stays.
#[utoipa::path(
    post, path = "/v1/clusters/{cluster}/suspend", tag = "clusters",
    params(("If-Match" = Option<String>, Header, description = "The ETag that was read last; without it, whatever is there")),
    responses(
        (status = 200, description = "It serves nothing", body = Cluster, headers(("ETag", description = "Its version"))),
        (status = 202, description = "It is suspended, and this is not in force everywhere yet", body = Cluster,
            headers(("Location", description = "The operation that tells when it is"), ("ETag", description = "Its version"))),
    )
)]
async fn suspend_cluster(
    State(api): State<Api>,
    caller: Caller,
    write: Write,
    Ids(id): Ids<ClusterId>,
) -> Result<Response, Problem> {
    let committed = api
        .catalog
        .suspend_cluster(&caller.actor(), id, write.expected, write.rehearsal)
        .await?;
    changed(&api, &caller, "suspend_cluster", committed).await
}

/// Resume a cluster
#[utoipa::path(
    post, path = "/v1/clusters/{cluster}/resume", tag = "clusters",
    params(("If-Match" = Option<String>, Header, description = "The ETag that was read last; without it, whatever is there")),
    responses(
        (status = 200, description = "It serves again", body = Cluster, headers(("ETag", description = "Its version"))),
        (status = 202, description = "It is resumed, and this is not in force everywhere yet", body = Cluster,
            headers(("Location", description = "The operation that tells when it is"), ("ETag", description = "Its version"))),
    )
)]
async fn resume_cluster(
    State(api): State<Api>,
    caller: Caller,
    write: Write,
    Ids(id): Ids<ClusterId>,
) -> Result<Response, Problem> {
    let committed = api
        .catalog
        .resume_cluster(&caller.actor(), id, write.expected, write.rehearsal)
        .await?;
    changed(&api, &caller, "resume_cluster", committed).await
}
