//! The kinds of values that settings take: how each is written, read and refused.

use std::time::Duration;

use firn_api::{Currency, Prices, TrustedProxies};

/// What values a setting takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A file or directory.
    Path,
    /// `HOST:PORT`.
    Address,
    /// `HOST` or `HOST:PORT`.
    Host,
    /// `SCHEME://…`; the scheme is judged by whoever opens it.
    Url,
    /// `http://…` or `https://…`.
    HttpUrl,
    /// `smtp://…` or `smtps://…`.
    SmtpUrl,
    /// A domain name.
    Domain,
    /// `ADDRESS` or `NAME <ADDRESS>`.
    Mailbox,
    /// The number of a broker.
    Node,
    /// `disk`, `disk:DIR` or `object`.
    Wal,
    /// Networks separated by commas.
    Networks,
    /// `KEY=VALUE`, any number.
    Pairs,
    /// A number with a unit of time.
    Duration,
    /// A number, or one with a unit of size.
    Bytes,
    /// A whole number of at least one.
    Count,
    /// `METER=PRICE` pairs separated by commas.
    Prices,
    /// The code of a currency.
    Currency,
    /// A log filter.
    Filter,
    /// Any text.
    Text,
    /// One of these words.
    Choice(&'static [&'static str]),
}

impl Kind {
    /// How help shows the value.
    pub fn placeholder(self) -> &'static str {
        match self {
            Self::Path => "PATH",
            Self::Address => "HOST:PORT",
            Self::Host => "HOST[:PORT]",
            Self::Url | Self::HttpUrl | Self::SmtpUrl => "URL",
            Self::Domain => "DOMAIN",
            Self::Mailbox => "MAILBOX",
            Self::Node => "NUMBER",
            Self::Wal => "disk[:DIR]|object",
            Self::Networks => "NETWORK,…",
            Self::Pairs => "KEY=VALUE",
            Self::Duration => "DURATION",
            Self::Bytes => "BYTES",
            Self::Count => "COUNT",
            Self::Prices => "METER=PRICE,…",
            Self::Currency => "CODE",
            Self::Filter => "FILTER",
            Self::Text => "TEXT",
            Self::Choice(_) => "WORD",
        }
    }

    /// The unit of the value, as `firn config` shows it.
    pub fn unit(self) -> String {
        match self {
            Self::Path => "path".into(),
            Self::Address => "host:port".into(),
            Self::Host => "host[:port]".into(),
            Self::Url => "URL".into(),
            Self::HttpUrl => "http(s) URL".into(),
            Self::SmtpUrl => "smtp(s) URL".into(),
            Self::Domain => "domain name".into(),
            Self::Mailbox => "mail address".into(),
            Self::Node => "number from 0 to 2147483647".into(),
            Self::Wal => "disk[:DIR] or object".into(),
            Self::Networks => "networks (ADDRESS/BITS), by commas".into(),
            Self::Pairs => "KEY=VALUE pairs".into(),
            Self::Duration => "duration (us, ms, s, min, h, d)".into(),
            Self::Bytes => "bytes (KiB, MiB, GiB)".into(),
            Self::Count => "count".into(),
            Self::Prices => "METER=PRICE pairs, by commas".into(),
            Self::Currency => "currency (ISO 4217)".into(),
            Self::Filter => "level, or filter by module".into(),
            Self::Text => "text".into(),
            Self::Choice(words) => words.join(" or "),
        }
    }

    /// A value as logs, pages and refusals may show it.
    pub fn shown(self, text: &str) -> String {
        match self {
            // What is no URL may be one whose beginning was forgotten, password and all.
            Self::SmtpUrl if !text.is_empty() && !text.contains("://") => "***".into(),
            _ => crate::config::redact(text),
        }
    }

    /// Why `text` is no value of this kind; `Ok` if it is one.
    pub fn check(self, text: &str) -> Result<(), String> {
        match self {
            Self::Path if text.is_empty() => Err("it is empty".into()),
            Self::Path => Ok(()),
            Self::Address => host_and_port(text).map(drop),
            Self::Host => advertised(text).map(drop),
            Self::Url if text.contains("://") || text.starts_with("sqlite:") => Ok(()),
            Self::Url => Err("it is no URL: SCHEME://… is expected".into()),
            Self::HttpUrl => url_of(text, ["http", "https"]),
            Self::SmtpUrl => url_of(text, ["smtp", "smtps"]),
            Self::Domain => domain(text).map(drop),
            Self::Mailbox => mailbox(text),
            Self::Node => node(text).map(drop),
            Self::Wal => wal(text).map(drop),
            Self::Networks => text.parse::<TrustedProxies>().map(drop),
            Self::Pairs => pairs(text).map(drop),
            Self::Duration => duration(text).map(drop),
            Self::Bytes => bytes(text).map(drop),
            Self::Count => count(text).map(drop),
            Self::Prices => text.parse::<Prices>().map(drop),
            Self::Currency => text.parse::<Currency>().map(drop),
            Self::Filter => filter(text),
            Self::Text if text.is_empty() || text.chars().any(char::is_control) => {
                Err("it is empty, or has a control character in it".into())
            }
            Self::Text => Ok(()),
            Self::Choice(words) if words.contains(&text) => Ok(()),
            Self::Choice(words) => Err(format!("it is none of: {}", words.join(", "))),
        }
    }
}

