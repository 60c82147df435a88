//! Errors as `application/problem+json` (RFC 9457). Each has a stable code, explained at `/v1/problems/{code}`.

use std::fmt;

use axum::Json;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use firn_catalog::account::AccountError;
use firn_catalog::acl::InvalidAcl;
use firn_catalog::cell::CatalogError;
use firn_catalog::commands::CommandError;
use serde::Serialize;
use utoipa::ToSchema;

use super::request;

/// What kind of problem: stable, for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Code {
    /// The request is not one that the API understands.
    InvalidRequest,
    /// A cursor that was not made for this list, or not by this service.
    InvalidCursor,
    /// No credential, or none that is live.
    Unauthenticated,
    /// The session's CSRF token or the origin is missing or wrong.
    CsrfRejected,
    /// The email address or the password is wrong.
    LoginFailed,
    /// A login through a provider came to nothing.
    LoginProviderFailed,
    /// A role is there, but too small.
    Forbidden,
    /// A role is there, but the organization is not reached from the caller's address.
    AddressNotAllowed,
    /// Not there, or not for the caller.
    NotFound,
    /// The path does not take the method.
    MethodNotAllowed,
    /// The name is taken.
    AlreadyExists,
    /// As things are, it is not allowed.
    Protected,
    /// It is protected from deletion.
    DeletionProtected,
    /// The cluster is suspended or is being deleted.
    ClusterNotActive,
    /// There are as many as there may be.
    LimitExceeded,
    /// Not all of it was done, or nobody knows.
    NotAllDone,
    /// The same request with this idempotency key is still under way.
    IdempotencyInFlight,
    /// The idempotency key was used for another request.
    IdempotencyMismatch,
    /// Used, revoked or expired.
    Gone,
    /// It was changed since the caller read it.
    VersionMismatch,
    /// The request must name the version that it changes.
    PreconditionRequired,
    /// The body is too large.
    BodyTooLarge,
    /// The body is not JSON.
    UnsupportedMediaType,
    /// A value in the body does not do.
    InvalidValue,
    /// Too many requests.
    RateLimited,
    /// A failure of the service.
    Internal,
    /// The service cannot answer now.
    Unavailable,
}

impl Code {
    /// Every code.
    pub(crate) const ALL: [Self; 27] = [
        Self::InvalidRequest,
        Self::InvalidCursor,
        Self::Unauthenticated,
        Self::CsrfRejected,
        Self::LoginFailed,
        Self::LoginProviderFailed,
        Self::Forbidden,
        Self::AddressNotAllowed,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::AlreadyExists,
        Self::Protected,
        Self::DeletionProtected,
        Self::ClusterNotActive,
        Self::LimitExceeded,
        Self::NotAllDone,
        Self::IdempotencyInFlight,
        Self::IdempotencyMismatch,
        Self::Gone,
        Self::VersionMismatch,
        Self::PreconditionRequired,
        Self::BodyTooLarge,
        Self::UnsupportedMediaType,
        Self::InvalidValue,
        Self::RateLimited,
        Self::Internal,
        Self::Unavailable,
    ];

