//! Holds everything that was acknowledged and everything that a reader saw, and says what contradicts it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use bytes::Bytes;
use firn_catalog::ids::PartitionId;
use parking_lot::Mutex;

use crate::plan::Retention;
use crate::record::{self, RecordId};

/// What must never happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// An acknowledged or read record is not in the log any more.
    Lost,
    /// An offset holds another record than before.
    TwoValuesAtOneOffset,
    /// A record is in the log twice.
    Duplicate,
    /// A record was never sent, or its bytes are not what was sent.
    NeverSent,
    /// An answer to a reader skips an offset, goes back, or does not begin where it was asked to.
    Skipped,
    /// The records of an idempotent producer are not in the order in which it sent them.
    Reordered,
    /// A high watermark went back, or ran ahead of what a successor found.
    HighWatermark,
    /// A log start went back, or beyond what was asked for and what retention may take.
    LogStart,
    /// A record was acknowledged at or past the end that a successor began at.
    AcknowledgedPastFence,
    /// A retry of an idempotent producer was refused though nothing is wrong with it.
    RetryRefused,
    /// A broker stopped with damage that nobody did, or for a fence that nobody put.
    FalseAlarm,
    /// A committed offset went back, or was never committed.
    Committed,
    /// Something is in the store that nobody needs and nobody will delete.
    Leak,
    /// Something is still unreadable, or does not end, long after everything was healed.
    Unreadable,
}

/// A rule that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub rule: Rule,
    /// How.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.rule, self.what)
    }
}

/// What is known of one partition.
#[derive(Default)]
struct Known {
    /// Every offset that was acknowledged or read.
    records: BTreeMap<i64, RecordId>,
    offsets: BTreeMap<RecordId, i64>,
    /// Where each generation of the broker began.
    opened_at: BTreeMap<u32, i64>,
    /// The highest offset, plus one, that a generation acknowledged or showed.
    shown: BTreeMap<u32, i64>,
    log_starts: BTreeMap<u32, i64>,
    asked_to_delete: i64,
    retention: Option<Retention>,
    /// The highest log start that each generation has promised.
    promised: BTreeMap<u32, i64>,
    deleted: bool,
}

impl Known {
    /// Whether retention may take everything below `log_start` while the log ends at `end`. By size: only if the rest is
    /// enough. By time anything that is cold may go, since the clocks of brokers and clients differ by more than
    /// records are kept.
    fn may_retain(&self, log_start: i64, end: i64) -> bool {
        let Some(Retention { ms, bytes }) = self.retention else {
            return false;
        };
        let size = |offset| {
            let id: Option<&RecordId> = self.records.get(&offset);
            id.map_or(record::MOST_BYTES, |id| id.most_bytes())
        };
        let kept = || (log_start..end).map(size).sum::<u64>();
        log_start <= end && (ms.is_some() || bytes.is_some_and(|bytes| kept() >= bytes))
    }
}

/// See the module.
#[derive(Default)]
pub struct Checker(Mutex<State>);

#[derive(Default)]
struct State {
    partitions: BTreeMap<PartitionId, Known>,
    sent: BTreeMap<u32, u32>,
    idempotent: BTreeSet<u32>,
    violations: Vec<Violation>,
    acknowledged: u64,
    read: u64,
}

/// How much was checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Acknowledged records.
    pub acknowledged: u64,
    /// Records that readers saw.
    pub read: u64,
}

impl Checker {
    /// The rules broken so far.
    pub fn violations(&self) -> Vec<Violation> {
        self.0.lock().violations.clone()
    }

    /// How much was checked.
    pub fn counts(&self) -> Counts {
        let state = self.0.lock();
        Counts {
            acknowledged: state.acknowledged,
            read: state.read,
        }
    }

    /// Notes a broken rule.
    pub fn broken(&self, rule: Rule, what: String) {
        self.0.lock().violations.push(Violation { rule, what });
    }

    /// `sender` has sent its records below `count`.
    pub fn sent(&self, sender: u32, count: u32, idempotent: bool) {
        let mut state = self.0.lock();
        if idempotent {
            state.idempotent.insert(sender);
        }
        let sent = state.sent.entry(sender).or_default();
        *sent = count.max(*sent);
    }

