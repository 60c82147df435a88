//! What REST tells of consumer groups is what real consumers do, and what it sets is where they begin.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]
#![allow(
    clippy::disallowed_methods,
    reason = "these tests drive real processes by the real clock"
)]

mod support;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use support::clients::{Client, Running, Security, kcat};
use support::firn::{Firn, FirnOptions, PATIENCE};
use support::rest::{self, Rest, Tenant};
use support::wait_for;
use support::wire::Wire;

/// As often as somebody may ask.
const PAUSE: Duration = Duration::from_millis(250);

/// A tenant with a topic of three partitions, and what reads and writes it.
struct Stage {
    _firn: Firn,
    tenant: Tenant,
    security: Security,
    groups: String,
}

impl Stage {
    fn start(name: &str) -> Self {
        let firn =
            Firn::start(FirnOptions::default().kafka_config("group.initial.rebalance.delay.ms", "100"));
        let tenant = Tenant::new(&firn.http, name, None);
        let security = rest::login(&tenant.api_key(), &firn.ca_file());
        tenant.topic("orders", 3);
        Self {
            groups: format!("/v1/clusters/{}/groups", tenant.cluster),
            _firn: firn,
            tenant,
            security,
        }
    }

    fn rest(&self) -> &Rest {
        self.tenant.rest()
    }

    /// Appends records to partition 0.
    fn produce(&self, count: usize) {
        let mut wire = Wire::log_in(&self.tenant.bootstrap, &self.security).unwrap();
        for _ in 0..count {
            assert_eq!(wire.produce("orders", b"value").error, 0);
        }
    }

    fn consumer(&self, group: &str) -> Client {
        let Security {
            mechanism,
            username,
            password,
            authority,
        } = &self.security;
        let ca = authority.as_ref().unwrap().display();
        let settings = [
            "security.protocol=sasl_ssl".to_owned(),
            format!("sasl.mechanisms={mechanism}"),
            format!("sasl.username={username}"),
            format!("sasl.password={password}"),
            format!("ssl.ca.location={ca}"),
            "client.id=reader".to_owned(),
            "auto.offset.reset=earliest".to_owned(),
            "auto.commit.interval.ms=200".to_owned(),
        ];
        let settings = settings.iter().flat_map(|setting| ["-X", setting]);
        kcat()
            .args(["-b", &self.tenant.bootstrap])
            .args(settings)
            .args(["-u", "-G", group])
    }

    /// A consumer that goes on.
    fn consume(&self, group: &str) -> Running {
        self.consumer(group).arg("orders").spawn()
    }

    fn lag(&self, group: &str) -> Value {
        self.tenant.see(&format!("{}/{group}/lag", self.groups))
    }

    /// Until what is told is as it should be.
    fn until(&self, path: &str, ready: impl Fn(&Value) -> bool) -> Value {
        let told = wait_for(PATIENCE, || {
            let answer = self.rest().get(path);
            let found = (answer.status == 200).then(|| answer.json()).filter(&ready);
            if found.is_none() {
                std::thread::sleep(PAUSE);
            }
            found
        });
        told.unwrap_or_else(|| {
            let answer = self.rest().get(path);
            panic!("{path} stays {} {:?}", answer.status, answer.body)
        })
    }

    /// A group that has read the first six records, and is at rest; in paths it is `encoded`.
    fn read_six(&self, group: &str, encoded: &str) {
        self.produce(6);
        let mut reader = self.consume(group);
        let lag = format!("{}/{encoded}/lag", self.groups);
        self.until(&lag, |lag| of_partition(lag, 0)["committed"] == 6);
        reader.terminate();
        let state = format!("{}/{encoded}", self.groups);
        self.until(&state, |group| group["state"] == "empty");
    }

    fn reset(&self, group: &str, query: &str, body: &Value) -> support::http::Answer {
        let path = format!("{}/{group}/offsets:reset{query}", self.groups);
        self.rest().post(&path, body)
    }
}

fn of_partition(lag: &Value, partition: i64) -> Value {
    let partitions = lag["partitions"].as_array().unwrap();
    let found = partitions.iter().find(|of| of["partition"] == partition);
    found.cloned().unwrap_or_default()
}

