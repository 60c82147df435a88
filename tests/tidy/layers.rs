//! Which crate may use which, and what of it: the import order of ARCHITECTURE.md, read from the manifests and the sources.

use std::collections::BTreeSet;
use std::fs;

use super::scanner::{mask, paths_below};
use super::tree::{SourceFile, files, root};

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
        folder: "controlplane/secrets",
        uses: &["firn-runtime"],
    },
    Layer {
        folder: "controlplane/outbound",
        uses: &[],
    },
    Layer {
        folder: "controlplane/catalog",
        uses: &["firn-runtime", "firn-secrets"],
    },
    Layer {
        folder: "dataplane/log",
        uses: &["firn-runtime", "firn-catalog"],
    },
    Layer {
        folder: "dataplane/coordinator",
        uses: &["firn-runtime", "firn-catalog"],
    },
    Layer {
        folder: "dataplane/kerberos",
        uses: &[],
    },
    Layer {
        folder: "dataplane/broker",
        uses: &[
            "firn-runtime",
            "firn-secrets",
            "firn-catalog",
            "firn-log",
            "firn-coordinator",
            "firn-kerberos",
            "firn-outbound",
        ],
    },
    Layer {
        folder: "controlplane/console",
        uses: &[],
    },
    Layer {
        folder: "controlplane/api",
        uses: &[
            "firn-runtime",
            "firn-secrets",
            "firn-catalog",
            "firn-console",
            "firn-outbound",
        ],
    },
    Layer {
        folder: ".",
        uses: &[
            "firn-runtime",
            "firn-secrets",
            "firn-catalog",
            "firn-log",
            "firn-broker",
            "firn-api",
            "firn-outbound",
        ],
    },
    Layer {
        folder: "dataplane/simulation",
        uses: &[
            "firn-runtime",
            "firn-catalog",
            "firn-log",
            "firn-coordinator",
            "firn-broker",
        ],
    },
    Layer {
        folder: "bench",
        uses: &[
            "firn-runtime",
            "firn-secrets",
            "firn-catalog",
            "firn-log",
            "firn-broker",
        ],
    },
];

/// Crates of others that only these folders may depend on, because only they know what these are about.
const OWNED: &[(&str, &[&str])] = &[
    ("axum", &["controlplane/api"]),
    (
        "kafka-protocol",
        &["dataplane/broker", "controlplane/api", "bench"],
    ),
    ("sqlx", &["controlplane/catalog"]),
    ("object_store", &["dataplane/log", "dataplane/simulation", "."]),
    ("clap", &[".", "dataplane/simulation", "bench"]),
];

/// The crate that alone turns on `firn-log`'s planted mistakes.
const PLANTER: &str = "dataplane/simulation";

/// What of the catalog is no business of the log: tenants and names.
const NOT_FOR_THE_LOG: [&str; 3] = ["commands", "entities", "topic_config"];

