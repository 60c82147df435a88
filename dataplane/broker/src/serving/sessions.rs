//! Fetch sessions (KIP-227): the broker remembers which partitions a consumer fetches, and requests name changes only.
//!
//! The cache is bounded in sessions and in memory, and each session in partitions. When it is full, sessions that have not
//! been used for two minutes make way, the oldest first; if that does not do, the client is told session id 0 and sends
//! full requests, which always works. So is one whose request is too large for a session, or names what cannot be a topic.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use firn_catalog::commands::{MAX_NAME_LENGTH, Principal};
use firn_catalog::ids::{ClusterId, TopicId};
use firn_runtime::Env;
use kafka_protocol::ResponseError;
use parking_lot::Mutex;
use tokio::time::Instant;

use super::request::Identity;
use crate::metrics;

#[cfg(test)]
mod tests;

/// Partitions of one session.
const MOST_PARTITIONS: usize = 100_000;
/// Memory of all sessions together.
const MOST_MEMORY: usize = 256 << 20;
/// Memory of a partition of a session, and of a topic besides its name.
const PARTITION_MEMORY: usize = 256;
/// A session that was used within this time does not make way.
const PROTECTED: Duration = Duration::from_secs(120);

/// How a session names a topic.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum FetchTopicKey {
    /// By name (before version 13).
    Name(Arc<str>),
    /// By id.
    Id(TopicId),
}

impl FetchTopicKey {
    /// Bytes of its name.
    fn name_bytes(&self) -> usize {
        match self {
            Self::Name(name) => name.len(),
            Self::Id(_) => 0,
        }
    }

    /// Whether both are the same id, or one name: in the same place of memory, which is found out without a look at
    /// it. Two that are equal in different places are told apart.
    pub(crate) fn is_one_with(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Name(this), Self::Name(other)) => Arc::ptr_eq(this, other),
            (Self::Id(this), Self::Id(other)) => this == other,
            (Self::Name(_), Self::Id(_)) | (Self::Id(_), Self::Name(_)) => false,
        }
    }
}

/// What is to be fetched from one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FetchTarget {
    pub(crate) topic: FetchTopicKey,
    pub(crate) index: i32,
    pub(crate) offset: i64,
    pub(crate) leader_epoch: i32,
    /// The epoch of the last record that the client has; -1 if it does not say.
    pub(crate) last_epoch: i32,
    pub(crate) max_bytes: i32,
}

/// A partition of a session, and what the client was told last.
#[derive(Debug)]
struct Remembered {
    target: FetchTarget,
    high_watermark: i64,
    log_start: i64,
}

/// One session.
#[derive(Debug)]
struct Session {
    cluster: ClusterId,
    principal: Principal,
    by_id: bool,
    /// The epoch that the next request must carry.
    next_epoch: i32,
    last_used: Instant,
    /// Partitions in the order in which they are served. One that was served goes to the end, so that all get a turn.
    order: BTreeMap<u64, Remembered>,
    /// Where in that order each partition is. A topic's name is kept here once, and shared by its partitions.
    places: BTreeMap<FetchTopicKey, BTreeMap<i32, u64>>,
    /// Bytes of those names.
    name_bytes: usize,
    next_place: u64,
}

impl Session {
    fn put(&mut self, mut target: FetchTarget) {
        match self.places.get_key_value(&target.topic) {
            Some((known, _)) => target.topic = known.clone(),
            None => self.name_bytes += target.topic.name_bytes(),
        }
        let indexes = self.places.entry(target.topic.clone()).or_default();
        if let Some(place) = indexes.get(&target.index) {
            if let Some(known) = self.order.get_mut(place) {
                known.target = target;
            }
            return;
        }
        indexes.insert(target.index, self.next_place);
        self.order.insert(
            self.next_place,
            Remembered {
                target,
                high_watermark: -1,
                log_start: -1,
            },
        );
        self.next_place += 1;
    }

    fn remove(&mut self, topic: &FetchTopicKey, index: i32) {
        let Some(indexes) = self.places.get_mut(topic) else {
            return;
        };
        if let Some(place) = indexes.remove(&index) {
            self.order.remove(&place);
        }
        if indexes.is_empty() {
            self.places.remove(topic);
            self.name_bytes -= topic.name_bytes();
        }
    }

