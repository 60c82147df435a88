//! Two tenants on one broker, without any quota: how much later a light one gets its answers and its records while another one sends or
//! reads at least ten times as much.
//!
//! The light tenant has a cluster, a service account and an API key of its own, made through the REST API. It sends at a steady
//! rate whatever becomes of its requests, and follows what it sends. The greedy one is the cluster of `firn dev`, in a process of
//! its own with the lowest priority: on a machine with few cores the generator would otherwise take the time that the broker
//! is measured by. Alone and beside are measured in turns; of each the median is told.

mod greedy;
mod tenant;

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};

use self::greedy::Greedy;
pub use self::greedy::{Load, press};
use crate::load::{Client, Consume, Gauge, Latencies, Pace, Produce, Reading, Window};
use crate::subject::{Kind, Places, Subject};
use crate::wire::{Batch, create_topics, created};

/// What the light tenant sends: requests in a second, and bytes in each.
const LIGHT_REQUESTS: f64 = 200.0;
const LIGHT_BATCH: usize = 4 << 10;
const LIGHT_CONNECTIONS: usize = 4;
const PARTITIONS: i32 = 16;
const WARM_UP: Duration = Duration::from_secs(2);
/// By how much the light tenant's 99th percentiles may grow.
const MOST: f64 = 1.5;

/// Some latencies, in ms.
#[derive(Clone, Copy)]
struct Quantiles {
    p50: f64,
    p99: f64,
}

impl Quantiles {
    fn of(Latencies(latencies): &Latencies) -> Self {
        let of = |quantile| latencies.value_at_quantile(quantile) as f64 / 1_000.0;
        Self {
            p50: of(0.5),
            p99: of(0.99),
        }
    }
}

/// One measurement of the light tenant.
#[derive(Clone, Copy)]
struct Sample {
    /// From when a request was due to its answer.
    produced: Quantiles,
    /// From when a request was due until its records were read.
    fetched: Quantiles,
}

fn create(address: &str, topic: &str) -> anyhow::Result<()> {
    let mut client = Client::connect(address)?;
    created(client.ask(&create_topics(&[topic.to_owned()], PARTITIONS))?)
}

fn light_batch() -> Batch {
    Batch::of_size(LIGHT_BATCH, 1_000)
}

/// Measures, and prints what came of it.
pub fn run(
    places: &Places,
    rounds: usize,
    seconds: Duration,
    only: Option<Load>,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    ensure!(rounds > 0, "at least one round is needed");
    let subject = Subject::start(Kind::Firn, &[], places)?;
    let http = subject.http().context("Firn serves HTTP")?;
    let key = tenant::sign_up(http)?;
    let light = format!("{}:{}@{}", key.id, key.secret, subject.address);
    greedy::write_history(&subject.address)?;
    let own = LIGHT_REQUESTS * light_batch().bytes.len() as f64;
    writeln!(
        out,
        "light: {LIGHT_REQUESTS} requests/s of {LIGHT_BATCH} B on {LIGHT_CONNECTIONS} connections, and a consumer; greedy: \
         {} connections, {} B in a request",
        greedy::CONNECTIONS,
        greedy::BATCH
    )?;
    let mut number = 0;
    let mut measure = || {
        number += 1;
        measure(&light, &format!("light-{number}"), seconds)
    };
    for (name, load, rate) in [
        ("produces ten times as much", Load::Produce, Some(10.0 * own)),
        ("produces as much as it can", Load::Produce, None),
        ("reads ten times as much again", Load::CatchUp, Some(10.0 * own)),
        ("reads as much as it can again", Load::CatchUp, None),
        ("follows ten times as much", Load::Tail, Some(10.0 * own)),
    ] {
        if only.is_some_and(|only| only != load) {
            continue;
        }
        let (mut alone, mut beside, mut times) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..rounds {
            alone.push(measure()?.0);
            let mut greedy = Greedy::start(&subject.address, load, rate, WARM_UP + seconds)?;
            let before = subject.metrics([load.metric()])?[0];
            let (sample, sent) = measure()?;
            let all = subject.metrics([load.metric()])?[0] - before;
            greedy.finish()?;
            beside.push(sample);
            times.push((all - sent) / sent);
        }
        writeln!(out, "{name} ({:.1} times):", median(times))?;
        for (what, of) in [
            ("produce", (|sample| sample.produced) as fn(&Sample) -> Quantiles),
            ("fetch", |sample| sample.fetched),
        ] {
            writeln!(out, "  {what}: {}", compared(&alone, &beside, of))?;
        }
    }
    subject.stop()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The medians of two series, and how far apart single rounds were.
fn compared(alone: &[Sample], beside: &[Sample], of: fn(&Sample) -> Quantiles) -> String {
    let middle = |samples: &[Sample], quantile: fn(Quantiles) -> f64| {
        median(samples.iter().map(|sample| quantile(of(sample))).collect())
    };
    let (before, after) = (middle(alone, |q| q.p99), middle(beside, |q| q.p99));
    let rounds = alone.iter().zip(beside);
    let mut rounds: Vec<f64> = rounds
        .map(|(alone, beside)| of(beside).p99 / of(alone).p99)
        .collect();
    rounds.sort_by(f64::total_cmp);
    format!(
        "p50 {:.2} ms alone, {:.2} ms beside; p99 {before:.2} ms alone, {after:.2} ms beside: {:.2} times (at most {MOST}; single \
         rounds {rounds:.2?})",
        middle(alone, |q| q.p50),
        middle(beside, |q| q.p50),
        after / before
    )
}

/// The light tenant's latencies, and how many bytes it has sent.
fn measure(address: &str, topic: &str, seconds: Duration) -> anyhow::Result<(Sample, f64)> {
    create(address, topic)?;
    let batch = light_batch();
    let records = batch.records;
    let produce = Produce {
        address: address.to_owned(),
        topic: topic.to_owned(),
        partitions: PARTITIONS,
        connections: LIGHT_CONNECTIONS,
        pace: Pace::Rate {
            bytes: LIGHT_REQUESTS * batch.bytes.len() as f64,
        },
        batch,
    };
    let window = Window::soon(WARM_UP, seconds);
    let consume = Consume {
        address: address.to_owned(),
        topic: topic.to_owned(),
        partitions: PARTITIONS,
        consumers: 1,
        records,
        reading: Reading::Tail(produce.schedule(&window)),
        rate: None,
    };
    let gauge = Arc::<Gauge>::default();
    let (produced, fetched) = std::thread::scope(|scope| {
        let consuming = scope.spawn(|| consume.run(window, &Arc::default()));
        let produced = produce.run(window, &gauge)?;
        let fetched = consuming.join().ok().context("the consuming thread panicked")??;
        anyhow::Ok((produced, fetched))
    })?;
    let sample = Sample {
        produced: Quantiles::of(&produced),
        fetched: Quantiles::of(&fetched),
    };
    Ok((sample, gauge.counted().bytes as f64))
}
