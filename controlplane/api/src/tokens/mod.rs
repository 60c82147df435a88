//! Access tokens: what an API key is traded for, so that the key itself need not travel with each request.
//!
//! A token is a JWT (RFC 7519) signed with Ed25519. It says who it is for ten minutes, and names the key that it was traded for: with
//! the key it stops, within a second. Only EdDSA counts, by a key that this service has made.

mod audit_heads;
mod in_force;
mod keys;

use std::sync::Arc;
use std::time::Duration;

use firn_catalog::account::api_keys::KeyInForce;
use firn_catalog::ids::{ApiKeyId, OrganizationId, ServiceAccountId};
use firn_runtime::Timestamp;
use jsonwebtoken::{Algorithm, Header, Validation, decode, decode_header, encode};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

pub use audit_heads::{KeptHead, PublishedKeys, read_audit_head};
pub(crate) use in_force::KeyCache;
use keys::{KeyRing, Keys};

use crate::rules::Problem;
use crate::state::Api;

/// How long a token holds.
pub(crate) const TOKEN_LIFE: Duration = Duration::from_secs(600);
/// Whom tokens are for.
const AUDIENCE: &str = "firn";
/// The longest token that is looked at.
const MAX_TOKEN: usize = 2_048;

/// What a token says.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Claims {
    iss: String,
    sub: String,
    aud: String,
    /// Seconds since the Unix epoch.
    iat: i64,
    exp: i64,
    jti: String,
    /// The API key that it was traded for.
    key: String,
    /// The service account's organization.
    org: String,
}

/// Who a token says it is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bearer {
    pub(crate) key: ApiKeyId,
    pub(crate) service_account: ServiceAccountId,
}

/// What tokens are made and checked with.
#[derive(Default)]
pub(crate) struct Tokens {
    keys: Keys,
    pub(crate) in_force: KeyCache,
}

fn seconds(at: Timestamp) -> i64 {
    at.0.div_euclid(1_000)
}

impl Tokens {
    async fn ring(&self, api: &Api) -> Result<Arc<KeyRing>, Problem> {
        Ok(self.keys.ring(&api.catalog, &api.secrets, &api.env).await?)
    }

    /// A token for whoever has this key.
    pub(crate) async fn issue(&self, api: &Api, held: &KeyInForce) -> Result<Zeroizing<String>, Problem> {
        let now = api.env.now();
        let ring = self.ring(api).await?;
        let (key, signs) = ring.signer(now).ok_or_else(|| {
            tracing::error!("no key signs access tokens");
            Problem::internal()
        })?;
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some(key.id.clone());
        let claims = Claims {
            iss: issuer(api),
            sub: held.key.service_account.public(),
            aud: AUDIENCE.to_owned(),
            iat: seconds(now),
            exp: seconds(now.plus(TOKEN_LIFE)),
            jti: hex::encode(api.env.random_u128().to_be_bytes()),
            key: held.key.id.public(),
            org: OrganizationId::public(held.organization),
        };
        let token = encode(&header, &claims, signs).map_err(|_| {
            tracing::error!(key = %key.id, "a key does not sign access tokens");
            Problem::internal()
        })?;
        Ok(Zeroizing::new(token))
    }

    /// Who a token is from; `None` unless this service has signed it and it has not expired. Whether the API key behind it
    /// is still in force is another question.
    pub(crate) async fn check(&self, api: &Api, token: &str) -> Result<Option<Bearer>, Problem> {
        let header = match decode_header(token) {
            Ok(header) if token.len() <= MAX_TOKEN && header.alg == Algorithm::EdDSA => header,
            _ => return Ok(None),
        };
        let Some(id) = header.kid else {
            return Ok(None);
        };
        let mut ring = self.ring(api).await?;
        if ring.key(&id).is_none() {
            ring = self.keys.newer(&api.catalog, &api.secrets, &api.env).await?;
        }
        let Some(key) = ring.key(&id) else {
            return Ok(None);
        };
        let mut validation = Validation::new(Algorithm::EdDSA);
        // The times are compared below, by the clock that everything here goes by.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation.set_audience(&[AUDIENCE]);
        validation.set_issuer(&[issuer(api)]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        let Ok(data) = decode::<Claims>(token, &key.verifies, &validation) else {
            return Ok(None);
        };
        let claims = data.claims;
        if claims.exp <= seconds(api.env.now()) {
            return Ok(None);
        }
        let (Ok(key), Ok(service_account)) = (
            ApiKeyId::from_public(&claims.key),
            ServiceAccountId::from_public(&claims.sub),
        ) else {
            return Ok(None);
        };
        Ok(Some(Bearer { key, service_account }))
    }

    /// The public keys, by id, as base64url.
    pub(crate) async fn published(&self, api: &Api) -> Result<Vec<(String, String)>, Problem> {
        let ring = self.ring(api).await?;
        let published = ring.published(api.env.now());
        Ok(published
            .map(|key| (key.id.clone(), key.public.clone()))
            .collect())
    }
}

fn issuer(api: &Api) -> String {
    api.settings.public_url.as_str().trim_end_matches('/').to_owned()
}
