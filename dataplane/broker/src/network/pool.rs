//! Recycled read buffers. A fresh page costs microseconds, and a megabyte of requests touches 256 of them.
//!
//! A frame is split off its buffer and handed on; when all parts of a buffer have been dropped, its memory can be used
//! again. The pool keeps the rest of each used-up buffer and looks whether that has come to pass.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::BytesMut;
use parking_lot::Mutex;

use super::budget::LargeFrames;

/// The size of an ordinary buffer.
pub(crate) const CHUNK: usize = 64 * 1024;
/// Bytes that the pool holds at most, most of them in use: of batches that the log keeps in memory.
const HELD: usize = 24 * 1024 * 1024;
/// How many of the oldest buffers are looked at.
const TRIES: usize = 4;

/// A pool that all connections of a listener share.
#[derive(Clone, Default)]
pub(crate) struct BufferPool {
    retired: Arc<Mutex<Retired>>,
    /// Room for frames that are large and not whole yet.
    pub(super) large: LargeFrames,
}

#[derive(Default)]
struct Retired {
    buffers: VecDeque<ReadBuffer>,
    bytes: usize,
}

/// A buffer and the size of the memory it is part of.
#[derive(Default)]
pub(crate) struct ReadBuffer {
    pub(crate) bytes: BytesMut,
    size: usize,
}

impl BufferPool {
    #[cfg(test)]
    pub(super) fn with_large_frames(bytes: usize) -> Self {
        Self {
            large: LargeFrames::of(bytes),
            ..Self::default()
        }
    }

    /// An empty buffer with room for at least `room` bytes.
    pub(crate) fn take(&self, room: usize) -> ReadBuffer {
        let size = room.max(CHUNK);
        let mut retired = self.retired.lock();
        for _ in 0..TRIES.min(retired.buffers.len()) {
            let Some(mut buffer) = retired.buffers.pop_front() else {
                break;
            };
            if buffer.size >= size && buffer.bytes.try_reclaim(size) {
                retired.bytes -= buffer.size;
                return buffer;
            }
            retired.buffers.push_back(buffer);
        }
        drop(retired);
        ReadBuffer {
            bytes: BytesMut::with_capacity(size),
            size,
        }
    }

    /// Takes back what is left of a buffer.
    pub(crate) fn give(&self, mut buffer: ReadBuffer) {
        if buffer.size == 0 || buffer.size > HELD / 8 {
            return;
        }
        buffer.bytes.clear();
        let mut retired = self.retired.lock();
        retired.bytes += buffer.size;
        retired.buffers.push_back(buffer);
        while retired.bytes > HELD {
            let Some(oldest) = retired.buffers.pop_front() else {
                break;
            };
            retired.bytes -= oldest.size;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_is_used_again_once_its_frames_are_dropped() {
        let pool = BufferPool::default();
        let mut buffer = pool.take(10);
        let address = buffer.bytes.as_ptr();
        buffer.bytes.extend_from_slice(&[7; 100]);
        let frame = buffer.bytes.split_to(100);
        pool.give(buffer);
        let other = pool.take(10);
        assert_ne!(other.bytes.as_ptr(), address, "the frame still lives there");
        drop(frame);
        assert_eq!(pool.take(10).bytes.as_ptr(), address);
    }

    #[test]
    fn the_pool_holds_a_bounded_number_of_bytes() {
        let pool = BufferPool::default();
        let taken: Vec<_> = (0..2 * HELD / CHUNK).map(|_| pool.take(1)).collect();
        for buffer in taken {
            pool.give(buffer);
        }
        assert!(pool.retired.lock().bytes <= HELD);
        assert!(pool.retired.lock().buffers.len() <= HELD / CHUNK);
    }
}
