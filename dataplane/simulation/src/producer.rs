//! Producers: idempotent ones, which send again what was not answered, and plain ones, which do not.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use firn_catalog::ids::PartitionId;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::checker::Rule;
use crate::connection::{Answer, Connection, Refusal, Sent};
use crate::dice::Dice;
use crate::record::{self, RecordId};
use crate::world::World;

/// How many batches an idempotent producer has under way at most, as Kafka's clients do.
const IN_FLIGHT: usize = 5;

/// The records of one batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Chunk {
    first: RecordId,
    count: u32,
}

struct Idempotent {
    world: Arc<World>,
    partition: PartitionId,
    dice: Dice,
    sender: u32,
    producer_id: i64,
    /// How many records were made.
    made: u32,
    /// Batches that are not acknowledged, in order.
    unacknowledged: VecDeque<Chunk>,
}

/// Sends batches in order, up to five at a time. After a failure it connects anew and sends again from the first that was not
/// acknowledged.
pub async fn idempotent(world: Arc<World>, partition: PartitionId, dice: Dice) {
    let sender = world.next_sender();
    let mut producer = Idempotent {
        sender,
        producer_id: i64::from(sender) * 1000,
        made: 0,
        unacknowledged: VecDeque::new(),
        world,
        partition,
        dice,
    };
    while producer.goes_on() {
        if let Some(process) = producer.world.some_process(&producer.dice) {
            let connection = Connection::open(process, Arc::clone(&producer.world.checker));
            producer.send_over(&connection).await;
        }
        let pause = producer.dice.millis(5, 200);
        producer.world.sleep_unless_quiet(pause).await;
    }
}

impl Idempotent {
    fn goes_on(&self) -> bool {
        !self.world.is_quiet() && self.world.exists(self.partition)
    }

    /// Sends over one connection until something fails.
    async fn send_over(&mut self, connection: &Connection) {
        let mut under_way: VecDeque<oneshot::Receiver<Answer>> = VecDeque::new();
        let patience = self.dice.millis(50, self.world.plan.patience);
        while self.goes_on() {
            while under_way.len() < IN_FLIGHT && (under_way.is_empty() || self.dice.chance(700)) {
                let chunk = match self.unacknowledged.get(under_way.len()) {
                    Some(again) => *again,
                    None => self.make(),
                };
                under_way.push_back(self.send(connection, chunk));
            }
            let Some(mut first) = under_way.pop_front() else {
                return;
            };
            let answer = match timeout(patience, &mut first).await {
                Ok(Ok(answer)) => answer,
                // Not answered in time, or not at all.
                Ok(Err(_)) | Err(_) => return,
            };
            match answer {
                Answer::Acknowledged(_) => {
                    self.unacknowledged.pop_front();
                }
                Answer::Refused(why) => {
                    self.refused(connection, &why);
                    return;
                }
            }
            if self.dice.chance(100) {
                let pause = self.dice.millis(1, 150);
                self.world.sleep_unless_quiet(pause).await;
            }
        }
    }

    fn make(&mut self) -> Chunk {
        let count = u32::try_from(self.dice.between(1, 4)).expect("at most 4");
        let chunk = Chunk {
            first: RecordId::new(self.sender, self.made),
            count,
        };
        self.made += count;
        self.world.checker.sent(self.sender, self.made, true);
        self.unacknowledged.push_back(chunk);
        chunk
    }

    fn send(&self, connection: &Connection, chunk: Chunk) -> oneshot::Receiver<Answer> {
        let now = connection.process.env.now().0;
        let sent = Sent {
            partition: self.partition,
            first: chunk.first,
            count: chunk.count,
            batch: record::build(chunk.first, chunk.count, Some(self.producer_id), now),
        };
        connection.send(sent, self.dice.millis(0, 10))
    }

    /// What comes first after the acknowledged ones can be neither too old nor too new for the leader.
    fn refused(&self, connection: &Connection, why: &Refusal) {
        let generation = connection.process.generation;
        let (sender, partition) = (self.sender, self.partition);
        self.world
            .trace
            .line(format_args!("p{sender} refused by b{generation}: {why:?}"));
        let rule = match why {
            Refusal::Sequence(_) | Refusal::Other(_) => Rule::RetryRefused,
            Refusal::Stopped(_) => Rule::FalseAlarm,
            Refusal::NotLeader => return,
        };
        if generation == self.world.latest() {
            let next = self.unacknowledged.front();
            let what = format!("{partition}: broker {generation} refuses {next:?} of {sender}: {why:?}");
            self.world.checker.broken(rule, what);
        }
    }
}

/// Sends batches without a producer id, each once.
pub async fn plain(world: Arc<World>, partition: PartitionId, dice: Dice) {
    let sender = world.next_sender();
    let mut made = 0;
    while !world.is_quiet() && world.exists(partition) {
        let Some(process) = world.some_process(&dice) else {
            world.sleep_unless_quiet(Duration::from_millis(50)).await;
            continue;
        };
        let connection = Connection::open(process, Arc::clone(&world.checker));
        let patience = dice.millis(50, world.plan.patience);
        for _ in 0..dice.between(1, 10) {
            let count = u32::try_from(dice.between(1, 4)).expect("at most 4");
            let first = RecordId::new(sender, made);
            made += count;
            world.checker.sent(sender, made, false);
            let batch = record::build(first, count, None, connection.process.env.now().0);
            let sent = Sent {
                partition,
                first,
                count,
                batch,
            };
            let answer = connection.send(sent, dice.millis(0, 10));
            let waits = dice.chance(700);
            if waits && !matches!(timeout(patience, answer).await, Ok(Ok(Answer::Acknowledged(_)))) {
                break;
            }
        }
        world.sleep_unless_quiet(dice.millis(5, 200)).await;
    }
}
