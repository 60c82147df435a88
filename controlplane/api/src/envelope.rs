//! What every request gets: an id, a span, a deadline, a body limit, security headers and a place in the metrics.

use std::time::Duration;

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{CONTENT_LENGTH, HeaderName};
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tracing::Instrument;

use crate::metrics;
use crate::problem::Problem;
use crate::routes::Api;

/// The most that a request body may hold.
pub(crate) const BODY_LIMIT_BYTES: usize = 1 << 20;

/// How long an answer may take from the request's headers on.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// No script, frame or foreign source has any business on our pages; the page's own style is inline.
const SECURITY_HEADERS: [(&str, &str); 5] = [
    (
        "content-security-policy",
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cache-control", "no-store"),
];

pub(crate) async fn wrap(State(api): State<Api>, request: Request, next: Next) -> Response {
    let id = request_id(&api, request.headers());
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("other", MatchedPath::as_str)
        .to_owned();
    let method = request.method().clone();
    let span = tracing::info_span!("http", request_id = %id, %method, route);
    let started = tokio::time::Instant::now();
    let answer = async {
        if declared_length(request.headers()).is_some_and(|length| length > BODY_LIMIT_BYTES as u64) {
            return Problem::too_large(BODY_LIMIT_BYTES).into_response();
        }
        match tokio::time::timeout(DEADLINE, next.run(request)).await {
            Ok(response) => response,
            Err(_) => Problem::too_slow().into_response(),
        }
    };
    let mut response = answer.instrument(span.clone()).await;
    let (status, took) = (response.status(), started.elapsed());
    span.in_scope(|| tracing::debug!(status = status.as_u16(), took_ms = took.as_millis(), "answered"));
    metrics::request(method.as_str(), &route, status.as_u16(), took);
    let headers = response.headers_mut();
    for (name, value) in SECURITY_HEADERS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    if let Ok(id) = HeaderValue::try_from(id) {
        headers.insert(REQUEST_ID, id);
    }
    response
}

/// The caller's id if it is one that can stand in a log line, else a new one.
fn request_id(api: &Api, headers: &HeaderMap) -> String {
    let legal = |id: &&str| {
        !id.is_empty()
            && id.len() <= 64
            && id
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    match headers
        .get(REQUEST_ID)
        .and_then(|value| value.to_str().ok())
        .filter(legal)
    {
        Some(id) => id.into(),
        None => hex::encode(api.env.random_u128().to_be_bytes()),
    }
}

fn declared_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
