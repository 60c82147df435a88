//! Who asks.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use firn_catalog::commands::{Actor, CredentialId, Principal};
use firn_catalog::ids::{ApiKeyId, PersonId, ServiceAccountId, SessionId};

use super::{Problem, RequestInfo, bearer, session};
use crate::state::Api;

/// By what a request showed who sends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Identity {
    /// A session's cookie, with its CSRF token where one is needed.
    Session {
        /// The session.
        session: SessionId,
        /// Whose it is.
        person: PersonId,
    },
    /// An API key.
    ApiKey {
        /// The key.
        key: ApiKeyId,
        /// Whose it is.
        service_account: ServiceAccountId,
    },
    /// A token that an API key was traded for.
    Token {
        /// The key.
        key: ApiKeyId,
        /// Whose it is.
        service_account: ServiceAccountId,
    },
}

/// Who asks, by what, and in which request. As an extractor it refuses a request that shows nothing live (401).
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) identity: Identity,
    pub(crate) request: RequestInfo,
}

impl Caller {
    /// Whom the catalog is told.
    pub(crate) fn actor(&self) -> Actor {
        let credential = match self.identity {
            Identity::Session { session, .. } => CredentialId::Session(session),
            Identity::ApiKey { key, .. } | Identity::Token { key, .. } => CredentialId::ApiKey(key),
        };
        Actor {
            principal: self.principal(),
            request_id: self.request.id.to_string(),
            credential: Some(credential),
            address: self.request.address,
        }
    }

    /// Who it is.
    pub(crate) fn principal(&self) -> Principal {
        match self.identity {
            Identity::Session { person, .. } => Principal::Person(person),
            Identity::ApiKey { service_account, .. } | Identity::Token { service_account, .. } => {
                Principal::ServiceAccount(service_account)
            }
        }
    }

    /// The person, for what only people can do.
    pub(crate) fn person(&self) -> Result<PersonId, Problem> {
        match self.identity {
            Identity::Session { person, .. } => Ok(person),
            Identity::ApiKey { .. } | Identity::Token { .. } => Err(Problem::new(
                super::Code::Forbidden,
                "only a person who is logged in can do this",
            )),
        }
    }
}

/// What the admission found out about a request's sender: an extension of the request.
#[derive(Clone, Debug)]
pub(crate) enum Admitted {
    /// The request shows nothing.
    Nobody,
    /// It shows something that is not live, or not all that is needed with it.
    Refused(Problem),
    /// It is this one.
    Somebody(Caller),
}

/// What a request shows, looked up nowhere yet.
pub(crate) fn shown(headers: &HeaderMap) -> Option<&str> {
    bearer_of(headers).or_else(|| session::cookie(headers))
}

/// Finds out who sends a request. A bearer goes before a cookie.
pub(crate) async fn identify(api: &Api, parts: &Parts, request: &RequestInfo) -> Admitted {
    let found = if let Some(bearer) = bearer_of(&parts.headers) {
        bearer::authenticate(api, bearer, request).await
    } else if let Some(cookie) = session::cookie(&parts.headers) {
        session::authenticate(api, parts, cookie, request).await
    } else {
        return Admitted::Nobody;
    };
    match found {
        Ok(identity) => Admitted::Somebody(Caller {
            identity,
            request: request.clone(),
        }),
        Err(problem) => Admitted::Refused(problem),
    }
}

/// What stands after `Bearer` in the Authorization header; empty for any other scheme, which no credential is.
fn bearer_of(headers: &HeaderMap) -> Option<&str> {
    let text = headers.get(header::AUTHORIZATION)?.to_str().unwrap_or_default();
    let bearer = text
        .split_once(' ')
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    Some(bearer.map_or("", |(_, bearer)| bearer.trim()))
}

impl FromRequestParts<Api> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Api) -> Result<Self, Problem> {
        match parts.extensions.get::<Admitted>() {
            Some(Admitted::Somebody(caller)) => Ok(caller.clone()),
            Some(Admitted::Refused(problem)) => Err(problem.clone()),
            Some(Admitted::Nobody) | None => Err(Problem::unauthenticated()),
        }
    }
}

impl axum::extract::OptionalFromRequestParts<Api> for Caller {
    type Rejection = Problem;

    /// For routes that need nobody: a credential that is not live counts as none.
    async fn from_request_parts(parts: &mut Parts, _: &Api) -> Result<Option<Self>, Problem> {
        match parts.extensions.get::<Admitted>() {
            Some(Admitted::Somebody(caller)) => Ok(Some(caller.clone())),
            Some(Admitted::Refused(_) | Admitted::Nobody) | None => Ok(None),
        }
    }
}

impl FromRequestParts<Api> for RequestInfo {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Api) -> Result<Self, Problem> {
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or_else(Problem::internal)
    }
}
