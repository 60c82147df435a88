//! Firn, the binary: `firn dev` runs everything in one process, `firn config` explains every setting.
//!
//! | module | what is in it |
//! |---|---|
//! | `cli` | the command line, derived from the settings table |
//! | `config` | settings: one table, three sources, typed result |
//! | `dev` | `firn dev`: data directory, assembly, shutdown |
//! | `telemetry` | logs, metrics and traces of the process |
//! | `memory` | how the process's memory is handed out |
//! | `exit` | exit codes and their sentences |

mod cli;
mod config;
mod dev;
mod exit;
mod memory;
mod telemetry;

use std::collections::BTreeMap;
use std::io::Write;
use std::process::ExitCode;

use cli::{Given, Request};
use config::{ConfigError, Settings, Sources};
use exit::Failure;

fn main() -> ExitCode {
    memory::share_arenas();
    let outcome = match cli::parse() {
        Request::Dev(given) => run_dev(&given),
        Request::Config { given, json } => show_config(&given, json),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            say(&mut std::io::stderr(), &format!("error: {failure}\n"));
            failure.code()
        }
    }
}

fn run_dev(given: &Given) -> Result<(), Failure> {
    rustls::crypto::ring::default_provider()
        .install_default()
        .map_err(|_| Failure::failed("another TLS provider is installed already"))?;
    let environment = environment();
    let sources = read_sources(given, &environment)?;
    let settings = Settings::resolve(&sources)?;
    dev::run(settings, &config::unknown_variables(&environment))
}

fn show_config(given: &Given, json: bool) -> Result<(), Failure> {
    let sources = read_sources(given, &environment())?;
    Settings::resolve(&sources)?;
    let text = if json {
        config::as_json(&sources) + "\n"
    } else {
        config::as_table(&sources)
    };
    say(&mut std::io::stdout(), &text);
    Ok(())
}

fn read_sources(given: &Given, environment: &BTreeMap<String, String>) -> Result<Sources, Failure> {
    let named = given
        .file
        .clone()
        .or_else(|| environment.get("FIRN_CONFIG").map(Into::into));
    let file = match &named {
        None => None,
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|error| ConfigError::File {
                path: path.display().to_string(),
                reason: error.to_string(),
            })?;
            Some((path.display().to_string(), text))
        }
    };
    let file = file.as_ref().map(|(path, text)| (path.as_str(), text.as_str()));
    Ok(Sources::read(file, environment, &given.flags)?)
}

/// The environment as text; a variable that is no text cannot be a setting of ours.
fn environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// Writes to a standard stream. A reader that has gone away (`firn config | head`) is no failure of ours.
fn say(stream: &mut impl Write, text: &str) {
    if stream.write_all(text.as_bytes()).is_ok() {
        drop(stream.flush());
    }
}