fn manifest(folder: &str) -> toml::Table {
    let path = root().join(folder).join("Cargo.toml");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.parse()
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// An entry in a table of dependencies.
#[derive(Debug, PartialEq, Eq)]
struct Dependency {
    /// Where it stands, as in `target.'cfg(unix)'.dependencies`.
    section: String,
    /// The package that it is, whatever it is called here.
    package: String,
    features: Vec<String>,
}

const SECTIONS: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

/// Everything that a crate depends on, on any target. `shared`: the workspace's manifest, where names may stand for others.
fn dependencies(manifest: &toml::Table, shared: &toml::Table) -> Vec<Dependency> {
    let mut found = Vec::new();
    for section in SECTIONS {
        read_section(manifest, section, section, shared, &mut found);
    }
    let targets = manifest.get("target").and_then(toml::Value::as_table);
    for (target, table) in targets.into_iter().flatten() {
        for section in SECTIONS {
            let place = format!("target.{target}.{section}");
            if let Some(table) = table.as_table() {
                read_section(table, section, &place, shared, &mut found);
            }
        }
    }
    found
}

fn read_section(
    table: &toml::Table,
    section: &str,
    place: &str,
    shared: &toml::Table,
    found: &mut Vec<Dependency>,
) {
    let entries = table.get(section).and_then(toml::Value::as_table);
    for (name, entry) in entries.into_iter().flatten() {
        let inherited = match entry.get("workspace").and_then(toml::Value::as_bool) {
            Some(true) => shared
                .get("workspace")
                .and_then(|workspace| workspace.get("dependencies")?.get(name)),
            _ => None,
        };
        let package = [Some(entry), inherited]
            .into_iter()
            .flatten()
            .find_map(|entry| entry.get("package").and_then(toml::Value::as_str));
        let features = [Some(entry), inherited]
            .into_iter()
            .flatten()
            .filter_map(|entry| entry.get("features")?.as_array());
        found.push(Dependency {
            section: place.to_owned(),
            package: package.unwrap_or(name).to_owned(),
            features: features.flatten().filter_map(text_of).collect(),
        });
    }
}

fn text_of(value: &toml::Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// Our crates that stand in a manifest and come later in the order.
fn used_too_early(layer: &Layer, dependencies: &[Dependency]) -> Vec<String> {
    let early = dependencies.iter().filter(|dependency| {
        let ours = dependency.package.starts_with("firn-") || dependency.package == "firn";
        ours && !layer.uses.contains(&dependency.package.as_str())
    });
    early
        .map(|dependency| {
            format!(
                "{}: {} has {}",
                layer.folder, dependency.section, dependency.package
            )
        })
        .collect()
}

/// Crates of others that stand in a manifest, other than for tests, and that only other folders know.
fn known_elsewhere(folder: &str, dependencies: &[Dependency]) -> Vec<String> {
    let elsewhere = dependencies.iter().filter(|dependency| {
        let owners = OWNED.iter().find(|(owned, _)| *owned == dependency.package);
        let tests = dependency.section.ends_with("dev-dependencies");
        !tests && owners.is_some_and(|(_, folders)| !folders.contains(&folder))
    });
    elsewhere
        .map(|dependency| format!("{folder}: {} has {}", dependency.section, dependency.package))
        .collect()
}

/// Where a manifest turns planted mistakes on, or lets a feature of its own do it.
fn plants(folder: &str, manifest: &toml::Table, dependencies: &[Dependency]) -> Vec<String> {
    let mut found = Vec::new();
    let on = |feature: &String| feature == "planted";
    for dependency in dependencies
        .iter()
        .filter(|dependency| dependency.features.iter().any(on))
    {
        found.push(format!(
            "{folder}: {} turns on planted mistakes of {}",
            dependency.section, dependency.package
        ));
    }
    let features = manifest.get("features").and_then(toml::Value::as_table);
    for (feature, others) in features.into_iter().flatten() {
        let others = others.as_array().into_iter().flatten().filter_map(text_of);
        found.extend(
            others
                .filter(|other| other.contains("planted"))
                .map(|other| format!("{folder}: feature {feature} turns on {other}")),
        );
    }
    found
}

/// Whether a command or a cargo setting in this text turns planted mistakes on.
fn builds_planted(text: &str) -> bool {
    let spoken = |line: &&str| !line.trim_start().starts_with('#');
    text.lines().filter(spoken).any(|line| {
        let all = line.contains(concat!("--all-", "features"));
        let planted = line.contains("planted");
        all || planted && (line.contains("feature") || line.contains("cfg"))
    })
}

/// Parts of the catalog that the log must not know and that this Rust source names.
fn unseemly(text: &str) -> Vec<String> {
    let named = paths_below(&mask(text), "firn_catalog");
    named
        .into_iter()
        .filter(|part| NOT_FOR_THE_LOG.contains(&part.as_str()) || matches!(part.as_str(), "*" | "as"))
        .collect()
}

#[test]
fn every_crate_uses_only_crates_before_it() {
    let shared = manifest(".");
    let wrong: Vec<_> = LAYERS
        .iter()
        .flat_map(|layer| used_too_early(layer, &dependencies(&manifest(layer.folder), &shared)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_a_crate_must_not_know_it_does_not_depend_on() {
    let shared = manifest(".");
    let wrong: Vec<_> = LAYERS
        .iter()
        .flat_map(|layer| known_elsewhere(layer.folder, &dependencies(&manifest(layer.folder), &shared)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_the_simulation_plants_mistakes() {
    let shared = manifest(".");
    let mut wrong = Vec::new();
    let mut planters = BTreeSet::new();
    for layer in LAYERS {
        let manifest = manifest(layer.folder);
        let found = plants(layer.folder, &manifest, &dependencies(&manifest, &shared));
        if layer.folder == PLANTER {
            planters.extend(found);
        } else {
            wrong.extend(found);
        }
    }
    let builds = |file: &SourceFile| {
        let ours = file.path == "Makefile" || file.is_script() || file.path.contains(".cargo/");
        ours && builds_planted(&file.text)
    };
    let commands = files().into_iter().filter(builds);
    wrong.extend(commands.map(|file| format!("{}: builds with planted mistakes", file.path)));
    let names = |file: &SourceFile| {
        let outside = ![PLANTER, "dataplane/log"]
            .iter()
            .any(|folder| file.path.starts_with(folder));
        outside && file.extension() == "rs" && mask(&file.text).contains("planted::")
    };
    let users = files().into_iter().filter(names);
    wrong.extend(users.map(|file| format!("{}: names planted mistakes", file.path)));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(
        planters.len(),
        1,
        "{planters:?}: the simulation turns them on, once"
    );
}

#[test]
fn the_log_knows_no_tenants_and_no_names() {
    let log = files()
        .into_iter()
        .filter(|file| file.path.starts_with("dataplane/log/") && file.extension() == "rs");
    let wrong: Vec<_> = log
        .flat_map(|file| {
            unseemly(&file.text)
                .into_iter()
                .map(move |part| format!("{}: firn_catalog::{part}", file.path))
        })
        .collect();
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

/// The crates that the simulation runs: their own clippy.toml takes the place of the one at the root.
const SIMULATED: [&str; 2] = ["dataplane/log", "controlplane/catalog"];

/// The paths that a clippy.toml bans under this key, with their reasons.
fn banned(clippy: &toml::Table, key: &str) -> BTreeSet<String> {
    let entries = clippy.get(key).and_then(toml::Value::as_array);
    entries.into_iter().flatten().map(ToString::to_string).collect()
}

/// What the whole workspace bans and a crate's own file does not.
fn unbanned(root: &toml::Table, own: &toml::Table) -> Vec<String> {
    let mut missing: Vec<_> = ["disallowed-methods", "disallowed-types", "disallowed-macros"]
        .into_iter()
        .flat_map(|key| {
            banned(root, key)
                .difference(&banned(own, key))
                .cloned()
                .collect::<Vec<_>>()
        })
        .collect();
    let settings = root.iter().filter(|(key, _)| !key.starts_with("disallowed-"));
    missing.extend(
        settings
            .filter(|(key, value)| own.get(*key) != Some(*value))
            .map(|(key, _)| key.clone()),
    );
    missing
}

#[test]
fn the_simulated_crates_ban_what_all_ban_and_the_same_besides() {
    let read = |folder: &str| {
        let path = root().join(folder).join("clippy.toml");
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    let parse = |text: &str| text.parse::<toml::Table>().expect("clippy.toml is TOML");
    let all = parse(&read("."));
    for folder in SIMULATED {
        assert_eq!(read(folder), read(SIMULATED[0]), "{folder}/clippy.toml is a copy");
        assert_eq!(
            unbanned(&all, &parse(&read(folder))),
            [""; 0],
            "{folder}/clippy.toml"
        );
    }
    let with_own = files()
        .into_iter()
        .filter(|file| file.path.ends_with("clippy.toml"))
        .count();
    // The one at the root, and that of the load generator, which measures real time with real threads.
    assert_eq!(
        with_own,
        SIMULATED.len() + 2,
        "a clippy.toml that nothing compares"
    );
}

#[path = "layers_bite.rs"]
mod bite;
