//! The clients of each cluster: those that are there, the last ones that went, and how much they all did at a few moments of the
//! last seconds. Apart from clocks and locks.
//!
//! Of connections that went, a cluster has at most [`CLOSED_OF_CLUSTER`] and all clusters together [`CLOSED_IN_ALL`]: the oldest goes
//! first. A cluster without any connection takes the room of its first moments.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use firn_catalog::ids::ClusterId;
use firn_runtime::Timestamp;
use tokio::time::Instant;

use super::tally::{Tally, Told, Totals};

const CLOSED_OF_CLUSTER: usize = 100;
const CLOSED_IN_ALL: usize = 10_000;
/// How long a connection that went is told of.
const CLOSED_FOR: Duration = Duration::from_secs(600);
/// How many moments are kept, so that a rate is that of about ten seconds.
const SAMPLES: usize = 6;
/// The shortest time that a rate is taken over.
const SHORTEST: Duration = Duration::from_secs(1);
/// How many open connections are told of.
const MOST_TOLD: usize = 1_000;

/// A connection as whoever was let in.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    /// As Kafka prints it.
    pub(crate) principal: Box<str>,
    /// The public id of what it showed.
    pub(crate) credential: Option<Box<str>>,
    pub(crate) mechanism: &'static str,
    pub(crate) address: IpAddr,
    pub(crate) tls: bool,
    pub(crate) tally: Arc<Tally>,
}

/// One that went.
struct Closed {
    cluster: ClusterId,
    connection: u64,
    client: Client,
    at: Timestamp,
}

/// What is told of a connection.
pub(super) struct Seen {
    pub(super) connection: u64,
    pub(super) client: Client,
    pub(super) told: Told,
    pub(super) closed: Option<Timestamp>,
}

/// The first moments of a cluster.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Firsts {
    pub(super) connection: Option<Timestamp>,
    pub(super) record: Option<Timestamp>,
}

impl Firsts {
    fn heed(&mut self, tally: &Tally) {
        let earlier = |known: Option<Timestamp>, new: Option<Timestamp>| known.into_iter().chain(new).min();
        self.connection = earlier(self.connection, Some(tally.opened_at()));
        self.record = earlier(self.record, tally.first_record());
    }
}

/// What is done in a second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Rates {
    pub(super) requests: f64,
    pub(super) produced_bytes: f64,
    pub(super) fetched_bytes: f64,
}

struct OfCluster {
    live: BTreeMap<u64, Client>,
    /// The numbers of those that went, the oldest first.
    closed: VecDeque<u64>,
    /// When one was forgotten before its time.
    forgotten: Option<Timestamp>,
    /// What those did that went.
    gone: Totals,
    samples: VecDeque<(Instant, Totals)>,
}

impl OfCluster {
    fn new(at: Instant) -> Self {
        Self {
            live: BTreeMap::new(),
            closed: VecDeque::new(),
            forgotten: None,
            gone: Totals::default(),
            samples: VecDeque::from([(at, Totals::default())]),
        }
    }

    fn totals(&self) -> Totals {
        let mut totals = self.gone;
        for client in self.live.values() {
            totals.add(client.tally.totals());
        }
        totals
    }

    fn sample(&mut self, at: Instant) {
        let totals = self.totals();
        if self.samples.len() == SAMPLES {
            self.samples.pop_front();
        }
        self.samples.push_back((at, totals));
    }

    fn rates(&self, at: Instant) -> Rates {
        let Some((since, before)) = self.samples.front() else {
            return Rates::default();
        };
        let (now, seconds) = (self.totals(), (at - *since).max(SHORTEST).as_secs_f64());
        let rate = |now: u64, before: u64| now.saturating_sub(before) as f64 / seconds;
        Rates {
            requests: rate(now.requests, before.requests),
            produced_bytes: rate(now.produced_bytes, before.produced_bytes),
            fetched_bytes: rate(now.fetched_bytes, before.fetched_bytes),
        }
    }
}

#[derive(Default)]
pub(super) struct Book {
    clusters: BTreeMap<ClusterId, OfCluster>,
    /// Those that went, by the order in which they did.
    closed: BTreeMap<u64, Closed>,
    next: u64,
    firsts: BTreeMap<ClusterId, Firsts>,
}

impl Book {
    /// A connection is this client of a cluster from now on.
    pub(super) fn came(&mut self, cluster: ClusterId, connection: u64, client: Client, at: Instant) {
        self.firsts.entry(cluster).or_default().heed(&client.tally);
        let of_cluster = self.clusters.entry(cluster).or_insert_with(|| OfCluster::new(at));
        of_cluster.live.insert(connection, client);
    }

