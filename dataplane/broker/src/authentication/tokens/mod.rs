//! OAUTHBEARER: tokens of the identity providers that a cluster trusts, and Firn's own (RFC 7628, RFC 8725).
//!
//! | module | what is in it |
//! |---|---|
//! | [`message`] | what the client sends; pure |
//! | [`jwt`] | a token taken apart, without believing it; pure |
//! | [`claims`] | what a token must say; pure |
//! | [`cache`] | the keys of providers, and when they are asked for |
//!
//! Only signatures of asymmetric keys count, by keys that a provider publishes or that this service has made; where a token says
//! that its key is (`jku`, `x5u`, `jwk`) is not looked at. A token of a provider is for the cluster of the connection's server name;
//! in `firn dev`, on a connection that would be somebody without being asked, for that cluster. One of Firn's own is for the cluster
//! of the API key that it was traded for, and ends with that.

pub(crate) mod cache;
mod claims;
mod jwt;
mod message;

use std::sync::Arc;
use std::time::Duration;

use firn_catalog::Catalog;
use firn_catalog::access::RoleSet;
use firn_catalog::commands::User;
use firn_catalog::credential::validate_username;
use firn_catalog::entities::ClusterState;
use firn_catalog::ids::ClusterId;
use firn_catalog::trust::IdentityProvider;
use firn_outbound::{KeySet, NoKey};
use firn_runtime::{Env, Timestamp};
use futures::future::BoxFuture;

use super::credentials::{Known, Login, Refused, Shown};
use super::mechanism::Mechanism;
use super::server_name::Named;
use crate::settings::TokenSettings;
use cache::{Issuer, KeyCache, Published};
use jwt::Jwt;

/// What a client is told whose token is refused (RFC 7628, 3.2.2): why is in the log.
pub(crate) const REFUSAL: &str = r#"{"status":"invalid_token"}"#;

/// What tokens are judged by.
pub(crate) struct Tokens(Arc<KeyCache>);

impl Tokens {
    pub(crate) fn new(env: Env, catalog: Arc<Catalog>, settings: &TokenSettings) -> Self {
        let published = Published::new(catalog, settings.reach.clone());
        Self(Arc::new(KeyCache::new(
            env,
            Arc::new(published),
            settings.interval,
        )))
    }
}

/// What came of a token.
pub(crate) enum Judged {
    /// Its client is who it says.
    Known(Login),
    /// The keys come; then it is to be judged again.
    Later(BoxFuture<'static, ()>),
}

/// The keys that may have signed a token, or when to ask again.
enum Keys {
    Here(Arc<KeySet>),
    Later(BoxFuture<'static, ()>),
}

impl Known<'_> {
    /// The message of OAUTHBEARER.
    pub(crate) fn bearer(&self, message: &[u8]) -> Result<Judged, Refused> {
        let message = message::read(message)?;
        let jwt = Jwt::read(message.token)?;
        let judged = match jwt.firn_key() {
            Some(_) => self.own_token(&jwt)?,
            None => self.provider_token(&jwt)?,
        };
        match &judged {
            Judged::Known(login) if message.authzid.is_some_and(|name| name != &*login.user.name) => {
                Err(Refused("the authorization identity is somebody else"))
            }
            _ => Ok(judged),
        }
    }

    fn keys(&self, of: &Issuer, jwt: &Jwt<'_>) -> Result<Keys, Refused> {
        let tokens = &self.tokens.0;
        match tokens.look(of, |keys| keys.has(jwt.kid())) {
            cache::Look::Here(keys) => Ok(Keys::Here(keys)),
            cache::Look::Later(ready) => Ok(Keys::Later(ready)),
            cache::Look::Away => Err(Refused("the keys of the token's issuer cannot be had now")),
        }
    }

