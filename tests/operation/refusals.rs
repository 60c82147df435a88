//! Starts that cannot succeed end with exit code 1 and a sentence that names what is in the way.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::Command;

use rustix::process::geteuid;

use crate::support::firn::{BINARY, Ended, Firn, FirnOptions, run};
use crate::support::http;
use crate::support::object_server::ObjectServer;

/// The user to whom everything that root may do is denied.
const NOBODY: u32 = 65534;

fn failed(ended: &Ended, parts: &[&str]) {
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_eq!(ended.stdout, "", "a process that never served printed something");
    for part in parts {
        assert!(ended.stderr.contains(part), "lacks {part}: {}", ended.stderr);
    }
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
}

#[test]
fn a_port_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let options = FirnOptions::default();
    failed(
        &run(options.clone().with_kafka(&address).command()),
        &["kafka: cannot listen on", &address],
    );
    failed(
        &run(options.with_http(&address).command()),
        &["http: cannot listen on", &address],
    );
}

#[test]
fn a_data_directory_in_use_names_its_holder_and_the_holder_serves_on() {
    let mut holder = Firn::start(FirnOptions::default());
    let second = FirnOptions::default().with_data_dir(holder.options().data_dir());
    failed(
        &run(second.command()),
        &["in use by process", &holder.pid().to_string(), "--data-dir"],
    );
    assert!(holder.is_running());
    assert_eq!(holder.get("/readyz").status, 200);
}

#[test]
fn a_data_directory_that_cannot_be_made_is_named() {
    let options = FirnOptions::default();
    let file = options.scratch().join("file");
    fs::write(&file, "").unwrap();
    let beneath = file.join("data");
    let ended = run(options.with_data_dir(&beneath).command());
    failed(&ended, &["data-dir: ", beneath.to_str().unwrap()]);
    // Nobody can make files here, not even root.
    let ended = run(FirnOptions::default().with_data_dir("/proc/self/firn").command());
    failed(&ended, &["data-dir: ", "/proc/self/firn"]);
}

#[test]
fn a_data_directory_of_a_newer_version_is_refused_by_its_number() {
    let options = FirnOptions::default();
    fs::create_dir_all(options.data_dir()).unwrap();
    fs::write(options.data_dir().join("version"), "7\n").unwrap();
    failed(&run(options.command()), &["format version 7", "knows up to 1"]);
    assert_eq!(
        fs::read_to_string(options.data_dir().join("version")).unwrap(),
        "7\n"
    );
}

#[test]
fn a_store_that_cannot_be_reached_is_refused_in_bounded_time() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", closed.local_addr().unwrap());
    drop(closed);
    let options = FirnOptions::default()
        .arg("--store")
        .arg("s3://bucket/prefix")
        .env("AWS_ENDPOINT", &endpoint)
        .env("AWS_ALLOW_HTTP", "true")
        .env("AWS_REGION", "us-east-1")
        .env("AWS_ACCESS_KEY_ID", "id")
        .env("AWS_SECRET_ACCESS_KEY", "verysecret");
    let ended = run(options.command());
    let sentence = ended.stderr.lines().last().unwrap();
    let probe = format!("{endpoint}/bucket/prefix/");
    for part in ["store: s3://bucket/prefix ", &probe, "Connection refused"] {
        assert!(sentence.contains(part), "lacks {part}: {sentence}");
    }
    failed(&ended, &[]);
    for hidden in ["verysecret", "PrefixObjectStore"] {
        assert!(!ended.stderr.contains(hidden), "{}", ended.stderr);
    }
}

#[test]
fn a_variable_of_the_store_that_is_wrong_is_bad_configuration() {
    for (name, value, why) in [
        ("AWS_ENDPOINT_URL", "notaurl", "'notaurl' is no address"),
        (
            "AWS_ENDPOINT_URL",
            "127.0.0.1:9000",
            "'127.0.0.1:9000' is no address",
        ),
        ("AWS_REGION", "not a region", "'not a region' is no region"),
    ] {
        let options = FirnOptions::default().arg("--store").arg("s3://bucket");
        let ended = run(options.env(name, value).command());
        assert_eq!(ended.code, Some(2), "{ended:?}");
        let expected = format!("store: {name}: {why}");
        assert!(ended.stderr.contains(&expected), "{}", ended.stderr);
    }
}

