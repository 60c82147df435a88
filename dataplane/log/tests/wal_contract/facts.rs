//! What every write-ahead log does. Each fact gets a log that no other fact writes to.

use std::sync::Arc;

use bytes::Bytes;
use firn_catalog::ids::{IncarnationId, LeaderEpoch, Offset, PartitionId, Slot, TopicId};
use firn_log::batch::{BatchBuilder, BatchHeader, BatchMeta, patch};
use firn_log::wal::slot::{Fence, Register, encode};
use firn_log::wal::{PendingBatch, PutOutcome, WalError, WriteAheadLog};
use firn_runtime::Timestamp;

type Log = Arc<dyn WriteAheadLog>;

pub const ME: IncarnationId = IncarnationId(0x0a);
pub const OTHER: IncarnationId = IncarnationId(0x0b);

/// The pieces of a slot with `batches` batches that carry `text`.
pub fn slot_of(incarnation: IncarnationId, slot: u64, batches: usize, text: &str) -> Vec<Bytes> {
    let batches = (0..batches as i64).map(|number| {
        let partition = PartitionId {
            topic: TopicId(7),
            index: i32::try_from(number % 3).unwrap(),
        };
        let mut bytes = BatchBuilder::new().record(1, None, Some(text.as_bytes())).build();
        patch(&mut bytes, Offset(number), LeaderEpoch(0));
        let meta = BatchMeta::of(partition, &BatchHeader::read(&bytes).unwrap(), None);
        PendingBatch {
            meta,
            bytes: bytes.freeze(),
        }
    });
    encode(
        incarnation,
        Slot(slot),
        slot.checked_sub(1).map(Slot),
        Timestamp(5),
        batches.collect(),
    )
    .0
}

pub async fn put(log: &Log, slot: u64, text: &str) -> PutOutcome {
    log.put_if_absent(ME, Slot(slot), slot_of(ME, slot, 2, text))
        .await
        .unwrap()
}

pub async fn a_register_is_absent_until_it_is_put(log: Log) {
    assert_eq!(log.get(ME, Slot(0)).await, Ok(None));
    assert_eq!(log.get_front(ME, Slot(0)).await, Ok(None));
    assert_eq!(log.get_range(ME, Slot(0), 0..1).await, Ok(None));
    assert_eq!(put(&log, 0, "here").await, PutOutcome::Written);
    assert_eq!(
        log.get(ME, Slot(0)).await,
        Ok(Some(slot_of(ME, 0, 2, "here").concat().into()))
    );
    assert_eq!(log.get(ME, Slot(1)).await, Ok(None));
}

pub async fn a_second_put_changes_nothing_and_says_so(log: Log) {
    assert_eq!(put(&log, 0, "first").await, PutOutcome::Written);
    assert_eq!(put(&log, 0, "second").await, PutOutcome::Exists);
    assert_eq!(put(&log, 0, "first").await, PutOutcome::Exists);
    assert_eq!(
        log.get(ME, Slot(0)).await,
        Ok(Some(slot_of(ME, 0, 2, "first").concat().into()))
    );
}

pub async fn of_racing_puts_exactly_one_wins_and_its_bytes_stay(log: Log) {
    for slot in 0..8 {
        let texts: Vec<String> = (0..6).map(|racer| format!("racer {racer}")).collect();
        let racers = texts.iter().map(|text| put(&log, slot, text));
        let outcomes = futures::future::join_all(racers).await;
        let winners: Vec<_> = outcomes
            .iter()
            .zip(&texts)
            .filter(|(outcome, _)| **outcome == PutOutcome::Written)
            .collect();
        assert_eq!(winners.len(), 1, "slot {slot}: {outcomes:?}");
        let expected: Bytes = slot_of(ME, slot, 2, winners[0].1).concat().into();
        assert_eq!(log.get(ME, Slot(slot)).await, Ok(Some(expected)));
    }
}

pub async fn slots_may_be_put_in_any_order(log: Log) {
    let order = [5, 2, 9, 0, 7];
    for slot in order {
        assert_eq!(put(&log, slot, "any").await, PutOutcome::Written);
    }
    for slot in 0..10 {
        assert_eq!(
            log.get(ME, Slot(slot)).await.unwrap().is_some(),
            order.contains(&slot),
            "slot {slot}"
        );
    }
}

pub async fn the_front_holds_header_and_index_however_long(log: Log) {
    for (slot, batches) in [(0, 1), (1, 5_000)] {
        let pieces = slot_of(ME, slot, batches, "x");
        log.put_if_absent(ME, Slot(slot), pieces.clone()).await.unwrap();
        let front = log.get_front(ME, Slot(slot)).await.unwrap().unwrap();
        assert!(front.starts_with(&pieces[0]));
        let Ok(Register::Slot(parsed)) = Register::parse_front(&front) else {
            panic!("a slot")
        };
        assert_eq!(parsed.batches.len(), batches);
    }
}

