//! Which crate may use which: the import order of ARCHITECTURE.md, read from the manifests.

use std::collections::BTreeSet;
use std::fs;

use super::tree::root;

/// What one crate may use of ours.
struct Layer {
    folder: &'static str,
    uses: &'static [&'static str],
}

const LAYERS: &[Layer] = &[
    Layer {
        folder: "dataplane/runtime",
        uses: &[],
    },
    Layer {
        folder: "controlplane/catalog",
        uses: &["firn-runtime"],
    },
    Layer {
        folder: "dataplane/log",
        uses: &["firn-runtime", "firn-catalog"],
    },
    Layer {
        folder: "dataplane/broker",
        uses: &["firn-runtime", "firn-catalog", "firn-log"],
    },
    Layer {
        folder: "controlplane/api",
        uses: &["firn-runtime", "firn-catalog"],
    },
    Layer {
        folder: ".",
        uses: &[
            "firn-runtime",
            "firn-catalog",
            "firn-log",
            "firn-broker",
            "firn-api",
        ],
    },
    Layer {
        folder: "dataplane/simulation",
        uses: &["firn-runtime", "firn-catalog", "firn-log", "firn-broker"],
    },
    Layer {
        folder: "bench",
        uses: &["firn-runtime", "firn-catalog", "firn-log", "firn-broker"],
    },
];

/// Crates of others that only these folders may depend on, because only they know what these are about.
const OWNED: &[(&str, &[&str])] = &[
    ("axum", &["controlplane/api"]),
    ("kafka-protocol", &["dataplane/broker", "bench"]),
    ("sqlx", &["controlplane/catalog"]),
    ("object_store", &["dataplane/log", "dataplane/simulation", "."]),
    ("clap", &[".", "dataplane/simulation", "bench"]),
];

fn manifest(folder: &str) -> toml::Table {
    let path = root().join(folder).join("Cargo.toml");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.parse()
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn dependencies(manifest: &toml::Table, section: &str) -> BTreeSet<String> {
    let table = manifest.get(section).and_then(toml::Value::as_table);
    table
        .map(|table| table.keys().cloned().collect())
        .unwrap_or_default()
}

#[test]
fn every_crate_uses_only_crates_before_it() {
    let mut wrong = Vec::new();
    for layer in LAYERS {
        let manifest = manifest(layer.folder);
        for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
            for name in dependencies(&manifest, section) {
                if name.starts_with("firn-") && !layer.uses.contains(&name.as_str()) {
                    wrong.push(format!("{}: {section} has {name}", layer.folder));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_a_crate_must_not_know_it_does_not_depend_on() {
    let mut wrong = Vec::new();
    for layer in LAYERS {
        for name in dependencies(&manifest(layer.folder), "dependencies") {
            let owners = OWNED.iter().find(|(owned, _)| *owned == name);
            if owners.is_some_and(|(_, folders)| !folders.contains(&layer.folder)) {
                wrong.push(format!("{}: depends on {name}", layer.folder));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_member_of_the_workspace_is_in_the_table() {
    let workspace = manifest(".");
    let members = workspace["workspace"]["members"]
        .as_array()
        .expect("the workspace lists its members");
    for member in members.iter().filter_map(toml::Value::as_str) {
        assert!(
            LAYERS.iter().any(|layer| layer.folder == member),
            "{member} has no layer"
        );
    }
}
