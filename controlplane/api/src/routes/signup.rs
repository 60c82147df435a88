//! Signing up. Whoever does is told the same, in text and in time, whether the address is known or not: the password is hashed in
//! either case, and what there is to store and to mail happens after the answer.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Json, http::StatusCode};
use firn_catalog::account::{PasswordHash, SignUp, SignedUp, normalize_email};
use firn_catalog::commands::Actor;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use zeroize::Zeroizing;

use crate::accounts::{self, VERIFICATION_LIFE, mint};
use crate::mail::letters;
use crate::passwords::{Source, require_strong};
use crate::rules::login_throttle::Origin;
use crate::rules::{Body, Problem, RequestInfo, Write};
use crate::state::Api;

/// Somebody who wants an account and an organization.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignupRequest {
    /// The email address.
    #[schema(max_length = 254, format = "email", example = "ada@example.com")]
    email: String,
    /// The password: not one that others would guess.
    #[schema(min_length = 10, max_length = 200, format = "password")]
    password: String,
    /// The person's name.
    #[schema(min_length = 1, max_length = 100, example = "Ada Lovelace")]
    name: String,
    /// The name of the organization.
    #[schema(min_length = 1, max_length = 100, example = "Analytical Engines")]
    organization: String,
}

/// What there is to do next. It is the same whatever the service knows of the address.
#[derive(Serialize, ToSchema)]
pub(crate) struct MailUnderWay {
    /// For people.
    #[schema(max_length = 200)]
    detail: &'static str,
}

/// 202: a mail says what comes next, if there is anything to say.
pub(super) fn mail_under_way(detail: &'static str) -> Response {
    (StatusCode::ACCEPTED, Json(MailUnderWay { detail })).into_response()
}

/// A title or a name as people write it: trimmed, 1 to 100 characters, no control characters.
pub(super) fn require_name(pointer: &'static str, text: &str) -> Result<String, Problem> {
    let text = text.trim();
    let fits = (1..=100).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    match fits {
        true => Ok(text.to_owned()),
        false => Err(Problem::invalid(
            pointer,
            "it must have 1 to 100 characters, none of them a control character",
        )),
    }
}

/// The address in its one spelling.
pub(super) fn require_email(text: &str) -> Result<String, Problem> {
    normalize_email(text).ok_or_else(|| Problem::invalid("/email", "it must be an email address"))
}

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(sign_up))
}

/// Sign up
///
/// Makes a person, an organization that it owns, and the project `default` in it. The account can be used once the token that is
/// mailed has come back to `POST /v1/verifications`, with the same password. The answer does not tell whether the address has an account already; the
/// mail does.
#[utoipa::path(
    post, path = "/v1/signup", tag = "people", security(()),
    request_body = SignupRequest,
    responses((status = 202, description = "A mail is under way", body = MailUnderWay))
)]
async fn sign_up(
    State(api): State<Api>,
    request: RequestInfo,
    write: Write,
    Body(body): Body<SignupRequest>,
) -> Result<Response, Problem> {
    let email = require_email(&body.email)?;
    let password = Zeroizing::new(body.password);
    require_strong("/password", &password, &email)?;
    let name = require_name("/name", &body.name)?;
    let organization = require_name("/organization", &body.organization)?;
    let origin = Origin::of(request.address);
    let accounts = api.accounts();
    accounts
        .throttle
        .admit_address(origin)
        .map_err(accounts::too_often)?;
    if !write.rehearsal {
        let hash = accounts.passwords.hash(Source::Address(origin), password).await?;
        // The same for every address; here because a catalog that does not answer should be told of.
        api.catalog.person_by_email(&email).await?;
        let (token, kept) = mint(&api.secrets, &api.env, VERIFICATION_LIFE);
        let command = SignUp {
            email,
            name,
            password: PasswordHash(hash),
            organization,
            token: kept,
        };
        let actor = accounts::stranger(&request);
        accounts
            .outbox
            .start(Box::pin(store(api.clone(), actor, command, token)))?;
    }
    Ok(mail_under_way(
        "We have sent a mail to this address. It says how to go on.",
    ))
}

/// Stores a signup and mails what it says: neither, if too much was mailed to the address.
async fn store(api: Api, actor: Actor, command: SignUp, token: Zeroizing<String>) {
    if !api.accounts().throttle.may_mail(&command.email) {
        return;
    }
    let url = &api.settings.public_url;
    let mail = match api.catalog.sign_up(&actor, &command).await {
        Ok(SignedUp::Unverified(person)) => letters::verification(url, &person.email, &token),
        Ok(SignedUp::Known(person)) => letters::account_exists(url, &person.email),
        Err(error) => {
            tracing::error!(%error, request_id = actor.request_id, "a signup could not be stored");
            return;
        }
    };
    api.accounts().outbox.deliver(mail).await;
}
