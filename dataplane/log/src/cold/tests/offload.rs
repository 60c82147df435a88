use std::sync::atomic::Ordering;

use firn_catalog::cell::{IncarnationState, LogCatalog, WalLocation};
use firn_catalog::ids::{IncarnationId, LeaderEpoch, NodeId, ObjectId, Offset, Slot};

use crate::cold::ColdError;
use crate::cold::offload::{OffloadBatch, OffloadError, OffloadSlot};
use crate::cold::testing::{Bed, partition, small};
use crate::partition::producers::Producers;

#[tokio::test(start_paused = true)]
async fn slots_are_free_only_after_the_checkpoint_and_objects_are_bounded() {
    let mut bed = Bed::new(1, 3, small()).await;
    for _ in 0..20 {
        bed.append(0, 1, 9_000, 1);
        bed.append(1, 1, 100, 1);
        bed.append(2, 1, 100, 1);
        bed.freeze();
    }
    let done = bed.checkpoint().await;
    assert_eq!((done.offloaded, *bed.log.freed.lock()), (Slot(20), Slot(20)));
    assert_eq!(
        done.ends,
        (0..3)
            .map(|index| (partition(index), Offset(20)))
            .collect::<Vec<_>>()
    );
    let rows = bed.catalog.live_objects().await.unwrap();
    assert_eq!(rows.len(), done.objects);
    assert!(
        rows.iter()
            .all(|row| row.size < 2 * bed.settings.offload.object_bytes)
    );
    let segments: Vec<_> = rows.iter().filter_map(|row| row.segment).collect();
    assert!(!segments.is_empty() && segments.iter().all(|range| range.partition == partition(0)));
    let incarnation = bed.catalog.incarnations().await.unwrap().remove(0);
    assert_eq!(incarnation.offloaded, Slot(20));
}

#[tokio::test(start_paused = true)]
async fn a_gap_stops_the_partition_and_nothing_from_its_slot_on_is_freed() {
    let mut bed = Bed::new(2, 2, small()).await;
    for _ in 0..6 {
        bed.append(0, 1, 50, 1);
        bed.append(1, 1, 50, 1);
        bed.freeze();
    }
    bed.log
        .slots
        .lock()
        .get_mut(&Slot(3))
        .unwrap()
        .batches
        .retain(|batch| batch.meta().partition != partition(1));
    let done = bed.checkpoint().await;
    assert_eq!((done.offloaded, *bed.log.freed.lock()), (Slot(4), Slot(4)));
    let gap = ColdError::Gap {
        partition: partition(1),
        expected: Offset(3),
        found: Offset(4),
    };
    assert_eq!(done.stopped, vec![(partition(1), gap)]);
    assert_eq!(bed.tier.bounds(partition(0)), Some((Offset(0), Offset(4))));
    assert_eq!(bed.tier.bounds(partition(1)), Some((Offset(0), Offset(3))));
}

#[tokio::test(start_paused = true)]
async fn offsets_that_were_deleted_may_be_missing() {
    let mut bed = Bed::new(2, 1, small()).await;
    for _ in 0..6 {
        bed.append(0, 1, 50, 1);
        bed.freeze();
    }
    bed.log.slots.lock().get_mut(&Slot(2)).unwrap().batches.clear();
    bed.log.log_starts.insert(partition(0), Offset(3));
    let done = bed.checkpoint().await;
    assert_eq!((done.offloaded, done.stopped), (Slot(6), vec![]));
    bed.restart().await;
    assert_eq!(bed.tier.bounds(partition(0)), Some((Offset(3), Offset(6))));
    assert_eq!(bed.tier.verify(partition(0), Offset(3), Offset(0)), Ok(()));
    let gap = bed.tier.verify(partition(0), Offset(2), Offset(0));
    assert!(matches!(gap, Err(ColdError::Gap { .. })), "{gap:?}");
    assert!(matches!(
        bed.tier.read(partition(0), Offset(2), 1).await,
        Err(ColdError::Gap { .. })
    ));
    bed.assert_reads(0, Offset(3), 1).await;
}

#[tokio::test(start_paused = true)]
async fn the_same_range_twice_changes_nothing() {
    let mut bed = Bed::new(3, 1, small()).await;
    bed.append(0, 3, 50, 1);
    bed.freeze();
    bed.append(0, 3, 50, 1);
    bed.freeze();
    bed.checkpoint().await;
    let again = bed.tier.checkpoint(bed.own, bed.slots(), &bed.log).await.unwrap();
    assert_eq!(
        (again.offloaded, again.objects, again.stopped),
        (Slot(2), 0, vec![])
    );
    // The answer to the first may have been lost: whoever asks has to learn where the cold log ends.
    assert_eq!(again.ends, vec![(partition(0), Offset(6))]);
    assert_eq!(bed.tier.bounds(partition(0)), Some((Offset(0), Offset(6))));
}