    fn knows(&self, target: &FetchTarget) -> bool {
        let indexes = self.places.get(&target.topic);
        indexes.is_some_and(|indexes| indexes.contains_key(&target.index))
    }

    fn memory(&self) -> usize {
        (self.order.len() + self.places.len()) * PARTITION_MEMORY + self.name_bytes
    }

    fn targets(&self) -> Vec<FetchTarget> {
        self.order
            .values()
            .map(|remembered| remembered.target.clone())
            .collect()
    }
}

/// What a request says of its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SessionHeader {
    pub(crate) id: i32,
    pub(crate) epoch: i32,
    /// Whether the request names topics by id.
    pub(crate) by_id: bool,
}

/// How a request is to be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Everything, outside of any session.
    Full,
    /// Everything; these partitions are a new session with this id.
    Created(i32),
    /// What has changed in the session of this id.
    Incremental(i32),
}

impl Mode {
    /// The session id that the answer tells; 0 is none.
    pub(crate) fn session(&self) -> i32 {
        match self {
            Self::Full => 0,
            Self::Created(id) | Self::Incremental(id) => *id,
        }
    }
}

/// A request with the partitions that it is about.
#[derive(Clone, Debug)]
pub(crate) struct Opened {
    pub(crate) mode: Mode,
    pub(crate) targets: Vec<FetchTarget>,
}

/// What a partition's answer says, as far as a session is concerned.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told {
    pub(crate) has_records: bool,
    pub(crate) error: i16,
    pub(crate) high_watermark: i64,
    pub(crate) log_start: i64,
}

/// The most memory that these take in a session, and whether they may be in one at all: only what could be a topic, and
/// no more partitions than one session has.
fn most_memory(targets: &[FetchTarget]) -> Option<usize> {
    let mut memory = 0;
    let mut last: Option<&FetchTarget> = None;
    for target in targets {
        let name_bytes = target.topic.name_bytes();
        if name_bytes > MAX_NAME_LENGTH {
            return None;
        }
        let same_topic = last.is_some_and(|last| last.topic.is_one_with(&target.topic));
        memory += PARTITION_MEMORY;
        if !same_topic {
            memory += PARTITION_MEMORY + name_bytes;
        }
        last = Some(target);
    }
    (targets.len() <= MOST_PARTITIONS).then_some(memory)
}

#[derive(Default)]
struct Cache {
    sessions: BTreeMap<i32, Session>,
    memory: usize,
}

impl Cache {
    fn remove(&mut self, id: i32) {
        if let Some(session) = self.sessions.remove(&id) {
            self.memory -= session.memory();
            metrics::fetch_sessions(-1);
        }
    }

    /// Makes room for one more session of so much memory, where at most so many are kept. Whether there is.
    fn make_room(&mut self, memory: usize, most: usize, now: Instant) -> bool {
        let fits = |cache: &Self| cache.sessions.len() < most && cache.memory + memory <= MOST_MEMORY;
        if fits(self) {
            return true;
        }
        let idle = self
            .sessions
            .iter()
            .filter(|(_, session)| now - session.last_used > PROTECTED);
        let mut idle: Vec<_> = idle.map(|(id, session)| (session.last_used, *id)).collect();
        idle.sort_unstable();
        for (_, id) in idle {
            self.remove(id);
            if fits(self) {
                return true;
            }
        }
        false
    }
}

/// All fetch sessions of a broker.
pub(crate) struct FetchSessions {
    env: Env,
    /// How many are kept.
    most: usize,
    cache: Mutex<Cache>,
}

impl FetchSessions {
    /// At most so many (Kafka's `max.incremental.fetch.session.cache.slots`).
    pub(crate) fn new(env: Env, most: usize) -> Self {
        Self {
            env,
            most,
            cache: Mutex::default(),
        }
    }