    /// One that the REST API has given for an API key.
    fn own_token(&self, jwt: &Jwt<'_>) -> Result<Judged, Refused> {
        let keys = match self.keys(&Issuer::Firn, jwt)? {
            Keys::Here(keys) => keys,
            Keys::Later(ready) => return Ok(Judged::Later(ready)),
        };
        signed(jwt, &keys)?;
        let expires_at = claims::times(jwt, self.now, Duration::ZERO)?;
        let key = jwt.firn_key().ok_or(Refused("the token names no API key"))?;
        let credential = self
            .image
            .api_key(key)
            .ok_or(Refused("the API key of the token is not one of this cell"))?;
        let account = credential.service_account.map(|account| account.public());
        if account.is_none() || account.as_deref() != jwt.text("sub") {
            return Err(Refused("the token is not for whoever has the API key"));
        }
        let mut login = self.login(credential, Mechanism::OAuthBearer)?;
        login.expires_at = login.expires_at.into_iter().chain([expires_at]).min();
        Ok(Judged::Known(login))
    }

    /// The cluster whose providers count on this connection.
    fn cluster_of_tokens(&self) -> Result<ClusterId, Refused> {
        match (Named::of(self.slug, self.image), self.anonymous) {
            (Named::Cluster(cluster), _) if cluster.state == ClusterState::Active => Ok(cluster.id),
            (Named::Cluster(_), _) => Err(Refused("the cluster is not active")),
            (Named::No, Some(cluster)) => Ok(cluster),
            (Named::No, None) => Err(Refused("a provider's token needs the cluster's server name")),
            (Named::Nobody, _) => Err(Refused("no cluster has the server name")),
        }
    }

    /// One of a provider that the cluster trusts.
    fn provider_token(&self, jwt: &Jwt<'_>) -> Result<Judged, Refused> {
        let cluster = self.cluster_of_tokens()?;
        let issuer = jwt.text("iss").ok_or(Refused("the token names no issuer"))?;
        let access = self.image.access(cluster);
        let mut providers = access.iter().flat_map(|access| access.identity_providers());
        let provider = providers
            .find(|provider| provider.body.issuer == issuer)
            .ok_or(Refused("the cluster trusts no such issuer"))?;
        // What is wrong in any case is found before anybody is asked for keys.
        claims::audience(jwt, &provider.body.audiences)?;
        let skew = Duration::from_secs(provider.body.clock_skew_seconds.unsigned_abs());
        let expires_at = claims::times(jwt, self.now, skew)?;
        let keys = match self.keys(&Issuer::Provider(Arc::clone(provider)), jwt)? {
            Keys::Here(keys) => keys,
            Keys::Later(ready) => return Ok(Judged::Later(ready)),
        };
        signed(jwt, &keys)?;
        let claimed = jwt.text(&provider.body.principal_claim).ok_or(Refused(
            "the claim that names the client is not there, or no text",
        ))?;
        let rules = access.and_then(|access| access.provider_mapper(provider.id));
        let name = rules
            .and_then(|rules| rules.apply(claimed))
            .ok_or(Refused("no mapping rule gives the client a name"))?;
        if validate_username(&name).is_err() {
            return Err(Refused(
                "the client's name is empty, too long, reserved or no text",
            ));
        }
        Ok(Judged::Known(self.of_provider(provider, name, expires_at)))
    }

    fn of_provider(&self, provider: &Arc<IdentityProvider>, name: String, expires_at: Timestamp) -> Login {
        Login {
            user: Arc::new(User {
                cluster: provider.cluster,
                name: name.into(),
                roles: RoleSet::NONE,
            }),
            shown: Shown::Token(Arc::clone(provider)),
            expires_at: Some(expires_at),
        }
    }
}

fn signed(jwt: &Jwt<'_>, keys: &KeySet) -> Result<(), Refused> {
    keys.verify((jwt.kid(), jwt.algorithm()), jwt.message(), jwt.signature())
        .map_err(|error| {
            Refused(match error {
                NoKey::Unknown => "the token names a key that its issuer does not publish",
                NoKey::Unnamed => "the token names no key, and its issuer has several",
                NoKey::Unfit => "the token's algorithm is not its key's",
                NoKey::Signature => "the signature is wrong",
            })
        })
}
