//! What the routes of people's accounts share: throttle, hashing, mail in the background, requests to login providers.

use std::sync::Arc;
use std::time::Duration;

use firn_catalog::account::OneTime;
use firn_catalog::commands::{Actor, Principal};
use firn_runtime::Env;
use firn_secrets::{Secrets, token};
use zeroize::Zeroizing;

use crate::mail::Mailer;
use crate::mail::outbox::Outbox;
use crate::net::outbound::Outbound;
use crate::passwords::Passwords;
use crate::rules::login_throttle::LoginThrottle;
use crate::rules::{Code, Problem, RequestInfo};

/// How long the token of a signup is good.
pub(crate) const VERIFICATION_LIFE: Duration = Duration::from_secs(24 * 60 * 60);
/// How long the token of a password reset is good.
pub(crate) const RESET_LIFE: Duration = Duration::from_secs(60 * 60);

/// The purpose of the digests of mailed tokens.
const ONE_TIME: &str = "one-time";

/// What the routes of accounts work with.
pub(crate) struct Accounts {
    pub(crate) throttle: LoginThrottle,
    pub(crate) passwords: Passwords,
    pub(crate) outbox: Outbox,
    pub(crate) outbound: Outbound,
}

impl Accounts {
    pub(crate) fn new(env: &Env, mailer: Arc<dyn Mailer>, dev: bool) -> Self {
        Self {
            throttle: LoginThrottle::new(),
            passwords: Passwords::new(env.clone()),
            outbox: Outbox::new(env.clone(), mailer),
            outbound: Outbound::new(dev),
        }
    }
}

/// A token to mail, and what the catalog keeps of it.
pub(crate) fn mint(secrets: &Secrets, env: &Env, life: Duration) -> (Zeroizing<String>, OneTime) {
    let token = token::generate(&*env.random);
    let digest = one_time_digest(secrets, &token);
    let expires_at = env.now().plus(life);
    (token, OneTime { digest, expires_at })
}

/// What the catalog keeps of a mailed token.
pub(crate) fn one_time_digest(secrets: &Secrets, token: &str) -> String {
    secrets.digest(ONE_TIME, token.as_bytes())
}

/// Whom the catalog is told where nobody is logged in (yet).
pub(crate) fn stranger(request: &RequestInfo) -> Actor {
    Actor {
        principal: Principal::Cell,
        request_id: request.id.to_string(),
        credential: None,
        address: request.address,
    }
}

/// Refuses somebody who asks too often.
pub(crate) fn too_often(wait: Duration) -> Problem {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    Problem::new(
        Code::RateLimited,
        "too many tries; Retry-After says when to go on",
    )
    .retry_after(seconds)
}