    /// The code in bodies and paths.
    pub(crate) fn name(self) -> &'static str {
        self.row().0
    }

    /// The status that it comes with.
    pub(crate) fn status(self) -> StatusCode {
        self.row().1
    }

    /// What it means and what to do about it, as a sentence.
    pub(crate) fn explanation(self) -> &'static str {
        self.row().2
    }

    #[rustfmt::skip]
    fn row(self) -> (&'static str, StatusCode, &'static str) {
        use StatusCode as S;
        match self {
            Self::InvalidRequest => ("invalid_request", S::BAD_REQUEST, "The path, query, headers or JSON cannot be read; the detail and the pointers say where."),
            Self::InvalidCursor => ("invalid_cursor", S::BAD_REQUEST, "The cursor was not given by this list with these filters. Start again without one."),
            Self::Unauthenticated => ("unauthenticated", S::UNAUTHORIZED, "Log in, or send a live API key or token as a bearer."),
            Self::CsrfRejected => ("csrf_rejected", S::FORBIDDEN, "A change made with a session needs its X-CSRF-Token, and an Origin that is the service's own."),
            Self::LoginFailed => ("login_failed", S::UNAUTHORIZED, "The email address or the password is wrong."),
            Self::LoginProviderFailed => ("login_provider_failed", S::BAD_REQUEST, "The login provider cannot be reached, or its answer is not to be believed; the detail says why."),
            Self::Forbidden => ("forbidden", S::FORBIDDEN, "No role of the caller's allows this; somebody who manages members can give one."),
            Self::AddressNotAllowed => ("address_not_allowed", S::FORBIDDEN, "The organization allows requests from some networks only; whoever manages it can add the caller's."),
            Self::NotFound => ("not_found", S::NOT_FOUND, "There is no such thing, or none that the caller has a role in."),
            Self::MethodNotAllowed => ("method_not_allowed", S::METHOD_NOT_ALLOWED, "The path is served, but not with this method."),
            Self::AlreadyExists => ("already_exists", S::CONFLICT, "The name is taken."),
            Self::Protected => ("protected", S::CONFLICT, "As things are, this is not allowed; the detail says what is in the way."),
            Self::DeletionProtected => ("deletion_protected", S::CONFLICT, "Turn deletion_protection off first, then delete."),
            Self::ClusterNotActive => ("cluster_not_active", S::CONFLICT, "The cluster is suspended or is being deleted; resume or undelete it first."),
            Self::LimitExceeded => ("limit_exceeded", S::CONFLICT, "There are as many as there may be; delete some, or ask for a higher limit."),
            Self::NotAllDone => ("not_all_done", S::CONFLICT, "Some of what was asked for was done and some was not, or it is not known; the pointers say which. Look, then send only what is missing, with a new Idempotency-Key."),
            Self::IdempotencyInFlight => ("idempotency_in_flight", S::CONFLICT, "The first request with this Idempotency-Key has not been answered yet. Try again in a moment."),
            Self::IdempotencyMismatch => ("idempotency_mismatch", S::UNPROCESSABLE_ENTITY, "The Idempotency-Key was used for a request with another body. Take a new key."),
            Self::Gone => ("gone", S::GONE, "It was used or revoked, or has expired."),
            Self::VersionMismatch => ("version_mismatch", S::PRECONDITION_FAILED, "It was changed since it was read. Read it again and repeat the change with the new ETag."),
            Self::PreconditionRequired => ("precondition_required", S::PRECONDITION_REQUIRED, "Send the ETag that was read last as If-Match, so that no change is lost."),
            Self::BodyTooLarge => ("body_too_large", S::PAYLOAD_TOO_LARGE, "The request's body is larger than any that is accepted."),
            Self::UnsupportedMediaType => ("unsupported_media_type", S::UNSUPPORTED_MEDIA_TYPE, "Send the body as application/json."),
            Self::InvalidValue => ("invalid_value", S::UNPROCESSABLE_ENTITY, "The body is understood, but a value in it does not do; the pointers say which."),
            Self::RateLimited => ("rate_limited", S::TOO_MANY_REQUESTS, "Too many requests; Retry-After says when to go on."),
            Self::Internal => ("internal", S::INTERNAL_SERVER_ERROR, "The service failed. Its log has the reason under the request id."),
            Self::Unavailable => ("unavailable", S::SERVICE_UNAVAILABLE, "The service cannot answer now. Try again; with an Idempotency-Key, nothing is done twice."),
        }
    }
}

/// One thing that is wrong in a body.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Fault {
    /// Where, as a JSON pointer (RFC 6901).
    pointer: String,
    /// What.
    detail: String,
}

/// An error answer.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    code: Code,
    detail: String,
    errors: Vec<Fault>,
    retry_after_s: Option<u64>,
    /// A cell refused, and no audit trail says so yet.
    untold: bool,
    denial: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

/// An error answer's body (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemBody {
    /// A URI that names the kind of problem.
    #[serde(rename = "type")]
    kind: String,
    /// The status in words.
    title: &'static str,
    /// The status.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What happened, for people.
    detail: String,
    /// What kind of problem, for programs.
    code: &'static str,
    /// What is wrong in the body.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    errors: Vec<Fault>,
    /// The entry in the cluster's audit trail that says so, about a minute later if there are many. Of changes in a cluster that were refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false, pattern = "^aud_[a-h][a-z2-7]{25}$")]
    denial: Option<String>,
    /// The id of the request in the service's logs.
    request_id: String,
    /// Where the code is explained.
    docs_url: String,
}

