//! Access tokens.

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::rules::{Caller, Code, Identity, Problem, ok};
use crate::state::Api;
use crate::tokens::TOKEN_LIFE;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(create_token))
}

/// An access token (RFC 6749, 5.1).
#[derive(Serialize, ToSchema)]
struct Token {
    /// The token: a JWT, to be sent as a bearer.
    #[schema(
        max_length = 2048,
        pattern = r"^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$"
    )]
    access_token: String,
    /// How to send it.
    #[schema(pattern = "^Bearer$")]
    token_type: &'static str,
    /// For how many seconds it holds.
    #[schema(minimum = 1)]
    expires_in: u64,
}

/// Trade an API key for an access token
///
/// For the bearer of an API key. The token can do what the key can with REST, and stops with it.
#[utoipa::path(post, path = "/v1/tokens", tag = "credentials", responses((status = 200, body = Token)))]
async fn create_token(State(api): State<Api>, caller: Caller) -> Result<Response, Problem> {
    let Identity::ApiKey { key, .. } = caller.identity else {
        return Err(Problem::new(
            Code::Forbidden,
            "only an API key can be traded for a token",
        ));
    };
    let held = api.tokens().in_force.key(&api, key).await?;
    let held = held.ok_or_else(Problem::unauthenticated)?;
    let token = api.tokens().issue(&api, &held).await?;
    Ok(ok(Token {
        access_token: token.to_string(),
        token_type: "Bearer",
        expires_in: TOKEN_LIFE.as_secs(),
    }))
}
