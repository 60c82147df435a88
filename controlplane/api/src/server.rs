//! The listener: a bounded number of connections, a deadline for headers, and a stop that lets answers finish.
//!
//! Written over hyper rather than `axum::serve`, which has neither limit nor deadline: a few thousand connections
//! that send one byte a minute would hold its memory for ever.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use firn_runtime::Env;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::metrics;
use crate::routes::Api;

/// Connections at once; the next one waits in the kernel's queue.
const MAX_CONNECTIONS: usize = 512;

/// How long a client may take to send a request's headers, and how long a connection may be idle between two.
const HEADER_DEADLINE: Duration = Duration::from_secs(15);

/// The largest request head, in bytes.
const MAX_HEAD_BYTES: usize = 16 << 10;

/// A running HTTP server.
pub struct Server {
    address: SocketAddr,
    stop: CancellationToken,
    accepting: JoinHandle<()>,
    slots: Arc<Semaphore>,
}

impl Server {
    /// Answers requests on `listener` until [`Self::shutdown`].
    pub fn serve(listener: TcpListener, api: Api) -> std::io::Result<Self> {
        let address = listener.local_addr()?;
        let stop = CancellationToken::new();
        let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        let env = api.env.clone();
        let accept = Accept {
            listener,
            env: env.clone(),
            stop: stop.clone(),
            slots: Arc::clone(&slots),
            router: api.router(),
        };
        let accepting = env.tasks.spawn(Box::pin(accept.run()));
        Ok(Self {
            address,
            stop,
            accepting,
            slots,
        })
    }

    /// The address that it is bound to.
    pub fn local_address(&self) -> SocketAddr {
        self.address
    }

    /// Stops accepting, lets requests under way finish for at most `patience`, and closes the rest.
    pub async fn shutdown(self, patience: Duration) {
        self.stop.cancel();
        let all_slots = u32::try_from(MAX_CONNECTIONS).expect("512 fits");
        let drained = async {
            drop(self.accepting.await);
            drop(self.slots.acquire_many(all_slots).await);
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
    slots: Arc<Semaphore>,
    router: Router,
}

impl Accept {
    async fn run(self) {
        loop {
            let next = async {
                let slot = Arc::clone(&self.slots).acquire_owned().await;
                (
                    slot.expect("the semaphore is never closed"),
                    self.listener.accept().await,
                )
            };
            let (slot, accepted) = tokio::select! {
                biased;
                () = self.stop.cancelled() => return,
                accepted = next => accepted,
            };
            match accepted {
                Ok((stream, _)) => {
                    let connection = serve_connection(stream, self.router.clone(), self.stop.clone());
                    self.env.tasks.spawn(Box::pin(async move {
                        metrics::connections(1);
                        connection.await;
                        metrics::connections(-1);
                        drop(slot);
                    }));
                }
                Err(error) => {
                    // Out of file descriptors, most likely: others must close first.
                    tracing::warn!(%error, "an HTTP connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }
}

async fn serve_connection(stream: TcpStream, router: Router, stop: CancellationToken) {
    let service = TowerToHyperService::new(router);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_DEADLINE)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service);
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
