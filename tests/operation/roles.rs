//! Settings that a role cannot do without, and files that it does not take.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use crate::support::firn::{Ended, Firn, FirnOptions, Role, run};

fn refused(ended: &Ended, parts: &[&str]) {
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert_eq!(ended.stdout, "");
    for part in parts {
        assert!(ended.stderr.contains(part), "lacks {part}: {}", ended.stderr);
    }
}

fn key(options: &FirnOptions, content: &str, mode: u32) -> PathBuf {
    let path = options.scratch().join("key");
    fs::write(&path, content).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    path
}

#[test]
fn the_roles_of_a_cell_name_what_they_need_and_are_not_given() {
    let given = [
        ("catalog", "postgres://nobody@127.0.0.1:1/firn"),
        ("master-key", "/dev/null"),
    ];
    let store = ("store", "file:///nowhere");
    let smtp = ("smtp-url", "smtp://127.0.0.1:1");
    let advertise = ("advertise", "kafka.example.com:9092");
    for (role, own) in [
        (Role::Broker, vec![store]),
        (Role::Control, vec![smtp, advertise]),
    ] {
        let mut options = FirnOptions::default().with_role(role);
        for (setting, value) in given.iter().chain(&own) {
            refused(
                &run(options.command()),
                &[&format!("error: {setting}: it is not set")],
            );
            options = options.set(setting, *value);
        }
    }
}

#[test]
fn a_broker_that_listens_everywhere_must_be_told_its_name() {
    let options = FirnOptions::default().with_role(Role::Broker);
    let options = options
        .set("catalog", "postgres://nobody@127.0.0.1:1/firn")
        .set("master-key", "/dev/null")
        .set("store", "file:///nowhere");
    let kafka = options.clone().with_kafka("0.0.0.0:0");
    refused(&run(kafka.command()), &["advertise: it is not set", "0.0.0.0"]);
    let internal = options.set("internal", "[::]:0");
    refused(
        &run(internal.command()),
        &["internal-advertise: it is not set", "[::]"],
    );
}

#[test]
fn a_master_key_that_others_can_read_or_that_is_none_is_refused_without_its_content() {
    let options = FirnOptions::default();
    let digits = "0123456789abcdef".repeat(4);
    for (content, mode, why) in [
        (digits.as_str(), 0o644, "mode 0644"),
        ("hunter2", 0o600, "64 hexadecimal digits"),
    ] {
        let path = key(&options, content, mode);
        let ended = run(options
            .clone()
            .set("master-key", path.to_str().unwrap())
            .command());
        refused(&ended, &["master-key: ", why]);
        assert!(!ended.stderr.contains(content), "{}", ended.stderr);
    }
    let absent = options.set("master-key", "/nowhere/key");
    refused(
        &run(absent.command()),
        &["master-key: /nowhere/key does not exist"],
    );
}

#[test]
fn another_master_key_than_the_first_is_refused_and_the_first_one_goes_on() {
    let mut firn = Firn::start(FirnOptions::default());
    assert_eq!(firn.terminate().code(), Some(0));
    let key = firn.options().data_dir().join("master.key");
    let kept = firn.options().data_dir().join("kept");
    fs::rename(&key, &kept).unwrap();
    let parts = ["master-key: it is not the key", "catalog.db"];
    refused(&run(firn.options().command()), &parts);
    fs::rename(&kept, &key).unwrap();
    firn.restart();
}

#[test]
fn a_certificate_without_its_key_is_refused() {
    let options = FirnOptions::default();
    let path = key(&options, "no certificate", 0o600);
    let path = path.to_str().unwrap();
    let alone = options.clone().set("tls-cert", path);
    refused(&run(alone.command()), &["tls-cert: ", "tls-key is not set"]);
    let both = options.set("tls-cert", path).set("tls-key", path);
    refused(&run(both.command()), &["tls-cert: ", "holds no certificate"]);
}

#[test]
fn a_broker_is_no_negative_number() {
    let options = FirnOptions::default().set("node", "-1");
    refused(&run(options.command()), &["node", "\"-1\"", "from 0"]);
}
