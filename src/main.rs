//! Firn, the binary: `firn dev` runs everything in one process, `firn broker` and `firn control` the two planes of a cell,
//! `firn config` explains every setting, `firn audit verify` checks an exported audit trail.
//!
//! | module | what is in it |
//! |---|---|
//! | `cli` | the command line, derived from the settings table |
//! | `config` | settings: one table, three sources, typed result |
//! | `audit` | checking exported audit trails |
//! | `roles` | what each role puts together |
//! | `assembly` | the parts: foundation, data plane, control plane, built from the settings |
//! | `process` | what any process that serves has: start and stop, addresses, data directory |
//! | `certificates` | what TLS clients are shown, and the authority of `firn dev` |
//! | `private_file` | files that nobody else may read |
//! | `telemetry` | logs, metrics and traces of the process |
//! | `memory` | how the process's memory is handed out |
//! | `exit` | exit codes and their sentences |

mod assembly;
mod audit;
mod certificates;
mod cli;
mod config;
mod exit;
mod memory;
mod private_file;
mod process;
mod roles;
mod telemetry;

use std::collections::BTreeMap;
use std::io::Write;
use std::process::ExitCode;

use cli::{Given, Request, Role};
use config::{ConfigError, Settings, Sources};
use exit::Failure;
use process::life;
use roles::broker::Broker;
use roles::control::Control;
use roles::dev::Dev;

fn main() -> ExitCode {
    memory::share_arenas();
    let outcome = match cli::parse() {
        Request::Serve(role, given) => serve(role, &given),
        Request::Config { given, json } => show_config(&given, json),
        Request::VerifyAudit(asked) => audit::verify(&asked),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            say(&mut std::io::stderr(), &format!("error: {failure}\n"));
            failure.code()
        }
    }
}

fn serve(role: Role, given: &Given) -> Result<(), Failure> {
    rustls::crypto::ring::default_provider()
        .install_default()
        .map_err(|_| Failure::failed("another TLS provider is installed already"))?;
    let environment = environment();
    let sources = read_sources(given, &environment)?;
    let settings = Settings::resolve(&sources)?;
    let unknown = config::unknown_variables(&environment);
    match role {
        Role::Dev => life::run::<Dev>(&settings, &unknown),
        Role::Broker => life::run::<Broker>(&settings, &unknown),
        Role::Control => life::run::<Control>(&settings, &unknown),
    }
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
