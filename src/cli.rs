//! The command line. Its flags come from the settings table; clap only splits words and prints help, so that a
//! wrong value is refused in one place, with its origin, wherever it came from.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::audit::Verify;
use crate::config::kind::Kind;
use crate::config::{SETTINGS, Setting};

/// What the caller asked for.
#[derive(Debug)]
pub enum Request {
    /// Serve in this role.
    Serve(Role, Given),
    /// Print the settings.
    Config {
        /// What was said about them.
        given: Given,
        /// As JSON.
        json: bool,
    },
    /// Check an exported audit trail.
    VerifyAudit(Verify),
}

/// What a process that serves is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Everything in one process.
    Dev,
    /// The data plane.
    Broker,
    /// The control plane.
    Control,
}

/// What the command line said about settings.
#[derive(Debug)]
pub struct Given {
    /// The TOML file.
    pub file: Option<PathBuf>,
    /// Values by setting, in the order in which they were given.
    pub flags: BTreeMap<&'static str, Vec<String>>,
}

/// Reads the command line. Help and version print and exit 0; wrong usage prints and exits 2.
pub fn parse() -> Request {
    let command = command();
    match command.get_matches().subcommand() {
        Some(("config", matches)) => Request::Config {
            given: given(matches),
            json: matches.get_flag("json"),
        },
        Some(("audit", matches)) => Request::VerifyAudit(verify(matches)),
        Some(("broker", matches)) => Request::Serve(Role::Broker, given(matches)),
        Some(("control", matches)) => Request::Serve(Role::Control, given(matches)),
        Some((_, matches)) => Request::Serve(Role::Dev, given(matches)),
        None => unreachable!("clap requires a subcommand and knows these"),
    }
}

fn command() -> Command {
    Command::new("firn")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Firn: a Kafka-compatible streaming service that settles its records in object storage")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(with_settings(
            Command::new("dev")
                .about("Run everything in this process, for this machine: broker, catalog, storage, HTTP")
                .after_long_help(AFTER_DEV)
                .after_help(AFTER_ALL),
        ))
        .subcommand(with_settings(
            Command::new("broker")
                .about("Run a broker of a cell: Kafka clients, records, groups; needs catalog, store and master-key")
                .after_long_help(AFTER_BROKER)
                .after_help(AFTER_ALL),
        ))
        .subcommand(with_settings(
            Command::new("control")
                .about("Run the control plane of a cell: the API and the pages; needs catalog, master-key and smtp-url")
                .after_long_help(AFTER_CONTROL)
                .after_help(AFTER_ALL),
        ))
        .subcommand(
            with_settings(Command::new("config").about(
                "Print every setting: its value and where that came from, its default, unit and effect",
            ))
            .arg(
                Arg::new("json")
                    .long("json")
                    .action(ArgAction::SetTrue)
                    .help("Print a JSON array"),
            ),
        )
        .subcommand(audit())
}

fn audit() -> Command {
    let file = Arg::new("file")
        .value_name("FILE")
        .required(true)
        .value_parser(clap::value_parser!(PathBuf))
        .help("The export, one line of JSON for each row; - reads standard input");
    let head = Arg::new("head").long("head").value_name("FILE-or-TOKEN").help(
        "An end of the trail that was kept: also tell whether rows before it were cut off or written anew",
    );
    let jwks = Arg::new("jwks")
        .long("jwks")
        .value_name("FILE")
        .value_parser(clap::value_parser!(PathBuf))
        .requires("head")
        .help("What the service's /v1/jwks.json answered: the head must be signed by a key in it");
    Command::new("audit")
        .about("Look at exported audit trails")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            Command::new("verify")
                .about("Tell whether an exported audit trail is as the service wrote it")
                .after_long_help(AFTER_VERIFY)
                .arg(file)
                .arg(head)
                .arg(jwks),
        )
}

fn verify(matches: &ArgMatches) -> Verify {
    let (_, matches) = matches.subcommand().unwrap_or(("verify", matches));
    Verify {
        file: matches.get_one::<PathBuf>("file").cloned().unwrap_or_default(),
        head: matches.get_one::<String>("head").cloned(),
        jwks: matches.get_one::<PathBuf>("jwks").cloned(),
    }
}

