//! Configuration: one table of settings, read from flags, `FIRN_*` variables and a TOML file, in that precedence.
//!
//! | file | what is in it |
//! |---|---|
//! | `table.rs` | every setting: name, kind, default, effect |
//! | `kind.rs` | how values of each kind are written and refused |
//! | `source.rs` | reading the sources, precedence, origins, refusals |
//! | `settings.rs` | the checked values as typed fields, which the rest of the program takes |
//! | `show.rs` | `firn config` |
//!
//! Flags, variables, keys and help are derived from the table rather than from fields with attributes, since the
//! origin of a value must be known when it is refused and when it is shown, and no derive keeps it.

pub mod kind;
mod settings;
mod show;
mod source;
mod table;

use std::collections::BTreeMap;

pub use firn_catalog::redact;
pub use settings::{Control, Log, LogFormat, Settings, Telemetry, TlsFiles};
pub use show::{as_json, as_table};
pub use source::{ConfigError, Sources};
pub use table::{SETTINGS, Setting};

/// The variables of ours in the environment that name no setting: most likely misspelt.
pub fn unknown_variables(environment: &BTreeMap<String, String>) -> Vec<String> {
    let known = |name: &str| name == "FIRN_CONFIG" || SETTINGS.iter().any(|s| s.variable() == name);
    environment
        .keys()
        .filter(|name| name.starts_with("FIRN_") && !known(name))
        .cloned()
        .collect()
}

#[cfg(test)]
mod tests;
