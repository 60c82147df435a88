//! Connections that do nothing.

use std::time::Instant;

use super::Client;
use super::gauge::Latencies;
use crate::wire;

/// Opens `count` connections, one after the other, each of which asks what the broker serves and then keeps still; with how
/// long each took.
pub fn open_idle(address: &str, count: usize) -> anyhow::Result<(Vec<Client>, Latencies)> {
    let hello = wire::api_versions();
    let mut latencies = Latencies::new();
    let mut open = Vec::with_capacity(count);
    for _ in 0..count {
        let began = Instant::now();
        let mut client = Client::connect(address)?;
        client.ask(&hello)?;
        latencies.record(began.elapsed());
        open.push(client);
    }
    Ok((open, latencies))
}
