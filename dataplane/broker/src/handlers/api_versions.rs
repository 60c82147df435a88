//! ApiVersions 0-4: what is served, from the table. No feature is finalised until all its APIs are served.
//!
//! A version that is not served is answered, unlike for any other API: with a body of version 0, error 35 and the
//! versions of this API, so that the client can ask again. The response header never has tagged fields.

use std::ops::RangeInclusive;
use std::sync::Arc;

use bytes::BytesMut;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::api_versions_response::ApiVersion;
use kafka_protocol::messages::{ApiKey, ApiVersionsRequest, ApiVersionsResponse};
use kafka_protocol::protocol::Encodable;

use super::TABLE;
use crate::errors::NONE;
use crate::network::{After, Reply};
use crate::protocol::header;
use crate::serving::dispatch::Api;
use crate::serving::request::RequestContext;

pub(crate) const API: ApiKey = ApiKey::ApiVersions;
pub(crate) const VERSIONS: RangeInclusive<i16> = 0..=4;
/// From this version on clients say what software they are.
pub(crate) const NAMED_FROM: i16 = 3;

pub(crate) async fn handle(context: Arc<RequestContext>, request: ApiVersionsRequest) -> ApiVersionsResponse {
    let response = answer(context.version, &request);
    // Some clients, Java's among them, say so only once they have authenticated.
    if context.version >= NAMED_FROM && response.error_code == NONE {
        let (name, version) = (&request.client_software_name, &request.client_software_version);
        context.identity.tally.is_software(name, version);
    }
    response
}

/// What is answered to whoever may ask, and to clients that have not authenticated.
pub(crate) fn answer(version: i16, request: &ApiVersionsRequest) -> ApiVersionsResponse {
    let named =
        is_software_name(&request.client_software_name) && is_software_name(&request.client_software_version);
    if version >= NAMED_FROM && !named {
        return failed(ResponseError::InvalidRequest);
    }
    ApiVersionsResponse::default().with_api_keys(TABLE.iter().map(advertised).collect())
}

fn failed(error: ResponseError) -> ApiVersionsResponse {
    ApiVersionsResponse::default().with_error_code(error.code())
}

fn advertised(api: &Api) -> ApiVersion {
    ApiVersion::default()
        .with_api_key(api.key as i16)
        .with_min_version(api.advertised_from)
        .with_max_version(*api.versions.end())
}

/// Letters, digits, dots and dashes, beginning and ending with a letter or digit.
fn is_software_name(name: &str) -> bool {
    let ends = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = name.as_bytes();
    let inner = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    ends(bytes.first()) && ends(bytes.last()) && bytes.iter().all(inner)
}

/// The answer to a version of ApiVersions that is not served.
pub(crate) fn unsupported(correlation: i32) -> Reply {
    let own = TABLE
        .iter()
        .filter(|api| api.key == API)
        .map(advertised)
        .collect();
    let response = failed(ResponseError::UnsupportedVersion).with_api_keys(own);
    let mut out = BytesMut::new();
    header::begin_response(&mut out, API, correlation, false);
    response
        .encode(&mut out, 0)
        .expect("version 0 has room for an error and a key");
    let total = out.len();
    header::set_length(&mut out, total);
    Reply {
        chunks: vec![out.freeze()],
        after: After::Continue,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn software_names_follow_kafkas_pattern() {
        for name in ["a", "librdkafka", "apache-kafka-java", "4.1.0", "a.-b"] {
            assert!(is_software_name(name), "{name}");
        }
        for name in ["", "-a", "a.", "a b", "ä", "a/b"] {
            assert!(!is_software_name(name), "{name}");
        }
    }

    #[test]
    fn the_table_is_sorted_and_within_what_the_codecs_know() {
        assert!(TABLE.is_sorted_by_key(|api| api.key as i16));
        for api in TABLE {
            let known = api.key.valid_versions();
            assert!(
                known.min <= *api.versions.start() && *api.versions.end() <= known.max,
                "{:?}",
                api.key
            );
        }
    }
}