    /// Finds what a request is about. `named` are the partitions that it names, `forgotten` those it no longer wants.
    pub(crate) fn open(
        &self,
        who: &Identity,
        header: SessionHeader,
        named: Vec<FetchTarget>,
        forgotten: &[(FetchTopicKey, i32)],
    ) -> Result<Opened, ResponseError> {
        let mut cache = self.cache.lock();
        let owned = cache
            .sessions
            .get(&header.id)
            .is_some_and(|session| session.cluster == who.cluster && session.principal == who.principal);
        if header.epoch <= 0 {
            if owned {
                cache.remove(header.id);
            }
            let mode = if header.epoch == 0 {
                self.create(&mut cache, who, header, &named)
            } else {
                Mode::Full
            };
            return Ok(Opened { mode, targets: named });
        }
        if !owned {
            return Err(ResponseError::FetchSessionIdNotFound);
        }
        let room = MOST_MEMORY.saturating_sub(cache.memory);
        let session = cache
            .sessions
            .get_mut(&header.id)
            .ok_or(ResponseError::FetchSessionIdNotFound)?;
        if session.by_id != header.by_id {
            return Err(ResponseError::FetchSessionTopicIdError);
        }
        let new: Vec<_> = named
            .iter()
            .filter(|target| !session.knows(target))
            .cloned()
            .collect();
        let fits = session.order.len() + new.len() <= MOST_PARTITIONS
            && most_memory(&new).is_some_and(|memory| memory <= room);
        // What does not fit ends the session: the client begins anew, with all its partitions in one request.
        if session.next_epoch != header.epoch || !fits {
            return Err(ResponseError::InvalidFetchSessionEpoch);
        }
        let before = session.memory();
        named.into_iter().for_each(|target| session.put(target));
        forgotten
            .iter()
            .for_each(|(topic, index)| session.remove(topic, *index));
        session.next_epoch = session.next_epoch.checked_add(1).unwrap_or(1);
        session.last_used = Instant::now();
        let (targets, after) = (session.targets(), session.memory());
        cache.memory = cache.memory - before + after;
        if targets.is_empty() {
            cache.remove(header.id);
            return Ok(Opened {
                mode: Mode::Full,
                targets,
            });
        }
        Ok(Opened {
            mode: Mode::Incremental(header.id),
            targets,
        })
    }

    fn create(
        &self,
        cache: &mut Cache,
        who: &Identity,
        header: SessionHeader,
        named: &[FetchTarget],
    ) -> Mode {
        let now = Instant::now();
        let memory = most_memory(named).filter(|memory| *memory > 0);
        if !memory.is_some_and(|memory| cache.make_room(memory, self.most, now)) {
            return Mode::Full;
        }
        let mut session = Session {
            cluster: who.cluster,
            principal: who.principal.clone(),
            by_id: header.by_id,
            next_epoch: 1,
            last_used: now,
            order: BTreeMap::new(),
            places: BTreeMap::new(),
            name_bytes: 0,
            next_place: 0,
        };
        named.iter().for_each(|target| session.put(target.clone()));
        let id = loop {
            let id = i32::try_from(self.env.random_u64() >> 33).expect("31 bits");
            if id != 0 && !cache.sessions.contains_key(&id) {
                break id;
            }
        };
        cache.memory += session.memory();
        cache.sessions.insert(id, session);
        metrics::fetch_sessions(1);
        Mode::Created(id)
    }

    /// Notes what the client is being told of each partition, and says which of the answers it needs: those with
    /// records or an error, and those whose high watermark or log start it has not seen.
    pub(crate) fn answer(&self, mode: &Mode, told: &[(FetchTarget, Told)]) -> Vec<bool> {
        let id = match mode {
            Mode::Full => return vec![true; told.len()],
            Mode::Created(id) | Mode::Incremental(id) => *id,
        };
        let mut cache = self.cache.lock();
        let Some(session) = cache.sessions.get_mut(&id) else {
            return vec![true; told.len()];
        };
        let mut needed = Vec::with_capacity(told.len());
        for (target, told) in told {
            needed.push(session.note(target, *told) || matches!(mode, Mode::Created(_)));
        }
        needed
    }
}

impl Session {
    fn note(&mut self, target: &FetchTarget, told: Told) -> bool {
        let indexes = self.places.get_mut(&target.topic);
        let Some(place) = indexes.and_then(|indexes| indexes.get_mut(&target.index)) else {
            return true;
        };
        let Some(known) = self.order.get_mut(place) else {
            return true;
        };
        let moved = known.high_watermark != told.high_watermark || known.log_start != told.log_start;
        let failed = told.error != 0;
        known.high_watermark = if failed { -1 } else { told.high_watermark };
        known.log_start = told.log_start;
        if told.has_records
            && let Some(served) = self.order.remove(place)
        {
            self.order.insert(self.next_place, served);
            *place = self.next_place;
            self.next_place += 1;
        }
        moved || failed || told.has_records
    }
}
