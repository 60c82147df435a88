//! The load generator and the figures of `make bench`.
//!
//! It starts the release binary, loads it over loopback with requests that were encoded once and are replayed, so that it costs
//! little itself, and reads the broker's own CPU seconds and memory from `/proc`. Figures, not tests: nothing here fails
//! for being slow.

mod broker;
mod cases;
mod connection;
mod figure;
mod requests;

use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use figure::Figure;

/// Measures a Firn binary on this machine: one table row per case.
#[derive(Parser, Debug)]
#[command(name = "firn-bench", version)]
struct Options {
    /// The binary to measure.
    #[arg(long, default_value = "target/release/firn")]
    firn: PathBuf,
    /// Where the broker's data directory is made; it should be on the disk that is to be measured.
    #[arg(long, default_value = "target")]
    scratch: PathBuf,
    /// Which cases to run.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Case::Idle, Case::Start, Case::Recover, Case::Produce])]
    cases: Vec<Case>,
    /// Gigabytes to produce in the produce case.
    #[arg(long, default_value_t = 2.0)]
    gigabytes: f64,
    /// Connections that produce at the same time.
    #[arg(long, default_value_t = 4)]
    connections: usize,
    /// Requests that each connection keeps in flight.
    #[arg(long, default_value_t = 8)]
    in_flight: usize,
    /// How often the produce and recover cases are repeated.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

/// What can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Case {
    /// Memory of a broker that nobody uses.
    Idle,
    /// Time to the ready line after a clean stop, with 1,000 partitions.
    Start,
    /// Time to the ready line after kill -9 with 1 GB that is not offloaded.
    Recover,
    /// Produce, acks=all, 1 KiB records in 64 KiB batches, durable by fdatasync.
    Produce,
}

#[tokio::main(flavor = "current_thread")]
#[allow(clippy::print_stdout, reason = "the table is the product")]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    println!("{}", Figure::heading());
    for case in &options.cases {
        let figures = match case {
            Case::Idle => cases::idle(&options).await?,
            Case::Start => cases::start(&options).await?,
            Case::Recover => cases::recover(&options).await?,
            Case::Produce => cases::produce(&options).await?,
        };
        for figure in figures {
            println!("{figure}");
        }
    }
    Ok(())
}
