//! What every write takes: `?dry_run=true`, and the version that it changes as `If-Match`.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};

use super::{Code, Problem};
use crate::state::Api;

/// How a write is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Write {
    /// Do and check everything, and keep nothing.
    pub(crate) rehearsal: bool,
    /// The version that the caller read last.
    pub(crate) expected: Option<i64>,
    /// Whether the caller said which version it means at all; `If-Match: *` is any.
    said: bool,
}

impl Write {
    /// For changes of what others may change too: 428 unless the caller has said which version it means.
    pub(crate) fn versioned(self) -> Result<Self, Problem> {
        match self.said {
            true => Ok(self),
            false => Err(Problem::new(
                Code::PreconditionRequired,
                "send the ETag that was read last as If-Match, or * to change whatever is there",
            )),
        }
    }
}

/// No row has this version.
const NEVER: i64 = -1;

fn expected(headers: &HeaderMap) -> Option<Option<i64>> {
    let text = headers.get(header::IF_MATCH)?.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Some(None);
    }
    let digits = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    let version = digits
        .and_then(|digits| digits.parse().ok())
        .filter(|version| *version >= 0);
    Some(Some(version.unwrap_or(NEVER)))
}

fn rehearsal(query: Option<&str>) -> Result<bool, Problem> {
    let mut rehearsal = false;
    for (name, value) in url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        if name == "dry_run" {
            rehearsal = match &*value {
                "true" => true,
                "false" => false,
                _ => return Err(Problem::bad_request("dry_run must be true or false")),
            };
        }
    }
    Ok(rehearsal)
}

impl FromRequestParts<Api> for Write {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Api) -> Result<Self, Problem> {
        let expected = expected(&parts.headers);
        Ok(Self {
            rehearsal: rehearsal(parts.uri.query())?,
            expected: expected.flatten(),
            said: expected.is_some(),
        })
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn an_if_match_names_one_version_any_or_none_that_ever_is() {
        let of = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_MATCH, HeaderValue::from_static(text));
            expected(&headers)
        };
        assert_eq!(of("\"7\""), Some(Some(7)));
        assert_eq!(of("*"), Some(None));
        for other in ["", "7", "W/\"7\"", "\"x\"", "\"-1\"", "\"7\", \"8\""] {
            assert_eq!(of(other), Some(Some(NEVER)), "{other}");
        }
        assert_eq!(expected(&HeaderMap::new()), None);
    }

    #[test]
    fn a_dry_run_is_said_in_one_of_two_words() {
        assert!(rehearsal(Some("a=1&dry_run=true")).unwrap());
        assert!(!rehearsal(Some("dry_run=false")).unwrap() && !rehearsal(None).unwrap());
        assert!(rehearsal(Some("dry_run=1")).is_err() && rehearsal(Some("dry_run")).is_err());
    }
}
