//! Where values come from: flags over environment over file over default, each remembered with its origin.

use std::collections::BTreeMap;
use std::fmt;

use super::kind::{self, Kind};
use super::table::{KAFKA_CONFIG, SETTINGS, Setting};

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// A TOML file and the key in it.
    File {
        /// The path as it was given.
        path: String,
        /// The key.
        key: String,
    },
    /// An environment variable.
    Environment(String),
    /// A flag.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => write!(f, "default"),
            Self::File { path, key } => write!(f, "key {key} in {path}"),
            Self::Environment(variable) => write!(f, "environment variable {variable}"),
            Self::Flag(flag) => write!(f, "flag {flag}"),
        }
    }
}

/// A wrong configuration. The process ends with exit code 2 and this sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A value that its setting does not take.
    #[error("{setting}: \"{value}\" is refused: {reason} ({origin})")]
    Value {
        /// The setting, or the Kafka setting.
        setting: String,
        /// The value, without secrets.
        value: String,
        /// Why.
        reason: String,
        /// Where it came from.
        origin: Origin,
    },
    /// A key in the file that names no setting.
    #[error("{key}: no such setting (in {path}){hint}")]
    UnknownKey {
        /// The key.
        key: String,
        /// The file.
        path: String,
        /// A name that is nearly the same, as a question.
        hint: String,
    },
    /// The file cannot be read or is no TOML.
    #[error("config: {path}: {reason}")]
    File {
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
}

/// A value as text, with its origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sourced {
    /// The value as it was written.
    pub text: String,
    /// Where it was written.
    pub origin: Origin,
}

/// Everything that was said about each setting, after precedence.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// Per setting name; those that nobody set are absent.
    values: BTreeMap<&'static str, Sourced>,
    /// Kafka broker settings, by key.
    kafka: BTreeMap<String, Sourced>,
}

impl Sources {
    /// Reads all sources. Later calls override earlier ones, so: file, environment, flags.
    pub fn read(
        file: Option<(&str, &str)>,
        environment: &BTreeMap<String, String>,
        flags: &BTreeMap<&'static str, Vec<String>>,
    ) -> Result<Self, ConfigError> {
        let mut sources = Self::default();
        if let Some((path, text)) = file {
            sources.read_file(path, text)?;
        }
        for setting in SETTINGS {
            let variable = setting.variable();
            if let Some(text) = environment.get(&variable) {
                sources.set(setting, text, &Origin::Environment(variable))?;
            }
        }
        for setting in SETTINGS {
            for text in flags.get(setting.name).into_iter().flatten() {
                sources.set(setting, text, &Origin::Flag(format!("--{}", setting.name)))?;
            }
        }
        Ok(sources)
    }

    /// The value of a setting; its default if nobody set it.
    pub fn get(&self, setting: &Setting) -> Sourced {
        self.values.get(setting.name).cloned().unwrap_or_else(|| Sourced {
            text: setting.default.into(),
            origin: Origin::Default,
        })
    }

    /// The Kafka broker settings that somebody set, by key.
    pub fn kafka(&self) -> &BTreeMap<String, Sourced> {
        &self.kafka
    }

    fn set(&mut self, setting: &Setting, text: &str, origin: &Origin) -> Result<(), ConfigError> {
        let refused = |reason| ConfigError::Value {
            setting: setting.name.into(),
            value: setting.kind.shown(text),
            reason,
            origin: origin.clone(),
        };
        if setting.kind == Kind::Pairs {
            // A flag carries one pair, whose value may hold anything; a variable carries several.
            let pairs = match origin {
                Origin::Flag(_) => kind::pair(text).map(|pair| vec![pair]),
                Origin::Default | Origin::File { .. } | Origin::Environment(_) => kind::pairs(text),
            };
            for (key, value) in pairs.map_err(refused)? {
                self.kafka.insert(
                    key,
                    Sourced {
                        text: value,
                        origin: origin.clone(),
                    },
                );
            }
            return Ok(());
        }
        setting.kind.check(text).map_err(refused)?;
        self.values.insert(
            setting.name,
            Sourced {
                text: text.into(),
                origin: origin.clone(),
            },
        );
        Ok(())
    }

    fn read_file(&mut self, path: &str, text: &str) -> Result<(), ConfigError> {
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| ConfigError::File {
            path: path.into(),
            reason: format!("it is no TOML: {error}"),
        })?;
        for (key, value) in &table {
            let setting = SETTINGS
                .iter()
                .find(|setting| setting.key() == key)
                .ok_or_else(|| ConfigError::UnknownKey {
                    key: key.clone(),
                    path: path.into(),
                    hint: hint(key),
                })?;
            match (setting.name, value) {
                (KAFKA_CONFIG, toml::Value::Table(table)) => self.read_kafka(path, "", table)?,
                (KAFKA_CONFIG, _) => {
                    return Err(self.refused(path, key, value, "[kafka] is a table of Kafka broker settings here; the address to listen on is kafka-address"));
                }
                _ => {
                    let text = scalar(value).ok_or_else(|| {
                        self.refused(path, key, value, "a string or a whole number is expected")
                    })?;
                    self.set(
                        setting,
                        &text,
                        &Origin::File {
                            path: path.into(),
                            key: key.clone(),
                        },
                    )?;
                }
            }
        }
        Ok(())
    }

    /// `num.partitions = 3` is a table in a table to TOML, `"num.partitions" = 3` is not; both mean the same.
    fn read_kafka(&mut self, path: &str, prefix: &str, table: &toml::Table) -> Result<(), ConfigError> {
        for (key, value) in table {
            let key = format!("{prefix}{key}");
            match value {
                toml::Value::Table(inner) => self.read_kafka(path, &format!("{key}."), inner)?,
                _ => {
                    let text = scalar(value).ok_or_else(|| {
                        self.refused(
                            path,
                            &key,
                            value,
                            "a string, a whole number or true or false is expected",
                        )
                    })?;
                    let origin = Origin::File {
                        path: path.into(),
                        key: format!("kafka.{key}"),
                    };
                    self.kafka.insert(key, Sourced { text, origin });
                }
            }
        }
        Ok(())
    }

    fn refused(&self, path: &str, key: &str, value: &toml::Value, reason: &str) -> ConfigError {
        ConfigError::Value {
            setting: key.into(),
            value: super::redact(&value.to_string().replace('"', "")),
            reason: reason.into(),
            origin: Origin::File {
                path: path.into(),
                key: key.into(),
            },
        }
    }
}

fn scalar(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Boolean(yes) => Some(yes.to_string()),
        toml::Value::Float(number) => Some(number.to_string()),
        toml::Value::Datetime(_) | toml::Value::Array(_) | toml::Value::Table(_) => None,
    }
}

/// The setting that a key resembles, as a question.
fn hint(key: &str) -> String {
    nearest(&key.replace('_', "-"), SETTINGS.iter().map(Setting::key))
}

/// The name that `key` resembles most, as a question; empty if none is near.
pub(super) fn nearest<'a>(key: &str, known: impl Iterator<Item = &'a str>) -> String {
    let key = key.to_lowercase();
    known
        .map(|name| (distance(name, &key), name))
        .filter(|(far, _)| *far <= 2)
        .min()
        .map(|(_, name)| format!(": did you mean {name}?"))
        .unwrap_or_default()
}

/// How many single characters must be added, dropped or changed to get from one word to the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let changed = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
