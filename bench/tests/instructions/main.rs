//! Counts the instructions of what every request passes, and fails where the count is no longer the accepted one.
//!
//! The test runs itself under valgrind: on a busy machine a count is what it is on an idle one, which no time is.
//! `bench/README.md` tells what is counted and what a count does not see.

#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test without a harness"
)]

mod broker;
#[path = "../../../dataplane/broker/tests/support/client.rs"]
#[allow(dead_code, reason = "each test uses its part")]
mod client;
mod counts;
mod paths;
mod requests;
mod valgrind;
mod wire;

use std::path::Path;
use std::process::ExitCode;

use counts::{Counts, MOST_PERCENT};

/// Says that the paths are to be run, which is what valgrind does.
const RUN: &str = "--run";
/// Says that the counts are accepted from now on.
const ACCEPT: &str = "--accept";

fn main() -> ExitCode {
    let told = |argument| std::env::args().any(|given| given == argument);
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR")).join("instructions");
    if told(RUN) {
        println!("{}", paths::run(&scratch.join("broker")).join("\n"));
        return ExitCode::SUCCESS;
    }
    if !cfg!(all(target_arch = "x86_64", target_os = "linux")) {
        println!("instructions: not checked; the accepted counts are those of Linux on x86-64");
        return ExitCode::SUCCESS;
    }
    match check(&scratch.join("profiles"), told(ACCEPT)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("{sentence}");
            ExitCode::FAILURE
        }
    }
}

fn check(profiles: &Path, accept: bool) -> Result<(), String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("instructions.txt");
    let accepted = Counts::read(&file)?;
    let counted = valgrind::count(profiles)?;
    println!("{}", accepted.compared(&counted));
    if accept {
        counted.write(&file)?;
        println!("accepted: {} holds these counts now", file.display());
    } else if !accepted.allow(&counted) {
        return Err(format!(
            "instructions: a count is more than {MOST_PERCENT} % away from the accepted one in bench/instructions.txt\n\
             fewer: accept it with `make accept-instructions`, and commit the file\n\
             more: find out why, with `callgrind_annotate --auto=no --threshold=100 {}/NAME`; accept it if it is worth it",
            profiles.display()
        ));
    }
    Ok(())
}
