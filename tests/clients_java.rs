//! The million records through Apache Kafka's own console producer, idempotent as it is by default, and its consumer
//! with assigned partitions.
#![allow(clippy::print_stdout, reason = "tests talk to whoever reads their output")]
#![allow(
    clippy::disallowed_methods,
    reason = "these tests drive real processes by the real clock"
)]

mod support;

use std::time::Instant;

use support::clients::java;
use support::firn::FirnOptions;
use support::server::Server;
use support::text;

#[test]
fn a_million_records_come_back_through_the_console_producer_and_an_assigned_consumer() {
    let text = text::million();
    let server = Server::start(FirnOptions::default());
    let consumed = server.scratch("consumed");
    let topic = server.topic("text-java", 4);

    let start = Instant::now();
    java("org.apache.kafka.tools.ConsoleProducer")
        .args(["--bootstrap-server", &server.address, "--topic", &topic])
        .args(["--reader-property", "parse.key=true"])
        .input(text.keyed())
        .run();
    let produced = start.elapsed();
    java("Client")
        .args(["text", &server.address, &topic, &text::RECORDS.to_string()])
        .output(&consumed)
        .run();
    println!(
        "produced in {produced:.1?}, consumed in {:.1?}",
        start.elapsed() - produced
    );
    text::check(&text, &consumed);
}
