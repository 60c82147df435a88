//! Before every route: who asks, and whether they ask too often.
//!
//! To find out who asks may cost a transaction. So a request whose credential was not live a moment ago takes from the bucket of its
//! address before anything is looked up, and gets it back if the credential turns out to be live: a stranger over the limit costs
//! nothing, whatever they show.

use std::collections::HashMap;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use parking_lot::Mutex;
use tokio::time::Instant;

use super::caller::{self, Admitted};
use super::limits::{Bucket, Verdict};
use super::{Code, Problem, RequestInfo};
use crate::state::Api;

/// For how long a credential that was live is let through to where it is looked up.
const REMEMBERED: Duration = Duration::from_secs(600);
/// How many are remembered; past that, old ones are forgotten, then everything.
const MOST: usize = 50_000;
/// The purpose of the digests of credentials.
const PURPOSE: &str = "admission";

/// Identifies the caller, takes a request from its bucket, and tells it where it stands.
pub(crate) async fn admit(State(api): State<Api>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let Some(info) = parts.extensions.get::<RequestInfo>().cloned() else {
        tracing::error!("a request has not come through the front");
        return Problem::internal().into_response();
    };
    let address = Bucket::of(None, info.address);
    let shown = caller::shown(&parts.headers).map(|text| api.secrets.digest(PURPOSE, text.as_bytes()));
    let was_live = shown.as_ref().is_some_and(|shown| api.lately().was_live(shown));
    let reserved = (!was_live).then(|| api.limiter().take(address.clone()));
    if let Some(refused) = reserved.filter(|verdict| !verdict.admitted) {
        return too_many(refused);
    }
    let admitted = caller::identify(&api, &parts, &info).await;
    let verdict = match (&admitted, reserved) {
        (Admitted::Somebody(caller), reserved) => {
            if reserved.is_some() {
                api.limiter().give_back(&address);
            }
            if let Some(shown) = shown {
                api.lately().live(shown);
            }
            let principal = caller.principal();
            api.limiter().take(Bucket::of(Some(&principal), info.address))
        }
        (Admitted::Refused(_) | Admitted::Nobody, Some(reserved)) => reserved,
        (Admitted::Refused(_) | Admitted::Nobody, None) => {
            if let Some(shown) = shown {
                api.lately().dead(&shown);
            }
            api.limiter().take(address)
        }
    };
    if !verdict.admitted {
        return too_many(verdict);
    }
    parts.extensions.insert(admitted);
    let mut response = next.run(Request::from_parts(parts, body)).await;
    verdict.write(response.headers_mut());
    response
}

fn too_many(verdict: Verdict) -> Response {
    let seconds = verdict.retry_after();
    let detail = format!("too many requests; go on in {seconds} s");
    let mut response = Problem::new(Code::RateLimited, detail)
        .retry_after(seconds)
        .into_response();
    verdict.write(response.headers_mut());
    response
}

/// Credentials that were live a while ago, as digests. Being one lets nobody in: it is looked up all the same.
#[derive(Default)]
pub(crate) struct Lately(Mutex<HashMap<String, Instant>>);

impl Lately {
    fn was_live(&self, credential: &str) -> bool {
        let seen = self.0.lock();
        seen.get(credential).is_some_and(|at| at.elapsed() < REMEMBERED)
    }

    fn live(&self, credential: String) {
        let mut seen = self.0.lock();
        if seen.len() >= MOST && !seen.contains_key(&credential) {
            seen.retain(|_, at| at.elapsed() < REMEMBERED);
            if seen.len() >= MOST {
                seen.clear();
            }
        }
        seen.insert(credential, Instant::now());
    }

    fn dead(&self, credential: &str) {
        self.0.lock().remove(credential);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_credential_is_remembered_until_it_is_refused_or_old() {
        let lately = Lately::default();
        assert!(!lately.was_live("a"));
        lately.live("a".into());
        lately.live("b".into());
        lately.dead("b");
        assert!(lately.was_live("a") && !lately.was_live("b"));
        tokio::time::advance(REMEMBERED).await;
        assert!(!lately.was_live("a"));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_remembered_is_bounded() {
        let lately = Lately::default();
        for number in 0..=MOST {
            lately.live(number.to_string());
        }
        assert!(lately.0.lock().len() <= MOST && lately.was_live(&MOST.to_string()));
    }
}
