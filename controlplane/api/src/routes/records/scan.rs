//! A search through partitions: fetches what is next in each, takes records in the order of their timestamps, keeps those that match.
//!
//! It stops when the page is full, after so many bytes or so long, and always knows where to go on. What was fetched and not looked at is
//! fetched again by the next page.

use std::collections::VecDeque;
use std::time::Duration;

use firn_catalog::ids::OrganizationId;
use tokio::time::Instant;

use super::bodies::ProgressBody;
use super::positions::{Positions, Span};
use super::shown::Shown;
use super::turns;
use crate::filter::{Filter, Subject};
use crate::kafka::KafkaError;
use crate::kafka::records::{
    Bounds, Chunk, EARLIEST, Fetched, FoundRecord, OFFSET_OUT_OF_RANGE, Room, TopicAt, read,
};
use crate::rules::Problem;
use crate::state::Api;

/// How many bytes of records a request looks at, and for how long.
const MOST_SCANNED: u64 = 16 << 20;
const LONGEST: Duration = Duration::from_secs(2);
/// How many bytes of records a page shows.
const MOST_ON_PAGE: usize = 8 << 20;
/// What is fetched at once, and of one partition at least and at most.
const FETCHED: i32 = 4 << 20;
const OF_PARTITION: (i32, i32) = (64 << 10, 1 << 20);
/// What is kept of one partition, decompressed, and of all before they are looked at in whatever order.
const KEPT_OF_PARTITION: u64 = 4 << 20;
const KEPT: u64 = 24 << 20;
/// How much of each key and value is looked at.
pub(super) const OF_FIELD: u64 = 1 << 20;
/// For how long what is there is looked at when the time is up, so that a page always comes further.
const GRACE: Duration = Duration::from_millis(500);
/// How long a request whose caller has used up its quota holds back its answer, at most.
const HELD_BACK: Duration = Duration::from_secs(2);
/// How long a broker waits for the next record, in ms; then the others are looked at.
const WAIT_MS: i32 = 500;
/// How long to wait when brokers have nothing to tell.
const IDLE: Duration = Duration::from_millis(50);

/// How much a page shows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Records.
    pub(super) items: usize,
    /// Bytes of each key and value.
    pub(super) shown: usize,
}

/// A partition on its way.
struct Part {
    partition: i32,
    end: Option<i64>,
    /// What was fetched and not looked at yet.
    queue: VecDeque<FoundRecord>,
    /// From where to fetch next.
    ahead: i64,
    /// The end of what is committed, as it was told last.
    seen_end: i64,
    /// Whether there was nothing more when it was fetched last.
    caught_up: bool,
    /// Whether its offset was not there when it was fetched last.
    lost: bool,
}

impl Part {
    fn position(&self) -> i64 {
        self.queue.front().map_or(self.ahead, |record| record.offset)
    }

    fn is_over(&self) -> bool {
        self.end.is_some_and(|end| self.position() >= end)
    }

    /// The memory that its records take.
    fn kept(&self) -> u64 {
        self.queue.iter().map(FoundRecord::memory).sum()
    }

    fn needs_more(&self) -> bool {
        self.queue.is_empty() && !self.caught_up && !self.is_over()
    }

    fn take_in(&mut self, chunk: Chunk, bounds: Bounds) -> (u64, u64) {
        self.seen_end = chunk.end.max(self.seen_end);
        let portion = read(chunk.records, &chunk.aborted, self.ahead, bounds);
        let moved = portion.next > self.ahead;
        self.ahead = portion.next;
        self.queue.extend(portion.records);
        if let Some(end) = self.end {
            let before_end = self.queue.partition_point(|record| record.offset < end);
            self.queue.truncate(before_end);
            // Where less is there than was promised, it ends early.
            let gone = !moved && self.ahead >= chunk.end;
            self.ahead = if gone { end } else { self.ahead.min(end) };
        } else {
            self.caught_up = self.ahead >= chunk.end;
        }
        (portion.bytes, portion.damaged)
    }
}

/// A search.
pub(super) struct Scan {
    parts: Vec<Part>,
    filter: Option<Filter>,
    limits: Limits,
    /// What was found.
    pub(super) found: Vec<Shown>,
    shown: usize,
    records: u64,
    bytes: u64,
    damaged: u64,
}

