//! Operations: changes that were made, and are not in force on every broker yet.

use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use firn_catalog::ids::OperationId;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::rules::{Caller, Ids, Moment, Problem, Query, ok};
use crate::state::Api;

/// The longest that a caller can wait in one request, in seconds.
const MAX_WAIT: u64 = 30;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(get_operation))
}

/// How far an operation is.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Progress {
    /// Not every broker serves the change yet.
    Running,
    /// Every broker does.
    Done,
}

/// A change that was made, and how far it is in force.
#[derive(Serialize, ToSchema)]
#[schema(as = Operation)]
struct OperationView {
    /// Its id.
    #[schema(pattern = "^op_[a-h][a-z2-7]{25}$")]
    id: String,
    /// How far it is.
    status: Progress,
    /// What was changed, as the audit trail calls it.
    action: String,
    /// The path of what was changed.
    resource: String,
    /// When.
    created_at: Moment,
}

/// Get an operation
///
/// With `wait` the answer comes when the operation is done, or after so many seconds.
#[utoipa::path(
    get, path = "/v1/operations/{operation}", tag = "service",
    params(("wait" = Option<i64>, Query, minimum = 0, maximum = 30, description = "How long to wait, in seconds")),
    responses((status = 200, description = "The operation", body = OperationView))
)]
async fn get_operation(
    State(api): State<Api>,
    caller: Caller,
    Ids(id): Ids<OperationId>,
    query: Query,
) -> Result<Response, Problem> {
    let wait = query.number("wait", 0..=MAX_WAIT)?.unwrap_or(0);
    let operation = api.catalog.operation(&caller.actor(), id).await?;
    let done = api
        .catalog
        .applied_everywhere(operation.sequence, Duration::from_secs(wait))
        .await;
    Ok(ok(OperationView {
        id: operation.id.public(),
        status: if done { Progress::Done } else { Progress::Running },
        action: operation.action,
        resource: operation.resource,
        created_at: Moment(operation.created_at),
    }))
}
