//! The checked settings as typed fields.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use firn_api::{Currency, Prices, TrustedProxies};
use firn_catalog::topic_config::{self, KafkaSettings};
use firn_outbound::Reach;

use super::kind::{self, Wal};
use super::source::{ConfigError, Origin, Sourced, Sources, nearest};
use super::table;

/// Every setting of a process, checked.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where this process keeps what it keeps itself.
    pub data_dir: PathBuf,
    /// Where Kafka clients connect: host and port.
    pub kafka: (String, u16),
    /// Where HTTP clients connect: host and port.
    pub http: (String, u16),
    /// The host, and perhaps the port, that clients are told to connect to.
    pub advertise: Option<(String, Option<u16>)>,
    /// Where the control plane connects: host and port; `None`: where the role has it by default.
    pub internal: Option<(String, u16)>,
    /// The host, and perhaps the port, at which the control plane reaches this broker.
    pub internal_advertise: Option<(String, Option<u16>)>,
    /// The broker's number.
    pub node: i32,
    /// The domain of the clusters' host names.
    pub cell_domain: Option<String>,
    /// The files of the certificate and of its key.
    pub tls: Option<TlsFiles>,
    /// How tickets are accepted; `None`: not at all.
    pub kerberos: Option<Kerberos>,
    /// The file of the master key; `None`: in the data directory.
    pub master_key: Option<PathBuf>,
    /// The control plane's settings.
    pub control: Control,
    /// The URL of the catalog; `None`: in the data directory.
    pub catalog: Option<String>,
    /// The URL of the object store; `None`: in the data directory.
    pub store: Option<String>,
    /// Which write-ahead log.
    pub wal: Wal,
    /// Kafka broker settings that somebody set.
    pub kafka_config: KafkaSettings,
    /// The log's settings.
    pub log: Log,
    /// Limits of the Kafka listener.
    pub network: Network,
    /// Logs, traces and metrics.
    pub telemetry: Telemetry,
    /// How long a stop may take.
    pub shutdown_timeout: Duration,
}

/// Settings of the log; `table.rs` says what each changes.
#[derive(Debug, Clone)]
pub struct Log {
    /// `wal-linger`.
    pub linger: Duration,
    /// `wal-slot-bytes`.
    pub slot_bytes: u64,
    /// `wal-slots-in-flight`.
    pub slots_in_flight: u32,
    /// `max-pending-bytes`.
    pub max_pending_bytes: u64,
    /// `hot-memory-bytes`.
    pub hot_memory_bytes: u64,
    /// `hot-disk-bytes`.
    pub hot_disk_bytes: u64,
    /// `offload-interval`.
    pub offload_interval: Duration,
    /// `offload-bytes`.
    pub offload_bytes: u64,
    /// `segment-min-bytes`.
    pub segment_min_bytes: u64,
    /// `cold-cache-bytes`.
    pub cold_cache_bytes: u64,
    /// `retention-check-interval`.
    pub retention_check_interval: Duration,
    /// `gc-grace`.
    pub gc_grace: Duration,
}

/// The files of a certificate and of its key, in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// `tls-cert`.
    pub certificate: PathBuf,
    /// `tls-key`.
    pub key: PathBuf,
}

/// Settings of the control plane; `table.rs` says what each changes.
#[derive(Debug, Clone)]
pub struct Control {
    /// `public-url`, without a slash at its end.
    pub public_url: Option<String>,
    /// `smtp-url`. It may hold a password.
    pub smtp_url: Option<SmtpUrl>,
    /// `mail-from`.
    pub mail_from: String,
    /// `undelete-window`.
    pub undelete_window: Duration,
    /// `trusted-proxies`.
    pub trusted_proxies: TrustedProxies,
    /// `outbound-networks`.
    pub outbound: Reach,
    /// `api-requests-per-principal`.
    pub requests_per_principal: u32,
    /// `api-requests-per-address`.
    pub requests_per_address: u32,
    /// `prices`.
    pub prices: Prices,
    /// `currency`.
    pub currency: Currency,
}

/// The URL of a mail server, which is shown without its password.
#[derive(Clone, PartialEq, Eq)]
pub struct SmtpUrl(pub String);

impl fmt::Debug for SmtpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&super::redact(&self.0))
    }
}

/// How tickets of Kerberos are accepted; `table.rs` says what each changes.
#[derive(Debug, Clone)]
pub struct Kerberos {
    /// `kerberos-keytab`.
    pub keytab: PathBuf,
    /// `kerberos-realm`.
    pub realm: String,
    /// `kerberos-service`.
    pub service: String,
    /// `kerberos-cluster`.
    pub cluster: Option<String>,
    /// `kerberos-rules`.
    pub rules: String,
}

