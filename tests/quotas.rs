//! Quotas of bytes with real clients, Java and librdkafka, producing and consuming at the same time: each is within a tenth of
//! its own quota over half a minute, none sees an error, and a consumer over its quota keeps its heartbeats and its partitions. Beside
//! them a tenant looks why its client is throttled.
#![allow(clippy::print_stdout, reason = "tests talk to whoever reads their output")]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]
#![allow(
    clippy::disallowed_methods,
    reason = "these tests drive real processes by the real clock"
)]

mod support;

use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use support::clients::{self, Security};
use support::firn::{FirnOptions, PATIENCE};
use support::kafka_tools::{KafkaTools, Tool};
use support::rest::{self, Tenant};
use support::server::Server;
use support::tenant::text;
use support::{http, wait_for};

/// Bytes a second of each client.
const QUOTA: f64 = 500_000.0;
/// For how long it is measured, in seconds.
const WINDOW: usize = 30;
/// How often it is measured if something is wrong: a quota that is not kept is so each time, a machine that is busy keeps clients
/// from sending for a while.
const TRIES: usize = 3;
/// Bytes of a record's value.
const SIZE: usize = 1_000;
/// Records that take as long as the window.
const RECORDS: usize = WINDOW * QUOTA as usize / SIZE;
/// Records that are used up before the measurement: what a quota lets through at first, and as much again.
const BEFORE: usize = 2 * QUOTA as usize / SIZE;

/// Gives a client id a quota, with Kafka's own tool.
fn give(tools: &mut KafkaTools, client_id: &str, key: &str) {
    let config =
        format!("--alter --add-config {key}={QUOTA} --entity-type clients --entity-name {client_id}");
    tools.ok(Tool::Configs, &config);
}

/// Says how far this is from the quota, if it is more than a tenth.
fn outside_of_a_tenth(who: &str, rate: f64) -> Option<String> {
    println!("{who}: {rate:.0} B/s of {QUOTA:.0}");
    let share = rate / QUOTA;
    (!(0.9..=1.1).contains(&share)).then(|| format!("{who}: {rate} B/s are {share} of the quota"))
}

/// The rate that Kafka's own tool tells, after its warm-up.
fn java_producer(address: &str, topic: &str) -> f64 {
    let said = clients::java("org.apache.kafka.tools.ProducerPerformance")
        .args([
            "--bootstrap-server",
            address,
            "--topic",
            topic,
            "--throughput",
            "-1",
        ])
        .args(["--num-records", &(RECORDS + BEFORE).to_string()])
        .args(["--warmup-records", &BEFORE.to_string()])
        .args(["--record-size", &SIZE.to_string()])
        .args([
            "--command-property",
            "client.id=java-producer",
            "buffer.memory=1048576",
        ])
        .run();
    assert!(!said.contains("Exception") && !said.contains("Error"), "{said}");
    let steady = said.lines().rfind(|line| line.contains("steady state"));
    let steady = steady.unwrap_or_else(|| panic!("no steady state in {said}"));
    let (_, rate) = steady.split_once("sent, ").unwrap();
    let records: f64 = rate.split(' ').next().unwrap().parse().unwrap();
    records * SIZE as f64
}

/// What Kafka's own consumer tool tells.
struct Consumed {
    /// Bytes a second, once it has its partitions. What was saved up is in it: one second of thirty.
    rate: f64,
    /// How often it joined its group.
    rebalances: f64,
    heartbeats: f64,
}