    /// A connection went, or is nobody's any more, of which nothing is told.
    pub(super) fn went(&mut self, cluster: ClusterId, connection: u64, now: Timestamp, told: bool) {
        let Some(of_cluster) = self.clusters.get_mut(&cluster) else {
            return;
        };
        let Some(client) = of_cluster.live.remove(&connection) else {
            return;
        };
        of_cluster.gone.add(client.tally.totals());
        self.firsts.entry(cluster).or_default().heed(&client.tally);
        if !told {
            return;
        }
        of_cluster.closed.push_back(self.next);
        let full = of_cluster.closed.len() > CLOSED_OF_CLUSTER;
        let closed = Closed {
            cluster,
            connection,
            client,
            at: now,
        };
        self.closed.insert(self.next, closed);
        self.next += 1;
        if full {
            self.forget_oldest_of(cluster, now);
        }
        if self.closed.len() > CLOSED_IN_ALL
            && let Some(oldest) = self.closed.first_key_value()
        {
            let cluster = oldest.1.cluster;
            self.forget_oldest_of(cluster, now);
        }
    }

    fn forget_oldest_of(&mut self, cluster: ClusterId, now: Timestamp) {
        if let Some(of_cluster) = self.clusters.get_mut(&cluster) {
            of_cluster.forgotten = Some(now);
            if let Some(oldest) = of_cluster.closed.pop_front() {
                self.closed.remove(&oldest);
            }
        }
    }

    /// Forgets what went long ago.
    pub(super) fn expire(&mut self, now: Timestamp) {
        while let Some(oldest) = self.closed.first_entry() {
            if now.since(oldest.get().at) < CLOSED_FOR {
                break;
            }
            let cluster = oldest.remove().cluster;
            if let Some(of_cluster) = self.clusters.get_mut(&cluster) {
                of_cluster.closed.pop_front();
            }
        }
    }

    /// The first cluster from that one on that has something to tell of.
    pub(super) fn next_cluster(&self, from: ClusterId) -> Option<ClusterId> {
        self.clusters.range(from..).next().map(|(id, _)| *id)
    }

    /// Notes how much the clients of a cluster did so far; a cluster of which there is nothing to tell is forgotten, but for its firsts.
    pub(super) fn sample(&mut self, cluster: ClusterId, at: Instant) {
        let Some(of_cluster) = self.clusters.get_mut(&cluster) else {
            return;
        };
        if of_cluster.live.is_empty() && of_cluster.closed.is_empty() {
            self.clusters.remove(&cluster);
        } else {
            of_cluster.sample(at);
        }
    }

    /// Forgets the firsts of clusters that are no more.
    pub(super) fn retain(&mut self, exists: impl Fn(ClusterId) -> bool) {
        self.firsts.retain(|cluster, _| exists(*cluster));
    }

    /// What goes on in a cluster, and how many connections are open.
    pub(super) fn rates(&self, cluster: ClusterId, at: Instant) -> (Rates, usize) {
        let of_cluster = self.clusters.get(&cluster);
        of_cluster.map_or_else(Default::default, |of_cluster| {
            (of_cluster.rates(at), of_cluster.live.len())
        })
    }

    pub(super) fn firsts(&self, cluster: ClusterId) -> Firsts {
        let mut firsts = self.firsts.get(&cluster).copied().unwrap_or_default();
        let live = self.clusters.get(&cluster).into_iter();
        for client in live.flat_map(|of_cluster| of_cluster.live.values()) {
            firsts.heed(&client.tally);
        }
        firsts
    }

    /// The connections of a cluster, the latest first: open ones, then those that went. Whether there are more.
    pub(super) fn seen(&self, cluster: ClusterId, now: Timestamp) -> (Vec<Seen>, bool) {
        let Some(of_cluster) = self.clusters.get(&cluster) else {
            return (Vec::new(), false);
        };
        let open = of_cluster.live.iter().rev().take(MOST_TOLD);
        let open = open.map(|(connection, client)| (*connection, client, None));
        let went = of_cluster.closed.iter().rev();
        let went = went.filter_map(|number| self.closed.get(number));
        let went = went.filter(|closed| now.since(closed.at) < CLOSED_FOR);
        let went = went.map(|closed| (closed.connection, &closed.client, Some(closed.at)));
        let seen = open.chain(went).map(|(connection, client, closed)| Seen {
            connection,
            told: client.tally.told(),
            client: client.clone(),
            closed,
        });
        let forgotten = of_cluster.forgotten;
        let forgotten = forgotten.is_some_and(|at| now.since(at) < CLOSED_FOR);
        (seen.collect(), forgotten || of_cluster.live.len() > MOST_TOLD)
    }
}

#[cfg(test)]
#[path = "book_tests.rs"]
mod tests;
