//! Who clients are: SASL, TLS, sessions that end, and the users that Kafka's tools make.

mod acls;
mod audited;
mod connection_rate;
mod delegation;
mod exchanges;
mod mtls;
mod networks;
mod oauth;
mod people;
mod scram_users;
mod sessions;
mod slow;
mod tls;

use std::time::Duration;

use bytes::Bytes;
use firn_catalog::commands::Principal;
use kafka_protocol::messages::{
    ApiKey, ApiVersionsRequest, MetadataRequest, SaslAuthenticateRequest, SaslAuthenticateResponse,
    SaslHandshakeRequest,
};
use kafka_protocol::protocol::Request;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::client::{PATIENCE, frame, parse, text};
use crate::support::{Bench, Setup};

/// A broker whose clients must say who they are.
async fn named() -> Bench {
    with(Setup::default()).await
}

async fn with(setup: Setup) -> Bench {
    Bench::with(Setup { named: true, ..setup }).await
}

/// A client over any stream.
struct Caller<S> {
    stream: S,
    next: i32,
}

impl Caller<TcpStream> {
    async fn connect(bench: &Bench) -> Self {
        Self::over(TcpStream::connect(bench.broker.local_address()).await.unwrap())
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Caller<S> {
    fn over(stream: S) -> Self {
        Self { stream, next: 1 }
    }

    /// The next frame; `None` if the broker closes the connection.
    async fn frame(&mut self) -> Option<Bytes> {
        let read = async {
            let length = self.stream.read_i32().await.ok()?;
            let mut frame = vec![0; usize::try_from(length).unwrap()];
            self.stream.read_exact(&mut frame).await.ok()?;
            Some(Bytes::from(frame))
        };
        let read = tokio::time::timeout(PATIENCE, read);
        read.await.expect("an answer in time, or the end")
    }

    /// The answer to a request; `None` if the broker closes the connection instead.
    async fn try_call<R: Request>(&mut self, version: i16, request: &R) -> Option<R::Response> {
        let correlation = self.next;
        self.next += 1;
        let sent = frame(correlation, version, request);
        self.stream.write_all(&sent).await.ok()?;
        self.stream.flush().await.ok()?;
        Some(parse::<R>(self.frame().await?, version, correlation))
    }

    async fn call<R: Request>(&mut self, version: i16, request: &R) -> R::Response {
        self.try_call(version, request).await.expect("an answer")
    }

    async fn handshake(&mut self, version: i16, mechanism: &str) -> i16 {
        let request = SaslHandshakeRequest::default().with_mechanism(text(mechanism));
        self.call(version, &request).await.error_code
    }

    async fn token(&mut self, token: impl AsRef<[u8]>) -> SaslAuthenticateResponse {
        let token = Bytes::copy_from_slice(token.as_ref());
        let request = SaslAuthenticateRequest::default().with_auth_bytes(token);
        self.call(2, &request).await
    }

    /// Authenticates by an API key; the answer.
    async fn plain(&mut self, user: &str, key: &str) -> SaslAuthenticateResponse {
        assert_eq!(self.handshake(1, "PLAIN").await, 0);
        self.token(format!("\0{user}\0{key}")).await
    }

    /// The Kafka id of the cluster that it is in, if it is in any.
    async fn cluster(&mut self) -> Option<String> {
        let request = MetadataRequest::default().with_topics(Some(Vec::new()));
        let told = self.try_call(9, &request).await?;
        told.cluster_id.map(|id| id.to_string())
    }

    /// Whether the broker closes the connection without another byte.
    async fn is_closed(&mut self) -> bool {
        let mut byte = [0];
        let read = tokio::time::timeout(PATIENCE, self.stream.read(&mut byte)).await;
        matches!(read, Ok(Ok(0) | Err(_)))
    }

    async fn assert_nobody(&mut self) {
        assert_eq!(self.cluster().await, None, "it may ask although it is nobody");
    }
}

fn asking() -> ApiVersionsRequest {
    ApiVersionsRequest::default()
}

/// How long a connection may go on whose credential has ended. The aim is one second; the machine may be busy, and what does not end
/// it does not do so later either.
const SOON: Duration = Duration::from_secs(10);

/// The dev principal of a cluster, which may do everything there.
fn owner(cluster: firn_catalog::ids::ClusterId) -> firn_catalog::commands::Actor {
    firn_catalog::commands::Actor::process(Principal::Dev { cluster }, "test")
}

#[tokio::test]
async fn only_three_apis_are_served_to_nobody() {
    let bench = named().await;
    for key in 0..=92_i16 {
        let open = [
            ApiKey::SaslHandshake,
            ApiKey::ApiVersions,
            ApiKey::SaslAuthenticate,
        ];
        if open.iter().any(|api| *api as i16 == key) {
            continue;
        }
        let mut caller = Caller::connect(&bench).await;
        let mut sent = frame(1, 0, &asking());
        sent[4..6].copy_from_slice(&key.to_be_bytes());
        caller.stream.write_all(&sent).await.unwrap();
        assert!(caller.is_closed().await, "{key} is answered");
    }
    let mut caller = Caller::connect(&bench).await;
    assert_eq!(caller.call(0, &asking()).await.error_code, 0);
    assert_eq!(caller.handshake(1, "PLAIN").await, 0);
    assert_eq!(caller.call(0, &asking()).await.error_code, 0);
    caller.assert_nobody().await;
    bench.stop().await;
}

#[tokio::test]
async fn large_frames_and_long_silence_close_before_authentication() {
    let limits = firn_broker::Limits {
        authentication: Duration::from_millis(300),
        ..firn_broker::Limits::default()
    };
    let bench = with(Setup {
        limits,
        ..Setup::default()
    })
    .await;
    let mut large = Caller::connect(&bench).await;
    large.stream.write_all(&(65_537_i32).to_be_bytes()).await.unwrap();
    assert!(large.is_closed().await);
    let mut silent = Caller::connect(&bench).await;
    let mut busy = Caller::connect(&bench).await;
    let asks = async { while busy.try_call(0, &asking()).await.is_some() {} };
    tokio::time::timeout(PATIENCE, asks)
        .await
        .expect("asking on does not help");
    assert!(silent.is_closed().await);
    bench.connections(0).await;
    bench.stop().await;
}

#[tokio::test]
async fn silent_clients_take_no_places_of_others() {
    let limits = firn_broker::Limits {
        connections: 8,
        connections_per_ip: 8,
        ..firn_broker::Limits::default()
    };
    let bench = with(Setup {
        limits,
        internal: true,
        ..Setup::default()
    })
    .await;
    people::cluster(
        &bench,
        1,
        "one",
        (1, firn_catalog::entities::ClusterState::Active),
        100,
    )
    .await;
    let person = people::key(1, "sa_one", None);
    people::put(&bench, &person.credential).await;
    let mut known = Vec::new();
    for _ in 0..5 {
        let mut silent = Caller::connect(&bench).await;
        let mut caller = Caller::connect(&bench).await;
        assert_eq!(caller.plain(&person.username, &person.secret).await.error_code, 0);
        known.push(caller);
        let mut others = [Caller::connect(&bench).await, Caller::connect(&bench).await];
        assert!(silent.is_closed().await, "the oldest one goes");
        bench.connections(known.len() + 2).await;
        for other in &mut others {
            assert_eq!(other.call(0, &asking()).await.error_code, 0);
        }
        drop(others);
        bench.connections(known.len()).await;
    }
    for _ in 0..3 {
        let mut caller = Caller::connect(&bench).await;
        assert_eq!(caller.plain(&person.username, &person.secret).await.error_code, 0);
        known.push(caller);
    }
    let mut refused = Caller::connect(&bench).await;
    assert!(refused.is_closed().await, "all places are taken");
    let internal = bench.broker.internal_address().unwrap();
    let mut internal = Caller::over(TcpStream::connect(internal).await.unwrap());
    assert_eq!(
        internal.call(0, &asking()).await.error_code,
        0,
        "which has its own"
    );
    for caller in &mut known {
        assert!(caller.cluster().await.is_some());
    }
    bench.stop().await;
}
