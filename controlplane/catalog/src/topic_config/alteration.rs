//! Changes of a configuration: AlterConfigs replaces all of it, IncrementalAlterConfigs changes single keys.

use std::collections::BTreeSet;

use super::validation::list_elements;
use super::{ConfigError, ConfigKey, ConfigKind, ConfigMap};

/// What to do with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConfigOpKind {
    /// Give it a value.
    Set,
    /// Take the override away.
    Delete,
    /// Add elements to a list.
    Append,
    /// Take elements off a list.
    Subtract,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigOp {
    /// The key.
    pub key: String,
    /// What to do.
    pub kind: ConfigOpKind,
    /// The value or the elements; ignored by `Delete`, needed by the others.
    pub value: Option<String>,
}

/// A change of a configuration, as a whole or key by key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigAlteration {
    /// These keys and no others; one without a value goes back to its default.
    Replace(Vec<(String, Option<String>)>),
    /// These changes, the others stay.
    Incremental(Vec<ConfigOp>),
}

impl ConfigAlteration {
    /// The keys that are named, in the order given.
    fn keys(&self) -> Vec<&str> {
        match self {
            Self::Replace(entries) => entries.iter().map(|(key, _)| key.as_str()).collect(),
            Self::Incremental(ops) => ops.iter().map(|op| op.key.as_str()).collect(),
        }
    }

    /// The configuration after the change. `table` finds a key; a list that has no override is appended to its
    /// default. The values are checked by the caller, as those of a new configuration are.
    pub fn apply(
        &self,
        current: &ConfigMap,
        table: fn(&str) -> Option<&'static ConfigKey>,
    ) -> Result<ConfigMap, ConfigError> {
        let mut seen = BTreeSet::new();
        for key in self.keys() {
            if !seen.insert(key) {
                return Err(ConfigError::Malformed {
                    key: key.to_owned(),
                    reason: "the key is named twice",
                });
            }
        }
        match self {
            Self::Replace(entries) => replaced(entries, table),
            Self::Incremental(ops) => {
                let mut result = current.clone();
                for op in ops {
                    apply_op(&mut result, op, table)?;
                }
                Ok(result)
            }
        }
    }
}

fn replaced(
    entries: &[(String, Option<String>)],
    table: fn(&str) -> Option<&'static ConfigKey>,
) -> Result<ConfigMap, ConfigError> {
    let mut result = ConfigMap::new();
    for (name, value) in entries {
        table(name).ok_or_else(|| ConfigError::Unknown { key: name.clone() })?;
        if let Some(value) = value {
            result.insert(name.clone(), value.clone());
        }
    }
    Ok(result)
}

fn apply_op(
    configs: &mut ConfigMap,
    op: &ConfigOp,
    table: fn(&str) -> Option<&'static ConfigKey>,
) -> Result<(), ConfigError> {
    let key = table(&op.key).ok_or_else(|| ConfigError::Unknown { key: op.key.clone() })?;
    let value = || {
        let reason = "the change needs a value";
        op.value.as_deref().ok_or_else(|| ConfigError::Malformed {
            key: op.key.clone(),
            reason,
        })
    };
    match op.kind {
        ConfigOpKind::Set => {
            configs.insert(op.key.clone(), value()?.to_owned());
        }
        ConfigOpKind::Delete => {
            configs.remove(&op.key);
        }
        ConfigOpKind::Append | ConfigOpKind::Subtract => {
            let change = value()?;
            if key.kind != ConfigKind::List {
                let reason = "APPEND and SUBTRACT need a list".to_owned();
                return Err(ConfigError::Invalid {
                    key: op.key.clone(),
                    reason,
                });
            }
            let current = configs
                .get(&op.key)
                .map_or(key.default.unwrap_or_default(), String::as_str);
            let mut elements = list_elements(current);
            let changed = list_elements(change);
            if op.kind == ConfigOpKind::Append {
                let mut there: BTreeSet<_> = elements.iter().copied().collect();
                elements.extend(changed.into_iter().filter(|element| there.insert(*element)));
            } else {
                let gone: BTreeSet<_> = changed.into_iter().collect();
                elements.retain(|element| !gone.contains(element));
            }
            let joined = elements.join(",");
            configs.insert(op.key.clone(), joined);
        }
    }
    Ok(())
}
