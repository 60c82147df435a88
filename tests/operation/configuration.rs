//! Flags, variables, the file, and what `firn config` and help say about them.

use std::fs;

use crate::support::firn::{Ended, FirnOptions, firn_command, run};

/// Asserts exit code 2, nothing on standard output, and every part of the sentence on standard error.
fn refused(ended: &Ended, parts: &[&str]) {
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert_eq!(ended.stdout, "");
    for part in parts {
        assert!(ended.stderr.contains(part), "lacks {part}: {}", ended.stderr);
    }
}

#[test]
fn an_unknown_flag_is_bad_usage() {
    refused(&run(firn_command(["dev", "--colour", "red"])), &["--colour"]);
    refused(&run(firn_command(["serve"])), &["serve"]);
    assert_eq!(run(firn_command::<&str>([])).code, Some(2));
}

#[test]
fn an_unknown_key_in_the_file_is_named_with_the_file() {
    let options = FirnOptions::default();
    let file = options.scratch().join("firn.toml");
    fs::write(&file, "wal-lingr = \"5ms\"\n").unwrap();
    let ended = run(options.arg("--config").arg(file.to_str().unwrap()).command());
    refused(
        &ended,
        &[
            "wal-lingr: no such setting",
            "firn.toml",
            "did you mean wal-linger?",
        ],
    );
}

#[test]
fn a_file_that_is_absent_or_no_toml_is_named() {
    let options = FirnOptions::default();
    let file = options.scratch().join("firn.toml");
    let path = file.to_str().unwrap().to_owned();
    refused(
        &run(options.clone().arg("--config").arg(&path).command()),
        &["config: ", "firn.toml"],
    );
    fs::write(&file, "wal-linger = = 5\n").unwrap();
    refused(
        &run(options.env("FIRN_CONFIG", &path).command()),
        &["firn.toml", "no TOML"],
    );
}

#[test]
fn a_wrong_value_is_named_with_its_origin() {
    let options = FirnOptions::default();
    let flag = options.clone().arg("--wal-slots-in-flight").arg("0");
    refused(
        &run(flag.command()),
        &["wal-slots-in-flight", "\"0\"", "flag --wal-slots-in-flight"],
    );
    let variable = options.clone().env("FIRN_GC_GRACE", "soon");
    refused(
        &run(variable.command()),
        &["gc-grace", "\"soon\"", "FIRN_GC_GRACE"],
    );
    let port = options.with_kafka("127.0.0.1:99999");
    refused(&run(port.command()), &["kafka", "99999", "flag --kafka"]);
}

#[test]
fn an_unknown_kafka_setting_is_named_with_its_origin() {
    let options = FirnOptions::default();
    let flag = options.clone().kafka_config("num.partitons", "3");
    refused(&run(flag.command()), &["num.partitons", "flag --kafka-config"]);
    let value = options.clone().kafka_config("num.partitions", "many");
    refused(&run(value.command()), &["num.partitions", "many"]);
    let file = options.scratch().join("firn.toml");
    fs::write(&file, "[kafka]\nnum.brokers = 3\n").unwrap();
    let table = options.arg("--config").arg(file.to_str().unwrap());
    refused(&run(table.command()), &["num.brokers", "firn.toml"]);
}

#[test]
fn addresses_that_others_can_reach_are_refused() {
    let options = FirnOptions::default();
    for open in ["0.0.0.0:0", "[::]:0"] {
        refused(
            &run(options.clone().with_kafka(open).command()),
            &["kafka: ", "loopback"],
        );
        refused(
            &run(options.clone().with_http(open).command()),
            &["http: ", "loopback"],
        );
    }
}

#[test]
fn config_prints_every_setting_with_value_origin_default_unit_and_effect() {
    let mut command = firn_command(["config", "--json", "--wal", "object"]);
    command
        .env("FIRN_WAL_LINGER", "7ms")
        .env("FIRN_CATALOG", "postgres://firn:hunter2@db/firn");
    let ended = run(command);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(!ended.stdout.contains("hunter2"), "a password is shown");
    let rows: Vec<serde_json::Value> = serde_json::from_str(&ended.stdout).unwrap();
    let row = |name: &str| rows.iter().find(|row| row["setting"] == name).unwrap();
    assert_eq!(row("wal")["value"], "object");
    assert_eq!(row("wal")["origin"], "flag --wal");
    assert_eq!(row("wal-linger")["value"], "7ms");
    assert_eq!(
        row("wal-linger")["origin"],
        "environment variable FIRN_WAL_LINGER"
    );
    assert_eq!(row("kafka")["value"], "127.0.0.1:9092");
    assert_eq!(row("http")["default"], "127.0.0.1:8080");
    assert_eq!(row("data-dir")["default"], "./.firn");
    assert_eq!(row("wal")["default"], "disk");
    assert_eq!(row("wal")["unit"], "disk[:DIR] or object");
    assert_eq!(row("wal-linger")["default"], "2ms");
    assert_eq!(row("wal-linger")["unit"], "duration (us, ms, s, min, h, d)");
    let text = run(firn_command(["config"])).stdout;
    for row in &rows {
        for field in ["setting", "origin", "unit", "effect", "flag", "variable", "key"] {
            assert!(!row[field].as_str().unwrap().is_empty(), "{row} lacks {field}");
        }
        if row["origin"] == "default" {
            assert_eq!(row["value"], row["default"], "{row}");
        }
        assert_shown(&text, row);
    }
}

/// Asserts that a text of defaults says of a setting what its row says.
fn assert_shown(text: &str, row: &serde_json::Value) {
    let of = |field: &str| row[field].as_str().unwrap();
    let one_spaced = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let default = match of("default") {
        "" => "(unset)",
        default => default,
    };
    let start = format!("{} = {default} ", of("setting"));
    let shown = text
        .split("\n\n")
        .map(one_spaced)
        .find(|shown| shown.starts_with(&start))
        .unwrap_or_else(|| panic!("{row} is not shown with its default"));
    for part in [
        one_spaced(of("effect")),
        format!("default: {default} unit: {}", of("unit")),
        one_spaced(&format!("{} {} {} (TOML)", of("flag"), of("variable"), of("key"))),
    ] {
        assert!(shown.contains(&part), "lacks {part}: {shown}");
    }
}

#[test]
fn help_and_version_succeed() {
    let version = run(firn_command(["--version"]));
    assert_eq!((version.code, version.stdout.trim()), (Some(0), "firn 0.1.0"));
    let help = run(firn_command(["help"]));
    assert_eq!(help.code, Some(0));
    assert!(
        help.stdout.contains("dev") && help.stdout.contains("config"),
        "{}",
        help.stdout
    );
    let dev = run(firn_command(["dev", "--help"]));
    for part in ["--data-dir", "FIRN_DATA_DIR", "ready kafka=", "Exit codes"] {
        assert!(dev.stdout.contains(part), "lacks {part}: {}", dev.stdout);
    }
}