/// Limits of the broker that Kafka has no setting for; `table.rs` says what each changes.
#[derive(Debug, Clone)]
pub struct Network {
    /// `max-groups-per-cluster`.
    pub max_groups_per_cluster: u32,
    /// `max-connections-per-ip`.
    pub max_connections_per_ip: u32,
    /// `max-connections-per-principal`.
    pub max_connections_per_principal: u32,
    /// `max-pending-bytes-per-connection`.
    pub max_pending_bytes_per_connection: u64,
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Logs, traces and metrics.
#[derive(Debug, Clone)]
pub struct Telemetry {
    /// What is logged.
    pub filter: String,
    /// How it is written.
    pub format: LogFormat,
    /// Where OTLP goes; `None`: nowhere, unless the OpenTelemetry variables say otherwise.
    pub otlp_endpoint: Option<String>,
}

impl Settings {
    /// The typed values of `sources`.
    pub fn resolve(sources: &Sources) -> Result<Self, ConfigError> {
        let read = Reader(sources);
        distinct_addresses(&read)?;
        Ok(Self {
            data_dir: read.text("data-dir").into(),
            kafka: read.value("kafka", kind::host_and_port)?,
            http: read.value("http", kind::host_and_port)?,
            advertise: read.optional("advertise", kind::advertised)?,
            internal: read.optional("internal", kind::host_and_port)?,
            internal_advertise: read.optional("internal-advertise", kind::advertised)?,
            node: read.value("node", kind::node)?,
            cell_domain: read.optional("cell-domain", kind::domain)?,
            tls: tls(&read)?,
            kerberos: kerberos(&read)?,
            master_key: read.optional("master-key", |text| Ok(text.into()))?,
            control: control(&read)?,
            catalog: read.optional("catalog", |text| Ok(text.to_owned()))?,
            store: read.optional("store", |text| Ok(text.to_owned()))?,
            wal: read.value("wal", kind::wal)?,
            kafka_config: kafka(sources)?,
            log: log(&read)?,
            network: Network {
                max_groups_per_cluster: read.value("max-groups-per-cluster", kind::count)?,
                max_connections_per_ip: read.value("max-connections-per-ip", kind::count)?,
                max_connections_per_principal: read.value("max-connections-per-principal", kind::count)?,
                max_pending_bytes_per_connection: read
                    .value("max-pending-bytes-per-connection", kind::bytes)?,
            },
            telemetry: telemetry(&read)?,
            shutdown_timeout: read.value("shutdown-timeout", kind::duration)?,
        })
    }
}

/// Each listener has an address of its own.
fn distinct_addresses(read: &Reader<'_>) -> Result<(), ConfigError> {
    let mut taken: Vec<(&str, (String, u16))> = Vec::new();
    for name in ["kafka", "http", "internal"] {
        let address = read.optional(name, |text| {
            let address = kind::host_and_port(text)?;
            match taken
                .iter()
                .find(|(_, other)| *other == address && address.1 != 0)
            {
                Some((other, _)) => Err(format!("{other} listens on the same address: they need one each")),
                None => Ok(address),
            }
        })?;
        taken.extend(address.map(|address| (name, address)));
    }
    Ok(())
}

fn log(read: &Reader<'_>) -> Result<Log, ConfigError> {
    Ok(Log {
        linger: read.value("wal-linger", kind::duration)?,
        slot_bytes: read.value("wal-slot-bytes", kind::bytes)?,
        slots_in_flight: read.value("wal-slots-in-flight", kind::count)?,
        max_pending_bytes: read.value("max-pending-bytes", kind::bytes)?,
        hot_memory_bytes: read.value("hot-memory-bytes", kind::bytes)?,
        hot_disk_bytes: read.value("hot-disk-bytes", kind::bytes)?,
        offload_interval: read.value("offload-interval", kind::duration)?,
        offload_bytes: read.value("offload-bytes", kind::bytes)?,
        segment_min_bytes: read.value("segment-min-bytes", kind::bytes)?,
        cold_cache_bytes: read.value("cold-cache-bytes", kind::bytes)?,
        retention_check_interval: read.value("retention-check-interval", kind::duration)?,
        gc_grace: read.value("gc-grace", kind::duration)?,
    })
}

fn telemetry(read: &Reader<'_>) -> Result<Telemetry, ConfigError> {
    Ok(Telemetry {
        filter: read.text("log-level"),
        format: if read.text("log-format") == "json" {
            LogFormat::Json
        } else {
            LogFormat::Text
        },
        otlp_endpoint: read.optional("otlp-endpoint", |text| Ok(text.to_owned()))?,
    })
}

/// Certificate and key are set together or not at all.
fn tls(read: &Reader<'_>) -> Result<Option<TlsFiles>, ConfigError> {
    let path = |text: &str| Ok(PathBuf::from(text));
    let certificate = read.optional("tls-cert", path)?;
    let key = read.optional("tls-key", path)?;
    let alone = |name: &str, missing: &str| {
        let reason = format!("{missing} is not set, and neither is of use without the other");
        read.value(name, |_| Err(reason.clone()))
    };
    match (certificate, key) {
        (Some(certificate), Some(key)) => Ok(Some(TlsFiles { certificate, key })),
        (None, None) => Ok(None),
        (Some(_), None) => alone("tls-cert", "tls-key"),
        (None, Some(_)) => alone("tls-key", "tls-cert"),
    }
}

/// With a keytab the realm must be said, too.
fn kerberos(read: &Reader<'_>) -> Result<Option<Kerberos>, ConfigError> {
    let text = |text: &str| Ok(text.to_owned());
    let Some(keytab) = read.optional("kerberos-keytab", |text| Ok(PathBuf::from(text)))? else {
        return Ok(None);
    };
    let Some(realm) = read.optional("kerberos-realm", text)? else {
        let reason = "kerberos-realm is not set, and the rule DEFAULT needs one".to_owned();
        return read.value("kerberos-keytab", |_| Err(reason.clone()));
    };
    Ok(Some(Kerberos {
        keytab,
        realm,
        service: read.value("kerberos-service", text)?,
        cluster: read.optional("kerberos-cluster", text)?,
        rules: read.value("kerberos-rules", text)?,
    }))
}

fn control(read: &Reader<'_>) -> Result<Control, ConfigError> {
    let without_slash = |text: &str| Ok(text.trim_end_matches('/').to_owned());
    Ok(Control {
        public_url: read.optional("public-url", without_slash)?,
        smtp_url: read.optional("smtp-url", |text| Ok(SmtpUrl(text.into())))?,
        mail_from: read.text("mail-from"),
        undelete_window: read.value("undelete-window", kind::duration)?,
        trusted_proxies: read.value("trusted-proxies", str::parse)?,
        outbound: read.value("outbound-networks", Reach::of_networks)?,
        requests_per_principal: read.value("api-requests-per-principal", kind::count)?,
        requests_per_address: read.value("api-requests-per-address", kind::count)?,
        prices: read.value("prices", str::parse)?,
        currency: read.value("currency", str::parse)?,
    })
}

/// The broker setting that an unknown key resembles, as a question.
fn meant(key: &str) -> String {
    nearest(key, topic_config::BROKER_KEYS.iter().map(|known| known.name))
}

/// The Kafka broker settings, refused one by one so that each keeps its origin.
fn kafka(sources: &Sources) -> Result<KafkaSettings, ConfigError> {
    let refused = |setting: &str, value: &Sourced, error: topic_config::ConfigError| ConfigError::Value {
        setting: setting.into(),
        value: value.text.clone(),
        reason: match &error {
            topic_config::ConfigError::Unknown { key } => format!("{error}{}", meant(key)),
            topic_config::ConfigError::Invalid { .. } | topic_config::ConfigError::Malformed { .. } => {
                error.to_string()
            }
        },
        origin: value.origin.clone(),
    };
    for (key, value) in sources.kafka() {
        KafkaSettings::new([(key, &value.text)]).map_err(|error| refused(key, value, error))?;
    }
    let pairs = sources.kafka().iter().map(|(key, value)| (key, &value.text));
    KafkaSettings::new(pairs).map_err(|error| ConfigError::Value {
        setting: table::KAFKA_CONFIG.into(),
        value: String::new(),
        reason: error.to_string(),
        origin: Origin::Default,
    })
}

struct Reader<'a>(&'a Sources);

impl Reader<'_> {
    fn sourced(&self, name: &str) -> Sourced {
        self.0
            .get(table::find(name).expect("a test reads every name used here from the table"))
    }

    fn text(&self, name: &str) -> String {
        self.sourced(name).text
    }

    fn value<T>(&self, name: &str, read: impl Fn(&str) -> Result<T, String>) -> Result<T, ConfigError> {
        let Sourced { text, origin } = self.sourced(name);
        read(&text).map_err(|reason| ConfigError::Value {
            setting: name.into(),
            value: super::redact(&text),
            reason,
            origin,
        })
    }

    fn optional<T>(
        &self,
        name: &str,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<T>, ConfigError> {
        if self.text(name).is_empty() {
            Ok(None)
        } else {
            self.value(name, read).map(Some)
        }
    }
}