    /// The records from `id` on were acknowledged by `generation`, from offset `first` on.
    pub fn acknowledged(
        &self,
        generation: u32,
        partition: PartitionId,
        first: i64,
        id: RecordId,
        count: u32,
    ) {
        let mut state = self.0.lock();
        if state.known(partition).deleted {
            return;
        }
        state.acknowledged += u64::from(count);
        for at in 0..count {
            state.see(
                partition,
                first + i64::from(at),
                RecordId(id.0 + u64::from(at)),
                "acknowledged",
            );
        }
        state.shows(
            generation,
            partition,
            first + i64::from(count),
            Rule::AcknowledgedPastFence,
        );
    }

    /// A reader asked `generation` for `from` and got `batches`. Returns where it goes on.
    pub fn read(&self, generation: u32, partition: PartitionId, from: i64, batches: &[Bytes]) -> i64 {
        let mut state = self.0.lock();
        if state.known(partition).deleted {
            return from;
        }
        let mut next = None;
        for batch in batches {
            let records = match record::read(batch) {
                Ok(records) => records,
                Err(what) => {
                    state.broken(Rule::NeverSent, format!("{partition} from {from}: {what}"));
                    break;
                }
            };
            for (offset, id) in records {
                let begins = next.is_none() && offset <= from;
                if !begins && next != Some(offset) {
                    let what = format!("{partition} from {from}: {offset} comes where {next:?} must");
                    state.broken(Rule::Skipped, what);
                }
                next = Some(offset + 1);
                state.read += 1;
                state.see(partition, offset, id, "read");
            }
        }
        let Some(end) = next else { return from };
        if end <= from {
            state.broken(
                Rule::Skipped,
                format!("{partition} from {from}: the answer ends at {end}"),
            );
            return from;
        }
        state.shows(generation, partition, end, Rule::HighWatermark);
        end
    }

    /// `generation` has opened a partition: its log ends at `end`.
    pub fn opened(&self, generation: u32, partition: PartitionId, log_start: i64, end: i64) {
        let mut state = self.0.lock();
        let known = state.known(partition);
        let lost = known.shown.range(..generation).find(|(_, shown)| **shown > end);
        let lost = lost.map(|(earlier, shown)| {
            format!("{partition}: broker {earlier} showed up to {shown}, broker {generation} begins at {end}")
        });
        known.opened_at.insert(generation, end);
        let promised = known
            .promised
            .range(..generation)
            .map(|(_, promised)| *promised)
            .max();
        if promised.is_some_and(|promised| log_start < promised) {
            let what = format!(
                "{partition}: log start {promised:?} was promised, broker {generation} has {log_start}"
            );
            state.broken(Rule::LogStart, what);
        }
        if let Some(what) = lost {
            state.broken(Rule::Lost, what);
        }
        state.starts_at(generation, partition, log_start, end);
    }

    /// `generation` has shown its offsets.
    pub fn offsets(&self, generation: u32, partition: PartitionId, log_start: i64, high_watermark: i64) {
        let mut state = self.0.lock();
        let back = state
            .known(partition)
            .shown
            .get(&generation)
            .filter(|shown| **shown > high_watermark);
        if let Some(shown) = back.copied() {
            let what = format!("{partition}: broker {generation} went from {shown} back to {high_watermark}");
            state.broken(Rule::HighWatermark, what);
        }
        state.shows(generation, partition, high_watermark, Rule::HighWatermark);
        state.starts_at(generation, partition, log_start, high_watermark);
    }

    /// A partition is there, from which retention takes what is too old or too much.
    pub fn retains(&self, partition: PartitionId, retention: Option<Retention>) {
        self.0.lock().known(partition).retention = retention;
    }

    /// Somebody asks for the records below `before` to be deleted.
    pub fn asks_to_delete(&self, partition: PartitionId, before: i64) {
        let mut state = self.0.lock();
        let known = state.known(partition);
        known.asked_to_delete = known.asked_to_delete.max(before);
    }

