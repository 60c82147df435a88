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
}

impl Protocol for Script {
    fn order(&self, _: &[u8]) -> Order {
        Order::Pipelined
    }

    fn start(&mut self, _: BytesMut) -> Started {
        self.started.fetch_add(1, Ordering::Relaxed);
        self.answers.pop_front().unwrap()
    }

    fn frame_bytes(&self) -> usize {
        Limits::default().frame_bytes
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
    let (client, server) = duplex(64 * 1024);
    let started = Arc::new(AtomicUsize::new(0));
    let script = Script {
        answers: answers.into(),
        started: Arc::clone(&started),
    };
    let (limits, shutdown) = (Limits::default(), CancellationToken::new());
    let connection = Connection::new(server, script, limits, BufferPool::default(), shutdown);
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