/// Which write-ahead log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wal {
    /// Local files, in this directory or the default one.
    Disk(Option<String>),
    /// One object per slot.
    Object,
}

/// Reads `disk`, `disk:DIR` or `object`.
pub fn wal(text: &str) -> Result<Wal, String> {
    match text.split_once(':') {
        None if text == "disk" => Ok(Wal::Disk(None)),
        None if text == "object" => Ok(Wal::Object),
        Some(("disk", directory)) if !directory.is_empty() => Ok(Wal::Disk(Some(directory.into()))),
        Some(("disk", _)) => {
            Err("its directory is missing: disk:DIR is expected, or disk for the default".into())
        }
        _ => Err("it is none of: disk, disk:DIR, object".into()),
    }
}

/// Reads `HOST:PORT`; an IPv6 address stands in brackets.
pub fn host_and_port(text: &str) -> Result<(String, u16), String> {
    let expected = || "HOST:PORT is expected, such as 127.0.0.1:9092".to_owned();
    let (host_text, port) = text.rsplit_once(':').ok_or_else(expected)?;
    let port = port
        .parse()
        .map_err(|_| format!("\"{port}\" is no port: 0 to 65535 is expected"))?;
    let (name, no_port) = host(host_text)?;
    match no_port {
        None => Ok((name, port)),
        Some(_) => Err(expected()),
    }
}

/// Reads `HOST` or `HOST:PORT`; an IPv6 address stands in brackets, which the answer leaves off.
pub fn host(text: &str) -> Result<(String, Option<u16>), String> {
    let (name, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, "")) => (address, None),
        Some((address, rest)) => (address, Some(rest.strip_prefix(':').unwrap_or(rest))),
        None => match text.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (text, None),
        },
    };
    let in_brackets = text.starts_with('[');
    let legal = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c) || (in_brackets && ":%".contains(c));
    if name.is_empty() || !name.chars().all(legal) {
        return Err(format!(
            "\"{name}\" is no host name or address (write IPv6 addresses in brackets)"
        ));
    }
    match port.map(str::parse) {
        None => Ok((name.into(), None)),
        Some(Ok(port)) => Ok((name.into(), Some(port))),
        Some(Err(_)) => Err("its port is no number from 0 to 65535".into()),
    }
}

/// Reads the `HOST` or `HOST:PORT` that clients are told to connect to.
pub fn advertised(text: &str) -> Result<(String, Option<u16>), String> {
    match host(text)? {
        (_, Some(0)) => Err("clients cannot connect to port 0: 1 to 65535 is expected, or no port".into()),
        read => Ok(read),
    }
}

/// Reads pairs separated by `;`.
pub fn pairs(text: &str) -> Result<Vec<(String, String)>, String> {
    text.split(';')
        .map(str::trim)
        .filter(|pair| !pair.is_empty())
        .map(pair)
        .collect()
}

/// Reads one `KEY=VALUE`.
pub fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().into(), value.trim().into())),
        _ => Err("KEY=VALUE is expected, such as num.partitions=3".into()),
    }
}

