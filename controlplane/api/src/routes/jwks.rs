//! The public keys of access tokens.

use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::CACHE_CONTROL;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::rules::{Problem, ok};
use crate::state::Api;

/// How long the keys may be cached: a new one is published long before it signs.
const CACHE: HeaderValue = HeaderValue::from_static("public, max-age=300");

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(get_jwks))
}

/// A set of keys (RFC 7517).
#[derive(Serialize, ToSchema)]
struct KeySet {
    /// The keys.
    keys: Vec<PublicKey>,
}

/// An Ed25519 key (RFC 8037).
#[derive(Serialize, ToSchema)]
pub(crate) struct PublicKey {
    /// The kind of key.
    #[schema(pattern = "^OKP$")]
    kty: &'static str,
    /// The curve.
    #[schema(pattern = "^Ed25519$")]
    crv: &'static str,
    /// What it is for.
    #[serde(rename = "use")]
    #[schema(pattern = "^sig$")]
    usage: &'static str,
    /// How it signs.
    #[schema(pattern = "^EdDSA$")]
    alg: &'static str,
    /// Its id.
    #[schema(pattern = "^[0-9a-f]{32}$")]
    kid: String,
    /// The key.
    #[schema(pattern = "^[A-Za-z0-9_-]{43}$")]
    x: String,
}

impl PublicKey {
    /// The key of that id, as base64url.
    pub(crate) fn new(kid: String, x: String) -> Self {
        Self {
            kty: "OKP",
            crv: "Ed25519",
            usage: "sig",
            alg: "EdDSA",
            kid,
            x,
        }
    }
}

/// The keys that access tokens are signed with
#[utoipa::path(get, path = "/v1/jwks.json", tag = "credentials", security(()), responses((status = 200, body = KeySet)))]
async fn get_jwks(State(api): State<Api>) -> Result<Response, Problem> {
    let published = api.tokens().published(&api).await?;
    let keys = published.into_iter().map(|(kid, x)| PublicKey::new(kid, x));
    let mut response = ok(KeySet { keys: keys.collect() });
    response.headers_mut().insert(CACHE_CONTROL, CACHE);
    Ok(response)
}
