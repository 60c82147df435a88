//! The client against a listener that answers as a broker would.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::{BufMut, Bytes, BytesMut};
use firn_catalog::access::{Role, RoleSet};
use firn_catalog::ids::ClusterId;
use firn_runtime::Env;
use firn_secrets::delegation::{Delegation, MECHANISM};
use firn_secrets::{MasterKey, Secrets};
use kafka_protocol::messages::list_offsets_response::{
    ListOffsetsPartitionResponse, ListOffsetsTopicResponse,
};
use kafka_protocol::messages::{
    ApiKey, ListOffsetsRequest, ListOffsetsResponse, RequestHeader, ResponseHeader, SaslAuthenticateRequest,
    SaslAuthenticateResponse, SaslHandshakeRequest, SaslHandshakeResponse,
};
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;

/// What a broker does with connections.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    Usual,
    /// It closes each connection after one answer.
    Brief,
    /// It answers with another request's correlation id.
    Confused,
    /// It announces an answer of 2 GiB.
    Endless,
}

struct Broker {
    address: Address,
    connections: Arc<AtomicUsize>,
}

fn secrets() -> Secrets {
    Secrets::new(&MasterKey::from_text(&"5".repeat(64)).unwrap())
}

fn delegate(cluster: u128, role: Role) -> Delegate {
    Delegate {
        user: Arc::new(User {
            cluster: ClusterId(cluster),
            name: "per_x".into(),
            roles: RoleSet::NONE.with(role),
        }),
        request_id: "r-1".to_owned(),
        address: None,
    }
}

async fn broker(manner: Manner) -> Broker {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = Address {
        host: "127.0.0.1".to_owned(),
        port: listener.local_addr().unwrap().port(),
    };
    let connections = Arc::new(AtomicUsize::new(0));
    let opened = Arc::clone(&connections);
    let accept = async move {
        while let Ok((stream, _)) = listener.accept().await {
            opened.fetch_add(1, Ordering::SeqCst);
            Env::system().tasks.spawn(Box::pin(async move {
                serve(stream, manner).await;
            }));
        }
    };
    Env::system().tasks.spawn(Box::pin(accept));
    Broker { address, connections }
}

/// Answers until the client goes; the roles that the delegation names are the offset that is told.
async fn serve(mut stream: TcpStream, manner: Manner) -> Option<()> {
    let mut user: Option<Delegation> = None;
    loop {
        let length = stream.read_i32().await.ok()?;
        let mut frame = BytesMut::zeroed(usize::try_from(length).ok()?);
        stream.read_exact(&mut frame).await.ok()?;
        let mut frame = frame.freeze();
        let key = ApiKey::try_from(i16::from_be_bytes([frame[0], frame[1]])).ok()?;
        let version = i16::from_be_bytes([frame[2], frame[3]]);
        let header = RequestHeader::decode(&mut frame, key.request_header_version(version)).ok()?;
        let correlation = header.correlation_id + i32::from(manner == Manner::Confused);
        let answer = match key {
            ApiKey::SaslHandshake => {
                let asked = SaslHandshakeRequest::decode(&mut frame, version).ok()?;
                let known = &*asked.mechanism == MECHANISM;
                let answer = SaslHandshakeResponse::default().with_error_code(if known { 0 } else { 33 });
                encode(correlation, version, &answer)
            }
            ApiKey::SaslAuthenticate => {
                let asked = SaslAuthenticateRequest::decode(&mut frame, version).ok()?;
                let text = std::str::from_utf8(&asked.auth_bytes).ok()?;
                user = Delegation::verify(text, &secrets(), Env::system().now().0);
                let code = if user.is_some() { 0 } else { 58 };
                encode(
                    correlation,
                    version,
                    &SaslAuthenticateResponse::default().with_error_code(code),
                )
            }
            _ => {
                let user = user.as_ref()?;
                ListOffsetsRequest::decode(&mut frame, version).ok()?;
                let offset = i64::try_from(user.cluster).ok()? * 10 + i64::from(user.roles == ["owner"]);
                let partition = ListOffsetsPartitionResponse::default().with_offset(offset);
                let topic = ListOffsetsTopicResponse::default().with_partitions(vec![partition]);
                encode(
                    correlation,
                    version,
                    &ListOffsetsResponse::default().with_topics(vec![topic]),
                )
            }
        };
        if manner == Manner::Endless {
            stream.write_i32(i32::MAX).await.ok()?;
        }
        stream.write_all(&answer).await.ok()?;
        if manner == Manner::Brief && key == ApiKey::ListOffsets {
            return None;
        }
    }
}

fn encode<R: Encodable + HeaderVersion>(correlation: i32, version: i16, response: &R) -> Bytes {
    let mut body = BytesMut::new();
    let header = ResponseHeader::default().with_correlation_id(correlation);
    header.encode(&mut body, R::header_version(version)).unwrap();
    response.encode(&mut body, version).unwrap();
    let mut frame = BytesMut::new();
    frame.put_i32(i32::try_from(body.len()).unwrap());
    frame.extend_from_slice(&body);
    frame.freeze()
}

async fn ask(pool: &KafkaPool, broker: &Broker, delegate: &Delegate) -> Result<i64, KafkaError> {
    let request = ListOffsetsRequest::default();
    let response = pool.ask(&broker.address, delegate, 9, &request).await?;
    Ok(response.topics[0].partitions[0].offset)
}

#[tokio::test]
async fn a_connection_is_used_again_by_the_same_user_and_nobody_else() {
    let (pool, broker) = (
        KafkaPool::new(Env::system(), secrets()),
        broker(Manner::Usual).await,
    );
    for _ in 0..3 {
        assert_eq!(ask(&pool, &broker, &delegate(7, Role::Owner)).await.unwrap(), 71);
    }
    assert_eq!(broker.connections.load(Ordering::SeqCst), 1);
    assert_eq!(ask(&pool, &broker, &delegate(7, Role::Viewer)).await.unwrap(), 70);
    assert_eq!(ask(&pool, &broker, &delegate(8, Role::Owner)).await.unwrap(), 81);
    assert_eq!(broker.connections.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_connection_that_was_closed_meanwhile_is_made_anew() {
    let (pool, broker) = (
        KafkaPool::new(Env::system(), secrets()),
        broker(Manner::Brief).await,
    );
    for _ in 0..3 {
        assert_eq!(ask(&pool, &broker, &delegate(7, Role::Owner)).await.unwrap(), 71);
    }
}

#[tokio::test]
async fn a_broker_that_refuses_or_makes_no_sense_is_told_from_one_that_is_away() {
    let other = Secrets::new(&MasterKey::from_text(&"6".repeat(64)).unwrap());
    let usual = broker(Manner::Usual).await;
    let stranger = KafkaPool::new(Env::system(), other);
    let user = delegate(7, Role::Owner);
    assert!(matches!(
        ask(&stranger, &usual, &user).await,
        Err(KafkaError::Refused(58))
    ));
    let pool = KafkaPool::new(Env::system(), secrets());
    for manner in [Manner::Confused, Manner::Endless] {
        let broker = broker(manner).await;
        assert!(matches!(
            ask(&pool, &broker, &user).await,
            Err(KafkaError::Nonsense(_))
        ));
    }
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let away = Broker {
        address: Address {
            host: "127.0.0.1".to_owned(),
            port: closed.local_addr().unwrap().port(),
        },
        connections: Arc::default(),
    };
    drop(closed);
    assert!(matches!(
        ask(&pool, &away, &user).await,
        Err(KafkaError::Unreachable { .. })
    ));
}
