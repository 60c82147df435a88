//! How an API key, or a token that one was traded for, shows who asks.
//!
//! An API key is found by the id in its text and then compared, as a keyed digest, in constant time; a key that is not there is
//! compared with a digest that nothing has. A token counts while the key that it was traded for is in force.

use firn_catalog::ids::ApiKeyId;
use firn_secrets::{Secrets, api_key};

use super::{Identity, Problem, RequestInfo};
use crate::state::Api;

/// What every API key begins with, and no token.
const API_KEY: &str = "firn_live_";
/// The purpose of the digests of API keys.
const DIGEST: &str = "api-key";

/// What the catalog keeps of an API key.
pub(crate) fn digest(secrets: &Secrets, key: &str) -> String {
    secrets.digest(DIGEST, key.as_bytes())
}

/// The service account whose live API key or token this is.
pub(crate) async fn authenticate(
    api: &Api,
    bearer: &str,
    _request: &RequestInfo,
) -> Result<Identity, Problem> {
    let identity = match bearer.starts_with(API_KEY) {
        true => of_key(api, bearer).await?,
        false => of_token(api, bearer).await?,
    };
    identity.ok_or_else(Problem::unauthenticated)
}

async fn of_key(api: &Api, text: &str) -> Result<Option<Identity>, Problem> {
    let Some(parsed) = api_key::parse(text) else {
        return Ok(None);
    };
    let id = ApiKeyId(parsed.id);
    let key = api.tokens().in_force.key(api, id).await?;
    let none = "0".repeat(64);
    let expected = key.as_ref().map_or(none.as_str(), |key| key.digest.0.as_str());
    let matches = api.secrets.verify_digest(DIGEST, text.as_bytes(), expected);
    let Some(key) = key.filter(|_| matches) else {
        return Ok(None);
    };
    api.tokens().in_force.used(api, id);
    Ok(Some(Identity::ApiKey {
        key: id,
        service_account: key.key.service_account,
    }))
}

async fn of_token(api: &Api, text: &str) -> Result<Option<Identity>, Problem> {
    let Some(bearer) = api.tokens().check(api, text).await? else {
        return Ok(None);
    };
    let key = api.tokens().in_force.key(api, bearer.key).await?;
    let Some(key) = key.filter(|key| key.key.service_account == bearer.service_account) else {
        return Ok(None);
    };
    api.tokens().in_force.used(api, bearer.key);
    Ok(Some(Identity::Token {
        key: bearer.key,
        service_account: key.key.service_account,
    }))
}
