//! `firn config`: every setting with its value, where that came from, its default, unit and effect.

use firn_catalog::topic_config::{BROKER_KEYS, ConfigKey, ConfigKind, Standing, ValidValues};
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
    /// For a Kafka broker setting: whether Firn acts on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    standing: Option<&'static str>,
    flag: String,
    variable: String,
    key: String,
}

fn rows(sources: &Sources) -> Vec<Row> {
    let own = SETTINGS.iter().map(|setting| row(setting, sources));
    let kafka = BROKER_KEYS.iter().map(|key| kafka_row(key, sources));
    own.chain(kafka).collect()
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
        (setting.kind.shown(&sourced.text), sourced.origin.to_string())
    };
    Row {
        setting: setting.name,
        value,
        origin,
        default: setting.default,
        unit: setting.kind.unit(),
        effect: setting.effect,
        standing: None,
        flag: format!("--{} {}", setting.name, setting.kind.placeholder()),
        variable: setting.variable(),
        key: setting.key().to_owned(),
    }
}

fn kafka_row(key: &'static ConfigKey, sources: &Sources) -> Row {
    let pairs = super::table::find(KAFKA_CONFIG).expect("the table has the set of pairs");
    let default = key.default.unwrap_or_default();
    let (value, origin) = match sources.kafka().get(key.name) {
        Some(set) => (set.text.clone(), set.origin.to_string()),
        None => (default.to_owned(), Origin::Default.to_string()),
    };
    let standing = match key.standing {
        Standing::Enforced => "enforced",
        Standing::Reported => "reported only",
    };
    Row {
        setting: key.name,
        value,
        origin,
        default,
        unit: kafka_unit(key),
        effect: key.documentation,
        standing: Some(standing),
        flag: format!("--{KAFKA_CONFIG} {}=VALUE", key.name),
        variable: pairs.variable(),
        key: format!("{}.{}", pairs.key(), key.name),
    }
}

/// The unit of a Kafka broker setting, which its name tells where it is a time or a size.
fn kafka_unit(key: &ConfigKey) -> String {
    let one_of = match key.valid {
        ValidValues::OneOf(words) => Some(words),
        _ => None,
    };
    match (key.kind, one_of) {
        (ConfigKind::Boolean, _) => "true or false".into(),
        (ConfigKind::List, Some(words)) => format!("list of {}", words.join(", ")),
        (ConfigKind::List, None) => "list, separated by commas".into(),
        (ConfigKind::String, Some(words)) => words.join(" or "),
        (ConfigKind::String, None) => "text".into(),
        (ConfigKind::Double, _) => "fraction from 0 to 1".into(),
        (ConfigKind::Int | ConfigKind::Long, _) => {
            let units = [
                ("ms", "ms"),
                ("minutes", "min"),
                ("hours", "h"),
                ("bytes", "bytes"),
            ];
            let of_name = |word: &str| units.iter().find(|(name, _)| *name == word);
            // The word for the unit mostly ends the name: log.retention.ms, log.message.timestamp.after.max.ms.
            let found = key.name.rsplit('.').find_map(of_name);
            found.map_or("number", |(_, unit)| unit).into()
        }
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
         that --config names, its default. Kafka's own broker settings come last: one that is enforced\n\
         changes what Firn does; one that is reported only is kept for clients that ask for it.\n",
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
        if let Some(standing) = row.standing {
            text.push_str(&format!("    Kafka setting, {standing}\n"));
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