impl Problem {
    pub(crate) fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            errors: Vec::new(),
            retry_after_s: None,
            untold: false,
            denial: None,
        }
    }

    /// What kind of problem it is.
    pub(crate) fn code(&self) -> Code {
        self.code
    }

    /// A cell refuses it by roles or by the caller's address: if it is a change, the cluster's audit trail shall say so.
    #[must_use]
    pub(crate) fn untold(mut self) -> Self {
        self.untold = matches!(self.code, Code::Forbidden | Code::AddressNotAllowed);
        self
    }

    /// Whether the audit trail is to be told of it.
    pub(crate) fn is_untold(&self) -> bool {
        self.untold
    }

    /// The audit trail's entry says so.
    #[must_use]
    pub(crate) fn told(mut self, denial: Option<String>) -> Self {
        self.untold = false;
        self.denial = denial;
        self
    }

    /// A value in the body at this JSON pointer does not do.
    pub(crate) fn invalid(pointer: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::new(Code::InvalidValue, "a value in the body does not do").with_fault(pointer, reason)
    }

    /// Also this is wrong in the body.
    #[must_use]
    pub(crate) fn with_fault(mut self, pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        self.errors.push(Fault {
            pointer: pointer.into(),
            detail: detail.into(),
        });
        self
    }

    /// When to try again.
    #[must_use]
    pub(crate) fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    /// A query parameter or header that cannot be read.
    pub(crate) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(Code::InvalidRequest, detail)
    }

    pub(crate) fn unauthenticated() -> Self {
        Self::new(
            Code::Unauthenticated,
            "this needs a session, an API key or a token that is live",
        )
    }

    /// Nothing of this kind is there, or none that the caller may know of.
    pub(crate) fn missing(what: &str) -> Self {
        Self::new(Code::NotFound, format!("no such {what}"))
    }

    pub(crate) fn not_found(path: &str) -> Self {
        Self::new(Code::NotFound, format!("nothing is served at {path}"))
    }

    pub(crate) fn method_not_allowed(method: &str, path: &str) -> Self {
        Self::new(Code::MethodNotAllowed, format!("{path} does not take {method}"))
    }

    pub(crate) fn too_large(limit: usize) -> Self {
        Self::new(
            Code::BodyTooLarge,
            format!("a request body has at most {limit} bytes"),
        )
    }

    pub(crate) fn too_slow() -> Self {
        Self::new(Code::Unavailable, "the request took too long; try again")
    }

    pub(crate) fn starting() -> Self {
        Self::new(
            Code::Unavailable,
            "the process is starting; /readyz tells when it serves",
        )
        .retry_after(1)
    }

    pub(crate) fn internal() -> Self {
        Self::new(Code::Internal, "the log has the reason under this request id")
    }

    fn of_catalog(error: &CatalogError) -> Self {
        match error {
            CatalogError::Unavailable(_) => {
                tracing::warn!(%error, "the catalog does not answer");
                Self::new(Code::Unavailable, "the catalog does not answer now; try again").retry_after(1)
            }
            _ => {
                tracing::error!(%error, "the catalog failed");
                Self::internal()
            }
        }
    }

    fn of_command(error: &CommandError) -> Self {
        let text = error.to_string();
        match error {
            CommandError::TopicExists { .. } | CommandError::NameCollision { .. } => {
                Self::new(Code::AlreadyExists, text)
            }
            CommandError::UnknownTopic => Self::missing("topic"),
            CommandError::UnknownCluster => Self::missing("cluster"),
            CommandError::InvalidName { reason } => Self::invalid("/name", reason),
            CommandError::InvalidPartitions { reason } => Self::invalid("/partitions", reason),
            CommandError::InvalidConfig { key, .. }
            | CommandError::MalformedConfigChange { key, .. }
            | CommandError::UnknownConfig { key } => {
                Self::invalid(format!("/configs/{}", pointer_token(key)), text)
            }
            CommandError::LimitExceeded { .. } => Self::new(Code::LimitExceeded, text),
            CommandError::ClusterNotActive => Self::new(Code::ClusterNotActive, text),
            CommandError::InvalidUserName { reason } => Self::invalid("/username", reason),
            CommandError::UnacceptableCredential { .. } => Self::new(Code::Protected, text),
            CommandError::UnknownCredential => Self::missing("SCRAM credential"),
            CommandError::InvalidTrust { pointer, reason } => Self::invalid(*pointer, reason),
            CommandError::TrustExists { .. } => Self::new(Code::AlreadyExists, text),
            CommandError::UnknownTrust { what } => Self::missing(what),
            CommandError::VersionMismatch { .. } => Self::new(Code::VersionMismatch, text),
            CommandError::UserExists { .. } | CommandError::OwnedByServiceAccount { .. } => {
                Self::new(Code::AlreadyExists, text)
            }
            CommandError::InvalidAcl(InvalidAcl { field, reason }) => {
                Self::invalid(format!("/{field}"), reason)
            }
            CommandError::UnknownAcl => Self::missing("ACL"),
            CommandError::UnknownQuota => Self::missing("quota"),
            CommandError::InvalidQuota { reason } => Self::invalid("/quotas", reason),
            CommandError::NotAuthorized => {
                Self::new(Code::Forbidden, "no role of yours allows this").untold()
            }
            CommandError::NoBroker => Self::new(Code::Unavailable, text).retry_after(1),
            CommandError::Catalog(error) => Self::of_catalog(error),
        }
    }
}

