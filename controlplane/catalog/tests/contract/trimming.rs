//! Log starts, ends, and which partitions there are.

use firn_catalog::cell::{CatalogError, EndHint, LogStartChange};
use firn_catalog::ids::{LeaderEpoch, Offset, PartitionId, TopicId};
use firn_runtime::Timestamp;

use super::{live_ids, make_live, mux, register, seal};
use crate::cell::{Cell, NOW, object};

fn start(partition: PartitionId, epoch: i32, log_start: i64) -> LogStartChange {
    LogStartChange {
        partition,
        leader_epoch: LeaderEpoch(epoch),
        log_start: Offset(log_start),
    }
}

fn end(partition: PartitionId, end: i64) -> EndHint {
    EndHint {
        partition,
        end: Offset(end),
    }
}

pub async fn a_trim_raises_starts_and_ends_and_never_lowers_them(cell: &Cell) {
    let catalog = cell.catalog();
    let by = cell.open(1).await;
    let topic = cell.topic("t", 2, by).await;
    let (zero, one) = (PartitionId { topic, index: 0 }, PartitionId { topic, index: 1 });
    make_live(catalog, by, 1, &[mux(10)]).await;
    for _ in 0..2 {
        let starts = vec![start(zero, 0, 50), start(one, 0, 60)];
        catalog
            .trim(by, starts, vec![object(10)], vec![end(zero, 70)], NOW)
            .await
            .unwrap();
    }
    catalog
        .trim(by, vec![start(zero, 0, 49)], vec![], vec![end(zero, 69)], NOW)
        .await
        .unwrap();
    let row = cell.row(by, zero).await;
    assert_eq!((row.log_start, row.end_hint), (Offset(50), Offset(70)));
    let row = cell.row(by, one).await;
    assert_eq!((row.log_start, row.end_hint), (Offset(60), Offset(0)));
    assert_eq!(live_ids(catalog).await, []);
    let twice = vec![start(one, 0, 90), start(one, 0, 80)];
    catalog
        .trim(by, twice, vec![], vec![end(one, 2), end(one, 95)], NOW)
        .await
        .unwrap();
    let row = cell.row(by, one).await;
    assert_eq!(
        (row.log_start, row.end_hint),
        (Offset(90), Offset(95)),
        "the highest counts"
    );
}

pub async fn a_trim_of_a_partition_of_another_changes_nothing(cell: &Cell) {
    let catalog = cell.catalog();
    let dead = cell.open(1).await;
    let topic = cell.topic("t", 2, dead).await;
    let heir = cell.open(2).await;
    let other = cell.open(3).await;
    seal(cell, heir, dead, heir, 50).await;
    make_live(catalog, heir, 1, &[mux(10)]).await;
    let (zero, one) = (PartitionId { topic, index: 0 }, PartitionId { topic, index: 1 });
    let refused = Err(CatalogError::NotOwner(one));
    let stale = vec![start(zero, 1, 5), start(one, 0, 5)];
    assert_eq!(
        catalog
            .trim(heir, stale, vec![object(10)], vec![end(zero, 9)], NOW)
            .await,
        refused
    );
    assert_eq!(
        catalog
            .trim(other, vec![start(one, 1, 5)], vec![], vec![], NOW)
            .await,
        refused
    );
    let row = cell.row(heir, zero).await;
    assert_eq!((row.log_start, row.end_hint), (Offset(0), Offset(0)));
    assert_eq!(live_ids(catalog).await, [object(10)]);
    register(catalog, heir, &mux(11)).await;
    let never_live = catalog
        .trim(heir, vec![start(zero, 1, 5)], vec![object(11)], vec![], NOW)
        .await;
    assert_eq!(never_live, Err(CatalogError::ObjectNotRegistered(object(11))));
    assert_eq!(cell.row(heir, zero).await.log_start, Offset(0));
}

pub async fn a_trim_passes_over_partitions_and_objects_that_are_gone(cell: &Cell) {
    let catalog = cell.catalog();
    let by = cell.open(1).await;
    let (gone, kept) = (cell.topic("gone", 1, by).await, cell.topic("kept", 1, by).await);
    cell.remove_topic(gone).await;
    let (gone, kept) = (
        PartitionId {
            topic: gone,
            index: 0,
        },
        PartitionId {
            topic: kept,
            index: 0,
        },
    );
    let starts = vec![start(gone, 0, 5), start(kept, 0, 6)];
    catalog
        .trim(by, starts, vec![object(99)], vec![end(gone, 7)], NOW)
        .await
        .unwrap();
    assert_eq!(cell.row(by, kept).await.log_start, Offset(6));
}

pub async fn a_deleted_topics_partitions_no_longer_exist(cell: &Cell) {
    let catalog = cell.catalog();
    let by = cell.open(1).await;
    let (gone, kept) = (cell.topic("gone", 2, by).await, cell.topic("kept", 2, by).await);
    let ids = |topic: TopicId| [0, 1].map(|index| PartitionId { topic, index });
    let mut all = [ids(kept), ids(gone)].concat();
    assert_eq!(catalog.existing_partitions(all.clone()).await.unwrap(), all);
    cell.remove_topic(gone).await;
    all.push(PartitionId {
        topic: kept,
        index: 2,
    });
    assert_eq!(catalog.existing_partitions(all).await.unwrap(), ids(kept));
    assert_eq!(catalog.existing_partitions(vec![]).await.unwrap(), []);
    assert_eq!(catalog.partitions_owned(by).await.unwrap().len(), 2);
}

pub async fn thousands_of_partitions_are_trimmed_and_taken_over_in_one_call(cell: &Cell) {
    let catalog = cell.catalog();
    let dead = cell.open(1).await;
    let topic = cell.topic("wide", 10_000, dead).await;
    let partitions: Vec<_> = (0..10_000).map(|index| PartitionId { topic, index }).collect();
    let starts = partitions
        .iter()
        .map(|partition| start(*partition, 0, 3))
        .collect();
    let ends = partitions.iter().map(|partition| end(*partition, 4)).collect();
    catalog
        .trim(dead, starts, vec![], ends, Timestamp(5))
        .await
        .unwrap();
    assert_eq!(
        catalog.existing_partitions(partitions.clone()).await.unwrap(),
        partitions
    );
    let heir = cell.open(2).await;
    seal(cell, heir, dead, heir, 50).await;
    let owned = catalog.partitions_owned(heir).await.unwrap();
    assert_eq!(owned.len(), partitions.len());
    let expected = (LeaderEpoch(1), Offset(3), Offset(4));
    assert!(
        owned
            .iter()
            .all(|row| (row.leader_epoch, row.log_start, row.end_hint) == expected)
    );
}
