//! Stops with requests under way: what was started is answered, and nobody can hold up the end.

use std::collections::BTreeMap;

use crate::support::firn::{Firn, FirnOptions, PATIENCE};
use crate::support::object_server::ObjectServer;
use crate::support::wait_for;
use crate::support::wire::{Wire, assert_all_there, is_refused};

/// Starts with a client that has asked for far more than it will ever read.
fn with_a_deaf_client(options: FirnOptions) -> (Firn, Wire) {
    let firn = Firn::start(options);
    let mut wire = Wire::connect(&firn.kafka);
    wire.create_topic("t");
    for _ in 0..8 {
        assert_eq!(wire.produce("t", &[b'x'; 1_000_000]).error, 0);
    }
    let mut deaf = Wire::connect(&firn.kafka);
    for _ in 0..20 {
        deaf.send_fetch("t", 0);
    }
    let begun = || {
        firn.metric("firn_broker_sent_bytes_total")
            .filter(|sent| *sent > 1e5)
    };
    wait_for(PATIENCE, begun).expect("the first answers are being written");
    (firn, deaf)
}

#[test]
fn a_client_that_does_not_read_is_given_up_long_before_the_timeout() {
    let options = FirnOptions::default().arg("--shutdown-timeout").arg("1d");
    let (mut firn, deaf) = with_a_deaf_client(options);
    assert_eq!(firn.terminate().code(), Some(0), "{}", firn.log());
    // What is logged when half of the timeout has passed.
    assert!(!firn.log().contains("connections are cut off"), "{}", firn.log());
    drop(deaf);
}

#[test]
fn a_short_timeout_leaves_time_to_close_the_log_after_clients_are_cut_off() {
    let options = FirnOptions::default().arg("--shutdown-timeout").arg("3s");
    let (mut firn, deaf) = with_a_deaf_client(options);
    assert_eq!(firn.terminate().code(), Some(0), "{}", firn.log());
    drop(deaf);
}

#[test]
fn what_is_in_flight_at_a_signal_is_answered_and_there_after_a_restart() {
    const REQUESTS: usize = 100;
    let store = ObjectServer::start();
    let mut firn = Firn::start(store.keep(FirnOptions::default()).arg("--wal").arg("object"));
    let mut wire = Wire::connect(&firn.kafka);
    wire.create_topic("t");
    assert_eq!(wire.produce("t", b"the first").error, 0);

    store.hold_puts();
    let value = |number: usize| format!("record {number}, in flight at the signal").into_bytes();
    let sent: Vec<i32> = (0..REQUESTS)
        .map(|number| wire.send_record("t", &value(number)))
        .collect();
    let arrived = || {
        let received = firn.metric("firn_broker_received_bytes_total");
        received.filter(|received| *received >= wire.sent_bytes() as f64)
    };
    wait_for(PATIENCE, arrived).expect("all requests arrive");
    assert!(wire.is_quiet(), "a request is answered before it is durable");
    firn.signal(rustix::process::Signal::TERM);
    wait_for(PATIENCE, || (firn.get("/readyz").status == 503).then_some(())).expect("it is stopping");
    wait_for(PATIENCE, || is_refused(&firn.kafka).then_some(())).expect("nobody else is let in");
    assert!(
        wire.is_quiet(),
        "a request is answered, or dropped, because of the signal"
    );
    store.release_puts();

    let mut acknowledged = BTreeMap::from([(0, b"the first".to_vec())]);
    for (number, correlation) in sent.into_iter().enumerate() {
        let produced = wire
            .next_produced()
            .unwrap_or_else(|| panic!("request {number} is not answered"));
        assert_eq!((produced.correlation, produced.error), (correlation, 0));
        acknowledged.insert(produced.offset, value(number));
    }
    assert_eq!(acknowledged.len(), REQUESTS + 1);
    assert_eq!(wire.next_produced(), None, "then the connection ends");
    assert_eq!(firn.wait().code(), Some(0), "{}", firn.log());
    firn.restart();
    assert_all_there(&mut Wire::connect(&firn.kafka), "t", &acknowledged);
}
