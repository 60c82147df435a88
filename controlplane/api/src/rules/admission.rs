//! Before every route: who asks, and whether they ask too often.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::caller::{self, Admitted};
use super::limits::Bucket;
use super::{Code, Problem, RequestInfo};
use crate::state::Api;

/// Identifies the caller, takes a request from its bucket, and tells it where it stands.
pub(crate) async fn admit(State(api): State<Api>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let Some(info) = parts.extensions.get::<RequestInfo>().cloned() else {
        tracing::error!("a request has not come through the front");
        return Problem::internal().into_response();
    };
    let admitted = caller::identify(&api, &parts, &info).await;
    let principal = match &admitted {
        Admitted::Somebody(caller) => Some(caller.principal()),
        Admitted::Refused(_) | Admitted::Nobody => None,
    };
    let verdict = api.limiter().take(Bucket::of(principal.as_ref(), info.address));
    let mut response = if verdict.admitted {
        parts.extensions.insert(admitted);
        next.run(Request::from_parts(parts, body)).await
    } else {
        let seconds = verdict.retry_after();
        let detail = format!("too many requests; go on in {seconds} s");
        Problem::new(Code::RateLimited, detail)
            .retry_after(seconds)
            .into_response()
    };
    verdict.write(response.headers_mut());
    response
}
