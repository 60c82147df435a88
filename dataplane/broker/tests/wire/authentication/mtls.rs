//! Clients that log in with a certificate: whom a cluster lets in, why not, and until when.

mod chains;
mod connection_rate;
mod transcript;

use std::sync::Arc;

use firn_catalog::audit::chain::Line;
use firn_catalog::commands::{PutCaPool, RemoveCaPool};
use firn_catalog::entities::ClusterState;
use firn_catalog::ids::{ClusterId, FeedSequence};
use firn_catalog::trust::{CaPool, NameSource, PrincipalMapping};
use parking_lot::Mutex;
use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, SerialNumber, date_time_ymd,
};
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use self::chains::{Authority, Client, self_signed};
use super::people::{self, Scram};
use super::tls::{Swappable, certificate};
use super::{Caller, acls, owner, with};
use crate::support::client::PATIENCE;
use crate::support::{Bench, Setup};

const ONE: ClusterId = ClusterId(1);

/// A broker with two clusters, and the certificate that it shows.
struct World {
    bench: Bench,
    roots: RootCertStore,
}

impl World {
    async fn new() -> Self {
        let shown = certificate();
        let mut roots = RootCertStore::empty();
        roots.add(shown.cert[0].clone()).unwrap();
        let setup = Setup {
            certificates: Some(Arc::new(Swappable(Mutex::new(shown)))),
            ..Setup::default()
        };
        let bench = with(setup).await;
        for (id, slug) in [(1, "one"), (2, "two")] {
            people::cluster(&bench, id, slug, (1, ClusterState::Active), 100).await;
        }
        Self { bench, roots }
    }

    /// Puts a pool into a cluster, and waits until it is in force.
    async fn put(&self, command: PutCaPool) -> CaPool {
        let actor = owner(command.cluster);
        let put = self.bench.catalog.put_ca_pool(&actor, command).await.unwrap();
        self.in_force(put.sequence).await;
        put.value
    }

    async fn in_force(&self, sequence: Option<FeedSequence>) {
        let applied = self
            .bench
            .catalog
            .applied_everywhere(sequence.unwrap(), PATIENCE)
            .await;
        assert!(applied, "a change is not in force in time");
    }

    /// A connection that asks for this name and shows this certificate, if the handshake ends well. With TLS 1.3 a client learns of a
    /// refusal only when it reads.
    async fn try_connect(&self, name: &str, client: Option<&Client>) -> Option<Caller<TlsStream<TcpStream>>> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(self.roots.clone());
        let config = match client {
            Some(client) => builder
                .with_client_auth_cert(client.chain.clone(), client.key())
                .unwrap(),
            None => builder.with_no_client_auth(),
        };
        let stream = TcpStream::connect(self.bench.broker.local_address())
            .await
            .unwrap();
        let connector = TlsConnector::from(Arc::new(config));
        let stream = connector
            .connect(name.to_owned().try_into().unwrap(), stream)
            .await
            .ok()?;
        Some(Caller::over(stream))
    }

    async fn connect(&self, name: &str, client: Option<&Client>) -> Caller<TlsStream<TcpStream>> {
        self.try_connect(name, client)
            .await
            .expect("a handshake that ends well")
    }

    /// Whether it is somebody in the cluster of this name.
    async fn lets_in(&self, name: &str, client: &Client) -> bool {
        match self.try_connect(name, Some(client)).await {
            Some(mut caller) => caller.cluster().await.is_some(),
            None => false,
        }
    }

    /// Waits until a cluster's audit trail has this many rows of refusals for this reason.
    async fn refusals(&self, cluster: ClusterId, reason: &str, expected: u64) {
        let told = async {
            loop {
                let lines = self.bench.catalog.audit_lines(cluster, 0).await.unwrap();
                let details = lines.iter().map(detail);
                let of_reason = details.filter(|detail| detail["reason"] == reason);
                if of_reason
                    .filter_map(|detail| detail["count"].as_u64())
                    .sum::<u64>()
                    == expected
                {
                    return;
                }
                tokio::task::yield_now().await;
            }
        };
        let in_time = tokio::time::timeout(PATIENCE, told).await;
        in_time.unwrap_or_else(|_| panic!("no {expected} refusals because {reason}"));
    }
}

