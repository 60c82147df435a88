//! `firn broker`: the data plane of a cell. Nobody is let in without a credential.

use std::net::SocketAddr;

use firn_runtime::Env;

use crate::assembly::data_plane::{DataPlanePlan, Listeners};
use crate::assembly::foundation::Shared;
use crate::assembly::{DataPlane, Foundation};
use crate::certificates::CertificateFiles;
use crate::config::Settings;
use crate::exit::Failure;
use crate::process::address::{self, Reach};
use crate::process::data_dir::DataDir;
use crate::process::life::{Http, Role, Started};

/// Where the control plane connects unless the settings say otherwise.
const INTERNAL: (&str, u16) = ("127.0.0.1", 9094);

/// Partitions of the topic in which a new cell keeps groups. Brokers share them.
const COORDINATORS: i32 = 256;

/// A `firn broker` that is about to start.
pub struct Broker {
    shared: Shared,
    data_dir: DataDir,
    listeners: Listeners,
}

impl Role for Broker {
    const REACH: Reach = Reach::Anywhere;

    async fn prepare(settings: &Settings) -> Result<Self, Failure> {
        let shared = Shared::of(settings, "firn broker")?;
        if settings.store.is_none() {
            return Err(Failure::setting(
                "store",
                "it is not set, and firn broker needs the object store that the whole cell shares",
            ));
        }
        let kafka = address::resolve("kafka", &settings.kafka, Self::REACH).await?;
        let internal = match &settings.internal {
            Some(internal) => internal.clone(),
            None => (INTERNAL.0.to_owned(), INTERNAL.1),
        };
        let internal = address::resolve("internal", &internal, Self::REACH).await?;
        nameable("advertise", settings.advertise.is_some(), "kafka", kafka)?;
        nameable(
            "internal-advertise",
            settings.internal_advertise.is_some(),
            "internal",
            internal,
        )?;
        let data_dir = DataDir::open(&settings.data_dir)?;
        // The broker binds at the end of the start; whoever has a port should be named before anything is opened.
        drop(address::bind("kafka", kafka).await?);
        drop(address::bind("internal", internal).await?);
        Ok(Self {
            shared,
            data_dir,
            listeners: Listeners {
                kafka,
                internal,
                coordinators: COORDINATORS,
            },
        })
    }

    async fn start(self, settings: &Settings, env: &Env, http: &Http) -> Result<Started, Failure> {
        let certificates = match &settings.tls {
            Some(files) => Some(CertificateFiles::open(files)?),
            None => {
                tracing::warn!(
                    "tls-cert is not set: clients are served without TLS, and API keys (SASL PLAIN) work on loopback only"
                );
                None
            }
        };
        let foundation = Foundation::shared(&self.shared, env).await?;
        let plan = DataPlanePlan {
            data_dir: self.data_dir,
            listeners: self.listeners,
            certificates,
            anonymous: None,
        };
        let data_plane = DataPlane::start(plan, settings, &foundation).await?;
        http.server.open(http.operations.clone().router());
        Ok(Started {
            foundation,
            data_plane: Some(data_plane),
            control_plane: None,
        })
    }
}

/// Nobody can connect to "every address of this machine", so a broker that listens there must be told its name.
fn nameable(setting: &str, is_set: bool, listener: &str, address: SocketAddr) -> Result<(), Failure> {
    if is_set || !address.ip().is_unspecified() {
        return Ok(());
    }
    Err(Failure::setting(
        setting,
        format!(
            "it is not set, and {listener} listens on every address ({address}), which is no name that others can connect to"
        ),
    ))
}
