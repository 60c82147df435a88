//! Passwords, keys, tokens and what they are sealed with: used in a whole life of an organization, and then looked for, in several
//! encodings, in the log at its most talkative, in every error, in the metrics, in every row of the catalog and in the exported
//! audit trails.
#![allow(clippy::print_stdout, reason = "tests talk to whoever reads their output")]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]
#![allow(
    clippy::disallowed_methods,
    reason = "these tests drive real processes by the real clock"
)]

mod support;

#[path = "secrets/life.rs"]
mod life;
#[path = "secrets/proofs.rs"]
mod proofs;
#[path = "secrets/search.rs"]
mod search;

use std::fs;
use std::os::unix::fs::OpenOptionsExt;

use life::Life;
use search::Secret;
use std::io::Write as _;
use support::firn::{Firn, FirnOptions};
use support::postgres::Postgres;

/// Everything that this process and its libraries have to say.
const TALKATIVE: &str = "trace";

/// Below this name clusters have names of their own.
const DOMAIN: &str = "kafka.test";

/// A process with a master key that the test knows, and the key.
fn start(options: FirnOptions) -> (Firn, Secret) {
    let key: String = (0..32).map(|_| format!("{:02x}", rand::random::<u8>())).collect();
    let file = options.scratch().join("master.key");
    let mut opened = fs::OpenOptions::new();
    let mut opened = opened
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&file)
        .unwrap();
    opened.write_all(key.as_bytes()).unwrap();
    let options = options
        .set("master-key", file.display().to_string())
        .set("cell-domain", DOMAIN)
        .set("log-level", TALKATIVE);
    (
        Firn::start(options),
        Secret::of_bytes("the master key", &key, &hex::decode(&key).unwrap()),
    )
}

/// Lives a life, and looks for what was secret in it; `catalog` reads every row.
fn shows_no_secret(options: FirnOptions, catalog: impl Fn(&Firn) -> Vec<u8>) {
    let (mut firn, master) = start(options);
    let mut life = Life::live(&firn);
    life.secrets.push(master);
    let metrics = firn.get("/metrics").body;
    let rows = catalog(&firn);
    assert!(firn.terminate().success(), "{}", firn.log());
    let log = firn.log();
    let refusals = life.refusals.join("\n");
    println!(
        "{} secrets; {} lines of log, {} refusals, {} bytes of metrics, {} of rows",
        life.secrets.len(),
        log.lines().count(),
        life.refusals.len(),
        metrics.len(),
        rows.len()
    );
    assert!(log.contains("TRACE") && life.refusals.len() > 10 && metrics.len() > 1_000);
    let email = life.email.as_bytes();
    assert!(
        search::contains(&rows, email),
        "these are not the rows of the catalog"
    );
    let mut found = Vec::new();
    for (place, bytes) in [
        ("the log", log.as_bytes()),
        ("an error", refusals.as_bytes()),
        ("the metrics", metrics.as_bytes()),
        ("the catalog", &rows),
        ("an audit trail", life.trails.as_bytes()),
    ] {
        found.extend(life.secrets.iter().flat_map(|secret| secret.found(place, bytes)));
        if search::contains(bytes, b"PRIVATE KEY") {
            found.push(format!("a private key is in {place}"));
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn no_secret_is_in_logs_errors_metrics_or_tables() {
    shows_no_secret(FirnOptions::default(), |firn| {
        let files = fs::read_dir(firn.options().data_dir()).unwrap().flatten();
        let files = files.filter(|file| file.file_name().to_string_lossy().starts_with("catalog.db"));
        files.flat_map(|file| fs::read(file.path()).unwrap()).collect()
    });
}

#[test]
fn no_secret_is_in_logs_errors_metrics_or_tables_of_postgresql() {
    let postgres = Postgres::start();
    let options = FirnOptions::default().set("catalog", postgres.url());
    shows_no_secret(options, |_| postgres.dump());
}