impl Scan {
    pub(super) fn new(positions: Positions, filter: Option<Filter>, limits: Limits) -> Self {
        let part = |span: Span| Part {
            partition: span.partition,
            end: span.end,
            queue: VecDeque::new(),
            ahead: span.position,
            seen_end: span.end.unwrap_or(span.position),
            caught_up: false,
            lost: false,
        };
        Self {
            parts: positions.0.into_iter().map(part).collect(),
            filter,
            limits,
            found: Vec::new(),
            shown: 0,
            records: 0,
            bytes: 0,
            damaged: 0,
        }
    }

    /// Where to go on; `None`: it has come to its end.
    pub(super) fn next(&self) -> Option<Positions> {
        if self.parts.iter().all(Part::is_over) {
            return None;
        }
        let span = |part: &Part| Span {
            partition: part.partition,
            position: part.position(),
            end: part.end,
        };
        Some(Positions(self.parts.iter().map(span).collect()))
    }

    /// Where it is.
    pub(super) fn progress(&self) -> Vec<ProgressBody> {
        let of = |part: &Part| ProgressBody {
            partition: part.partition,
            position: part.position(),
            end: part.end.unwrap_or(part.seen_end.max(part.position())),
        };
        self.parts.iter().map(of).collect()
    }

    /// Records, bytes and damaged batches that it has seen.
    pub(super) fn scanned(&self) -> (u64, u64, u64) {
        (self.records, self.bytes, self.damaged)
    }

    fn wanted(&self) -> Vec<(i32, i64)> {
        let wanted = self.parts.iter().filter(|part| part.needs_more());
        wanted.map(|part| (part.partition, part.ahead)).collect()
    }

    fn is_full(&self) -> bool {
        self.found.len() >= self.limits.items || self.shown >= MOST_ON_PAGE || self.bytes >= MOST_SCANNED
    }

    /// Takes what was fetched, as much as there is room and time for; the rest is fetched again.
    fn take_in(&mut self, chunks: Vec<Chunk>, until: Instant) {
        let mut left = KEPT.saturating_sub(self.kept());
        for (number, chunk) in chunks.into_iter().enumerate() {
            if left == 0 || number > 0 && Instant::now() >= until {
                return;
            }
            let place = self
                .parts
                .binary_search_by_key(&chunk.partition, |part| part.partition);
            let Some(part) = place.ok().and_then(|place| self.parts.get_mut(place)) else {
                continue;
            };
            part.lost = chunk.error == OFFSET_OUT_OF_RANGE;
            if !part.lost {
                let bounds = Bounds {
                    memory: KEPT_OF_PARTITION.min(left),
                    field: OF_FIELD,
                    until: Some(until),
                };
                let before = part.kept();
                let (bytes, damaged) = part.take_in(chunk, bounds);
                left = left.saturating_sub(part.kept().saturating_sub(before));
                // What does not match costs, too, and what is read in vain.
                self.bytes += if part.queue.is_empty() { bytes } else { 0 };
                self.damaged += damaged;
            }
        }
    }

    /// Looks at records in the order of their timestamps, as long as each partition has one, or enough are at hand.
    fn look(&mut self, until: Instant) {
        self.look_at(until, false);
    }

    /// Looks at what is there, whatever is missing.
    fn look_anyhow(&mut self, until: Instant) {
        self.look_at(until, true);
    }

    fn look_at(&mut self, until: Instant, anyhow: bool) {
        let mut kept = self.kept();
        while !self.is_full() {
            if !anyhow && kept < KEPT && self.parts.iter().any(Part::needs_more) {
                return;
            }
            let heads = self.parts.iter_mut().filter(|part| !part.queue.is_empty());
            let oldest = heads.min_by_key(|part| part.queue.front().map(|record| record.timestamp));
            let Some((partition, record)) =
                oldest.and_then(|part| Some((part.partition, part.queue.pop_front()?)))
            else {
                return;
            };
            kept = kept.saturating_sub(record.memory());
            self.records += 1;
            self.bytes += record.size();
            if self.matches(partition, &record) {
                let shown = Shown::of(partition, &record, self.limits.shown);
                self.shown += shown.size();
                self.found.push(shown);
            }
            if Instant::now() >= until {
                return;
            }
        }
    }

    fn kept(&self) -> u64 {
        self.parts.iter().map(Part::kept).sum()
    }

    fn matches(&self, partition: i32, record: &FoundRecord) -> bool {
        let Some(filter) = &self.filter else {
            return true;
        };
        filter.matches(&Subject {
            key: record.key.as_ref().map(|key| &key.bytes[..]),
            value: record.value.as_ref().map(|value| &value.bytes[..]),
            headers: &record.headers,
            partition,
            offset: record.offset,
            timestamp: record.timestamp,
        })
    }

