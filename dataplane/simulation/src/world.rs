//! One run: the ground, the actors on it, and what they share.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use firn_catalog::cell::{LogCatalog, MemoryCatalog};
use firn_catalog::ids::{PartitionId, TopicId};
use firn_log::planted::{self, Mistake};
use firn_runtime::{InlineTasks, Tasks};
use futures::FutureExt;
use object_store::memory::InMemory;
use parking_lot::Mutex;
use tokio::time::{Instant, sleep, timeout};

use crate::checker::{Checker, Counts, Rule, Violation};
use crate::committer::Committed;
use crate::dice::Dice;
use crate::faults::Faults;
use crate::plan::Plan;
use crate::process::{Ground, Process};
use crate::signal::Signal;
use crate::trace::Trace;
use crate::{admin, audit, committer, producer, reader, supervisor};

/// No run takes longer than this, in simulated time; one that does hangs.
const LONGEST_RUN: Duration = Duration::from_secs(3600);

/// What came out of a run.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Which run.
    pub seed: u64,
    /// What must not have happened.
    pub violations: Vec<Violation>,
    /// How much was checked.
    pub counts: Counts,
    /// How many processes lived.
    pub processes: u32,
    /// The number that stands for the trace, and its lines.
    pub trace: (u64, u64),
    /// The last lines of the trace.
    pub tail: Vec<String>,
}

/// What the actors share.
pub struct World {
    /// What outlives processes.
    pub ground: Ground,
    /// What this seed does.
    pub plan: Plan,
    /// The rules.
    pub checker: Arc<Checker>,
    /// The record of the run.
    pub trace: Arc<Trace>,
    /// Every process that may still do something, by generation.
    processes: Mutex<BTreeMap<u32, Arc<Process>>>,
    latest: AtomicU32,
    senders: AtomicU32,
    /// Partitions that clients may use.
    partitions: Mutex<Vec<PartitionId>>,
    /// Whether clients have stopped and faults are over.
    quiet: Signal<bool>,
}

/// Plays the run of `seed`, with a mistake planted or none. The same arguments give the same outcome.
pub fn run(seed: u64, mistake: Option<Mistake>, loud: bool) -> Outcome {
    planted::plant(mistake);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime without I/O needs nothing of the system");
    let outcome = runtime.block_on(async {
        let world = World::new(seed, loud);
        let checker = Arc::clone(&world.checker);
        if timeout(LONGEST_RUN, play(Arc::clone(&world))).await.is_err() {
            checker.broken(Rule::Unreadable, "the run does not end".into());
        }
        world.outcome(seed)
    });
    planted::plant(None);
    outcome
}

async fn play(world: Arc<World>) {
    let dice = Dice::new(world.plan.seed ^ 0x5eed);
    let supervisor = InlineTasks.spawn(Box::pin(supervisor::run(Arc::clone(&world), dice.fork())));
    while world.latest_open().is_none() {
        sleep(Duration::from_millis(5)).await;
    }
    admin::add_topic(&world, TopicId(1), world.plan.partitions, &dice).await;
    admin::coordinate(&world, &dice).await;
    let committed = Arc::new(Committed::default());
    let committing = committer::run(Arc::clone(&world), Arc::clone(&committed), dice.fork());
    let committer = InlineTasks.spawn(Box::pin(committing));
    let administrator = InlineTasks.spawn(Box::pin(admin::run(Arc::clone(&world), dice.fork())));
    sleep(world.plan.length).await;

    world.trace.line(format_args!("--- quiet"));
    world.ground.store_faults.heal();
    world.ground.catalog_faults.heal();
    world.quiet.set(true);
    // They end by themselves once it is quiet.
    let _ = supervisor.await;
    let _ = administrator.await;
    let _ = committer.await;
    audit::run(&world, &dice).await;
    committed.check(&world).await;
    world.kill_all();
}

