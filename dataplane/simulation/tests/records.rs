//! The simulation's records tell who sent them, and show damage.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

use firn_simulation::record::{RecordId, build, read};

#[test]
fn a_batch_reads_back_and_a_flipped_bit_is_noticed() {
    let batch = build(RecordId::new(3, 7), 4, Some(99), 1000).freeze();
    let ids = (0..4)
        .map(|at| (i64::from(at), RecordId::new(3, 7 + at)))
        .collect();
    assert_eq!(read(&batch), Ok(ids));
    let mut damaged = batch.to_vec();
    let last = damaged.len() - 3;
    damaged[last] ^= 4;
    assert!(read(&damaged.into()).is_err());
}
