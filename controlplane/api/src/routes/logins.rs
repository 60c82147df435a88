//! The login providers that log in to the caller's own account.
//!
//! Who takes one back shows that it is the person and not only a browser that was left open: by the account's password, or by a session
//! that has just begun, as one has that was opened through a provider.

use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use firn_catalog::account::LinkedLogin;
use firn_catalog::ids::LinkedLoginId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use zeroize::Zeroizing;

use super::oidc::require_password;
use super::sessions::current_of;
use crate::mail::letters;
use crate::rules::{Body, Caller, Ids, Listing, Moment, Paging, Problem, Write, deleted, ok};
use crate::state::Api;

/// How long a session counts as proof of who it is.
const FRESH_SESSION: Duration = Duration::from_secs(10 * 60);

/// An identity at a login provider that logs in to the account.
#[derive(Serialize, ToSchema)]
pub(crate) struct LinkedLoginResource {
    /// The id.
    #[schema(pattern = "^lgn_[a-h][a-z2-7]{25}$")]
    id: String,
    /// The login provider.
    #[schema(pattern = "^idp_[a-h][a-z2-7]{25}$")]
    provider: String,
    /// The login provider's name.
    #[schema(max_length = 100)]
    provider_name: String,
    /// The organization whose login provider it is.
    #[schema(pattern = "^org_[a-h][a-z2-7]{25}$")]
    organization: String,
    /// The organization's name.
    #[schema(max_length = 100)]
    organization_name: String,
    /// Since when it is linked.
    linked_at: Moment,
}

/// That it is the person who asks.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UnlinkRequest {
    /// The password of the account.
    #[schema(max_length = 200, format = "password")]
    password: String,
}

fn shown(login: LinkedLogin) -> LinkedLoginResource {
    LinkedLoginResource {
        id: login.id.public(),
        provider: login.provider.public(),
        provider_name: login.provider_name,
        organization: login.organization.public(),
        organization_name: login.organization_title,
        linked_at: Moment(login.linked_at),
    }
}

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(list_my_logins))
        .routes(routes!(unlink_login))
}

/// List what logs in to my account
///
/// Login providers of organizations that the person is a member of.
#[utoipa::path(
    get, path = "/v1/me/logins", tag = "people",
    params(("page_size" = Option<i64>, Query, minimum = 1, maximum = 200), ("cursor" = Option<String>, Query)),
    responses((status = 200, description = "The linked logins, the oldest first", body = Listing<LinkedLoginResource>))
)]
async fn list_my_logins(State(api): State<Api>, caller: Caller, paging: Paging) -> Result<Response, Problem> {
    caller.person()?;
    let logins = api.catalog.linked_logins(&caller.actor()).await?;
    let position = |login: &LinkedLogin| format!("{:020}.{}", login.linked_at.0, login.id);
    let rows = usize::try_from(paging.rows()).unwrap_or(usize::MAX);
    let mut later: Vec<_> = logins
        .into_iter()
        .filter(|login| paging.after.as_ref().is_none_or(|after| position(login) > *after))
        .collect();
    later.sort_by_key(position);
    later.truncate(rows);
    Ok(ok(paging.page(later, position, shown)))
}

/// Unlink a login from my account
///
/// The login provider logs in to the account no more; sessions that it opened go on. Needs the password, or a session that is at most
/// 10 minutes old. The last way to log in stays.
#[utoipa::path(
    delete, path = "/v1/me/logins/{login}", tag = "people",
    request_body(content = Option<UnlinkRequest>, description = "Without it, the session must be at most 10 minutes old"),
    responses(
        (status = 204, description = "It is unlinked"),
        (status = 409, description = "`protected`: it is the last way to log in",
            body = crate::rules::problem::ProblemBody, content_type = "application/problem+json"))
)]
async fn unlink_login(
    State(api): State<Api>,
    caller: Caller,
    Ids(login): Ids<LinkedLoginId>,
    write: Write,
    body: Option<Body<UnlinkRequest>>,
) -> Result<Response, Problem> {
    caller.person()?;
    match body {
        Some(Body(body)) => require_password(&api, &caller, Zeroizing::new(body.password)).await?,
        None => require_fresh_session(&api, &caller).await?,
    }
    let actor = caller.actor();
    let unlinked = api.catalog.unlink_login(&actor, login, write.rehearsal).await?;
    if !write.rehearsal {
        let email = api.catalog.me(&actor).await?.person.email;
        let url = &api.settings.public_url;
        let mail = letters::provider_unlinked(url, &email, &unlinked.provider_name);
        api.accounts().outbox.post(mail);
    }
    Ok(deleted())
}

/// Refuses a session that may have been left open.
async fn require_fresh_session(api: &Api, caller: &Caller) -> Result<(), Problem> {
    let sessions = api.catalog.sessions(&caller.actor()).await?;
    let current = current_of(caller);
    let now = api.env.now();
    let fresh = sessions
        .iter()
        .any(|session| current == Some(session.id) && now.since(session.created_at) <= FRESH_SESSION);
    match fresh {
        true => Ok(()),
        false => Err(Problem::invalid(
            "/password",
            "it is required: this session is older than 10 minutes",
        )),
    }
}
