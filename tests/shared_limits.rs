//! Two brokers of one cell, over one PostgreSQL and one S3 server: what is changed through one, or by REST, counts at the other once it is
//! answered; lag is told by both; a cluster's limit is that of both together, and whoever is asked for more than its equal part has what the other leaves.
#![allow(clippy::print_stdout, reason = "tests talk to whoever reads their output")]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]
#![allow(
    clippy::disallowed_methods,
    reason = "these tests drive real processes by the real clock"
)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::thread;

use serde_json::{Value, json};
use support::clients::{self, Security};
use support::firn::{Firn, FirnOptions, PATIENCE};
use support::mail_server::MailServer;
use support::postgres::Postgres;
use support::rest::{self, Tenant};
use support::s3::S3;
use support::streaming;
use support::tls::Authority;
use support::wait_for;
use support::wire::Wire;

/// Bytes a second that each cluster may receive, from all brokers together.
const LIMIT: f64 = 1_000_000.0;
/// For how long it is measured, in seconds.
const WINDOW: &str = "10";
/// How often it is measured if it is wrong: a limit that is not kept is so each time, a machine that is busy keeps clients from
/// sending for a while.
const TRIES: usize = 3;

/// Partitions of the topic, some led by each broker.
const PARTITIONS: usize = 8;
/// Partitions of the groups' topic, with which the first broker of a cell begins.
const COORDINATORS: usize = 256;

const UNKNOWN_TOPIC: i16 = 3;
const TOPIC_AUTHORIZATION_FAILED: i16 = 29;

/// A cell with two brokers.
struct Cell {
    control: Firn,
    brokers: [Firn; 2],
    authority: PathBuf,
    mail: MailServer,
    _postgres: Postgres,
    _s3: S3,
}

impl Cell {
    fn start() -> Self {
        let (postgres, s3, mail) = (Postgres::start(), S3::start(), MailServer::start());
        let options = FirnOptions::default();
        let key = options.scratch().join("master.key");
        fs::write(&key, format!("{}\n", "5eed".repeat(16))).unwrap();
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
        let shared = options
            .set("catalog", postgres.url())
            .set("master-key", key.to_str().unwrap());
        let authority = Authority::new(shared.scratch());
        authority.issue();
        let [certificate, private] = authority.files();
        let brokers = [0, 1].map(|node| {
            let own = shared.scratch().join(format!("broker-{node}"));
            Firn::broker(
                s3.serve(shared.clone())
                    .with_data_dir(own)
                    .set("node", node.to_string())
                    .set("wal", "object")
                    .set("tls-cert", certificate.to_str().unwrap())
                    .set("tls-key", private.to_str().unwrap()),
            )
        });
        let control = Firn::control(
            shared
                .set("advertise", brokers[0].kafka.clone())
                .set("smtp-url", mail.url()),
        );
        Self {
            control,
            brokers,
            authority: authority.file(),
            mail,
            _postgres: postgres,
            _s3: s3,
        }
    }

    /// Makes new partitions be spread over both brokers, by giving the second one as many as the first one began with.
    fn even_out(&self) {
        let tenant = Tenant::new(&self.control.http, "evening-out", Some(&self.mail));
        tenant.topic("padding", COORDINATORS);
    }

    /// A tenant whose cluster is limited and has a topic with partitions on each broker, and how its clients log in.
    fn tenant(&self, name: &str) -> (Tenant, Security) {
        let tenant = Tenant::new(&self.control.http, name, Some(&self.mail));
        let path = format!("/v1/clusters/{}", tenant.cluster);
        let etag = tenant.rest().get(&path).expect(200);
        let etag = etag.header("etag").unwrap();
        let change = json!({ "limits": { "ingress_bytes_per_second": LIMIT as i64 } });
        tenant.rest().patch(&path, etag, &change).success();
        let set = wait_for(PATIENCE, || {
            let limits = &tenant.see(&path)["limits"];
            (limits["ingress_bytes_per_second"] == LIMIT as i64).then_some(())
        });
        assert!(set.is_some());
        tenant.topic("orders", PARTITIONS);
        let security = rest::login(&tenant.scram(), &self.authority);
        (tenant, security)
    }
}

/// A partition of the topic that this broker leads.
fn led_by((tenant, security): &(Tenant, Security), node: i32) -> i64 {
    let said = streaming::kcat(&tenant.bootstrap, security)
        .args(["-L", "-J", "-t", "orders"])
        .run();
    let said: Value = serde_json::from_str(&said).unwrap();
    let partitions = said["topics"][0]["partitions"].as_array().unwrap();
    let led = partitions.iter().find(|partition| partition["leader"] == node);
    led.unwrap_or_else(|| panic!("broker {node} leads nothing: {said}"))["partition"]
        .as_i64()
        .unwrap()
}

/// The rate at which a partition of this broker takes records from a producer that has more of them than that.
fn produce(of: &(Tenant, Security), node: i32) -> f64 {
    let (tenant, security) = of;
    let partition = led_by(of, node).to_string();
    let said = clients::python_file("rates.py")
        .security(security)
        .args([
            "produce",
            &tenant.bootstrap,
            "orders",
            "producer",
            WINDOW,
            "1000",
            &partition,
        ])
        .run();
    said.trim().parse().unwrap()
}

/// How often a change is made and looked at right after its answer.
const CHANGES: i32 = 10;

