//! From the names that operators set to the settings that the log and the broker take.

use std::net::SocketAddr;

use firn_broker::{Advertise, BrokerSettings, KerberosSettings, Limits, TokenSettings};
use firn_catalog::topic_config::{BrokerDefaults, ConfigMap, KafkaSettings};
use firn_log::cold::{ColdSettings, GcSettings, MergeSettings, OffloadSettings, ReadSettings};
use firn_log::engine::LogSettings;
use firn_log::engine::images::ImageBudget;
use firn_log::wal::AppenderSettings;
use firn_outbound::Reach;

use crate::config::{Log, Settings};

/// The log's settings. What has no name for operators keeps the log's own default.
pub fn log(settings: &Log) -> LogSettings {
    LogSettings {
        appender: AppenderSettings {
            linger: settings.linger,
            max_slot_bytes: settings.slot_bytes,
            max_in_flight: size(u64::from(settings.slots_in_flight)),
            max_pending_bytes: settings.max_pending_bytes,
        },
        images: ImageBudget {
            memory: settings.hot_memory_bytes,
            disk: settings.hot_disk_bytes,
        },
        cold: ColdSettings {
            read: ReadSettings {
                cache_bytes: settings.cold_cache_bytes,
                ..ReadSettings::default()
            },
            offload: OffloadSettings {
                bytes: settings.offload_bytes,
                age: settings.offload_interval,
                segment_min_bytes: settings.segment_min_bytes,
                ..OffloadSettings::default()
            },
            merge: MergeSettings {
                segment_min_bytes: settings.segment_min_bytes,
                ..MergeSettings::default()
            },
            gc: GcSettings {
                grace: settings.gc_grace,
                interval: settings.retention_check_interval,
                ..GcSettings::default()
            },
        },
        ..LogSettings::default()
    }
}

/// The slug of the cluster of `firn dev`.
const DEV_CLUSTER: &str = "dev";

/// Where a broker listens, and what its role decides.
pub struct Listeners {
    /// For Kafka clients.
    pub kafka: SocketAddr,
    /// For the control plane.
    pub internal: SocketAddr,
    /// Partitions of the topic in which a new cell keeps groups.
    pub coordinators: i32,
}

/// What tenants may have asked; in `dev` this machine too.
pub fn reach(settings: &Settings, dev: bool) -> Reach {
    Reach {
        loopback: dev,
        ..settings.control.outbound.clone()
    }
}

/// The broker's settings; in `dev` it may be had identity providers on this machine.
pub fn broker(settings: &Settings, listeners: &Listeners, dev: bool) -> BrokerSettings {
    let named = |name: &Option<(String, Option<u16>)>| {
        let (host, port) = name.clone()?;
        Some(Advertise { host, port })
    };
    BrokerSettings {
        coordinators: listeners.coordinators,
        max_groups: size(u64::from(settings.network.max_groups_per_cluster)),
        bind: listeners.kafka,
        advertise: named(&settings.advertise),
        internal: Some(listeners.internal),
        internal_advertise: named(&settings.internal_advertise),
        cell_domain: settings.cell_domain.clone(),
        limits: limits(settings),
        kafka: settings.kafka_config.clone(),
        kerberos: kerberos(settings, dev),
        tokens: TokenSettings {
            reach: reach(settings, dev),
            ..TokenSettings::default()
        },
    }
}

/// How tickets are accepted; in `dev` for its one cluster, unless another is said.
fn kerberos(settings: &Settings, dev: bool) -> Option<KerberosSettings> {
    let kerberos = settings.kerberos.as_ref()?;
    let unsaid = if dev { DEV_CLUSTER } else { "" };
    Some(KerberosSettings {
        keytab: kerberos.keytab.clone(),
        service: kerberos.service.clone(),
        realm: kerberos.realm.clone(),
        cluster: kerberos.cluster.clone().unwrap_or_else(|| unsaid.to_owned()),
        rules: kerberos.rules.clone(),
        replays: settings.data_dir.join("kerberos-replays"),
    })
}

/// Kafka's own settings bound connections where it has any, so that clients that read them are told the truth.
fn limits(settings: &Settings) -> Limits {
    let kafka = &settings.kafka_config;
    let idle_millis = number(kafka, "connections.max.idle.ms");
    Limits {
        connections: size(number(kafka, "max.connections")),
        connections_per_ip: size(u64::from(settings.network.max_connections_per_ip)),
        connections_per_principal: size(u64::from(settings.network.max_connections_per_principal)),
        frame_bytes: size(number(kafka, "socket.request.max.bytes")),
        idle: std::time::Duration::from_millis(idle_millis),
        pipelined_bytes: size(settings.network.max_pending_bytes_per_connection),
        // The other half is the log's, which closes after the connections.
        grace: settings.shutdown_timeout / 2,
        ..Limits::default()
    }
}

/// The effective value of a numeric broker key; one below zero means without limit.
fn number(kafka: &KafkaSettings, key: &str) -> u64 {
    let defaults = BrokerDefaults {
        cluster: &ConfigMap::new(),
        settings: kafka,
    };
    let value = defaults
        .number(key)
        .expect("a test reads these keys, whose values were checked");
    u64::try_from(value).unwrap_or(u64::MAX)
}

fn size(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use firn_log::wal::DiskSettings;

    use super::*;
    use crate::config::Sources;

    fn settings(pairs: &[&str]) -> Settings {
        let flags = [(
            "kafka-config",
            pairs.iter().map(|pair| (*pair).to_owned()).collect(),
        )];
        let sources = Sources::read(None, &BTreeMap::new(), &BTreeMap::from(flags)).unwrap();
        Settings::resolve(&sources).unwrap()
    }

    #[test]
    fn the_table_s_defaults_are_the_log_s_own() {
        let (ours, theirs) = (log(&settings(&[]).log), LogSettings::default());
        assert_eq!(format!("{ours:?}"), format!("{theirs:?}"));
        assert_eq!(DiskSettings::default().hot_bytes, ours.images.disk);
    }

    #[test]
    fn connections_may_use_half_of_the_time_for_a_stop_and_the_log_the_rest() {
        let mut settings = settings(&[]);
        settings.shutdown_timeout = std::time::Duration::from_secs(8);
        assert_eq!(limits(&settings).grace, std::time::Duration::from_secs(4));
    }

    #[test]
    fn kafka_s_own_settings_bound_connections() {
        let defaults = limits(&settings(&[]));
        let expected = Limits {
            grace: defaults.grace,
            ..Limits::default()
        };
        assert_eq!(
            defaults, expected,
            "and so the defaults that clients are told are true"
        );
        let pairs = [
            "max.connections=50000",
            "socket.request.max.bytes=1000",
            "connections.max.idle.ms=-1",
        ];
        let limits = limits(&settings(&pairs));
        assert_eq!((limits.connections, limits.frame_bytes), (50_000, 1000));
        assert!(limits.idle.as_secs() > 1_000_000_000);
    }
}
