//! `firn-sim`: plays seeds, tells how it goes, and how to replay the one that failed.
#![allow(clippy::print_stdout, reason = "a command-line tool talks to its user")]

use std::process::ExitCode;

use clap::Parser;
use firn_log::planted::Mistake;
use firn_simulation::{Outcome, run};

/// Plays the log under faults: the same seed gives the same run.
#[derive(Parser)]
struct Options {
    /// How many seeds to play.
    #[arg(long, default_value_t = 200)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Replay this seed alone and print its whole trace.
    #[arg(long)]
    seed: Option<u64>,
    /// Plant a mistake: AckBeforeEarlier, AnswerDuplicateEarly, ReuseSlotNumber, FreeBeforeCheckpoint,
    /// ExistsIsSuccess, DeleteFence, CountTwice or LeaveSlots. Seeds are then expected to fail.
    #[arg(long, value_parser = mistake)]
    mistake: Option<Mistake>,
    /// Go on after a seed that failed.
    #[arg(long)]
    keep_going: bool,
}

fn mistake(name: &str) -> Result<Mistake, String> {
    let named = Mistake::ALL
        .into_iter()
        .find(|mistake| format!("{mistake:?}") == name);
    named.ok_or_else(|| format!("there is no mistake '{name}'; there are {:?}", Mistake::ALL))
}

fn main() -> ExitCode {
    let options = Options::parse();
    if let Some(seed) = options.seed {
        let outcome = run(seed, options.mistake, true);
        report(&outcome, options.mistake);
        return exit(outcome.violations.is_empty());
    }
    let (mut failed, mut records) = (0, 0);
    for seed in options.from..options.from + options.seeds {
        let outcome = run(seed, options.mistake, false);
        records += outcome.counts.acknowledged;
        if !outcome.violations.is_empty() {
            failed += 1;
            report(&outcome, options.mistake);
            if !options.keep_going {
                return exit(false);
            }
        }
        let played = seed - options.from + 1;
        if played % 50 == 0 || played == options.seeds {
            println!(
                "{played} of {} seeds, {records} acknowledged records, {failed} failed",
                options.seeds
            );
        }
    }
    exit(failed == 0)
}

fn report(outcome: &Outcome, mistake: Option<Mistake>) {
    let (hash, lines) = outcome.trace;
    println!(
        "seed {}: {} processes, {} records acknowledged, {} read, trace {hash:016x} of {lines} lines",
        outcome.seed, outcome.processes, outcome.counts.acknowledged, outcome.counts.read
    );
    if outcome.violations.is_empty() {
        return;
    }
    for violation in outcome.violations.iter().take(10) {
        println!("  {violation}");
    }
    let planted = mistake
        .map(|mistake| format!(" --mistake {mistake:?}"))
        .unwrap_or_default();
    println!(
        "  replay: cargo run -p firn-simulation --bin firn-sim -- --seed {}{planted}",
        outcome.seed
    );
}

fn exit(good: bool) -> ExitCode {
    if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
