//! The rules about layers find what they are there for.

use super::*;

const SHARED: &str = r#"
[workspace.dependencies]
firn-log = { path = "dataplane/log" }
journal = { path = "dataplane/log", package = "firn-log" }
loaded = { path = "dataplane/log", package = "firn-log", features = ["planted"] }
"#;

fn read(text: &str) -> (toml::Table, Vec<Dependency>) {
    let manifest: toml::Table = text.parse().expect("a manifest");
    let dependencies = dependencies(&manifest, &SHARED.parse().expect("a manifest"));
    (manifest, dependencies)
}

const CATALOG: Layer = Layer {
    folder: "controlplane/catalog",
    uses: &["firn-runtime"],
};

#[test]
fn a_later_crate_is_found_wherever_it_stands_and_whatever_it_is_called() {
    for text in [
        "[dependencies]\nfirn-log.workspace = true",
        "[dependencies]\njournal.workspace = true",
        "[dev-dependencies]\nfirn-log = { path = \"../log\" }",
        "[build-dependencies]\nx = { path = \"../log\", package = \"firn-log\" }",
        "[target.'cfg(unix)'.dependencies]\nfirn-log.workspace = true",
        "[target.x86_64-unknown-linux-gnu.dev-dependencies]\nx = { package = \"firn-log\", path = \"a\" }",
        "[dependencies]\nfirn = { path = \"../..\" }",
    ] {
        assert_eq!(used_too_early(&CATALOG, &read(text).1).len(), 1, "{text}");
    }
    let fine = "[dependencies]\nfirn-runtime.workspace = true\nserde.workspace = true";
    assert_eq!(used_too_early(&CATALOG, &read(fine).1), [""; 0]);
}

#[test]
fn a_crate_that_others_own_is_found_under_another_name() {
    for text in [
        "[dependencies]\naxum = \"1\"",
        "[target.'cfg(unix)'.dependencies]\nweb = { version = \"1\", package = \"axum\" }",
    ] {
        assert_eq!(known_elsewhere("dataplane/log", &read(text).1).len(), 1, "{text}");
        assert_eq!(known_elsewhere("controlplane/api", &read(text).1), [""; 0]);
    }
    let tests = "[dev-dependencies]\naxum = \"1\"";
    assert_eq!(known_elsewhere("dataplane/log", &read(tests).1), [""; 0]);
}

#[test]
fn planted_mistakes_are_found_in_features_and_commands() {
    for text in [
        "[dependencies]\nfirn-log = { workspace = true, features = [\"planted\"] }",
        "[target.'cfg(unix)'.dependencies]\nx = { package = \"firn-log\", features = [\"planted\"] }",
        "[dependencies]\nloaded.workspace = true",
        "[features]\ndefault = [\"planted\"]",
        "[features]\ntest = [\"firn-log/planted\"]",
    ] {
        let (manifest, dependencies) = read(text);
        assert_eq!(plants("bench", &manifest, &dependencies).len(), 1, "{text}");
    }
    let (manifest, dependencies) =
        read("[features]\nplanted = []\n[dependencies]\nfirn-log.workspace = true");
    assert_eq!(plants("dataplane/log", &manifest, &dependencies), [""; 0]);
    for command in [
        "cargo build --features firn-log/planted",
        concat!("cargo test --all-", "features"),
        "rustflags = [\"--cfg\", \"planted\"]",
    ] {
        assert!(builds_planted(command), "{command}");
    }
    assert!(!builds_planted(
        "# planted mistakes are a feature\ncargo build --features x"
    ));
}

#[test]
fn what_the_log_must_not_know_is_found_in_every_form() {
    for (text, part) in [
        ("use firn_catalog::commands::CreateTopic;", "commands"),
        (
            "use firn_catalog::{\n    cell::LogCatalog,\n    entities::{Topic, Address},\n};",
            "entities",
        ),
        (
            "let a = firn_catalog::topic_config::ConfigMap::new();",
            "topic_config",
        ),
        ("use firn_catalog::{ids, topic_config};", "topic_config"),
        ("use firn_catalog::*;", "*"),
        ("use firn_catalog as catalog;", "as"),
        ("use ::firn_catalog :: commands;", "commands"),
    ] {
        assert_eq!(unseemly(text), [part], "{text}");
    }
    let fine = "use firn_catalog::{cell::LogCatalog, ids::{Slot, commands}};\n// firn_catalog::commands\n";
    assert_eq!(unseemly(fine), [""; 0]);
}

#[test]
fn a_ban_or_a_setting_that_a_crate_drops_is_found() {
    let parse = |text: &str| text.parse::<toml::Table>().expect("TOML");
    let all = parse("allow-print-in-tests = true\ndisallowed-methods = [{ path = \"a\", reason = \"r\" }]");
    assert_eq!(unbanned(&all, &all), [""; 0]);
    let more = "allow-print-in-tests = true\ndisallowed-methods = [{ path = \"b\", reason = \"r\" }, \
                { path = \"a\", reason = \"r\" }]";
    assert_eq!(unbanned(&all, &parse(more)), [""; 0]);
    assert_eq!(unbanned(&all, &parse("allow-print-in-tests = true")).len(), 1);
    let other = "allow-print-in-tests = false\ndisallowed-methods = [{ path = \"a\", reason = \"r\" }]";
    assert_eq!(unbanned(&all, &parse(other)), ["allow-print-in-tests"]);
}
