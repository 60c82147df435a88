//! Merge, retention, garbage collection.

use std::sync::atomic::Ordering;
use std::time::Duration;

use firn_catalog::cell::{LogCatalog, ObjectKind, WalLocation};
use firn_catalog::ids::{IncarnationId, NodeId, Offset};

use crate::cold::ColdError;
use crate::cold::retention::{RetentionPolicy, RetentionSubject};
use crate::cold::testing::{Bed, TOPIC, partition, small};

const DAY: i64 = 86_400_000;

async fn checkpoints(bed: &mut Bed, rounds: i64, partitions: i32) {
    for _ in 0..rounds {
        for index in 0..partitions {
            let size = if index == 0 { 9_000 } else { 200 };
            bed.append(index, 2, size, bed.env.now().0);
        }
        bed.freeze();
        bed.checkpoint().await;
        bed.clock.0.fetch_add(60_000, Ordering::SeqCst);
    }
}

fn keep(retention_ms: Option<i64>, retention_bytes: Option<u64>) -> RetentionPolicy {
    RetentionPolicy {
        retention_ms,
        retention_bytes,
        deletes: true,
    }
}

#[tokio::test(start_paused = true)]
async fn merged_objects_hold_the_same_records_for_readers_old_and_new() {
    let mut bed = Bed::new(1, 4, small()).await;
    bed.settings.offload.segment_min_bytes = 1 << 30;
    bed.restart().await;
    checkpoints(&mut bed, 10, 4).await;
    let before = bed.catalog.live_objects().await.unwrap().len();
    assert_eq!(before, 10);
    let tail = bed.tier.tail_state(partition(1)).await.unwrap();
    let reading = bed.assert_reads(1, Offset(0), 1);
    let merging = async { while bed.tier.merge(bed.own).await.unwrap().is_some() {} };
    futures::join!(reading, merging);
    let rows = bed.catalog.live_objects().await.unwrap();
    assert!(rows.len() < before, "{} objects", rows.len());
    assert!(
        rows.iter().any(|row| row.kind == ObjectKind::Segment),
        "the busy partition gets its own object"
    );
    assert_eq!(bed.tier.tail_state(partition(1)).await.unwrap(), tail);
    for _ in 0..2 {
        for index in 0..4 {
            bed.assert_reads(index, Offset(0), 5_000).await;
        }
        bed.restart().await;
    }
    // The objects that were merged are still there for those who read them, and go after the grace period.
    assert!(bed.store.names().await.len() > rows.len());
    assert_eq!(bed.tier.collect_garbage().await.unwrap(), 0);
    bed.clock.0.fetch_add(DAY, Ordering::SeqCst);
    assert!(bed.tier.collect_garbage().await.unwrap() > 0);
    assert_eq!(bed.store.names().await.len(), rows.len());
}

#[tokio::test(start_paused = true)]
async fn a_merge_under_another_brokers_feet_sends_it_back_to_the_rows() {
    let mut bed = Bed::new(2, 2, small()).await;
    checkpoints(&mut bed, 6, 2).await;
    let other = bed.try_open().await.unwrap();
    while bed.tier.merge(bed.own).await.unwrap().is_some() {}
    bed.clock.0.fetch_add(DAY, Ordering::SeqCst);
    assert!(bed.tier.collect_garbage().await.unwrap() > 0);
    // The other one still has the old objects in its map; they are gone.
    bed.tier = other;
    bed.assert_reads(1, Offset(0), 1).await;
    bed.assert_reads(0, Offset(0), 1).await;
}

#[tokio::test(start_paused = true)]
async fn what_was_stored_for_a_merge_that_came_too_late_is_given_up() {
    let mut bed = Bed::new(2, 2, small()).await;
    checkpoints(&mut bed, 6, 2).await;
    let other = bed.try_open().await.unwrap();
    assert!(bed.tier.merge(bed.own).await.unwrap().is_some());
    let before = bed.store.names().await.len();
    assert_eq!(other.merge(bed.own).await.unwrap(), None);
    assert!(bed.store.names().await.len() > before);
    bed.clock.0.fetch_add(DAY, Ordering::SeqCst);
    bed.tier.collect_garbage().await.unwrap();
    let live = bed.catalog.live_objects().await.unwrap().len();
    assert_eq!(bed.store.names().await.len(), live);
}

