//! One shard: asking, appending, answering.

use std::collections::BTreeMap;
use std::sync::Arc;

use firn_catalog::ids::{ClusterId, Offset, Slot, TopicId};
use firn_coordinator::api::{Answer, CommittedIn, GroupKey, Listed, Request};
use firn_coordinator::record::Record;
use firn_coordinator::{Output, Shard, Token};
use firn_log::batch::BatchBuilder;
use firn_log::engine::Log;
use firn_log::partition::{AppendError, Partition};
use firn_runtime::Timestamp;
use parking_lot::Mutex;
use tokio::sync::{Notify, oneshot};
use tracing::warn;

use super::clock::GroupClock;
use super::coordinator::Unavailable;
use crate::metrics;

/// Bytes of records in a batch.
const MOST_BATCH: usize = 1 << 20;

/// An answer, and the slot without which it must not go out.
struct Done {
    answer: Answer,
    slot: Option<Slot>,
}

/// A question that was put to a shard.
pub(super) struct Asked(oneshot::Receiver<Done>);

impl Asked {
    /// Waits for the answer, and until everything that it rests on is durable.
    pub(super) async fn answer(self, log: &Log) -> Result<Answer, Unavailable> {
        let done = self.0.await.map_err(|_| Unavailable::NotCoordinator)?;
        if let Some(slot) = done.slot {
            let durable = log.wait(slot).await;
            durable.map_err(|_| Unavailable::NotAvailable)?;
        }
        Ok(done.answer)
    }
}

/// A shard that has been read.
pub(super) struct Loaded {
    pub(super) shard: Shard,
    /// Who waits for an answer.
    waiting: BTreeMap<Token, oneshot::Sender<Done>>,
    next: Token,
    /// The slot of the last records that were appended.
    last: Option<Slot>,
    /// Bytes of records since the shard was last written anew.
    pub(super) grown: usize,
}

/// What is committed in some groups, the last of them unless it is the end, and the slot without which this must not be told.
pub(super) type Committed = (Vec<CommittedIn>, Option<GroupKey>, Option<Slot>);

enum Phase {
    Loading,
    Loaded(Box<Loaded>),
    Closed,
}

/// A shard, its partition, and what it is at.
pub(super) struct ServedShard {
    pub(super) partition: Arc<Partition>,
    clock: GroupClock,
    /// After so many bytes of records its task looks whether it is to be written anew.
    rewrite_from: usize,
    phase: Mutex<Phase>,
    /// Wakes its task: a deadline is nearer than it was, or the shard has to be read again.
    pub(super) changed: Notify,
}

impl ServedShard {
    pub(super) fn new(partition: Arc<Partition>, clock: GroupClock, rewrite_from: usize) -> Self {
        Self {
            partition,
            clock,
            rewrite_from,
            phase: Mutex::new(Phase::Loading),
            changed: Notify::new(),
        }
    }

    /// It has been read; `grown` bytes of records were there.
    pub(super) fn loaded(&self, mut shard: Shard, grown: usize) {
        shard.resume(self.clock.now());
        let mut phase = self.phase.lock();
        if matches!(*phase, Phase::Loading) {
            metrics::groups(counted(&shard));
            *phase = Phase::Loaded(Box::new(Loaded {
                shard,
                waiting: BTreeMap::new(),
                next: Token(0),
                last: None,
                grown,
            }));
        }
    }

    pub(super) fn is_loading(&self) -> bool {
        matches!(*self.phase.lock(), Phase::Loading)
    }

    /// Nobody is answered any more.
    pub(super) fn close(&self) {
        *self.phase.lock() = Phase::Closed;
    }

    /// Puts a question. `most` is how many groups the cluster may have.
    pub(super) fn ask(&self, key: GroupKey, request: Request, most: usize) -> Result<Asked, Unavailable> {
        let (sender, receiver) = oneshot::channel();
        self.with(|loaded| {
            let token = loaded.next;
            loaded.next = Token(token.0 + 1);
            loaded.waiting.insert(token, sender);
            let before = loaded.shard.next_deadline();
            loaded.shard.limit_groups(most);
            let output = loaded.shard.step(token, key, request, self.clock.now());
            let after = loaded.shard.next_deadline();
            if after.is_some_and(|after| before.is_none_or(|before| after < before)) {
                self.changed.notify_one();
            }
            output
        })?;
        Ok(Asked(receiver))
    }

    /// Does what is due; when to come again.
    pub(super) fn tick(&self) -> Result<Option<Timestamp>, Unavailable> {
        let mut next = None;
        self.with(|loaded| {
            let output = loaded.shard.tick(self.clock.now());
            next = loaded.shard.next_deadline();
            output
        })?;
        Ok(next)
    }

    /// Forgets offsets that are past their time.
    pub(super) fn expire(&self, topic: impl Fn(TopicId) -> Option<Arc<str>>) -> Result<(), Unavailable> {
        self.with(|loaded| loaded.shard.expire(self.clock.now(), topic))
    }

