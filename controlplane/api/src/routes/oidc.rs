//! Logging in through an identity provider: `start` sends the browser there, `callback` takes it back.
//!
//! A link that anybody can make a browser follow must not add a way into the account that is logged in there. So `start` only ever logs
//! in; linking an account that exists begins with a POST, which needs the session's CSRF token and the account's password, and ends in
//! that session's life. The owner is told by mail.
//!
//! A provider is its organization's, which may be anybody's: what its word is worth, the catalog's `account::identities` says. A login
//! of an address that the organization has not invited is refused in the same way whether the address has an account or not.
//!
//! A login that comes to nothing sends a browser back to the console, with the problem's code and nothing else that the console would
//! show: anybody can make a link to there.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use firn_catalog::account::{AccountError, Identity, Linking, LoginProvider, normalize_email};
use firn_catalog::ids::LoginProviderId;
use serde::{Deserialize, Serialize};
use url::Url;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use zeroize::Zeroizing;

use super::sessions::{current_of, knows_password};
use super::verifications::not_rehearsed;
use crate::accounts;
use crate::mail::letters;
use crate::oidc::{CLIENT_SECRET, Claims, Expected, OidcError, Pending, Provider};
use crate::passwords::LONGEST;
use crate::rules::login_throttle::Origin;
use crate::rules::session::{Fresh, named_cookie, set_cookie};
use crate::rules::{Body, Caller, Code, Problem, RequestInfo, Write, ok, query};
use crate::state::Api;

/// The cookie that holds a login that has begun.
const COOKIE: &str = "__Host-firn_oidc";
/// How long the browser keeps it, in seconds.
const COOKIE_LIFE_S: u64 = 600;
/// The longest page to return to.
const MAX_RETURN_TO: usize = 500;
/// The longest code and state that are looked at.
const MAX_CODE: usize = 4_000;

/// The account that is logged in is to be linked to a provider.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LinkRequest {
    /// The provider, of an organization that the person is a member of.
    #[schema(pattern = "^idp_[a-h][a-z2-7]{25}$")]
    provider: String,
    /// The password of the account.
    #[schema(max_length = 200, format = "password")]
    password: String,
    /// The page to go to in the end: a path of this service.
    #[schema(max_length = 500, example = "/")]
    #[serde(default)]
    return_to: Option<String>,
}

/// Where the browser must go.
#[derive(Serialize, ToSchema)]
pub(crate) struct LinkBegun {
    /// The provider's page.
    authorization_url: String,
}

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(start_oidc_login))
        .routes(routes!(link_login_provider))
        .routes(routes!(finish_oidc_login))
}

/// Where providers send people back to.
pub(super) fn redirect_uri(api: &Api) -> String {
    let base = api.settings.public_url.as_str().trim_end_matches('/');
    format!("{base}/v1/oidc/callback")
}

/// A path of this service, and of no other.
fn return_to(asked: Option<String>) -> Result<String, Problem> {
    let path = asked.unwrap_or_else(|| "/".into());
    let plain = path.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    let own = path.starts_with('/') && !path.starts_with("//") && path.len() <= MAX_RETURN_TO;
    match plain && own {
        true => Ok(path),
        false => Err(Problem::bad_request("return_to must be a path of this service")),
    }
}

fn failed(error: &OidcError) -> Problem {
    Problem::new(Code::LoginProviderFailed, error.to_string())
}

/// Begins a login: where the browser goes, and the cookie that it must bring back.
async fn begin(
    api: &Api,
    id: LoginProviderId,
    linking: Option<Linking>,
    return_to: String,
) -> Result<(Url, HeaderValue), Problem> {
    let provider = api.catalog.login_provider(id).await?;
    let outbound = &api.accounts().outbound;
    let remote = Provider::discover(outbound, &provider.settings.issuer)
        .await
        .map_err(|error| failed(&error))?;
    let pending = Pending::begin(&api.env, id, linking, return_to);
    let client = &provider.settings.client_id;
    let url = pending.authorization_url(remote.authorization_endpoint(), client, &redirect_uri(api));
    let cookie = set_cookie(COOKIE, &pending.seal(&api.secrets, &api.env), COOKIE_LIFE_S);
    Ok((url, cookie))
}

/// A login that came to nothing: a browser goes back to where it began, and the console says why; a program gets the problem.
fn fruitless(
    (request, headers): (&RequestInfo, &HeaderMap),
    problem: Problem,
    (provider, linking): (Option<LoginProviderId>, bool),
) -> Response {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    if !accept.unwrap_or_default().contains("text/html") {
        return problem.into_response();
    }
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("failed", problem.code().name());
    query.append_pair("request", &request.id);
    if let Some(provider) = provider {
        query.append_pair("provider", &provider.public());
    }
    let page = if linking { "/profile" } else { "/login" };
    see_other(&format!("{page}?{}", query.finish())).unwrap_or_else(IntoResponse::into_response)
}

