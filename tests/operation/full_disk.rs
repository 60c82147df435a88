//! A disk that runs full beneath a running process: produce gets a retriable error, reads go on, and room is enough.

use std::collections::BTreeMap;

use crate::support::firn::{Firn, FirnOptions, PATIENCE};
use crate::support::small_disk::SmallDisk;
use crate::support::wait_for;
use crate::support::wire::{Wire, assert_all_there};

/// Kafka's KAFKA_STORAGE_ERROR and REQUEST_TIMED_OUT. Clients retry both.
const STORAGE_ERROR: i16 = 56;
const TIMED_OUT: i16 = 7;

fn value(number: usize) -> Vec<u8> {
    let mut value = format!("record {number} ").into_bytes();
    value.resize(400_000, b'.');
    value
}

#[test]
fn a_full_disk_beneath_the_disk_log_refuses_produce_while_it_is_full_and_loses_nothing() {
    runs_full_and_recovers("disk");
}

#[test]
fn a_full_disk_beneath_a_store_in_a_directory_refuses_produce_while_it_is_full_and_loses_nothing() {
    runs_full_and_recovers("object");
}

fn runs_full_and_recovers(wal: &str) {
    let disk = SmallDisk::mount(64);
    disk.take_room(24);
    let options = FirnOptions::default().with_data_dir(disk.path().join("data"));
    let mut firn = Firn::start(options.arg("--wal").arg(wal));
    let mut wire = Wire::connect(&firn.kafka);
    wire.create_topic("t");
    let mut acknowledged = BTreeMap::new();
    let mut refusals = Vec::new();
    for number in 0..200 {
        let produced = wire.produce("t", &value(number));
        match produced.error {
            0 => drop(acknowledged.insert(produced.offset, value(number))),
            error => refusals.push(error),
        }
        if refusals.len() == 4 {
            break;
        }
    }
    assert!(acknowledged.len() > 20, "only {} fit", acknowledged.len());
    assert_eq!(refusals.len(), 4, "64 MiB never ran full");
    // The first may have been taken before anybody knew, and has then waited for its time.
    assert!([STORAGE_ERROR, TIMED_OUT].contains(&refusals[0]), "{refusals:?}");
    assert_eq!(refusals[1..], [STORAGE_ERROR; 3], "{}", firn.log());
    assert_all_there(&mut Wire::connect(&firn.kafka), "t", &acknowledged);
    assert!(firn.is_running());

    disk.make_room();
    let recovered = wait_for(PATIENCE, || {
        let produced = wire.produce("t", &value(1000));
        (produced.error == 0).then_some(produced)
    });
    let recovered = recovered.unwrap_or_else(|| panic!("there is room again\n{}", firn.log()));
    acknowledged.insert(recovered.offset, value(1000));
    for number in 1001..1005 {
        let produced = wire.produce("t", &value(number));
        assert_eq!(produced.error, 0, "{}", firn.log());
        acknowledged.insert(produced.offset, value(number));
    }
    assert_all_there(&mut wire, "t", &acknowledged);
    assert_eq!(firn.terminate().code(), Some(0), "{}", firn.log());
    firn.restart();
    assert_all_there(&mut Wire::connect(&firn.kafka), "t", &acknowledged);
}
