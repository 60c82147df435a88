//! What the tests that start the real `firn` binary share.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "tests talk to whoever reads their output"
)]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]
#![allow(dead_code, reason = "each test binary uses its own part of this module")]
#![allow(
    clippy::disallowed_methods,
    reason = "these tests drive real processes by the real clock"
)]

pub mod clients;
pub mod connection;
pub mod firn;
pub mod http;
pub mod identity_provider;
pub mod kafka_tools;
pub mod kdc;
pub mod mail_server;
pub mod numbers;
pub mod object_server;
pub mod postgres;
pub mod records;
pub mod rest;
pub mod s3;
pub mod s3_door;
pub mod server;
pub mod small_disk;
pub mod streaming;
pub mod tap;
pub mod tenant;
pub mod text;
pub mod tls;
pub mod wire;

use std::time::{Duration, Instant};

/// Asks `ready` until it answers something, every few milliseconds first and less often the longer it takes, so that nobody asks the
/// API more often than it lets; `None` once `patience` is over.
pub fn wait_for<T>(patience: Duration, mut ready: impl FnMut() -> Option<T>) -> Option<T> {
    let (shortest, longest) = (Duration::from_millis(5), Duration::from_millis(100));
    let start = Instant::now();
    loop {
        if let Some(value) = ready() {
            return Some(value);
        }
        let waited = start.elapsed();
        if waited >= patience {
            return None;
        }
        std::thread::sleep((waited / 10).clamp(shortest, longest));
    }
}
