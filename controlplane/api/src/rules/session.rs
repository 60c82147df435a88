//! How a session's cookie shows who asks.
//!
//! The cookie holds the session's public id and 256 random bits; the catalog knows a keyed digest of the two. On an unsafe method it
//! counts only with the session's CSRF token in `X-CSRF-Token`, which another site's page can neither read nor send, and with an
//! `Origin`, if there is one, that is this service's.

use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri, header};
use firn_catalog::account::{MAX_USER_AGENT, NewSession, SESSION_LIFE};
use firn_catalog::ids::SessionId;
use firn_secrets::{Secrets, token};
use zeroize::Zeroizing;

use super::{Code, Identity, Problem, RequestInfo};
use crate::state::Api;

/// The cookie that holds a session. Browsers send a `__Host-` one only to the host that set it, over TLS.
pub(crate) const COOKIE: &str = "__Host-firn_session";
/// Where the CSRF token of a session is sent.
pub(crate) const CSRF_HEADER: HeaderName = HeaderName::from_static("x-csrf-token");

/// The purposes of what is derived from a session.
const DIGEST: &str = "session";
const CSRF: &str = "csrf";

/// The session's text in the request's cookies.
pub(crate) fn cookie(headers: &HeaderMap) -> Option<&str> {
    named_cookie(headers, COOKIE)
}

/// The value of a cookie.
pub(crate) fn named_cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let cookies = headers.get_all(header::COOKIE).iter();
    let mut pairs = cookies
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(';'));
    pairs.find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

/// What sets a cookie for this host alone, for so many seconds; 0 takes it back.
pub(crate) fn set_cookie(name: &str, value: &str, seconds: u64) -> HeaderValue {
    let text = format!("{name}={value}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=Lax");
    let mut value = HeaderValue::try_from(text).expect("cookies are made of base32, base64url and dots");
    value.set_sensitive(true);
    value
}

/// A session that is about to be opened, and the cookie that will show it.
pub(crate) struct Fresh {
    pub(crate) session: NewSession,
    text: Zeroizing<String>,
}

impl Fresh {
    /// For the sender of a request.
    pub(crate) fn new(api: &Api, request: &RequestInfo, headers: &HeaderMap) -> Self {
        let id = SessionId(api.env.random_u128());
        let secret = token::generate(&*api.env.random);
        let text = Zeroizing::new(format!("{}.{}", id.public(), *secret));
        let user_agent = headers
            .get(header::USER_AGENT)
            .map(HeaderValue::as_bytes)
            .unwrap_or_default();
        let user_agent = String::from_utf8_lossy(user_agent);
        let session = NewSession {
            id,
            digest: api.secrets.digest(DIGEST, text.as_bytes()),
            address: request.address,
            user_agent: user_agent
                .chars()
                .filter(|c| !c.is_control())
                .take(MAX_USER_AGENT)
                .collect(),
        };
        Self { session, text }
    }

    /// The Set-Cookie header.
    pub(crate) fn cookie(&self) -> HeaderValue {
        set_cookie(COOKIE, &self.text, SESSION_LIFE.as_secs())
    }
}

/// What takes the cookie back.
pub(crate) fn forgotten() -> HeaderValue {
    set_cookie(COOKIE, "", 0)
}

/// The CSRF token of a session.
pub(crate) fn csrf_token(secrets: &Secrets, session: SessionId) -> String {
    secrets.sign(CSRF, &session.0.to_be_bytes())
}

/// The person whose live session the cookie names; on an unsafe method only with CSRF token and Origin.
pub(crate) async fn authenticate(
    api: &Api,
    parts: &Parts,
    cookie: &str,
    _request: &RequestInfo,
) -> Result<Identity, Problem> {
    let id = cookie
        .split_once('.')
        .and_then(|(id, _)| SessionId::from_public(id).ok());
    let Some(id) = id else {
        return Err(Problem::unauthenticated());
    };
    let digest = api.secrets.digest(DIGEST, cookie.as_bytes());
    let Some((session, person)) = api.catalog.session(id, &digest).await? else {
        return Err(Problem::unauthenticated());
    };
    if !parts.method.is_safe() {
        require_own_page(api, &parts.headers, session.id)?;
    }
    Ok(Identity::Session {
        session: session.id,
        person: person.id,
    })
}

fn require_own_page(api: &Api, headers: &HeaderMap, session: SessionId) -> Result<(), Problem> {
    let refuse = |detail| Err(Problem::new(Code::CsrfRejected, detail));
    let sent = headers.get(CSRF_HEADER).and_then(|value| value.to_str().ok());
    let signed = sent.and_then(|text| api.secrets.unsign(CSRF, text));
    if signed.as_deref() != Some(&session.0.to_be_bytes()) {
        return refuse("send the session's csrf_token as X-CSRF-Token");
    }
    match headers.get(header::ORIGIN) {
        Some(origin) if !is_own(api, origin) => refuse("the request comes from another site's page"),
        _ => Ok(()),
    }
}

/// Whether an `Origin` is this service's. In `firn dev` it may be reached under each name of this machine.
fn is_own(api: &Api, origin: &HeaderValue) -> bool {
    let origin = origin.to_str().unwrap_or_default();
    if origin == api.settings.public_url.origin().ascii_serialization() {
        return true;
    }
    let host = origin.parse::<Uri>().ok();
    let host = host.as_ref().and_then(Uri::host);
    api.settings.dev && host.is_some_and(|host| ["localhost", "127.0.0.1", "[::1]"].contains(&host))
}
