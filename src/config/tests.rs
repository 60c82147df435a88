use std::collections::BTreeMap;

use super::*;

fn environment(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).into(), (*value).into()))
        .collect()
}

fn flags(pairs: &[(&'static str, &str)]) -> BTreeMap<&'static str, Vec<String>> {
    let mut flags: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for (name, value) in pairs {
        flags.entry(*name).or_default().push((*value).into());
    }
    flags
}

fn from_file(text: &str) -> Result<Sources, ConfigError> {
    Sources::read(Some(("firn.toml", text)), &BTreeMap::new(), &BTreeMap::new())
}

#[test]
fn every_default_is_a_value_of_its_kind_and_every_setting_resolves() {
    for setting in SETTINGS {
        assert!(!setting.effect.is_empty(), "{}", setting.name);
        assert!(
            setting.default.is_empty() || setting.kind.check(setting.default).is_ok(),
            "{}",
            setting.name
        );
    }
    Settings::resolve(&Sources::default()).unwrap();
}

#[test]
fn names_variables_and_keys_are_distinct() {
    for pick in [
        |s: &Setting| s.name.to_owned(),
        Setting::variable,
        |s: &Setting| s.key().to_owned(),
    ] {
        let distinct: std::collections::BTreeSet<_> = SETTINGS.iter().map(pick).collect();
        assert_eq!(distinct.len(), SETTINGS.len());
    }
}

#[test]
fn a_flag_beats_a_variable_beats_the_file_beats_the_default() {
    let file = "wal-linger = \"3ms\"\noffload-interval = \"3s\"\ngc-grace = \"3s\"\n";
    let environment = environment(&[("FIRN_WAL_LINGER", "2ms"), ("FIRN_OFFLOAD_INTERVAL", "2s")]);
    let flags = flags(&[("wal-linger", "1ms")]);
    let sources = Sources::read(Some(("firn.toml", file)), &environment, &flags).unwrap();
    let settings = Settings::resolve(&sources).unwrap();
    assert_eq!(settings.log.linger.as_millis(), 1);
    assert_eq!(settings.log.offload_interval.as_secs(), 2);
    assert_eq!(settings.log.gc_grace.as_secs(), 3);
    assert_eq!(settings.shutdown_timeout.as_secs(), 30);
}

#[test]
fn a_wrong_value_names_its_setting_and_its_origin() {
    let error = from_file("wal-linger = 5").unwrap_err().to_string();
    assert!(
        error.contains("wal-linger") && error.contains("firn.toml") && error.contains("unit"),
        "{error}"
    );
    let variables = environment(&[("FIRN_WAL_SLOTS_IN_FLIGHT", "none")]);
    let error = Sources::read(None, &variables, &BTreeMap::new())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("wal-slots-in-flight") && error.contains("FIRN_WAL_SLOTS_IN_FLIGHT"),
        "{error}"
    );
    let error = Sources::read(None, &BTreeMap::new(), &flags(&[("wal", "tape")]))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("wal") && error.contains("--wal") && error.contains("tape"),
        "{error}"
    );
}

#[test]
fn an_unknown_key_is_refused_with_the_name_that_was_meant() {
    let error = from_file("wal_linger = \"5ms\"").unwrap_err().to_string();
    assert!(
        error.contains("wal_linger") && error.contains("did you mean wal-linger?"),
        "{error}"
    );
    let error = from_file("colour = \"red\"").unwrap_err().to_string();
    assert!(error.contains("colour") && !error.contains("mean"), "{error}");
}

#[test]
fn an_unknown_kafka_setting_is_refused_with_the_name_that_was_meant() {
    let refusal = |pair| {
        let sources = Sources::read(None, &BTreeMap::new(), &flags(&[("kafka-config", pair)])).unwrap();
        Settings::resolve(&sources).unwrap_err().to_string()
    };
    let near = refusal("num.partition=3");
    assert!(near.contains("did you mean num.partitions?"), "{near}");
    let far = refusal("colour=red");
    assert!(far.contains("colour") && !far.contains("mean"), "{far}");
}

#[test]
fn listeners_on_one_address_are_refused() {
    let both = |address| {
        let given = flags(&[("kafka", address), ("http", address)]);
        Settings::resolve(&Sources::read(None, &BTreeMap::new(), &given).unwrap())
    };
    let error = both("127.0.0.1:7000").unwrap_err().to_string();
    assert!(
        error.starts_with("http: ") && error.contains("same address"),
        "{error}"
    );
    both("127.0.0.1:0").unwrap();
    let internal = flags(&[("internal", "127.0.0.1:8080")]);
    let error = Settings::resolve(&Sources::read(None, &BTreeMap::new(), &internal).unwrap()).unwrap_err();
    assert!(
        error.to_string().starts_with("internal: ") && error.to_string().contains("http listens"),
        "{error}"
    );
}

#[test]
fn kafka_settings_come_as_a_table_with_dots_or_quotes_and_flags_override_single_keys() {
    let file = "[kafka]\nnum.partitions = 3\n\"auto.create.topics.enable\" = false\n";
    let flags = flags(&[
        ("kafka-config", "num.partitions=9"),
        ("kafka-config", "log.retention.ms=5"),
    ]);
    let sources = Sources::read(Some(("firn.toml", file)), &BTreeMap::new(), &flags).unwrap();
    let pairs: Vec<_> = sources
        .kafka()
        .iter()
        .map(|(k, v)| (k.as_str(), v.text.as_str()))
        .collect();
    let expected = [
        ("auto.create.topics.enable", "false"),
        ("log.retention.ms", "5"),
        ("num.partitions", "9"),
    ];
    assert_eq!(pairs, expected);
}

#[test]
fn the_listen_address_in_a_file_is_not_the_kafka_table() {
    let error = from_file("kafka = \"127.0.0.1:1\"").unwrap_err().to_string();
    assert!(error.contains("kafka-address"), "{error}");
    let sources = from_file("kafka-address = \"127.0.0.1:1\"").unwrap();
    assert_eq!(Settings::resolve(&sources).unwrap().kafka.1, 1);
}

#[test]
fn kafka_pairs_in_a_variable_stand_between_semicolons() {
    let variables = environment(&[(
        "FIRN_KAFKA_CONFIG",
        "log.cleanup.policy=compact,delete; num.partitions=2;",
    )]);
    let sources = Sources::read(None, &variables, &BTreeMap::new()).unwrap();
    assert_eq!(sources.kafka()["log.cleanup.policy"].text, "compact,delete");
    assert_eq!(sources.kafka()["num.partitions"].text, "2");
}

#[test]
fn passwords_are_never_shown() {
    let url = "postgres://firn:hunter2@db:5432/firn?password=hunter3&sslmode=require";
    let mail = "smtps://firn:hunter4@mail.example.com";
    let given = flags(&[("catalog", url), ("smtp-url", mail)]);
    let sources = Sources::read(None, &BTreeMap::new(), &given).unwrap();
    let settings = format!("{:?}", Settings::resolve(&sources).unwrap().control);
    assert!(settings.contains("mail.example.com"), "{settings}");
    for text in [as_json(&sources), as_table(&sources), settings] {
        assert!(!text.contains("hunter"), "{text}");
    }
    for wrong in [
        "firn:hunter5@mail.example.com",
        "http://firn:hunter5@mail.example.com",
    ] {
        let refused = Sources::read(None, &BTreeMap::new(), &flags(&[("smtp-url", wrong)]));
        let sentence = refused.unwrap_err().to_string();
        assert!(
            sentence.starts_with("smtp-url: ") && !sentence.contains("hunter"),
            "{sentence}"
        );
    }
}

#[test]
fn a_certificate_and_its_key_are_set_together() {
    let of = |pairs| Settings::resolve(&Sources::read(None, &BTreeMap::new(), &flags(pairs)).unwrap());
    let alone = of(&[("tls-cert", "cert.pem")]).unwrap_err().to_string();
    assert!(
        alone.starts_with("tls-cert: ") && alone.contains("tls-key is not set"),
        "{alone}"
    );
    let alone = of(&[("tls-key", "key.pem")]).unwrap_err().to_string();
    assert!(
        alone.starts_with("tls-key: ") && alone.contains("tls-cert is not set"),
        "{alone}"
    );
    let both = of(&[("tls-key", "key.pem"), ("tls-cert", "cert.pem")]).unwrap();
    assert_eq!(both.tls.unwrap().key.to_str(), Some("key.pem"));
}

#[test]
fn a_misspelt_variable_is_noticed() {
    let variables = environment(&[
        ("FIRN_WAL_LINGR", "5ms"),
        ("FIRN_CONFIG", "x"),
        ("FIRN_WAL", "disk"),
    ]);
    assert_eq!(unknown_variables(&variables), ["FIRN_WAL_LINGR"]);
}

#[test]
fn the_table_shows_every_setting_with_default_unit_and_effect() {
    let text = as_table(&Sources::default());
    for setting in SETTINGS {
        let name = setting.name;
        let default = match setting.default {
            "" => "(unset)",
            default => default,
        };
        let shown = text
            .split("\n\n")
            .find(|shown| shown.starts_with(&format!("{name} = ")))
            .unwrap_or_else(|| panic!("{name} is not shown"));
        let words: Vec<_> = shown.split_whitespace().collect();
        let expected = format!(
            "{name} = {default} [default] {} default: {default} unit: {} --{name} {} {} {} (TOML)",
            setting.effect,
            setting.kind.unit(),
            setting.kind.placeholder(),
            setting.variable(),
            setting.key(),
        );
        assert_eq!(words.join(" "), expected);
    }
}

#[test]
fn every_kafka_setting_is_shown_with_what_applies_and_whether_it_is_enforced() {
    use firn_catalog::topic_config::{BROKER_KEYS, Standing};
    let flags = flags(&[("kafka-config", "num.partitions=9")]);
    let sources = Sources::read(None, &BTreeMap::new(), &flags).unwrap();
    let rows: Vec<serde_json::Value> = serde_json::from_str(&as_json(&sources)).unwrap();
    assert_eq!(rows.len(), SETTINGS.len() + BROKER_KEYS.len());
    let text = as_table(&sources);
    for key in BROKER_KEYS {
        let row = rows.iter().find(|row| row["setting"] == key.name).unwrap();
        let standing = match key.standing {
            Standing::Enforced => "enforced",
            Standing::Reported => "reported only",
        };
        assert_eq!(row["standing"], standing, "{row}");
        assert_eq!(row["default"], key.default.unwrap_or_default(), "{row}");
        assert_eq!(row["effect"], key.documentation, "{row}");
        assert!(!row["unit"].as_str().unwrap().is_empty(), "{row}");
        assert!(text.contains(&format!("\n{} = ", key.name)), "{}", key.name);
    }
    let of = |name: &str| rows.iter().find(|row| row["setting"] == name).unwrap();
    assert_eq!(of("num.partitions")["value"], "9");
    assert_eq!(of("num.partitions")["origin"], "flag --kafka-config");
    assert_eq!(of("num.partitions")["key"], "kafka.num.partitions");
    assert_eq!(of("num.partitions")["unit"], "number");
    assert_eq!(of("log.retention.bytes")["unit"], "bytes");
    assert_eq!(of("log.roll.jitter.hours")["unit"], "h");
    assert_eq!(of("connections.max.idle.ms")["value"], "600000");
}

#[test]
fn proxies_are_networks_and_nobody_is_one_by_default() {
    let resolve = |text: &str| {
        let sources = Sources::read(None, &BTreeMap::new(), &flags(&[("trusted-proxies", text)]))?;
        Settings::resolve(&sources)
    };
    let none = Settings::resolve(&Sources::default()).unwrap();
    assert!(none.control.trusted_proxies.is_empty());
    let some = resolve("10.0.0.0/8, fd00::/8").unwrap();
    assert!(!some.control.trusted_proxies.is_empty());
    for (wrong, why) in [
        ("proxy.example", "no network"),
        ("0.0.0.0/0", "everybody"),
        ("10.0.0.1/8", "past the first 8"),
    ] {
        let error = resolve(wrong).unwrap_err().to_string();
        assert!(
            error.contains("trusted-proxies") && error.contains(why),
            "{error}"
        );
    }
}