#[tokio::test(start_paused = true)]
async fn damaged_batches_never_become_cold() {
    let mut bed = Bed::new(4, 1, small()).await;
    bed.append(0, 3, 50, 1);
    bed.freeze();
    let size = bed.model[&partition(0)][0].bytes.len();
    for at in 0..size {
        let slots = bed.log.slots.lock().clone();
        {
            let mut slots = bed.log.slots.lock();
            let batch = &mut slots.get_mut(&Slot(0)).unwrap().batches[0];
            let mut bytes = batch.bytes().to_vec();
            bytes[at] ^= 4;
            *batch = OffloadBatch::new(batch.meta().clone(), bytes.into());
        }
        let refused = bed.tier.checkpoint(bed.own, bed.slots(), &bed.log).await;
        assert!(
            matches!(refused, Err(OffloadError::Wal(_))),
            "byte {at}: {refused:?}"
        );
        *bed.log.slots.lock() = slots;
    }
    assert_eq!(
        (bed.tier.bounds(partition(0)), *bed.log.freed.lock()),
        (None, Slot(0))
    );
}

#[tokio::test(start_paused = true)]
async fn a_damaged_slot_ends_the_checkpoint_before_it_and_nothing_is_stored_twice() {
    let mut bed = Bed::new(4, 1, small()).await;
    for _ in 0..4 {
        bed.append(0, 1, 50, 1);
        bed.freeze();
    }
    {
        let mut slots = bed.log.slots.lock();
        let batch = &mut slots.get_mut(&Slot(2)).unwrap().batches[0];
        *batch = OffloadBatch::new(batch.meta().clone(), vec![7; 100].into());
    }
    let done = bed.checkpoint().await;
    assert_eq!(
        (done.offloaded, done.objects, *bed.log.freed.lock()),
        (Slot(2), 1, Slot(2))
    );
    for _ in 0..3 {
        let rest = Slot(2)..Slot(4);
        let refused = bed.tier.checkpoint(bed.own, rest, &bed.log).await;
        assert!(matches!(refused, Err(OffloadError::Wal(_))), "{refused:?}");
    }
    assert_eq!(bed.store.names().await.len(), 1);
    assert_eq!(bed.tier.bounds(partition(0)), Some((Offset(0), Offset(2))));
}

#[tokio::test(start_paused = true)]
async fn a_slot_that_cannot_be_read_now_is_asked_for_again_and_nothing_is_stored_twice() {
    let mut bed = Bed::new(4, 1, small()).await;
    for _ in 0..8 {
        bed.append(0, 1, 15_000, 1);
        bed.freeze();
    }
    bed.log.unanswered.store(9, Ordering::SeqCst);
    let done = bed.checkpoint().await;
    assert!(done.objects > 1, "one is stored before the last slot is read");
    assert_eq!(done.offloaded, Slot(8));
    assert_eq!(bed.store.names().await.len(), done.objects);
}

#[tokio::test(start_paused = true)]
async fn what_was_stored_for_a_drain_that_failed_is_given_up() {
    let mut bed = Bed::new(4, 2, small()).await;
    for _ in 0..20 {
        bed.append(0, 1, 9_000, 1);
        bed.append(1, 1, 50, 1);
        bed.freeze();
    }
    let gap = |meta: &crate::batch::BatchMeta| meta.partition == partition(1);
    let removed = |slot: &mut OffloadSlot| slot.batches.retain(|batch| !gap(batch.meta()));
    removed(bed.log.slots.lock().get_mut(&Slot(18)).unwrap());
    let refused = bed
        .tier
        .drain(bed.own, IncarnationId(9), bed.slots(), &bed.log)
        .await;
    assert!(matches!(refused, Err(OffloadError::Stopped(_))), "{refused:?}");
    assert!(!bed.store.names().await.is_empty());
    bed.clock.0.fetch_add(86_400_000, Ordering::SeqCst);
    bed.tier.collect_garbage().await.unwrap();
    assert_eq!(
        bed.store.names().await,
        [],
        "their registrar is open all the while"
    );
}

#[tokio::test(start_paused = true)]
async fn nobody_reads_the_rows_between_a_transaction_and_its_publication() {
    let mut bed = Bed::new(5, 1, small()).await;
    bed.append(0, 3, 50, 1);
    bed.freeze();
    let patience = std::time::Duration::from_secs(60);
    let changing = bed.tier.changing.lock().await;
    let checkpoint = bed.tier.checkpoint(bed.own, bed.slots(), &bed.log);
    assert!(tokio::time::timeout(patience, checkpoint).await.is_err());
    assert_eq!(bed.catalog.live_objects().await.unwrap(), [], "it was not sent");
    let refused = bed.tier.refresh().await.unwrap_err();
    assert!(refused.is_retriable(), "{refused}");
    drop(changing);
    bed.checkpoint().await;
    bed.tier.refresh().await.unwrap();
    bed.assert_reads(0, Offset(0), 1).await;
}

