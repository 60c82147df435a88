//! A consumer without members: commits ever larger offsets, and asks for them. What it is told never goes back.

use std::sync::Arc;
use std::time::Duration;

use firn_catalog::ids::{ClusterId, PartitionId, TopicId};
use firn_coordinator::api::{Answer, Commit, GroupKey, MemberRef, NewOffset, Request};
use parking_lot::Mutex;
use tokio::time::{sleep, timeout};

use crate::checker::Rule;
use crate::dice::Dice;
use crate::process::Process;
use crate::world::World;

/// How long the last word may take.
const PATIENCE: u32 = 600;
/// Whose offset is committed.
const PARTITION: PartitionId = PartitionId {
    topic: TopicId(1),
    index: 0,
};

/// What was tried, and what was confirmed.
#[derive(Default)]
pub struct Committed(Mutex<State>);

#[derive(Clone, Copy, Default)]
struct State {
    tried: i64,
    confirmed: i64,
}

/// Commits and asks until it is quiet.
pub async fn run(world: Arc<World>, committed: Arc<Committed>, dice: Dice) {
    while !world.is_quiet() {
        if let Some(process) = world.some_process(&dice) {
            let patience = dice.millis(5, 3_000);
            // A client that gives up does not know what came of it.
            let _ = match dice.chance(600) {
                true => timeout(patience, committed.commit(&world, &process)).await,
                false => timeout(patience, committed.ask(&world, &process)).await.map(drop),
            };
        }
        world.sleep_unless_quiet(dice.millis(1, 200)).await;
    }
}

impl Committed {
    async fn commit(&self, world: &World, process: &Process) {
        process.link.pass().await;
        let Some(coordinator) = process.coordinator() else {
            return;
        };
        let offset = {
            let mut state = self.0.lock();
            state.tried += 1;
            state.tried
        };
        let new = NewOffset {
            offset,
            leader_epoch: -1,
            metadata: "".into(),
        };
        let request = Request::Commit(Commit {
            member: MemberRef {
                id: "".into(),
                instance: None,
            },
            generation: -1,
            retention: None,
            offsets: vec![(PARTITION, new)],
        });
        let answer = coordinator.ask(key(), request).await;
        process.link.pass().await;
        let confirmed = matches!(&answer, Ok(Answer::Commit(Ok(each))) if each.iter().all(Result::is_ok));
        world.trace.line(format_args!(
            "commit {offset} at b{}: {confirmed}",
            process.generation
        ));
        if confirmed {
            let mut state = self.0.lock();
            state.confirmed = state.confirmed.max(offset);
        }
    }

    /// Whether there was an answer.
    async fn ask(&self, world: &World, process: &Process) -> bool {
        process.link.pass().await;
        let Some(coordinator) = process.coordinator() else {
            return false;
        };
        let before = *self.0.lock();
        let answer = coordinator.ask(key(), Request::Offsets(None)).await;
        let Ok(Answer::Offsets(offsets)) = answer else {
            return false;
        };
        let tried = self.0.lock().tried;
        let told = offsets.first().map_or(0, |(_, offset)| offset.offset);
        world
            .trace
            .line(format_args!("committed at b{}: {told}", process.generation));
        // An older broker may not know what a younger one has confirmed.
        let newest = process.generation == world.latest();
        if told > tried || (newest && told < before.confirmed) {
            let what = format!(
                "broker {} tells {told}; confirmed was {}, tried {tried}",
                process.generation, before.confirmed
            );
            world.checker.broken(Rule::Committed, what);
        }
        true
    }

    /// The last word, after everything is healed.
    pub async fn check(&self, world: &World) {
        for _ in 0..PATIENCE {
            if let Some(process) = world.latest_open()
                && self.ask(world, &process).await
            {
                return;
            }
            sleep(Duration::from_millis(100)).await;
        }
        let what = "nobody tells the committed offset".to_owned();
        world.checker.broken(Rule::Unreadable, what);
    }
}

fn key() -> GroupKey {
    GroupKey {
        cluster: ClusterId(1),
        name: "g".into(),
    }
}
