//! How often callers may ask.

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::envelope::BODY_LIMIT_BYTES;
use crate::rules::limits::WINDOW;
use crate::rules::ok;
use crate::state::Api;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(get_limits))
}

/// What a caller may send.
#[derive(Serialize, ToSchema)]
struct Limits {
    /// Requests in a window with a live credential, for each person and service account.
    requests_per_principal: u32,
    /// Requests in a window without one, for each address; of an IPv6 address the first 64 bits count.
    requests_per_address: u32,
    /// The window in seconds. A bucket fills steadily over it.
    window_seconds: u64,
    /// The largest body of a request in bytes.
    body_bytes: usize,
}

/// How often callers may ask
#[utoipa::path(get, path = "/v1/limits", tag = "service", security(()), responses((status = 200, body = Limits)))]
async fn get_limits(State(api): State<Api>) -> Response {
    let limits = api.settings.rate_limits;
    ok(Limits {
        requests_per_principal: limits.per_principal,
        requests_per_address: limits.per_address,
        window_seconds: WINDOW.as_secs(),
        body_bytes: BODY_LIMIT_BYTES,
    })
}
