//! `/healthz`: the process answers. `/readyz`: it serves, or why it does not.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;

use crate::operations::Operations;

/// One reason why the process does not serve (any more).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Blocker {
    /// The part that is not ready: `log`, `broker`, `process`.
    pub component: &'static str,
    /// Why, as a sentence for the operator.
    pub reason: String,
}

/// Tells whether everything serves. Asked at every `/readyz`; must answer at once, from memory.
pub trait Readiness: Send + Sync + 'static {
    /// Why not everything serves; empty if it does.
    fn blockers(&self) -> Vec<Blocker>;
}

#[derive(Serialize)]
pub(crate) struct Ready {
    status: &'static str,
    reasons: Vec<Blocker>,
}

pub(crate) async fn live() -> &'static str {
    "ok\n"
}

pub(crate) async fn ready(State(operations): State<Operations>) -> (StatusCode, Json<Ready>) {
    let reasons = operations.readiness.blockers();
    if reasons.is_empty() {
        (
            StatusCode::OK,
            Json(Ready {
                status: "ready",
                reasons,
            }),
        )
    } else {
        (
            StatusCode::SERVICE_UNAVAILABLE,
            Json(Ready {
                status: "not ready",
                reasons,
            }),
        )
    }
}