/// With a session that ends after six seconds without a heartbeat.
fn java_consumer(address: &str, topic: &str) -> Consumed {
    let said = clients::java("org.apache.kafka.tools.ConsumerPerformance")
        .args(["--bootstrap-server", address, "--topic", topic, "--hide-header"])
        .args(["--num-records", &RECORDS.to_string(), "--print-metrics"])
        .args(["--command-property", "client.id=java-consumer"])
        .args(["--command-property", "session.timeout.ms=6000"])
        .args(["--command-property", "heartbeat.interval.ms=1000"])
        .run();
    // The names of metrics have commas too.
    let line = said
        .lines()
        .find(|line| line.matches(", ").count() >= 9 && !line.contains('{'));
    let line = line.unwrap_or_else(|| panic!("no figures in {said}"));
    let fields: Vec<&str> = line.split(", ").collect();
    let mebibytes: f64 = fields[8].parse().unwrap();
    let metric = |name: &str| -> f64 {
        let name = format!("consumer-coordinator-metrics:{name}:");
        let line = said.lines().find(|line| line.starts_with(&name));
        let line = line.unwrap_or_else(|| panic!("no {name} in {said}"));
        line.rsplit(" : ").next().unwrap().trim().parse().unwrap()
    };
    Consumed {
        rate: mebibytes * 1024.0 * 1024.0,
        rebalances: metric("rebalance-total"),
        heartbeats: metric("heartbeat-total"),
    }
}

/// A tenant with a client that wants more than its quota lets it.
struct OverQuota {
    http: String,
    tenant: Tenant,
    security: Security,
    quota: Value,
}

const OVER: &str = "over-quota";
/// How long until it is asked again why that client waits.
const PAUSE: Duration = Duration::from_millis(200);
const TENANT_QUOTA: f64 = 200_000.0;

impl OverQuota {
    /// Made by REST calls only, the quota too.
    fn new(http: &str, authority: &std::path::Path) -> Self {
        let tenant = Tenant::new(http, "throttled", None);
        tenant.topic("orders", 1);
        let path = format!("/v1/clusters/{}/quotas", tenant.cluster);
        let wanted = json!({
            "entity": { "user": { "default": true }, "client_id": { "name": OVER } },
            "quotas": { "producer_byte_rate": TENANT_QUOTA },
        });
        let request = tenant.rest().request("PUT", &path).json(&wanted);
        Self {
            http: http.to_owned(),
            security: rest::login(&tenant.scram(), authority),
            quota: tenant.rest().send(&request).expect(200).json(),
            tenant,
        }
    }

    /// What the tenant is told of its client, once the broker has answered in time and it is right.
    fn told(&self, right: impl Fn(&Value) -> bool) -> Value {
        let path = format!("/v1/clusters/{}/throttles", self.tenant.cluster);
        let mut last = Value::Null;
        let told = wait_for(PATIENCE, || {
            last = self.tenant.see(&path);
            let complete = last["incomplete"] == false && last["silent_brokers"] == json!([]);
            let throttles = last["throttles"].as_array().unwrap();
            assert!(throttles.len() <= 1 && last["storage_full"] == false, "{last}");
            let found = throttles.first().filter(|throttle| complete && right(throttle));
            if found.is_none() {
                thread::sleep(PAUSE);
            }
            found.cloned()
        });
        told.unwrap_or_else(|| panic!("it stays {last}"))
    }

    /// Produces, and asks why it takes so long meanwhile and afterwards.
    fn ask_why(&self) {
        let client = clients::python_file("rates.py")
            .security(&self.security)
            .args(["produce", &self.tenant.bootstrap, "orders", OVER, "10", "1000"])
            .spawn();
        let first = self.told(|throttle| throttle["active"] == true);
        assert_eq!(
            first["principal"],
            format!("User:{}", self.tenant.service_account)
        );
        assert_eq!(first["client_id"], OVER);
        let limit = json!({
            "kind": "quota",
            "quota": self.quota["id"],
            "entity": self.quota["entity"],
            "key": "producer_byte_rate",
            "value": TENANT_QUOTA,
        });
        assert_eq!(first["limit"], limit);
        let (since, until) = (text(&first, "/since"), text(&first, "/until"));
        assert!(since <= until, "{first}");
        let finished = client.finish(PATIENCE * 2);
        assert!(finished.success, "{finished}");
        let last = self.told(|throttle| {
            let more = |count: &str| throttle[count].as_u64() > first[count].as_u64();
            text(throttle, "/until") > until && more("total_ms") && more("times")
        });
        assert_eq!(text(&last, "/since"), since, "it is one spell");
        self.assert_metric(last["total_ms"].as_f64().unwrap());
    }

