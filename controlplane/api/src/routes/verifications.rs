//! Proving an address with the token that was mailed to it.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use zeroize::Zeroizing;

use super::sessions::{OpenedSession, opened};
use super::signup::{MailUnderWay, mail_under_way, require_email};
use crate::accounts::{self, VERIFICATION_LIFE, mint, one_time_digest};
use crate::mail::letters;
use crate::rules::login_throttle::Origin;
use crate::rules::session::Fresh;
use crate::rules::{Body, Problem, RequestInfo, Write, ok};
use crate::state::Api;

/// A token that was mailed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct VerificationRequest {
    /// The token.
    #[schema(max_length = 100)]
    token: String,
}

/// An address that waits for its token.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AddressRequest {
    /// The email address.
    #[schema(max_length = 254, format = "email", example = "ada@example.com")]
    pub(super) email: String,
}

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(verify_email))
        .routes(routes!(resend_verification))
}

/// Refuses what only makes sense if it happens.
pub(super) fn not_rehearsed(write: Write) -> Result<(), Problem> {
    match write.rehearsal {
        true => Err(Problem::bad_request(
            "this cannot be rehearsed: leave dry_run out",
        )),
        false => Ok(()),
    }
}

/// Verify an email address
///
/// Takes the token that was mailed after a signup, once, and logs its person in.
#[utoipa::path(
    post, path = "/v1/verifications", tag = "people", security(()),
    request_body = VerificationRequest,
    responses(
        (status = 200, description = "The address is proven, and its person logged in", body = OpenedSession,
            headers(("Set-Cookie" = String, description = "The session"))))
)]
async fn verify_email(
    State(api): State<Api>,
    request: RequestInfo,
    headers: HeaderMap,
    write: Write,
    Body(body): Body<VerificationRequest>,
) -> Result<Response, Problem> {
    not_rehearsed(write)?;
    let origin = Origin::of(request.address);
    let throttle = &api.accounts().throttle;
    throttle.admit_address(origin).map_err(accounts::too_often)?;
    let digest = one_time_digest(&api.secrets, &Zeroizing::new(body.token));
    let fresh = Fresh::new(&api, &request, &headers);
    let actor = accounts::stranger(&request);
    let (person, session) = api.catalog.verify(&actor, &digest, &fresh.session).await?;
    throttle.remember(origin, person.email.clone());
    Ok(opened(&api, &fresh, &person, &session, ok))
}

/// Send the verification mail again
///
/// The answer does not tell whether the address waits for one.
#[utoipa::path(
    post, path = "/v1/verifications/resend", tag = "people", security(()),
    request_body = AddressRequest,
    responses((status = 202, description = "If the address waits for a token, a mail is under way", body = MailUnderWay))
)]
async fn resend_verification(
    State(api): State<Api>,
    request: RequestInfo,
    write: Write,
    Body(body): Body<AddressRequest>,
) -> Result<Response, Problem> {
    let email = require_email(&body.email)?;
    let accounts = api.accounts();
    accounts
        .throttle
        .admit_address(Origin::of(request.address))
        .map_err(accounts::too_often)?;
    if !write.rehearsal && accounts.throttle.may_mail(&email) {
        let background = api.clone();
        accounts.outbox.start(async move {
            let api = background;
            let (token, kept) = mint(&api.secrets, &api.env, VERIFICATION_LIFE);
            match api.catalog.renew_verification(&email, &kept).await {
                Ok(Some(person)) => {
                    let mail = letters::verification(&api.settings.public_url, &person.email, &token);
                    api.accounts().outbox.deliver(mail).await;
                }
                Ok(None) => {}
                Err(error) => {
                    tracing::error!(%error, "a verification could not be renewed");
                }
            }
        })?;
    }
    Ok(mail_under_way(
        "If this address waits to be verified, we have sent it a mail.",
    ))
}
