//! What one connection has done so far. Only the connection's own task writes, and anybody may read at any time: so the way of a
//! request has a few plain loads and stores, no lock, no atomic addition, no clock and no allocation.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicI16, AtomicU64, Ordering};
use std::time::Duration;

use firn_runtime::Timestamp;
use kafka_protocol::messages::ApiKey;
use tokio::time::Instant;

use crate::seams::Usage;

/// What a request frame has on the wire before what [`Usage`] counts: its length.
const LENGTH_BYTES: usize = 4;
/// How much is kept of a client id, and of a software's name or version, in bytes.
const MOST_CLIENT_ID: usize = 128;
const MOST_SOFTWARE: usize = 64;
/// No API's key.
const NONE: i16 = -1;

/// The tally of one connection.
#[derive(Debug)]
pub(crate) struct Tally {
    opened: Instant,
    opened_at: Timestamp,
    /// Moments are counted in ms after it was opened, plus one; 0: it has not happened.
    last_request: AtomicU64,
    first_record: AtomicU64,
    last_api: AtomicI16,
    requests: AtomicU64,
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
    produced_bytes: AtomicU64,
    fetched_bytes: AtomicU64,
    client_id: OnceLock<Box<str>>,
    software: OnceLock<(Box<str>, Box<str>)>,
}

/// What connections did, together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) requests: u64,
    pub(super) produced_bytes: u64,
    pub(super) fetched_bytes: u64,
}

impl Totals {
    pub(super) fn add(&mut self, other: Self) {
        self.requests += other.requests;
        self.produced_bytes += other.produced_bytes;
        self.fetched_bytes += other.fetched_bytes;
    }
}

/// What a connection is told of in the end.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub(super) opened_at: Timestamp,
    pub(super) last_request: Option<Timestamp>,
    pub(super) last_api: Option<ApiKey>,
    pub(super) requests: u64,
    pub(super) bytes_in: u64,
    pub(super) bytes_out: u64,
    pub(super) client_id: Option<Box<str>>,
    pub(super) software: Option<(Box<str>, Box<str>)>,
}

/// Adds to a count that nobody else writes.
fn add(count: &AtomicU64, more: usize) {
    let sum = count.load(Ordering::Relaxed).wrapping_add(more as u64);
    count.store(sum, Ordering::Relaxed);
}

/// The beginning of a text, at most so many bytes of it.
fn beginning(text: &str, most: usize) -> Box<str> {
    text[..text.floor_char_boundary(most)].into()
}

impl Tally {
    /// Of a connection that was accepted at `opened`; it is `now`.
    pub(crate) fn new(opened: Instant, now: Timestamp) -> Self {
        let age = i64::try_from(opened.elapsed().as_millis()).unwrap_or(0);
        Self {
            opened,
            opened_at: Timestamp(now.0.saturating_sub(age)),
            last_request: AtomicU64::new(0),
            first_record: AtomicU64::new(0),
            last_api: AtomicI16::new(NONE),
            requests: AtomicU64::new(0),
            bytes_in: AtomicU64::new(0),
            bytes_out: AtomicU64::new(0),
            produced_bytes: AtomicU64::new(0),
            fetched_bytes: AtomicU64::new(0),
            client_id: OnceLock::new(),
            software: OnceLock::new(),
        }
    }

    /// Of the same connection as somebody else, from now on.
    pub(crate) fn anew(&self) -> Self {
        let new = Self::new(self.opened, self.opened_at);
        let new = Self {
            opened_at: self.opened_at,
            ..new
        };
        if let Some(software) = self.software.get() {
            new.software.get_or_init(|| software.clone());
        }
        new
    }

    fn since_opened(&self, moment: Instant) -> u64 {
        let passed = moment.saturating_duration_since(self.opened);
        u64::try_from(passed.as_millis()).unwrap_or(u64::MAX - 1) + 1
    }

    fn moment(&self, counted: &AtomicU64) -> Option<Timestamp> {
        let passed = counted.load(Ordering::Relaxed).checked_sub(1)?;
        Some(self.opened_at.plus(Duration::from_millis(passed)))
    }

    /// A request came. The first one that names a client id names the connection's.
    pub(crate) fn came(&self, api: ApiKey, client_id: Option<&str>, at: Instant) {
        self.last_request.store(self.since_opened(at), Ordering::Relaxed);
        self.last_api.store(api as i16, Ordering::Relaxed);
        if let Some(client_id) = client_id
            && self.client_id.get().is_none()
        {
            self.client_id
                .get_or_init(|| beginning(client_id, MOST_CLIENT_ID));
        }
    }

