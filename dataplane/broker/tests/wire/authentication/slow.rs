//! Clients that take their time before they say who they are: each ends when its time is over, and takes nobody's place meanwhile.

use std::sync::Arc;
use std::time::Duration;

use firn_broker::Limits;
use firn_catalog::entities::ClusterState;
use firn_runtime::Env;
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::tls::{Swappable, certificate};
use super::{Caller, asking, people, with};
use crate::support::client::{PATIENCE, frame};
use crate::support::{Bench, Setup};

/// How many there are of each kind.
const OF_EACH: usize = 84;
/// How long a client rests between two bytes.
const REST: Duration = Duration::from_millis(100);

/// What a slow client does.
#[derive(Clone, Copy, Debug)]
enum Kind {
    /// Nothing at all, like a connection of which only one half is left.
    Silent,
    /// The first byte of a TLS handshake, and no other.
    FirstByte,
    /// A ClientHello, byte by byte.
    ClientHello,
    /// A request, byte by byte.
    Trickle,
    /// A SASL exchange that stops.
    Exchange,
    /// Requests, of which it reads no answer.
    Unread,
}

const KINDS: [Kind; 6] = [
    Kind::Silent,
    Kind::FirstByte,
    Kind::ClientHello,
    Kind::Trickle,
    Kind::Exchange,
    Kind::Unread,
];

/// Writes byte by byte, over and over, until the broker has enough of it.
async fn trickle(stream: &mut TcpStream, bytes: &[u8]) {
    for byte in bytes.iter().cycle() {
        if stream.write_all(&[*byte]).await.is_err() {
            return;
        }
        let mut answer = [0];
        let read = tokio::time::timeout(REST, stream.read(&mut answer)).await;
        if matches!(read, Ok(Ok(0) | Err(_))) {
            return;
        }
    }
}

/// Waits until the broker closes.
async fn closed(stream: &mut TcpStream) {
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
}

/// A slow client, until it is cut off.
async fn slow(mut stream: TcpStream, kind: Kind) {
    match kind {
        Kind::Silent => closed(&mut stream).await,
        Kind::FirstByte => {
            stream.write_all(&[22]).await.unwrap();
            closed(&mut stream).await;
        }
        // A record of 16,000 bytes whose handshake message goes on.
        Kind::ClientHello => {
            let mut hello = vec![22, 3, 1, 0x3e, 0x80, 1, 0, 0x3e, 0x7c, 3, 3];
            hello.resize(16_000, 0);
            trickle(&mut stream, &hello).await;
        }
        Kind::Trickle => {
            let mut request = 60_000_i32.to_be_bytes().to_vec();
            request.resize(60_000, 0);
            trickle(&mut stream, &request).await;
        }
        Kind::Exchange => {
            let mut caller = Caller::over(stream);
            assert_eq!(caller.handshake(1, "SCRAM-SHA-256").await, 0);
            caller.token("n,,n=somebody,r=nonce").await;
            closed(&mut caller.stream).await;
        }
        Kind::Unread => {
            let request = frame(1, 0, &asking());
            while stream.write_all(&request).await.is_ok() {
                tokio::time::sleep(REST).await;
            }
        }
    }
}

async fn bench(limits: Limits) -> (Bench, people::Person) {
    let certificates = Arc::new(Swappable(Mutex::new(certificate())));
    let bench = with(Setup {
        limits,
        certificates: Some(certificates),
        ..Setup::default()
    })
    .await;
    people::cluster(&bench, 1, "one", (1, ClusterState::Active), 100).await;
    let person = people::key(1, "sa_one", None);
    people::put(&bench, &person.credential).await;
    (bench, person)
}

#[tokio::test]
async fn five_hundred_slow_clients_end_in_time_and_others_log_in_meanwhile() {
    let limits = Limits {
        authentication: Duration::from_secs(12),
        handshake: Duration::from_secs(6),
        ..Limits::default()
    };
    let (bench, person) = bench(limits).await;
    let tasks = Env::system().tasks;
    let mut clients = Vec::new();
    for _ in 0..OF_EACH {
        for kind in KINDS {
            let stream = TcpStream::connect(bench.broker.local_address()).await.unwrap();
            clients.push(tasks.spawn(Box::pin(slow(stream, kind))));
        }
    }
    let all_are_there = async {
        while bench.broker.connections() < OF_EACH * KINDS.len() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let there = tokio::time::timeout(PATIENCE, all_are_there).await;
    assert!(there.is_ok(), "{} are there", bench.broker.connections());
    let mut good = Caller::connect(&bench).await;
    assert_eq!(good.plain(&person.username, &person.secret).await.error_code, 0);
    let all = futures::future::try_join_all(&mut clients);
    let ended = tokio::time::timeout(PATIENCE * 3, all).await;
    let going_on = clients.iter().filter(|task| !task.is_finished()).count();
    ended.unwrap_or_else(|_| panic!("{going_on} go on")).unwrap();
    bench.connections(1).await;
    assert!(good.cluster().await.is_some(), "who is known stays");
    bench.stop().await;
}

#[tokio::test]
async fn who_is_known_sends_whole_frames_and_reads_in_time() {
    let limits = Limits {
        stall: Duration::from_millis(500),
        ..Limits::default()
    };
    let (bench, person) = bench(limits).await;
    let mut trickling = Caller::connect(&bench).await;
    assert_eq!(
        trickling.plain(&person.username, &person.secret).await.error_code,
        0
    );
    let ended = tokio::time::timeout(PATIENCE, trickle(&mut trickling.stream, &[0, 0, 1, 0, 0, 0]));
    assert!(ended.await.is_ok(), "a frame may come for ever");
    let mut unreading = Caller::connect(&bench).await;
    assert_eq!(
        unreading.plain(&person.username, &person.secret).await.error_code,
        0
    );
    let request = frame(1, 0, &asking());
    let ended = tokio::time::timeout(PATIENCE, async {
        while unreading.stream.write_all(&request).await.is_ok() {}
    });
    assert!(ended.await.is_ok(), "nobody need read");
    bench.connections(0).await;
    bench.stop().await;
}
