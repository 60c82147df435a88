//! Public ids in paths. A text that is no such id names nothing: 404, as for an id that nothing has.

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use firn_catalog::ids::{
    AclId, ApiKeyId, BindingId, CaPoolId, ClusterId, IdentityProviderId, InvitationId, LinkedLoginId,
    LoginProviderId, OperationId, OrganizationId, PersonId, ProjectId, QuotaId, ScramCredentialId,
    ServiceAccountId, SessionId,
};

use super::Problem;
use crate::state::Api;

/// What can stand in a path.
pub(crate) trait InPath: Sized + Send {
    /// What is missing where it names nothing.
    const WHAT: &str;

    /// Reads it.
    fn parse(text: &str) -> Option<Self>;
}

macro_rules! ids {
    ($($id:ident $what:literal,)*) => {$(
        impl InPath for $id {
            const WHAT: &str = $what;

            fn parse(text: &str) -> Option<Self> {
                Self::from_public(text).ok()
            }
        }
    )*};
}
ids! {
    AclId "ACL",
    ApiKeyId "API key",
    BindingId "role binding",
    CaPoolId "CA pool",
    ClusterId "cluster",
    IdentityProviderId "identity provider",
    InvitationId "invitation",
    LinkedLoginId "linked login",
    LoginProviderId "login provider",
    OperationId "operation",
    OrganizationId "organization",
    PersonId "member",
    ProjectId "project",
    QuotaId "quota",
    ScramCredentialId "SCRAM credential",
    ServiceAccountId "service account",
    SessionId "session",
}

/// A name, such as a topic's.
impl InPath for String {
    const WHAT: &str = "such thing";

    fn parse(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }
}

/// A partition's number.
impl InPath for i32 {
    const WHAT: &str = "partition";

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok().filter(|number| *number >= 0)
    }
}

/// A record's offset.
impl InPath for i64 {
    const WHAT: &str = "record";

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok().filter(|number| *number >= 0)
    }
}

/// What the path names: one, or several in the order in which they stand there.
#[derive(Debug)]
pub(crate) struct Ids<T>(pub(crate) T);

async fn values(parts: &mut Parts, api: &Api) -> Result<Vec<String>, Problem> {
    let params = RawPathParams::from_request_parts(parts, api)
        .await
        .map_err(|_| Problem::not_found(parts.uri.path()))?;
    Ok(params.iter().map(|(_, value)| value.to_owned()).collect())
}

fn parse<T: InPath>(values: &[String], place: usize) -> Result<T, Problem> {
    values
        .get(place)
        .and_then(|text| T::parse(text))
        .ok_or_else(|| Problem::missing(T::WHAT))
}

impl<T: InPath> FromRequestParts<Api> for Ids<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let values = values(parts, api).await?;
        parse(&values, 0).map(Self)
    }
}

impl<A: InPath, B: InPath> FromRequestParts<Api> for Ids<(A, B)> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let values = values(parts, api).await?;
        Ok(Self((parse(&values, 0)?, parse(&values, 1)?)))
    }
}

impl<A: InPath, B: InPath, C: InPath, D: InPath> FromRequestParts<Api> for Ids<(A, B, C, D)> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let values = values(parts, api).await?;
        Ok(Self((
            parse(&values, 0)?,
            parse(&values, 1)?,
            parse(&values, 2)?,
            parse(&values, 3)?,
        )))
    }
}
