//! Chunks that wait to be written, several at a time (`writev`), where they lie.

use std::collections::VecDeque;
use std::io::IoSlice;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, Bytes};
use tokio::io::AsyncWrite;
use tokio::time::Instant;

use super::Closing;

/// How many chunks one write takes.
const SLICES: usize = 64;

/// Bytes per second at which a client must take what waits for it. Slow applications read slowly: only one that
/// hardly reads at all is cut off.
const LEAST_RATE: u128 = 1024;

/// The sending side of a connection.
#[derive(Default)]
pub(crate) struct Outbound {
    chunks: VecDeque<Bytes>,
    bytes: usize,
    /// Whether the stream may hold back some of what it took: a TLS stream encrypts more than the socket takes at once.
    unflushed: bool,
    /// Since when nothing could be written although something waits.
    pub(crate) stuck_since: Option<Instant>,
    /// While the client is slow to take what waits: when the present span of time began, and what was written in it.
    span: Option<(Instant, usize)>,
}

impl Outbound {
    /// Bytes that wait.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether nothing waits, here or in the stream.
    pub(crate) fn is_done(&self) -> bool {
        self.bytes == 0 && !self.unflushed
    }

    /// Adds a response.
    pub(crate) fn push(&mut self, chunks: Vec<Bytes>) {
        for chunk in chunks {
            if !chunk.is_empty() {
                self.bytes += chunk.len();
                self.chunks.push_back(chunk);
            }
        }
    }

    /// Whether the client takes what waits for it too slowly, judged whenever a span of `stall` is over.
    pub(crate) fn is_slow(&mut self, now: Instant, stall: Duration) -> bool {
        match self.span {
            Some((since, written)) if now - since > stall => {
                self.span = Some((now, 0));
                (written as u128) * 1000 < LEAST_RATE * stall.as_millis()
            }
            Some(_) | None => false,
        }
    }

    /// Writes once. `Ready(0)`: nothing waits.
    pub(crate) fn poll_write<S: AsyncWrite + Unpin>(
        &mut self,
        stream: &mut S,
        cx: &mut Context<'_>,
    ) -> Poll<Result<usize, Closing>> {
        if self.chunks.is_empty() {
            return self.poll_flush(stream, cx);
        }
        let mut slices = [IoSlice::new(&[]); SLICES];
        let mut used = 0;
        for (slice, chunk) in slices.iter_mut().zip(&self.chunks) {
            *slice = IoSlice::new(chunk);
            used += 1;
        }
        match Pin::new(stream).poll_write_vectored(cx, &slices[..used]) {
            Poll::Pending => {
                let since = *self.stuck_since.get_or_insert_with(Instant::now);
                self.span.get_or_insert((since, 0));
                Poll::Pending
            }
            Poll::Ready(Ok(0)) | Poll::Ready(Err(_)) => Poll::Ready(Err(Closing::Io)),
            Poll::Ready(Ok(written)) => {
                self.stuck_since = None;
                self.unflushed = true;
                self.drop_written(written);
                Poll::Ready(Ok(written))
            }
        }
    }

    /// Makes the stream send what it took. `Ready(0)`: it has.
    fn poll_flush<S: AsyncWrite + Unpin>(
        &mut self,
        stream: &mut S,
        cx: &mut Context<'_>,
    ) -> Poll<Result<usize, Closing>> {
        if !self.unflushed {
            return Poll::Ready(Ok(0));
        }
        match Pin::new(stream).poll_flush(cx) {
            Poll::Pending => {
                self.stuck_since.get_or_insert_with(Instant::now);
                Poll::Pending
            }
            Poll::Ready(Err(_)) => Poll::Ready(Err(Closing::Io)),
            Poll::Ready(Ok(())) => {
                self.stuck_since = None;
                self.unflushed = false;
                Poll::Ready(Ok(0))
            }
        }
    }

    fn drop_written(&mut self, mut written: usize) {
        self.bytes -= written;
        self.span = match self.span {
            Some((since, before)) if self.bytes > 0 => Some((since, before + written)),
            Some(_) | None => None,
        };
        while let Some(chunk) = self.chunks.front_mut() {
            if written < chunk.len() {
                chunk.advance(written);
                break;
            }
            written -= chunk.len();
            self.chunks.pop_front();
        }
        if self.chunks.is_empty() && self.chunks.capacity() > SLICES {
            self.chunks = VecDeque::new();
        }
    }
}
