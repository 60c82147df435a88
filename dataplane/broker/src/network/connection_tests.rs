use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::{Bytes, BytesMut};
use futures::FutureExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::oneshot;

use super::*;

/// A request frame.
const FRAME: [u8; 14] = [0, 0, 0, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// Answers that were written down beforehand.
struct Script {
    answers: VecDeque<Started>,
    started: Arc<AtomicUsize>,
    known: bool,
}

impl Protocol for Script {
    fn order(&self, _: &[u8]) -> Order {
        Order::Pipelined
    }

    fn start(&mut self, _: BytesMut) -> Started {
        self.started.fetch_add(1, Ordering::Relaxed);
        self.answers.pop_front().unwrap()
    }

    fn resume(&mut self) -> Started {
        self.answers.pop_front().unwrap()
    }

    fn frame_bytes(&self) -> usize {
        Limits::default().frame_bytes
    }

    fn is_known(&self) -> bool {
        self.known
    }

    fn room(&self) -> Option<BoxFuture<'static, ()>> {
        None
    }
}

fn reply(bytes: Bytes) -> Reply {
    Reply {
        chunks: vec![bytes],
        after: After::Continue,
    }
}

type Scripted = Pin<Box<Connection<DuplexStream, Script>>>;

/// A connection that gives these answers, the client's side, and a count of the requests that were started.
fn scripted(answers: Vec<Started>) -> (Scripted, DuplexStream, Arc<AtomicUsize>) {
    scripted_with(answers, true, BufferPool::default())
}

fn scripted_with(
    answers: Vec<Started>,
    known: bool,
    pool: BufferPool,
) -> (Scripted, DuplexStream, Arc<AtomicUsize>) {
    let (client, server) = duplex(64 * 1024);
    let started = Arc::new(AtomicUsize::new(0));
    let script = Script {
        answers: answers.into(),
        started: Arc::clone(&started),
        known,
    };
    let (limits, shutdown) = (Limits::default(), CancellationToken::new());
    let connection = Connection::new(server, script, limits, pool, shutdown);
    (Box::pin(connection), client, started)
}

#[tokio::test]
async fn what_takes_long_has_its_effect_though_its_client_is_gone() {
    let (done, awaited) = oneshot::channel();
    let effects = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&effects);
    let alone = async move {
        awaited.await.unwrap();
        counted.fetch_add(1, Ordering::Relaxed);
        reply(Bytes::new())
    };
    let (mut connection, mut client, _) = scripted(vec![Started::Alone(Box::pin(alone))]);
    client.write_all(&FRAME).await.unwrap();
    assert!((&mut connection).now_or_never().is_none());
    drop(client);
    assert!((&mut connection).now_or_never().is_none());
    done.send(()).unwrap();
    assert_eq!(connection.await, Closing::ByClient);
    assert_eq!(effects.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn what_goes_on_alone_is_answered_and_has_its_effect_though_its_client_is_gone() {
    let (effect, wait) = oneshot::channel::<()>();
    let alone = Started::Alone(Box::pin(async move {
        wait.await.unwrap();
        reply(Bytes::from_static(b"done"))
    }));
    let later = Started::Later(Box::pin(async {}));
    let (connection, mut client, _) = scripted(vec![later, alone]);
    client.write_all(&FRAME).await.unwrap();
    let running = run(connection);
    tokio::task::yield_now().await;
    effect.send(()).unwrap();
    let mut answer = [0; 4];
    client.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"done");
    drop(client);
    assert_eq!(running.await.unwrap(), Closing::ByClient);
}

#[tokio::test]
async fn nothing_is_started_beside_a_request_that_must_be_alone() {
    let (done, awaited) = oneshot::channel();
    let alone = async move {
        awaited.await.unwrap();
        reply(Bytes::from_static(b"1"))
    };
    let second = Started::Done(reply(Bytes::from_static(b"2")));
    let (mut connection, mut client, started) = scripted(vec![Started::Alone(Box::pin(alone)), second]);
    client.write_all(&[FRAME, FRAME].concat()).await.unwrap();
    assert!((&mut connection).now_or_never().is_none());
    assert_eq!(started.load(Ordering::Relaxed), 1);
    done.send(()).unwrap();
    assert!((&mut connection).now_or_never().is_none());
    assert_eq!(started.load(Ordering::Relaxed), 2);
    let mut answers = [0; 2];
    client.read_exact(&mut answers).await.unwrap();
    assert_eq!(&answers, b"12");
}

