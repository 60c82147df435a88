//! Store, write-ahead log, log and broker, built from the settings, and taken down in the other order.

use std::net::SocketAddr;
use std::sync::Arc;

use firn_broker::{Broker, BrokerParts, Seams};
use firn_catalog::ids::{ClusterId, NodeId};
use firn_log::engine::{Log, LogParts};
use firn_log::wal::Halt;
use firn_runtime::Env;
use tokio::sync::watch;

use super::background::Background;
use super::foundation::Foundation;
pub use super::tuning::Listeners;
use super::{places, tuning};
use crate::certificates::CertificateFiles;
use crate::config::Settings;
use crate::exit::Failure;
use crate::process::data_dir::DataDir;

/// What is to be built, and where.
pub struct DataPlanePlan {
    /// The locked data directory.
    pub data_dir: DataDir,
    /// Where the broker listens.
    pub listeners: Listeners,
    /// What TLS clients are shown; `None`: the broker serves without TLS.
    pub certificates: Option<Arc<CertificateFiles>>,
    /// The cluster of connections that do not authenticate; `None`: they get no answer.
    pub anonymous: Option<ClusterId>,
}

/// A running broker with everything beneath it.
pub struct DataPlane {
    broker: Broker,
    log: Arc<Log>,
    description: Vec<(&'static str, String)>,
    background: Background,
    _data_dir: DataDir,
}

/// Why a log stopped for good.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Halted {
    /// A successor has taken over.
    #[error(
        "a successor has taken over this log (a fence stands in its write-ahead log); this process must end"
    )]
    Fenced,
    /// Something that must not happen.
    #[error("the log stopped: {0}")]
    Broken(String),
}

/// Tells whether the log has stopped.
pub struct Halts(watch::Receiver<Option<Halt>>);

impl Halts {
    /// Why it has stopped, if it has.
    pub fn current(&self) -> Option<Halted> {
        self.0.borrow().clone().map(Halted::from)
    }

    /// Waits until it stops. For ever, if it ends without ever having to.
    pub async fn next(&mut self) -> Halted {
        let halt = match self.0.wait_for(Option::is_some).await {
            Ok(halt) => halt.clone(),
            Err(_) => None,
        };
        match halt {
            Some(halt) => halt.into(),
            None => std::future::pending().await,
        }
    }
}

impl From<Halt> for Halted {
    fn from(halt: Halt) -> Self {
        match halt {
            Halt::Fenced => Self::Fenced,
            Halt::Broken(reason) => Self::Broken(reason),
        }
    }
}

impl From<Halted> for Failure {
    fn from(halted: Halted) -> Self {
        match halted {
            Halted::Fenced => Self::Fenced(halted.to_string()),
            Halted::Broken(_) => Self::Failed(halted.to_string()),
        }
    }
}

impl DataPlane {
    /// Opens everything in order. When it returns, the broker serves.
    pub async fn start(
        plan: DataPlanePlan,
        settings: &Settings,
        foundation: &Foundation,
    ) -> Result<Self, Failure> {
        let DataPlanePlan {
            data_dir,
            listeners,
            certificates,
            anonymous,
        } = plan;
        let env = &foundation.env;
        let node = NodeId(settings.node);
        let places = places::Places::of(settings, &data_dir);
        let store = places.open_store(env).await?;
        let wal = places.open_wal(env, &store)?;
        let parts = LogParts {
            env: env.clone(),
            settings: tuning::log(&settings.log),
            catalog: Arc::clone(&foundation.catalog) as Arc<_>,
            store,
            wal,
            node,
            hot_directory: places.hot_directory(),
        };
        let log = Log::open(parts)
            .await
            .map_err(|error| not_started("log", error.is_fenced(), error))?;
        let mut background = Background::default();
        if let Some(certificates) = &certificates {
            background.run(env, Arc::clone(certificates).follow(env.clone()));
        }
        let broker = Broker::start(BrokerParts {
            env: env.clone(),
            settings: tuning::broker(settings, &listeners, anonymous.is_some()),
            log: Arc::clone(&log),
            catalog: Arc::clone(&foundation.catalog),
            images: Arc::clone(&foundation.images),
            node,
            anonymous,
            seams: Seams::default(),
            secrets: foundation.secrets.clone(),
            certificates: certificates.map(|certificates| certificates as Arc<_>),
        })
        .await
        .map_err(|error| not_started("kafka", error.is_fenced(), error))?;
        Ok(Self {
            broker,
            log,
            description: places.describe(),
            background,
            _data_dir: data_dir,
        })
    }

