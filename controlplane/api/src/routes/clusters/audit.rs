//! A cluster's audit trail: every command that had an effect in it.

use axum::extract::State;
use axum::response::Response;
use firn_catalog::account::clusters::ClusterAudit;
use firn_catalog::ids::{AuditId, ClusterId, FeedSequence};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::rules::{Caller, Ids, Listing, Moment, Paging, Problem, ok};
use crate::state::Api;

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(list_cluster_audit))
}

/// Something that was done to a cluster.
#[derive(Serialize, ToSchema)]
pub(crate) struct ClusterAuditEntry {
    /// Its id.
    #[schema(pattern = "^aud_[a-h][a-z2-7]{25}$")]
    id: String,
    /// When it was done.
    at: Moment,
    /// Who did it, as Kafka writes it: `User:` and an id or a name.
    principal: String,
    /// The request by which it was done.
    request_id: String,
    /// What was done.
    action: String,
    /// To what in the cluster: a topic's name, for one.
    subject: String,
}

impl From<ClusterAudit> for ClusterAuditEntry {
    fn from(row: ClusterAudit) -> Self {
        Self {
            id: row.id.public(),
            at: Moment(row.at),
            principal: row.principal,
            request_id: row.request,
            action: row.action,
            subject: row.subject,
        }
    }
}

/// List what was done to a cluster
///
/// The newest first.
#[utoipa::path(
    get, path = "/v1/clusters/{cluster}/audit", tag = "clusters",
    params(
        ("page_size" = Option<i64>, Query, description = "How many items a page has at most", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "Where the page begins: next_cursor of the one before", max_length = 2000),
    ),
    responses((status = 200, body = Listing<ClusterAuditEntry>))
)]
async fn list_cluster_audit(
    State(api): State<Api>,
    caller: Caller,
    paging: Paging,
    Ids(id): Ids<ClusterId>,
) -> Result<Response, Problem> {
    let before = paging
        .after
        .as_deref()
        .map(|after| place(after).ok_or_else(Problem::internal));
    let most = usize::try_from(paging.rows()).unwrap_or(usize::MAX);
    let actor = caller.actor();
    let rows = api
        .catalog
        .cluster_audit(&actor, id, before.transpose()?, most)
        .await?;
    let position = |row: &ClusterAudit| format!("{}.{}", row.sequence, row.id);
    Ok(ok(paging.page(rows, position, ClusterAuditEntry::from)))
}

/// A row's place, as the cursor of this list has it.
fn place(text: &str) -> Option<(FeedSequence, AuditId)> {
    let (sequence, id) = text.split_once('.')?;
    Some((FeedSequence(sequence.parse().ok()?), id.parse().ok()?))
}
