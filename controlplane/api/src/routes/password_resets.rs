//! Choosing a new password with a token that was mailed.

use axum::extract::State;
use axum::response::Response;
use firn_catalog::account::{Kind, PasswordHash};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use zeroize::Zeroizing;

use super::signup::{MailUnderWay, mail_under_way, require_email};
use super::verifications::AddressRequest;
use crate::accounts::{self, Errand, RESET_LIFE, one_time_digest};
use crate::mail::letters;
use crate::passwords::{Source, require_strong};
use crate::rules::login_throttle::Origin;
use crate::rules::{Body, Problem, RequestInfo, Write, deleted};
use crate::state::Api;

/// A token that was mailed, and the new password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResetRequest {
    /// The token.
    #[schema(max_length = 100)]
    token: String,
    /// The password as it will be: not one that others would guess.
    #[schema(min_length = 10, max_length = 200, format = "password")]
    password: String,
}

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(start_password_reset))
        .routes(routes!(complete_password_reset))
}

/// Ask for a new password
///
/// The answer does not tell whether the address has an account.
#[utoipa::path(
    post, path = "/v1/password-resets", tag = "people", security(()),
    request_body = AddressRequest,
    responses((status = 202, description = "If the address has an account, a mail is under way", body = MailUnderWay))
)]
async fn start_password_reset(
    State(api): State<Api>,
    request: RequestInfo,
    write: Write,
    Body(body): Body<AddressRequest>,
) -> Result<Response, Problem> {
    let email = require_email(&body.email)?;
    let errand = Errand {
        life: RESET_LIFE,
        letter: letters::password_reset,
    };
    accounts::mail_token(
        &api,
        &request,
        (email, write.rehearsal),
        errand,
        |catalog, email, kept| async move { catalog.start_reset(&email, &kept).await },
    )?;
    Ok(mail_under_way(
        "If this address has an account, we have sent it a mail.",
    ))
}

/// Choose a new password
///
/// Takes the token that was mailed, once. Ends all sessions of the account and takes back the login providers that were linked to it.
#[utoipa::path(
    post, path = "/v1/password-resets/complete", tag = "people", security(()),
    request_body = ResetRequest,
    responses((status = 204, description = "The password is changed"))
)]
async fn complete_password_reset(
    State(api): State<Api>,
    request: RequestInfo,
    write: Write,
    Body(body): Body<ResetRequest>,
) -> Result<Response, Problem> {
    let (token, password) = (Zeroizing::new(body.token), Zeroizing::new(body.password));
    let origin = Origin::of(request.address);
    let accounts = api.accounts();
    accounts
        .throttle
        .admit_address(origin)
        .map_err(accounts::too_often)?;
    let digest = one_time_digest(&api.secrets, &token);
    let person = api.catalog.person_of_token(Kind::Reset, &digest).await?;
    require_strong("/password", &password, &person.email)?;
    if write.rehearsal {
        return Ok(deleted());
    }
    let hash = accounts.passwords.hash(Source::Address(origin), password).await?;
    let actor = accounts::stranger(&request);
    let person = api
        .catalog
        .complete_reset(&actor, &digest, &PasswordHash(hash))
        .await?;
    super::me::tell(&api, &person.email);
    Ok(deleted())
}