    /// The broker's metric tells the same time.
    fn assert_metric(&self, total_ms: f64) {
        let page = http::get(&self.http, "/metrics").expect(200).body;
        let samples = page.lines().filter(|line| {
            line.starts_with("firn_broker_quota_throttle_time_milliseconds_total{")
                && line.contains(&format!("cluster=\"{}\"", self.tenant.cluster))
        });
        let samples: Vec<&str> = samples.collect();
        let [sample] = samples[..] else {
            panic!("one limit makes clients wait: {samples:?}");
        };
        assert!(sample.contains("limit=\"producer_byte_rate\""), "{sample}");
        let told: f64 = sample.rsplit(' ').next().unwrap().parse().unwrap();
        assert!((told - total_ms).abs() <= total_ms / 10.0, "{told} of {total_ms}");
    }
}

fn librdkafka(args: &[&str]) -> Vec<f64> {
    let said = clients::python_file("rates.py").args(args).run();
    said.split_whitespace()
        .map(|number| number.parse().unwrap())
        .collect()
}

#[test]
fn four_clients_keep_their_quotas_within_a_tenth_and_an_over_quota_consumer_keeps_its_partitions() {
    let mut server = Server::start(FirnOptions::default());
    let over_quota = server
        .firn()
        .map(|firn| OverQuota::new(&firn.http, &firn.ca_file()));
    let mut tools = KafkaTools::start(&server.address);
    give(&mut tools, "java-producer", "producer_byte_rate");
    give(&mut tools, "java-consumer", "consumer_byte_rate");
    give(&mut tools, "rdkafka-producer", "producer_byte_rate");
    give(&mut tools, "rdkafka-consumer", "consumer_byte_rate");
    drop(tools);
    let (into, full) = (server.topic("into", 1), server.topic("full", 1));
    let records = (RECORDS + 5 * BEFORE).to_string();
    let size = SIZE.to_string();
    librdkafka(&["fill", &server.address, &full, &records, &size]);
    let mut asking = over_quota.as_ref();
    let wrong = (0..TRIES).map_while(|number| {
        let group = format!("group-{number}");
        let ask = || asking.take().into_iter().for_each(OverQuota::ask_why);
        let wrong = wrong_in(&server.address, [&into, &full], &group, ask);
        (!wrong.is_empty()).then_some(wrong)
    });
    let wrong: Vec<Vec<String>> = wrong.collect();
    assert!(wrong.len() < TRIES, "{wrong:#?}");
}

/// Four clients at once, and this beside them; what is wrong with what they got.
fn wrong_in(
    address: &str,
    [into, full]: [&str; 2],
    group: &str,
    beside: impl FnOnce() + Send,
) -> Vec<String> {
    let (window, size) = (WINDOW.to_string(), SIZE.to_string());
    let (produced, consumed, producer, consumer) = thread::scope(|scope| {
        let java_producer = scope.spawn(|| java_producer(address, into));
        let java_consumer = scope.spawn(|| java_consumer(address, full));
        let producer =
            scope.spawn(|| librdkafka(&["produce", address, into, "rdkafka-producer", &window, &size]));
        let consumer =
            scope.spawn(|| librdkafka(&["consume", address, full, "rdkafka-consumer", &window, group]));
        scope.spawn(beside).join().unwrap();
        (
            java_producer.join().unwrap(),
            java_consumer.join().unwrap(),
            producer.join().unwrap(),
            consumer.join().unwrap(),
        )
    });
    let rates = [
        ("Java producer", produced),
        ("Java consumer", consumed.rate),
        ("librdkafka producer", producer[0]),
        ("librdkafka consumer", consumer[0]),
    ];
    let mut wrong: Vec<String> = rates
        .into_iter()
        .filter_map(|(who, rate)| outside_of_a_tenth(who, rate))
        .collect();
    // A consumer has its partitions from the first time on.
    for (who, times) in [("Java", consumed.rebalances), ("librdkafka", consumer[1])] {
        if times != 1.0 {
            wrong.push(format!("{who} was given partitions {times} times"));
        }
    }
    // One a second was to be sent.
    if consumed.heartbeats < WINDOW as f64 / 2.0 {
        wrong.push(format!("{} heartbeats", consumed.heartbeats));
    }
    wrong
}
