//! What a broker is told when it starts.

use std::net::SocketAddr;
use std::time::Duration;

use firn_catalog::entities::Address;
use firn_catalog::topic_config::KafkaSettings;
use firn_outbound::Reach;

pub use crate::authentication::kerberos::KerberosSettings;
use crate::network::Limits;

/// The name that the broker gives to clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advertise {
    /// A host name or IP address.
    pub host: String,
    /// A port; that of the listener if there is none.
    pub port: Option<u16>,
}

/// A broker's settings.
#[derive(Clone, Debug)]
pub struct BrokerSettings {
    /// Where the listener is; port 0 picks one.
    pub bind: SocketAddr,
    /// The name that clients are given; the listener's own address if there is none.
    pub advertise: Option<Advertise>,
    /// Where the listener for the control plane is, if there is one; port 0 picks one.
    pub internal: Option<SocketAddr>,
    /// The name by which the control plane reaches it; the listener's own address if there is none.
    pub internal_advertise: Option<Advertise>,
    /// The domain under which clusters have names: `{slug}.{cell_domain}`, and `{slug}-b{node}.{cell_domain}` for brokers.
    pub cell_domain: Option<String>,
    /// Bounds of connections.
    pub limits: Limits,
    /// Kafka's broker settings.
    pub kafka: KafkaSettings,
    /// Partitions of the topic in which groups are kept, if this broker is the one that makes it.
    pub coordinators: i32,
    /// Groups that one cluster may have.
    pub max_groups: usize,
    /// How the keys of identity providers are asked for.
    pub tokens: TokenSettings,
    /// By what tickets are accepted, if any are.
    pub kerberos: Option<KerberosSettings>,
}

/// How the keys of identity providers are asked for.
#[derive(Clone, Debug)]
pub struct TokenSettings {
    /// What may be asked beside the public internet.
    pub reach: Reach,
    /// A provider is asked again no sooner, whatever tokens name.
    pub interval: Duration,
}

impl Default for TokenSettings {
    fn default() -> Self {
        Self {
            reach: Reach::default(),
            interval: Duration::from_secs(30),
        }
    }
}

impl BrokerSettings {
    /// The address that clients are given, with the listener at `local`.
    pub(crate) fn advertised(&self, local: SocketAddr) -> Address {
        address(self.advertise.as_ref(), local)
    }

    /// The address that the control plane is given, with the internal listener at `local`.
    pub(crate) fn internal_advertised(&self, local: SocketAddr) -> Address {
        address(self.internal_advertise.as_ref(), local)
    }
}

fn address(advertise: Option<&Advertise>, local: SocketAddr) -> Address {
    match advertise {
        Some(Advertise { host, port }) => Address {
            host: host.clone(),
            port: port.unwrap_or(local.port()),
        },
        None => Address {
            host: local.ip().to_string(),
            port: local.port(),
        },
    }
}
