//! A real broker over a SQLite catalog and a log in memory, and a client that speaks raw frames to it.

#![allow(dead_code, reason = "each test binary uses its part")]

pub mod client;
pub mod gate;
pub mod samples;

use std::sync::Arc;
use std::time::Duration;

use firn_broker::{Broker, BrokerParts, BrokerSettings, Limits, Seams};
use firn_catalog::Catalog;
use firn_catalog::ids::NodeId;
use firn_catalog::image::ImageFollower;
use firn_catalog::topic_config::KafkaSettings;
use firn_log::engine::{Log, LogParts, LogSettings};
use firn_runtime::Env;
use object_store::memory::InMemory;

use client::{Client, PATIENCE};
use gate::GatedWal;

/// How a broker of a test differs from the usual one.
#[derive(Default)]
pub struct Setup {
    pub limits: Limits,
    pub kafka: Vec<(&'static str, &'static str)>,
    pub seams: Seams,
}

/// A broker that serves.
pub struct Bench {
    pub broker: Broker,
    pub log: Arc<Log>,
    pub wal: Arc<GatedWal>,
    pub catalog: Arc<Catalog>,
    pub images: Arc<ImageFollower>,
    store: Arc<InMemory>,
    folder: Arc<tempfile::TempDir>,
}

impl Bench {
    pub async fn start() -> Self {
        Self::with(Setup::default()).await
    }

    pub async fn with(setup: Setup) -> Self {
        let env = Env::system();
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let url = format!("sqlite://{}", folder.path().join("catalog.db").display());
        let catalog = Catalog::open(&url, env.clone()).await.unwrap();
        let wal = Arc::new(GatedWal::new(Arc::new(InMemory::new())));
        Self::over(setup, catalog, wal, Arc::new(InMemory::new()), folder).await
    }

    /// Stops the broker and starts another one in its place.
    pub async fn restarted(self) -> Self {
        self.broker.shutdown().await;
        self.log.shutdown().await;
        Self::over(Setup::default(), self.catalog, self.wal, self.store, self.folder).await
    }

    /// A broker that takes over the partitions of this one, which goes on and does not know it yet.
    pub async fn successor(&self) -> Self {
        let (catalog, wal, store) = (self.catalog.clone(), self.wal.clone(), self.store.clone());
        Self::over(Setup::default(), catalog, wal, store, self.folder.clone()).await
    }

    async fn over(
        setup: Setup,
        catalog: Arc<Catalog>,
        wal: Arc<GatedWal>,
        store: Arc<InMemory>,
        folder: Arc<tempfile::TempDir>,
    ) -> Self {
        let env = Env::system();
        let dev = catalog.ensure_dev().await.unwrap();
        let log = Log::open(LogParts {
            env: env.clone(),
            settings: LogSettings::default(),
            catalog: catalog.clone(),
            store: store.clone(),
            wal: wal.clone(),
            node: NodeId(0),
            hot_directory: None,
        })
        .await
        .unwrap();
        let images = ImageFollower::start(catalog.clone()).await.unwrap();
        let broker = Broker::start(BrokerParts {
            env,
            settings: BrokerSettings {
                bind: "127.0.0.1:0".parse().unwrap(),
                advertise: None,
                limits: setup.limits,
                kafka: KafkaSettings::new(setup.kafka).unwrap(),
            },
            log: log.clone(),
            catalog: catalog.clone(),
            images: images.clone(),
            node: NodeId(0),
            anonymous: Some(dev.cluster),
            seams: setup.seams,
        })
        .await
        .unwrap();
        Self {
            broker,
            log,
            wal,
            catalog,
            images,
            store,
            folder,
        }
    }

    /// Waits until so many connections are open.
    pub async fn connections(&self, expected: usize) {
        let reached = async {
            while self.broker.connections() != expected {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let reached = tokio::time::timeout(PATIENCE, reached).await;
        let now = self.broker.connections();
        assert!(reached.is_ok(), "{now} connections are open, not {expected}");
    }

    pub async fn client(&self) -> Client {
        Client::connect(self.broker.local_address()).await
    }

    pub async fn stop(self) {
        self.broker.shutdown().await;
        self.log.shutdown().await;
    }
}
