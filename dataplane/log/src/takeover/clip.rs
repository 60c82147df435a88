//! Which batches of sealed logs belong to a partition's log.

use firn_catalog::cell::PartitionRow;
use firn_catalog::ids::{IncarnationId, Offset, PartitionId, Slot};

use super::SealedBatch;

/// What one sealed, undrained log says of one partition.
#[derive(Clone, Copy, Debug)]
pub struct SealedLog<'a> {
    /// Whose log.
    pub incarnation: IncarnationId,
    /// Its batches of the partition, in slot order.
    pub batches: &'a [SealedBatch],
}

/// The part of a partition's log between its cold end and its owner's own write-ahead log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clipped {
    /// The batches, in offset order without a gap, and in whose log each is.
    pub batches: Vec<(IncarnationId, SealedBatch)>,
    /// Where the owner goes on.
    pub end: Offset,
}

/// The chain is broken: records are missing, or two logs claim one offset. The partition must stop, with an alarm:
/// serving on would hide a loss.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the log of partition {partition} is broken: it goes on at offset {expected}, but slot {slot} of \
     incarnation {incarnation} has {found} next"
)]
pub struct Gap {
    /// Whose log.
    pub partition: PartitionId,
    /// The offset that must come next.
    pub expected: Offset,
    /// The offset that comes next.
    pub found: Offset,
    /// In whose log.
    pub incarnation: IncarnationId,
    /// In which slot.
    pub slot: Slot,
}

/// Chains cold objects and sealed logs: cold end -> the logs of earlier owners in the order of their leader epochs.
///
/// A batch counts only if its epoch is below the current one (every seal raises it, so an epoch has one writer) and
/// it lies past `cold_end`. What is missing below the log start was deleted and may be missing. `logs` may come
/// in any order. That the topic exists is shown by `row`.
pub fn clip(row: &PartitionRow, cold_end: Offset, logs: &[SealedLog<'_>]) -> Result<Clipped, Gap> {
    let mut batches: Vec<(IncarnationId, &SealedBatch)> = logs
        .iter()
        .flat_map(|log| log.batches.iter().map(|batch| (log.incarnation, batch)))
        .filter(|(_, batch)| batch.meta.partition == row.id)
        .filter(|(_, batch)| batch.meta.leader_epoch < row.leader_epoch && batch.meta.end() > cold_end)
        .collect();
    // Stable, so that each log's own order stays to be checked.
    batches.sort_by_key(|(_, batch)| batch.meta.leader_epoch);
    let mut end = cold_end;
    for (incarnation, batch) in &batches {
        let first = batch.meta.first;
        let deleted_between = first > end && first <= row.log_start;
        if first != end && !deleted_between {
            return Err(Gap {
                partition: row.id,
                expected: end,
                found: first,
                incarnation: *incarnation,
                slot: batch.slot,
            });
        }
        end = batch.meta.end();
    }
    Ok(Clipped {
        batches: batches
            .into_iter()
            .map(|(incarnation, batch)| (incarnation, batch.clone()))
            .collect(),
        end: end.max(row.log_start).max(row.end_hint),
    })
}

#[cfg(test)]
mod tests {
    use firn_catalog::ids::LeaderEpoch;
    use firn_runtime::Timestamp;

    use super::*;
    use crate::takeover::testing::{batch, partition};

    const A: IncarnationId = IncarnationId(0xa);
    const B: IncarnationId = IncarnationId(0xb);

    fn row(epoch: i32, log_start: i64) -> PartitionRow {
        PartitionRow {
            id: partition(1, 0),
            owner: IncarnationId(0xc),
            leader_epoch: LeaderEpoch(epoch),
            log_start: Offset(log_start),
            end_hint: Offset(0),
        }
    }

    /// Batches of ten records each, in slots from 0, the first at `first`.
    fn run(epoch: i32, first: i64, batches: u64) -> Vec<SealedBatch> {
        let mut at = first;
        (0..batches)
            .map(|slot| {
                let meta = batch(partition(1, 0), epoch, at, at + 9);
                at += 10;
                SealedBatch {
                    slot: Slot(slot),
                    appended_at: Timestamp(0),
                    position: 64,
                    meta,
                }
            })
            .collect()
    }

    fn log(incarnation: IncarnationId, batches: &[SealedBatch]) -> SealedLog<'_> {
        SealedLog { incarnation, batches }
    }

    fn firsts(clipped: &Clipped) -> Vec<(IncarnationId, i64)> {
        clipped
            .batches
            .iter()
            .map(|(who, batch)| (*who, batch.meta.first.0))
            .collect()
    }

    #[test]
    fn a_double_takeover_chains_cold_then_a_then_b_whatever_order_they_come_in() {
        let (a, b) = (run(0, 0, 3), run(1, 30, 2));
        for logs in [[log(A, &a), log(B, &b)], [log(B, &b), log(A, &a)]] {
            let clipped = clip(&row(2, 0), Offset(10), &logs).unwrap();
            assert_eq!(firsts(&clipped), [(A, 10), (A, 20), (B, 30), (B, 40)]);
            assert_eq!(clipped.end, Offset(50));
        }
    }

    #[test]
    fn a_log_that_is_forgotten_leaves_a_gap_that_is_reported() {
        let b = run(1, 30, 2);
        let gap = clip(&row(2, 0), Offset(10), &[log(B, &b)]).unwrap_err();
        assert_eq!(
            (gap.expected, gap.found, gap.incarnation),
            (Offset(10), Offset(30), B)
        );
    }

    #[test]
    fn what_is_in_cold_objects_already_does_not_count_again() {
        let a = run(0, 0, 3);
        let clipped = clip(&row(1, 0), Offset(30), &[log(A, &a)]).unwrap();
        assert_eq!((clipped.batches, clipped.end), (Vec::new(), Offset(30)));
    }

    #[test]
    fn batches_of_the_current_epoch_or_a_later_one_do_not_count() {
        let (mut a, late) = (run(0, 0, 2), run(1, 20, 1));
        a.extend(late);
        let clipped = clip(&row(1, 0), Offset(0), &[log(A, &a)]).unwrap();
        assert_eq!(
            (firsts(&clipped), clipped.end),
            (vec![(A, 0), (A, 10)], Offset(20))
        );
    }

    #[test]
    fn two_logs_that_claim_one_offset_stop_the_partition() {
        let (a, b) = (run(0, 0, 2), run(1, 10, 2));
        let gap = clip(&row(2, 0), Offset(0), &[log(A, &a), log(B, &b)]).unwrap_err();
        assert_eq!((gap.expected, gap.found), (Offset(20), Offset(10)));
    }

    #[test]
    fn a_batch_that_straddles_the_cold_end_stops_the_partition() {
        let a = run(0, 0, 2);
        assert!(clip(&row(1, 0), Offset(5), &[log(A, &a)]).is_err());
    }

    #[test]
    fn only_what_lies_below_the_log_start_may_be_missing() {
        let a = run(0, 50, 1);
        assert_eq!(
            clip(&row(1, 50), Offset(20), &[log(A, &a)]).unwrap().end,
            Offset(60)
        );
        assert!(clip(&row(1, 49), Offset(20), &[log(A, &a)]).is_err());
    }

    #[test]
    fn an_empty_log_goes_on_at_its_log_start_or_where_its_last_object_ended() {
        let mut row = row(3, 70);
        assert_eq!(clip(&row, Offset(0), &[]).unwrap().end, Offset(70));
        row.end_hint = Offset(90);
        assert_eq!(clip(&row, Offset(0), &[]).unwrap().end, Offset(90));
    }
}