/// A key as one step of a JSON pointer (RFC 6901).
pub(crate) fn pointer_token(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

impl From<CatalogError> for Problem {
    fn from(error: CatalogError) -> Self {
        Self::of_catalog(&error)
    }
}

impl From<CommandError> for Problem {
    fn from(error: CommandError) -> Self {
        Self::of_command(&error)
    }
}

impl From<AccountError> for Problem {
    fn from(error: AccountError) -> Self {
        let text = error.to_string();
        match error {
            AccountError::NotFound { .. } => Self::new(Code::NotFound, text),
            AccountError::Forbidden => Self::new(Code::Forbidden, text),
            AccountError::AddressNotAllowed => Self::new(Code::AddressNotAllowed, text),
            AccountError::Exists { .. } => Self::new(Code::AlreadyExists, text),
            AccountError::VersionMismatch { .. } => Self::new(Code::VersionMismatch, text),
            AccountError::Invalid { pointer, reason } => Self::invalid(pointer, reason),
            AccountError::LimitExceeded { .. } => Self::new(Code::LimitExceeded, text),
            AccountError::Protected { .. } => Self::new(Code::Protected, text),
            AccountError::DeletionProtected => Self::new(Code::DeletionProtected, text),
            AccountError::Gone { .. } => Self::new(Code::Gone, text),
            AccountError::Command(error) => Self::of_command(&error),
            AccountError::Catalog(error) => Self::of_catalog(&error),
        }
    }
}

impl Problem {
    /// The body of the answer, which may also stand among the results of a batch.
    pub(crate) fn body(self) -> ProblemBody {
        let status = self.code.status();
        let docs_url = format!("/v1/problems/{}", self.code.name());
        ProblemBody {
            kind: docs_url.clone(),
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail: self.detail,
            code: self.code.name(),
            errors: self.errors,
            denial: self.denial,
            request_id: request::current_id(),
            docs_url,
        }
    }
}

impl ProblemBody {
    /// The status that it comes with.
    pub(crate) fn status(&self) -> u16 {
        self.status
    }

    /// If it says that somebody may not do something: the audit trail's entry says so, too.
    pub(crate) fn told(&mut self, denial: Option<&str>) {
        if self.status == Code::Forbidden.status().as_u16() {
            self.denial = denial.map(str::to_owned);
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, retry_after_s) = (self.code.status(), self.retry_after_s);
        let untold = self.untold.then(|| self.clone());
        let body = self.body();
        let mut response = (status, Json(body)).into_response();
        if let Some(untold) = untold {
            response.extensions_mut().insert(untold);
        }
        let headers = response.headers_mut();
        let mut put = |name: HeaderName, value| headers.insert(name, value);
        put(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = retry_after_s {
            put(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            put(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_name_of_its_own_that_serde_writes_too() {
        let mut names: Vec<_> = Code::ALL.iter().map(|code| code.name()).collect();
        for code in Code::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.name());
        }
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Code::ALL.len());
    }
}