#[tokio::test(start_paused = true)]
async fn one_that_keeps_its_records_for_ever_does_not_keep_those_of_its_neighbours() {
    let mut bed = Bed::new(3, 12, small()).await;
    bed.settings.offload.segment_min_bytes = 1 << 30;
    bed.settings.merge.segment_min_bytes = 1 << 30;
    bed.restart().await;
    let mut written = 0;
    for _ in 0..24 {
        for index in 0..12 {
            let size = if index == 0 { 100 } else { 1_000 };
            bed.append(index, 2, size, bed.env.now().0);
        }
        bed.freeze();
        written += bed.checkpoint().await.bytes;
        bed.clock.0.fetch_add(60_000, Ordering::SeqCst);
        let policy = |index| keep((index > 0).then_some(150_000), None);
        let subjects: Vec<_> = (0..12).map(|index| bed.subject(index, policy(index))).collect();
        bed.tier.retain(bed.own, &subjects).await.unwrap();
        while bed.tier.merge(bed.own).await.unwrap().is_some() {}
    }
    let rows = bed.catalog.live_objects().await.unwrap();
    let stored: u64 = rows.iter().map(|row| row.size).sum();
    assert!(
        stored * 3 < written,
        "{stored} of {written} bytes are still there"
    );
    for _ in 0..2 {
        bed.assert_reads(0, Offset(0), 1_000).await;
        for index in 1..12 {
            let row = bed.catalog.partition(partition(index)).unwrap();
            assert!(row.log_start > Offset(30));
            assert_eq!(bed.tier.verify(row.id, row.log_start, row.end_hint), Ok(()));
            // One who looked at the log start before it rose must not take what was left out for lost.
            if bed.tier.bounds(row.id).unwrap().0 > Offset(0) {
                let told = bed.tier.read(row.id, Offset(0), 1).await;
                assert!(told.is_err_and(|error| !matches!(error, ColdError::Lost { .. })));
            }
            bed.assert_reads(index, row.log_start, 1_000).await;
            assert_eq!(bed.tier.bounds(row.id).unwrap().1, Offset(48));
        }
        bed.restart().await;
    }
    checkpoints(&mut bed, 1, 12).await;
}

#[tokio::test(start_paused = true)]
async fn a_merge_that_leaves_records_out_is_no_gap_for_a_checkpoint_that_looked_before() {
    let mut bed = Bed::new(4, 2, small()).await;
    bed.settings.offload.segment_min_bytes = 1 << 30;
    bed.restart().await;
    for _ in 0..6 {
        bed.append(0, 1, 3_000, bed.env.now().0);
        bed.append(1, 1, 50, bed.env.now().0);
        bed.freeze();
        bed.checkpoint().await;
        bed.clock.0.fetch_add(60_000, Ordering::SeqCst);
    }
    let subjects = vec![
        bed.subject(0, keep(Some(100_000), None)),
        bed.subject(1, keep(None, None)),
    ];
    bed.tier.retain(bed.own, &subjects).await.unwrap();
    while bed.tier.merge(bed.own).await.unwrap().is_some() {}
    assert!(bed.tier.bounds(partition(0)).unwrap().0 > Offset(0));
    // The source still has the log start of before.
    assert_eq!(bed.tier.verify(partition(0), Offset(0), Offset(0)), Ok(()));
    checkpoints(&mut bed, 1, 2).await;
    assert_eq!(bed.tier.bounds(partition(0)).unwrap().1, Offset(8));
}

#[tokio::test(start_paused = true)]
async fn what_a_checkpoint_moves_between_two_looks_is_counted_once() {
    let mut bed = Bed::new(4, 1, small()).await;
    checkpoints(&mut bed, 2, 1).await;
    bed.append(0, 2, 9_000, bed.env.now().0);
    bed.freeze();
    let last = bed.model[&partition(0)].last().unwrap().clone();
    let bytes = last.bytes.len() as u64;
    let subject = |bed: &Bed, keeps| RetentionSubject {
        local: vec![(last.end, bytes)],
        ..bed.subject(0, keep(None, Some(keeps)))
    };
    let (early, rises) = (subject(&bed, 2 * bytes + 1), subject(&bed, 2 * bytes));
    bed.checkpoint().await;
    let done = bed.tier.retain(bed.own, &[early]).await.unwrap();
    assert_eq!(done.log_starts, [], "three extents of which two are not enough");
    let done = bed.tier.retain(bed.own, &[rises]).await.unwrap();
    assert_eq!(done.log_starts[0].log_start, Offset(2));
}