#[test]
fn a_groups_members_assignment_and_lag_are_told_while_it_reads_and_after() {
    let stage = Stage::start("reading");
    stage.produce(6);
    let mut reader = stage.consume("readers");
    let path = format!("{}/readers", stage.groups);
    let group = stage.until(&path, |group| group["state"] == "stable");
    let member = &group["members"][0];
    assert_eq!(
        (&group["protocol_type"], &member["client_id"], &member["host"]),
        (&json!("consumer"), &json!("reader"), &json!("127.0.0.1"))
    );
    let all = json!([{ "topic": "orders", "partitions": [0, 1, 2] }]);
    assert_eq!(member["assignment"], all);
    assert_eq!(
        (&group["coordinator"], &member["instance_id"]),
        (&json!(0), &Value::Null)
    );

    let caught_up = stage.until(&format!("{path}/lag"), |lag| {
        of_partition(lag, 0)["committed"] == 6 && lag["lag_records"] == 0
    });
    assert_eq!(
        (&caught_up["lag_seconds"], &caught_up["complete"]),
        (&json!(0.0), &json!(true))
    );
    assert_eq!(of_partition(&caught_up, 0)["member_id"], member["member_id"]);
    let listed = stage
        .tenant
        .see(&format!("{}?with=lag&state=stable&contains=ader", stage.groups));
    let listed = &listed["items"][0];
    assert_eq!(
        (&listed["group"], &listed["members"], &listed["lag_records"]),
        (&json!("readers"), &json!(1), &json!(0))
    );
    assert_eq!(listed["topics"], json!(["orders"]));
    for other in ["state=empty", "contains=writers"] {
        let none = stage.tenant.see(&format!("{}?{other}", stage.groups));
        assert_eq!(
            (&none["items"], &none["silent_brokers"]),
            (&json!([]), &json!([])),
            "{other}"
        );
    }

    who_has_members_is_left_alone(&stage, &path);
    reader.terminate();
    stage.until(&path, |group| {
        group["state"] == "empty" && group["members"] == json!([])
    });

    records_that_nobody_reads_are_told_as_lag(&stage, &path);
}

fn who_has_members_is_left_alone(stage: &Stage, path: &str) {
    let to_begin = json!({ "to": { "kind": "earliest" } });
    for query in ["", "?dry_run=true"] {
        let refused = stage.reset("readers", query, &to_begin).expect(409).json();
        assert!(
            refused["detail"].as_str().unwrap().contains("stop them first"),
            "{refused}"
        );
    }
    stage.rest().delete_any(path).expect(409);
    stage
        .rest()
        .delete_any(&format!("{path}/offsets?topic=orders"))
        .expect(409);
}

fn records_that_nobody_reads_are_told_as_lag(stage: &Stage, path: &str) {
    stage.produce(4);
    let behind = stage.lag("readers");
    assert_eq!(
        (&behind["lag_records"], &of_partition(&behind, 0)["end"]),
        (&json!(4), &json!(10))
    );
    // Records of this client say that they are of 1.7 billion seconds after 1970.
    let age = behind["lag_seconds"].as_f64().unwrap();
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs_f64();
    assert!((now - 1.7e9 - age).abs() < 60.0, "{age}");
    assert_eq!(of_partition(&behind, 0)["member_id"], Value::Null);
    let topic = format!("/v1/clusters/{}/topics/orders/groups", stage.tenant.cluster);
    let consuming = stage.tenant.see(&topic)["items"].clone();
    assert_eq!(consuming.as_array().unwrap().len(), 1);
    assert_eq!(
        (
            &consuming[0]["group"],
            &consuming[0]["lag_records"],
            &consuming[0]["members"]
        ),
        (&json!("readers"), &json!(4), &json!(0))
    );
    let history = stage.until(&format!("{path}/lag/history?topic=orders"), |history| {
        let points = history["points"].as_array().unwrap();
        points.last().is_some_and(|point| point["lag_records"] == 4)
    });
    assert!(
        history["points"][0]["lag_seconds"].as_f64().is_some(),
        "{history}"
    );
    assert_eq!(
        stage.tenant.see(&format!("{path}/lag/history?topic=other"))["points"],
        json!([])
    );
}

