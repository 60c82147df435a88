//! Accepts connections within the limits, and serves each on a task of its own.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use firn_runtime::Env;
use rustls::pki_types::CertificateDer;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

use super::census::{Census, Place};
use super::connection::Connection;
use super::cut::Cut;
use super::pool::BufferPool;
use super::tls::{self, Tls};
use super::{Closing, Limits, Protocol};
use crate::metrics;
use crate::sampling::Sampled;

/// How long accepting rests after it failed (too many open files).
const REST: Duration = Duration::from_millis(100);

/// Which of a broker's listeners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    /// The one for clients.
    Clients,
    /// The one for the control plane.
    Internal,
}

/// How a connection is protected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    /// Not at all.
    Plaintext,
    /// By TLS, with the name of the server that the client asked for.
    Tls {
        /// In lower case; `None`: none, or an address.
        server_name: Option<String>,
    },
}

/// A connection as its protocol sees it.
#[derive(Clone)]
pub(crate) struct Peer {
    /// The connection's number in this process; part of every request id.
    pub(crate) connection: u64,
    /// The client's address.
    pub(crate) address: SocketAddr,
    /// Where it came in.
    pub(crate) door: Door,
    /// How it is protected.
    pub(crate) transport: Transport,
    /// The certificate that the client showed and has the key of, and those beside it.
    pub(crate) chain: Option<Arc<[CertificateDer<'static>]>>,
    /// When it was accepted.
    pub(crate) since: Instant,
    /// Ends it.
    pub(crate) cut: Cut,
    /// Among the open connections.
    pub(crate) place: Arc<Place>,
}

impl Peer {
    /// Whether `firn dev` does not ask who it is: from this machine, and without TLS.
    pub(crate) fn is_unasked(&self) -> bool {
        self.address.ip().to_canonical().is_loopback()
            && self.door == Door::Clients
            && self.transport == Transport::Plaintext
    }
}

/// Serves connections within the limits, wherever they come from.
pub(crate) struct Connections<P> {
    pub(crate) limits: Limits,
    pub(crate) env: Env,
    /// `None`: TLS is not served.
    pub(crate) tls: Option<Tls>,
    /// How long a client may take for its first byte, where that tells TLS from plaintext.
    pub(crate) first_byte: Duration,
    /// Whether clients are somebody without being asked who come from loopback, in plaintext.
    pub(crate) unasked: bool,
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
    clients: Census,
    internal: Census,
    refusals: Sampled,
    pool: BufferPool,
    /// How many there were so far.
    number: AtomicU64,
}

/// Accepts until the shutdown.
pub(crate) async fn listen<P: Protocol + Unpin + 'static>(
    socket: TcpListener,
    door: Door,
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
                connections.serve_socket(stream, address, door);
            }
            Err(error) => {
                warn!(%error, "accepting a connection failed");
                tokio::time::sleep(REST).await;
            }
        }
    }
}

impl<P: Protocol + Unpin + 'static> Connections<P> {
    /// Serves one plaintext connection of a client, on a task of its own.
    pub(crate) fn serve<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
        self: &Arc<Self>,
        stream: S,
        address: SocketAddr,
    ) {
        let Some(peer) = self.admit(address, Door::Clients) else {
            return;
        };
        let connection = self.connection(stream, peer.clone());
        self.run(peer, connection);
    }

    /// Serves one connection, on a task of its own, that the first byte tells to be TLS or plaintext.
    fn serve_socket(self: &Arc<Self>, stream: TcpStream, address: SocketAddr, door: Door) {
        let Some(peer) = self.admit(address, door) else {
            return;
        };
        match self.tls.clone() {
            None => {
                let connection = self.connection(stream, peer.clone());
                self.run(peer, connection);
            }
            Some(tls) => {
                let connection = Arc::clone(self).told_apart(tls, stream, peer.clone());
                self.run(peer, connection);
            }
        }
    }

    /// Waits for the first byte, shakes hands if it is TLS, and serves the connection.
    async fn told_apart(self: Arc<Self>, tls: Tls, stream: TcpStream, peer: Peer) -> Closing {
        let first = tls::begins_handshake(&stream);
        let first = tokio::select! {
            biased;
            () = self.shutdown.cancelled() => return Closing::Shutdown,
            first = tokio::time::timeout(self.first_byte, first) => first,
        };
        match first {
            Err(_) => Closing::Idle,
            Ok(Err(_)) => Closing::Io,
            Ok(Ok(false)) => self.connection(stream, peer).await,
            Ok(Ok(true)) => {
                let accepted = tokio::select! {
                    biased;
                    () = self.shutdown.cancelled() => return Closing::Shutdown,
                    accepted = Box::pin(tls.accept(stream, peer.door)) => accepted,
                };
                self.shaken(&tls, accepted, peer).await
            }
        }
    }

    /// Serves the connection whose TLS handshake is over.
    async fn shaken(&self, tls: &Tls, accepted: io::Result<TlsStream<TcpStream>>, mut peer: Peer) -> Closing {
        match accepted {
            Ok(stream) => {
                let session = stream.get_ref().1;
                peer.chain = session.peer_certificates().map(Into::into);
                let server_name = session.server_name();
                peer.transport = Transport::Tls {
                    server_name: server_name.map(str::to_ascii_lowercase),
                };
                Box::pin(self.connection(stream, peer)).await
            }
            Err(error) => {
                metrics::tls_handshake_failed();
                tls.failed(peer.connection, peer.address.ip(), &error);
                debug!(connection = peer.connection, %error, "a TLS handshake failed");
                Closing::TlsHandshake
            }
        }
    }

    /// What the protocol of a connection is told of it; `None`: there is no place for it.
    fn admit(&self, address: SocketAddr, door: Door) -> Option<Peer> {
        let connection = self.opened.number.fetch_add(1, Ordering::Relaxed) + 1;
        let cut = Cut::new(&self.abort);
        let census = match door {
            Door::Clients => &self.opened.clients,
            Door::Internal => &self.opened.internal,
        };
        let since = Instant::now();
        let Some(place) = census.place(connection, address.ip(), cut.clone(), &self.limits) else {
            metrics::connection_refused();
            if let Some(passed_over) = self.opened.refusals.take(since) {
                warn!(%address, passed_over, "connection refused: too many connections");
            }
            return None;
        };
        let local = address.ip().to_canonical().is_loopback();
        if !(self.unasked && local && door == Door::Clients) {
            place.stranger();
        }
        Some(Peer {
            connection,
            address,
            door,
            transport: Transport::Plaintext,
            chain: None,
            since,
            cut,
            place: Arc::new(place),
        })
    }

    fn connection<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: S, peer: Peer) -> Connection<S, P> {
        let (pool, shutdown) = (self.opened.pool.clone(), self.shutdown.clone());
        Connection::new(stream, (self.protocol)(peer), self.limits.clone(), pool, shutdown)
    }

    /// Runs a connection to its end, which may come from outside.
    fn run(&self, peer: Peer, connection: impl Future<Output = Closing> + Send + 'static) {
        let task = self.tracker.track_future(async move {
            debug!(connection = peer.connection, address = %peer.address, "connected");
            let why = tokio::select! {
                biased;
                why = peer.cut.ended() => why,
                why = connection => why,
            };
            metrics::connection_ended(why);
            debug!(connection = peer.connection, ?why, "disconnected");
        });
        drop(self.env.tasks.spawn(Box::pin(task)));
    }
}
