//! `Idempotency-Key` on POST: the first request with a key is done, and every later one with the same body gets its answer.
//!
//! A key belongs to the caller (without a credential: to the address) and the path. An answer is kept for a day, sealed, since
//! it may show a secret; only one that is final is kept: not 5xx, and not what says "not now" or "not you". The first request
//! runs to its end even if its client goes away, so that a client that tries again finds its answer.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_TYPE, ETAG, LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use firn_catalog::account::{CLAIM_HOLDS, Claim, ClaimId};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::caller::Admitted;
use super::{Code, Problem, RequestInfo, body};
use crate::envelope::{BODY_LIMIT_BYTES, DEADLINE};
use crate::state::Api;

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// How long a request may take, with or without somebody who waits for it: longer than anybody waits, and short enough for its
/// claim to be given back while it still holds.
const WORK_ENDS: Duration = Duration::from_secs(50);
const _: () =
    assert!(WORK_ENDS.as_secs() > DEADLINE.as_secs() && WORK_ENDS.as_secs() < CLAIM_HOLDS.as_secs());
/// Headers that belong to an answer.
const KEPT: [HeaderName; 4] = [CONTENT_TYPE, LOCATION, ETAG, SET_COOKIE];
const PURPOSE: &str = "idempotency";

/// An answer as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

/// Answers a POST that has been done already, and remembers the answers of those that have not.
pub(crate) async fn once(State(api): State<Api>, request: Request, next: Next) -> Response {
    if request.method() != Method::POST || !request.headers().contains_key(KEY) {
        return next.run(request).await;
    }
    match keyed(&api, request, next).await {
        Ok(response) => response,
        Err(problem) => problem.into_response(),
    }
}

async fn keyed(api: &Api, request: Request, next: Next) -> Result<Response, Problem> {
    let key = key_of(request.headers())?;
    let owner = match request.extensions().get::<Admitted>() {
        Some(Admitted::Somebody(caller)) => caller.principal().to_string(),
        // It will be refused; there is nothing to remember.
        Some(Admitted::Refused(_)) => return Ok(next.run(request).await),
        Some(Admitted::Nobody) | None => {
            let info = request.extensions().get::<RequestInfo>();
            format!("{:?}", info.and_then(|info| info.address))
        }
    };
    let path = request.uri().path().to_owned();
    let query = request.uri().query().unwrap_or_default().to_owned();
    let (parts, body) = request.into_parts();
    let bytes = body::read(Request::new(body), api).await?;
    let digest = |parts: &[&[u8]]| {
        let mut whole = Vec::new();
        for part in parts {
            whole.extend_from_slice(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            whole.extend_from_slice(part);
        }
        api.secrets.digest(PURPOSE, &whole)
    };
    let key = digest(&[b"key", owner.as_bytes(), path.as_bytes(), key.as_bytes()]);
    let content = digest(&[b"body", query.as_bytes(), &bytes]);
    match api.catalog.claim_key(&key, &content).await? {
        Claim::First(claim) => {
            let request = Request::from_parts(parts, Body::from(bytes));
            first(api, request, next, (key, claim)).await
        }
        Claim::Answered(sealed) => replay(api, &sealed),
        Claim::OtherBody => Err(Problem::new(
            Code::IdempotencyMismatch,
            "this Idempotency-Key was used for a request with another body",
        )),
        Claim::InFlight => Err(Problem::new(
            Code::IdempotencyInFlight,
            "the first request with this Idempotency-Key has not been answered yet",
        )
        .retry_after(1)),
    }
}

fn key_of(headers: &HeaderMap) -> Result<String, Problem> {
    let text = headers
        .get(KEY)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    match (1..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        true => Ok(text.to_owned()),
        false => Err(Problem::bad_request(
            "an Idempotency-Key has 1 to 255 visible ASCII characters",
        )),
    }
}

/// Does the request in a task of its own and stores its answer.
async fn first(
    api: &Api,
    request: Request,
    next: Next,
    (key, claim): (String, ClaimId),
) -> Result<Response, Problem> {
    let (answered, answer) = oneshot::channel();
    let info = request.extensions().get::<RequestInfo>().cloned();
    let (worker, span) = (api.clone(), tracing::Span::current());
    let work = async move {
        let response = in_time(next.run(request)).await;
        let response = remember(&worker, response, &key, &claim).await;
        // A client that went away does not need it.
        drop(answered.send(response));
    };
    let work = tracing::Instrument::instrument(work, span);
    let work: futures::future::BoxFuture<'static, ()> = match info {
        Some(info) => Box::pin(info.scope(work)),
        None => Box::pin(work),
    };
    drop(api.env.tasks.spawn(work));
    answer.await.map_err(|_| Problem::internal())?
}

