//! Fetch sessions (KIP-227): the broker remembers which partitions a consumer fetches, and requests name changes only.
//!
//! The cache is bounded in sessions and in partitions. When it is full, a session that has not been used for two
//! minutes makes way; if there is none, the client is told session id 0 and sends full requests, which always works.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use firn_catalog::commands::Principal;
use firn_catalog::ids::{ClusterId, TopicId};
use firn_runtime::Env;
use kafka_protocol::ResponseError;
use parking_lot::Mutex;
use tokio::time::Instant;

use super::request::Identity;
use crate::metrics;

/// Sessions that are kept.
const MOST_SESSIONS: usize = 10_000;
/// Partitions of all sessions together.
const MOST_PARTITIONS: usize = 1_000_000;
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
    places: BTreeMap<(FetchTopicKey, i32), u64>,
    next_place: u64,
}

impl Session {
    fn put(&mut self, target: FetchTarget) {
        let key = (target.topic.clone(), target.index);
        if let Some(place) = self.places.get(&key) {
            if let Some(known) = self.order.get_mut(place) {
                known.target = target;
            }
            return;
        }
        self.places.insert(key, self.next_place);
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
        if let Some(place) = self.places.remove(&(topic.clone(), index)) {
            self.order.remove(&place);
        }
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

#[derive(Default)]
struct Cache {
    sessions: BTreeMap<i32, Session>,
    partitions: usize,
}

impl Cache {
    fn remove(&mut self, id: i32) {
        if let Some(session) = self.sessions.remove(&id) {
            self.partitions -= session.order.len();
            metrics::fetch_sessions(-1);
        }
    }

    /// Makes room for one more session of so many partitions, if it can be had.
    fn make_room(&mut self, partitions: usize, now: Instant) -> bool {
        let full = |cache: &Self| {
            cache.sessions.len() >= MOST_SESSIONS || cache.partitions + partitions > MOST_PARTITIONS
        };
        while full(self) {
            let oldest = self.sessions.iter().min_by_key(|(_, session)| session.last_used);
            match oldest {
                Some((id, session)) if now - session.last_used > PROTECTED => {
                    let id = *id;
                    self.remove(id);
                }
                Some(_) | None => return false,
            }
        }
        true
    }
}

/// All fetch sessions of a broker.
pub(crate) struct FetchSessions {
    env: Env,
    cache: Mutex<Cache>,
}

impl FetchSessions {
    pub(crate) fn new(env: Env) -> Self {
        Self {
            env,
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
        let grown = cache.partitions + named.len() <= MOST_PARTITIONS;
        let session = cache
            .sessions
            .get_mut(&header.id)
            .ok_or(ResponseError::FetchSessionIdNotFound)?;
        if session.by_id != header.by_id {
            return Err(ResponseError::FetchSessionTopicIdError);
        }
        if session.next_epoch != header.epoch || !grown {
            return Err(ResponseError::InvalidFetchSessionEpoch);
        }
        let before = session.order.len();
        named.into_iter().for_each(|target| session.put(target));
        forgotten
            .iter()
            .for_each(|(topic, index)| session.remove(topic, *index));
        session.next_epoch = session.next_epoch.checked_add(1).unwrap_or(1);
        session.last_used = Instant::now();
        let (targets, after) = (session.targets(), session.order.len());
        cache.partitions = cache.partitions - before + after;
        if after == 0 {
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
        if named.is_empty() || !cache.make_room(named.len(), now) {
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
            next_place: 0,
        };
        named.iter().for_each(|target| session.put(target.clone()));
        let id = loop {
            let id = i32::try_from(self.env.random_u64() >> 33).expect("31 bits");
            if id != 0 && !cache.sessions.contains_key(&id) {
                break id;
            }
        };
        cache.partitions += session.order.len();
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
        let key = (target.topic.clone(), target.index);
        let Some(place) = self.places.get(&key).copied() else {
            return true;
        };
        let Some(known) = self.order.get_mut(&place) else {
            return true;
        };
        let moved = known.high_watermark != told.high_watermark || known.log_start != told.log_start;
        let failed = told.error != 0;
        known.high_watermark = if failed { -1 } else { told.high_watermark };
        known.log_start = told.log_start;
        if told.has_records
            && let Some(served) = self.order.remove(&place)
        {
            self.order.insert(self.next_place, served);
            self.places.insert(key, self.next_place);
            self.next_place += 1;
        }
        moved || failed || told.has_records
    }
}
