//! The description of the API, and its checked snapshot.
//!
//! `make accept-openapi` writes what the code says into the snapshot.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::support::Service;

/// Where the snapshot is.
fn snapshot() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json")
}

#[test]
fn the_snapshot_is_what_the_code_says() {
    let said = format!("{:#}\n", firn_api::routes::description());
    if std::env::var_os("FIRN_ACCEPT_OPENAPI").is_some() {
        std::fs::write(snapshot(), &said).unwrap();
    }
    let accepted = std::fs::read_to_string(snapshot()).unwrap_or_default();
    let differs = said
        .lines()
        .zip(accepted.lines())
        .position(|(said, accepted)| said != accepted);
    assert!(
        said == accepted,
        "openapi.json differs from line {} on; look at the difference and run `make accept-openapi`",
        differs.map_or(accepted.lines().count(), |line| line) + 1
    );
}

#[tokio::test]
async fn the_description_is_served_to_everybody() {
    let service = Service::start().await;
    let answer = service.anonymous().get("/v1/openapi.json").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body, firn_api::routes::description());
    assert_eq!(answer.body["openapi"], "3.1.0");
}

/// Every operation: path, method, what it declares.
fn operations(whole: &Value) -> Vec<(String, String, Value)> {
    let mut found = Vec::new();
    for (path, item) in whole["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            found.push((path.clone(), method.clone(), operation.clone()));
        }
    }
    found
}

#[test]
fn every_operation_has_its_own_id_and_declares_what_holds_for_all() {
    let whole = firn_api::routes::description();
    let mut ids = BTreeSet::new();
    for (path, method, operation) in operations(&whole) {
        let name = format!("{method} {path}");
        assert!(path.starts_with("/v1/"), "{name}");
        assert!(
            ids.insert(operation["operationId"].as_str().unwrap().to_owned()),
            "{name}"
        );
        assert!(
            !operation["summary"].as_str().unwrap_or_default().is_empty(),
            "{name} has no summary"
        );
        let responses = operation["responses"].as_object().unwrap();
        for status in ["400", "429", "500", "503"] {
            assert!(responses.contains_key(status), "{name} lacks {status}");
        }
        assert!(
            responses.keys().any(|status| status.starts_with(['2', '3'])),
            "{name}"
        );
        let parameters = operation["parameters"].to_string();
        assert_eq!(method == "post", parameters.contains("idempotency_key"), "{name}");
        assert_eq!(method != "get", parameters.contains("dry_run"), "{name}");
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let whole = firn_api::routes::description();
    let mut references = Vec::new();
    collect(&whole, &mut references);
    assert!(references.len() > 50);
    for reference in references {
        let pointer = reference.strip_prefix('#').expect("a reference inside");
        assert!(whole.pointer(pointer).is_some(), "{reference}");
    }
}

fn collect(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            if let Some(Value::String(reference)) = map.get("$ref") {
                found.push(reference.clone());
            }
            map.values().for_each(|value| collect(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, found)),
        _ => {}
    }
}
