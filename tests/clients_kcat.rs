//! One million real text records through kcat (librdkafka) in and out, for each codec.
#![allow(clippy::print_stdout, reason = "tests talk to whoever reads their output")]
#![allow(
    clippy::disallowed_methods,
    reason = "these tests drive real processes by the real clock"
)]

mod support;

use std::time::Instant;

use support::clients::kcat;
use support::firn::FirnOptions;
use support::server::Server;
use support::text;

fn a_million_records_come_back(codec: &str) {
    let text = text::million();
    let server = Server::start(FirnOptions::default());
    let consumed = server.scratch("consumed");
    let topic = server.topic(&format!("text-{codec}"), 4);
    let to = ["-b", &server.address, "-t", &topic];

    let start = Instant::now();
    kcat()
        .args(to)
        .args(["-P", "-z", codec, "-K", "\t", "-l"])
        .arg(text.keyed())
        .run();
    let produced = start.elapsed();
    kcat()
        .args(to)
        .args(["-C", "-o", "beginning", "-e", "-q", "-f", "%p\t%k\t%s\n"])
        .output(&consumed)
        .run();
    println!(
        "{codec}: produced in {produced:.1?}, consumed in {:.1?}",
        start.elapsed() - produced
    );
    text::check(&text, &consumed);
}

#[test]
fn a_million_plain_records_come_back_through_kcat() {
    a_million_records_come_back("none");
}

#[test]
fn a_million_gzip_records_come_back_through_kcat() {
    a_million_records_come_back("gzip");
}

#[test]
fn a_million_snappy_records_come_back_through_kcat() {
    a_million_records_come_back("snappy");
}

#[test]
fn a_million_lz4_records_come_back_through_kcat() {
    a_million_records_come_back("lz4");
}

#[test]
fn a_million_zstd_records_come_back_through_kcat() {
    a_million_records_come_back("zstd");
}