    /// The groups of a cluster, and the slot without which they must not be told of.
    pub(super) fn list(&self, cluster: ClusterId) -> Result<(Vec<Listed>, Option<Slot>), Unavailable> {
        match &*self.phase.lock() {
            Phase::Loaded(loaded) => Ok((loaded.shard.list(cluster), loaded.last)),
            Phase::Loading => Err(Unavailable::Loading),
            Phase::Closed => Err(Unavailable::NotCoordinator),
        }
    }

    /// What is committed in groups after `after`, `most` offsets of it; the last of these groups, and the slot without which this must
    /// not be told.
    pub(super) fn committed(&self, after: Option<&GroupKey>, most: usize) -> Result<Committed, Unavailable> {
        match &*self.phase.lock() {
            Phase::Loaded(loaded) => {
                let (committed, last) = loaded.shard.committed(after, most);
                Ok((committed, last, loaded.last))
            }
            Phase::Loading => Err(Unavailable::Loading),
            Phase::Closed => Err(Unavailable::NotCoordinator),
        }
    }

    /// Bytes of records since it was last written anew.
    pub(super) fn grown(&self) -> usize {
        match &*self.phase.lock() {
            Phase::Loaded(loaded) => loaded.grown,
            Phase::Loading | Phase::Closed => 0,
        }
    }

    /// From here on the records count as those of a shard that is written anew; where the log ends.
    pub(super) fn begin_anew(&self) -> Result<Offset, Unavailable> {
        let mut end = Offset(0);
        self.with(|loaded| {
            loaded.grown = 0;
            end = self.partition.offsets().log_end;
            Output::default()
        })?;
        Ok(end)
    }

    /// Writes what is known of groups after `after` once more, `most` bytes of it; the last of these groups, and the slot.
    pub(super) fn write_anew(
        &self,
        after: Option<&GroupKey>,
        most: usize,
    ) -> Result<(Option<GroupKey>, Option<Slot>), Unavailable> {
        let mut phase = self.phase.lock();
        let Phase::Loaded(loaded) = &mut *phase else {
            return Err(Unavailable::NotAvailable);
        };
        let (records, last) = loaded.shard.snapshot(after, most);
        // If only some of them can be appended, nothing is lost but the effort: they say what is so anyway.
        let slot = append(&self.partition, &records, self.clock.now()).map_err(|error| {
            warn!(partition = %self.partition.id(), %error, "groups cannot be written anew now");
            Unavailable::NotAvailable
        })?;
        loaded.last = slot.or(loaded.last);
        loaded.grown += records.iter().map(Record::size).sum::<usize>();
        Ok((last, slot))
    }

    /// Has the machine work, appends its records, and passes its answers on; all in one critical section, so that the order of the
    /// records is that of what they say.
    fn with(&self, work: impl FnOnce(&mut Loaded) -> Output) -> Result<(), Unavailable> {
        let mut phase = self.phase.lock();
        let loaded = match &mut *phase {
            Phase::Loaded(loaded) => loaded,
            Phase::Loading => return Err(Unavailable::Loading),
            Phase::Closed => return Err(Unavailable::NotCoordinator),
        };
        let before = counted(&loaded.shard);
        let output = work(loaded);
        metrics::groups(counted(&loaded.shard) - before);
        if !output.records.is_empty() {
            match append(&self.partition, &output.records, self.clock.now()) {
                Ok(slot) => loaded.last = slot.or(loaded.last),
                Err(error) => {
                    warn!(partition = %self.partition.id(), %error, "groups cannot be stored; reading them again");
                    *phase = Phase::Loading;
                    self.changed.notify_one();
                    return Err(Unavailable::NotAvailable);
                }
            }
            let before = loaded.grown / self.rewrite_from;
            loaded.grown += output.records.iter().map(Record::size).sum::<usize>();
            if loaded.grown / self.rewrite_from > before {
                self.changed.notify_one();
            }
        }
        for (token, answer) in output.answers {
            if let Some(waiting) = loaded.waiting.remove(&token) {
                let slot = loaded.last;
                // Whoever asked may have gone.
                let _ = waiting.send(Done { answer, slot });
            }
        }
        Ok(())
    }
}

impl Drop for Loaded {
    fn drop(&mut self) {
        metrics::groups(-counted(&self.shard));
    }
}

fn counted(shard: &Shard) -> i64 {
    i64::try_from(shard.groups()).unwrap_or(i64::MAX)
}

/// Appends records, in batches of a size that any partition takes unless a record alone is larger; the slot that makes all
/// of them durable.
fn append(partition: &Partition, records: &[Record], now: Timestamp) -> Result<Option<Slot>, AppendError> {
    let (mut batch, mut bytes, mut slot) = (BatchBuilder::new(), 0, None);
    let mut rest = records.iter().peekable();
    while let Some(record) = rest.next() {
        batch = batch.record(now.0, Some(&record.key), record.value.as_deref());
        bytes += record.size();
        let next = rest.peek().map_or(MOST_BATCH, |next| next.size());
        if bytes + next > MOST_BATCH {
            let whole = std::mem::take(&mut batch);
            slot = partition.append(whole.build(), now)?.slot.max(slot);
            bytes = 0;
        }
    }
    Ok(slot)
}