fn see_other(location: &str) -> Result<Response, Problem> {
    let location = HeaderValue::try_from(location).map_err(|_| Problem::internal())?;
    Ok((StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response())
}

/// Log in through a provider
///
/// Sends the browser to the provider's page.
#[utoipa::path(
    get, path = "/v1/oidc/start", tag = "people", security(()),
    params(
        ("provider" = String, Query, description = "The login provider", pattern = "^idp_[a-h][a-z2-7]{25}$"),
        ("return_to" = Option<String>, Query, description = "The page to go to in the end: a path of this service", max_length = 500)
    ),
    responses(
        (status = 303, description = "On to the provider; a browser whose login cannot begin, back to the console, with the problem's code",
            headers(("Location" = String, description = "The provider's page"), ("Set-Cookie" = String, description = "The login that has begun"))),
        (status = 404, description = "No such login provider", body = crate::rules::problem::ProblemBody, content_type = "application/problem+json")
    )
)]
async fn start_oidc_login(
    State(api): State<Api>,
    request: RequestInfo,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Problem> {
    let started = send_off(&api, &request, &uri).await;
    Ok(started.unwrap_or_else(|problem| fruitless((&request, &headers), problem, (None, false))))
}

async fn send_off(api: &Api, request: &RequestInfo, uri: &Uri) -> Result<Response, Problem> {
    let throttle = &api.accounts().throttle;
    throttle
        .admit_address(Origin::of(request.address))
        .map_err(accounts::too_often)?;
    let asked = query::value(uri, "provider").unwrap_or_default();
    let id = LoginProviderId::from_public(&asked).map_err(|_| Problem::missing("login provider"))?;
    let return_to = return_to(query::value(uri, "return_to"))?;
    let (url, cookie) = begin(api, id, None, return_to).await?;
    let mut response = see_other(url.as_str())?;
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    Ok(response)
}

/// Link my account to a provider
///
/// Answers where the browser must go; once it is back, the provider logs in to this account, until its password changes.
#[utoipa::path(
    post, path = "/v1/oidc/links", tag = "people",
    request_body = LinkRequest,
    responses((status = 200, description = "Begun", body = LinkBegun, headers(("Set-Cookie" = String, description = "The login that has begun"))))
)]
async fn link_login_provider(
    State(api): State<Api>,
    caller: Caller,
    write: Write,
    Body(body): Body<LinkRequest>,
) -> Result<Response, Problem> {
    not_rehearsed(write)?;
    let person = caller.person()?;
    let session = current_of(&caller).ok_or_else(Problem::unauthenticated)?;
    let throttle = &api.accounts().throttle;
    throttle
        .admit_address(Origin::of(caller.request.address))
        .map_err(accounts::too_often)?;
    let id = LoginProviderId::from_public(&body.provider).map_err(|_| Problem::missing("login provider"))?;
    let return_to = return_to(body.return_to)?;
    require_password(&api, &caller, Zeroizing::new(body.password)).await?;
    let linking = Linking { person, session };
    let (url, cookie) = begin(&api, id, Some(linking), return_to).await?;
    let mut response = ok(LinkBegun {
        authorization_url: url.into(),
    });
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    Ok(response)
}

/// Refuses somebody who has a session and does not know the account's password.
pub(super) async fn require_password(
    api: &Api,
    caller: &Caller,
    password: Zeroizing<String>,
) -> Result<(), Problem> {
    let login = api.catalog.me(&caller.actor()).await?;
    let wrong = || Problem::invalid("/password", "it is not your password");
    if password.chars().count() > LONGEST {
        return Err(wrong());
    }
    let throttle = &api.accounts().throttle;
    let attempt = throttle
        .admit(Origin::of(caller.request.address), &login.person.email)
        .map_err(accounts::too_often)?;
    if !knows_password(api, &attempt, Some(&login), password).await? {
        return Err(wrong());
    }
    throttle.succeeded(attempt);
    Ok(())
}

