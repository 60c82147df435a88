//! What a client sees of a handshake: the same under every name of the cell, whatever there is of that name.

use std::io::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use rustls::client::{
    ClientSessionMemoryCache, ClientSessionStore, ResolvesClientCert, Resumption, Tls12ClientSessionValue,
    Tls13ClientSessionValue,
};
use rustls::pki_types::ServerName;
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, NamedGroup, SignatureScheme, SupportedProtocolVersion};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

/// ApiVersions 0 of a client without a name.
const ASKING: [u8; 14] = [0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff];

/// What a client is asked when it is asked for a certificate: which authorities' it may be, and how it may sign.
type Asked = (Vec<Vec<u8>>, Vec<SignatureScheme>);

/// What a client sees of one connection.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    asked: Vec<Asked>,
    /// How many sessions it was given to resume.
    sessions: usize,
    /// Whether it resumed one, where the handshake ended.
    handshake: Option<String>,
    /// What came after it, or ended it.
    then: String,
}

/// Notes what a client sees.
#[derive(Debug)]
struct Watching {
    shown: Option<Arc<CertifiedKey>>,
    asked: Mutex<Vec<Asked>>,
    sessions: AtomicUsize,
    kept: ClientSessionMemoryCache,
}

impl ResolvesClientCert for Watching {
    fn resolve(&self, authorities: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let authorities = authorities.iter().map(|name| name.to_vec()).collect();
        self.asked.lock().push((authorities, schemes.to_vec()));
        self.shown.clone()
    }

    fn has_certs(&self) -> bool {
        true
    }
}

impl ClientSessionStore for Watching {
    fn set_kx_hint(&self, name: ServerName<'static>, group: NamedGroup) {
        self.kept.set_kx_hint(name, group);
    }

    fn kx_hint(&self, name: &ServerName<'_>) -> Option<NamedGroup> {
        self.kept.kx_hint(name)
    }

    fn set_tls12_session(&self, name: ServerName<'static>, session: Tls12ClientSessionValue) {
        self.sessions.fetch_add(1, Ordering::Relaxed);
        self.kept.set_tls12_session(name, session);
    }

    fn tls12_session(&self, name: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        self.kept.tls12_session(name)
    }

    fn remove_tls12_session(&self, name: &ServerName<'static>) {
        self.kept.remove_tls12_session(name);
    }

    fn insert_tls13_ticket(&self, name: ServerName<'static>, ticket: Tls13ClientSessionValue) {
        self.sessions.fetch_add(1, Ordering::Relaxed);
        self.kept.insert_tls13_ticket(name, ticket);
    }

    fn take_tls13_ticket(&self, name: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        self.kept.take_tls13_ticket(name)
    }
}

/// A client that comes more than once, with the certificate of the first and the key of the second.
struct Visitor {
    watching: Arc<Watching>,
    config: Arc<ClientConfig>,
}

impl Visitor {
    fn new(
        world: &World,
        version: &'static SupportedProtocolVersion,
        shown: Option<(&Client, &Client)>,
    ) -> Self {
        let shown = shown.map(|(certificate, key)| {
            let key = rustls::crypto::ring::sign::any_supported_type(&key.key()).unwrap();
            Arc::new(CertifiedKey::new(certificate.chain.clone(), key))
        });
        let watching = Arc::new(Watching {
            shown,
            asked: Mutex::default(),
            sessions: AtomicUsize::new(0),
            kept: ClientSessionMemoryCache::new(8),
        });
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(world.roots.clone())
            .with_client_cert_resolver(watching.clone());
        config.resumption = Resumption::store(watching.clone());
        Self {
            watching,
            config: Arc::new(config),
        }
    }

    async fn visit(&self, world: &World, name: &str) -> Seen {
        self.watching.asked.lock().clear();
        self.watching.sessions.store(0, Ordering::Relaxed);
        let stream = TcpStream::connect(world.bench.broker.local_address())
            .await
            .unwrap();
        let connector = TlsConnector::from(Arc::clone(&self.config));
        let shaken = connector.connect(name.to_owned().try_into().unwrap(), stream);
        let shaken = tokio::time::timeout(PATIENCE, shaken).await.unwrap();
        let (handshake, then) = match shaken {
            Ok(mut stream) => {
                let kind = stream.get_ref().1.handshake_kind();
                let then = self.after(&mut stream).await;
                (kind.map(|kind| format!("{kind:?}")), then)
            }
            Err(error) => (None, refusal(&error)),
        };
        Seen {
            asked: std::mem::take(&mut self.watching.asked.lock()),
            sessions: self.watching.sessions.load(Ordering::Relaxed),
            handshake,
            then,
        }
    }

