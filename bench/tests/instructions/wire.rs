//! A connection in memory, for one request at a time. It does as little as can be, because it is counted too: a request is
//! copied once, into the buffer that the broker reads to, and of an answer only the first bytes are kept.

use std::future::{Future, poll_fn};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What one write takes, as a socket takes some of a large answer.
const WRITE: usize = 256 * 1024;

#[derive(Default)]
struct Passing {
    /// What the broker has not read yet.
    request: Bytes,
    /// The first bytes of the answer: no more than its capacity.
    answer: Vec<u8>,
    /// Bytes of the answer so far.
    answered: usize,
    broker: Option<Waker>,
    client: Option<Waker>,
}

impl Passing {
    /// Bytes of the frame that is the answer, its length included.
    fn expected(&self) -> Option<usize> {
        let (length, _) = self.answer.split_first_chunk()?;
        Some(4 + usize::try_from(i32::from_be_bytes(*length)).unwrap())
    }
}

fn wake(waker: &mut Option<Waker>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}

/// The client's end.
#[derive(Default)]
pub struct Client(Arc<Mutex<Passing>>);

/// The broker's end.
pub struct Server(Arc<Mutex<Passing>>);

impl Client {
    /// The other end.
    pub fn server(&self) -> Server {
        Server(Arc::clone(&self.0))
    }

    fn passing(&self) -> MutexGuard<'_, Passing> {
        self.0.lock().unwrap()
    }

    /// Sends a request, waits for all of its answer, and returns so many of the answer's first bytes.
    pub fn exchange(&self, request: Bytes, kept: usize) -> impl Future<Output = Vec<u8>> {
        {
            let mut passing = self.passing();
            passing.request = request;
            passing.answer = Vec::with_capacity(kept);
            passing.answered = 0;
            wake(&mut passing.broker);
        }
        poll_fn(|cx| {
            let mut passing = self.passing();
            if passing.expected() == Some(passing.answered) {
                return Poll::Ready(std::mem::take(&mut passing.answer));
            }
            passing.client = Some(cx.waker().clone());
            Poll::Pending
        })
    }
}

impl AsyncRead for Server {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut passing = self.0.lock().unwrap();
        if passing.request.is_empty() {
            passing.broker = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let bytes = passing.request.len().min(buffer.remaining());
        buffer.put_slice(&passing.request[..bytes]);
        passing.request.advance(bytes);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Server {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut passing = self.0.lock().unwrap();
        let mut written = 0;
        for piece in pieces {
            let taken = piece.len().min(WRITE - written);
            let kept = taken.min(passing.answer.capacity() - passing.answer.len());
            passing.answer.extend_from_slice(&piece[..kept]);
            written += taken;
        }
        passing.answered += written;
        wake(&mut passing.client);
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
