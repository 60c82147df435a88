//! What the routes of people's accounts share: throttle, hashing, mail in the background, requests to login providers.

use std::sync::Arc;
use std::time::Duration;

use firn_catalog::Catalog;
use firn_catalog::account::{AccountError, OneTime, Person};
use firn_catalog::commands::{Actor, Principal};
use firn_outbound::{Outbound, Reach};
use firn_runtime::Env;
use firn_secrets::{Secrets, token};
use url::Url;
use zeroize::Zeroizing;

use crate::mail::outbox::Outbox;
use crate::mail::{Mail, Mailer};
use crate::passwords::Passwords;
use crate::rules::login_throttle::{LoginThrottle, Origin};
use crate::rules::{Code, Problem, RequestInfo};
use crate::state::Api;

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
    pub(crate) fn new(env: &Env, mailer: Arc<dyn Mailer>, reach: Reach) -> Self {
        Self {
            throttle: LoginThrottle::new(),
            passwords: Passwords::new(env.clone()),
            outbox: Outbox::new(env.clone(), mailer),
            outbound: Outbound::new(reach),
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

/// What a token that is mailed to an address is for.
#[derive(Clone, Copy)]
pub(crate) struct Errand {
    /// How long the token is good.
    pub(crate) life: Duration,
    /// The mail, for the service's URL, an address and a token.
    pub(crate) letter: fn(&Url, &str, &str) -> Mail,
}

/// Mails a token to an address, if `store` takes it: in the background, so that who asks cannot tell whether it did.
pub(crate) fn mail_token<F>(
    api: &Api,
    request: &RequestInfo,
    (email, rehearsal): (String, bool),
    errand: Errand,
    store: impl FnOnce(Arc<Catalog>, String, OneTime) -> F + Send + 'static,
) -> Result<(), Problem>
where
    F: Future<Output = Result<Option<Person>, AccountError>> + Send + 'static,
{
    let accounts = api.accounts();
    let origin = Origin::of(request.address);
    accounts.throttle.admit_address(origin).map_err(too_often)?;
    if rehearsal || !accounts.throttle.may_mail(&email) {
        return Ok(());
    }
    let api = api.clone();
    accounts.outbox.start(async move {
        let (token, kept) = mint(&api.secrets, &api.env, errand.life);
        match store(Arc::clone(&api.catalog), email, kept).await {
            Ok(Some(person)) => {
                let mail = (errand.letter)(&api.settings.public_url, &person.email, &token);
                api.accounts().outbox.deliver(mail).await;
            }
            Ok(None) => {}
            Err(error) => tracing::error!(%error, "a token to mail could not be stored"),
        }
    })
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
