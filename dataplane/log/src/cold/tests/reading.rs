use std::sync::atomic::Ordering;

use firn_catalog::ids::Offset;

use crate::cold::testing::{Bed, partition, small};
use crate::cold::{ColdError, object_path};

/// Random layouts: partitions of different rates, batches of different sizes, several checkpoints.
async fn random_bed(seed: u64) -> Bed {
    let mut bed = Bed::new(seed, 5, small()).await;
    let rounds = 2 + bed.random(4);
    for _ in 0..rounds {
        for _ in 0..1 + bed.random(6) {
            for index in 0..5 {
                // Partition 0 is busy, 4 has hardly anything.
                for _ in 0..bed.random(6 - u64::try_from(index).unwrap()) {
                    let (records, size) = (1 + bed.random(5), 1 + bed.random(3_000));
                    let timestamp = 1_000 + i64::try_from(bed.random(100_000)).unwrap();
                    bed.append(index, records, usize::try_from(size).unwrap(), timestamp);
                }
            }
            bed.freeze();
        }
        bed.clock.0.fetch_add(60_000, Ordering::SeqCst);
        let done = bed.checkpoint().await;
        assert_eq!((done.offloaded, done.stopped.len()), (bed.slots().end, 0));
    }
    bed
}

#[tokio::test(start_paused = true)]
async fn what_was_appended_reads_back_from_any_offset_before_and_after_a_restart() {
    for seed in 0..12 {
        let mut bed = random_bed(seed).await;
        for round in 0..2 {
            for index in 0..5 {
                let Some((first, end)) = bed.tier.bounds(partition(index)) else {
                    continue;
                };
                assert_eq!(first, Offset(0));
                assert_eq!(end, bed.model[&partition(index)].last().unwrap().end);
                let from = Offset(i64::try_from(bed.random(u64::try_from(end.0).unwrap())).unwrap());
                bed.assert_reads(index, Offset(0), 1 << 20).await;
                bed.assert_reads(index, from, 1).await;
                bed.assert_reads(index, from, 10_000).await;
                let past = bed.tier.read(partition(index), end, 100).await.unwrap();
                assert_eq!((past.batches.len(), past.next), (0, end));
            }
            if round == 0 {
                bed.restart().await;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_search_by_time_finds_the_first_batch_that_claims_it() {
    for seed in 100..106 {
        let mut bed = random_bed(seed).await;
        bed.restart().await;
        for index in 0..5 {
            let id = partition(index);
            let Some(known) = bed.model.get(&id) else { continue };
            for _ in 0..40 {
                let at_least = i64::try_from(bed.random(110_000)).unwrap();
                let end = u64::try_from(known.last().unwrap().end.0).unwrap();
                let from = Offset(i64::try_from(bed.random(end)).unwrap());
                let later = || known.iter().filter(|batch| batch.end > from);
                let expected = later()
                    .find(|batch| batch.max_timestamp >= at_least)
                    .map(|batch| batch.first);
                assert_eq!(
                    bed.tier.find_timestamp(id, at_least, from).await.unwrap(),
                    expected
                );
                let largest = later().map(|batch| batch.max_timestamp).max();
                assert_eq!(bed.tier.max_timestamp(id, from).await.unwrap(), largest);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_and_flips_bits_on_the_way_is_asked_again() {
    let mut bed = random_bed(7).await;
    bed.store.fail_gets.store(3, Ordering::SeqCst);
    bed.restart().await;
    bed.store.flip_gets.store(2, Ordering::SeqCst);
    bed.assert_reads(0, Offset(0), 1 << 20).await;
    bed.restart().await;
    bed.store.fail_gets.store(1_000, Ordering::SeqCst);
    let error = bed.tier.read(partition(0), Offset(0), 1).await.unwrap_err();
    assert!(error.is_retriable(), "{error}");
}

#[tokio::test(start_paused = true)]
async fn every_flipped_bit_of_an_object_is_detected_and_none_is_served() {
    let mut bed = Bed::new(3, 2, small()).await;
    for _ in 0..4 {
        bed.append(0, 2, 300, 5_000);
        bed.append(1, 1, 100, 6_000);
        bed.freeze();
    }
    bed.checkpoint().await;
    let path = bed.store.names().await.remove(0);
    let size = usize::try_from(bed.tier.with_map(|map| map.objects().next().unwrap().row.size)).unwrap();
    for at in 0..size {
        bed.store.flip(&path, at).await;
        let mut detected = false;
        match bed.try_open().await {
            Err(error) => detected = !error.is_retriable(),
            Ok(tier) => {
                for index in 0..2 {
                    match tier.read(partition(index), Offset(0), 1 << 20).await {
                        Err(error) => detected = detected || matches!(error, ColdError::Lost { .. }),
                        Ok(read) => {
                            for (batch, known) in read.batches.iter().zip(&bed.model[&partition(index)]) {
                                assert_eq!(batch, &known.bytes, "a flipped bit at {at} was served");
                            }
                        }
                    }
                }
            }
        }
        assert!(detected, "the flipped bit at {at} went unnoticed");
        bed.store.flip(&path, at).await;
    }
}

#[tokio::test(start_paused = true)]
async fn readers_of_the_same_block_share_one_get() {
    let mut bed = Bed::new(4, 1, small()).await;
    bed.append(0, 1, 500, 1);
    bed.freeze();
    bed.checkpoint().await;
    let before = bed.store.gets.load(Ordering::SeqCst);
    let read = || bed.tier.read(partition(0), Offset(0), 1);
    let (one, two, three) = futures::join!(read(), read(), read());
    assert_eq!(
        (one.unwrap(), two.unwrap()),
        (three.clone().unwrap(), three.unwrap())
    );
    assert_eq!(bed.store.gets.load(Ordering::SeqCst) - before, 1);
}

#[tokio::test(start_paused = true)]
async fn a_sequential_reader_finds_the_next_blocks_in_memory() {
    let mut bed = Bed::new(5, 1, small()).await;
    for _ in 0..12 {
        bed.append(0, 1, 70_000, 1);
        bed.freeze();
    }
    bed.settings.read.readahead_bytes = 1 << 20;
    bed.settings.read.cache_bytes = 8 << 20;
    bed.checkpoint().await;
    bed.restart().await;
    let mut next = Offset(0);
    for _ in 0..2 {
        next = bed.tier.read(partition(0), next, 1).await.unwrap().next;
    }
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    let before = bed.store.gets.load(Ordering::SeqCst);
    while next < Offset(12) {
        next = bed.tier.read(partition(0), next, 1).await.unwrap().next;
    }
    assert_eq!(bed.store.gets.load(Ordering::SeqCst), before);
}

#[tokio::test(start_paused = true)]
async fn a_lost_object_is_an_alarm_only_if_the_rows_still_name_it() {
    let mut bed = Bed::new(6, 1, small()).await;
    bed.append(0, 1, 100, 1);
    bed.freeze();
    bed.checkpoint().await;
    let row = bed.tier.with_map(|map| map.objects().next().unwrap().row.clone());
    use object_store::ObjectStoreExt;
    bed.store
        .inner
        .delete(&object_path(row.kind, row.id))
        .await
        .unwrap();
    let error = bed.tier.read(partition(0), Offset(0), 1).await.unwrap_err();
    assert!(
        matches!(error, ColdError::Lost { object, .. } if object == row.id),
        "{error}"
    );
    // Another broker has deleted it by the rules, and this one did not know yet.
    use firn_catalog::cell::LogCatalog;
    bed.catalog
        .trim(bed.own, vec![], vec![row.id], vec![], bed.env.now())
        .await
        .unwrap();
    let read = bed.tier.read(partition(0), Offset(0), 1).await.unwrap();
    assert!(read.batches.is_empty());
}
