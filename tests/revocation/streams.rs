//! Connections that produce as fast as they are answered, until the broker closes them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::support::clients::Security;
use crate::support::firn::PATIENCE;
use crate::support::wait_for;
use crate::support::wire::Wire;

/// Some connections with TLS and PLAIN.
pub struct Streams {
    sent: Arc<AtomicUsize>,
    over: Arc<AtomicBool>,
    connections: Vec<JoinHandle<Instant>>,
}

impl Streams {
    /// Logs them in; they produce from then on.
    pub fn start(address: &str, security: &Security, topic: &str, count: usize) -> Self {
        let (sent, over) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let connections = (0..count).map(|_| {
            let mut wire = Wire::log_in(address, security).unwrap();
            let (topic, sent, over) = (topic.to_owned(), Arc::clone(&sent), Arc::clone(&over));
            thread::spawn(move || {
                while !over.load(Ordering::Relaxed) && wire.try_produce(&topic, b"some load").is_some() {
                    sent.fetch_add(1, Ordering::Relaxed);
                }
                Instant::now()
            })
        });
        let connections = connections.collect();
        let streams = Self {
            sent,
            over,
            connections,
        };
        wait_for(PATIENCE, || (streams.sent() > 10).then_some(())).expect("it streams");
        streams
    }

    /// Records that were answered.
    pub fn sent(&self) -> usize {
        self.sent.load(Ordering::Relaxed)
    }

    /// Ends them from here.
    pub fn stop(self) {
        self.over.store(true, Ordering::Relaxed);
        for connection in self.connections {
            connection.join().unwrap();
        }
    }
}

/// Fails the test unless the broker closes all of them by then.
pub fn closed_within(what: &str, streams: Streams, start: Instant, most: Duration) {
    let deadline = start + most + Duration::from_secs(5);
    let all = || streams.connections.iter().all(JoinHandle::is_finished);
    let patience = deadline.saturating_duration_since(Instant::now());
    let closed = wait_for(patience, || all().then_some(()));
    assert!(
        closed.is_some(),
        "{what}: connections are open after {:?}",
        start.elapsed()
    );
    let ends = streams
        .connections
        .into_iter()
        .map(|connection| connection.join().unwrap());
    let last = ends
        .map(|end| end.saturating_duration_since(start))
        .max()
        .unwrap();
    println!(
        "{what}: {} records, the last connection was closed after {last:.2?} (aim: 1 s)",
        streams.sent.load(Ordering::Relaxed)
    );
    assert!(last < most, "{what}: closed after {last:?}");
}