/// What a row of an audit trail says beside.
fn detail(line: &Line) -> Value {
    serde_json::from_str(line.detail.get()).unwrap()
}

/// A new pool of a cluster that takes common names.
fn pool(cluster: ClusterId, authorities: &[&Authority]) -> PutCaPool {
    PutCaPool {
        cluster,
        id: None,
        name: Some("pool".to_owned()),
        certificates: Some(authorities.iter().map(|authority| authority.pem()).collect()),
        revocation_lists: None,
        mapping: Some(PrincipalMapping {
            source: NameSource::Subject,
            rules: "RULE:^CN=([^,]+)$/$1/".to_owned(),
        }),
        expected: None,
        validate_only: false,
    }
}

/// A change of nothing.
fn change(pool: &CaPool) -> PutCaPool {
    PutCaPool {
        cluster: pool.cluster,
        id: Some(pool.id),
        name: None,
        certificates: None,
        revocation_lists: None,
        mapping: None,
        expected: None,
        validate_only: false,
    }
}

fn usual(_: &mut CertificateParams) {}

#[tokio::test]
async fn a_client_is_who_its_certificate_says_in_the_cluster_that_it_names() {
    let world = World::new().await;
    let authority = Authority::new("authority");
    world.put(pool(ONE, &[&authority])).await;
    let alice = authority.client("alice", usual);
    for name in ["one.cell.test", "one-b0.cell.test", "ONE.cell.test"] {
        let mut caller = world.connect(name, Some(&alice)).await;
        let kafka_id = world.bench.images.image().cluster(ONE).unwrap().kafka_id.clone();
        assert_eq!(caller.cluster().await, Some(kafka_id), "{name}");
    }
    for name in ["two.cell.test", "absent.cell.test"] {
        assert!(!world.lets_in(name, &alice).await, "{name}");
    }
    for name in ["localhost", "a.b.cell.test"] {
        let mut nobody = world.connect(name, Some(&alice)).await;
        nobody.assert_nobody().await;
    }
    let mut nobody = world.connect("one.cell.test", None).await;
    nobody.assert_nobody().await;
    world.bench.stop().await;
}

#[tokio::test]
async fn a_certificate_of_another_cluster_s_authority_is_as_unknown_as_any() {
    let world = World::new().await;
    let (own, other, unknown) = (
        Authority::new("own"),
        Authority::new("other"),
        Authority::new("unknown"),
    );
    world.put(pool(ONE, &[&own])).await;
    world.put(pool(ClusterId(2), &[&other])).await;
    for stranger in [&other, &unknown] {
        let client = stranger.client("alice", usual);
        assert!(!world.lets_in("one.cell.test", &client).await);
    }
    world
        .refusals(ONE, "no authority of the cluster issued the certificate", 2)
        .await;
    assert!(
        world
            .lets_in("two.cell.test", &other.client("alice", usual))
            .await
    );
    world.bench.stop().await;
}

#[tokio::test]
async fn every_bad_kind_of_certificate_is_refused_and_the_trail_says_why() {
    let world = World::new().await;
    let authority = Authority::new("authority");
    let narrow = authority.authority("narrow", |params| {
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    });
    let below = narrow.authority("below", usual);
    world.put(pool(ONE, &[&authority])).await;
    let mut long = below.client("alice", usual);
    long.chain.extend([narrow.der()]);
    let mut many = authority.client("alice", usual);
    many.chain.extend(vec![authority.der(); 5]);
    let rows = [
        (
            authority.client("a", |p| p.not_after = date_time_ymd(2021, 1, 1)),
            "the certificate has expired",
        ),
        (
            authority.client("a", |p| p.not_before = date_time_ymd(2089, 1, 1)),
            "the certificate is not valid yet",
        ),
        (
            authority.client("a", |p| {
                p.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
            }),
            "the certificate is not for clients",
        ),
        (self_signed("a"), "the certificate is self-signed"),
        (
            authority.client("ANONYMOUS", usual),
            "the name that the mapping gives is not one for a client",
        ),
        (
            authority.client("a", |p| p.distinguished_name = rcgen::DistinguishedName::new()),
            "no mapping rule gives the certificate a name",
        ),
    ];
    for (client, reason) in &rows {
        assert!(!world.lets_in("one.cell.test", client).await, "{reason}");
        world.refusals(ONE, reason, 1).await;
    }
    for client in [&long, &many] {
        assert!(!world.lets_in("one.cell.test", client).await);
    }
    world
        .refusals(ONE, "the chain of certificates is too long", 2)
        .await;
    world.bench.stop().await;
}

