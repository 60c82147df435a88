//! Two tenants on one broker, without any quota: how much later a light one gets its answers while another one sends at least ten times as
//! much.
//!
//! The light tenant has a cluster, a service account and an API key of its own, made through the REST API, and sends at a steady rate
//! whatever becomes of its requests. The greedy one is the cluster of `firn dev`, in a process of its own with the lowest
//! priority: on a machine with few cores the generator would otherwise take the time that the broker is measured by. Alone and
//! beside are measured in turns; of each the median is told.

mod tenant;

use std::io::Write;
use std::process::{Child, Command};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};

use crate::load::{Client, Gauge, Latencies, Pace, Produce, Window};
use crate::subject::{Kind, Places, Subject};
use crate::wire::{Batch, create_topics, created};

/// What the light tenant sends: requests in a second, and bytes in each.
const LIGHT_REQUESTS: f64 = 200.0;
const LIGHT_BATCH: usize = 4 << 10;
const LIGHT_CONNECTIONS: usize = 4;
/// What the greedy one sends in each request.
const GREEDY_BATCH: usize = 16 << 10;
const GREEDY_CONNECTIONS: usize = 16;
const GREEDY_IN_FLIGHT: usize = 8;
const TOPIC: &str = "fairness";
const PARTITIONS: i32 = 16;
const WARM_UP: Duration = Duration::from_secs(2);
/// By how much the light tenant's 99th percentile may grow.
const MOST: f64 = 1.5;

/// One measurement of the light tenant.
#[derive(Clone, Copy)]
struct Sample {
    p50: f64,
    p99: f64,
}

/// Loads a topic from a process of its own.
pub fn press(address: &str, rate: Option<f64>, seconds: f64) -> anyhow::Result<()> {
    let load = Produce {
        address: address.to_owned(),
        topic: TOPIC.to_owned(),
        partitions: PARTITIONS,
        connections: GREEDY_CONNECTIONS,
        batch: Batch::of_size(GREEDY_BATCH, 1_000),
        pace: match rate {
            Some(bytes) => Pace::Rate { bytes },
            None => Pace::FullSpeed {
                in_flight: GREEDY_IN_FLIGHT,
            },
        },
    };
    let window = Window::soon(Duration::ZERO, Duration::try_from_secs_f64(seconds)?);
    load.run(window, &Arc::default())?;
    Ok(())
}

/// Measures, and prints what came of it.
pub fn run(places: &Places, rounds: usize, seconds: Duration, out: &mut impl Write) -> anyhow::Result<()> {
    ensure!(rounds > 0, "at least one round is needed");
    let subject = Subject::start(Kind::Firn, &[], places)?;
    let http = subject.http().context("Firn serves HTTP")?;
    let key = tenant::sign_up(http)?;
    let light = format!("{}:{}@{}", key.id, key.secret, subject.address);
    for address in [&light, &subject.address] {
        let mut client = Client::connect(address)?;
        created(client.ask(&create_topics(&[TOPIC.to_owned()], PARTITIONS))?)?;
    }
    let own = LIGHT_REQUESTS * LIGHT_BATCH as f64;
    writeln!(
        out,
        "light: {LIGHT_REQUESTS} requests/s of {LIGHT_BATCH} B on {LIGHT_CONNECTIONS} connections; greedy: \
         {GREEDY_BATCH} B on {GREEDY_CONNECTIONS} connections"
    )?;
    for (name, rate) in [
        ("ten times as much", Some(10.0 * own)),
        ("as much as it can", None),
    ] {
        let (mut alone, mut beside, mut times) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..rounds {
            alone.push(measure(&light, seconds)?.0);
            let mut greedy = Greedy::start(&subject.address, rate, WARM_UP + seconds)?;
            let before = subject.metrics(["firn_broker_produced_bytes_total"])?[0];
            let (sample, sent) = measure(&light, seconds)?;
            let all = subject.metrics(["firn_broker_produced_bytes_total"])?[0] - before;
            greedy.finish()?;
            beside.push(sample);
            times.push((all - sent) / sent);
        }
        let median = |samples: &[Sample], of: fn(&Sample) -> f64| {
            let mut values: Vec<f64> = samples.iter().map(of).collect();
            values.sort_by(f64::total_cmp);
            values[values.len() / 2]
        };
        times.sort_by(f64::total_cmp);
        let (before, after) = (median(&alone, |s| s.p99), median(&beside, |s| s.p99));
        writeln!(
            out,
            "{name} ({:.0} times): p50 {:.2} ms alone, {:.2} ms beside; p99 {before:.2} ms alone, {after:.2} ms beside: {:.2} \
             times (at most {MOST})",
            times[times.len() / 2],
            median(&alone, |s| s.p50),
            median(&beside, |s| s.p50),
            after / before
        )?;
    }
    subject.stop()
}

/// The light tenant's latencies, and how many bytes it has sent.
fn measure(address: &str, seconds: Duration) -> anyhow::Result<(Sample, f64)> {
    let batch = Batch::of_size(LIGHT_BATCH, 1_000);
    let load = Produce {
        address: address.to_owned(),
        topic: TOPIC.to_owned(),
        partitions: PARTITIONS,
        connections: LIGHT_CONNECTIONS,
        pace: Pace::Rate {
            bytes: LIGHT_REQUESTS * batch.bytes.len() as f64,
        },
        batch,
    };
    let gauge = Arc::<Gauge>::default();
    let Latencies(latencies) = load.run(Window::soon(WARM_UP, seconds), &gauge)?;
    let of = |quantile| latencies.value_at_quantile(quantile) as f64 / 1_000.0;
    let sample = Sample {
        p50: of(0.5),
        p99: of(0.99),
    };
    Ok((sample, gauge.counted().bytes as f64))
}

/// The greedy tenant's process.
struct Greedy(Child);

impl Greedy {
    fn start(address: &str, rate: Option<f64>, time: Duration) -> anyhow::Result<Self> {
        let mut command = Command::new("nice");
        command.args(["-n", "19"]).arg(std::env::current_exe()?);
        command.args(["press", address, "--seconds", &time.as_secs_f64().to_string()]);
        if let Some(rate) = rate {
            command.args(["--rate", &rate.to_string()]);
        }
        Ok(Self(command.spawn().context("nice cannot be started")?))
    }

    fn finish(&mut self) -> anyhow::Result<()> {
        ensure!(self.0.wait()?.success(), "the greedy tenant failed");
        Ok(())
    }
}

impl Drop for Greedy {
    fn drop(&mut self) {
        // One that has been waited for is gone already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
