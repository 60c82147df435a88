//! Answers: status, `Location` and `ETag` around a resource.

use axum::Json;
use axum::http::header::{ETAG, LOCATION};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// The ETag of a version.
fn etag(version: i64) -> String {
    format!("\"{version}\"")
}

fn with(mut response: Response, name: HeaderName, value: String) -> Response {
    if let Ok(value) = HeaderValue::try_from(value) {
        response.headers_mut().insert(name, value);
    }
    response
}

/// 200 with a resource that has no version.
pub(crate) fn ok<T: Serialize>(resource: T) -> Response {
    Json(resource).into_response()
}

/// 200 with a resource, as read or changed.
pub(crate) fn ok_with_etag<T: Serialize>(resource: T, version: i64) -> Response {
    with(ok(resource), ETAG, etag(version))
}

/// 201 with the new resource, and where it is.
pub(crate) fn created<T: Serialize>(resource: T, location: String, version: Option<i64>) -> Response {
    let response = (StatusCode::CREATED, Json(resource)).into_response();
    let response = with(response, LOCATION, location);
    match version {
        Some(version) => with(response, ETAG, etag(version)),
        None => response,
    }
}

/// 202 with the resource, and the operation that tells when it is in force.
pub(crate) fn accepted<T: Serialize>(resource: T, operation: String, version: Option<i64>) -> Response {
    let response = (StatusCode::ACCEPTED, Json(resource)).into_response();
    let response = with(response, LOCATION, operation);
    match version {
        Some(version) => with(response, ETAG, etag(version)),
        None => response,
    }
}

/// 204: it is gone.
pub(crate) fn deleted() -> Response {
    StatusCode::NO_CONTENT.into_response()
}