#[test]
fn a_reset_is_previewed_done_told_and_what_consumers_begin_at() {
    let stage = Stage::start("resetting");
    stage.read_six("again", "again");
    stage.produce(4);
    let item = |to: Value, query: &str| {
        let answer = stage
            .reset("again", query, &json!({ "to": to }))
            .expect(200)
            .json();
        let items = answer["items"].as_array().unwrap().clone();
        items.into_iter().find(|item| item["partition"] == 0).unwrap()
    };
    let planned = |to: Value| {
        let item = item(to, "?dry_run=true");
        assert_eq!((&item["before"], &item["lag_before"]), (&json!(6), &json!(4)));
        (
            item["after"].as_i64().unwrap(),
            item["lag_after"].as_i64().unwrap(),
            item["clamped"].as_bool().unwrap(),
        )
    };
    assert_eq!(planned(json!({ "kind": "earliest" })), (0, 10, false));
    assert_eq!(planned(json!({ "kind": "latest" })), (10, 0, false));
    assert_eq!(planned(json!({ "kind": "offset", "offset": 3 })), (3, 7, false));
    assert_eq!(planned(json!({ "kind": "offset", "offset": 99 })), (10, 0, true));
    assert_eq!(planned(json!({ "kind": "shift", "by": -2 })), (4, 6, false));
    assert_eq!(planned(json!({ "kind": "shift", "by": -20 })), (0, 10, true));
    let at = |time: &str| json!({ "kind": "time", "time": time });
    assert_eq!(planned(at("2001-01-01T00:00:00Z")), (0, 10, false));
    assert_eq!(planned(at("2999-01-01T00:00:00Z")), (10, 0, false));
    assert_eq!(stage.lag("again")["lag_records"], 4, "a preview keeps nothing");

    for (wrong, pointer) in [
        (json!({ "to": { "kind": "offset", "offset": -1 } }), "/to/offset"),
        (json!({ "to": { "kind": "time", "time": "soon" } }), "/to/time"),
        (
            json!({ "to": { "kind": "latest" }, "topics": [{ "topic": "absent" }] }),
            "/topics/0/topic",
        ),
        (json!({ "to": { "kind": "latest" }, "topics": [] }), "/topics"),
        (
            json!({ "to": { "kind": "latest" }, "topics": [{ "topic": "orders", "partitions": [0, 3] }] }),
            "/topics/0/partitions/1",
        ),
    ] {
        let refused = stage.reset("again", "", &wrong).expect(422).json();
        assert_eq!(refused["errors"][0]["pointer"], pointer, "{refused}");
    }

    let done = item(json!({ "kind": "offset", "offset": 3 }), "");
    assert_eq!((&done["before"], &done["after"]), (&json!(6), &json!(3)));
    assert_eq!(of_partition(&stage.lag("again"), 0)["committed"], 3);
    let read = stage
        .consumer("again")
        .args(["-c", "7", "-f", "%o\n", "orders"])
        .run();
    let offsets: Vec<i64> = read.lines().map(|line| line.parse().unwrap()).collect();
    assert_eq!(offsets, (3..10).collect::<Vec<_>>());
    let audit = format!("/v1/clusters/{}/audit?action=reset_offsets", stage.tenant.cluster);
    let rows = stage.tenant.see(&audit)["items"].clone();
    assert_eq!(rows.as_array().unwrap().len(), 1, "{rows}");
    assert!(rows[0].to_string().contains("again"), "{rows}");
}

#[test]
fn only_whoever_may_changes_a_group_and_what_is_deleted_is_gone() {
    let stage = Stage::start("deleting");
    let group = "any name/ü%";
    let encoded = "any%20name%2F%C3%BC%25";
    stage.read_six(group, encoded);
    let path = format!("{}/{encoded}", stage.groups);
    assert_eq!(stage.tenant.see(&path)["group"], group);
    let viewer = stage.tenant.colleague("looks-on", "viewer").rest;
    viewer.get(&format!("{path}/lag")).expect(200);
    let to_begin = json!({ "to": { "kind": "earliest" } });
    let refused = viewer
        .post(&format!("{path}/offsets:reset"), &to_begin)
        .expect(403)
        .json();
    assert!(
        refused["denial"].as_str().unwrap().starts_with("aud_"),
        "{refused}"
    );
    viewer.delete_any(&path).expect(403);
    viewer
        .delete_any(&format!("{path}/offsets?topic=orders"))
        .expect(403);

    let offsets = format!("{path}/offsets?topic=orders");
    stage
        .rest()
        .delete_any(&format!("{offsets}&dry_run=true"))
        .expect(204);
    assert_eq!(
        of_partition(&stage.tenant.see(&format!("{path}/lag")), 0)["committed"],
        6
    );
    stage
        .rest()
        .delete_any(&format!("{path}/offsets?topic=absent"))
        .expect(404);
    stage.rest().delete_any(&format!("{path}/offsets")).expect(400);
    stage.rest().delete_any(&offsets).expect(204);
    stage.rest().delete_any(&offsets).expect(404);
    stage
        .rest()
        .delete_any(&format!("{path}?dry_run=true"))
        .expect(204);
    stage.rest().get(&path).expect(200);
    stage.rest().delete_any(&path).expect(204);
    for gone in ["", "/lag"] {
        stage.rest().get(&format!("{path}{gone}")).expect(404);
    }
    // What was is still told, if it was noted before the group went.
    let history = stage.rest().get(&format!("{path}/lag/history")).status;
    assert!(history == 200 || history == 404, "{history}");
    stage.rest().delete_any(&path).expect(404);
    stage.reset(encoded, "", &to_begin).expect(404);
}
