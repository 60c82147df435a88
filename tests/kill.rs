//! kill -9 at twenty random moments with requests in flight, and a restart on the same data directory each time:
//! every acknowledged record is there once, none reordered. `KILL_SEED=n` repeats the moments of a failed run.
//!
//! The producers speak to the broker through a tap, which says how many of their requests a kill left without an answer.
//! A kill that left none does not count, and another moment is tried.
#![allow(clippy::print_stdout, reason = "tests talk to whoever reads their output")]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]
#![allow(
    clippy::disallowed_methods,
    reason = "these tests drive real processes by the real clock"
)]

mod support;

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use support::firn::{Firn, FirnOptions, PATIENCE};
use support::numbers::Producer;
use support::postgres::Postgres;
use support::s3::S3;
use support::tap::Tap;
use support::wait_for;

/// Kills with requests in flight.
const KILLS: usize = 20;
/// How many kills may come at a moment when nothing was in flight.
const MISSES: usize = 20;

/// Kills and restarts under two producers; `lose` takes away what a crash may take away.
fn survives_kills(name: &str, options: FirnOptions, mut lose: impl FnMut(&Path)) {
    let seed = std::env::var("KILL_SEED").map_or_else(|_| rand::random(), |seed| seed.parse().unwrap());
    say(&format!("{name}: KILL_SEED={seed}"));
    let mut random = StdRng::seed_from_u64(seed);
    let start = Instant::now();
    let tap = Tap::start();
    let mut firn = Firn::start(options.arg("--advertise").arg(&tap.address));
    tap.lead_to(&firn.kafka);
    let scratch = firn.options().scratch().to_path_buf();
    let mut producers = [
        Producer::librdkafka(&tap.address, &scratch),
        Producer::franz_go(&tap.address, &scratch),
    ];
    for producer in &producers {
        wait_for(PATIENCE, || producer.has_begun().then_some(())).expect("it produces");
    }
    let mut slowest = Duration::ZERO;
    let (mut in_flight, mut misses) = (Vec::new(), 0);
    while in_flight.len() < KILLS {
        // Producers take their time to find a broker that is back; the moment is random from then on.
        tap.wait_for_answer();
        sleep(Duration::from_millis(random.random_range(0..650)));
        match tap.unanswered_at(|| firn.kill9()) {
            0 => misses += 1,
            unanswered => in_flight.push(unanswered),
        }
        assert!(
            misses <= MISSES,
            "{misses} kills met nothing in flight, {in_flight:?} something"
        );
        producers.iter_mut().for_each(Producer::assert_running);
        lose(firn.options().data_dir());
        let restart = Instant::now();
        firn.restart();
        slowest = slowest.max(restart.elapsed());
    }
    say(&format!(
        "{name}: KILL_SEED={seed}: {} kills with requests in flight, {in_flight:?}, and {misses} with none",
        in_flight.len()
    ));
    let acknowledged: Vec<_> = producers.into_iter().map(Producer::finish_and_check).collect();
    println!(
        "{name}: {acknowledged:?} records acknowledged, slowest restart {slowest:.1?}, all in {:.1?}",
        start.elapsed()
    );
    assert!(
        acknowledged.iter().all(|count| *count > 1000),
        "{acknowledged:?}: hardly anything was in flight"
    );
}

/// Says it whether or not the test fails: libtest holds back what `println!` and `eprintln!` print.
fn say(line: &str) {
    let line = format!("{line}\n");
    std::io::stderr().write_all(line.as_bytes()).unwrap();
}

/// Options that settle records in the object store all the time, so that the crashes also meet that.
fn busy_settling() -> FirnOptions {
    FirnOptions::default()
        .arg("--offload-interval")
        .arg("300ms")
        .arg("--gc-grace")
        .arg("1s")
}

#[test]
fn acknowledged_records_survive_kill_9() {
    survives_kills("plain", FirnOptions::default(), |_| {});
}

#[test]
fn acknowledged_records_survive_kill_9_and_the_loss_of_the_hot_directory() {
    let mut lost = 0;
    survives_kills(
        "hot directory lost",
        busy_settling().arg("--wal").arg("object"),
        |data| {
            let hot = data.join("hot");
            lost += usize::from(fs::read_dir(&hot).is_ok_and(|mut files| files.next().is_some()));
            fs::remove_dir_all(&hot).unwrap_or_default();
        },
    );
    assert!(lost > KILLS / 2, "there was something to lose: {lost} times");
}

#[test]
fn acknowledged_records_survive_kill_9_with_the_log_on_s3() {
    let s3 = S3::start();
    let options = s3.serve(busy_settling()).arg("--wal").arg("object");
    survives_kills("S3", options, |_| {});
}

#[test]
fn acknowledged_records_survive_kill_9_with_the_catalog_on_postgresql() {
    let postgres = Postgres::start();
    let options = busy_settling().arg("--catalog").arg(postgres.url());
    survives_kills("PostgreSQL", options, |_| {});
}