const AFTER_VERIFY: &str = "\
Every row of an audit trail has a position and a hash over what it says and the hash of the row before it. So a row that was
changed, taken out, moved or put in breaks the chain at its line, which is told, and why.

Export a cluster's trail (or an organization's, with /v1/organizations/org_...), and check it:
    curl -H \"Authorization: Bearer $API_KEY\" $FIRN/v1/clusters/clu_.../audit/export > trail.jsonl
    firn audit verify trail.jsonl
Go on from where the last export ended (position 1200), and check both together:
    curl -H ... \"$FIRN/v1/clusters/clu_.../audit/export?after=1200\" >> trail.jsonl
Whoever can write the database could cut rows off at the end, or compute a whole chain anew. Keep its signed end elsewhere:
    curl -H ... $FIRN/v1/clusters/clu_.../audit/head > head.json
    curl $FIRN/v1/jwks.json > jwks.json
    firn audit verify --head head.json --jwks jwks.json trail.jsonl
A key is published as long as it signs: keep both files together. Without --jwks a head vouches for its own key, which anybody can make.
The records of the topic __audit are the same lines:
    kcat -C -t __audit -e ... | firn audit verify -

Exit codes: 0 unbroken, 1 broken or unreadable, 2 wrong usage.";

const AFTER_ALL: &str = "Every flag is also a FIRN_* variable and a TOML key: see `firn config`.";

const AFTER_BROKER: &str = "\
Prints one line on standard output once it serves:
    ready kafka=HOST:PORT http=http://HOST:PORT
Clients log in with what `firn control` of the same cell has given them. With the catalog's database down it serves on.
Each broker has a data directory and a number (--node) of its own; catalog, store and master key are the cell's.

Exit codes: 0 clean, 1 failure, 2 wrong usage or configuration, 3 fenced by a successor.";

const AFTER_CONTROL: &str = "\
Prints one line on standard output once it serves:
    ready http=http://HOST:PORT
It keeps nothing on its machine: any number of them can run for one cell, and streams go on without any.

Exit codes: 0 clean, 1 failure, 2 wrong usage or configuration.";

const AFTER_DEV: &str = "\
Prints one line on standard output once it serves:
    ready kafka=HOST:PORT http=http://HOST:PORT
Logs go to standard error. SIGTERM or Ctrl-C makes pending records durable, answers them and ends.

A first stream, in another terminal:
    echo 'hello' | kcat -b 127.0.0.1:9092 -P -t greetings
    kcat -b 127.0.0.1:9092 -C -t greetings -e

Exit codes: 0 clean, 1 failure, 2 wrong usage or configuration, 3 fenced by a successor.";

fn with_settings(command: Command) -> Command {
    command
        .arg(
            Arg::new("config")
                .long("config")
                .value_name("FILE")
                .value_parser(clap::value_parser!(PathBuf))
                .help(
                    "Read settings from this TOML file; flags and variables override it [env: FIRN_CONFIG]",
                ),
        )
        .args(SETTINGS.iter().map(flag))
}

fn flag(setting: &'static Setting) -> Arg {
    let first = setting
        .effect
        .split_inclusive(". ")
        .next()
        .unwrap_or(setting.effect)
        .trim_end();
    let mut facts = format!("[env: {}]", setting.variable());
    if !setting.default.is_empty() {
        facts.push_str(&format!(" [default: {}]", setting.default));
    }
    let action = match setting.kind {
        Kind::Pairs => ArgAction::Append,
        _ => ArgAction::Set,
    };
    Arg::new(setting.name)
        .long(setting.name)
        .value_name(setting.kind.placeholder())
        .action(action)
        .allow_hyphen_values(true)
        .help(format!("{first} {facts}"))
        .long_help(format!("{}\n{facts}", setting.effect))
}

fn given(matches: &ArgMatches) -> Given {
    let values = |setting: &'static Setting| {
        let values: Vec<String> = matches.get_many::<String>(setting.name)?.cloned().collect();
        Some((setting.name, values))
    };
    Given {
        file: matches.get_one::<PathBuf>("config").cloned(),
        flags: SETTINGS.iter().filter_map(values).collect(),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_is_consistent() {
        super::command().debug_assert();
    }
}
