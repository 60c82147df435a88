//! Clock, randomness and tasks: the one crate that touches the ambient ones.
//!
//! Everything else receives an [`Env`] and asks it for the time, for random bytes and for tasks, so that the
//! simulation can run the real code on one thread with a mock clock and a seed, and the same seed gives the
//! same run. `clippy.toml` bans the ambient functions everywhere but here.
//!
//! Sleeping and timeouts go through `tokio::time`, which the simulation pauses and drives; only wall-clock time
//! and randomness need a seam of their own. `tokio::select!` must be `biased`, since its default draws from
//! tokio's own random source (`tests/tidy.rs` checks).

mod clock;
mod own_thread;
mod random;
mod tasks;

use std::sync::Arc;

pub use clock::{Clock, SystemClock, Timestamp};
pub use own_thread::OwnThread;
pub use random::{Random, SeededRandom, SystemRandom};
pub use tasks::{InlineTasks, Tasks, TokioTasks, blocking};

/// The seams through which code reaches the world outside its inputs.
#[derive(Clone)]
pub struct Env {
    /// Wall-clock time.
    pub clock: Arc<dyn Clock>,
    /// Random bytes: ids, jitter.
    pub random: Arc<dyn Random>,
    /// Where background tasks and blocking calls run.
    pub tasks: Arc<dyn Tasks>,
}

impl Env {
    /// The real world: system clock, the operating system's randomness, the current tokio runtime.
    pub fn system() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            tasks: Arc::new(TokioTasks),
        }
    }

    /// The current wall-clock time.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// 128 random bits, for ids.
    pub fn random_u128(&self) -> u128 {
        let mut bytes = [0u8; 16];
        self.random.fill(&mut bytes);
        u128::from_be_bytes(bytes)
    }

    /// 64 random bits.
    pub fn random_u64(&self) -> u64 {
        let mut bytes = [0u8; 8];
        self.random.fill(&mut bytes);
        u64::from_be_bytes(bytes)
    }
}