/// Come back from a provider
#[utoipa::path(
    get, path = "/v1/oidc/callback", tag = "people", security(()),
    params(
        ("state" = Option<String>, Query, description = "What the login began with", max_length = 4000),
        ("code" = Option<String>, Query, description = "The provider's code", max_length = 4000),
        ("error" = Option<String>, Query, description = "Why there is no code", max_length = 4000)
    ),
    responses(
        (status = 303, description = "Logged in; a browser that is not, back to the console, with the problem's code",
            headers(("Location" = String, description = "The page"), ("Set-Cookie" = String, description = "The session"))),
        (status = 404, description = "The login provider is gone", body = crate::rules::problem::ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "The account is not linked, or the address is not invited", body = crate::rules::problem::ProblemBody, content_type = "application/problem+json")
    )
)]
async fn finish_oidc_login(
    State(api): State<Api>,
    request: RequestInfo,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Problem> {
    let throttle = &api.accounts().throttle;
    throttle
        .admit_address(Origin::of(request.address))
        .map_err(accounts::too_often)?;
    let outcome = take_back(&api, &request, &headers, &uri).await;
    let mut response = outcome.unwrap_or_else(|problem| {
        let begun = begun(&api, &headers, &uri).ok();
        let provider = begun.as_ref().map(Pending::provider);
        let linking = begun.is_some_and(|pending| pending.linking().is_some());
        fruitless((&request, &headers), problem, (provider, linking))
    });
    // Whatever came of it, it is over.
    response
        .headers_mut()
        .append(header::SET_COOKIE, set_cookie(COOKIE, "", 0));
    Ok(response)
}

/// What the provider says in the address that it sends the browser to.
fn told(uri: &Uri, name: &str) -> Option<String> {
    query::value(uri, name).filter(|text| text.len() <= MAX_CODE)
}

/// The login that this browser has begun.
fn begun(api: &Api, headers: &HeaderMap, uri: &Uri) -> Result<Pending, Problem> {
    let state = told(uri, "state");
    let cookie = named_cookie(headers, COOKIE);
    let pending = state
        .zip(cookie)
        .and_then(|(state, cookie)| Pending::open(&api.secrets, api.env.now(), cookie, &state));
    pending.ok_or_else(|| {
        Problem::new(
            Code::LoginProviderFailed,
            "this login was not begun in this browser, or is over: begin again",
        )
    })
}

async fn take_back(
    api: &Api,
    request: &RequestInfo,
    headers: &HeaderMap,
    uri: &Uri,
) -> Result<Response, Problem> {
    let pending = begun(api, headers, uri)?;
    let Some(code) = told(uri, "code") else {
        return Err(Problem::new(
            Code::LoginProviderFailed,
            "the login provider did not log you in",
        ));
    };
    let provider = api.catalog.login_provider(pending.provider()).await?;
    let claims = ask(api, &provider, &pending, &code)
        .await
        .map_err(|error| failed(&error))?;
    let identity = identify(&provider, claims, pending.linking())?;
    let fresh = Fresh::new(api, request, headers);
    let actor = accounts::stranger(request);
    match api
        .catalog
        .log_in_through(&actor, &provider, &identity, &fresh.session)
        .await
    {
        Ok((person, _)) if pending.linking().is_some() => {
            let url = &api.settings.public_url;
            let mail = letters::provider_linked(url, &person.email, &provider.settings.name);
            api.accounts().outbox.post(mail);
        }
        Ok(_) => {}
        Err(AccountError::Exists { .. }) => {
            return Err(Problem::new(
                Code::AlreadyExists,
                "this address has an account: log in with its password, and link it to the login provider there",
            ));
        }
        Err(error) => return Err(error.into()),
    }
    let mut response = see_other(pending.return_to())?;
    response.headers_mut().insert(header::SET_COOKIE, fresh.cookie());
    Ok(response)
}

/// Exchanges the code for whom the provider has authenticated.
async fn ask(
    api: &Api,
    provider: &LoginProvider,
    pending: &Pending,
    code: &str,
) -> Result<Claims, OidcError> {
    let settings = &provider.settings;
    let sealed = settings.client_secret.as_ref();
    let secret = sealed.and_then(|sealed| api.secrets.open(CLIENT_SECRET, &sealed.0));
    let secret = secret.ok_or(OidcError::Provider("its client secret must be set again"))?;
    let secret = std::str::from_utf8(&secret)
        .map_err(|_| OidcError::Provider("its client secret must be set again"))?;
    let remote = Provider::discover(&api.accounts().outbound, &settings.issuer).await?;
    let client = (&*settings.client_id, secret);
    let token = remote
        .exchange(client, &redirect_uri(api), code, pending.verifier())
        .await?;
    let expected = Expected {
        issuer: &settings.issuer,
        client_id: &settings.client_id,
        nonce: pending.nonce(),
        now: api.env.now(),
    };
    Claims::read(&token, &remote.keys().await?, &expected)
}

/// Whom the claims are about, if the provider may speak for the address.
fn identify(provider: &LoginProvider, claims: Claims, linking: Option<Linking>) -> Result<Identity, Problem> {
    let refuse = |detail| Err(Problem::new(Code::LoginProviderFailed, detail));
    let Some(email) = claims.email.as_deref().and_then(normalize_email) else {
        return refuse("the login provider tells no email address");
    };
    let domains = &provider.settings.allowed_domains;
    let domain = email.rsplit('@').next().unwrap_or_default();
    let trusted = domains.iter().any(|allowed| allowed == domain);
    if !domains.is_empty() && !trusted {
        return refuse("the login provider does not speak for the domain of this address");
    }
    if !trusted && !claims.email_verified {
        return refuse("the login provider has not verified this address");
    }
    let told = claims.name.unwrap_or_default();
    let name: String = told.chars().filter(|c| !c.is_control()).take(100).collect();
    let local = || email.split('@').next().unwrap_or_default().to_owned();
    let name = match name.trim() {
        "" => local(),
        name => name.to_owned(),
    };
    Ok(Identity {
        subject: claims.subject,
        email,
        name,
        linking,
    })
}