    /// `generation` acknowledged a deletion.
    pub fn deleted_below(&self, generation: u32, partition: PartitionId, log_start: i64) {
        let mut state = self.0.lock();
        let known = state.known(partition);
        let promised = known.promised.entry(generation).or_default();
        *promised = log_start.max(*promised);
    }

    /// The partition's topic is gone: nothing is expected of it any more.
    pub fn topic_deleted(&self, partition: PartitionId) {
        self.0.lock().known(partition).deleted = true;
    }

    /// What a reader who has read everything at the end must have seen: `seen` offsets from `log_start` to `end`.
    pub fn at_the_end(&self, partition: PartitionId, log_start: i64, end: i64) {
        let mut state = self.0.lock();
        let known = state.known(partition);
        let promised = known.promised.values().copied().max().unwrap_or(0);
        let highest = known.records.keys().next_back().map_or(0, |last| last + 1);
        let order: Vec<_> = known
            .records
            .range(log_start..)
            .map(|(at, id)| (*at, *id))
            .collect();
        if highest > end {
            state.broken(
                Rule::Lost,
                format!("{partition} ends at {end}, but {highest} was reached before"),
            );
        }
        if log_start < promised {
            let what = format!("{partition}: log start {promised} was promised, and it is {log_start}");
            state.broken(Rule::LogStart, what);
        }
        let mut last: BTreeMap<u32, (i64, u32)> = BTreeMap::new();
        for (at, id) in order {
            if !state.idempotent.contains(&id.sender()) {
                continue;
            }
            let before = last.insert(id.sender(), (at, id.count()));
            if let Some((earlier, count)) = before
                && count >= id.count()
            {
                let what = format!("{partition}: {id:?} at {at} follows {count} at {earlier}");
                state.broken(Rule::Reordered, what);
            }
        }
    }
}

impl State {
    fn known(&mut self, partition: PartitionId) -> &mut Known {
        self.partitions.entry(partition).or_default()
    }

    fn broken(&mut self, rule: Rule, what: String) {
        self.violations.push(Violation { rule, what });
    }

    /// A record was seen at an offset.
    fn see(&mut self, partition: PartitionId, offset: i64, id: RecordId, how: &str) {
        if self.sent.get(&id.sender()).is_none_or(|sent| id.count() >= *sent) {
            self.broken(Rule::NeverSent, format!("{partition} at {offset}: {id:?}"));
        }
        let known = self.known(partition);
        let before = known.records.insert(offset, id).filter(|before| *before != id);
        let elsewhere = known
            .offsets
            .insert(id, offset)
            .filter(|elsewhere| *elsewhere != offset);
        if let Some(before) = before {
            let what = format!("{partition} at {offset}: {how} {id:?}, before it was {before:?}");
            self.broken(Rule::TwoValuesAtOneOffset, what);
        }
        if let Some(elsewhere) = elsewhere {
            let what = format!("{partition}: {how} {id:?} at {offset}, before it was at {elsewhere}");
            self.broken(Rule::Duplicate, what);
        }
    }

    /// `generation` lets somebody know that its log reaches `end`.
    fn shows(&mut self, generation: u32, partition: PartitionId, end: i64, rule: Rule) {
        let known = self.known(partition);
        let shown = known.shown.entry(generation).or_default();
        *shown = end.max(*shown);
        let later = known
            .opened_at
            .range(generation + 1..)
            .find(|(_, opened_at)| **opened_at < end);
        if let Some((successor, opened_at)) = later {
            let what = format!(
                "{partition}: broker {generation} shows {end}, broker {successor} began at {opened_at}"
            );
            self.broken(rule, what);
        }
    }

    /// `generation` says where its log starts and ends.
    fn starts_at(&mut self, generation: u32, partition: PartitionId, log_start: i64, end: i64) {
        let known = self.known(partition);
        let asked = known.asked_to_delete;
        let before = known.log_starts.insert(generation, log_start).unwrap_or(0);
        let allowed = log_start <= asked || log_start == before || known.may_retain(log_start, end);
        if log_start < before || !allowed {
            let what = format!(
                "{partition}: log start {log_start} of broker {generation}; it was {before}, deletion was asked to {asked}"
            );
            self.broken(Rule::LogStart, what);
        }
    }
}
