//! Logging in and out.
//!
//! A wrong password, an unknown address and an account without a password, as an unverified one is, get the same answer after the same
//! work. What is told to the audit trail of a failed login is told after the answer, and as much is written for an unknown address.

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use firn_catalog::account::{AccountError, Login, Person, Session};
use firn_catalog::ids::SessionId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use zeroize::Zeroizing;

use super::me::Me;
use super::verifications::not_rehearsed;
use crate::accounts;
use crate::passwords::{LONGEST, Source};
use crate::rules::device::Device;
use crate::rules::login_throttle::{Attempt, Origin, Place};
use crate::rules::session::{Fresh, csrf_token, forgotten};
use crate::rules::{
    Body, Caller, Code, Identity, Ids, Listing, Moment, Paging, Problem, RequestInfo, Write, created,
    deleted, ok,
};
use crate::state::Api;

/// Somebody who logs in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LoginRequest {
    /// The email address.
    #[schema(max_length = 254, format = "email", example = "ada@example.com")]
    email: String,
    /// The password.
    #[schema(max_length = 200, format = "password")]
    password: String,
}

/// A login of a person.
#[derive(Serialize, ToSchema)]
pub(crate) struct SessionResource {
    /// The id.
    #[schema(pattern = "^ses_[a-h][a-z2-7]{25}$")]
    id: String,
    /// When it was opened.
    created_at: Moment,
    /// When it was last used, to the minute.
    last_used_at: Moment,
    /// When it ends; it ends after 7 days without use, too.
    expires_at: Moment,
    /// The address that it was opened from.
    #[schema(max_length = 45)]
    address: Option<String>,
    /// What it was opened with, as that calls itself.
    #[schema(max_length = 200)]
    user_agent: String,
    /// Whether it is the one that asks.
    current: bool,
}

/// A session, whose it is, and what unsafe requests with its cookie must send.
#[derive(Serialize, ToSchema)]
pub(crate) struct OpenedSession {
    /// The session.
    session: SessionResource,
    /// The person.
    person: Me,
    /// To send as `X-CSRF-Token` with every request that changes something.
    #[schema(max_length = 200)]
    csrf_token: String,
}

fn shown(session: &Session, current: Option<SessionId>) -> SessionResource {
    SessionResource {
        id: session.id.public(),
        created_at: Moment(session.created_at),
        last_used_at: Moment(session.last_used_at),
        expires_at: Moment(session.expires_at),
        address: session.address.clone(),
        user_agent: session.user_agent.clone(),
        current: current == Some(session.id),
    }
}

fn opened_session(api: &Api, person: &Person, session: &Session) -> OpenedSession {
    OpenedSession {
        session: shown(session, Some(session.id)),
        person: Me::of(person),
        csrf_token: csrf_token(&api.secrets, session.id),
    }
}

/// The answer to a login, as `answer` shapes it, with the cookies of the session and of the device.
pub(super) fn opened(
    api: &Api,
    (fresh, device): (&Fresh, Device),
    person: &Person,
    session: &Session,
    answer: impl FnOnce(OpenedSession) -> Response,
) -> Response {
    let mut response = answer(opened_session(api, person, session));
    let headers = response.headers_mut();
    headers.append(header::SET_COOKIE, fresh.cookie());
    headers.append(header::SET_COOKIE, device.cookie(api, &person.email));
    response
}

/// Refuses a password that is none, before any work.
pub(super) fn require_short(password: &str) -> Result<(), Problem> {
    match password.chars().count() > LONGEST {
        true => Err(Problem::invalid(
            "/password",
            format!("it has at most {LONGEST} characters"),
        )),
        false => Ok(()),
    }
}

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(log_in, list_sessions))
        .routes(routes!(get_current_session, log_out))
        .routes(routes!(revoke_session))
}

fn wrong() -> Problem {
    Problem::new(
        Code::LoginFailed,
        "the email address or the password is wrong, or the address is not verified yet",
    )
}

/// Log in
///
/// Opens a session: its cookie goes with every request, its `csrf_token` as `X-CSRF-Token` with those that change something.
#[utoipa::path(
    post, path = "/v1/sessions", tag = "people", security(()),
    request_body = LoginRequest,
    responses(
        (status = 201, description = "Logged in", body = OpenedSession,
            headers(("Location" = String, description = "The session"), ("Set-Cookie" = String, description = "The session, and this device as one that has logged in"))),
        (status = 401, description = "`login_failed`: the email address or the password is wrong, or the address is not verified yet",
            body = crate::rules::problem::ProblemBody, content_type = "application/problem+json"))
)]
async fn log_in(
    State(api): State<Api>,
    request: RequestInfo,
    headers: HeaderMap,
    write: Write,
    Body(body): Body<LoginRequest>,
) -> Result<Response, Problem> {
    not_rehearsed(write)?;
    let password = Zeroizing::new(body.password);
    require_short(&password)?;
    let email = super::signup::require_email(&body.email)?;
    let throttle = &api.accounts().throttle;
    let device = Device::shown(&api, &headers, &email);
    let attempt = throttle
        .admit(Place::of(Origin::of(request.address), device), &email)
        .map_err(accounts::too_often)?;
    let login = api.catalog.person_by_email(&email).await?;
    let knows = knows_password(&api, &attempt, login.as_ref(), password).await?;
    let verified = login.filter(|login| knows && login.person.verified_at.is_some());
    let Some(login) = verified else {
        return Err(failed(&api, &request, email)?);
    };
    throttle.succeeded(attempt);
    let fresh = Fresh::new(&api, &request, &headers);
    let actor = accounts::stranger(&request);
    let session = match api.catalog.open_session(&actor, &login, &fresh.session).await {
        Ok(session) => session,
        // It was changed between the two looks at it.
        Err(AccountError::Gone { .. } | AccountError::NotFound { .. }) => return Err(wrong()),
        Err(error) => return Err(error.into()),
    };
    let location = format!("/v1/sessions/{}", session.id.public());
    let device = device.unwrap_or_else(|| Device::new(&api));
    Ok(opened(&api, (&fresh, device), &login.person, &session, |body| {
        created(body, location, None)
    }))
}

