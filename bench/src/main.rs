//! The load generator: Firn's own figures, and the comparison with Apache Kafka.
//!
//! | module | what is in it |
//! |---|---|
//! | `wire` | the few requests that are sent, encoded once |
//! | `load` | threads that replay them and count: produce, consume, idle connections |
//! | `subject` | the broker processes, and what they cost |
//! | `floor` | what a broker of equal durability costs at the least |
//! | `fairness` | two tenants on one broker: what one notices of the other
//! | `figures` | Firn alone: memory, start, recovery |
//! | `versus` | cases, turns, results, and the lines that Firn has to cross |
//! | `report` | `RESULTS.md`, plots, the table for the terminal |
//!
//! Figures, not tests: nothing here fails for being slow.

mod fairness;
mod figures;
mod floor;
mod load;
mod report;
mod subject;
mod versus;
mod wire;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::ensure;
use clap::{Args, Parser, Subcommand};
use subject::{Kind, Places};
use versus::results::Results;
use versus::{Plan, Times};

/// Measures brokers on this machine.
#[derive(Parser, Debug)]
#[command(name = "firn-bench", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Firn alone: idle memory, start after a clean stop, start after kill -9
    Figures {
        #[command(flatten)]
        places: Folders,
        /// How often the start after kill -9 is repeated
        #[arg(long, default_value_t = 3)]
        rounds: usize,
    },
    /// Two tenants on one Firn: a light one alone, and beside one that sends at least ten times as much
    Fairness {
        #[command(flatten)]
        places: Folders,
        /// How often alone and beside have their turns
        #[arg(long, default_value_t = 5)]
        rounds: usize,
        /// Seconds of each
        #[arg(long, default_value_t = 5.0)]
        seconds: f64,
        /// What the greedy tenant does; unset: one thing after the other
        #[arg(long, value_enum)]
        load: Option<fairness::Load>,
    },
    /// The greedy tenant, which `fairness` starts
    #[command(hide = true)]
    Press {
        /// Where the broker is
        address: String,
        /// What it does
        #[arg(long, value_enum)]
        load: fairness::Load,
        /// Bytes in a second; unset: as many as are answered
        #[arg(long)]
        rate: Option<f64>,
        /// How long
        #[arg(long)]
        seconds: f64,
    },
    /// The same load on Apache Kafka and on Firn, one at a time, in turns; then the report
    Versus(Versus),
    /// The report anew, from results that are there
    Report {
        /// The folder that holds results.json and gets RESULTS.md and plots/
        #[arg(long, default_value = "bench")]
        folder: PathBuf,
    },
    /// The floor, which `versus` starts: receives, checks, patches, stores; until it is ended
    Floor {
        /// Where its log is
        #[arg(long)]
        data_dir: PathBuf,
    },
    /// One case on Firn, again and again until it is stopped, for a profiler; it prints the broker's process id
    Hold {
        /// The case
        case: String,
        #[command(flatten)]
        places: Folders,
        /// Seconds of load
        #[arg(long, default_value_t = 30.0)]
        seconds: f64,
        /// On this instead of Firn
        #[arg(long, value_enum)]
        on: Option<Kind>,
    },
}

#[derive(Args, Debug)]
struct Folders {
    /// The Firn binary
    #[arg(long, default_value = "target/release/firn")]
    firn: PathBuf,
    /// The folder of Apache Kafka's jars
    #[arg(long, default_value = ".cache/tools/java/jars")]
    kafka_jars: PathBuf,
    /// The S3 server
    #[arg(long, default_value = ".cache/tools/bin/versitygw")]
    versitygw: PathBuf,
    /// Where data directories are made: on the disk that is to be measured, with 40 GB free
    #[arg(long, default_value = "target")]
    scratch: PathBuf,
}

impl Folders {
    fn places(self) -> anyhow::Result<Places> {
        Ok(Places {
            firn: self.firn,
            kafka_jars: self.kafka_jars,
            versitygw: self.versitygw,
            scratch: std::path::absolute(self.scratch)?,
        })
    }
}

#[derive(Args, Debug)]
struct Versus {
    #[command(flatten)]
    places: Folders,
    /// Which cases: their names, or how they begin, separated by commas. Unset: all
    #[arg(long, value_delimiter = ',')]
    cases: Vec<String>,
    /// How often each broker has its turn
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Seconds for which a case is measured
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    /// Seconds of load before that
    #[arg(long, default_value_t = 2.0)]
    warm_up: f64,
    /// Seconds of load at the start of each broker process, which a JVM needs
    #[arg(long, default_value_t = 8.0)]
    first: f64,
    /// Names the cases and runs none
    #[arg(long)]
    list: bool,
    /// The folder that holds results.json and gets RESULTS.md and plots/
    #[arg(long, default_value = "bench")]
    folder: PathBuf,
}

#[allow(clippy::print_stdout, reason = "the tables are the product")]
fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Figures { places, rounds } => {
            figures::run(&places.places()?, rounds, &mut std::io::stdout())
        }
        Command::Fairness {
            places,
            rounds,
            seconds,
            load,
        } => fairness::run(
            &places.places()?,
            rounds,
            Duration::try_from_secs_f64(seconds)?,
            load,
            &mut std::io::stdout(),
        ),
        Command::Press {
            address,
            load,
            rate,
            seconds,
        } => fairness::press(&address, load, rate, seconds),
        Command::Versus(asked) => asked.run(),
        Command::Report { folder } => {
            let results = Results::load(&results_in(&folder))?;
            ensure!(
                !results.cases.is_empty(),
                "{} holds no results: `firn-bench versus` makes them",
                results_in(&folder).display()
            );
            report::write(&results, &folder)?;
            print!("{}", report::terminal(&results));
            Ok(())
        }
        Command::Floor { data_dir } => floor::serve(&data_dir, &mut std::io::stdout()),
        Command::Hold {
            case,
            places,
            seconds,
            on,
        } => versus::hold(
            &case,
            on,
            &places.places()?,
            Duration::try_from_secs_f64(seconds)?,
            &mut std::io::stdout(),
        ),
    }
}

fn results_in(folder: &Path) -> PathBuf {
    folder.join("results.json")
}

impl Versus {
    #[allow(clippy::print_stdout, reason = "the tables are the product")]
    fn run(self) -> anyhow::Result<()> {
        let mut cases = versus::catalogue();
        if !self.cases.is_empty() {
            for asked in &self.cases {
                let known = cases.iter().any(|case| case.id.starts_with(asked));
                ensure!(known, "no case is called {asked}: --list names them all");
            }
            cases.retain(|case| self.cases.iter().any(|asked| case.id.starts_with(asked)));
        }
        if self.list {
            for case in &cases {
                println!("{:<24} {}: {}", case.id, case.group, case.title);
            }
            return Ok(());
        }
        let seconds = Duration::try_from_secs_f64;
        let plan = Plan {
            cases,
            rounds: self.rounds,
            times: Times {
                warm_up: seconds(self.warm_up)?,
                measured: seconds(self.seconds)?,
                first: seconds(self.first)?,
            },
            places: self.places.places()?,
        };
        let results = versus::compare(&plan, &results_in(&self.folder), &mut std::io::stdout())?;
        report::write(&results, &self.folder)?;
        print!("{}", report::terminal(&results));
        println!("written: {}", self.folder.join("RESULTS.md").display());
        Ok(())
    }
}
