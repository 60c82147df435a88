//! Accepts connections within the limits, and serves each on a task of its own.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use firn_runtime::Env;
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
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

/// Serves connections within the limits, wherever they come from.
pub(crate) struct Connections<P> {
    pub(crate) limits: Limits,
    pub(crate) env: Env,
    /// Makes the protocol of a new connection.
    pub(crate) protocol: Box<dyn Fn(Peer) -> P + Send + Sync>,
    /// Ends accepting; connections finish what is in flight.
    pub(crate) shutdown: CancellationToken,
    /// Counts the connections' tasks.
    pub(crate) tracker: TaskTracker,
    /// Ends connections whatever they are doing.
    pub(crate) abort: CancellationToken,
    pub(crate) opened: Opened,
}

/// What connections share.
#[derive(Default)]
pub(crate) struct Opened {
    census: Arc<Mutex<Census>>,
    pool: BufferPool,
    /// How many there were so far.
    number: AtomicU64,
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

/// Accepts until the shutdown.
pub(crate) async fn listen<P: Protocol + Unpin + 'static>(
    socket: TcpListener,
    connections: Arc<Connections<P>>,
) {
    loop {
        let accepted = tokio::select! {
            biased;
            () = connections.shutdown.cancelled() => return,
            accepted = socket.accept() => accepted,
        };
        match accepted {
            Ok((stream, address)) => {
                if let Err(error) = stream.set_nodelay(true) {
                    debug!(%error, "TCP_NODELAY could not be set");
                }
                connections.serve(stream, address);
            }
            Err(error) => {
                warn!(%error, "accepting a connection failed");
                tokio::time::sleep(REST).await;
            }
        }
    }
}

impl<P: Protocol + Unpin + 'static> Connections<P> {
    /// Serves one connection, on a task of its own. All of it is plaintext here; a listener with TLS would look at the first
    /// byte, shake hands, and go on with the encrypted stream in the same way.
    pub(crate) fn serve<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
        &self,
        stream: S,
        address: SocketAddr,
    ) {
        let Some(place) = Place::take(&self.opened.census, address.ip(), &self.limits) else {
            metrics::connection_refused();
            warn!(%address, "connection refused: too many connections");
            return;
        };
        let peer = Peer {
            connection: self.opened.number.fetch_add(1, Ordering::Relaxed) + 1,
            address,
        };
        let (pool, shutdown) = (self.opened.pool.clone(), self.shutdown.clone());
        let connection = Connection::new(stream, (self.protocol)(peer), self.limits.clone(), pool, shutdown);
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
