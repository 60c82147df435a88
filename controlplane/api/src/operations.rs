//! What every process serves over HTTP, whatever its role: `/healthz`, `/readyz`, `/metrics`.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{Method, Uri};
use axum::middleware;
use axum::routing::get;
use firn_runtime::Env;
use prometheus::Registry;

use crate::envelope::{self, BODY_LIMIT_BYTES};
use crate::net::proxies::TrustedProxies;
use crate::rules::Problem;
use crate::{Readiness, exposition, health};

/// What these routes need from the rest of the process.
#[derive(Clone)]
pub struct Operations {
    /// Clock, randomness, tasks.
    pub env: Env,
    /// Whether everything serves.
    pub readiness: Arc<dyn Readiness>,
    /// Where `/metrics` gathers from.
    pub registry: Registry,
    /// Whose word on a client's address is taken.
    pub trusted_proxies: TrustedProxies,
}

impl Operations {
    /// These routes and nothing else.
    pub fn router(self) -> Router {
        let fallback = |uri: Uri| async move { Problem::not_found(uri.path()) };
        self.with_fallback(Router::new().fallback(fallback))
    }

    /// These routes; all others answer that the process is starting.
    pub(crate) fn starting(self) -> Router {
        let fallback = || async { Problem::starting() };
        self.with_fallback(Router::new().fallback(fallback))
    }

    fn with_fallback(self, router: Router<Self>) -> Router {
        router
            .route("/healthz", get(health::live))
            .route("/readyz", get(health::ready))
            .route("/metrics", get(exposition::metrics))
            .method_not_allowed_fallback(|method: Method, uri: Uri| async move {
                Problem::method_not_allowed(method.as_str(), uri.path())
            })
            .layer(DefaultBodyLimit::max(BODY_LIMIT_BYTES))
            .layer(middleware::from_fn_with_state(self.clone(), envelope::wrap))
            .with_state(self)
    }
}