    /// Runs a task for as long as the data plane does.
    pub fn run_beside(&mut self, env: &Env, task: impl Future<Output = ()> + Send + 'static) {
        self.background.run(env, task);
    }

    /// Where the broker listens.
    pub fn address(&self) -> SocketAddr {
        self.broker.local_address()
    }

    /// What clients are told to connect to: host and port.
    pub fn advertised(&self) -> (String, u16) {
        let address = self.broker.advertised();
        (address.host.clone(), address.port)
    }

    /// Which store and write-ahead log are in use, without secrets.
    pub fn description(&self) -> &[(&'static str, String)] {
        &self.description
    }

    /// Tells whether the log has stopped.
    pub fn halts(&self) -> Halts {
        Halts(self.log.halted())
    }

    /// Stops accepting, makes what is pending durable, answers it, and closes everything.
    pub async fn shutdown(self) -> Result<(), Halted> {
        let halts = self.halts();
        self.broker.shutdown().await;
        self.log.shutdown().await;
        drop(self.background);
        halts.current().map_or(Ok(()), Err)
    }
}

/// Why the start failed in this part. A successor may have been started, and have taken over, meanwhile.
fn not_started(part: &str, fenced: bool, error: impl std::fmt::Display) -> Failure {
    let sentence = format!("{part}: {error}");
    if fenced {
        Failure::Fenced(sentence)
    } else {
        Failure::Failed(sentence)
    }
}

#[cfg(test)]
mod tests {
    use firn_broker::StartError;
    use firn_catalog::cell::CatalogError;
    use firn_catalog::ids::{IncarnationId, PartitionId, TopicId};
    use firn_log::cold::ColdError;
    use firn_log::engine::{AssignError, OpenError};
    use firn_log::takeover::TakeoverError;

    use super::*;

    fn of_log(error: &OpenError) -> Failure {
        not_started("log", error.is_fenced(), error)
    }

    fn of_broker(error: &StartError) -> Failure {
        not_started("kafka", error.is_fenced(), error)
    }

    fn failures(error: &CatalogError) -> Vec<Failure> {
        let assign = AssignError {
            partition: PartitionId {
                topic: TopicId(1),
                index: 0,
            },
            source: ColdError::Catalog(error.clone()),
        };
        vec![
            of_log(&OpenError::Catalog(error.clone())),
            of_log(&OpenError::Takeover(TakeoverError::Catalog(error.clone()))),
            of_log(&OpenError::Cold(ColdError::Catalog(error.clone()))),
            of_broker(&StartError::Advertise(error.clone())),
            of_broker(&StartError::Assign(assign)),
        ]
    }

    #[test]
    fn whoever_is_fenced_while_starting_says_so_and_others_do_not() {
        for failure in failures(&CatalogError::NotOpen(IncarnationId(7))) {
            assert!(matches!(failure, Failure::Fenced(_)), "{failure:?}");
            assert!(
                failure.to_string().contains("a successor has taken over"),
                "{failure}"
            );
        }
        for failure in failures(&CatalogError::Unavailable("away".into())) {
            assert!(matches!(failure, Failure::Failed(_)), "{failure:?}");
        }
        let failure = of_log(&OpenError::HotDirectory("read-only".into()));
        assert!(matches!(failure, Failure::Failed(_)), "{failure:?}");
    }
}
