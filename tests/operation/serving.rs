//! A process that serves: the ready line, the health pages, stops and restarts.

use std::fs::{self, File, Permissions};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Stdio};

use rustix::process::Signal;

use crate::support::firn::{Firn, FirnOptions};
use crate::support::wait_for;

#[test]
fn the_ready_line_is_the_only_line_and_its_addresses_answer() {
    let firn = Firn::start(FirnOptions::default());
    let line = format!("ready kafka={} http=http://{}\n", firn.kafka, firn.http);
    assert_eq!(firn.stdout(), line);
    assert!(!firn.kafka.ends_with(":0") && !firn.http.ends_with(":0"));
    TcpStream::connect(&firn.kafka).unwrap();
    assert_eq!(firn.get("/healthz").body, "ok\n");
    let ready = firn.get("/readyz");
    assert_eq!(
        (ready.status, ready.body.as_str()),
        (200, r#"{"status":"ready","reasons":[]}"#)
    );
}

#[test]
fn metrics_tell_about_the_process_and_its_build() {
    let firn = Firn::start(FirnOptions::default());
    firn.get("/healthz");
    let metrics = firn.get("/metrics");
    assert_eq!(metrics.status, 200);
    assert!(
        metrics
            .header("content-type")
            .unwrap()
            .starts_with("text/plain; version=0.0.4")
    );
    let value = |name: &str| {
        firn.metric(name)
            .unwrap_or_else(|| panic!("no {name} in\n{}", metrics.body))
    };
    assert_eq!(value("firn_build_info"), 1.0);
    assert!(value("process_resident_memory_bytes") > 1e6);
    assert!(value("process_open_fds") > 3.0);
    assert!(value("process_cpu_seconds_total") > 0.0);
    assert!(value("process_start_time_seconds") > 1.7e9);
    assert!(value("firn_http_request_duration_seconds_count") >= 1.0);
}

#[test]
fn the_page_names_the_bootstrap_address() {
    let firn = Firn::start(FirnOptions::default());
    let page = firn.get("/");
    assert!(
        page.body.contains(&format!("Kafka bootstrap: {}", firn.kafka)),
        "{}",
        page.body
    );
    assert_eq!(firn.get("/v1/nothing").status, 404);
}

#[test]
fn a_signal_ends_it_cleanly_and_the_next_start_serves_again() {
    let mut firn = Firn::start(FirnOptions::default());
    assert_eq!(firn.terminate().code(), Some(0), "{}", firn.log());
    firn.restart();
    firn.signal(Signal::INT);
    assert_eq!(firn.wait().code(), Some(0), "{}", firn.log());
    assert!(!firn.log().contains("panicked"));
}

#[test]
fn a_killed_process_leaves_a_directory_that_starts_again() {
    let mut firn = Firn::start(FirnOptions::default());
    for _ in 0..3 {
        firn.kill9();
        firn.restart();
    }
    assert_eq!(firn.get("/readyz").status, 200);
    assert_eq!(firn.terminate().code(), Some(0));
}

/// A process with a data directory of its own that shares store, catalog and master key with others.
fn in_cell(cell: &Path) -> FirnOptions {
    let within = |name: &str| cell.join(name).display().to_string();
    let key = cell.join("key");
    fs::write(&key, "7".repeat(64)).unwrap();
    fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
    FirnOptions::default()
        .set("wal", "object")
        .set("store", format!("file://{}", within("store")))
        .set("catalog", format!("sqlite://{}", within("catalog.db")))
        .set("master-key", within("key"))
}

#[test]
fn a_process_whose_log_a_successor_has_taken_over_ends_with_code_three() {
    let cell = tempfile::tempdir().unwrap();
    let mut first = Firn::start(in_cell(cell.path()));
    let second = Firn::start(in_cell(cell.path()));
    assert_eq!(first.wait().code(), Some(3), "{}", first.log());
    assert!(
        first.log().contains("error: a successor has taken over"),
        "{}",
        first.log()
    );
    assert_eq!(second.get("/readyz").status, 200);
}

#[test]
fn of_several_that_start_at_once_one_serves_and_the_others_end_with_code_three() {
    let cell = tempfile::tempdir().unwrap();
    let options: Vec<_> = (0..4).map(|_| in_cell(cell.path())).collect();
    let mut running: Vec<_> = options
        .iter()
        .map(|options| {
            let said = File::create(options.scratch().join("said")).unwrap();
            let child = options.command().stdout(Stdio::null()).stderr(said).spawn();
            (Killed(child.unwrap()), options)
        })
        .collect();
    let mut ended = 0;
    let all_but_one = wait_for(crate::support::firn::PATIENCE, || {
        running.retain_mut(|(child, options)| {
            let Some(status) = child.0.try_wait().unwrap() else {
                return true;
            };
            let said = fs::read_to_string(options.scratch().join("said")).unwrap();
            assert_eq!(status.code(), Some(3), "{said}");
            assert!(said.contains("a successor has taken over"), "{said}");
            ended += 1;
            false
        });
        (ended == 3).then_some(())
    });
    assert!(all_but_one.is_some(), "{ended} of 4 have ended");
    assert!(running[0].0.0.try_wait().unwrap().is_none(), "one serves on");
}

/// A process that does not outlive its test.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        if matches!(self.0.try_wait(), Ok(None)) {
            self.0.kill().unwrap();
            self.0.wait().unwrap();
        }
    }
}

