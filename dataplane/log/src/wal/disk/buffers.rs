//! Buffers that slots and large parts of them are read into, used again: an offload reads slots of some MiB one after the
//! other, a catch-up one run after the other, and fresh memory for each costs more than the reading.

use std::sync::{Arc, Weak};

use bytes::Bytes;
use parking_lot::Mutex;

/// Bytes of idle buffers that are kept: about what an offload gathers for one object.
const MAX_IDLE: usize = 8 << 20;
/// Buffers have a multiple of this many bytes, so that slots of about one size fit into each other's.
pub(super) const STEP: usize = 64 << 10;

/// Buffers that nobody uses at the moment.
#[derive(Default)]
pub(super) struct Buffers {
    idle: Mutex<Vec<Vec<u8>>>,
}

/// A buffer in use; it goes back when the last of its readers is done.
pub(super) struct Lent {
    memory: Vec<u8>,
    length: usize,
    home: Weak<Buffers>,
}

impl Buffers {
    /// A buffer of `length` bytes, whatever is in them: to be filled before anybody sees it.
    pub(super) fn lend(self: &Arc<Self>, length: usize) -> Lent {
        let fits = |memory: &Vec<u8>| (length..=length.saturating_mul(2).max(STEP)).contains(&memory.len());
        let found = {
            let mut idle = self.idle.lock();
            let at = idle.iter().rposition(fits);
            at.map(|at| idle.swap_remove(at))
        };
        Lent {
            memory: found.unwrap_or_else(|| vec![0; length.next_multiple_of(STEP)]),
            length,
            home: Arc::downgrade(self),
        }
    }

    /// Gives the idle ones back to the system.
    pub(super) fn drop_idle(&self) {
        let idle = std::mem::take(&mut *self.idle.lock());
        drop(idle);
    }
}

impl Lent {
    pub(super) fn freeze(self) -> Bytes {
        Bytes::from_owner(self)
    }
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.memory[..self.length]
    }
}

impl AsMut<[u8]> for Lent {
    fn as_mut(&mut self) -> &mut [u8] {
        &mut self.memory[..self.length]
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(home) = self.home.upgrade() {
            let mut idle = home.idle.lock();
            let kept: usize = idle.iter().map(Vec::len).sum();
            if kept + self.memory.len() <= MAX_IDLE {
                idle.push(std::mem::take(&mut self.memory));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(buffers: &Arc<Buffers>, length: usize, fill: u8) -> Bytes {
        let mut lent = buffers.lend(length);
        lent.as_mut().fill(fill);
        lent.freeze()
    }

    fn idle(buffers: &Buffers) -> usize {
        buffers.idle.lock().iter().map(Vec::len).sum()
    }

    #[test]
    fn a_buffer_is_used_again_only_after_its_last_reader() {
        let buffers = Arc::new(Buffers::default());
        let first = filled(&buffers, 3 * STEP + 1, 1);
        let slice = first.slice(5..10);
        drop(first);
        let second = filled(&buffers, 3 * STEP, 2);
        assert_eq!(slice, [1; 5][..]);
        drop(slice);
        let third = filled(&buffers, 4 * STEP - 3, 3);
        assert_eq!(idle(&buffers), 0, "the first one's memory");
        assert_eq!(second, vec![2; 3 * STEP]);
        assert_eq!(third, vec![3; 4 * STEP - 3]);
    }

    #[test]
    fn little_is_kept_and_nothing_once_it_is_dropped() {
        let buffers = Arc::new(Buffers::default());
        let lent: Vec<_> = (0..50).map(|_| buffers.lend(1 << 20)).collect();
        drop(lent);
        assert_eq!(idle(&buffers), MAX_IDLE);
        drop(filled(&buffers, 10, 1));
        assert_eq!(
            idle(&buffers),
            MAX_IDLE,
            "a small slot does not take a large buffer"
        );
        buffers.drop_idle();
        assert_eq!(idle(&buffers), 0);
        let last = filled(&buffers, 10, 9);
        drop(buffers);
        assert_eq!(last, [9; 10][..]);
    }
}