    /// A request that came at `at` was answered.
    pub(crate) fn answered(&self, usage: &Usage, at: Instant) {
        add(&self.requests, 1);
        add(&self.bytes_in, usage.request_bytes + LENGTH_BYTES);
        add(&self.bytes_out, usage.response_bytes);
        if usage.fetched_bytes > 0 {
            add(&self.fetched_bytes, usage.fetched_bytes);
        }
        if usage.produced_bytes > 0 {
            add(&self.produced_bytes, usage.produced_bytes);
            if self.first_record.load(Ordering::Relaxed) == 0 {
                self.first_record.store(self.since_opened(at), Ordering::Relaxed);
            }
        }
    }

    /// What the client says it is; the first word counts.
    pub(crate) fn is_software(&self, name: &str, version: &str) {
        let cut = |text| beginning(text, MOST_SOFTWARE);
        self.software.get_or_init(|| (cut(name), cut(version)));
    }

    pub(super) fn totals(&self) -> Totals {
        let now = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Totals {
            requests: now(&self.requests),
            produced_bytes: now(&self.produced_bytes),
            fetched_bytes: now(&self.fetched_bytes),
        }
    }

    /// When it appended its first records.
    pub(super) fn first_record(&self) -> Option<Timestamp> {
        self.moment(&self.first_record)
    }

    pub(super) fn opened_at(&self) -> Timestamp {
        self.opened_at
    }

    pub(super) fn told(&self) -> Told {
        let now = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Told {
            opened_at: self.opened_at,
            last_request: self.moment(&self.last_request),
            last_api: ApiKey::try_from(self.last_api.load(Ordering::Relaxed)).ok(),
            requests: now(&self.requests),
            bytes_in: now(&self.bytes_in),
            bytes_out: now(&self.bytes_out),
            client_id: self.client_id.get().cloned(),
            software: self.software.get().cloned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(produced_bytes: usize) -> Usage {
        Usage {
            api: ApiKey::Produce,
            request_bytes: 96,
            produced_bytes,
            fetched_bytes: 0,
            response_bytes: 30,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn it_tells_what_came_and_when() {
        let tally = Tally::new(Instant::now(), Timestamp(1_000));
        let told = tally.told();
        assert_eq!((told.requests, told.last_request, told.last_api), (0, None, None));
        tokio::time::advance(Duration::from_millis(250)).await;
        let at = Instant::now();
        tally.came(ApiKey::Metadata, Some("a"), at);
        tally.answered(&usage(0), at);
        assert_eq!(tally.first_record(), None);
        tally.came(ApiKey::Produce, Some("b"), at);
        tally.answered(&usage(50), at);
        let told = tally.told();
        assert_eq!((told.requests, told.bytes_in, told.bytes_out), (2, 200, 60));
        assert_eq!(
            (told.last_request, told.last_api),
            (Some(Timestamp(1_250)), Some(ApiKey::Produce))
        );
        assert_eq!(told.client_id.as_deref(), Some("a"), "the first one counts");
        assert_eq!(tally.first_record(), Some(Timestamp(1_250)));
        tokio::time::advance(Duration::from_secs(1)).await;
        tally.answered(&usage(50), Instant::now());
        assert_eq!(tally.first_record(), Some(Timestamp(1_250)));
        assert_eq!(tally.totals().produced_bytes, 100);
    }

    #[tokio::test(start_paused = true)]
    async fn names_are_cut_between_characters_and_outlive_a_change_of_who_it_is() {
        let tally = Tally::new(Instant::now(), Timestamp(0));
        tally.came(ApiKey::Fetch, Some(&"é".repeat(10_000)), Instant::now());
        tally.is_software(&"x".repeat(1_000), "1");
        tally.is_software("other", "2");
        assert_eq!(tally.told().client_id.as_deref().map(str::len), Some(128));
        tokio::time::advance(Duration::from_secs(9)).await;
        let told = tally.anew().told();
        assert_eq!(
            (told.requests, told.client_id, told.opened_at),
            (0, None, Timestamp(0))
        );
        assert_eq!(
            told.software.map(|(name, version)| (name.len(), version.len())),
            Some((64, 1))
        );
    }
}