    /// What comes after the handshake. With TLS 1.3 that may be the refusal of what was shown, which is waited for in silence: what is
    /// sent to a connection that is closed could take it away.
    async fn after(&self, stream: &mut TlsStream<TcpStream>) -> String {
        if self.watching.shown.is_none() || self.watching.asked.lock().is_empty() {
            stream.write_all(&ASKING).await.unwrap();
        }
        let read = tokio::time::timeout(PATIENCE, stream.read_i32()).await;
        match read.expect("an answer or a refusal in time") {
            Ok(_) => "served".to_owned(),
            Err(error) => refusal(&error),
        }
    }
}

fn refusal(error: &Error) -> String {
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref());
    let cause: &rustls::Error = cause.unwrap_or_else(|| panic!("not ended by TLS: {error}"));
    format!("{cause:?}")
}

#[tokio::test]
async fn a_handshake_does_not_tell_whether_there_is_a_cluster_or_whom_it_trusts() {
    let world = World::new().await;
    let three = ClusterId(3);
    people::cluster(&world.bench, 3, "three", (1, ClusterState::Active), 100).await;
    let authority = Authority::new("authority");
    world.put(pool(ONE, &[&authority])).await;
    world.put(pool(three, &[&authority])).await;
    people::cluster(&world.bench, 3, "three", (2, ClusterState::Suspended), 100).await;
    let sequence = world.bench.images.image().sequence();
    world.in_force(Some(sequence)).await;

    let (alice, stranger) = (
        authority.client("alice", usual),
        Authority::new("authority").client("alice", usual),
    );
    let expired = authority.client("alice", |params| params.not_after = date_time_ymd(2021, 1, 1));
    let alone = self_signed("alice");
    let refused = "AlertReceived(CertificateUnknown)";
    let shown = [
        ("nothing", None, "served"),
        ("of another authority", Some((&stranger, &stranger)), refused),
        ("expired", Some((&expired, &expired)), refused),
        ("self-signed", Some((&alone, &alone)), refused),
        ("without its key", Some((&alice, &stranger)), refused),
    ];
    for version in [&TLS12, &TLS13] {
        for (what, shown, then) in shown {
            let visitor = Visitor::new(&world, version, shown);
            let mut first: Option<Seen> = None;
            for name in [
                "one.cell.test",
                "two.cell.test",
                "three.cell.test",
                "absent.cell.test",
                "one-b0.cell.test",
                "absent-b0.cell.test",
                "one.cell.test",
            ] {
                let seen = visitor.visit(&world, name).await;
                assert_eq!(seen.asked.len(), 1, "{name}, {what}");
                assert!(
                    seen.asked[0].0.is_empty(),
                    "{name}, {what}: authorities are named"
                );
                assert_eq!((seen.sessions, &*seen.then), (0, then), "{name}, {what}");
                assert_ne!(seen.handshake.as_deref(), Some("Resumed"), "{name}, {what}");
                match &first {
                    Some(first) => assert_eq!(first, &seen, "{name}, {what}"),
                    None => first = Some(seen),
                }
            }
        }
    }
    world
        .refusals(
            ONE,
            "the client did not prove that it has the certificate's key",
            6,
        )
        .await;
    world.bench.stop().await;
}

#[tokio::test]
async fn who_names_no_cluster_is_not_asked_and_may_resume() {
    let world = World::new().await;
    let authority = Authority::new("authority");
    world.put(pool(ONE, &[&authority])).await;
    let alice = authority.client("alice", usual);
    for version in [&TLS12, &TLS13] {
        for name in ["localhost", "elsewhere.test", "a.b.cell.test"] {
            let visitor = Visitor::new(&world, version, Some((&alice, &alice)));
            for handshake in ["Full", "Resumed"] {
                let seen = visitor.visit(&world, name).await;
                assert!(seen.asked.is_empty(), "{name}");
                assert_eq!(seen.handshake.as_deref(), Some(handshake), "{name}, {version:?}");
                assert_eq!(seen.then, "served", "{name}");
            }
        }
    }
    world.bench.stop().await;
}
