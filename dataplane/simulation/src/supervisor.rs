//! Starts broker processes, one after the other, and lets them die or fall silent.

use std::sync::Arc;
use std::time::Duration;

use firn_catalog::cell::CatalogError;
use firn_log::engine::{Log, OpenError};
use firn_log::takeover::TakeoverError;
use firn_log::wal::{Halt, WalError};
use firn_runtime::{InlineTasks, Tasks};
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

use crate::checker::Rule;
use crate::dice::Dice;
use crate::link::LinkState;
use crate::process::{COORDINATED, Process, assignment};
use crate::world::World;

/// How a life ends.
enum End {
    Killed,
    /// It falls silent, a successor starts, and later it goes on as if nothing had happened.
    Silent,
    /// SIGTERM: it makes durable what it has, and stops.
    Stopped,
}

/// Runs one life after the other until it is quiet.
pub async fn run(world: Arc<World>, dice: Dice) {
    while !world.is_quiet() {
        let opened_before = world.opened();
        let process = world.next_process(&dice);
        // A process may die, or fall silent, while it still opens its log.
        let opening = dice.chance(200).then(|| dice.millis(1, 400));
        let opened = start(&world, &process, &dice);
        let open = match opening {
            Some(patience) => timeout(patience, opened).await.unwrap_or(false),
            None => opened.await,
        };
        if open {
            world
                .sleep_unless_quiet(dice.millis(100, world.plan.longest_life))
                .await;
        }
        if world.is_quiet() {
            break;
        }
        // Whoever opens last in the catalog is the youngest: only one that is in there may be late for the rest.
        let end = if dice.chance(world.plan.zombies) && world.opened() > opened_before {
            End::Silent
        } else if open && dice.chance(150) {
            End::Stopped
        } else {
            End::Killed
        };
        finish(&world, &process, end, &dice).await;
        world.sleep_unless_quiet(dice.millis(0, 300)).await;
    }
}

async fn finish(world: &Arc<World>, process: &Arc<Process>, end: End, dice: &Dice) {
    let generation = process.generation;
    match end {
        End::Killed => {
            world.trace.line(format_args!("--- kill b{generation}"));
            process.kill();
        }
        End::Silent => {
            let silence = dice.millis(100, world.plan.longest_silence);
            world
                .trace
                .line(format_args!("--- silence b{generation} for {silence:?}"));
            process.link.set(LinkState::Stalled);
            let (world, process) = (Arc::clone(world), Arc::clone(process));
            InlineTasks.spawn(Box::pin(async move {
                sleep(silence).await;
                world.trace.line(format_args!("--- wake b{generation}"));
                process.link.set(LinkState::Up);
            }));
        }
        End::Stopped => {
            world.trace.line(format_args!("--- stop b{generation}"));
            if let Some(log) = process.log() {
                // An operator's patience; then it is killed.
                let _ = timeout(Duration::from_secs(3), log.shutdown()).await;
            }
            process.kill();
        }
    }
}

/// Opens the log of `process` and its partitions, as part of the process; whether it came that far.
pub async fn start(world: &Arc<World>, process: &Arc<Process>, dice: &Dice) -> bool {
    // Mostly a process that has halted ends at once; one that hangs over it writes on until the fence stops it.
    let exit_after = if dice.chance(200) {
        dice.millis(500, 5_000)
    } else {
        dice.millis(0, 50)
    };
    world
        .trace
        .line(format_args!("--- start b{}", process.generation));
    let (opened, is_open) = oneshot::channel();
    let (theirs, started) = (Arc::clone(world), Arc::clone(process));
    process.spawn(async move {
        let open = open(&theirs, &started, exit_after).await;
        let _ = opened.send(open);
    });
    // The process may die over it.
    is_open.await.unwrap_or(false)
}

async fn open(world: &Arc<World>, process: &Arc<Process>, exit_after: Duration) -> bool {
    let generation = process.generation;
    let log = match process.open(&world.ground).await {
        Ok(log) => log,
        Err(error) => {
            world
                .trace
                .line(format_args!("b{generation} cannot open: {error}"));
            if !may_fail(&error, generation < world.latest()) {
                world.checker.broken(
                    Rule::FalseAlarm,
                    format!("broker {generation} cannot open: {error}"),
                );
            }
            return false;
        }
    };
    watch_halt(world, process, &log, exit_after);
    let own = log.incarnation();
    let rows: Vec<_> = world
        .ground
        .catalog
        .partitions()
        .into_iter()
        .filter(|row| row.owner == own)
        .collect();
    for row in &rows {
        let assigned = assignment(&world.plan, row.id, row.leader_epoch);
        while let Err(error) = log.assign(vec![assigned.clone()]).await {
            world
                .trace
                .line(format_args!("b{generation} cannot open {}: {error}", row.id));
            sleep(Duration::from_millis(200)).await;
        }
        if let Some(partition) = log.partition(row.id) {
            let offsets = partition.offsets();
            world
                .trace
                .line(format_args!("b{generation} opened {} with {offsets:?}", row.id));
            let (log_start, end) = (offsets.log_start.0, offsets.high_watermark.0);
            // Where groups are kept the coordinator moves the log start; what it may lose is for `committer` to say.
            if row.id != COORDINATED {
                world.checker.opened(generation, row.id, log_start, end);
            }
        }
    }
    process.serve(log);
    true
}

/// Whether a log may fail to open for this reason: the world was away for long, or a successor was faster.
fn may_fail(error: &OpenError, has_successor: bool) -> bool {
    match error {
        OpenError::Catalog(CatalogError::Unavailable(_))
        | OpenError::Takeover(
            TakeoverError::Catalog(CatalogError::Unavailable(_))
            | TakeoverError::Wal(WalError::Unavailable(_))
            | TakeoverError::Store(_),
        ) => true,
        OpenError::Cold(error) => error.is_retriable() || has_successor,
        OpenError::Catalog(_) | OpenError::Takeover(_) | OpenError::HotDirectory(_) => has_successor,
    }
}

/// A log may stop only for the fence of a successor. Its process ends then.
fn watch_halt(world: &Arc<World>, process: &Arc<Process>, log: &Arc<Log>, exit_after: Duration) {
    let mut halted = log.halted();
    let (world, process) = (Arc::clone(world), Arc::clone(process));
    let generation = process.generation;
    InlineTasks.spawn(Box::pin(async move {
        let why = match halted.wait_for(Option::is_some).await {
            Ok(why) => why.clone(),
            // The log was dropped.
            Err(_) => return,
        };
        world.trace.line(format_args!("b{generation} halts: {why:?}"));
        match why {
            Some(Halt::Fenced) if world.latest() > generation => {}
            Some(why) => {
                let what = format!(
                    "broker {generation} halts: {why:?}, the youngest is {}",
                    world.latest()
                );
                world.checker.broken(Rule::FalseAlarm, what);
            }
            None => {}
        }
        sleep(exit_after).await;
        process.kill();
    }));
}
