//! What every request gets: an id, a span, a deadline, a body limit, security headers and a place in the metrics.

use std::net::SocketAddr;
use std::time::Duration;

use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::header::{CONTENT_LENGTH, HeaderName};
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tracing::Instrument;

use crate::Operations;
use crate::metrics;
use crate::rules::request::{REQUEST_ID, TRACEPARENT};
use crate::rules::{Problem, RequestInfo};

/// The most that a request body may hold.
pub(crate) const BODY_LIMIT_BYTES: usize = 1 << 20;

/// How long an answer may take from the request's headers on: longer than a long poll, shorter than an idempotency key's claim holds.
pub(crate) const DEADLINE: Duration = Duration::from_secs(40);

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

pub(crate) async fn wrap(State(operations): State<Operations>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let proxies = &operations.trusted_proxies;
    let client = peer.map(|peer| proxies.client(peer.0.ip(), request.headers()));
    let info = RequestInfo::read(&operations.env, request.headers(), client);
    request.extensions_mut().insert(info.clone());
    let matched = request.extensions().get::<MatchedPath>();
    let matched = matched.map(|path| path.as_str().to_owned());
    let method = request.method().clone();
    let span = tracing::info_span!(
        "http",
        request_id = %info.id,
        trace = info.trace(),
        %method,
        route = matched.as_deref().unwrap_or("other")
    );
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
    let mut response = info.clone().scope(answer).instrument(span.clone()).await;
    let (status, took) = (response.status(), started.elapsed());
    span.in_scope(|| tracing::debug!(status = status.as_u16(), took_ms = took.as_millis(), "answered"));
    let route = matched.as_deref().unwrap_or("other");
    metrics::request(method.as_str(), route, status.as_u16(), took);
    let headers = response.headers_mut();
    for (name, value) in SECURITY_HEADERS {
        // What may be cached says so itself.
        let header = headers.entry(HeaderName::from_static(name));
        header.or_insert(HeaderValue::from_static(value));
    }
    for (name, value) in [(REQUEST_ID, &info.id), (TRACEPARENT, &info.traceparent)] {
        if let Ok(value) = HeaderValue::try_from(&**value) {
            headers.insert(name, value);
        }
    }
    response
}

fn declared_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
