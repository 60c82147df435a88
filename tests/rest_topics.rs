//! What REST tells of topics and of usage is what the broker has and what clients sent.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]
#![allow(
    clippy::disallowed_methods,
    reason = "these tests drive real processes by the real clock"
)]

mod support;

use std::time::Duration;

use serde_json::{Value, json};
use support::clients::Security;
use support::firn::{Firn, FirnOptions, PATIENCE};
use support::rest::{self, Tenant};
use support::wait_for;
use support::wire::Wire;

/// A tenant of this process, and how a client of its service account logs in.
fn tenant(firn: &Firn, name: &str) -> (Tenant, Security) {
    let tenant = Tenant::new(&firn.http, name, None);
    let security = rest::login(&tenant.api_key(), &firn.ca_file());
    (tenant, security)
}

fn items(tenant: &Tenant, path: &str) -> Vec<Value> {
    tenant.see(path)["items"].as_array().unwrap().clone()
}

#[test]
fn partitions_and_configs_are_told_as_the_broker_has_them() {
    let firn = Firn::start(FirnOptions::default());
    let (tenant, security) = tenant(&firn, "topics");
    tenant.topic("orders", 3);
    let topic = format!("/v1/clusters/{}/topics/orders", tenant.cluster);
    let mut wire = Wire::log_in(&tenant.bootstrap, &security).unwrap();
    for value in [b"one", b"two"] {
        assert_eq!(wire.produce("orders", value).error, 0);
    }
    let partitions = items(&tenant, &format!("{topic}/partitions"));
    let of = |name: &str| -> Vec<&Value> { partitions.iter().map(|partition| &partition[name]).collect() };
    assert_eq!(of("partition"), [0, 1, 2]);
    assert_eq!(of("high_watermark"), [2, 0, 0]);
    assert_eq!(of("log_start"), [0, 0, 0]);
    assert_eq!(of("leader"), [0, 0, 0], "{partitions:?}");
    assert!(partitions[0]["size_bytes"].as_i64().unwrap() > 0 && partitions[1]["size_bytes"] == 0);
    let page = tenant.see(&format!("{topic}/partitions?page_size=2"));
    let cursor = page["next_cursor"].as_str().unwrap();
    let last = items(
        &tenant,
        &format!("{topic}/partitions?page_size=2&cursor={cursor}"),
    );
    assert_eq!((last.len(), &last[0]), (1, &partitions[2]));

    let config = |name: &str| {
        let all = items(&tenant, &format!("{topic}/configs"));
        all.into_iter().find(|config| config["name"] == name).unwrap()
    };
    let before = config("retention.ms");
    assert_eq!(
        (&before["source"], &before["type"]),
        (&json!("default"), &json!("long"))
    );
    assert!(before["documentation"].as_str().unwrap().len() > 10);
    let change = json!({ "configs": { "retention.ms": "123456" } });
    tenant.rest().patch(&topic, "*", &change).expect(200);
    let after = config("retention.ms");
    assert_eq!(
        (&after["source"], &after["value"]),
        (&json!("topic"), &json!("123456"))
    );
    assert_eq!(
        (&after["default"], &after["read_only"]),
        (&before["value"], &json!(false))
    );
}

#[test]
fn a_list_tells_the_sizes_that_brokers_have_and_is_sorted_by_them() {
    let firn = Firn::start(FirnOptions::default());
    let (tenant, security) = tenant(&firn, "sizes");
    for name in ["empty", "large", "small"] {
        tenant.topic(name, 2);
    }
    let mut wire = Wire::log_in(&tenant.bootstrap, &security).unwrap();
    for _ in 0..2 {
        assert_eq!(wire.produce("large", &[b'x'; 5_000]).error, 0);
    }
    assert_eq!(wire.produce("small", b"x").error, 0);
    let list = format!("/v1/clusters/{}/topics?with=sizes&sort=-size", tenant.cluster);
    let listed = items(&tenant, &list);
    let told: Vec<_> = listed
        .iter()
        .map(|topic| {
            (
                topic["name"].as_str().unwrap(),
                topic["records"].as_i64().unwrap(),
            )
        })
        .collect();
    assert_eq!(told, [("large", 2), ("small", 1), ("empty", 0)]);
    let partitions = items(
        &tenant,
        &format!("/v1/clusters/{}/topics/large/partitions", tenant.cluster),
    );
    let sum: i64 = partitions
        .iter()
        .map(|partition| partition["size_bytes"].as_i64().unwrap())
        .sum();
    assert_eq!(listed[0]["size_bytes"], sum);
    assert!(sum >= 10_000 && listed[2]["size_bytes"] == 0, "{listed:?}");
}

/// What the service account used, in all.
fn used(tenant: &Tenant) -> [i64; 4] {
    let path = format!(
        "/v1/organizations/{}/usage?granularity=day&principal=User:{}",
        tenant.organization, tenant.service_account
    );
    let sum = |name: &str| -> i64 {
        items(tenant, &path)
            .iter()
            .map(|item| item[name].as_i64().unwrap())
            .sum()
    };
    ["requests", "bytes_in", "bytes_out", "connections_peak"].map(sum)
}

#[test]
fn usage_adds_up_to_what_clients_sent_and_a_crash_loses_what_was_not_written_yet() {
    let mut firn = Firn::start(FirnOptions::default());
    let (tenant, security) = tenant(&firn, "usage");
    tenant.topic("orders", 1);
    let mut wire = Wire::log_in(&tenant.bootstrap, &security).unwrap();
    for _ in 0..25 {
        assert_eq!(wire.produce("orders", b"value").error, 0);
    }
    let with_lengths = |bytes: usize, frames: i64| i64::try_from(bytes).unwrap() + 4 * frames;
    let sent = [
        25,
        with_lengths(wire.sent_bytes(), 25),
        with_lengths(wire.received_bytes(), 25),
    ];
    let written = wait_for(PATIENCE, || {
        // As often as somebody may ask.
        std::thread::sleep(Duration::from_millis(500));
        Some(used(&tenant)).filter(|used| used[0] >= 25)
    });
    let written = written.expect("usage is written every ten seconds");
    assert_eq!((written[..3].to_vec(), written[3]), (sent.to_vec(), 1));

    for _ in 0..10 {
        assert_eq!(wire.produce("orders", b"value").error, 0);
    }
    firn.kill9();
    firn.restart();
    let tenant = Tenant {
        owner: firn.rest().log_in(&tenant.owner.email, rest::PASSWORD),
        ..tenant
    };
    let after = used(&tenant);
    assert!(
        (25..=35).contains(&after[0]) && after[1] >= written[1],
        "{after:?}"
    );

    let mut wire = Wire::log_in(&tenant.bootstrap, &security).unwrap();
    assert_eq!(wire.produce("orders", b"value").error, 0);
    firn.terminate();
    firn.restart();
    let tenant = Tenant {
        owner: firn.rest().log_in(&tenant.owner.email, rest::PASSWORD),
        ..tenant
    };
    assert_eq!(
        used(&tenant)[0],
        after[0] + 1,
        "a process that is stopped loses nothing"
    );
}