pub async fn ranges_are_exact_and_one_past_the_end_is_damage(log: Log) {
    assert_eq!(put(&log, 3, &"long ".repeat(3_000)).await, PutOutcome::Written);
    let whole = log.get(ME, Slot(3)).await.unwrap().unwrap();
    let end = whole.len() as u64;
    for range in [0..1, 0..end, 4_095..4_097, end - 1..end, 5..5] {
        let expected =
            whole.slice(usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap());
        assert_eq!(log.get_range(ME, Slot(3), range).await, Ok(Some(expected)));
    }
    for range in [end - 1..end + 1, end + 10..end + 20] {
        assert!(matches!(
            log.get_range(ME, Slot(3), range).await,
            Err(WalError::Corrupt(_))
        ));
    }
}

pub async fn incarnations_have_rows_of_their_own(log: Log) {
    assert_eq!(put(&log, 0, "mine").await, PutOutcome::Written);
    assert_eq!(log.get(OTHER, Slot(0)).await, Ok(None));
    let theirs = slot_of(OTHER, 0, 1, "theirs");
    assert_eq!(
        log.put_if_absent(OTHER, Slot(0), theirs.clone()).await,
        Ok(PutOutcome::Written)
    );
    assert_eq!(log.get(OTHER, Slot(0)).await, Ok(Some(theirs.concat().into())));
}

pub async fn a_fence_takes_an_absent_slot_for_ever(log: Log) {
    for slot in 0..3 {
        assert_eq!(put(&log, slot, "data").await, PutOutcome::Written);
    }
    let fence = |slot| {
        Fence {
            sealer: OTHER,
            dead: ME,
            slot: Slot(slot),
        }
        .encode()
    };
    assert_eq!(
        log.put_if_absent(ME, Slot(2), vec![fence(2)]).await,
        Ok(PutOutcome::Exists)
    );
    assert_eq!(
        log.put_if_absent(ME, Slot(3), vec![fence(3)]).await,
        Ok(PutOutcome::Written)
    );
    assert_eq!(put(&log, 3, "too late").await, PutOutcome::Exists);
    let found = log.get(ME, Slot(3)).await.unwrap().unwrap();
    assert!(matches!(Register::verify_whole(&found), Ok(Register::Fence(_))));
    let front = log.get_front(ME, Slot(3)).await.unwrap().unwrap();
    assert!(matches!(Register::parse_front(&front), Ok(Register::Fence(_))));
    log.delete(ME, Slot(0)..Slot(3)).await.unwrap();
    assert_eq!(log.get(ME, Slot(3)).await, Ok(Some(fence(3))));
}

pub async fn deleting_spares_what_is_outside_the_range_and_may_be_repeated(log: Log) {
    for slot in 0..6 {
        assert_eq!(put(&log, slot, "data").await, PutOutcome::Written);
    }
    for _ in 0..2 {
        log.delete(ME, Slot(0)..Slot(4)).await.unwrap();
        log.delete(OTHER, Slot(0)..Slot(4)).await.unwrap();
    }
    for slot in 4..6 {
        let kept = log.get(ME, Slot(slot)).await.unwrap();
        assert_eq!(kept, Some(slot_of(ME, slot, 2, "data").concat().into()));
    }
    for slot in 0..4 {
        let found = log.get(ME, Slot(slot)).await.unwrap();
        if log.is_local() {
            assert!(found.is_none_or(|bytes| bytes == slot_of(ME, slot, 2, "data").concat()));
        } else {
            assert_eq!(found, None);
        }
    }
}

/// `reopen` gives the same log as the next process finds it.
pub async fn what_was_written_is_there_for_the_next_process(log: Log, reopen: impl AsyncFnOnce(Log) -> Log) {
    for slot in 0..40 {
        assert_eq!(
            put(&log, slot, &"word ".repeat(100 * usize::try_from(slot).unwrap())).await,
            PutOutcome::Written
        );
    }
    let log = reopen(log).await;
    for slot in 0..40 {
        let expected = slot_of(ME, slot, 2, &"word ".repeat(100 * usize::try_from(slot).unwrap()));
        assert_eq!(
            log.get(ME, Slot(slot)).await,
            Ok(Some(expected.concat().into())),
            "slot {slot}"
        );
        assert_eq!(put(&log, slot, "again").await, PutOutcome::Exists);
    }
    assert_eq!(log.get(ME, Slot(40)).await, Ok(None));
    let fence = Fence {
        sealer: OTHER,
        dead: ME,
        slot: Slot(40),
    }
    .encode();
    assert_eq!(
        log.put_if_absent(ME, Slot(40), vec![fence]).await,
        Ok(PutOutcome::Written)
    );
}
