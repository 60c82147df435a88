//! The greedy tenant: the cluster of `firn dev`, loaded from a process of its own with the lowest priority.

use std::process::{Child, Command};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use clap::ValueEnum;

use super::{PARTITIONS, create};
use crate::load::{Consume, Pace, Produce, Reading, Window};
use crate::wire::Batch;

/// What it sends in each request.
pub const BATCH: usize = 16 << 10;
pub const CONNECTIONS: usize = 16;
const IN_FLIGHT: usize = 8;
/// What is read again and again.
const HISTORY: &str = "greedy-history";
/// For how long that is written.
const WRITING: Duration = Duration::from_secs(2);
/// How many follow what one sends.
const TAILS: usize = 10;

/// What the greedy tenant does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Load {
    /// It produces.
    Produce,
    /// It reads what is there, again and again.
    CatchUp,
    /// Ten consumers follow one producer, which sends a tenth of the rate.
    Tail,
}

impl Load {
    /// What counts its bytes.
    pub fn metric(self) -> &'static str {
        match self {
            Self::Produce => "firn_broker_produced_bytes_total",
            Self::CatchUp | Self::Tail => "firn_broker_fetched_bytes_total",
        }
    }
}

fn produce(address: &str, topic: &str, pace: Pace) -> Produce {
    Produce {
        address: address.to_owned(),
        topic: topic.to_owned(),
        partitions: PARTITIONS,
        connections: CONNECTIONS,
        batch: Batch::of_size(BATCH, 1_000),
        pace,
    }
}

fn pace(rate: Option<f64>) -> Pace {
    match rate {
        Some(bytes) => Pace::Rate { bytes },
        None => Pace::FullSpeed { in_flight: IN_FLIGHT },
    }
}

/// Makes what is read again and again.
pub fn write_history(address: &str) -> anyhow::Result<()> {
    create(address, HISTORY)?;
    let load = produce(address, HISTORY, pace(None));
    load.run(Window::soon(Duration::ZERO, WRITING), &Arc::default())?;
    Ok(())
}

/// Loads the broker, in a process of its own.
pub fn press(address: &str, load: Load, rate: Option<f64>, seconds: f64) -> anyhow::Result<()> {
    let topic = format!("greedy-{}", std::process::id());
    if load != Load::CatchUp {
        create(address, &topic)?;
    }
    let consume = |topic: &str, consumers: usize, reading: Reading| Consume {
        address: address.to_owned(),
        topic: topic.to_owned(),
        partitions: PARTITIONS,
        consumers,
        records: Batch::of_size(BATCH, 1_000).records,
        reading,
        rate: rate.map(|rate| rate / consumers as f64),
    };
    let window = Window::soon(Duration::ZERO, Duration::try_from_secs_f64(seconds)?);
    match load {
        Load::Produce => {
            produce(address, &topic, pace(rate)).run(window, &Arc::default())?;
        }
        Load::CatchUp => {
            consume(HISTORY, CONNECTIONS, Reading::Again).run(window, &Arc::default())?;
        }
        Load::Tail => {
            let producing = produce(address, &topic, pace(rate.map(|rate| rate / TAILS as f64)));
            let following = Consume {
                rate: None,
                ..consume(&topic, TAILS, Reading::Tail(None))
            };
            std::thread::scope(|scope| {
                let following = scope.spawn(|| following.run(window, &Arc::default()));
                producing.run(window, &Arc::default())?;
                following.join().ok().context("a thread panicked")??;
                anyhow::Ok(())
            })?;
        }
    }
    Ok(())
}

/// The greedy tenant's process.
pub struct Greedy(Child);

impl Greedy {
    pub fn start(address: &str, load: Load, rate: Option<f64>, time: Duration) -> anyhow::Result<Self> {
        let load = load.to_possible_value().context("every load has a name")?;
        let mut command = Command::new("nice");
        command.args(["-n", "19"]).arg(std::env::current_exe()?);
        command.args(["press", address, "--load", load.get_name()]);
        command.args(["--seconds", &time.as_secs_f64().to_string()]);
        if let Some(rate) = rate {
            command.args(["--rate", &rate.to_string()]);
        }
        Ok(Self(command.spawn().context("nice cannot be started")?))
    }

    pub fn finish(&mut self) -> anyhow::Result<()> {
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