#[tokio::test]
async fn a_client_that_is_nobody_has_one_unread_answer_at_most() {
    for (known, expected) in [(true, 20), (false, 2)] {
        let answer = || Started::Done(reply(vec![0; 40 * 1024].into()));
        let answers = (0..20).map(|_| answer()).collect();
        let (mut connection, mut client, started) = scripted_with(answers, known, BufferPool::default());
        client.write_all(&FRAME.repeat(20)).await.unwrap();
        assert!((&mut connection).now_or_never().is_none());
        // The pipe takes 64 KiB: one answer, and a part of the next.
        assert_eq!(started.load(Ordering::Relaxed), expected, "known: {known}");
        let mut taken = vec![0; 64 * 1024];
        client.read_exact(&mut taken).await.unwrap();
        assert!((&mut connection).now_or_never().is_none());
        assert!(started.load(Ordering::Relaxed) > 2, "it goes on once it reads");
    }
}

/// The beginning of a frame of so many bytes, of which that many follow.
fn part_of_frame(size: usize, bytes: usize) -> Vec<u8> {
    let mut part = vec![0; 4 + bytes];
    part[..4].copy_from_slice(&u32::try_from(size).unwrap().to_be_bytes());
    part
}

/// Runs a connection beside the test.
#[expect(clippy::disallowed_methods, reason = "a test has no other tasks")]
fn run(connection: Scripted) -> tokio::task::JoinHandle<Closing> {
    tokio::spawn(connection)
}

#[tokio::test]
async fn large_frames_wait_for_room_and_others_do_not() {
    const LARGE: usize = 3 << 20;
    let pool = BufferPool::with_large_frames(4 << 20);
    let connect = || {
        let answer = Started::Done(reply(Bytes::from_static(b"!")));
        scripted_with(vec![answer], true, pool.clone())
    };
    let (first, mut filling, _) = connect();
    let first = run(first);
    filling.write_all(&part_of_frame(LARGE, LARGE - 1)).await.unwrap();
    let (second, mut waiting, _) = connect();
    let second = run(second);
    let late = part_of_frame(LARGE, LARGE);
    let mut sent = Box::pin(waiting.write_all(&late));
    let soon = Duration::from_millis(100);
    assert!(
        tokio::time::timeout(soon, &mut sent).await.is_err(),
        "there is no room"
    );
    let (third, mut small, _) = connect();
    let third = run(third);
    small.write_all(&part_of_frame(1 << 20, 1 << 20)).await.unwrap();
    assert_eq!(small.read_u8().await.unwrap(), b'!');
    filling.write_all(&[0]).await.unwrap();
    assert_eq!(filling.read_u8().await.unwrap(), b'!');
    sent.await.unwrap();
    assert_eq!(waiting.read_u8().await.unwrap(), b'!');
    for (client, connection) in [(filling, first), (waiting, second), (small, third)] {
        drop(client);
        assert_eq!(connection.await.unwrap(), Closing::ByClient);
    }
}

#[tokio::test(start_paused = true)]
async fn a_frame_must_come_at_a_least_rate_unless_it_waits_for_room() {
    // A tenth of the least rate: after a minute's grace, and one for what came, it ends.
    let (connection, mut client, _) = scripted(Vec::new());
    let connection = run(connection);
    client.write_all(&part_of_frame(50 << 20, 0)).await.unwrap();
    let begun = Instant::now();
    while client.write_all(&[0; 6_500]).await.is_ok() {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(connection.await.unwrap(), Closing::Stalled);
    assert!(begun.elapsed() < Duration::from_secs(120));
    let pool = BufferPool::with_large_frames(4 << 20);
    let taken = pool.large.share(4 << 20).await;
    let answer = Started::Done(reply(Bytes::from_static(b"!")));
    let (connection, mut client, _) = scripted_with(vec![answer], true, pool);
    let connection = run(connection);
    let whole = part_of_frame(3 << 20, 3 << 20);
    let give_back = async {
        tokio::time::sleep(Duration::from_secs(1_000)).await;
        drop(taken);
    };
    let (sent, ()) = tokio::join!(client.write_all(&whole), give_back);
    sent.unwrap();
    assert_eq!(client.read_u8().await.unwrap(), b'!');
    drop(client);
    assert_eq!(connection.await.unwrap(), Closing::ByClient);
}

/// Reads `bytes` of a large answer every ten seconds until all of `total` is there, or the broker has had enough.
async fn read_slowly(mut client: DuplexStream, bytes: usize, total: usize) {
    client.write_all(&FRAME).await.unwrap();
    let mut taken = vec![0; bytes];
    for _ in 0..total / bytes {
        tokio::time::sleep(Duration::from_secs(10)).await;
        if client.read_exact(&mut taken).await.is_err() {
            break;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_must_be_taken_at_a_least_rate() {
    const SIZE: usize = 10 << 20;
    for (bytes, expected) in [(SIZE / 10_000, Closing::Stalled), (SIZE / 14, Closing::ByClient)] {
        let answer = Started::Done(reply(vec![0; SIZE].into()));
        let (connection, client, _) = scripted(vec![answer]);
        let reader = read_slowly(client, bytes, SIZE / bytes * bytes);
        let (why, ()) = tokio::join!(connection, reader);
        assert_eq!(why, expected, "{bytes} bytes at a time");
    }
}
