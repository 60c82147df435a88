//! OAUTHBEARER: tokens of a cluster's identity providers, and Firn's own.

mod attacks;
mod own;
mod providers;
mod sessions;

#[path = "../../../../../tests/support/identity_provider.rs"]
#[allow(dead_code, reason = "the tests of the binary use other parts of it")]
#[allow(clippy::disallowed_methods, reason = "it serves on threads of its own")]
mod identity_provider;

use std::sync::Arc;
use std::time::Duration;

use firn_broker::{Limits, TokenSettings};
use firn_catalog::commands::{PutIdentityProvider, RemoveIdentityProvider};
use firn_catalog::entities::ClusterState;
use firn_catalog::ids::ClusterId;
use firn_catalog::trust::{IdentityProvider as Trusted, IdentityProviderBody};
use firn_outbound::Reach;
use kafka_protocol::messages::SaslAuthenticateResponse;
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use self::identity_provider::{AUDIENCE, IdentityProvider};
use super::tls::{Swappable, certificate, over_tls};
use super::{Caller, owner, people, with};
use crate::support::{Bench, Setup};

const ACTIVE: (i64, ClusterState) = (1, ClusterState::Active);
/// What a client is told whose token is refused.
const REFUSED: &str = r#"{"status":"invalid_token"}"#;

/// A broker with two clusters, `one` and `two`, and a provider that `one` trusts.
struct World {
    bench: Bench,
    certificates: Arc<Swappable>,
    provider: IdentityProvider,
    trusted: Trusted,
}

impl World {
    async fn new() -> Self {
        Self::asking_every(Duration::from_secs(30)).await
    }

    /// A broker that asks a provider once in so long.
    async fn asking_every(interval: Duration) -> Self {
        Self::with(interval, Limits::default(), "0").await
    }

    async fn with(interval: Duration, limits: Limits, reauthentication_ms: &'static str) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let certificates = Arc::new(Swappable(Mutex::new(certificate())));
        let reach = Reach {
            loopback: true,
            networks: Vec::new(),
        };
        let bench = with(Setup {
            certificates: Some(certificates.clone()),
            tokens: TokenSettings { reach, interval },
            limits,
            kafka: vec![
                ("connection.failed.authentication.delay.ms", "1"),
                ("connections.max.reauth.ms", reauthentication_ms),
            ],
            ..Setup::default()
        })
        .await;
        people::cluster(&bench, 1, "one", ACTIVE, 100).await;
        people::cluster(&bench, 2, "two", ACTIVE, 100).await;
        let provider = IdentityProvider::start();
        let trusted = trust(&bench, 1, &provider).await;
        Self {
            bench,
            certificates,
            provider,
            trusted,
        }
    }

    /// A connection under a name.
    async fn connect(&self, name: &str) -> Caller<TlsStream<TcpStream>> {
        over_tls(&self.bench, &self.certificates, name).await
    }

    /// Whether cluster `one` takes a token.
    async fn takes(&self, token: &str) -> bool {
        self.takes_at("one.cell.test", token).await
    }

    /// Whether a token is taken on a connection under this name. One that is refused has the answers that Kafka has for it.
    async fn takes_at(&self, name: &str, token: &str) -> bool {
        let mut caller = self.connect(name).await;
        let told = caller.bearer(token).await;
        assert_eq!(told.error_code, 0);
        if told.auth_bytes.is_empty() {
            assert!(told.session_lifetime_ms > 0, "a token has an end");
            return true;
        }
        assert_eq!(told.auth_bytes, REFUSED);
        let ended = caller.token([1]).await;
        assert_eq!(
            (ended.error_code, ended.error_message.as_deref()),
            (58, Some(REFUSED))
        );
        assert!(caller.is_closed().await);
        false
    }

    /// Changes what cluster `one` expects of its provider.
    async fn change(&mut self, change: impl FnOnce(&mut IdentityProviderBody)) {
        change(&mut self.trusted.body);
        let (id, body) = (Some(self.trusted.id), self.trusted.body.clone());
        self.trusted = put(&self.bench, 1, id, body).await;
    }

    /// Makes cluster `one` trust its provider no longer.
    async fn remove(&self) {
        let command = RemoveIdentityProvider {
            cluster: ClusterId(1),
            id: self.trusted.id,
            expected: None,
            validate_only: false,
        };
        let catalog = &self.bench.catalog;
        let removed = catalog
            .remove_identity_provider(&owner(ClusterId(1)), command)
            .await;
        self.bench
            .images
            .wait_for(removed.unwrap().sequence.unwrap())
            .await;
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Caller<S> {
    /// Shows a token; the answer.
    async fn bearer(&mut self, token: &str) -> SaslAuthenticateResponse {
        assert_eq!(self.handshake(1, "OAUTHBEARER").await, 0);
        self.token(format!(
            "n,,\u{1}auth=Bearer {token}\u{1}logicalCluster=x\u{1}\u{1}"
        ))
        .await
    }
}

/// Makes a cluster trust a provider.
async fn trust(bench: &Bench, cluster: u128, provider: &IdentityProvider) -> Trusted {
    let body = IdentityProviderBody {
        issuer: provider.issuer().to_owned(),
        jwks_url: None,
        audiences: vec!["elsewhere".to_owned(), AUDIENCE.to_owned()],
        principal_claim: "sub".to_owned(),
        mapping_rules: "DEFAULT".to_owned(),
        clock_skew_seconds: 0,
    };
    put(bench, cluster, None, body).await
}

async fn put(
    bench: &Bench,
    cluster: u128,
    id: Option<firn_catalog::ids::IdentityProviderId>,
    body: IdentityProviderBody,
) -> Trusted {
    let command = PutIdentityProvider {
        cluster: ClusterId(cluster),
        id,
        name: body.issuer.clone(),
        body,
        expected: None,
        validate_only: false,
    };
    let put = bench
        .catalog
        .put_identity_provider(&owner(ClusterId(cluster)), command)
        .await
        .unwrap();
    if let Some(sequence) = put.sequence {
        bench.images.wait_for(sequence).await;
    }
    put.value
}