#[tokio::test(start_paused = true)]
async fn local_records_count_towards_the_size() {
    let mut bed = Bed::new(4, 1, small()).await;
    checkpoints(&mut bed, 2, 1).await;
    let bytes = bed.tier.sizes(partition(0)) / 2;
    let subject = RetentionSubject {
        local: vec![(Offset(6), bytes)],
        ..bed.subject(0, keep(None, Some(2 * bytes)))
    };
    let done = bed.tier.retain(bed.own, &[subject]).await.unwrap();
    assert_eq!(done.log_starts[0].log_start, Offset(2));
}

#[tokio::test(start_paused = true)]
async fn retention_that_goes_on_after_a_checkpoint_has_looked_is_no_gap() {
    let mut bed = Bed::new(4, 1, small()).await;
    checkpoints(&mut bed, 5, 1).await;
    let round = vec![bed.subject(0, keep(None, Some(40_000)))];
    assert_eq!(bed.tier.retain(bed.own, &round).await.unwrap().removed, 2);
    // The source still has the log start of before.
    bed.append(0, 1, 50, 1);
    bed.freeze();
    let done = bed.checkpoint().await;
    assert_eq!(done.stopped, []);
    assert_eq!(bed.tier.bounds(partition(0)), Some((Offset(4), Offset(11))));
}

#[tokio::test(start_paused = true)]
async fn retention_raises_log_starts_then_objects_go_and_the_end_is_remembered() {
    let mut bed = Bed::new(3, 2, small()).await;
    checkpoints(&mut bed, 5, 2).await;
    let subjects = |bed: &Bed, zero, one| vec![bed.subject(0, zero), bed.subject(1, one)];
    let round = subjects(&bed, keep(Some(150_000), None), keep(None, None));
    let done = bed.tier.retain(bed.own, &round).await.unwrap();
    let raised: Vec<_> = done
        .log_starts
        .iter()
        .map(|change| (change.partition, change.log_start))
        .collect();
    assert_eq!(raised, vec![(partition(0), Offset(6))]);
    assert_eq!(bed.catalog.partition(partition(0)).unwrap().log_start, Offset(6));
    bed.assert_reads(0, Offset(6), 1).await;
    bed.assert_reads(1, Offset(0), 1).await;
    assert_eq!(
        bed.tier
            .retain(
                bed.own,
                &subjects(&bed, keep(Some(150_000), None), keep(None, None))
            )
            .await
            .unwrap(),
        Default::default()
    );

    let all = keep(Some(0), None);
    let done = bed.tier.retain(bed.own, &subjects(&bed, all, all)).await.unwrap();
    assert_eq!((done.log_starts.len(), bed.tier.bounds(partition(0))), (2, None));
    assert!(bed.catalog.live_objects().await.unwrap().is_empty());
    for index in 0..2 {
        let row = bed.catalog.partition(partition(index)).unwrap();
        assert_eq!((row.log_start, row.end_hint), (Offset(10), Offset(10)));
    }
    bed.clock.0.fetch_add(DAY, Ordering::SeqCst);
    bed.tier.collect_garbage().await.unwrap();
    assert!(bed.store.names().await.is_empty());
    // The log goes on where it was.
    checkpoints(&mut bed, 1, 2).await;
    bed.assert_reads(0, Offset(10), 1).await;
    assert_eq!(bed.tier.bounds(partition(1)), Some((Offset(10), Offset(12))));
}

#[tokio::test(start_paused = true)]
async fn retention_by_size_keeps_what_the_newest_extents_hold() {
    let mut bed = Bed::new(4, 1, small()).await;
    checkpoints(&mut bed, 5, 1).await;
    let round = vec![bed.subject(0, keep(None, Some(40_000)))];
    let done = bed.tier.retain(bed.own, &round).await.unwrap();
    assert_eq!(done.log_starts[0].log_start, Offset(4));
    assert!(bed.tier.sizes(partition(0)) >= 40_000);
    assert_eq!(done.removed, 2);
}

#[tokio::test(start_paused = true)]
async fn the_newest_object_stays_for_as_long_as_its_producers_may_come_back() {
    let mut bed = Bed::new(5, 1, small()).await;
    // Records that are years old by their own timestamps.
    bed.append_as(0, 1, 50, 1, Some((7, 0)));
    bed.freeze();
    bed.checkpoint().await;
    let all = || keep(Some(0), None);
    let done = bed.tier.retain(bed.own, &[bed.subject(0, all())]).await.unwrap();
    assert_eq!((done.log_starts.len(), done.removed), (1, 0));
    bed.restart().await;
    assert_eq!(
        bed.tier
            .tail_state(partition(0))
            .await
            .unwrap()
            .unwrap()
            .producers
            .len(),
        1
    );
    bed.clock.0.fetch_add(DAY, Ordering::SeqCst);
    let done = bed.tier.retain(bed.own, &[bed.subject(0, all())]).await.unwrap();
    assert_eq!(done.removed, 1);
}

