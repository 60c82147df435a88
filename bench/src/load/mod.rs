//! What a broker is loaded with. All of it is replayed: requests are encoded before the load begins, and nothing is done for
//! each record.
//!
//! Each connection has a thread of its own, or two where sending must not wait for answers. Blocking calls cost less
//! than a runtime here, and a thread that sleeps wakes within 60 us of its time, which a runtime's timer of 1 ms does not.

mod client;
mod consume;
mod gauge;
mod idle;
mod produce;
mod window;

pub use client::Client;
pub use consume::{Consume, Reading};
pub use gauge::{Counted, Gauge, Latencies};
pub use idle::open_idle;
pub use produce::{Pace, Produce};
pub use window::{Window, sleep_until};