impl World {
    fn new(seed: u64, loud: bool) -> Arc<Self> {
        let dice = Dice::new(seed);
        let plan = Plan::of(seed, &dice);
        let trace = Arc::new(Trace::new(loud));
        trace.line(format_args!("{plan:?}"));
        let ground = Ground {
            store: Arc::new(InMemory::new()),
            ledger: Arc::default(),
            catalog: Arc::new(MemoryCatalog::new()),
            store_faults: Arc::new(Faults::new(
                plan.store,
                plan.store_ms,
                dice.fork(),
                Arc::clone(&trace),
            )),
            catalog_faults: Arc::new(Faults::new(plan.catalog, 5, dice.fork(), Arc::clone(&trace))),
            settings: plan.settings.clone(),
            start: Instant::now(),
        };
        Arc::new(Self {
            ground,
            plan,
            checker: Arc::default(),
            trace,
            processes: Mutex::default(),
            latest: AtomicU32::new(0),
            senders: AtomicU32::new(0),
            partitions: Mutex::default(),
            quiet: Signal::new(false),
        })
    }

    fn outcome(&self, seed: u64) -> Outcome {
        Outcome {
            seed,
            violations: self.checker.violations(),
            counts: self.checker.counts(),
            processes: self.latest.load(Ordering::Relaxed),
            trace: self.trace.digest(),
            tail: self.trace.tail(),
        }
    }

    /// Whether clients have stopped and faults are over.
    pub fn is_quiet(&self) -> bool {
        self.quiet.get()
    }

    /// Sleeps for `time`, or until it is quiet.
    pub async fn sleep_unless_quiet(&self, time: Duration) {
        let _ = timeout(time, self.quiet.wait_for(|quiet| quiet)).await;
    }

    /// Gives birth to the next process.
    pub fn next_process(&self, dice: &Dice) -> Arc<Process> {
        let generation = self.latest.fetch_add(1, Ordering::Relaxed) + 1;
        let process = Process::new(&self.ground, generation, dice);
        let mut processes = self.processes.lock();
        processes.retain(|_, process| process.is_alive());
        processes.insert(generation, Arc::clone(&process));
        process
    }

    /// How many incarnations the catalog knows.
    pub fn opened(&self) -> usize {
        let rows = self.ground.catalog.incarnations().now_or_never();
        rows.and_then(Result::ok).map_or(0, |rows| rows.len())
    }

    /// The number of the youngest process.
    pub fn latest(&self) -> u32 {
        self.latest.load(Ordering::Relaxed)
    }

    /// The youngest process, if it has opened its log.
    pub fn latest_open(&self) -> Option<Arc<Process>> {
        let process = self.processes.lock().get(&self.latest()).cloned()?;
        (process.is_alive() && process.is_serving()).then_some(process)
    }

    /// A process for a client to talk to: mostly the youngest, now and then an older one that it still knows.
    pub fn some_process(&self, dice: &Dice) -> Option<Arc<Process>> {
        if dice.chance(150) {
            let alive: Vec<_> = self
                .alive()
                .into_iter()
                .filter(|process| process.is_serving())
                .collect();
            return dice.pick(&alive).cloned();
        }
        self.latest_open()
    }

    /// Every process that is alive, oldest first.
    pub fn alive(&self) -> Vec<Arc<Process>> {
        self.processes
            .lock()
            .values()
            .filter(|process| process.is_alive())
            .cloned()
            .collect()
    }

    fn kill_all(&self) {
        for process in self.alive() {
            process.kill();
        }
    }

    /// A number for a client of its own.
    pub fn next_sender(&self) -> u32 {
        self.senders.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// The partitions that exist.
    pub fn partitions(&self) -> Vec<PartitionId> {
        self.partitions.lock().clone()
    }

    /// Whether a partition exists.
    pub fn exists(&self, partition: PartitionId) -> bool {
        self.partitions.lock().contains(&partition)
    }

    /// Partitions are there; clients start to use them.
    pub fn populate(self: &Arc<Self>, added: &[PartitionId], dice: &Dice) {
        self.partitions.lock().extend(added);
        for partition in added {
            for _ in 0..self.plan.idempotent_producers {
                let producer = producer::idempotent(Arc::clone(self), *partition, dice.fork());
                InlineTasks.spawn(Box::pin(producer));
            }
            for _ in 0..self.plan.plain_producers {
                InlineTasks.spawn(Box::pin(producer::plain(
                    Arc::clone(self),
                    *partition,
                    dice.fork(),
                )));
            }
            InlineTasks.spawn(Box::pin(reader::run(Arc::clone(self), *partition, dice.fork())));
        }
    }

    /// Partitions are gone.
    pub fn forget(&self, gone: &[PartitionId]) {
        self.partitions
            .lock()
            .retain(|partition| !gone.contains(partition));
        for partition in gone {
            self.checker.topic_deleted(*partition);
        }
    }
}