#[tokio::test(start_paused = true)]
async fn objects_of_deleted_topics_go() {
    let mut bed = Bed::new(6, 2, small()).await;
    checkpoints(&mut bed, 3, 2).await;
    assert_eq!(bed.tier.retain(bed.own, &[]).await.unwrap().removed, 0);
    bed.catalog.remove_topic(TOPIC);
    let done = bed.tier.retain(bed.own, &[]).await.unwrap();
    assert!(done.removed >= 3);
    assert!(bed.catalog.live_objects().await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_crash_between_upload_and_transaction_leaves_only_garbage_that_is_collected() {
    let mut bed = Bed::new(7, 1, small()).await;
    bed.append(0, 1, 50, 1);
    bed.freeze();
    // The process ends once the object is in the store, before the transaction: its successor has claimed it.
    let heir = IncarnationId(2);
    bed.catalog
        .open_incarnation(heir, NodeId(0), WalLocation::Object, bed.env.now())
        .await
        .unwrap();
    bed.store.drop_put_answers.store(u32::MAX, Ordering::SeqCst);
    let checkpoint = bed.tier.checkpoint(bed.own, bed.slots(), &bed.log);
    assert!(
        tokio::time::timeout(Duration::from_secs(20), checkpoint)
            .await
            .is_err()
    );
    bed.store.drop_put_answers.store(0, Ordering::SeqCst);
    assert_eq!(bed.store.names().await.len(), 1);
    bed.clock.0.fetch_add(DAY, Ordering::SeqCst);
    assert_eq!(
        bed.tier.collect_garbage().await.unwrap(),
        0,
        "its registrar may still be uploading"
    );
    bed.catalog.claim_seal(heir, bed.own).await.unwrap();
    for _ in 0..2 {
        bed.tier.collect_garbage().await.unwrap();
        bed.clock.0.fetch_add(DAY, Ordering::SeqCst);
    }
    assert!(bed.store.names().await.is_empty());
    bed.restart().await;
    assert_eq!(bed.tier.bounds(partition(0)), None);
}

#[tokio::test(start_paused = true)]
async fn an_offset_that_retention_took_away_while_it_was_wanted_is_no_alarm() {
    let mut bed = Bed::new(8, 1, small()).await;
    checkpoints(&mut bed, 4, 1).await;
    let round = vec![bed.subject(0, keep(None, Some(20_000)))];
    bed.tier.retain(bed.own, &round).await.unwrap();
    let error = bed.tier.read(partition(0), Offset(0), 1).await.unwrap_err();
    assert!(
        matches!(error, ColdError::Trimmed { .. }) && error.is_retriable(),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn everything_at_once_loses_nothing() {
    for seed in 0..8 {
        let mut bed = Bed::new(seed, 6, small()).await;
        for _ in 0..30 {
            for _ in 0..1 + bed.random(4) {
                let index = i32::try_from(bed.random(6)).unwrap();
                let (records, size) = (1 + bed.random(4), 1 + bed.random(4_000));
                bed.append(index, records, usize::try_from(size).unwrap(), bed.env.now().0);
            }
            bed.freeze();
            bed.clock.0.fetch_add(3_600_000, Ordering::SeqCst);
            bed.store
                .fail_gets
                .store(u32::try_from(bed.random(3)).unwrap(), Ordering::SeqCst);
            bed.store
                .drop_put_answers
                .store(u32::try_from(bed.random(2)).unwrap(), Ordering::SeqCst);
            match bed.random(5) {
                0 | 1 => assert!(bed.checkpoint().await.stopped.is_empty()),
                2 => while bed.tier.merge(bed.own).await.unwrap().is_some() {},
                3 => bed.restart().await,
                _ => drop(bed.tier.collect_garbage().await.unwrap()),
            }
            let policy = keep(Some(10 * 3_600_000), None);
            let subjects: Vec<_> = (0..6).map(|index| bed.subject(index, policy)).collect();
            bed.tier.retain(bed.own, &subjects).await.unwrap();
            for index in 0..6 {
                let start = bed.catalog.partition(partition(index)).unwrap().log_start;
                bed.log.log_starts.insert(partition(index), start);
                if bed
                    .tier
                    .bounds(partition(index))
                    .is_some_and(|(_, end)| start < end)
                {
                    bed.assert_reads(index, start, 3_000).await;
                }
            }
        }
    }
}