/// Whether the password is the person's; the same work if there is no person.
pub(super) async fn knows_password(
    api: &Api,
    attempt: &Attempt,
    login: Option<&Login>,
    password: Zeroizing<String>,
) -> Result<bool, Problem> {
    let source = match attempt.known {
        true => Source::Known(attempt.seat(), attempt.email.clone()),
        false => Source::Address(attempt.origin()),
    };
    let hash = login
        .and_then(|login| login.password.as_ref())
        .map(|hash| hash.0.clone());
    api.accounts().passwords.verify(source, password, hash).await
}

/// The answer to a failed login, whose audit rows are written meanwhile.
fn failed(api: &Api, request: &RequestInfo, email: String) -> Result<Problem, Problem> {
    let background = api.clone();
    let actor = accounts::stranger(request);
    api.accounts().outbox.audit(async move {
        if let Err(error) = background.catalog.login_failed(&actor, &email).await {
            tracing::error!(%error, request_id = actor.request_id, "a failed login could not be audited");
        }
    })?;
    Ok(wrong())
}

/// List my sessions
#[utoipa::path(
    get, path = "/v1/sessions", tag = "people",
    params(("page_size" = Option<i64>, Query, minimum = 1, maximum = 200), ("cursor" = Option<String>, Query)),
    responses((status = 200, description = "The live sessions, the newest first", body = Listing<SessionResource>))
)]
async fn list_sessions(State(api): State<Api>, caller: Caller, paging: Paging) -> Result<Response, Problem> {
    caller.person()?;
    let sessions = api.catalog.sessions(&caller.actor()).await?;
    let position = |session: &Session| format!("{}.{}", session.created_at.0, session.id);
    let rows = usize::try_from(paging.rows()).unwrap_or(usize::MAX);
    let begin = match &paging.after {
        None => 0,
        // What was there may be gone: what is older than it comes after it.
        Some(after) => {
            let at = |position: &str| -> Option<i64> { position.split('.').next()?.parse().ok() };
            let found = sessions.iter().position(|session| position(session) == *after);
            let older = |session: &Session| at(after).is_some_and(|at| session.created_at.0 < at);
            found
                .map(|place| place + 1)
                .or_else(|| sessions.iter().position(older))
                .unwrap_or(sessions.len())
        }
    };
    let page: Vec<_> = sessions.into_iter().skip(begin).take(rows).collect();
    let current = current_of(&caller);
    Ok(ok(paging.page(page, position, |session| shown(&session, current))))
}

/// The session by which the caller showed who it is.
pub(super) fn current_of(caller: &Caller) -> Option<SessionId> {
    match caller.identity {
        Identity::Session { session, .. } => Some(session),
        Identity::ApiKey { .. } | Identity::Token { .. } => None,
    }
}

/// Get the current session
///
/// Tells its `csrf_token` again.
#[utoipa::path(
    get, path = "/v1/sessions/current", tag = "people",
    responses((status = 200, description = "The session", body = OpenedSession))
)]
async fn get_current_session(State(api): State<Api>, caller: Caller) -> Result<Response, Problem> {
    caller.person()?;
    let actor = caller.actor();
    let sessions = api.catalog.sessions(&actor).await?;
    let current = current_of(&caller);
    let Some(session) = sessions.iter().find(|session| current == Some(session.id)) else {
        return Err(Problem::unauthenticated());
    };
    let person = api.catalog.me(&actor).await?.person;
    Ok(ok(opened_session(&api, &person, session)))
}

/// Log out
#[utoipa::path(
    delete, path = "/v1/sessions/current", tag = "people",
    responses(
        (status = 204, description = "The session is over", headers(("Set-Cookie" = String, description = "Takes the cookie back"))))
)]
async fn log_out(State(api): State<Api>, caller: Caller, write: Write) -> Result<Response, Problem> {
    caller.person()?;
    let Some(session) = current_of(&caller) else {
        return Err(Problem::unauthenticated());
    };
    api.catalog
        .revoke_session(&caller.actor(), session, write.rehearsal)
        .await?;
    let mut response = deleted().into_response();
    if !write.rehearsal {
        response.headers_mut().insert(header::SET_COOKIE, forgotten());
    }
    Ok(response)
}

/// End one of my sessions
#[utoipa::path(
    delete, path = "/v1/sessions/{session}", tag = "people",
    responses((status = 204, description = "The session is over"))
)]
async fn revoke_session(
    State(api): State<Api>,
    caller: Caller,
    Ids(session): Ids<SessionId>,
    write: Write,
) -> Result<Response, Problem> {
    caller.person()?;
    api.catalog
        .revoke_session(&caller.actor(), session, write.rehearsal)
        .await?;
    Ok(deleted())
}