/// Reads a duration such as `5ms`. Not zero: no setting of ours means anything with it.
pub fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = number_and_unit(text)?;
    let micros = match unit {
        "us" => 1,
        "ms" => 1_000,
        "s" => 1_000_000,
        "min" => 60_000_000,
        "h" => 3_600_000_000,
        "d" => 86_400_000_000,
        "" => return Err("its unit is missing: us, ms, s, min, h or d, such as 5ms".into()),
        other => return Err(format!("\"{other}\" is none of the units us, ms, s, min, h, d")),
    };
    match number.checked_mul(micros) {
        Some(0) => Err("it must be more than nothing".into()),
        Some(micros) => Ok(Duration::from_micros(micros)),
        None => Err("it is too long".into()),
    }
}

/// Reads a size such as `64MiB` or `1048576`.
pub fn bytes(text: &str) -> Result<u64, String> {
    let (number, unit) = number_and_unit(text)?;
    let factor = match unit {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "TiB" => 1 << 40,
        other => return Err(format!("\"{other}\" is none of the units B, KiB, MiB, GiB, TiB")),
    };
    match number.checked_mul(factor) {
        Some(0) => Err("it must be more than nothing".into()),
        Some(bytes) if i64::try_from(bytes).is_ok() => Ok(bytes),
        _ => Err("it is too large".into()),
    }
}

/// Reads a whole number of at least one.
pub fn count(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err(format!("a whole number from 1 to {} is expected", u32::MAX)),
        Ok(count) => Ok(count),
    }
}

fn number_and_unit(text: &str) -> Result<(u64, &str), String> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let number = number
        .parse()
        .map_err(|_| "a whole number and a unit are expected".to_owned())?;
    Ok((number, unit.trim()))
}

fn filter(text: &str) -> Result<(), String> {
    let levels = ["off", "error", "warn", "info", "debug", "trace"];
    for part in text.split(',') {
        let level = part.rsplit_once('=').map_or(part, |(_, level)| level);
        if !levels.contains(&level) {
            return Err(format!("\"{level}\" is none of the levels {}", levels.join(", ")));
        }
    }
    tracing_subscriber::EnvFilter::try_new(text)
        .map(drop)
        .map_err(|error| error.to_string())
}

fn url_of(text: &str, schemes: [&str; 2]) -> Result<(), String> {
    let url = url::Url::parse(text).map_err(|error| format!("it is no URL: {error}"))?;
    if !schemes.contains(&url.scheme()) {
        let [one, other] = schemes;
        return Err(format!(
            "its scheme \"{}\" is neither {one} nor {other}",
            url.scheme()
        ));
    }
    match url.host_str() {
        None | Some("") => Err("it names no host".into()),
        Some(_) => Ok(()),
    }
}

/// Reads a domain name whose clusters' names still fit into 253 characters, and gives it in lower case.
pub fn domain(text: &str) -> Result<String, String> {
    const MOST: usize = 253 - "-b2147483647.".len() - 63;
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if text.len() > MOST || !text.split('.').all(label) {
        return Err(format!(
            "a domain name such as kafka.example.com is expected, of at most {MOST} characters"
        ));
    }
    if !text.contains('.') {
        return Err("TLS clients accept no certificate for every name in a domain without a dot".into());
    }
    Ok(text.to_ascii_lowercase())
}

fn mailbox(text: &str) -> Result<(), String> {
    let address = match text.strip_suffix('>').and_then(|named| named.rsplit_once('<')) {
        Some((_, address)) => address,
        None => text,
    };
    let legal = |part: &str| !part.is_empty() && !part.contains([' ', '<', '>', ',', '@']);
    match address.rsplit_once('@') {
        Some((person, host)) if legal(person) && legal(host) && !text.contains(char::is_control) => Ok(()),
        _ => Err("ADDRESS or NAME <ADDRESS> is expected, such as Firn <firn@example.com>".into()),
    }
}

