//! The listener: a bounded number of connections, of each address too, deadlines for both directions, and a stop that lets
//! answers finish.
//!
//! It answers `/healthz` and `/readyz` from the first moment on, and everything else once [`Server::open`] was called.
//!
//! Written over hyper rather than `axum::serve`, which has neither limit nor deadline: a few thousand connections
//! that send one byte a minute, or take one, would hold its memory for ever.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use firn_runtime::Env;
use hyper::Request;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::metrics;
use crate::net::places::{Place, Places};
use crate::net::proxies::TrustedProxies;
use crate::net::steady::Steady;
use crate::operations::Operations;

/// Connections at once; the next one is closed. In the second half of them a connection ends with its answer.
const MAX_CONNECTIONS: u32 = 512;

/// Connections at once from one address. All clients of a trusted proxy come from its address, so it may have all of them.
const MAX_CONNECTIONS_PER_ADDRESS: usize = 64;

/// How long a client may take to send a request's headers, and how long a connection may be idle between two.
const HEADER_DEADLINE: Duration = Duration::from_secs(15);

/// How long a client may take nothing of what it is sent.
const WRITE_DEADLINE: Duration = Duration::from_secs(20);

/// The largest request head, in bytes.
const MAX_HEAD_BYTES: usize = 16 << 10;

/// What an answer says after which the connection ends (RFC 9112, 9.6).
const CLOSE: HeaderValue = HeaderValue::from_static("close");

/// A running HTTP server.
pub struct Server {
    address: SocketAddr,
    stop: CancellationToken,
    accepting: JoinHandle<()>,
    places: Arc<Places>,
    doors: Doors,
}

/// Which routes a request is answered by.
#[derive(Clone)]
struct Doors {
    starting: Router,
    open: Arc<OnceLock<Router>>,
}

impl Server {
    /// Answers what [`Operations`] serve on `listener` until [`Self::shutdown`], and all other requests with 503.
    pub fn serve(listener: TcpListener, operations: Operations) -> std::io::Result<Self> {
        let address = listener.local_addr()?;
        let stop = CancellationToken::new();
        let places = Arc::new(Places::new(MAX_CONNECTIONS as usize, MAX_CONNECTIONS_PER_ADDRESS));
        let (env, proxies) = (operations.env.clone(), operations.trusted_proxies.clone());
        let doors = Doors {
            starting: operations.starting(),
            open: Arc::default(),
        };
        let accept = Accept {
            listener,
            env: env.clone(),
            stop: stop.clone(),
            places: Arc::clone(&places),
            proxies,
            doors: doors.clone(),
        };
        let accepting = env.tasks.spawn(Box::pin(accept.run()));
        Ok(Self {
            address,
            stop,
            accepting,
            places,
            doors,
        })
    }

    /// From now on requests are answered by `router`. Once.
    pub fn open(&self, router: Router) {
        if self.doors.open.set(router).is_err() {
            tracing::error!("the HTTP server was opened twice; the first routes stay");
        }
    }

    /// The address that it is bound to.
    pub fn local_address(&self) -> SocketAddr {
        self.address
    }

    /// Stops accepting, lets requests under way finish for at most `patience`, and closes the rest.
    pub async fn shutdown(self, patience: Duration) {
        self.stop.cancel();
        let drained = async {
            drop(self.accepting.await);
            self.places.all_free(MAX_CONNECTIONS).await;
        };
        if tokio::time::timeout(patience, drained).await.is_err() {
            tracing::warn!("HTTP requests were still under way at the end of the process");
        }
    }
}

struct Accept {
    listener: TcpListener,
    env: Env,
    stop: CancellationToken,
    places: Arc<Places>,
    proxies: TrustedProxies,
    doors: Doors,
}

impl Accept {
    async fn run(self) {
        loop {
            let accepted = tokio::select! {
                biased;
                () = self.stop.cancelled() => return,
                accepted = self.listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => self.admit(stream, peer),
                Err(error) => {
                    // Out of file descriptors, most likely: others must close first.
                    tracing::warn!(%error, "an HTTP connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    /// Serves a connection, or closes it at once: one that waited would keep others from being looked at.
    fn admit(&self, stream: TcpStream, peer: SocketAddr) {
        let counted = Some(peer.ip()).filter(|address| !self.proxies.hold(*address));
        let Some(place) = self.places.take(counted) else {
            metrics::connection_refused();
            tracing::debug!(%peer, "an HTTP connection too many");
            return;
        };
        let connection = serve_connection(stream, peer, self.doors.clone(), place, self.stop.clone());
        self.env.tasks.spawn(Box::pin(async move {
            metrics::connections(1);
            connection.await;
            metrics::connections(-1);
        }));
    }
}

async fn serve_connection(
    stream: TcpStream,
    peer: SocketAddr,
    doors: Doors,
    place: Place,
    stop: CancellationToken,
) {
    let place = &place;
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        let router = doors.open.get().unwrap_or(&doors.starting);
        let answered = TowerToHyperService::new(router.clone()).call(request);
        async move {
            let mut response = answered.await?;
            if place.is_crowded() {
                response.headers_mut().insert(CONNECTION, CLOSE);
            }
            Ok::<_, Infallible>(response)
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_DEADLINE)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(Steady::new(stream, WRITE_DEADLINE)), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        biased;
        ended = &mut connection => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "an HTTP connection ended early");
    }
}
