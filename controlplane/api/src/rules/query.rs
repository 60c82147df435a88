//! Query parameters, read by name. What none asks for is ignored, as HTTP does.

use axum::extract::FromRequestParts;
use axum::http::Uri;
use axum::http::request::Parts;
use firn_catalog::ids::InvalidId;

use super::{Moment, Problem};
use crate::state::Api;

/// The longest value that a filter may have, in bytes.
const MAX_VALUE: usize = 300;

/// The parameters of a request; of one that is given twice the last counts.
#[derive(Clone, Debug)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// A parameter's value. An empty one is as good as none.
    pub(crate) fn text(&self, name: &str) -> Result<Option<&str>, Problem> {
        Ok(self.word(name)?.filter(|value| !value.is_empty()))
    }

    /// A parameter's value where not every text does: an empty one is for the caller to refuse.
    pub(crate) fn word(&self, name: &str) -> Result<Option<&str>, Problem> {
        let found = self.0.iter().rev().find(|(known, _)| known == name);
        match found.map(|(_, value)| value.as_str()) {
            Some(value) if value.len() > MAX_VALUE || value.contains('\0') => {
                Err(Problem::bad_request(format!("{name} is too long or no text")))
            }
            value => Ok(value),
        }
    }

    /// A public id. A text that is none names nothing, as an id that nothing has.
    pub(crate) fn id<T>(
        &self,
        name: &str,
        what: &str,
        read: impl Fn(&str) -> Result<T, InvalidId>,
    ) -> Result<Option<T>, Problem> {
        let id = self.word(name)?.map(read).transpose();
        id.map_err(|_| Problem::missing(what))
    }

    /// A moment in RFC 3339.
    pub(crate) fn moment(&self, name: &str) -> Result<Option<Moment>, Problem> {
        let Some(text) = self.word(name)? else {
            return Ok(None);
        };
        let moment = Moment::parse(text);
        moment
            .map(Some)
            .ok_or_else(|| Problem::bad_request(format!("{name} must be a moment as 2030-01-31T12:00:00Z")))
    }

    /// A whole number within bounds.
    pub(crate) fn number(
        &self,
        name: &str,
        bounds: std::ops::RangeInclusive<u64>,
    ) -> Result<Option<u64>, Problem> {
        let Some(text) = self.word(name)? else {
            return Ok(None);
        };
        let number = text.parse().ok().filter(|number| bounds.contains(number));
        number.map(Some).ok_or_else(|| {
            Problem::bad_request(format!(
                "{name} must be from {} to {}",
                bounds.start(),
                bounds.end()
            ))
        })
    }
}

/// The value of a parameter where a route reads only one or two; of one that is given twice the first.
pub(crate) fn value(uri: &Uri, name: &str) -> Option<String> {
    let pairs = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let mut wanted = pairs.filter(|(known, _)| known == name);
    wanted.next().map(|(_, value)| value.into_owned())
}

impl FromRequestParts<Api> for Query {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Api) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        let pairs = url::form_urlencoded::parse(query.as_bytes());
        Ok(Self(
            pairs
                .map(|(name, value)| (name.into_owned(), value.into_owned()))
                .collect(),
        ))
    }
}
