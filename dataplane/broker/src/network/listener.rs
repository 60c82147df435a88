//! Accepts connections within the limits, and serves each on a task of its own.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use firn_runtime::Env;
use parking_lot::Mutex;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

use super::connection::Connection;
use super::pool::BufferPool;
use super::{Limits, Protocol};
use crate::metrics;

/// How long accepting rests after it failed (too many open files).
const REST: Duration = Duration::from_millis(100);

/// A connection as its protocol sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer {
    /// The connection's number in this process; part of every request id.
    pub(crate) connection: u64,
    /// The client's address.
    pub(crate) address: SocketAddr,
}

/// Serves a listening socket.
pub(crate) struct Listener<F> {
    pub(crate) socket: TcpListener,
    pub(crate) limits: Limits,
    pub(crate) env: Env,
    /// Makes the protocol of a new connection.
    pub(crate) protocol: F,
    /// Ends accepting; connections finish what is in flight.
    pub(crate) shutdown: CancellationToken,
    /// Counts the connections' tasks.
    pub(crate) tracker: TaskTracker,
    /// Ends connections whatever they are doing.
    pub(crate) abort: CancellationToken,
}

/// Open connections by client address.
#[derive(Default)]
struct Census {
    total: usize,
    by_address: BTreeMap<IpAddr, usize>,
}

/// A place in the census; given back on drop.
struct Place {
    census: Arc<Mutex<Census>>,
    address: IpAddr,
}

impl Place {
    fn take(census: &Arc<Mutex<Census>>, address: IpAddr, limits: &Limits) -> Option<Self> {
        let mut counts = census.lock();
        let of_address = counts.by_address.get(&address).copied().unwrap_or(0);
        if counts.total >= limits.connections || of_address >= limits.connections_per_ip {
            return None;
        }
        counts.total += 1;
        counts.by_address.insert(address, of_address + 1);
        metrics::connection_opened();
        Some(Self {
            census: Arc::clone(census),
            address,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.census.lock();
        counts.total -= 1;
        if let Some(count) = counts.by_address.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                counts.by_address.remove(&self.address);
            }
        }
        metrics::connection_closed();
    }
}

impl<P: Protocol + Unpin + 'static, F: Fn(Peer) -> P + Send + Sync + 'static> Listener<F> {
    /// Accepts until the shutdown.
    pub(crate) async fn run(self) {
        let census = Arc::new(Mutex::new(Census::default()));
        let pool = BufferPool::default();
        let next = AtomicU64::new(1);
        loop {
            let accepted = tokio::select! {
                biased;
                () = self.shutdown.cancelled() => return,
                accepted = self.socket.accept() => accepted,
            };
            match accepted {
                Ok((stream, address)) => {
                    let Some(place) = Place::take(&census, address.ip(), &self.limits) else {
                        metrics::connection_refused();
                        warn!(%address, "connection refused: too many connections");
                        continue;
                    };
                    let peer = Peer {
                        connection: next.fetch_add(1, Ordering::Relaxed),
                        address,
                    };
                    self.serve(stream, peer, place, pool.clone());
                }
                Err(error) => {
                    warn!(%error, "accepting a connection failed");
                    tokio::time::sleep(REST).await;
                }
            }
        }
    }

    /// Serves one connection. All of it is plaintext here; a listener with TLS would look at the first byte, shake
    /// hands, and go on with the encrypted stream in the same way.
    fn serve(&self, stream: TcpStream, peer: Peer, place: Place, pool: BufferPool) {
        if let Err(error) = stream.set_nodelay(true) {
            debug!(%error, "TCP_NODELAY could not be set");
        }
        let protocol = (self.protocol)(peer);
        let connection = Connection::new(stream, protocol, self.limits.clone(), pool, self.shutdown.clone());
        let abort = self.abort.clone();
        let task = self.tracker.track_future(async move {
            let _place = place;
            debug!(connection = peer.connection, address = %peer.address, "connected");
            let why = tokio::select! {
                biased;
                () = abort.cancelled() => super::Closing::Shutdown,
                why = connection => why,
            };
            metrics::connection_ended(why);
            debug!(connection = peer.connection, ?why, "disconnected");
        });
        drop(self.env.tasks.spawn(Box::pin(task)));
    }
}
