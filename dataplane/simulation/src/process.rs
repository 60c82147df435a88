//! One broker process: the real log on a link of its own, with tasks that end when it is killed.

use std::sync::Arc;
use std::time::Duration;

use firn_broker::groups::{Coordinator, Metadata, Shared};
use firn_catalog::cell::MemoryCatalog;
use firn_catalog::ids::{ClusterId, LeaderEpoch, NodeId, PartitionId, TopicId};
use firn_coordinator::GroupSettings;
use firn_log::batch::BatchRules;
use firn_log::engine::{Assignment, Log, LogParts, LogSettings, OpenError};
use firn_log::partition::PartitionConfig;
use firn_log::wal::ObjectLog;
use firn_runtime::{Clock, Env, InlineTasks, Random, Tasks, Timestamp};
use futures::future::BoxFuture;
use object_store::ObjectStore;
use object_store::memory::InMemory;
use parking_lot::Mutex;
use tokio::task::{AbortHandle, JoinHandle};
use tokio::time::Instant;

use crate::catalog::FaultyCatalog;
use crate::dice::Dice;
use crate::faults::Faults;
use crate::link::{Link, LinkState};
use crate::plan::Plan;
use crate::store::{FaultyStore, Ledger};

/// The node whose lives all processes are.
pub const NODE: NodeId = NodeId(0);
/// The wall clock at the start of a run, in ms.
const EPOCH: i64 = 1_700_000_000_000;

/// What outlives processes.
pub struct Ground {
    /// The objects.
    pub store: Arc<InMemory>,
    /// What happened to their names.
    pub ledger: Arc<Ledger>,
    /// The rows.
    pub catalog: Arc<MemoryCatalog>,
    /// What goes wrong with objects.
    pub store_faults: Arc<Faults>,
    /// What goes wrong with rows.
    pub catalog_faults: Arc<Faults>,
    /// The log's settings.
    pub settings: LogSettings,
    /// When the run began.
    pub start: Instant,
}

/// One process.
pub struct Process {
    /// Its number: 1, 2, ... in order of birth.
    pub generation: u32,
    /// Its way to the world.
    pub link: Arc<Link>,
    /// Its clock, randomness, tasks.
    pub env: Env,
    tasks: Arc<KillableTasks>,
    catalog: Arc<FaultyCatalog>,
    log: Mutex<Option<Arc<Log>>>,
    coordinator: Mutex<Option<Arc<Coordinator>>>,
}

/// The partition in which groups are kept.
pub const COORDINATED: PartitionId = PartitionId {
    topic: TopicId(u128::MAX),
    index: 0,
};
/// Bytes of records of groups that are worth writing anew here: a few commits.
const REWRITE_FROM: usize = 2_000;

/// Every topic exists.
struct AnyTopic;

impl Metadata for AnyTopic {
    fn topic_name(&self, _: TopicId) -> Option<Arc<str>> {
        Some("t".into())
    }

    fn group_limit(&self, _: ClusterId) -> usize {
        usize::MAX
    }
}

impl Process {
    /// A process that has not opened its log yet.
    pub fn new(ground: &Ground, generation: u32, dice: &Dice) -> Arc<Self> {
        let link = Arc::new(Link::default());
        let tasks = Arc::new(KillableTasks::default());
        let skew = i64::try_from(dice.between(0, 20_000)).expect("a small number") - 10_000;
        let env = Env {
            clock: Arc::new(SimClock {
                start: ground.start,
                skew,
            }),
            random: Arc::new(DiceRandom(dice.fork())),
            tasks: Arc::clone(&tasks) as Arc<dyn Tasks>,
        };
        let catalog = FaultyCatalog::new(
            Arc::clone(&ground.catalog),
            Arc::clone(&ground.catalog_faults),
            Arc::clone(&link),
            format!("b{generation}"),
        );
        Arc::new(Self {
            generation,
            link,
            env,
            tasks,
            catalog: Arc::new(catalog),
            log: Mutex::new(None),
            coordinator: Mutex::new(None),
        })
    }

