//! TLS on the port that also speaks plaintext, and names in it.

use std::sync::Arc;

use firn_broker::Certificates;
use firn_catalog::entities::ClusterState;
use firn_secrets::scram::Mechanism;
use kafka_protocol::messages::{DescribeClusterRequest, MetadataRequest};
use parking_lot::Mutex;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::people::{self, Scram};
use super::{Caller, with};
use crate::support::client::PATIENCE;
use crate::support::{Bench, Setup};

const ACTIVE: (i64, ClusterState) = (1, ClusterState::Active);

pub(super) struct Swappable(pub(super) Mutex<Arc<CertifiedKey>>);

impl Certificates for Swappable {
    fn current(&self) -> Arc<CertifiedKey> {
        self.0.lock().clone()
    }
}

pub(super) fn certificate() -> Arc<CertifiedKey> {
    let names = ["*.cell.test", "a.b.cell.test", "localhost", "elsewhere.test"].map(str::to_owned);
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let key = rustls::crypto::ring::sign::any_supported_type(&key).unwrap();
    Arc::new(CertifiedKey::new(vec![made.cert.der().clone()], key))
}

async fn bench() -> (Bench, Arc<Swappable>) {
    let certificates = Arc::new(Swappable(Mutex::new(certificate())));
    let bench = with(Setup {
        certificates: Some(certificates.clone()),
        ..Setup::default()
    })
    .await;
    people::cluster(&bench, 1, "one", ACTIVE, 100).await;
    people::cluster(&bench, 2, "two", ACTIVE, 100).await;
    (bench, certificates)
}

async fn connect(
    bench: &Bench,
    trusted: &CertificateDer<'static>,
    name: &str,
    version: &'static SupportedProtocolVersion,
) -> std::io::Result<Caller<TlsStream<TcpStream>>> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(bench.broker.local_address()).await?;
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let connector = TlsConnector::from(Arc::new(config));
    Ok(Caller::over(connector.connect(name, stream).await?))
}

pub(super) async fn over_tls(
    bench: &Bench,
    certificates: &Swappable,
    name: &str,
) -> Caller<TlsStream<TcpStream>> {
    let trusted = certificates.current().cert[0].clone();
    connect(bench, &trusted, name, &rustls::version::TLS13)
        .await
        .unwrap()
}

#[tokio::test]
async fn both_versions_of_tls_and_plaintext_share_the_port() {
    let (bench, certificates) = bench().await;
    let person = people::key(1, "sa_one", None);
    people::put(&bench, &person.credential).await;
    let trusted = certificates.current().cert[0].clone();
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let mut caller = connect(&bench, &trusted, "localhost", version).await.unwrap();
        assert_eq!(caller.plain(&person.username, &person.secret).await.error_code, 0);
        assert!(caller.cluster().await.is_some());
    }
    let mut caller = Caller::connect(&bench).await;
    assert_eq!(caller.plain(&person.username, &person.secret).await.error_code, 0);
    bench.stop().await;
}

#[tokio::test]
async fn what_only_begins_like_tls_is_closed() {
    let (bench, _) = bench().await;
    for start in [
        &[0x16, 3, 1, 0, 2, 1, 0][..],
        &[0x16; 600],
        &[0x16, 3, 3, 0xff, 0xff],
    ] {
        let mut stream = TcpStream::connect(bench.broker.local_address()).await.unwrap();
        stream.write_all(start).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = Vec::new();
        let read = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut answer);
        tokio::time::timeout(PATIENCE, read).await.unwrap().ok();
    }
    bench.connections(0).await;
    bench.stop().await;
}

#[tokio::test]
async fn a_handshake_that_does_not_go_on_is_closed() {
    let limits = firn_broker::Limits {
        handshake: std::time::Duration::from_millis(200),
        ..firn_broker::Limits::default()
    };
    let bench = with(Setup {
        limits,
        certificates: Some(Arc::new(Swappable(Mutex::new(certificate())))),
        ..Setup::default()
    })
    .await;
    let mut caller = Caller::connect(&bench).await;
    caller.stream.write_all(&[0x16]).await.unwrap();
    assert!(caller.is_closed().await);
    bench.connections(0).await;
    bench.stop().await;
}

#[tokio::test]
async fn the_next_handshake_shows_the_certificate_in_force() {
    let (bench, certificates) = bench().await;
    let mut before = over_tls(&bench, &certificates, "localhost").await;
    let old = certificates.current().cert[0].clone();
    *certificates.0.lock() = certificate();
    let version = &rustls::version::TLS13;
    assert!(connect(&bench, &old, "localhost", version).await.is_err());
    over_tls(&bench, &certificates, "localhost").await;
    assert_eq!(before.call(0, &super::asking()).await.error_code, 0, "it goes on");
    bench.stop().await;
}

#[tokio::test]
async fn a_server_name_and_a_credential_that_disagree_are_refused() {
    let (bench, certificates) = bench().await;
    let person = people::key(1, "sa_one", None);
    people::put(&bench, &person.credential).await;
    for (name, right) in [
        ("one.cell.test", true),
        ("one-b0.cell.test", true),
        ("elsewhere.test", true),
        ("two.cell.test", false),
        ("absent.cell.test", false),
    ] {
        let mut caller = over_tls(&bench, &certificates, name).await;
        let told = caller.plain(&person.username, &person.secret).await;
        assert_eq!(told.error_code == 0, right, "{name}");
    }
    bench.stop().await;
}

