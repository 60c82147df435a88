//! The caller's own account.

use axum::extract::State;
use axum::response::Response;
use firn_catalog::account::{AccountError, PasswordHash, Person};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use zeroize::Zeroizing;

use super::sessions::current_of;
use super::signup::require_name;
use crate::accounts;
use crate::mail::letters;
use crate::passwords::{LONGEST, Source, require_strong};
use crate::rules::login_throttle::Origin;
use crate::rules::{Body, Caller, Moment, Problem, Write, deleted, ok_with_etag};
use crate::state::Api;

/// A person, as it sees itself.
#[derive(Serialize, ToSchema)]
pub(crate) struct Me {
    /// The id.
    #[schema(pattern = "^per_[a-h][a-z2-7]{25}$")]
    id: String,
    /// The email address.
    #[schema(max_length = 254)]
    email: String,
    /// The name.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// Since when the address is proven.
    verified_at: Option<Moment>,
    /// Whether a password logs it in, or only a login provider.
    has_password: bool,
    /// When it signed up.
    created_at: Moment,
}

impl Me {
    pub(super) fn of(person: &Person) -> Self {
        Self {
            id: person.id.public(),
            email: person.email.clone(),
            name: person.name.clone(),
            verified_at: person.verified_at.map(Moment),
            has_password: person.has_password,
            created_at: Moment(person.created_at),
        }
    }
}

/// What a person may change of itself.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MeChange {
    /// The name; left out, it stays.
    #[schema(min_length = 1, max_length = 100)]
    #[serde(default)]
    name: Option<String>,
}

/// Another password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PasswordChange {
    /// The password as it is.
    #[schema(max_length = 200, format = "password")]
    current_password: String,
    /// The password as it will be: not one that others would guess.
    #[schema(min_length = 10, max_length = 200, format = "password")]
    new_password: String,
}

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(get_me, update_me))
        .routes(routes!(change_password))
}

/// Get my account
#[utoipa::path(get, path = "/v1/me", tag = "people", responses((status = 200, body = Me)))]
async fn get_me(State(api): State<Api>, caller: Caller) -> Result<Response, Problem> {
    caller.person()?;
    let person = api.catalog.me(&caller.actor()).await?.person;
    Ok(ok_with_etag(Me::of(&person), person.version))
}

/// Change my account
#[utoipa::path(
    patch, path = "/v1/me", tag = "people",
    params(("If-Match" = Option<String>, Header, description = "The ETag that was read last; without it, whatever is there is changed")),
    request_body = MeChange,
    responses((status = 200, body = Me))
)]
async fn update_me(
    State(api): State<Api>,
    caller: Caller,
    write: Write,
    Body(body): Body<MeChange>,
) -> Result<Response, Problem> {
    caller.person()?;
    let actor = caller.actor();
    let name = match &body.name {
        Some(name) => require_name("/name", name)?,
        None => api.catalog.me(&actor).await?.person.name,
    };
    let person = api
        .catalog
        .update_me(&actor, &name, write.expected, write.rehearsal)
        .await?;
    Ok(ok_with_etag(Me::of(&person), person.version))
}

/// Change my password
///
/// Ends all other sessions and takes back the login providers that were linked to the account.
#[utoipa::path(
    post, path = "/v1/me/password", tag = "people",
    request_body = PasswordChange,
    responses((status = 204, description = "The password is changed"))
)]
async fn change_password(
    State(api): State<Api>,
    caller: Caller,
    write: Write,
    Body(body): Body<PasswordChange>,
) -> Result<Response, Problem> {
    caller.person()?;
    let (current, new) = (
        Zeroizing::new(body.current_password),
        Zeroizing::new(body.new_password),
    );
    let actor = caller.actor();
    let login = api.catalog.me(&actor).await?;
    let email = login.person.email.clone();
    require_strong("/new_password", &new, &email)?;
    let wrong = || Problem::invalid("/current_password", "it is not your password");
    if current.chars().count() > LONGEST {
        return Err(wrong());
    }
    let origin = Origin::of(caller.request.address);
    let accounts = api.accounts();
    let attempt = accounts
        .throttle
        .admit(origin, &email)
        .map_err(accounts::too_often)?;
    let seat = attempt.seat();
    let source = || Source::Known(seat, email.clone());
    let hash = login.password.as_ref().map(|hash| hash.0.clone());
    if !accounts.passwords.verify(source(), current, hash).await? {
        return Err(wrong());
    }
    accounts.throttle.succeeded(attempt);
    if write.rehearsal {
        return Ok(deleted());
    }
    let hash = PasswordHash(accounts.passwords.hash(source(), new).await?);
    let keep = current_of(&caller);
    match api.catalog.change_password(&actor, &login, &hash, keep).await {
        Ok(()) => {}
        // It was changed between the two looks at it.
        Err(AccountError::Gone { .. }) => return Err(wrong()),
        Err(error) => return Err(error.into()),
    }
    tell(&api, &email);
    Ok(deleted())
}

/// Mails the owner of an account that its password was changed.
pub(super) fn tell(api: &Api, email: &str) {
    let mail = letters::password_changed(&api.settings.public_url, email);
    api.accounts().outbox.post(mail);
}
