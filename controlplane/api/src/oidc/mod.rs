//! Logging in through an identity provider: OpenID Connect's authorization code flow, with PKCE (S256), state and nonce.
//!
//! What must be remembered between the two requests of the browser lies sealed in a cookie of its own, [`Pending`]: it is good for
//! ten minutes, and for the browser that began.
//!
//! | module | what is in it |
//! |---|---|
//! | `provider` | what a provider says about itself, its keys, and the exchange of the code |
//! | `id_token` | what an ID token must be to be believed |

mod id_token;
mod provider;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use firn_catalog::account::Linking;
use firn_catalog::ids::{LoginProviderId, PersonId, SessionId};
use firn_outbound::OutboundError;
use firn_runtime::{Env, Timestamp};
use firn_secrets::{Secrets, token};
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use url::Url;

pub(crate) use id_token::{Claims, Expected};
pub(crate) use provider::Provider;

/// How long a login through a provider may take, in milliseconds.
const PATIENCE_MS: i64 = 10 * 60 * 1_000;
/// The purpose under which the cookie is sealed.
const PURPOSE: &str = "oidc-pending";
/// The purpose under which the secrets of clients at providers are sealed.
pub(crate) const CLIENT_SECRET: &str = "oidc-client-secret";

/// Why a login through a provider failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum OidcError {
    /// The provider cannot be asked.
    #[error("the login provider cannot be reached: {0}")]
    Outbound(#[from] OutboundError),
    /// What the provider says about itself does not fit.
    #[error("the login provider's description of itself is not valid: {0}")]
    Provider(&'static str),
    /// The ID token is not to be believed.
    #[error("the login provider's ID token is not valid: {0}")]
    IdToken(&'static str),
}

/// A login that has begun.
#[derive(Serialize, Deserialize)]
pub(crate) struct Pending {
    provider: u128,
    /// Comes back with the code: the answer belongs to this browser.
    state: String,
    /// Comes back in the ID token: it was made for this login.
    nonce: String,
    /// What the challenge was made of: only who began can exchange the code.
    verifier: String,
    expires_at_ms: i64,
    /// Who was logged in already, by which session, and wants to be linked.
    linking: Option<(u128, u128)>,
    /// The page that the browser goes to in the end.
    return_to: String,
}

impl Pending {
    pub(crate) fn begin(
        env: &Env,
        provider: LoginProviderId,
        linking: Option<Linking>,
        return_to: String,
    ) -> Self {
        let secret = || token::generate(&*env.random).to_string();
        Self {
            provider: provider.0,
            state: secret(),
            nonce: secret(),
            verifier: secret(),
            expires_at_ms: env.now().0.saturating_add(PATIENCE_MS),
            linking: linking.map(|linking| (linking.person.0, linking.session.0)),
            return_to,
        }
    }

    /// As the cookie holds it.
    pub(crate) fn seal(&self, secrets: &Secrets, env: &Env) -> String {
        let plain = serde_json::to_vec(self).expect("texts and numbers become JSON");
        secrets.seal(PURPOSE, &plain, &*env.random)
    }

    /// The login that a cookie holds, if it is not over and this is its state.
    pub(crate) fn open(secrets: &Secrets, now: Timestamp, cookie: &str, state: &str) -> Option<Self> {
        let plain = secrets.open(PURPOSE, cookie)?;
        let pending: Self = serde_json::from_slice(&plain).ok()?;
        let live = now.0 < pending.expires_at_ms;
        let same = same(pending.state.as_bytes(), state.as_bytes());
        (live && same).then_some(pending)
    }

    pub(crate) fn provider(&self) -> LoginProviderId {
        LoginProviderId(self.provider)
    }

    pub(crate) fn linking(&self) -> Option<Linking> {
        self.linking.map(|(person, session)| Linking {
            person: PersonId(person),
            session: SessionId(session),
        })
    }

    pub(crate) fn nonce(&self) -> &str {
        &self.nonce
    }

    pub(crate) fn verifier(&self) -> &str {
        &self.verifier
    }

    pub(crate) fn return_to(&self) -> &str {
        &self.return_to
    }

    /// Where the browser is sent to.
    pub(crate) fn authorization_url(&self, endpoint: &Url, client_id: &str, redirect_uri: &str) -> Url {
        let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, self.verifier.as_bytes()));
        let mut url = endpoint.clone();
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("scope", "openid email profile")
            .append_pair("client_id", client_id)
            .append_pair("redirect_uri", redirect_uri)
            .append_pair("state", &self.state)
            .append_pair("nonce", &self.nonce)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        url
    }
}

/// Equality in a time that depends on the lengths only.
fn same(left: &[u8], right: &[u8]) -> bool {
    // Of digests, so that where they differ says nothing about where the texts do.
    digest(&SHA256, left).as_ref() == digest(&SHA256, right).as_ref()
}

#[cfg(test)]
mod tests {
    use firn_secrets::MasterKey;

    use super::*;

    #[test]
    fn a_login_is_taken_up_in_time_with_its_state_and_under_its_key_only() {
        let env = Env::system();
        let secrets = Secrets::new(&MasterKey::generate(&*env.random));
        let linking = Linking {
            person: PersonId(9),
            session: SessionId(10),
        };
        let pending = Pending::begin(&env, LoginProviderId(7), Some(linking), "/".into());
        let cookie = pending.seal(&secrets, &env);
        let open = |at, state: &str| Pending::open(&secrets, at, &cookie, state).is_some();
        assert!(open(env.now(), &pending.state));
        assert!(!open(env.now(), "other") && !open(env.now(), ""));
        assert!(!open(Timestamp(pending.expires_at_ms), &pending.state));
        let others = Secrets::new(&MasterKey::generate(&*env.random));
        assert!(Pending::open(&others, env.now(), &cookie, &pending.state).is_none());
        for secret in [&pending.nonce, &pending.verifier, &pending.state] {
            assert!(!cookie.contains(secret.as_str()));
        }
    }
}
