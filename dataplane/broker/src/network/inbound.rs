//! Frames out of received bytes: a length of four bytes, then so many bytes. A frame is split off without copying.
//!
//! Memory grows with what was received, never with what a length claims: the room that is made for a frame is at
//! most a chunk, or as much again as has been received of it, or as much as the connection's recent frames had. A batch
//! that the log keeps pins the buffer that it came in, so a buffer is hardly larger than the frames to come.

use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use futures::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::Instant;

use super::Closing;
use super::budget::Share;
use super::pool::{BufferPool, CHUNK, ReadBuffer};

/// Bytes of the length before a frame.
const PREFIX: usize = 4;
/// The smallest room that a read gets.
const LEAST_ROOM: usize = 4 * 1024;
/// Room that a connection may earn by sending large frames.
const MOST_EARNED: usize = 2 * 1024 * 1024;
/// Bytes of a frame that a connection may hold without a share of the room for large frames.
const LARGE: usize = 1024 * 1024;
/// The first byte of a TLS handshake record.
pub(super) const TLS_HANDSHAKE: u8 = 0x16;

/// The receiving side of a connection.
pub(crate) struct Inbound {
    buffer: ReadBuffer,
    pool: BufferPool,
    /// The largest frame that may come.
    pub(super) most: usize,
    least: usize,
    /// The size of recent frames: the largest, forgotten by an eighth with each one.
    expected: usize,
    any_frame: bool,
    /// Room for the frame at the front, if it needs some: it waits for it, or has it.
    share: Option<Asked>,
    /// Since when the frame at the front has been incomplete.
    pub(crate) incomplete_since: Option<Instant>,
}

/// A share of the room for large frames.
enum Asked {
    Waiting(BoxFuture<'static, Option<Share>>),
    Held(#[expect(dead_code, reason = "it is given back on drop")] Option<Share>),
}

impl Inbound {
    /// Frames of `least` to `most` bytes.
    pub(crate) fn new(pool: BufferPool, least: usize, most: usize) -> Self {
        Self {
            buffer: ReadBuffer::default(),
            pool,
            most,
            least,
            expected: 0,
            any_frame: false,
            share: None,
            incomplete_since: None,
        }
    }

    /// Bytes received and not yet taken.
    pub(crate) fn buffered(&self) -> usize {
        self.buffer.bytes.len()
    }

    /// Whether nothing is read because there is no room for the frame at the front.
    pub(crate) fn waits_for_share(&self) -> bool {
        matches!(self.share, Some(Asked::Waiting(_)))
    }

    /// The size that the frame at the front claims, if that much of it is there.
    fn claimed(&self) -> Result<Option<usize>, Closing> {
        let bytes = &self.buffer.bytes;
        if !self.any_frame && bytes.first() == Some(&TLS_HANDSHAKE) {
            return Err(Closing::Tls);
        }
        let Some(prefix) = bytes.first_chunk::<PREFIX>() else {
            return Ok(None);
        };
        let size = usize::try_from(i32::from_be_bytes(*prefix)).map_err(|_| Closing::FrameSize)?;
        if size < self.least || size > self.most {
            Err(Closing::FrameSize)
        } else {
            Ok(Some(size))
        }
    }

    /// The frame at the front, if it is whole.
    pub(crate) fn peek(&self) -> Result<Option<&[u8]>, Closing> {
        let claimed = self.claimed()?;
        Ok(claimed.and_then(|size| self.buffer.bytes.get(PREFIX..PREFIX + size)))
    }

    /// Splits the frame at the front off, which is whole.
    pub(crate) fn take(&mut self) -> Result<Option<BytesMut>, Closing> {
        let Some(size) = self.peek()?.map(<[u8]>::len) else {
            return Ok(None);
        };
        self.buffer.bytes.advance(PREFIX);
        let frame = self.buffer.bytes.split_to(size);
        self.any_frame = true;
        self.incomplete_since = None;
        if self.share.is_some() {
            self.share = None;
        }
        self.expected = size.max(self.expected - self.expected / 8).min(MOST_EARNED);
        Ok(Some(frame))
    }

    /// Reads once. `Ready(0)`: the client has closed.
    pub(crate) fn poll_read<S: AsyncRead + Unpin>(
        &mut self,
        stream: &mut S,
        cx: &mut Context<'_>,
    ) -> Poll<Result<usize, Closing>> {
        if self.share.is_some() {
            ready!(self.poll_share(cx));
        }
        self.make_room()?;
        if self.share.is_some() {
            ready!(self.poll_share(cx));
            self.make_room()?;
        }
        let read = pin!(stream.read_buf(&mut self.buffer.bytes));
        match Future::poll(read as Pin<&mut _>, cx) {
            Poll::Pending => {
                // An idle connection holds no buffer.
                if self.buffer.bytes.is_empty() {
                    self.pool.give(std::mem::take(&mut self.buffer));
                }
                Poll::Pending
            }
            Poll::Ready(Err(_)) => Poll::Ready(Err(Closing::Io)),
            Poll::Ready(Ok(count)) => {
                if self.incomplete_since.is_none() {
                    self.incomplete_since = Some(Instant::now());
                }
                Poll::Ready(Ok(count))
            }
        }
    }

    /// Waits until there is room for the frame at the front. Its time begins anew then: that it waited is not the client's
    /// fault.
    fn poll_share(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(Asked::Waiting(share)) = &mut self.share {
            let share = ready!(share.as_mut().poll(cx));
            self.share = Some(Asked::Held(share));
            self.incomplete_since = Some(Instant::now());
        }
        Poll::Ready(())
    }

    /// Makes room for the next read, or asks for a share that is needed first.
    fn make_room(&mut self) -> Result<(), Closing> {
        let length = self.buffer.bytes.len();
        let spare = self.buffer.bytes.capacity() - length;
        let missing = match self.claimed()? {
            Some(size) => (PREFIX + size).saturating_sub(length),
            None => PREFIX,
        };
        // Room for a frame like the last ones, and for one that is a little larger.
        let like_before = self.expected + self.expected / 16 + PREFIX;
        let enough = match length {
            0 => spare >= like_before.max(LEAST_ROOM),
            _ => spare >= missing.max(1) && (spare >= LEAST_ROOM || missing > PREFIX),
        };
        if enough {
            return Ok(());
        }
        let room = missing.min(CHUNK.max(length).max(self.expected)).max(LEAST_ROOM);
        if length > 0 && spare >= room {
            return Ok(());
        }
        if length > 0 && length + missing > LARGE + PREFIX && length + room > LARGE && self.share.is_none() {
            self.share = Some(Asked::Waiting(self.pool.large.share(length + missing)));
            return Ok(());
        }
        let mut fresh = self.pool.take((length + room).max(like_before));
        fresh.bytes.extend_from_slice(&self.buffer.bytes);
        self.pool.give(std::mem::replace(&mut self.buffer, fresh));
        Ok(())
    }
}

impl Drop for Inbound {
    fn drop(&mut self) {
        self.pool.give(std::mem::take(&mut self.buffer));
    }
}