#[test]
fn a_store_or_catalog_of_an_unknown_kind_is_bad_configuration() {
    let options = FirnOptions::default();
    for (setting, url) in [("store", "ftp://host/path"), ("catalog", "oracle://host/db")] {
        let ended = run(options.clone().arg(format!("--{setting}")).arg(url).command());
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.stderr.contains(&format!("{setting}: ")), "{}", ended.stderr);
    }
}

#[test]
fn a_store_in_memory_would_lose_everything_and_is_refused_with_the_forms_that_do() {
    let options = FirnOptions::default().arg("--store").arg("memory://");
    let ended = run(options.command());
    assert_eq!(ended.code, Some(2), "{ended:?}");
    for part in ["store: ", "'memory'", "file:///DIRECTORY", "s3://BUCKET/PREFIX"] {
        assert!(ended.stderr.contains(part), "lacks {part}: {}", ended.stderr);
    }
}

#[test]
fn a_second_process_on_the_same_wal_directory_is_refused() {
    let scratch = tempfile::tempdir().unwrap();
    let wal = format!("disk:{}", scratch.path().join("wal").display());
    let mut first = Firn::start(FirnOptions::default().arg("--wal").arg(&wal));
    let ended = run(FirnOptions::default().arg("--wal").arg(&wal).command());
    failed(&ended, &["wal"]);
    assert!(first.is_running() && http::get(&first.http, "/readyz").status == 200);
}

/// The command of `options` as a user for whom permissions count: root is let in everywhere.
fn unprivileged(options: &FirnOptions, folder: &Path) -> Command {
    let command = options.command();
    if !geteuid().is_root() {
        return command;
    }
    // The binary's own folder may be closed to others.
    let binary = folder.join("firn");
    fs::copy(BINARY, &binary).unwrap();
    let ids = [
        format!("--reuid={NOBODY}"),
        format!("--regid={NOBODY}"),
        "--clear-groups".into(),
    ];
    let mut lowered = Command::new("setpriv");
    lowered
        .args(ids)
        .arg(binary)
        .args(command.get_args())
        .current_dir("/");
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => lowered.env(name, value),
            None => lowered.env_remove(name),
        };
    }
    lowered
}

#[test]
fn a_data_directory_that_may_not_be_written_is_named_with_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let closed = folder.path().join("closed");
    fs::create_dir(&closed).unwrap();
    if geteuid().is_root() {
        chown(&closed, Some(NOBODY), Some(NOBODY)).unwrap();
    }
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o500)).unwrap();
    let there = unprivileged(&FirnOptions::default().with_data_dir(&closed), folder.path());
    let parts = [
        "data-dir: ",
        closed.to_str().unwrap(),
        "Permission denied",
        "writable?",
    ];
    failed(&run(there), &parts);
    let below = closed.join("data");
    let to_be_made = unprivileged(&FirnOptions::default().with_data_dir(&below), folder.path());
    let parts = [
        "data-dir: ",
        below.to_str().unwrap(),
        "cannot be made",
        "Permission denied",
    ];
    failed(&run(to_be_made), &parts);
}

#[test]
fn a_store_that_lets_two_creates_win_is_refused_with_the_reason() {
    let store = ObjectServer::that_lets_every_create_win();
    for wal in ["disk", "object"] {
        let options = store.keep(FirnOptions::default()).arg("--wal").arg(wal);
        let parts = [
            "store: s3://bucket/cell is refused at start",
            "let 4 of 4 racing creates of one object succeed",
            "could acknowledge different records at one offset",
        ];
        failed(&run(options.command()), &parts);
    }
}
