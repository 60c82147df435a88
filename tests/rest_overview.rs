//! What REST tells of a cluster at a glance: the clients that are connected or were a moment ago, how much goes on, what is held, and
//! what is close to a limit or to its end.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]
#![allow(
    clippy::disallowed_methods,
    reason = "these tests drive real processes by the real clock"
)]

mod support;

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use support::clients::Security;
use support::firn::{Firn, FirnOptions, PATIENCE};
use support::rest::{self, Tenant};
use support::streaming::kcat;
use support::tenant::{moment, text};
use support::wait_for;
use support::wire::Wire;

/// A tenant of this process with a topic, and how a client of its service account logs in.
fn tenant(firn: &Firn, name: &str) -> (Tenant, Security) {
    let tenant = Tenant::new(&firn.http, name, None);
    tenant.topic("orders", 3);
    let security = rest::login(&tenant.api_key(), &firn.ca_file());
    (tenant, security)
}

fn seen(tenant: &Tenant, what: &str) -> Value {
    tenant.see(&format!("/v1/clusters/{}/{what}", tenant.cluster))
}

#[test]
fn a_client_is_seen_by_its_software_while_it_is_there_and_after_it_went() {
    let firn = Firn::start(FirnOptions::unlimited());
    let (own, security) = tenant(&firn, "own");
    let (other, _) = tenant(&firn, "other");
    let nobody = json!({
        "items": [], "first_connection_at": null, "first_record_at": null, "incomplete": false, "silent_brokers": [],
    });
    assert_eq!(seen(&own, "connections"), nobody);

    let began = moment(SystemTime::now() - Duration::from_millis(1));
    let listening = kcat(&own.bootstrap, &security)
        .args(["-X", "client.id=shop", "-C", "-t", "orders"])
        .args(["-o", "beginning", "-c", "1", "-u"])
        .spawn();
    let reading = wait_for(PATIENCE, || {
        let told = seen(&own, "connections");
        let items = told["items"].as_array().unwrap().clone();
        items.into_iter().find(|one| one["last_api"] == "Fetch")
    });
    let reading =
        reading.unwrap_or_else(|| panic!("no consumer waits for a record: {}", seen(&own, "connections")));
    let expected = json!({
        "principal": format!("User:{}", own.service_account),
        "mechanism": "PLAIN", "client_id": "shop", "software_name": "librdkafka", "address": "127.0.0.1",
        "closed_at": null, "broker": 0,
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&reading[name], value, "{name} of {reading}");
    }
    assert!(reading["requests"].as_u64().unwrap() > 0 && reading["bytes_in"].as_u64().unwrap() > 0);
    assert!(text(&reading, "/credential").starts_with("key_"));
    assert!(text(&reading, "/software_version").starts_with(char::is_numeric));
    assert!(
        text(&reading, "/opened_at") >= began
            && text(&reading, "/last_request_at") >= text(&reading, "/opened_at")
    );
    let told = seen(&own, "connections");
    assert!(told["first_connection_at"].as_str().unwrap() >= began.as_str());
    assert_eq!(told["first_record_at"], Value::Null);

    let mut wire = Wire::log_in(&own.bootstrap, &security).unwrap();
    assert_eq!(wire.produce("orders", b"hello").error, 0);
    drop(wire);
    assert_eq!(listening.finish(PATIENCE).stdout().trim(), "hello");
    let gone = wait_for(PATIENCE, || {
        let told = seen(&own, "connections");
        let items = told["items"].as_array().unwrap();
        items
            .iter()
            .all(|one| one["closed_at"].is_string())
            .then_some(told)
    });
    let gone = gone.expect("all of them went, and are told of");
    let items = gone["items"].as_array().unwrap();
    assert!(items.iter().any(|one| one["id"] == reading["id"]), "{items:?}");
    assert!(items.iter().any(|one| one["last_api"] == "Produce"), "{items:?}");
    assert!(gone["first_record_at"].as_str() >= gone["first_connection_at"].as_str());
    assert_eq!(
        seen(&other, "connections"),
        nobody,
        "what is another's is not seen"
    );
}

