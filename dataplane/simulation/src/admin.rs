//! Creates and deletes topics, and deletes records.

use std::sync::Arc;

use firn_catalog::cell::{IncarnationState, LogCatalog};
use firn_catalog::ids::{LeaderEpoch, Offset, PartitionId, TopicId};
use firn_log::engine::Log;
use futures::FutureExt;
use tokio::time::timeout;

use crate::dice::Dice;
use crate::process::{COORDINATED, Process, assignment};
use crate::world::World;

/// Does one thing after the other until it is quiet.
pub async fn run(world: Arc<World>, dice: Dice) {
    let mut next_topic = 2;
    while !world.is_quiet() {
        world.sleep_unless_quiet(dice.millis(200, 4_000)).await;
        if world.is_quiet() {
            break;
        }
        match dice.between(0, 9) {
            0 => {
                add_topic(&world, TopicId(next_topic), 1, &dice).await;
                next_topic += 1;
            }
            1 => delete_topic(&world, &dice),
            _ => delete_records(&world, &dice).await,
        }
    }
}

/// Creates a topic at the youngest broker, if there is one that may own it.
pub async fn add_topic(world: &Arc<World>, topic: TopicId, partitions: i32, dice: &Dice) {
    let Some(log) = world.latest_open().and_then(|process| process.log()) else {
        return;
    };
    if !is_open(world, &log) {
        return;
    }
    let own = log.incarnation();
    world.ground.catalog.add_topic(topic, partitions, own);
    let added: Vec<_> = (0..partitions)
        .map(|index| PartitionId { topic, index })
        .collect();
    for partition in &added {
        world
            .checker
            .retains(*partition, world.plan.retention_of(*partition));
    }
    world.trace.line(format_args!("topic {topic} with {partitions}"));
    for partition in &added {
        // One that cannot be opened now is opened by the next process.
        let _ = log
            .assign(vec![assignment(&world.plan, *partition, LeaderEpoch(0))])
            .await;
    }
    world.populate(&added, dice);
}

/// Makes the partition in which groups are kept, at the youngest broker.
pub async fn coordinate(world: &Arc<World>, dice: &Dice) {
    while !world.is_quiet() {
        let own = world.latest_open().and_then(|process| process.log());
        if let Some(log) = own.filter(|log| is_open(world, log)) {
            let catalog = &world.ground.catalog;
            catalog.add_topic(COORDINATED.topic, 1, log.incarnation());
            // If it cannot be opened now, the next process does.
            let _ = log
                .assign(vec![assignment(&world.plan, COORDINATED, LeaderEpoch(0))])
                .await;
            return;
        }
        world.sleep_unless_quiet(dice.millis(1, 50)).await;
    }
}

/// Whether the catalog takes the log's process for open, so that it may own partitions.
fn is_open(world: &World, log: &Log) -> bool {
    let rows = world.ground.catalog.incarnations().now_or_never();
    let rows = rows.and_then(Result::ok).unwrap_or_default();
    rows.iter()
        .any(|row| row.id == log.incarnation() && row.state == IncarnationState::Open)
}

/// Deletes a topic other than the first; some brokers learn of it at once, some never.
fn delete_topic(world: &World, dice: &Dice) {
    let topics: Vec<_> = world
        .partitions()
        .into_iter()
        .map(|id| id.topic)
        .filter(|id| id.0 > 1)
        .collect();
    let Some(topic) = dice.pick(&topics) else { return };
    let gone: Vec<_> = world
        .partitions()
        .into_iter()
        .filter(|id| id.topic == *topic)
        .collect();
    world.trace.line(format_args!("topic {topic} is deleted"));
    world.forget(&gone);
    world.ground.catalog.remove_topic(*topic);
    for process in world.alive() {
        if let Some(log) = process.log()
            && dice.chance(800)
        {
            log.unassign(&gone);
        }
    }
}

async fn delete_records(world: &World, dice: &Dice) {
    let Some(process) = world.some_process(dice) else {
        return;
    };
    let partitions = world.partitions();
    let Some(partition) = dice.pick(&partitions) else {
        return;
    };
    // The client gives up; the call may take effect later all the same.
    let _ = timeout(
        dice.millis(10, 3_000),
        delete_below(world, &process, *partition, dice),
    )
    .await;
}

async fn delete_below(world: &World, process: &Process, partition: PartitionId, dice: &Dice) {
    process.link.pass().await;
    let Some(open) = process.log().and_then(|log| log.partition(partition)) else {
        return;
    };
    let offsets = open.offsets();
    let span = u64::try_from(offsets.high_watermark.0 - offsets.log_start.0).unwrap_or(0);
    // Mostly a little, now and then everything.
    let part = if dice.chance(100) {
        span
    } else {
        dice.between(0, span / 4)
    };
    let before = offsets.log_start.plus(i64::try_from(part).unwrap_or(0));
    world.checker.asks_to_delete(partition, before.0);
    let answer = open.delete_records(Offset(before.0)).await;
    process.link.pass().await;
    let generation = process.generation;
    world.trace.line(format_args!(
        "delete {partition} below {before} at b{generation}: {answer:?}"
    ));
    if let Ok(log_start) = answer {
        world.checker.deleted_below(generation, partition, log_start.0);
    }
}
