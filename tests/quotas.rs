//! Quotas of bytes with real clients, Java and librdkafka, producing and consuming at the same time: each is within a tenth of
//! its own quota over half a minute, none sees an error, and a consumer over its quota keeps its heartbeats and its partitions.
#![allow(clippy::print_stdout, reason = "tests talk to whoever reads their output")]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]
#![allow(
    clippy::disallowed_methods,
    reason = "these tests drive real processes by the real clock"
)]

mod support;

use std::thread;

use support::clients;
use support::firn::FirnOptions;
use support::kafka_tools::{KafkaTools, Tool};
use support::server::Server;

/// Bytes a second of each client.
const QUOTA: f64 = 500_000.0;
/// For how long it is measured, in seconds.
const WINDOW: usize = 30;
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

#[track_caller]
fn assert_within_a_tenth(who: &str, rate: f64) {
    println!("{who}: {rate:.0} B/s of {QUOTA:.0}");
    let share = rate / QUOTA;
    assert!(
        (0.9..=1.1).contains(&share),
        "{who}: {rate} B/s are {share} of the quota"
    );
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

/// The rate that Kafka's own tool tells, once it has its partitions. What was saved up is in it: one second of thirty.
fn java_consumer(address: &str, topic: &str) -> f64 {
    let said = clients::java("org.apache.kafka.tools.ConsumerPerformance")
        .args(["--bootstrap-server", address, "--topic", topic, "--hide-header"])
        .args(["--num-records", &RECORDS.to_string()])
        .args(["--command-property", "client.id=java-consumer"])
        .run();
    let line = said.lines().find(|line| line.matches(',').count() >= 9);
    let line = line.unwrap_or_else(|| panic!("no figures in {said}"));
    let fields: Vec<&str> = line.split(", ").collect();
    let mebibytes: f64 = fields[8].parse().unwrap();
    mebibytes * 1024.0 * 1024.0
}

fn librdkafka(args: &[&str]) -> Vec<f64> {
    let said = clients::python_file("rates.py").args(args).run();
    said.split_whitespace()
        .map(|number| number.parse().unwrap())
        .collect()
}

#[test]
fn four_clients_keep_their_quotas_within_a_tenth_and_an_over_quota_consumer_keeps_its_partitions() {
    let server = Server::start(FirnOptions::default());
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
    let address = server.address.as_str();
    let window = WINDOW.to_string();
    thread::scope(|scope| {
        let java_producer = scope.spawn(|| java_producer(address, &into));
        let java_consumer = scope.spawn(|| java_consumer(address, &full));
        let producer =
            scope.spawn(|| librdkafka(&["produce", address, &into, "rdkafka-producer", &window, &size]));
        let consumer =
            scope.spawn(|| librdkafka(&["consume", address, &full, "rdkafka-consumer", &window, "group"]));
        assert_within_a_tenth("Java producer", java_producer.join().unwrap());
        assert_within_a_tenth("Java consumer", java_consumer.join().unwrap());
        assert_within_a_tenth("librdkafka producer", producer.join().unwrap()[0]);
        let consumer = consumer.join().unwrap();
        assert_within_a_tenth("librdkafka consumer", consumer[0]);
        assert_eq!(consumer[1], 1.0, "it has its partitions from the first time on");
    });
}
