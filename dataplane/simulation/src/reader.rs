//! Readers: follow a partition, now and then from the start, now and then at a broker that is not the leader any more.

use std::sync::Arc;
use std::time::Duration;

use firn_catalog::ids::{Offset, PartitionId};
use firn_log::partition::{Isolation, ReadError};
use tokio::time::timeout;

use crate::checker::Rule;
use crate::dice::Dice;
use crate::process::Process;
use crate::world::World;

/// What came of one read.
pub enum Read {
    /// Go on from here.
    Next(i64),
    /// The end was reached.
    End,
    /// Nothing; ask again.
    Nothing,
}

/// Reads until it is quiet.
pub async fn run(world: Arc<World>, partition: PartitionId, dice: Dice) {
    let mut next = 0;
    while !world.is_quiet() && world.exists(partition) {
        let Some(process) = world.some_process(&dice) else {
            world.sleep_unless_quiet(Duration::from_millis(50)).await;
            continue;
        };
        for _ in 0..dice.between(1, 20) {
            let bytes = dice.between(1, 3_000);
            match timeout(
                Duration::from_secs(8),
                read(&world, &process, partition, next, bytes),
            )
            .await
            {
                Ok(Read::Next(offset)) => next = offset,
                Ok(Read::End) => world.sleep_unless_quiet(dice.millis(5, 100)).await,
                Ok(Read::Nothing) | Err(_) => break,
            }
        }
        if dice.chance(100) {
            next = 0;
        }
        world.sleep_unless_quiet(dice.millis(1, 100)).await;
    }
}

/// Asks `process` once for the records of a partition from `from` on.
pub async fn read(world: &World, process: &Process, partition: PartitionId, from: i64, bytes: u64) -> Read {
    let generation = process.generation;
    process.link.pass().await;
    let Some(open) = process.log().and_then(|log| log.partition(partition)) else {
        return Read::Nothing;
    };
    let before = open.offsets();
    world
        .checker
        .offsets(generation, partition, before.log_start.0, before.high_watermark.0);
    let limit = usize::try_from(bytes).expect("a small number");
    let slice = open.read(Offset(from), limit, Isolation::ReadUncommitted).await;
    process.link.pass().await;
    match slice {
        Ok(slice) => {
            let end = world.checker.read(generation, partition, from, &slice.batches);
            world
                .trace
                .line(format_args!("read {partition} at b{generation}: {from} to {end}"));
            if end > from && end > slice.offsets.high_watermark.0 {
                let what = format!("{partition}: {end} was read past {:?}", slice.offsets);
                world.checker.broken(Rule::HighWatermark, what);
            }
            if slice.batches.is_empty() {
                Read::End
            } else {
                Read::Next(end)
            }
        }
        Err(ReadError::OutOfRange { log_start, log_end }) => {
            world.trace.line(format_args!(
                "read {partition} at b{generation}: {from} is outside {log_start}..{log_end}"
            ));
            // An older broker may not have what a younger one showed.
            if from > log_end.0 && generation == world.latest() {
                let what =
                    format!("{partition}: broker {generation} ends at {log_end}, {from} was read before");
                world.checker.broken(Rule::Lost, what);
            }
            if from < log_start.0 {
                Read::Next(log_start.0)
            } else {
                Read::Nothing
            }
        }
        Err(ReadError::Stopped(why)) => {
            world.trace.line(format_args!(
                "read {partition} at b{generation}: {from} stopped: {why}"
            ));
            // An older broker may look for slots and objects that its successor has done with.
            if generation == world.latest() && world.exists(partition) {
                let what = format!("{partition}: broker {generation} cannot read {from}: {why}");
                world.checker.broken(Rule::FalseAlarm, what);
            }
            Read::Nothing
        }
        Err(error @ (ReadError::NotLeader | ReadError::Unavailable(_))) => {
            world
                .trace
                .line(format_args!("read {partition} at b{generation}: {from}: {error}"));
            Read::Nothing
        }
    }
}
