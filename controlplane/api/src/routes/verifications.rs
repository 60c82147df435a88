//! Proving an address with the token that was mailed to it.
//!
//! A token is good only together with the password of the signup that it was mailed for. So an address that a stranger has signed up
//! with does not become the stranger's account by its owner's click: the owner does not know that password, and the stranger has
//! no token.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use zeroize::Zeroizing;

use super::sessions::{OpenedSession, knows_password, opened, require_short};
use super::signup::{MailUnderWay, mail_under_way, require_email};
use crate::accounts::{self, Errand, VERIFICATION_LIFE, one_time_digest};
use crate::mail::letters;
use crate::rules::device::Device;
use crate::rules::login_throttle::{Origin, Place};
use crate::rules::session::Fresh;
use crate::rules::{Body, Code, Problem, RequestInfo, Write, ok};
use crate::state::Api;

/// A token that was mailed, and the password of the signup that it was mailed for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct VerificationRequest {
    /// The token.
    #[schema(max_length = 100)]
    token: String,
    /// The password that was chosen at the signup.
    #[schema(max_length = 200, format = "password")]
    password: String,
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
/// Takes the token that was mailed after a signup, once, with the password of that signup, and logs its person in. With another password
/// the token stays good.
#[utoipa::path(
    post, path = "/v1/verifications", tag = "people", security(()),
    request_body = VerificationRequest,
    responses(
        (status = 200, description = "The address is proven, and its person logged in", body = OpenedSession,
            headers(("Set-Cookie" = String, description = "The session"))),
        (status = 401, description = "`login_failed`: it is not the password of this signup",
            body = crate::rules::problem::ProblemBody, content_type = "application/problem+json"))
)]
async fn verify_email(
    State(api): State<Api>,
    request: RequestInfo,
    headers: HeaderMap,
    write: Write,
    Body(body): Body<VerificationRequest>,
) -> Result<Response, Problem> {
    not_rehearsed(write)?;
    let password = Zeroizing::new(body.password);
    require_short(&password)?;
    let origin = Origin::of(request.address);
    let throttle = &api.accounts().throttle;
    throttle.admit_address(origin).map_err(accounts::too_often)?;
    let digest = one_time_digest(&api.secrets, &Zeroizing::new(body.token));
    let login = api.catalog.waiting_for_proof(&digest).await?;
    let device = Device::shown(&api, &headers, &login.person.email);
    let attempt = throttle
        .admit(Place::of(origin, device), &login.person.email)
        .map_err(accounts::too_often)?;
    if !knows_password(&api, &attempt, Some(&login), password).await? {
        return Err(Problem::new(
            Code::LoginFailed,
            "it is not the password of the signup that this token was mailed for: if you have signed up again, use the newest mail",
        ));
    }
    let fresh = Fresh::new(&api, &request, &headers);
    let actor = accounts::stranger(&request);
    let (person, session) = api.catalog.verify(&actor, &digest, &fresh.session).await?;
    throttle.succeeded(attempt);
    let device = device.unwrap_or_else(|| Device::new(&api));
    Ok(opened(&api, (&fresh, device), &person, &session, ok))
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
    let errand = Errand {
        life: VERIFICATION_LIFE,
        letter: letters::verification,
    };
    accounts::mail_token(
        &api,
        &request,
        (email, write.rehearsal),
        errand,
        |catalog, email, kept| async move { catalog.renew_verification(&email, &kept).await },
    )?;
    Ok(mail_under_way(
        "If this address waits to be verified, we have sent it a mail.",
    ))
}
