//! A real broker over a SQLite catalog and a log in memory, and a client that speaks raw frames to it.

#![allow(dead_code, reason = "each test binary uses its part")]

pub mod client;
pub mod gate;
pub mod samples;

use std::sync::Arc;
use std::time::Duration;

use firn_broker::{Broker, BrokerParts, BrokerSettings, Certificates, Limits, Seams, TokenSettings};
use firn_catalog::Catalog;
use firn_catalog::ids::{ClusterId, NodeId, TopicId};
use firn_catalog::image::ImageFollower;
use firn_catalog::topic_config::KafkaSettings;
use firn_log::engine::{Log, LogParts, LogSettings};
use firn_runtime::Env;
use firn_secrets::{MasterKey, Secrets};
use kafka_protocol::messages::DescribeGroupsRequest;
use object_store::memory::InMemory;

use client::{Client, PATIENCE, text};
use gate::GatedWal;

/// The domain under which the clusters of a test have names.
pub const CELL_DOMAIN: &str = "cell.test";

/// What credentials of a test are kept under.
pub fn secrets() -> Secrets {
    Secrets::new(&MasterKey::from_text(&"7".repeat(64)).unwrap())
}

/// How a broker of a test differs from the usual one.
#[derive(Default)]
pub struct Setup {
    /// Clients must authenticate, from loopback too.
    pub named: bool,
    /// What TLS clients are shown.
    pub certificates: Option<Arc<dyn Certificates>>,
    /// Whether there is a listener for the control plane.
    pub internal: bool,
    pub limits: Limits,
    pub kafka: Vec<(&'static str, &'static str)>,
    pub seams: Seams,
    pub tokens: TokenSettings,
    /// The cluster that clients are in, if it is another one than that of `firn dev`. It need not exist.
    pub cluster: Option<ClusterId>,
}

/// A broker that serves.
pub struct Bench {
    pub broker: Broker,
    pub log: Arc<Log>,
    pub wal: Arc<GatedWal>,
    pub catalog: Arc<Catalog>,
    pub images: Arc<ImageFollower>,
    pub cluster: ClusterId,
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
        self.restarted_with(Setup::default()).await
    }

    /// Stops the broker and starts one that differs from the usual one in its place.
    pub async fn restarted_with(self, setup: Setup) -> Self {
        self.broker.shutdown().await;
        self.log.shutdown().await;
        Self::over(setup, self.catalog, self.wal, self.store, self.folder).await
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
        let cluster = setup.cluster.unwrap_or(dev.cluster);
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
                coordinators: 4,
                max_groups: 10_000,
                kerberos: None,
                tokens: setup.tokens,
                bind: "127.0.0.1:0".parse().unwrap(),
                internal: setup.internal.then(|| "127.0.0.1:0".parse().unwrap()),
                internal_advertise: None,
                cell_domain: Some(CELL_DOMAIN.to_owned()),
                advertise: None,
                limits: setup.limits,
                kafka: KafkaSettings::new(setup.kafka).unwrap(),
            },
            log: log.clone(),
            catalog: catalog.clone(),
            images: images.clone(),
            node: NodeId(0),
            anonymous: Some(cluster).filter(|_| !setup.named),
            seams: setup.seams,
            secrets: secrets(),
            certificates: setup.certificates,
        })
        .await
        .unwrap();
        Self {
            broker,
            log,
            wal,
            catalog,
            images,
            cluster,
            store,
            folder,
        }
    }

    /// The topic of that name in the clients' cluster.
    pub fn topic(&self, name: &str) -> TopicId {
        let image = self.images.image();
        let topic = image.topic_by_name(self.cluster, name);
        topic.unwrap_or_else(|| panic!("no topic {name}")).id
    }

    /// Waits until every group can be asked.
    pub async fn coordinators(&self) {
        let mut client = self.client().await;
        self.coordinators_by(&mut client).await;
    }

    /// Waits until this client can ask every group. More names than there are coordinators: each has some of them.
    pub async fn coordinators_by(&self, client: &mut Client) {
        let names = (0..64).map(|number| text(&number.to_string()).into());
        let request = DescribeGroupsRequest::default().with_groups(names.collect());
        let ready = async {
            loop {
                let described = client.call(0, &request).await.groups;
                if described
                    .iter()
                    .all(|group| ![14, 15, 16].contains(&group.error_code))
                {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let ready = tokio::time::timeout(PATIENCE, ready).await;
        assert!(ready.is_ok(), "groups cannot be asked");
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
