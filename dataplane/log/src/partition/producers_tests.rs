use firn_catalog::ids::{LeaderEpoch, PartitionId, TopicId};

use super::*;

fn meta(epoch: i16, sequences: (i32, i32), first: i64) -> BatchMeta {
    let records = i64::from(sequences.1) - i64::from(sequences.0);
    BatchMeta {
        partition: PartitionId {
            topic: TopicId(1),
            index: 0,
        },
        leader_epoch: LeaderEpoch(0),
        first: Offset(first),
        last: Offset(first + records.max(0)),
        length: 100,
        base_timestamp: 0,
        max_timestamp: 0,
        producer: Some(stamp(epoch, sequences)),
        transactional: false,
        marker: None,
    }
}

fn stamp(epoch: i16, (first_sequence, last_sequence): (i32, i32)) -> ProducerStamp {
    ProducerStamp {
        id: 7,
        epoch,
        first_sequence,
        last_sequence,
    }
}

fn after_batches(count: i32) -> Producers {
    let mut producers = Producers::default();
    for n in 0..count {
        producers.apply(&meta(0, (n, n), i64::from(n)), Timestamp(1_000 + i64::from(n)));
    }
    producers
}

#[test]
fn the_last_five_batches_are_told_to_be_duplicates_and_older_ones_are_out_of_order() {
    let producers = after_batches(8);
    for n in 3..8 {
        let offset = Offset(i64::from(n));
        assert_eq!(
            producers.check(&stamp(0, (n, n))),
            Ok(Verdict::Duplicate {
                first: offset,
                last: offset,
                timestamp: Some(Timestamp(0)),
                slot: None
            })
        );
    }
    assert_eq!(
        producers.check(&stamp(0, (2, 2))),
        Err(SequenceError::OutOfOrder {
            id: 7,
            got: 2,
            expected: 8
        })
    );
    assert_eq!(producers.check(&stamp(0, (8, 9))), Ok(Verdict::Append));
}

#[test]
fn a_range_that_is_not_exactly_one_of_the_known_ones_is_out_of_order() {
    let producers = after_batches(3);
    assert!(producers.check(&stamp(0, (1, 2))).is_err());
    assert!(producers.check(&stamp(0, (4, 4))).is_err());
}

#[test]
fn a_lower_epoch_is_fenced_and_a_higher_one_starts_at_zero() {
    let mut producers = Producers::default();
    producers.apply(&meta(3, (0, 4), 0), Timestamp(1));
    assert_eq!(
        producers.check(&stamp(2, (5, 5))),
        Err(SequenceError::Fenced {
            id: 7,
            got: 2,
            current: 3
        })
    );
    assert_eq!(producers.check(&stamp(4, (0, 0))), Ok(Verdict::Append));
    assert!(producers.check(&stamp(4, (5, 5))).is_err());
}

#[test]
fn sequences_wrap_to_zero() {
    let mut producers = Producers::default();
    producers.apply(&meta(0, (i32::MAX, i32::MAX), 0), Timestamp(1));
    assert_eq!(producers.check(&stamp(0, (0, 3))), Ok(Verdict::Append));
}

#[test]
fn an_unknown_producer_may_start_anywhere() {
    assert_eq!(
        Producers::default().check(&stamp(9, (41, 41))),
        Ok(Verdict::Append)
    );
}

#[test]
fn a_replay_over_a_snapshot_changes_nothing() {
    let before = after_batches(8);
    let mut after = Producers::from_snapshot(before.snapshot());
    for n in 0..8 {
        after.apply(&meta(0, (n, n), i64::from(n)), Timestamp(1_000 + i64::from(n)));
    }
    assert_eq!(after.snapshot(), before.snapshot());
}

#[test]
fn silence_is_measured_by_when_batches_were_appended() {
    let mut producers = after_batches(1);
    producers.expire(Timestamp(1_000 + 59_999), Duration::from_secs(60));
    assert_eq!(producers.snapshot().len(), 1);
    producers.expire(Timestamp(1_000 + 60_000), Duration::from_secs(60));
    assert!(producers.snapshot().is_empty());
}
