//! The network: accepting connections, framing, order of answers, limits. It knows no API; what a frame means is the
//! business of a [`Protocol`].
//!
//! | module | what is in it |
//! |---|---|
//! | [`listener`] | accepts within the limits on connections |
//! | [`census`] | who is there, and who of them is a stranger |
//! | [`tls`] | TLS on the same port, and names of clusters in it |
//! | [`cut`] | ends a connection from outside |
//! | [`connection`] | one connection's state machine: read, start, answer in order, write |
//! | [`inbound`] | frames out of received bytes, without copying |
//! | [`outbound`] | chunks that wait to be written |
//! | [`pool`] | recycled read buffers |
//! | [`budget`] | room for large frames |
//!
//! A connection is one task and nothing on the way of a request leaves it: waking another core costs more than the
//! request. So it is a state machine that is polled, and no pair of reader and writer tasks with a queue between.

pub(crate) mod budget;
pub(crate) mod census;
pub(crate) mod connection;
pub(crate) mod cut;
pub(crate) mod inbound;
pub(crate) mod listener;
pub(crate) mod outbound;
pub(crate) mod pool;
pub(crate) mod tls;

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::future::BoxFuture;

/// How many clients of one IP address may have yet to say who they are.
const STRANGERS_PER_IP: usize = 1_000;

/// What bounds a listener and its connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections of a listener in all; more are closed at once. A quarter of them may be of clients that have yet to
    /// authenticate; beyond that, the oldest such one is closed.
    pub connections: usize,
    /// Connections from one IP address. At most 1,000 of them may be of clients that have yet to authenticate.
    pub connections_per_ip: usize,
    /// Connections of one principal of a cluster.
    pub connections_per_principal: usize,
    /// The largest request frame, in bytes (Kafka's `socket.request.max.bytes`).
    pub frame_bytes: usize,
    /// A connection on which nothing happens for this long is closed (Kafka's `connections.max.idle.ms`).
    pub idle: Duration,
    /// A frame whose bytes do not come for this long, or a response that the client does not take for this long (2 s
    /// at most during a shutdown), closes the connection. A frame must also come at 64 KiB/s on average, and what waits
    /// to be written must be taken at 1 KiB/s.
    pub stall: Duration,
    /// Produce requests of one connection that may wait for durability at a time.
    pub pipelined_requests: usize,
    /// Bytes of such requests.
    pub pipelined_bytes: usize,
    /// Bytes of responses of one connection that may wait to be written before its next request is started.
    pub unwritten_bytes: usize,
    /// Bytes of large Fetch responses of all connections that may be held until clients have taken them. Beyond that,
    /// large responses wait.
    pub response_bytes: usize,
    /// How long a client may take to authenticate.
    pub authentication: Duration,
    /// How long a TLS handshake may take.
    pub handshake: Duration,
    /// How long a shutdown waits for what is in flight.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 20_000,
            connections_per_ip: 20_000,
            connections_per_principal: 1_000,
            frame_bytes: 100 * 1024 * 1024,
            idle: Duration::from_secs(600),
            stall: Duration::from_secs(60),
            pipelined_requests: 256,
            pipelined_bytes: 32 * 1024 * 1024,
            unwritten_bytes: 1024 * 1024,
            response_bytes: 512 * 1024 * 1024,
            authentication: Duration::from_secs(30),
            handshake: Duration::from_secs(10),
            grace: Duration::from_secs(10),
        }
    }
}

impl Limits {
    /// Connections of clients that have yet to say who they are.
    pub(crate) fn strangers(&self) -> usize {
        (self.connections / 4).max(1)
    }

    /// Those of them from one IP address.
    pub(crate) fn strangers_per_ip(&self) -> usize {
        self.connections_per_ip.min(STRANGERS_PER_IP)
    }
}

/// What happens to a connection after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum After {
    /// The next request.
    Continue,
    /// The next request, but not before this time has passed (a quota).
    Mute(Duration),
    /// It is closed, once what waits to be written is written.
    Close(Closing),
}

/// An answer: chunks that make one response frame (none: the request has no response), and what comes after.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) chunks: Vec<Bytes>,
    pub(crate) after: After,
}

impl Reply {
    pub(crate) fn close(why: Closing) -> Self {
        Self {
            chunks: Vec::new(),
            after: After::Close(why),
        }
    }
}

/// A request that was started.
pub(crate) enum Started {
    /// It is answered already.
    Done(Reply),
    /// Its answer comes; requests of the same kind may be started meanwhile.
    Waiting(BoxFuture<'static, Reply>),
    /// What it needs comes, from elsewhere; then [`Protocol::resume`] says how it goes on. No other request is started before.
    Later(BoxFuture<'static, ()>),
    /// Its effect and then its answer come, and no other request may be started before that, whatever its kind. It is
    /// finished even if the client goes away meanwhile.
    Alone(BoxFuture<'static, Reply>),
}

/// How a request may overlap with others of its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// It may be started while others of this kind wait for their answers, but only when there is room.
    Pipelined,
    /// It is started when all before it are answered, and nothing is started before it is.
    Alone,
}

/// What gives frames their meaning; one for each connection.
pub(crate) trait Protocol: Send {
    /// How the request in this frame may overlap; decided by its first bytes.
    fn order(&self, frame: &[u8]) -> Order;

    /// Starts a request.
    fn start(&mut self, frame: BytesMut) -> Started;

    /// Goes on with the request that was started as [`Started::Later`], once that is ready.
    fn resume(&mut self) -> Started;

    /// The largest frame that may come next.
    fn frame_bytes(&self) -> usize;

    /// Whether the client has said who it is. Before that nothing is started while an answer waits to be written.
    fn is_known(&self) -> bool;

    /// Whether a pipelined request may be started; else what to wait for.
    fn room(&self) -> Option<BoxFuture<'static, ()>>;
}

/// Why a connection was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Closing {
    /// The client closed it.
    ByClient,
    /// Reading or writing failed.
    Io,
    /// Nothing happened on it for too long.
    Idle,
    /// A frame or the reading of a response took too long.
    Stalled,
    /// A frame's length is negative, too small for a header, or over the limit.
    FrameSize,
    /// The first bytes are a TLS handshake, on a listener without TLS.
    Tls,
    /// A TLS handshake failed or took too long.
    TlsHandshake,
    /// A request came that needs authentication before it.
    Unauthenticated,
    /// Too many clients had yet to authenticate, and this one had been there for longest.
    Crowded,
    /// The client took too long to authenticate.
    AuthenticationTimeout,
    /// Authentication failed.
    Authentication,
    /// The client did not authenticate anew in time.
    SessionExpired,
    /// The credential of the connection has expired.
    CredentialExpired,
    /// The credential of the connection was revoked, or allows other things now.
    Revoked,
    /// The cluster of the connection is suspended, or gone.
    ClusterNotActive,
    /// The cluster's clients may not come from there.
    AddressNotAllowed,
    /// The cluster, or the principal, has as many connections to this broker as it may.
    TooManyConnections,
    /// The request cannot be decoded, or asks for an API or version that is not served.
    Request,
    /// A produce request with acks=0 failed: closing is the only answer it can get.
    Unacknowledged,
    /// The broker is shutting down.
    Shutdown,
}
