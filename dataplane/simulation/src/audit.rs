//! After everything is healed: every record must be there, from start to end, whatever tier it has come to, and nothing
//! else.

use std::sync::Arc;
use std::time::Duration;

use firn_catalog::ids::PartitionId;
use tokio::time::{Instant, sleep};

use crate::checker::Rule;
use crate::dice::Dice;
use crate::leaks;
use crate::process::Process;
use crate::reader::{self, Read};
use crate::supervisor;
use crate::world::World;

/// How long a partition may take to become readable to its end.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long after the last start everything is deleted that nobody needs: abandoned objects have to be found first, then
/// their grace has to pass, on clocks that differ.
const TIDIED: Duration = Duration::from_secs(180);

/// Reads everything three times: at once, after the background work had its time, and after a last restart.
pub async fn run(world: &Arc<World>, dice: &Dice) {
    // The silent come back, and whoever may still be served is.
    sleep(Duration::from_secs(5)).await;
    let process = restart(world, dice).await;
    read_all(world, process.as_ref()).await;
    sleep(Duration::from_secs(90)).await;
    read_all(world, process.as_ref()).await;
    let process = restart(world, dice).await;
    read_all(world, process.as_ref()).await;
    sleep(TIDIED).await;
    leaks::check(world).await;
}

async fn restart(world: &Arc<World>, dice: &Dice) -> Option<Arc<Process>> {
    if let Some(process) = world.latest_open() {
        process.kill();
    }
    let process = world.next_process(dice);
    if supervisor::start(world, &process, dice).await {
        return Some(process);
    }
    let what = format!(
        "broker {} does not start though nothing is wrong",
        process.generation
    );
    world.checker.broken(Rule::Unreadable, what);
    None
}

async fn read_all(world: &World, process: Option<&Arc<Process>>) {
    let Some(process) = process else { return };
    for partition in world.partitions() {
        world.trace.line(format_args!("--- audit {partition}"));
        read_to_end(world, process, partition).await;
    }
}

async fn read_to_end(world: &World, process: &Process, partition: PartitionId) {
    let Some(open) = process.log().and_then(|log| log.partition(partition)) else {
        world
            .checker
            .broken(Rule::Unreadable, format!("{partition} is led by nobody"));
        return;
    };
    let offsets = open.offsets();
    let (start, end) = (offsets.log_start.0, offsets.high_watermark.0);
    let deadline = Instant::now() + PATIENCE;
    let mut next = start;
    while next < end {
        match reader::read(world, process, partition, next, 10_000).await {
            Read::Next(offset) if offset > next => next = offset,
            Read::Next(_) | Read::End | Read::Nothing if Instant::now() < deadline => {
                sleep(Duration::from_millis(100)).await;
            }
            Read::Next(_) | Read::End | Read::Nothing => {
                let what = format!("{partition} cannot be read from {next}, it has {offsets:?}");
                world.checker.broken(Rule::Unreadable, what);
                return;
            }
        }
    }
    world.checker.at_the_end(partition, start, end);
}