#[test]
fn an_idle_client_does_not_hold_up_the_end() {
    let mut firn = Firn::start(FirnOptions::default());
    let kafka = TcpStream::connect(&firn.kafka).unwrap();
    let http = TcpStream::connect(&firn.http).unwrap();
    assert_eq!(firn.terminate().code(), Some(0), "{}", firn.log());
    drop((kafka, http));
}

#[test]
fn everything_it_keeps_is_in_the_data_directory() {
    let firn = Firn::start(FirnOptions::default());
    let data_dir = firn.options().data_dir();
    assert_eq!(fs::read_to_string(data_dir.join("version")).unwrap(), "1\n");
    let lock = fs::read_to_string(data_dir.join("lock")).unwrap();
    assert_eq!(lock, format!("process {}\n", firn.pid()));
    for part in ["store", "wal", "catalog.db"] {
        assert!(data_dir.join(part).exists(), "no {part}");
    }
    let mode = fs::metadata(data_dir).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700, "others on this machine can read records");
}

#[test]
fn log_lines_can_be_json() {
    let mut firn = Firn::start(FirnOptions::default().arg("--log-format").arg("json"));
    assert_eq!(firn.terminate().code(), Some(0));
    let log = firn.log();
    assert!(log.lines().count() > 0);
    for line in log.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(
            line["level"].is_string() && line["timestamp"].is_string(),
            "{line}"
        );
    }
}

#[test]
fn a_misspelt_variable_is_warned_about() {
    let firn = Firn::start(FirnOptions::default().env("FIRN_WAL_LINGR", "5ms"));
    let warned = wait_for(crate::support::firn::PATIENCE, || {
        firn.log().contains("FIRN_WAL_LINGR").then_some(())
    });
    assert!(warned.is_some(), "{}", firn.log());
}

#[test]
fn a_file_a_variable_and_a_flag_configure_a_running_process() {
    let options = FirnOptions::default();
    let file = options.scratch().join("firn.toml");
    fs::write(
        &file,
        "log-level = \"error\"\nadvertise = \"localhost\"\n[kafka]\nnum.partitions = 3\n",
    )
    .unwrap();
    let options = options
        .arg("--config")
        .arg(file.to_str().unwrap())
        .env("FIRN_LOG_LEVEL", "debug");
    let mut firn = Firn::start(options);
    assert!(firn.get("/").body.contains("Kafka bootstrap: localhost:"));
    assert_eq!(firn.terminate().code(), Some(0));
    assert!(
        firn.log().contains("INFO"),
        "the variable did not override the file"
    );
}