    /// Goes on behind what was deleted meanwhile.
    async fn find_again(&mut self, at: &TopicAt<'_>) -> Result<(), KafkaError> {
        let lost: Vec<i32> = self
            .parts
            .iter()
            .filter(|part| part.lost)
            .map(|part| part.partition)
            .collect();
        if lost.is_empty() {
            return Ok(());
        }
        let begins = at.offsets(&lost, EARLIEST).await?;
        for part in self.parts.iter_mut().filter(|part| part.lost) {
            part.lost = false;
            match begins.get(&part.partition).copied().flatten() {
                Some(begin) if begin > part.ahead => {
                    part.ahead = part.end.map_or(begin, |end| begin.min(end));
                }
                // It is behind the end, where nothing is to be found.
                _ => {
                    part.caught_up = true;
                    part.ahead = part.end.unwrap_or(part.ahead);
                }
            }
        }
        Ok(())
    }
}

/// What a partition's error says; one that is out of range is none.
pub(super) fn check(error: i16) -> Result<(), KafkaError> {
    match error {
        0 | OFFSET_OUT_OF_RANGE => Ok(()),
        code => Err(KafkaError::Refused(code)),
    }
}

fn room(partitions: usize, wait_ms: i32) -> Room {
    let share = FETCHED / i32::try_from(partitions.max(1)).unwrap_or(i32::MAX);
    Room {
        most: FETCHED,
        of_partition: share.clamp(OF_PARTITION.0, OF_PARTITION.1),
        wait_ms,
    }
}

/// Searches until the page is full, or the request has done enough; then, if nothing was found and there may be more, waits for so long.
pub(super) async fn run(
    api: &Api,
    at: &TopicAt<'_>,
    organization: OrganizationId,
    mut scan: Scan,
    wait: Duration,
) -> Result<Scan, Problem> {
    let patience = Instant::now() + wait;
    let mut held_back;
    (scan, held_back) = search(api, at, organization, scan, Vec::new()).await?;
    loop {
        if !held_back.is_zero() {
            // Nobody's turn is taken meanwhile.
            tokio::time::sleep(held_back.min(HELD_BACK)).await;
            return Ok(scan);
        }
        let waits = scan.found.is_empty() && scan.parts.iter().all(|part| part.caught_up);
        if !waits || Instant::now() >= patience {
            return Ok(scan);
        }
        for part in &mut scan.parts {
            part.caught_up = false;
        }
        let wanted = scan.wanted();
        let room = room(wanted.len(), WAIT_MS);
        let fetched = checked(at.fetch(wanted, room).await?)?;
        (scan, held_back) = search(api, at, organization, scan, fetched.chunks).await?;
        held_back = held_back.max(fetched.throttle);
    }
}

fn checked(fetched: Fetched) -> Result<Fetched, KafkaError> {
    for chunk in &fetched.chunks {
        check(chunk.error)?;
    }
    Ok(fetched)
}

/// Looks at what was fetched, and at all that follows; and how long the caller must wait before it is told of more.
async fn search(
    api: &Api,
    at: &TopicAt<'_>,
    organization: OrganizationId,
    mut scan: Scan,
    mut chunks: Vec<Chunk>,
) -> Result<(Scan, Duration), Problem> {
    // It goes with the work, which ends later than a request whose client goes away.
    let mut turn = turns::take(organization).await?;
    let until = Instant::now() + LONGEST;
    let at_first = scan.records;
    let mut throttle = Duration::ZERO;
    loop {
        let before = scan.records;
        (scan, turn) = firn_runtime::blocking(&*api.env.tasks, move || {
            scan.take_in(chunks, until);
            scan.look(until);
            (scan, turn)
        })
        .await;
        scan.find_again(at).await?;
        let wanted = scan.wanted();
        if scan.is_full() || wanted.is_empty() || !throttle.is_zero() || Instant::now() >= until {
            if scan.records == at_first {
                scan = firn_runtime::blocking(&*api.env.tasks, move || {
                    scan.look_anyhow(Instant::now() + GRACE);
                    drop(turn);
                    scan
                })
                .await;
            }
            return Ok((scan, throttle));
        }
        let fetched = checked(at.fetch(wanted, room(scan.wanted().len(), 0)).await?)?;
        throttle = fetched.throttle;
        chunks = fetched.chunks;
        let silent = chunks.iter().all(|chunk| chunk.records.is_empty());
        if silent && scan.records == before && scan.parts.iter().any(|part| part.end.is_some()) {
            tokio::time::sleep(IDLE).await;
        }
    }
}

#[cfg(test)]
mod tests;
