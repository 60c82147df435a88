//! JSON bodies: read whole, bounded, and refused with pointers to what is wrong.

use axum::body::{Bytes, HttpBody};
use axum::extract::{FromRequest, OptionalFromRequest, Request};
use axum::http::{HeaderMap, header};
use axum::response::IntoResponse;
use serde::de::DeserializeOwned;
use serde_path_to_error::{Path, Segment};

use super::problem::pointer_token;
use super::{Code, Problem};
use crate::envelope::BODY_LIMIT_BYTES;
use crate::state::Api;

/// A JSON body. Its type should refuse unknown fields (`deny_unknown_fields`).
#[derive(Debug)]
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Api> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &Api) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(Problem::new(
                Code::UnsupportedMediaType,
                "the content type of a body must be application/json",
            ));
        }
        let bytes = read(request, api).await?;
        parse(&bytes).map(Self)
    }
}

impl<T: DeserializeOwned> OptionalFromRequest<Api> for Body<T> {
    type Rejection = Problem;

    /// `None`: the request has neither a body nor the type of one.
    async fn from_request(request: Request, api: &Api) -> Result<Option<Self>, Problem> {
        if request.body().is_end_stream() && !request.headers().contains_key(header::CONTENT_TYPE) {
            return Ok(None);
        }
        <Self as FromRequest<Api>>::from_request(request, api)
            .await
            .map(Some)
    }
}

/// The body's bytes, bounded by the router's limit.
pub(crate) async fn read(request: Request, api: &Api) -> Result<Bytes, Problem> {
    Bytes::from_request(request, api).await.map_err(|rejection| {
        match rejection.into_response().status() == Code::BodyTooLarge.status() {
            true => Problem::too_large(BODY_LIMIT_BYTES),
            false => Problem::bad_request("the body could not be read to its end"),
        }
    })
}

fn is_json(headers: &HeaderMap) -> bool {
    let text = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let essence = text.unwrap_or_default().split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
}

/// Reads a value out of JSON text. What serde says of a wrong value may quote it; the pointer says enough.
fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let pointer = pointer(error.path());
        let inner = error.into_inner();
        match inner.classify() {
            serde_json::error::Category::Data => Problem::invalid(pointer, reason(&inner)),
            _ => Problem::bad_request(format!(
                "the body is not JSON (line {}, column {})",
                inner.line(),
                inner.column()
            )),
        }
    })?;
    reader
        .end()
        .map_err(|_| Problem::bad_request("there is more than one JSON value in the body"))?;
    Ok(value)
}

/// serde's words without the place, which the pointer gives, and without the value, which may be a secret.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = text
        .rsplit_once(" at line ")
        .map_or(text.as_str(), |(reason, _)| reason);
    let expected = || text.rsplit_once("expected ").map(|(_, expected)| expected);
    match text {
        _ if text.starts_with("invalid type: ") || text.starts_with("invalid value: ") => {
            format!("expected {}", expected().unwrap_or("something else"))
        }
        _ => text.to_owned(),
    }
}

fn pointer(path: &Path) -> String {
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => pointer.push_str(&format!("/{index}")),
            Segment::Map { key } => {
                pointer.push('/');
                pointer.push_str(&pointer_token(key));
            }
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    pointer
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        #[expect(dead_code, reason = "only read")]
        names: Vec<String>,
        #[serde(default)]
        #[expect(dead_code, reason = "only read")]
        numbers: BTreeMap<String, u8>,
    }

    fn refusal(text: &str) -> String {
        format!("{:?}", parse::<Sample>(text.as_bytes()).unwrap_err())
    }

    #[test]
    fn a_wrong_value_is_pointed_at_and_not_repeated() {
        let problem = refusal(r#"{"names":["a",17]}"#);
        assert!(problem.contains(r#"pointer: "/names/1""#), "{problem}");
        assert!(
            problem.contains("expected a string") && !problem.contains("17"),
            "{problem}"
        );
        let problem = refusal(r#"{"names":[],"numbers":{"a/b~":"s3cret"}}"#);
        assert!(problem.contains(r#"pointer: "/numbers/a~1b~0""#), "{problem}");
        assert!(!problem.contains("s3cret"), "{problem}");
        let problem = refusal(r#"{"names":[],"nmbers":{}}"#);
        assert!(
            problem.contains("/nmbers") && problem.contains("InvalidValue"),
            "{problem}"
        );
        assert!(refusal("{}").contains("missing field `names`"));
    }

    #[test]
    fn what_is_no_json_is_a_bad_request() {
        for text in ["", "{", r#"{"names":[]} x"#, "\u{1}"] {
            assert!(refusal(text).contains("InvalidRequest"), "{text}");
        }
    }
}
