//! TLS on the port that also speaks plaintext: the first byte of a connection tells.
//!
//! No Kafka frame begins with the byte of a TLS handshake: it would be larger than any limit allows. A connection is not
//! shut down with a `close_notify`: frames carry their lengths, so a client notices when one is cut short.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::inbound::TLS_HANDSHAKE;

/// Where the certificate comes from that TLS clients are shown.
pub trait Certificates: Send + Sync + 'static {
    /// The one in force, for the next handshake.
    fn current(&self) -> Arc<CertifiedKey>;
}

/// Shakes hands with TLS clients.
#[derive(Clone)]
pub(crate) struct Tls {
    acceptor: TlsAcceptor,
    patience: Duration,
}

struct InForce(Arc<dyn Certificates>);

impl fmt::Debug for InForce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InForce(..)")
    }
}

impl ResolvesServerCert for InForce {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.current())
    }
}

impl Tls {
    /// TLS 1.2 and 1.3 with the certificate in force; a handshake may take so long.
    pub(crate) fn new(certificates: Arc<dyn Certificates>, patience: Duration) -> Self {
        let provider = Arc::new(ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS12, &TLS13])
            .expect("ring has cipher suites of both versions")
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(InForce(certificates)));
        // Without tickets the sessions that rustls keeps in memory are resumed.
        if let Ok(ticketer) = ring::Ticketer::new() {
            config.ticketer = ticketer;
        }
        Self {
            acceptor: Arc::new(config).into(),
            patience,
        }
    }

    /// Shakes hands.
    pub(crate) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        match tokio::time::timeout(self.patience, self.acceptor.accept(stream)).await {
            Ok(accepted) => accepted,
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    }
}

/// Whether the client begins a TLS handshake; waits for its first byte, which stays unread.
pub(crate) async fn begins_handshake(stream: &TcpStream) -> io::Result<bool> {
    let mut first = [0];
    let read = stream.peek(&mut first).await?;
    Ok(read == 1 && first[0] == TLS_HANDSHAKE)
}
