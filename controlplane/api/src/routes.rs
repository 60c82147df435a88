//! Which path is answered by what.

use std::sync::{Arc, OnceLock};

use axum::http::{Method, Uri};
use axum::middleware;
use axum::routing::get;
use axum::{Router, extract::DefaultBodyLimit};
use firn_runtime::Env;
use prometheus::Registry;

use crate::envelope::{self, BODY_LIMIT_BYTES};
use crate::problem::Problem;
use crate::{Facts, Readiness, exposition, health, page};

/// What the HTTP side needs from the rest of the process.
#[derive(Clone)]
pub struct Api {
    /// Clock, randomness, tasks.
    pub env: Env,
    /// Whether everything serves.
    pub readiness: Arc<dyn Readiness>,
    /// Where `/metrics` gathers from.
    pub registry: Registry,
    /// What the page at `/` says; empty while the process starts.
    pub facts: Arc<OnceLock<Facts>>,
}

impl Api {
    /// The service: routes inside the envelope that every request gets.
    pub fn router(self) -> Router {
        Router::new()
            .route("/", get(page::page))
            .route("/healthz", get(health::live))
            .route("/readyz", get(health::ready))
            .route("/metrics", get(exposition::metrics))
            .fallback(|uri: Uri| async move { Problem::not_found(uri.path()) })
            .method_not_allowed_fallback(|method: Method, uri: Uri| async move {
                Problem::method_not_allowed(method.as_str(), uri.path())
            })
            .layer(DefaultBodyLimit::max(BODY_LIMIT_BYTES))
            .layer(middleware::from_fn_with_state(self.clone(), envelope::wrap))
            .with_state(self)
    }
}
