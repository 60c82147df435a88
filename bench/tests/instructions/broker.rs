//! A broker of which every run is the same: one thread, a clock that stands still, seeded randomness, and a write-ahead log
//! that takes everything at once and keeps nothing.

use std::fs;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use firn_broker::{Broker, BrokerParts, BrokerSettings, Limits, Seams, TokenSettings};
use firn_catalog::Catalog;
use firn_catalog::cell::WalLocation;
use firn_catalog::ids::{IncarnationId, NodeId, Slot};
use firn_catalog::image::ImageFollower;
use firn_catalog::topic_config::KafkaSettings;
use firn_log::engine::{Log, LogParts, LogSettings};
use firn_log::wal::{PutOutcome, WalError, WriteAheadLog};
use firn_runtime::{Clock, Env, InlineTasks, SeededRandom, Timestamp};
use firn_secrets::{MasterKey, Secrets};
use object_store::memory::InMemory;

/// What the clock says, and when all records are from.
pub const NOW: i64 = 1_700_000_000_000;

struct StoppedClock;

impl Clock for StoppedClock {
    fn now(&self) -> Timestamp {
        Timestamp(NOW)
    }
}

struct ForgetfulWal;

#[async_trait]
impl WriteAheadLog for ForgetfulWal {
    fn location(&self) -> WalLocation {
        WalLocation::Object
    }

    async fn put_if_absent(&self, _: IncarnationId, _: Slot, _: Vec<Bytes>) -> Result<PutOutcome, WalError> {
        Ok(PutOutcome::Written)
    }

    async fn get(&self, _: IncarnationId, _: Slot) -> Result<Option<Bytes>, WalError> {
        Ok(None)
    }

    async fn get_front(&self, _: IncarnationId, _: Slot) -> Result<Option<Bytes>, WalError> {
        Ok(None)
    }

    async fn get_range(&self, _: IncarnationId, _: Slot, _: Range<u64>) -> Result<Option<Bytes>, WalError> {
        Ok(None)
    }

    async fn delete(&self, _: IncarnationId, _: Range<Slot>) -> Result<(), WalError> {
        Ok(())
    }

    fn is_local(&self) -> bool {
        true
    }
}

/// Starts it, with its catalog in this folder, which is emptied.
pub async fn start(folder: &Path) -> Broker {
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder).unwrap();
    let env = Env {
        clock: Arc::new(StoppedClock),
        random: Arc::new(SeededRandom::new(1)),
        tasks: Arc::new(InlineTasks),
    };
    let url = format!("sqlite://{}", folder.join("catalog.db").display());
    let catalog = Catalog::open(&url, env.clone()).await.unwrap();
    let dev = catalog.ensure_dev().await.unwrap();
    let log = Log::open(LogParts {
        env: env.clone(),
        settings: LogSettings::default(),
        catalog: catalog.clone(),
        store: Arc::new(InMemory::new()),
        wal: Arc::new(ForgetfulWal),
        node: NodeId(0),
        hot_directory: None,
    });
    let log = log.await.unwrap();
    let images = ImageFollower::start(catalog.clone()).await.unwrap();
    let broker = Broker::start(BrokerParts {
        env,
        settings: BrokerSettings {
            coordinators: 1,
            max_groups: 10_000,
            kerberos: None,
            tokens: TokenSettings::default(),
            bind: "127.0.0.1:0".parse().unwrap(),
            internal: None,
            internal_advertise: None,
            cell_domain: None,
            advertise: None,
            limits: Limits::default(),
            kafka: KafkaSettings::new(Vec::<(&str, &str)>::new()).unwrap(),
        },
        log,
        catalog,
        images,
        node: NodeId(0),
        anonymous: Some(dev.cluster),
        seams: Seams::default(),
        secrets: Secrets::new(&MasterKey::generate(&SeededRandom::new(2))),
        certificates: None,
    });
    broker.await.unwrap()
}