    /// Opens the log with all partitions that the process leads then.
    pub async fn open(&self, ground: &Ground) -> Result<Arc<Log>, OpenError> {
        let store: Arc<dyn ObjectStore> = Arc::new(FaultyStore::new(
            (Arc::clone(&ground.store), Arc::clone(&ground.ledger)),
            Arc::clone(&ground.store_faults),
            Arc::clone(&self.link),
            format!("b{}", self.generation),
        ));
        let log = Log::open(LogParts {
            env: self.env.clone(),
            settings: ground.settings.clone(),
            catalog: Arc::clone(&self.catalog) as _,
            store: Arc::clone(&store),
            wal: Arc::new(ObjectLog::new(store)),
            node: NODE,
            hot_directory: None,
        })
        .await?;
        Ok(log)
    }

    /// From now on clients are served from `log`.
    pub fn serve(&self, log: Arc<Log>) {
        *self.log.lock() = Some(log);
    }

    /// Its log, once it is open.
    pub fn log(&self) -> Option<Arc<Log>> {
        self.log.lock().clone()
    }

    /// Who coordinates groups in it, once it leads their partition.
    pub fn coordinator(&self) -> Option<Arc<Coordinator>> {
        let log = self.log()?;
        let partition = log.partition(COORDINATED)?;
        let mut coordinator = self.coordinator.lock();
        let started = coordinator.get_or_insert_with(|| {
            let settings = GroupSettings::default();
            let shared = Shared::new(&self.env, log, settings, Arc::new(AnyTopic), REWRITE_FROM);
            Arc::new(Coordinator::start(&shared, partition))
        });
        Some(Arc::clone(started))
    }

    /// Whether its log is open and clients may talk to it.
    pub fn is_serving(&self) -> bool {
        self.log.lock().is_some()
    }

    /// Whether it can do anything (any more).
    pub fn is_alive(&self) -> bool {
        self.link.state() != LinkState::Dead
    }

    /// Runs `work` as part of the process.
    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(Box::pin(work));
    }

    /// kill -9: every task ends where it is. What is on its way to the world may still arrive there.
    pub fn kill(&self) {
        self.link.set(LinkState::Dead);
        self.tasks.abort_all();
        self.log.lock().take();
        self.coordinator.lock().take();
    }
}

/// What to assign for a partition in some epoch.
pub fn assignment(plan: &Plan, id: PartitionId, leader_epoch: LeaderEpoch) -> Assignment {
    let retention = plan.retention_of(id);
    Assignment {
        id,
        leader_epoch,
        config: Arc::new(PartitionConfig {
            rules: BatchRules {
                // Clocks of brokers and clients differ here.
                after_max_ms: i64::MAX,
                ..BatchRules::default()
            },
            retention_ms: retention.and_then(|retention| retention.ms),
            retention_bytes: retention.and_then(|retention| retention.bytes),
            deletes: retention.is_some(),
            producer_expiration: Duration::from_secs(86_400),
        }),
    }
}

/// The mock clock of the runtime, off by a constant.
struct SimClock {
    start: Instant,
    skew: i64,
}

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        let elapsed = i64::try_from(self.start.elapsed().as_millis()).unwrap_or(i64::MAX);
        Timestamp(EPOCH + self.skew + elapsed)
    }
}

struct DiceRandom(Dice);

impl Random for DiceRandom {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let random = self.0.next().to_be_bytes();
            chunk.copy_from_slice(&random[..chunk.len()]);
        }
    }
}

/// Tasks on the one thread, all of which can be ended at once.
#[derive(Default)]
struct KillableTasks(Mutex<Vec<AbortHandle>>);

impl KillableTasks {
    fn abort_all(&self) {
        for task in self.0.lock().drain(..) {
            task.abort();
        }
    }
}

impl Tasks for KillableTasks {
    fn spawn(&self, future: BoxFuture<'static, ()>) -> JoinHandle<()> {
        let task = InlineTasks.spawn(future);
        let mut tasks = self.0.lock();
        if tasks.len() > 256 {
            tasks.retain(|task| !task.is_finished());
        }
        tasks.push(task.abort_handle());
        task
    }

    fn has_threads(&self) -> bool {
        false
    }
}