#[tokio::test]
async fn revoking_a_certificate_closes_its_live_connections_and_no_others() {
    let world = World::new().await;
    let authority = Authority::new("authority");
    let made = world.put(pool(ONE, &[&authority])).await;
    let numbered = |name, serial| {
        authority.client(name, move |params| {
            params.serial_number = Some(SerialNumber::from(serial));
        })
    };
    let (alice, bob) = (numbered("alice", 5_u64), numbered("bob", 6));
    let mut revoked = world.connect("one.cell.test", Some(&alice)).await;
    let mut stays = world.connect("one.cell.test", Some(&bob)).await;
    assert!(revoked.cluster().await.is_some() && stays.cluster().await.is_some());
    let revoking = PutCaPool {
        revocation_lists: Some(vec![authority.revoking(&[5])]),
        ..change(&made)
    };
    world.put(revoking).await;
    assert_eq!(revoked.cluster().await, None, "it is served after that");
    assert!(stays.cluster().await.is_some());
    assert!(!world.lets_in("one.cell.test", &alice).await);
    world.refusals(ONE, "the certificate is revoked", 1).await;
    world.bench.stop().await;
}

#[tokio::test]
async fn authorities_overlap_and_one_that_goes_takes_its_clients_with_it() {
    let world = World::new().await;
    let (old, new) = (Authority::new("authority"), Authority::new("authority"));
    let made = world.put(pool(ONE, &[&old])).await;
    let (of_old, of_new) = (old.client("alice", usual), new.client("alice", usual));
    let mut before = world.connect("one.cell.test", Some(&of_old)).await;
    assert!(before.cluster().await.is_some());
    let both = PutCaPool {
        certificates: Some(vec![old.pem(), new.pem()]),
        ..change(&made)
    };
    world.put(both).await;
    let mut after = world.connect("one.cell.test", Some(&of_new)).await;
    assert!(before.cluster().await.is_some() && after.cluster().await.is_some());
    let left = PutCaPool {
        certificates: Some(vec![new.pem()]),
        ..change(&made)
    };
    world.put(left).await;
    assert_eq!(before.cluster().await, None);
    assert!(after.cluster().await.is_some());
    assert!(!world.lets_in("one.cell.test", &of_old).await);
    let renamed = PutCaPool {
        mapping: Some(PrincipalMapping {
            source: NameSource::Subject,
            rules: "DEFAULT".to_owned(),
        }),
        ..change(&made)
    };
    world.put(renamed).await;
    assert_eq!(after.cluster().await, None, "it would be somebody else now");
    let mut last = world.connect("one.cell.test", Some(&of_new)).await;
    assert!(last.cluster().await.is_some());
    let command = RemoveCaPool {
        cluster: ONE,
        id: made.id,
        expected: None,
        validate_only: false,
    };
    let removed = world
        .bench
        .catalog
        .remove_ca_pool(&owner(ONE), command)
        .await
        .unwrap();
    world.in_force(removed.sequence).await;
    assert_eq!(last.cluster().await, None);
    world.bench.stop().await;
}

#[tokio::test]
async fn who_shows_a_certificate_is_bound() {
    let world = World::new().await;
    let authority = Authority::new("authority");
    world.put(pool(ONE, &[&authority])).await;
    acls::bind_writer(&world.bench, ONE, "User:alice").await;
    let alice = authority.client("alice", usual);
    let caller = world.connect("one.cell.test", Some(&alice)).await;
    acls::assert_are_bound(&world.bench, ONE, "User:alice", &mut [caller]).await;
    world.bench.stop().await;
}

