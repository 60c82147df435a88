//! The `AWS_*` variables: which are refused and why, and what the client makes of the others.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]
#![expect(clippy::disallowed_methods, reason = "a proxy is played on a thread")]

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::sync::Arc;

use firn_log::store::{ProbeError, StoreError, open_with, probe};
use firn_runtime::Env;
use object_store::ObjectStore;

const KEYS: [(&str, &str); 2] = [
    ("AWS_ACCESS_KEY_ID", "an-id"),
    ("AWS_SECRET_ACCESS_KEY", "very-secret"),
];

fn open(url: &str, variables: &[(&str, &str)]) -> Result<Arc<dyn ObjectStore>, StoreError> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    open_with(url, variables.iter().map(owned))
}

fn refusal(url: &str, variables: &[(&str, &str)]) -> StoreError {
    match open(url, variables) {
        Ok(_) => panic!("{url} opened with {variables:?}"),
        Err(error) => error,
    }
}

/// What the probe says of a store with keys at an endpoint.
async fn probed(variables: &[(&str, &str)]) -> String {
    let store = open("s3://bucket/prefix", variables).unwrap();
    let error = probe(&*store, &Env::system()).await.unwrap_err();
    assert!(matches!(error, ProbeError::Unreachable { .. }), "{error}");
    error.to_string()
}

/// An address on which nobody listens.
fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

#[test]
fn a_value_of_no_use_is_refused_by_the_name_of_its_variable() {
    for (name, value, why) in [
        (
            "AWS_ENDPOINT_URL",
            "notaurl",
            "'notaurl' is no address: http://HOST[:PORT] or https://… is expected",
        ),
        (
            "AWS_ENDPOINT_URL_S3",
            "127.0.0.1:9000",
            "'127.0.0.1:9000' is no address",
        ),
        ("AWS_ENDPOINT", "localhost:9000", "'localhost:9000' is no address"),
        ("AWS_METADATA_ENDPOINT", "http:///", "is no address"),
        ("AWS_REGION", "not a region", "'not a region' is no region"),
        ("AWS_DEFAULT_REGION", "eu_1", "letters, digits and '-'"),
        (
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
            "path",
            "'path' is no path",
        ),
        ("AWS_PROXY_URL", "//", "is no address"),
        ("AWS_ACCESS_KEY_ID", "id\n", "a line break"),
    ] {
        let error = refusal("s3://bucket", &[KEYS[0], KEYS[1], (name, value)]);
        assert!(matches!(error, StoreError::Variable { .. }), "{error:?}");
        let text = error.to_string();
        assert!(
            text.starts_with(&format!("{name}: ")) && text.contains(why),
            "{text}"
        );
    }
}

#[test]
fn half_of_the_credentials_names_the_other_half() {
    for (there, missing) in [(KEYS[0], KEYS[1]), (KEYS[1], KEYS[0])] {
        let text = refusal("s3://bucket", &[there]).to_string();
        assert_eq!(text, format!("{}: it is not set, and {} is", missing.0, there.0));
    }
}

#[test]
fn credentials_in_an_address_are_refused_and_not_repeated() {
    for url in [
        "s3://AKIA:SECRET@bucket/p",
        "s3://AKIA:SE/SECRET@bucket/p",
        "s3://AKIA:1/SECRET@bucket",
        "s3://SECRET@bucket",
    ] {
        let text = refusal(url, &KEYS).to_string();
        assert!(
            text.contains("s3://***@bucket") && text.contains("AWS_"),
            "{text}"
        );
        assert!(!text.contains("SECRET@") && !text.contains("AKIA"), "{text}");
    }
    let in_endpoint = ("AWS_ENDPOINT_URL", "http://AKIA:SECRET@127.0.0.1:9000");
    let text = refusal("s3://bucket", &[KEYS[0], KEYS[1], in_endpoint]).to_string();
    assert!(text.contains("credentials do not belong in it"), "{text}");
    assert!(!text.contains("AKIA") && !text.contains("SECRET@"), "{text}");
    let no_bucket = refusal("s3://a%20bucket", &KEYS).to_string();
    assert!(no_bucket.contains("letters, digits"), "{no_bucket}");
}

#[tokio::test]
async fn an_empty_variable_counts_as_unset_and_the_cause_comes_last() {
    let endpoint = nobody();
    let text = probed(&[
        KEYS[0],
        KEYS[1],
        ("AWS_ENDPOINT_URL", &endpoint),
        ("AWS_ENDPOINT_URL_S3", ""),
        ("AWS_REGION", ""),
    ])
    .await;
    assert!(text.contains(&endpoint), "{text}");
    assert!(text.ends_with("Connection refused (os error 111)"), "{text}");
    assert!(!text.contains("PrefixObjectStore"), "{text}");
}

#[tokio::test]
async fn without_credentials_anywhere_it_is_said_which_to_set() {
    let (endpoint, machine) = (nobody(), nobody());
    let text = probed(&[
        ("AWS_ENDPOINT_URL", &endpoint),
        ("AWS_METADATA_ENDPOINT", &machine),
    ])
    .await;
    let expected = "no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";
    assert!(text.contains(expected), "{text}");
}

#[tokio::test]
async fn a_proxy_is_used_and_an_endpoint_without_encryption_may_be_anywhere() {
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", proxy.local_addr().unwrap());
    let asked = std::thread::spawn(move || {
        let (stream, _) = proxy.accept().unwrap();
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).unwrap();
        line
    });
    let text = probed(&[
        KEYS[0],
        KEYS[1],
        ("AWS_ENDPOINT_URL", "http://store.example:9000"),
        ("AWS_PROXY_URL", &address),
    ])
    .await;
    let line = asked.join().unwrap();
    assert!(
        line.starts_with("PUT http://store.example:9000/bucket/prefix/probe/"),
        "{line}: {text}"
    );
}
