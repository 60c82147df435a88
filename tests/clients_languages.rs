//! Clients of each language produce, idempotently where they can, and consume by assigned partitions: records with
//! and without keys, values, headers, in every codec that the client has.
#![allow(clippy::print_stdout, reason = "tests talk to whoever reads their output")]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]
#![allow(
    clippy::disallowed_methods,
    reason = "these tests drive real processes by the real clock"
)]

mod support;

use std::fs;
use std::time::Instant;

use support::clients::{self, Client};
use support::firn::FirnOptions;
use support::records::{self, PARTITIONS};
use support::server::Server;

const RECORDS: usize = 20_000;
const ALL: [&str; 5] = ["none", "gzip", "snappy", "lz4", "zstd"];

/// What a client can do.
struct Abilities {
    codecs: &'static [&'static str],
    null_headers: bool,
}

fn round_trips(name: &str, client: impl Fn() -> Client, abilities: &Abilities) {
    let server = Server::start(FirnOptions::default());
    let input = server.scratch("input");
    for (seed, codec) in abilities.codecs.iter().enumerate() {
        let lines = records::sample(RECORDS, seed as u64, abilities.null_headers);
        fs::write(&input, &lines).unwrap();
        let topic = server.topic(&format!("{name}-{codec}"), PARTITIONS);
        let start = Instant::now();
        client()
            .args(["produce", &server.address, &topic, codec])
            .input(&input)
            .run();
        let produced = start.elapsed();
        let consume = ["consume", &server.address, &topic, &RECORDS.to_string()];
        let output = client().args(consume).run();
        println!(
            "{name} {codec}: produced in {produced:.1?}, consumed in {:.1?}",
            start.elapsed() - produced
        );
        records::assert_same(&lines, &output, &format!("{name} {codec}"));
        let other = if name == "go" {
            clients::python().arg("confluent")
        } else {
            clients::go()
        };
        records::assert_same(
            &lines,
            &other.args(consume).run(),
            &format!("{name} {codec} read by another client"),
        );
    }
}

#[test]
fn franz_go_round_trips() {
    round_trips(
        "go",
        clients::go,
        &Abilities {
            codecs: &ALL,
            null_headers: true,
        },
    );
}

#[test]
fn confluent_kafka_python_round_trips() {
    let client = || clients::python().arg("confluent");
    round_trips(
        "confluent",
        client,
        &Abilities {
            codecs: &ALL,
            null_headers: true,
        },
    );
}

#[test]
fn kafka_python_round_trips() {
    let client = || clients::python().arg("kafka-python");
    round_trips(
        "kafka-python",
        client,
        &Abilities {
            codecs: &ALL,
            null_headers: false,
        },
    );
}

#[test]
fn aiokafka_round_trips() {
    let client = || clients::python().arg("aiokafka");
    round_trips(
        "aiokafka",
        client,
        &Abilities {
            codecs: &ALL,
            null_headers: true,
        },
    );
}

#[test]
fn kafkajs_round_trips() {
    let abilities = Abilities {
        codecs: &["none", "gzip", "snappy"],
        null_headers: false,
    };
    round_trips("kafkajs", clients::node, &abilities);
}

#[test]
fn java_round_trips() {
    let client = || clients::java("Client");
    round_trips(
        "java",
        client,
        &Abilities {
            codecs: &ALL,
            null_headers: true,
        },
    );
}