#[tokio::test]
async fn a_suspended_cluster_closes_the_connections_of_certificates() {
    let world = World::new().await;
    let authority = Authority::new("authority");
    world.put(pool(ONE, &[&authority])).await;
    let alice = authority.client("alice", usual);
    let mut caller = world.connect("one.cell.test", Some(&alice)).await;
    assert!(caller.cluster().await.is_some());
    people::cluster(&world.bench, 1, "one", (2, ClusterState::Suspended), 100).await;
    let sequence = world.bench.images.image().sequence();
    world.in_force(Some(sequence)).await;
    assert_eq!(caller.cluster().await, None);
    assert!(!world.lets_in("one.cell.test", &alice).await);
    world.bench.stop().await;
}

#[tokio::test]
async fn a_certificate_takes_a_place_among_the_cluster_s_connections() {
    let world = World::new().await;
    let authority = Authority::new("authority");
    people::cluster(&world.bench, 1, "one", (2, ClusterState::Active), 1).await;
    world.put(pool(ONE, &[&authority])).await;
    let alice = authority.client("alice", usual);
    let mut caller = world.connect("one.cell.test", Some(&alice)).await;
    assert!(caller.cluster().await.is_some());
    assert!(!world.lets_in("one.cell.test", &alice).await);
    assert!(caller.cluster().await.is_some());
    world.bench.stop().await;
}

#[tokio::test]
async fn who_shows_a_certificate_and_then_a_password_is_whom_the_password_says() {
    let world = World::new().await;
    let authority = Authority::new("authority");
    let made = world.put(pool(ONE, &[&authority])).await;
    let person = people::scram(1, "bob", "password", false);
    people::put(&world.bench, &person.credential).await;
    let alice = authority.client("alice", usual);
    for client in [Some(&alice), None] {
        let mut caller = world.connect("one.cell.test", client).await;
        assert_eq!(caller.handshake(1, "SCRAM-SHA-512").await, 0);
        let mut exchange = Scram::begin(firn_secrets::scram::Mechanism::Sha512, "bob");
        let told = caller.token(exchange.first()).await;
        exchange.server_first = String::from_utf8(told.auth_bytes.to_vec()).unwrap();
        assert_eq!(caller.token(exchange.last("password")).await.error_code, 0);
        assert!(caller.cluster().await.is_some());
        if client.is_some() {
            // It no longer stands and falls with the certificate.
            let other = PutCaPool {
                certificates: Some(vec![authority.pem(), Authority::new("other").pem()]),
                mapping: Some(PrincipalMapping {
                    source: NameSource::Subject,
                    rules: "DEFAULT".to_owned(),
                }),
                ..change(&made)
            };
            world.put(other).await;
            assert!(caller.cluster().await.is_some());
        }
    }
    let mut nobody = world.connect("one.cell.test", Some(&alice)).await;
    assert_eq!(nobody.handshake(1, "SCRAM-SHA-512").await, 0);
    nobody.assert_nobody().await;
    world.bench.stop().await;
}

#[tokio::test]
async fn a_certificate_that_expires_soon_is_told_of_once_in_the_trail() {
    let world = World::new().await;
    let authority = Authority::new("authority");
    world.put(pool(ONE, &[&authority])).await;
    let now = firn_runtime::Env::system().now().0 / 1000;
    let end = date_time_ymd(1970, 1, 1) + std::time::Duration::from_secs(now.cast_unsigned() + 86_400);
    let client = authority.client("alice", move |params| params.not_after = end);
    for _ in 0..2 {
        assert!(world.lets_in("one.cell.test", &client).await);
    }
    let told = async {
        loop {
            let lines = world.bench.catalog.audit_lines(ONE, 0).await.unwrap();
            let soon: Vec<_> = lines
                .iter()
                .filter(|line| line.action == "certificate_expires_soon")
                .collect();
            if let [line] = soon[..] {
                let told = detail(line);
                assert_eq!(line.principal, "User:alice");
                assert_eq!(line.address.as_deref(), Some("127.0.0.1"));
                assert_eq!(line.credential.as_deref(), Some(&*line.resource));
                assert_eq!(
                    (told["subject"].as_str(), told["count"].as_u64()),
                    (Some("CN=alice"), Some(1))
                );
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, told).await.expect("it is told");
    world.bench.stop().await;
}
