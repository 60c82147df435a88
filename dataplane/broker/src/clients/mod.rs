//! Which clients are connected to this broker, what they are and how much they do: for whoever looks at a cluster.
//!
//! | module | what is in it |
//! |---|---|
//! | [`tally`] | what one connection has done: all that a request writes to |
//! | [`book`] | the connections of each cluster, those that went lately, and rates; pure |
//!
//! The lock is taken when somebody logs in or goes, when somebody looks, and every two seconds by [`Clients::sample`]; never on the way of a
//! request. What the control plane asks for somebody is no client's connection, and is not here.

mod book;
mod tally;

use std::sync::Arc;
use std::time::Duration;

use firn_catalog::ids::{ClusterId, NodeId};
use firn_catalog::image::ImageFollower;
use firn_catalog::internal::{Connection, Connections, Load};
use firn_runtime::Env;
use parking_lot::Mutex;
use tokio::time::Instant;

pub(crate) use self::book::Client;
use self::book::{Book, Seen};
pub(crate) use self::tally::Tally;
use crate::metrics;

/// From one sample to the next.
const BETWEEN: Duration = Duration::from_secs(2);

/// The clients of a broker.
pub(crate) struct Clients {
    env: Env,
    /// What ids of connections begin with, as those of requests do.
    life: u128,
    node: NodeId,
    book: Mutex<Book>,
}

impl Clients {
    /// None yet.
    pub(crate) fn new(env: &Env, life: u128, node: NodeId) -> Arc<Self> {
        Arc::new(Self {
            env: env.clone(),
            life,
            node,
            book: Mutex::default(),
        })
    }

    /// A connection is this client of a cluster from now on.
    pub(crate) fn came(&self, cluster: ClusterId, connection: u64, client: Client) {
        let at = Instant::now();
        self.book.lock().came(cluster, connection, client, at);
    }

    /// A connection is closed.
    pub(crate) fn went(&self, cluster: ClusterId, connection: u64) {
        let now = self.env.now();
        self.book.lock().went(cluster, connection, now, true);
    }

    /// A connection is nobody's from now on. It goes on, and nothing is told of whose it was.
    pub(crate) fn renounced(&self, cluster: ClusterId, connection: u64) {
        let now = self.env.now();
        self.book.lock().went(cluster, connection, now, false);
    }

    /// Samples what goes on for as long as the broker serves, one cluster at a time.
    pub(crate) async fn sample(self: Arc<Self>, images: Arc<ImageFollower>) {
        loop {
            tokio::time::sleep(BETWEEN).await;
            let image = images.image();
            {
                let mut book = self.book.lock();
                book.expire(self.env.now());
                book.retain(|cluster| image.cluster(cluster).is_some());
            }
            let mut from = Some(ClusterId(0));
            while let Some(next) = from {
                from = self.sample_from(next);
                tokio::task::yield_now().await;
            }
        }
    }

    /// Samples one cluster; where to go on.
    fn sample_from(&self, from: ClusterId) -> Option<ClusterId> {
        let mut book = self.book.lock();
        let cluster = book.next_cluster(from)?;
        book.sample(cluster, Instant::now());
        cluster.0.checked_add(1).map(ClusterId)
    }

    /// The connections of a cluster.
    pub(crate) fn connections(&self, cluster: ClusterId) -> Connections {
        let now = self.env.now();
        let (seen, firsts, incomplete) = {
            let book = self.book.lock();
            let (seen, incomplete) = book.seen(cluster, now);
            (seen, book.firsts(cluster), incomplete)
        };
        Connections {
            node: self.node.0,
            connections: seen.into_iter().map(|seen| self.connection(seen)).collect(),
            first_connection_ms: firsts.connection.map(|at| at.0),
            first_record_ms: firsts.record.map(|at| at.0),
            incomplete,
        }
    }

    fn connection(&self, seen: Seen) -> Connection {
        let Seen {
            connection,
            client,
            told,
            closed,
        } = seen;
        let (software_name, software_version) = told.software.unzip();
        Connection {
            id: format!("kafka-{:08x}-{connection}", self.life),
            principal: client.principal.into(),
            credential: client.credential.map(Into::into),
            mechanism: client.mechanism.to_owned(),
            client_id: told.client_id.map(Into::into),
            software_name: software_name.map(Into::into),
            software_version: software_version.map(Into::into),
            address: client.address.to_string(),
            tls: client.tls,
            opened_ms: told.opened_at.0,
            closed_ms: closed.map(|at| at.0),
            last_request_ms: told.last_request.map(|at| at.0),
            last_api: told.last_api.map(|api| metrics::api_name(api).to_owned()),
            requests: told.requests,
            bytes_in: told.bytes_in,
            bytes_out: told.bytes_out,
        }
    }

    /// What goes on in a cluster.
    pub(crate) fn load(&self, cluster: ClusterId) -> Load {
        let (rates, connections) = self.book.lock().rates(cluster, Instant::now());
        Load {
            node: self.node.0,
            produced_bytes_per_second: rates.produced_bytes,
            fetched_bytes_per_second: rates.fetched_bytes,
            requests_per_second: rates.requests,
            connections: connections as u64,
            ..Load::default()
        }
    }
}
