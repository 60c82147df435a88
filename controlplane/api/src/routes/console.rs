//! The web console: its page at every path that a person can be at, and its files.
//!
//! It has no way in of its own: what it does, it asks of the routes under `/v1`, as any program would.

use std::borrow::Cow;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{
    ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, VARY,
};
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, Uri};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;

use crate::rules::Problem;
use crate::state::Api;

const FOR_EVER: &str = "public, max-age=31536000, immutable";
const ASK_AGAIN: &str = "no-cache";

/// The console's files.
pub(super) fn routes() -> Router<Api> {
    Router::new()
        .route("/assets/{*path}", get(file))
        .route("/firn.svg", get(file))
}

/// Scripts are the console's own files and nothing else; styles too, and those that carry this answer's number.
fn policy(nonce: &str) -> String {
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; font-src 'self'; \
         connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
}

/// The page, to a browser that asks for a path which nothing else answers: the console knows what is there.
pub(super) async fn page(State(api): State<Api>, method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let browser = headers
        .get(ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"));
    if !(browser && matches!(method, Method::GET | Method::HEAD)) {
        return match uri.path() {
            "/" => api.facts.as_text().into_response(),
            path => Problem::not_found(path).into_response(),
        };
    }
    let nonce = hex::encode(api.env.random_u128().to_be_bytes());
    match firn_console::page(&nonce) {
        Some(page) => ([(CONTENT_SECURITY_POLICY, policy(&nonce))], Html(page)).into_response(),
        None => {
            let text = format!(
                "This binary was built without the console: `make web`, then build it again.\n\n{}",
                api.facts.as_text()
            );
            (StatusCode::OK, text).into_response()
        }
    }
}

async fn file(uri: Uri, headers: HeaderMap) -> Response {
    let accepted = headers.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
    let path = uri.path().trim_start_matches('/');
    let Some(asset) = firn_console::asset(path, accepted.unwrap_or_default()) else {
        return Problem::not_found(uri.path()).into_response();
    };
    let cache = if asset.immutable { FOR_EVER } else { ASK_AGAIN };
    let told: [(HeaderName, &str); 3] = [
        (CONTENT_TYPE, asset.content_type),
        (CACHE_CONTROL, cache),
        (VARY, "accept-encoding"),
    ];
    let body = match asset.bytes {
        Cow::Borrowed(bytes) => Body::from(Bytes::from_static(bytes)),
        Cow::Owned(bytes) => Body::from(bytes),
    };
    match asset.encoding {
        Some(encoding) => (told, [(CONTENT_ENCODING, encoding)], body).into_response(),
        None => (told, body).into_response(),
    }
}