#[tokio::test]
async fn a_chosen_name_means_somebody_where_its_cluster_is_named() {
    let (bench, certificates) = bench().await;
    let person = people::scram(1, "alice", "password", false);
    people::put(&bench, &person.credential).await;
    for (name, right) in [
        ("one.cell.test", true),
        ("two.cell.test", false),
        ("absent.cell.test", false),
        ("localhost", false),
    ] {
        let mut caller = over_tls(&bench, &certificates, name).await;
        assert_eq!(caller.handshake(1, "SCRAM-SHA-512").await, 0);
        let mut exchange = Scram::begin(Mechanism::Sha512, "alice");
        let told = caller.token(exchange.first()).await;
        exchange.server_first = String::from_utf8(told.auth_bytes.to_vec()).unwrap();
        let told = caller.token(exchange.last("password")).await;
        assert_eq!(told.error_code == 0, right, "{name}");
    }
    bench.stop().await;
}

#[tokio::test]
async fn who_names_the_cluster_is_told_its_names() {
    let (bench, certificates) = bench().await;
    let person = people::key(1, "sa_one", None);
    people::put(&bench, &person.credential).await;
    for (name, expected) in [("one.cell.test", "one-b0.cell.test"), ("localhost", "127.0.0.1")] {
        let mut caller = over_tls(&bench, &certificates, name).await;
        assert_eq!(caller.plain(&person.username, &person.secret).await.error_code, 0);
        let request = MetadataRequest::default().with_topics(Some(Vec::new()));
        let told = caller.call(9, &request).await;
        let port = i32::from(bench.broker.local_address().port());
        assert_eq!((&*told.brokers[0].host, told.brokers[0].port), (expected, port));
        let told = caller.call(0, &DescribeClusterRequest::default()).await;
        assert_eq!(&*told.brokers[0].host, expected);
    }
    bench.stop().await;
}

/// What a client that asks for this user is told, and whether its proof of the password is taken.
async fn prove(caller: &mut Caller<TlsStream<TcpStream>>, user: &str) -> (String, bool) {
    assert_eq!(caller.handshake(1, "SCRAM-SHA-256").await, 0);
    let mut exchange = Scram::begin(Mechanism::Sha256, user);
    let told = caller.token(exchange.first()).await;
    exchange.server_first = String::from_utf8(told.auth_bytes.to_vec()).unwrap();
    let told = caller.token(exchange.last("password")).await;
    (exchange.salt().to_owned(), told.error_code == 0)
}

#[tokio::test]
async fn where_a_generated_user_is_cannot_be_told_by_its_salt() {
    let (bench, certificates) = bench().await;
    let there = format!("usr_{}", "a".repeat(26));
    let absent = format!("usr_{}", "b".repeat(26));
    let person = people::scram(1, &there, "password", true);
    people::put(&bench, &person.credential).await;
    let mut salts = std::collections::BTreeSet::new();
    for (name, right) in [
        ("one.cell.test", true),
        ("localhost", true),
        ("two.cell.test", false),
        ("absent.cell.test", false),
    ] {
        for user in [&there, &absent] {
            let mut caller = over_tls(&bench, &certificates, name).await;
            let (salt, proven) = prove(&mut caller, user).await;
            assert_eq!(proven, right && user == &there, "{user} at {name}");
            assert_eq!(salt.len(), 32, "24 bytes");
            salts.insert((user.clone(), salt));
        }
    }
    assert_eq!(salts.len(), 2, "each has one, whatever the server's name");
    bench.stop().await;
}

#[tokio::test]
async fn who_came_by_a_mechanism_that_is_removed_is_closed_when_that_is_in_force() {
    let (bench, certificates) = bench().await;
    let person = people::scram(1, "alice", "password", false);
    people::put(&bench, &person.credential).await;
    let mut caller = over_tls(&bench, &certificates, "one.cell.test").await;
    assert!(prove(&mut caller, "alice").await.1);
    assert!(caller.cluster().await.is_some());
    let mut left = person.credential.clone();
    if let firn_catalog::credential::Proof::Scram { sha256, .. } = &mut left.proof {
        *sha256 = None;
    }
    people::put(&bench, &left).await;
    let sequence = bench.images.image().sequence();
    assert!(bench.catalog.applied_everywhere(sequence, PATIENCE).await);
    assert_eq!(caller.cluster().await, None);
    bench.stop().await;
}

#[tokio::test]
async fn a_handshake_that_does_not_go_on_delays_no_shutdown() {
    let (bench, _) = bench().await;
    let mut caller = Caller::connect(&bench).await;
    caller.stream.write_all(&[0x16]).await.unwrap();
    bench.connections(1).await;
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    let since = tokio::time::Instant::now();
    bench.stop().await;
    assert!(
        since.elapsed() < firn_broker::Limits::default().grace,
        "{:?}",
        since.elapsed()
    );
    assert!(caller.is_closed().await);
}