/// What is made through one broker, or by REST, counts for the next request at another, on a connection that is open already.
fn assert_in_force_once_answered(cell: &Cell, (tenant, _): &(Tenant, Security)) {
    let admin = json!({
        "service_account": tenant.service_account("admin", "admin"),
        "cluster": tenant.cluster,
        "name": "admin",
    });
    let admin = rest::login(&tenant.make("/v1/api-keys", &admin), &cell.authority);
    let developer = rest::login(&tenant.api_key(), &cell.authority);
    let log_in = |node: usize, who| Wire::log_in(&cell.brokers[node].kafka, who).unwrap();
    let mut admins = [0, 1].map(|node| log_in(node, &admin));
    let mut developers = [0, 1].map(|node| log_in(node, &developer));
    let principal = format!("User:{}", tenant.service_account);
    for change in 0..CHANGES {
        for (made_at, asked) in [(0, 1), (1, 0)] {
            let topic = format!("denied-{change}-{made_at}");
            let mut error = || developers[asked].produce(&topic, b"x").error;
            assert_eq!(error(), UNKNOWN_TOPIC, "a developer may write to any topic");
            admins[made_at].deny_write(&principal, &topic);
            assert_eq!(error(), TOPIC_AUTHORIZATION_FAILED, "{topic}");
        }
        let path = format!("/v1/clusters/{}/quotas", tenant.cluster);
        let rate = f64::from(1_000 + change);
        let quota = json!({
            "entity": { "client_id": { "name": "measured" } },
            "quotas": { "producer_byte_rate": rate },
        });
        let quota = tenant.rest().request("PUT", &path).json(&quota);
        tenant.rest().send(&quota).expect(200);
        for admin in &mut admins {
            let told = admin.quotas_of_client("measured");
            assert_eq!(told, BTreeMap::from([("producer_byte_rate".to_owned(), rate)]));
        }
    }
}

/// The lag of a group that one broker coordinates, in partitions that both lead: as it is, and as its coordinator writes it down.
fn assert_lag_is_told_by_both_leaders(tenant: &Tenant) {
    let group = format!("/v1/clusters/{}/groups/readers", tenant.cluster);
    let to_begin = json!({ "to": { "kind": "earliest" }, "topics": [{ "topic": "orders" }] });
    let reset = format!("{group}/offsets:reset");
    let set = tenant.rest().post(&reset, &to_begin).expect(200).json();
    assert_eq!(set["items"].as_array().unwrap().len(), PARTITIONS);
    let lag = tenant.see(&format!("{group}/lag"));
    let records = lag["lag_records"].as_i64().unwrap();
    assert!(lag["complete"] == true && records > 0, "{lag}");
    assert_eq!(lag["partitions"].as_array().unwrap().len(), PARTITIONS);
    let noted = wait_for(PATIENCE, || {
        let history = tenant.see(&format!("{group}/lag/history"));
        let found = history["points"].as_array().unwrap().last().cloned();
        if found.is_none() {
            thread::sleep(std::time::Duration::from_millis(500));
        }
        found
    });
    let noted = noted.expect("the coordinator asks the other leader, too");
    assert_eq!(noted["lag_records"], records, "{noted}");
    assert!(
        noted["lag_seconds"].as_f64().is_some_and(|age| age > 0.0),
        "{noted}"
    );
}

/// Three producers at once, two of them of one cluster, by both brokers; what is wrong with their rates.
fn rates_are_right(both: &(Tenant, Security), one: &(Tenant, Security)) -> Result<(), String> {
    let (first, second, alone) = thread::scope(|scope| {
        let first = scope.spawn(|| produce(both, 0));
        let second = scope.spawn(|| produce(both, 1));
        let alone = scope.spawn(|| produce(one, 0));
        (
            first.join().unwrap(),
            second.join().unwrap(),
            alone.join().unwrap(),
        )
    });
    let said = format!(
        "limit {LIMIT:.0} B/s: {first:.0} and {second:.0} by two brokers, {alone:.0} by one beside an idle one"
    );
    println!("{said}");
    let share = |rate: f64| rate / LIMIT;
    // Equal loads have about equal parts.
    let right = (0.85..=1.15).contains(&share(first + second))
        && [first, second].into_iter().all(|rate| share(rate) >= 0.3)
        && (0.85..=1.1).contains(&share(alone));
    right.then_some(()).ok_or(said)
}

#[test]
fn two_brokers_know_of_changes_once_they_are_answered_and_keep_a_clusters_limit_together() {
    let cell = Cell::start();
    cell.even_out();
    let (both, one) = (cell.tenant("both"), cell.tenant("one"));
    assert_in_force_once_answered(&cell, &both);
    let wrong: Vec<String> = (0..TRIES)
        .map_while(|_| rates_are_right(&both, &one).err())
        .collect();
    assert!(wrong.len() < TRIES, "{wrong:#?}");

    assert_lag_is_told_by_both_leaders(&both.0);
    let throttles = |tenant: &Tenant| tenant.see(&format!("/v1/clusters/{}/throttles", tenant.cluster));
    let told = throttles(&both.0);
    assert_eq!(told["silent_brokers"], json!([]), "{told}");
    let rows = told["throttles"].as_array().unwrap();
    let nodes: BTreeSet<i64> = rows.iter().map(|row| row["broker"].as_i64().unwrap()).collect();
    assert_eq!(nodes, BTreeSet::from([0, 1]), "{told}");
    for row in rows {
        assert_eq!(
            (&row["limit"]["kind"], row["limit"]["value"].as_f64()),
            (&json!("ingress"), Some(LIMIT)),
            "{row}"
        );
    }
    let told = throttles(&one.0);
    let rows = told["throttles"].as_array().unwrap();
    assert_eq!(rows.len(), 1, "only one broker makes it wait: {told}");
    for broker in &cell.brokers {
        let waited = broker.metric("firn_broker_quota_throttle_time_milliseconds_total");
        assert!(waited.is_some_and(|waited| waited > 0.0), "{waited:?}");
    }
}
