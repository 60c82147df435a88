//! TLS on the port that also speaks plaintext: the first byte of a connection tells.
//!
//! No Kafka frame begins with the byte of a TLS handshake: it would be larger than any limit allows. A connection is not
//! shut down with a `close_notify`: frames carry their lengths, so a client notices when one is cut short.
//!
//! The name that a client asks for decides whether it is asked for a certificate: by its form alone, so that a handshake does not tell
//! which names there are. Handshakes that ask are always whole: a session that was resumed would stand for a certificate that nobody has
//! looked at again.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, ring};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{Acceptor, ClientHello, NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use tokio::net::TcpStream;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

use super::inbound::TLS_HANDSHAKE;
use super::listener::Door;

/// Where the certificate comes from that TLS clients are shown.
pub trait Certificates: Send + Sync + 'static {
    /// The one in force, for the next handshake.
    fn current(&self) -> Arc<CertifiedKey>;
}

/// Decides which clients are asked for a certificate, and hears of those whose certificate was not taken.
pub(crate) trait ClientAuthentication: Send + Sync + 'static {
    /// What verifies the certificate of one client that asks for this name; `None`: it is not asked for one. All names of a form are
    /// answered alike, whatever there is of that name.
    fn verifier(&self, server_name: &str) -> Option<Arc<dyn ClientCertVerifier>>;

    /// A handshake with a client at this address has failed.
    fn failed(&self, connection: u64, address: IpAddr, error: &rustls::Error);
}

/// Shakes hands with TLS clients.
#[derive(Clone)]
pub(crate) struct Tls(Arc<Shared>);

struct Shared {
    provider: Arc<CryptoProvider>,
    shown: Arc<InForce>,
    /// For clients that are not asked for a certificate.
    unasked: Arc<ServerConfig>,
    clients: Option<Arc<dyn ClientAuthentication>>,
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

/// TLS 1.2 and 1.3 with the certificate in force.
fn config(
    provider: &Arc<CryptoProvider>,
    shown: &Arc<InForce>,
    verifier: Option<Arc<dyn ClientCertVerifier>>,
) -> ServerConfig {
    let builder = ServerConfig::builder_with_provider(Arc::clone(provider))
        .with_protocol_versions(&[&TLS12, &TLS13])
        .expect("ring has cipher suites of both versions");
    let builder = match verifier {
        Some(verifier) => builder.with_client_cert_verifier(verifier),
        None => builder.with_no_client_auth(),
    };
    builder.with_cert_resolver(Arc::clone(shown) as Arc<dyn ResolvesServerCert>)
}

impl Tls {
    /// With the certificate in force; a handshake may take so long.
    pub(crate) fn new(
        certificates: Arc<dyn Certificates>,
        patience: Duration,
        clients: Option<Arc<dyn ClientAuthentication>>,
    ) -> Self {
        let provider = Arc::new(ring::default_provider());
        let shown = Arc::new(InForce(certificates));
        let mut unasked = config(&provider, &shown, None);
        // Without tickets the sessions that rustls keeps in memory are resumed.
        if let Ok(ticketer) = ring::Ticketer::new() {
            unasked.ticketer = ticketer;
        }
        Self(Arc::new(Shared {
            provider,
            shown,
            unasked: Arc::new(unasked),
            clients,
            patience,
        }))
    }

    /// How to shake hands with a client that asks for this name.
    fn config(&self, hello: &ClientHello<'_>, door: Door) -> Arc<ServerConfig> {
        let clients = self.0.clients.as_ref().filter(|_| door == Door::Clients);
        let verifier = clients.and_then(|clients| {
            let name = hello.server_name()?.to_ascii_lowercase();
            clients.verifier(&name)
        });
        let Some(verifier) = verifier else {
            return Arc::clone(&self.0.unasked);
        };
        let mut config = config(&self.0.provider, &self.0.shown, Some(verifier));
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Arc::new(config)
    }

    /// Shakes hands.
    pub(crate) async fn accept(&self, stream: TcpStream, door: Door) -> io::Result<TlsStream<TcpStream>> {
        let handshake = async {
            let start = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
            let config = self.config(&start.client_hello(), door);
            start.into_stream(config).await
        };
        match tokio::time::timeout(self.0.patience, handshake).await {
            Ok(accepted) => accepted,
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    }

    /// Tells who asks for certificates of a handshake that failed.
    pub(crate) fn failed(&self, connection: u64, address: IpAddr, error: &io::Error) {
        let cause = error
            .get_ref()
            .and_then(|cause| cause.downcast_ref::<rustls::Error>());
        if let (Some(clients), Some(cause)) = (&self.0.clients, cause) {
            clients.failed(connection, address, cause);
        }
    }
}

/// Whether the client begins a TLS handshake; waits for its first byte, which stays unread.
pub(crate) async fn begins_handshake(stream: &TcpStream) -> io::Result<bool> {
    let mut first = [0];
    let read = stream.peek(&mut first).await?;
    Ok(read == 1 && first[0] == TLS_HANDSHAKE)
}