/// The answer of work that ends before its claim does: while another request may do the same, it does nothing any more.
async fn in_time(work: impl Future<Output = Response>) -> Response {
    let answered = tokio::time::timeout(WORK_ENDS, work).await;
    answered.unwrap_or_else(|_| Problem::too_slow().into_response())
}

/// Whether the same request would be answered the same a moment later.
fn is_final(status: StatusCode) -> bool {
    !status.is_server_error()
        && !matches!(
            status,
            StatusCode::UNAUTHORIZED
                | StatusCode::REQUEST_TIMEOUT
                | StatusCode::TOO_EARLY
                | StatusCode::TOO_MANY_REQUESTS
        )
}

async fn remember(api: &Api, response: Response, key: &str, claim: &ClaimId) -> Result<Response, Problem> {
    if !is_final(response.status()) {
        api.catalog.release_key(key, claim).await?;
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, 2 * BODY_LIMIT_BYTES)
        .await
        .map_err(|_| Problem::internal())?;
    let headers = parts.headers.iter().filter(|(name, _)| KEPT.contains(name));
    let kept = Kept {
        status: parts.status.as_u16(),
        headers: headers
            .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
            .collect(),
        body: String::from_utf8_lossy(&bytes).into_owned(),
    };
    let plain = serde_json::to_vec(&kept).expect("texts and a number");
    let sealed = api.secrets.seal(PURPOSE, &plain, api.env.random.as_ref());
    // The work is done. If its answer cannot be kept, the claim goes on holding for a while, and the caller gets it all the same.
    if let Err(error) = api.catalog.store_answer(key, claim, &sealed).await {
        tracing::warn!(%error, "an answer could not be kept for its Idempotency-Key");
    }
    Ok(Response::from_parts(parts, Body::from(bytes)))
}

fn replay(api: &Api, sealed: &str) -> Result<Response, Problem> {
    let kept = api.secrets.open(PURPOSE, sealed);
    let kept: Option<Kept> = kept.and_then(|plain| serde_json::from_slice(&plain).ok());
    let kept = kept.ok_or_else(|| {
        tracing::error!("a kept answer does not open; has the master key changed?");
        Problem::internal()
    })?;
    let mut response = Response::new(Body::from(kept.body));
    *response.status_mut() = StatusCode::from_u16(kept.status).map_err(|_| Problem::internal())?;
    let headers = response.headers_mut();
    for (name, value) in kept.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            headers.append(name, value);
        }
    }
    headers.insert(REPLAYED, HeaderValue::from_static("true"));
    Ok(response)
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn work_that_does_not_end_is_ended_and_its_claim_given_back_while_it_holds() {
        let began = Instant::now();
        let response = in_time(std::future::pending()).await;
        assert!(!is_final(response.status()), "its claim is released");
        assert!(began.elapsed() < CLAIM_HOLDS);
        let slow = async {
            tokio::time::sleep(WORK_ENDS - Duration::from_secs(1)).await;
            StatusCode::CREATED.into_response()
        };
        assert_eq!(in_time(slow).await.status(), StatusCode::CREATED);
    }
}
