//! A bucket of S3, or of a server that speaks its protocol, as the `AWS_*` variables say.
//!
//! Values are looked at here before the client has them, since it panics at the first request on some that are wrong.

use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey as Key};
use object_store::client::ClientConfigKey;
use object_store::{ClientOptions, ObjectStore, RetryConfig};
use url::{Host, Url};

use super::StoreError;
use super::conditional::ConditionalStore;

/// How long a connection to the store may take to be made, unless `AWS_CONNECT_TIMEOUT` says otherwise.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How long one request may take, unless `AWS_TIMEOUT` says otherwise.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// How long the client retries on its own. Short: callers retry, and they know what a put without an answer means.
const RETRY_TIMEOUT: Duration = Duration::from_secs(10);
/// Where requests are signed for if nobody says.
const REGION: &str = "us-east-1";

/// Opens `bucket` with the `AWS_*` variables among `variables`. One that is empty counts as unset.
pub(super) fn open(
    bucket: &str,
    variables: impl IntoIterator<Item = (String, String)>,
) -> Result<Arc<dyn ObjectStore>, StoreError> {
    let options = ClientOptions::new()
        .with_connect_timeout(CONNECT_TIMEOUT)
        .with_timeout(REQUEST_TIMEOUT);
    let retry = RetryConfig {
        max_retries: 3,
        retry_timeout: RETRY_TIMEOUT,
        ..RetryConfig::default()
    };
    let mut builder = AmazonS3Builder::new()
        .with_client_options(options)
        .with_retry(retry);
    let given = |(name, value): &(String, String)| name.starts_with("AWS_") && !value.is_empty();
    for (name, value) in variables.into_iter().filter(given) {
        // The client knows its own names; AWS has more of them.
        if let Ok(key) = name.to_ascii_lowercase().parse() {
            check(&key, &value).map_err(|why| StoreError::Variable { name, why })?;
            builder = builder.with_config(key, value);
        }
    }
    builder = builder.with_bucket_name(bucket);
    let configured = |key| builder.get_config_value(&key);
    both_keys(
        configured(Key::AccessKeyId).is_some(),
        configured(Key::SecretAccessKey).is_some(),
    )?;
    let endpoint = configured(Key::S3Endpoint).or_else(|| configured(Key::Endpoint));
    let region = configured(Key::Region);
    if let Some(endpoint) = endpoint.and_then(|endpoint| Url::parse(&endpoint).ok())
        && endpoint.scheme() == "http"
    {
        if !is_loopback(&endpoint) {
            tracing::warn!(%endpoint, "what goes to the object store and comes from it is not encrypted");
        }
        builder = builder.with_allow_http(true);
    }
    if region.is_none() {
        builder = builder.with_region(REGION);
    }
    Ok(Arc::new(ConditionalStore::new(Arc::new(builder.build()?), None)))
}

/// Why a value is of no use. What may be a secret is not repeated.
fn check(key: &Key, value: &str) -> Result<(), String> {
    match key {
        Key::Endpoint
        | Key::S3Endpoint
        | Key::StsEndpoint
        | Key::MetadataEndpoint
        | Key::ContainerCredentialsFullUri => check_address(value),
        Key::Client(ClientConfigKey::ProxyUrl) if Url::parse(value).is_err() => {
            Err("it is no address: http://HOST[:PORT] is expected".into())
        }
        Key::Region | Key::DefaultRegion => {
            if value.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
                Ok(())
            } else {
                Err(format!(
                    "'{value}' is no region: letters, digits and '-' are expected"
                ))
            }
        }
        Key::ContainerCredentialsRelativeUri if !value.starts_with('/') => {
            Err(format!("'{value}' is no path: it starts with '/'"))
        }
        // These become headers.
        Key::AccessKeyId | Key::Token | Key::Client(ClientConfigKey::DefaultContentType) => {
            if value.chars().all(|c| c.is_ascii_graphic() || c == ' ') {
                Ok(())
            } else {
                Err("it has a line break, or another character that cannot be sent".into())
            }
        }
        _ => Ok(()),
    }
}

fn check_address(value: &str) -> Result<(), String> {
    let parsed = Url::parse(value).ok().filter(|url| {
        let legal = |c: char| c.is_ascii_graphic();
        matches!(url.scheme(), "http" | "https") && value.contains("://") && value.chars().all(legal)
    });
    match parsed {
        Some(url) if url.username().is_empty() && url.password().is_none() => Ok(()),
        Some(_) => Err(super::IN_ADDRESS.into()),
        None => Err(format!(
            "'{}' is no address: http://HOST[:PORT] or https://… is expected",
            super::shown(value)
        )),
    }
}

/// One half of the credentials is of no use without the other.
fn both_keys(id: bool, secret: bool) -> Result<(), StoreError> {
    let (missing, there) = match (id, secret) {
        (true, false) => ("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID"),
        (false, true) => ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
        (true, true) | (false, false) => return Ok(()),
    };
    Err(StoreError::Variable {
        name: missing.into(),
        why: format!("it is not set, and {there} is"),
    })
}

fn is_loopback(endpoint: &Url) -> bool {
    match endpoint.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