fn limit(overview: &Value, name: &str) -> (f64, f64, String) {
    let limits = overview["limits"].as_array().unwrap();
    let limit = limits.iter().find(|limit| limit["name"] == name).unwrap();
    let number = |field: &str| limit[field].as_f64().unwrap();
    (number("used"), number("limit"), text(limit, "/unit"))
}

/// An API key that ends in so many days.
fn key(tenant: &Tenant, name: &str, days: u32) -> Value {
    let end = SystemTime::now() + Duration::from_secs(24 * 60 * 60) * days;
    tenant.make(
        "/v1/api-keys",
        &json!({
            "service_account": tenant.service_account, "cluster": tenant.cluster, "name": name, "expires_at": moment(end),
        }),
    )
}

#[test]
fn an_overview_tells_what_goes_on_what_is_held_and_what_ends_soon() {
    let firn = Firn::start(FirnOptions::unlimited());
    let (tenant, security) = tenant(&firn, "shop");
    let overview = seen(&tenant, "overview");
    assert_eq!(overview["health"], json!({ "status": "ok", "reasons": [] }));
    assert_eq!(overview["brokers"], json!([{ "node": 0, "answers": true }]));
    assert_eq!(
        (&overview["topics"], &overview["partitions"]),
        (&json!(1), &json!(3))
    );
    assert_eq!(overview["storage"]["total_bytes"], 0);
    assert_eq!(
        (&overview["expiring"], &overview["incomplete"]),
        (&json!([]), &json!(false))
    );

    let mut wire = Wire::log_in(&tenant.bootstrap, &security).unwrap();
    for _ in 0..20 {
        assert_eq!(wire.produce("orders", &[b'v'; 10_000]).error, 0);
    }
    let busy = wait_for(PATIENCE, || {
        let overview = seen(&tenant, "overview");
        let rate = overview["throughput"]["produced_bytes_per_second"]
            .as_f64()
            .unwrap();
        (rate > 0.0).then_some(overview)
    });
    let busy = busy.expect("what was produced shows");
    assert!(busy["throughput"]["requests_per_second"].as_f64() > Some(0.0));
    assert!(busy["storage"]["total_bytes"].as_u64() > Some(200_000), "{busy}");
    assert_eq!((&busy["connections"], &busy["groups"]), (&json!(1), &json!(0)));
    let (used, most, unit) = limit(&busy, "partitions");
    assert_eq!((used, unit.as_str()), (3.0, "count"));
    assert_eq!(
        most,
        tenant.see(&format!("/v1/clusters/{}", tenant.cluster))["limits"]["partitions"]
            .as_f64()
            .unwrap()
    );
    assert!(limit(&busy, "ingress_bytes_per_second").0 > 0.0);
    assert_eq!(limit(&busy, "credentials").0, 1.0);
    assert!(limit(&busy, "storage_bytes").0 > 200_000.0);
    drop(wire);
    let quiet = wait_for(PATIENCE, || {
        let overview = seen(&tenant, "overview");
        (overview["throughput"]["produced_bytes_per_second"] == 0.0).then_some(overview)
    });
    assert_eq!(quiet.expect("it is of the last seconds")["connections"], 0);

    // Of one service account two keys of a cluster may be active, and it has one.
    let later = key(&tenant, "later", 40);
    assert_eq!(seen(&tenant, "overview")["expiring"], json!([]));
    tenant
        .rest()
        .delete_any(&format!("/v1/api-keys/{}", text(&later, "/id")))
        .expect(204);
    let soon = key(&tenant, "soon", 10);
    let expiring = seen(&tenant, "overview")["expiring"].clone();
    let expected = json!([{ "kind": "api_key", "id": soon["id"], "name": "soon", "at": soon["expires_at"] }]);
    assert_eq!(expiring, expected);

    let suspend = format!("/v1/clusters/{}/suspend", tenant.cluster);
    tenant.rest().post(&suspend, &json!({})).success();
    let suspended = seen(&tenant, "overview");
    assert_eq!(suspended["health"]["status"], "down");
    assert!(text(&suspended, "/health/reasons/0").contains("suspended"));
}