/// Reads the number of a broker.
pub fn node(text: &str) -> Result<i32, String> {
    match text.parse() {
        Ok(number) if number >= 0 => Ok(number),
        _ => Err(format!("a whole number from 0 to {} is expected", i32::MAX)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_need_a_unit_and_are_more_than_nothing() {
        assert_eq!(duration("500us"), Ok(Duration::from_micros(500)));
        assert_eq!(duration("2min"), Ok(Duration::from_secs(120)));
        assert_eq!(duration("7d"), Ok(Duration::from_secs(604_800)));
        for wrong in [
            "5",
            "0s",
            "-1s",
            "1.5s",
            "5 weeks",
            "",
            "99999999999999999999s",
            "9999999999999999d",
        ] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn sizes_take_binary_units() {
        assert_eq!(bytes("64MiB"), Ok(64 << 20));
        assert_eq!(bytes("1024"), Ok(1024));
        for wrong in ["64MB", "0", "-1", "16777216TiB", "8388608TiB", "much"] {
            assert!(bytes(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn addresses_have_a_host_and_a_port() {
        assert_eq!(host_and_port("[::1]:9092"), Ok(("::1".into(), 9092)));
        assert_eq!(host_and_port("localhost:0"), Ok(("localhost".into(), 0)));
        for wrong in [
            "9092",
            "localhost",
            ":9092",
            "::1:9092",
            "a b:1",
            "h:70000",
            "h:1:2",
            "[::1]9092",
        ] {
            assert!(host_and_port(wrong).is_err(), "{wrong}");
        }
        assert_eq!(host("broker.example"), Ok(("broker.example".into(), None)));
        assert_eq!(host("[::1]"), Ok(("::1".into(), None)));
    }

    #[test]
    fn the_wal_is_a_disk_or_objects() {
        assert_eq!(wal("disk:/mnt/x:y"), Ok(Wal::Disk(Some("/mnt/x:y".into()))));
        assert_eq!(wal("object"), Ok(Wal::Object));
        for (wrong, why) in [
            ("", "none of"),
            ("disk:", "directory is missing"),
            ("s3", "none of"),
            ("object:x", "none of"),
        ] {
            let error = wal(wrong).unwrap_err();
            assert!(error.contains(why), "{wrong}: {error}");
        }
    }

    #[test]
    fn a_count_has_a_lower_and_an_upper_bound() {
        assert_eq!(count("4294967295"), Ok(u32::MAX));
        for wrong in ["0", "4294967296", "many"] {
            let error = count(wrong).unwrap_err();
            assert!(error.contains("from 1 to 4294967295"), "{error}");
        }
    }

    #[test]
    fn nobody_is_sent_to_port_0() {
        assert_eq!(advertised("h:1"), Ok(("h".into(), Some(1))));
        assert_eq!(advertised("h"), Ok(("h".into(), None)));
        assert!(advertised("h:0").unwrap_err().contains("port 0"));
    }

    #[test]
    fn a_filter_names_known_levels() {
        assert_eq!(filter("info,firn_log=debug"), Ok(()));
        assert!(filter("loud").is_err());
    }

    #[test]
    fn a_domain_leaves_room_for_the_names_of_clusters() {
        assert_eq!(domain("Kafka.example.COM"), Ok("kafka.example.com".into()));
        assert_eq!(domain("cell.localhost"), Ok("cell.localhost".into()));
        assert!(domain("localhost").unwrap_err().contains("without a dot"));
        let long = vec!["abcdefghi"; 18].join(".");
        for wrong in [
            "", ".", "a..b", "a_b.c", "-a.b", "a-.b", "*.a", "a.b:1", "a.b.", &long,
        ] {
            assert!(domain(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn mail_needs_an_address_and_a_server() {
        for right in ["a@b", "Firn <firn@example.com>"] {
            assert_eq!(mailbox(right), Ok(()), "{right}");
        }
        for wrong in ["", "a", "a@", "@b", "Firn <firn>", "a@b\r\nBcc: c@d", "a@b, c@d"] {
            assert!(mailbox(wrong).is_err(), "{wrong}");
        }
        assert_eq!(Kind::SmtpUrl.check("smtps://me:secret@mail.example.com"), Ok(()));
        for wrong in ["mail.example.com", "http://mail.example.com", "smtp://"] {
            assert!(Kind::SmtpUrl.check(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn brokers_are_numbered_from_zero() {
        assert_eq!(node("0"), Ok(0));
        for wrong in ["-1", "2147483648", "one"] {
            assert!(node(wrong).is_err(), "{wrong}");
        }
    }
}