#[tokio::test(start_paused = true)]
async fn uploads_go_on_until_they_succeed_whether_or_not_the_first_was_applied() {
    let mut bed = Bed::new(5, 1, small()).await;
    bed.append(0, 3, 50, 1);
    bed.freeze();
    bed.store.fail_puts.store(4, Ordering::SeqCst);
    bed.store.drop_put_answers.store(2, Ordering::SeqCst);
    assert_eq!(bed.checkpoint().await.objects, 1);
    assert_eq!(bed.store.names().await.len(), 1);
    bed.assert_reads(0, Offset(0), 1).await;
}

#[tokio::test(start_paused = true)]
async fn producers_and_epochs_come_back_from_the_newest_object() {
    let mut bed = Bed::new(6, 1, small()).await;
    let mut expected = Producers::default();
    for round in 0..4 {
        bed.epoch = LeaderEpoch(round / 2 * 3);
        for batch in 0..3 {
            bed.append_as(
                0,
                2,
                20,
                1,
                Some((i64::from(900 + round % 2), (round / 2 * 3 + batch) * 2)),
            );
        }
        let slot = bed.freeze();
        for batch in &bed.log.slots.lock()[&slot].batches {
            expected.apply(batch.meta(), bed.env.now());
        }
        bed.clock.0.fetch_add(1_000, Ordering::SeqCst);
        bed.checkpoint().await;
        bed.restart().await;
        let tail = bed.tier.tail_state(partition(0)).await.unwrap().unwrap();
        assert_eq!(tail.producers, expected.snapshot());
    }
    let epochs = vec![(LeaderEpoch(0), Offset(0)), (LeaderEpoch(3), Offset(12))];
    assert_eq!(bed.tier.epochs(partition(0)).await.unwrap(), epochs);
    assert_eq!(bed.tier.tail_state(partition(1)).await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn records_of_deleted_topics_are_passed_over() {
    let mut bed = Bed::new(7, 1, small()).await;
    bed.append(0, 1, 50, 1);
    bed.append(1, 1, 50, 1);
    bed.freeze();
    let done = bed.checkpoint().await;
    assert_eq!(
        (done.offloaded, done.ends),
        (Slot(1), vec![(partition(0), Offset(1))])
    );
    assert_eq!(bed.tier.bounds(partition(1)), None);
}

#[tokio::test(start_paused = true)]
async fn a_drain_makes_the_objects_live_and_the_log_drained_in_one_transaction() {
    let mut bed = Bed::new(8, 1, small()).await;
    bed.append(0, 3, 50, 1);
    bed.freeze();
    let (dead, heir) = (bed.own, IncarnationId(2));
    bed.catalog
        .open_incarnation(heir, NodeId(0), WalLocation::Object, bed.env.now())
        .await
        .unwrap();
    bed.catalog.claim_seal(heir, dead).await.unwrap();
    let refused = bed.tier.checkpoint(dead, bed.slots(), &bed.log).await;
    assert!(
        matches!(&refused, Err(error) if !error.is_retriable()),
        "{refused:?}"
    );
    assert_eq!(*bed.log.freed.lock(), Slot(0));
    let index = ObjectId(5);
    let kind = firn_catalog::cell::ObjectKind::RecoveryIndex;
    bed.catalog
        .register_object(heir, index, kind, bed.env.now())
        .await
        .unwrap();
    bed.catalog
        .complete_seal(heir, dead, Slot(1), index, heir)
        .await
        .unwrap();
    let done = bed.tier.drain(heir, dead, bed.slots(), &bed.log).await.unwrap();
    assert_eq!((done.offloaded, *bed.log.freed.lock()), (Slot(1), Slot(1)));
    let state = bed.catalog.incarnations().await.unwrap()[0].state;
    assert_eq!(state, IncarnationState::Drained);
    bed.assert_reads(0, Offset(0), 1).await;
}

#[tokio::test(start_paused = true)]
async fn a_sealed_log_with_a_gap_is_not_drained_at_all() {
    let mut bed = Bed::new(9, 1, small()).await;
    for _ in 0..3 {
        bed.append(0, 1, 50, 1);
        bed.freeze();
    }
    bed.log.slots.lock().get_mut(&Slot(1)).unwrap().batches.clear();
    let refused = bed
        .tier
        .drain(bed.own, IncarnationId(9), bed.slots(), &bed.log)
        .await;
    assert!(
        matches!(refused, Err(OffloadError::Stopped(ColdError::Gap { .. }))),
        "{refused:?}"
    );
    assert_eq!(*bed.log.freed.lock(), Slot(0));
}
