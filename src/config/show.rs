//! `firn config`: every setting with its value, where that came from, its default, unit and effect.

use serde::Serialize;

use super::source::{Origin, Sources};
use super::table::{KAFKA_CONFIG, SETTINGS, Setting};

/// One setting as `firn config --json` prints it.
#[derive(Serialize)]
struct Row {
    setting: &'static str,
    value: String,
    origin: String,
    default: &'static str,
    unit: String,
    effect: &'static str,
    flag: String,
    variable: String,
    key: &'static str,
}

fn rows(sources: &Sources) -> Vec<Row> {
    SETTINGS.iter().map(|setting| row(setting, sources)).collect()
}

fn row(setting: &Setting, sources: &Sources) -> Row {
    let (value, origin) = if setting.name == KAFKA_CONFIG {
        let pairs: Vec<_> = sources
            .kafka()
            .iter()
            .map(|(k, v)| format!("{k}={}", v.text))
            .collect();
        let mut origins: Vec<_> = sources.kafka().values().map(|v| v.origin.to_string()).collect();
        origins.dedup();
        if origins.is_empty() {
            origins.push(Origin::Default.to_string());
        }
        (pairs.join(";"), origins.join(", "))
    } else {
        let sourced = sources.get(setting);
        (super::redact(&sourced.text), sourced.origin.to_string())
    };
    Row {
        setting: setting.name,
        value,
        origin,
        default: setting.default,
        unit: setting.kind.unit(),
        effect: setting.effect,
        flag: format!("--{} {}", setting.name, setting.kind.placeholder()),
        variable: setting.variable(),
        key: setting.key(),
    }
}

/// All settings as a JSON array.
pub fn as_json(sources: &Sources) -> String {
    serde_json::to_string_pretty(&rows(sources)).expect("rows are strings, which always serialise")
}

/// All settings for reading: a line with the value and its origin, then what the setting does.
pub fn as_table(sources: &Sources) -> String {
    let mut text = String::from(
        "Each setting, highest precedence first: its flag, its environment variable, its key in the TOML file\n\
         that --config names, its default.\n",
    );
    for row in rows(sources) {
        let value = if row.value.is_empty() {
            "(unset)"
        } else {
            &row.value
        };
        let default = if row.default.is_empty() {
            "(unset)"
        } else {
            row.default
        };
        text.push_str(&format!("\n{} = {value}    [{}]\n", row.setting, row.origin));
        for line in wrap(row.effect, 100) {
            text.push_str(&format!("    {line}\n"));
        }
        text.push_str(&format!("    default: {default}    unit: {}\n", row.unit));
        text.push_str(&format!(
            "    {}    {}    {} (TOML)\n",
            row.flag, row.variable, row.key
        ));
    }
    text
}

/// `text` in lines of at most `width` characters, broken between words.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.last_mut().expect("there is always one line");
        if last.is_empty() {
            last.push_str(word);
        } else if last.len() + 1 + word.len() <= width {
            last.push(' ');
            last.push_str(word);
        } else {
            lines.push(word.into());
        }
    }
    lines
}
