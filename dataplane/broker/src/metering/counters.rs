//! What connections count with. Nothing is allocated, locked or searched for on the way of a request.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::seams::{Account, Usage};

/// What a request frame has on the wire before what [`Usage`] counts: its length.
const LENGTH_BYTES: usize = 4;

/// What the connections of a principal used, ever. Counts only grow; each is right by itself, several read together may be of
/// slightly different moments.
#[derive(Debug, Default)]
pub(super) struct Counters {
    bytes_in: AtomicI64,
    bytes_out: AtomicI64,
    produced_bytes: AtomicI64,
    fetched_bytes: AtomicI64,
    requests: AtomicI64,
    connections: AtomicI64,
    connections_peak: AtomicI64,
}

/// The counts at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) bytes_in: i64,
    pub(super) bytes_out: i64,
    pub(super) produced_bytes: i64,
    pub(super) fetched_bytes: i64,
    pub(super) requests: i64,
}

impl Counters {
    pub(super) fn counts(&self) -> Counts {
        let now = |counter: &AtomicI64| counter.load(Ordering::Relaxed);
        Counts {
            bytes_in: now(&self.bytes_in),
            bytes_out: now(&self.bytes_out),
            produced_bytes: now(&self.produced_bytes),
            fetched_bytes: now(&self.fetched_bytes),
            requests: now(&self.requests),
        }
    }

    /// The most connections that were open at a time since the last [`Self::restart_peak`].
    pub(super) fn peak(&self) -> i64 {
        self.connections_peak.load(Ordering::Relaxed)
    }

    /// From here on the peak is that of the next minute, which begins with the connections that are open.
    pub(super) fn restart_peak(&self) {
        // Connections that are opened between these two lines raise the peak themselves or are seen by the second.
        self.connections_peak.store(0, Ordering::SeqCst);
        let open = self.connections.load(Ordering::SeqCst);
        self.connections_peak.fetch_max(open, Ordering::SeqCst);
    }
}

/// The account of one connection.
#[derive(Debug)]
pub(super) struct ConnectionAccount {
    counters: Arc<Counters>,
}

impl ConnectionAccount {
    pub(super) fn open(counters: Arc<Counters>) -> Self {
        let open = counters.connections.fetch_add(1, Ordering::SeqCst) + 1;
        counters.connections_peak.fetch_max(open, Ordering::SeqCst);
        Self { counters }
    }
}

impl Drop for ConnectionAccount {
    fn drop(&mut self) {
        self.counters.connections.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Account for ConnectionAccount {
    fn record(&self, usage: &Usage) {
        let add = |counter: &AtomicI64, more: usize| {
            if more > 0 {
                counter.fetch_add(i64::try_from(more).unwrap_or(i64::MAX), Ordering::Relaxed);
            }
        };
        add(&self.counters.bytes_in, usage.request_bytes + LENGTH_BYTES);
        add(&self.counters.bytes_out, usage.response_bytes);
        add(&self.counters.produced_bytes, usage.produced_bytes);
        add(&self.counters.fetched_bytes, usage.fetched_bytes);
        add(&self.counters.requests, 1);
    }
}
