//! Objects: registered, live, deleting, forgotten.

use firn_catalog::cell::{CatalogError, ObjectKind};
use firn_catalog::ids::{PartitionId, Slot, TopicId};
use firn_runtime::Timestamp;

use super::{live_ids, make_live, mux, register, seal, segment};
use crate::cell::{Cell, NOW, object};

const LATER: Timestamp = Timestamp(NOW.0 + 1);

pub async fn a_checkpoint_makes_registered_objects_live_and_only_rises(cell: &Cell) {
    let catalog = cell.catalog();
    let by = cell.open(1).await;
    let of = PartitionId {
        topic: TopicId(77),
        index: 4,
    };
    let rows = vec![mux(10), segment(11, of, 5, 9)];
    for row in &rows {
        register(catalog, by, row).await;
        register(catalog, by, row).await;
        assert!(!catalog.object_is_live(row.id).await.unwrap());
    }
    for _ in 0..2 {
        catalog.checkpoint(by, Slot(7), rows.clone()).await.unwrap();
    }
    catalog.checkpoint(by, Slot(3), vec![]).await.unwrap();
    assert_eq!(catalog.incarnations().await.unwrap()[0].offloaded, Slot(7));
    let mut live = catalog.live_objects().await.unwrap();
    live.sort_by_key(|row| row.id);
    assert_eq!(live, rows);
}

pub async fn a_checkpoint_with_an_unregistered_object_changes_nothing(cell: &Cell) {
    let catalog = cell.catalog();
    let by = cell.open(1).await;
    register(catalog, by, &mux(10)).await;
    let refused = Err(CatalogError::ObjectNotRegistered(object(11)));
    assert_eq!(
        catalog.checkpoint(by, Slot(7), vec![mux(10), mux(11)]).await,
        refused
    );
    assert_eq!(catalog.incarnations().await.unwrap()[0].offloaded, Slot(0));
    assert!(!catalog.object_is_live(object(10)).await.unwrap());
    let of = PartitionId {
        topic: TopicId(77),
        index: 0,
    };
    let other_kind = catalog.checkpoint(by, Slot(7), vec![segment(10, of, 0, 1)]).await;
    assert_eq!(other_kind, Err(CatalogError::ObjectNotRegistered(object(10))));
}

pub async fn an_object_that_is_being_deleted_cannot_be_named(cell: &Cell) {
    let catalog = cell.catalog();
    let by = cell.open(1).await;
    make_live(catalog, by, 1, &[mux(10)]).await;
    catalog
        .trim(by, vec![], vec![object(10)], vec![], NOW)
        .await
        .unwrap();
    let refused = Err(CatalogError::ObjectNotRegistered(object(10)));
    assert_eq!(catalog.checkpoint(by, Slot(2), vec![mux(10)]).await, refused);
    assert_eq!(
        catalog
            .register_object(by, object(10), ObjectKind::Mux, NOW)
            .await,
        refused
    );
    assert!(!catalog.object_is_live(object(10)).await.unwrap());
}

pub async fn an_id_that_another_registered_is_refused(cell: &Cell) {
    let catalog = cell.catalog();
    let (first, second) = (cell.open(1).await, cell.open(2).await);
    register(catalog, first, &mux(10)).await;
    let refused = Err(CatalogError::ObjectNotRegistered(object(10)));
    assert_eq!(
        catalog
            .register_object(second, object(10), ObjectKind::Mux, NOW)
            .await,
        refused
    );
    assert_eq!(
        catalog
            .register_object(first, object(10), ObjectKind::Segment, NOW)
            .await,
        refused
    );
}

pub async fn a_merge_swaps_objects_at_once_and_may_be_repeated(cell: &Cell) {
    let catalog = cell.catalog();
    let by = cell.open(1).await;
    make_live(catalog, by, 1, &[mux(10), mux(11)]).await;
    register(catalog, by, &mux(20)).await;
    for _ in 0..2 {
        let removed = vec![object(10), object(11)];
        catalog
            .replace_objects(by, removed, vec![mux(20)], NOW)
            .await
            .unwrap();
        assert_eq!(live_ids(catalog).await, [object(20)]);
    }
    let doomed = catalog.doomed_objects(LATER).await.unwrap();
    assert!(doomed.len() == 2 && doomed.iter().all(|doomed| doomed.marked_at == NOW));
}

pub async fn a_merge_of_an_object_that_is_gone_changes_nothing(cell: &Cell) {
    let catalog = cell.catalog();
    let by = cell.open(1).await;
    make_live(catalog, by, 1, &[mux(10), mux(11)]).await;
    catalog
        .trim(by, vec![], vec![object(11)], vec![], NOW)
        .await
        .unwrap();
    register(catalog, by, &mux(20)).await;
    for gone in [11, 99, 20] {
        let removed = vec![object(10), object(gone)];
        let refused = Err(CatalogError::ObjectNotRegistered(object(gone)));
        assert_eq!(
            catalog.replace_objects(by, removed, vec![mux(20)], NOW).await,
            refused
        );
        assert_eq!(live_ids(catalog).await, [object(10)]);
    }
}

pub async fn doomed_objects_wait_their_time_and_only_they_are_forgotten(cell: &Cell) {
    let catalog = cell.catalog();
    let by = cell.open(1).await;
    make_live(catalog, by, 1, &[mux(10), mux(11)]).await;
    register(catalog, by, &mux(12)).await;
    catalog
        .trim(by, vec![], vec![object(10)], vec![], NOW)
        .await
        .unwrap();
    assert_eq!(catalog.doomed_objects(NOW).await.unwrap(), [], "strictly before");
    assert_eq!(catalog.doomed_objects(LATER).await.unwrap().len(), 1);
    let all = vec![object(10), object(11), object(12), object(99)];
    for _ in 0..2 {
        catalog.forget_objects(all.clone()).await.unwrap();
    }
    assert_eq!(catalog.doomed_objects(LATER).await.unwrap(), []);
    assert_eq!(live_ids(catalog).await, [object(11)]);
    catalog.checkpoint(by, Slot(2), vec![mux(12)]).await.unwrap();
}

pub async fn registrations_are_abandoned_when_old_and_their_registrar_is_gone(cell: &Cell) {
    let catalog = cell.catalog();
    let (dead, sealer) = (cell.open(1).await, cell.open(2).await);
    make_live(catalog, dead, 1, &[mux(10)]).await;
    register(catalog, dead, &mux(11)).await;
    register(catalog, sealer, &mux(12)).await;
    catalog
        .register_object(dead, object(13), ObjectKind::Mux, LATER)
        .await
        .unwrap();
    assert_eq!(
        catalog.abandoned_objects(LATER, LATER).await,
        Ok(0),
        "both registrars are open"
    );
    seal(cell, sealer, dead, sealer, 50).await;
    assert_eq!(
        catalog.abandoned_objects(NOW, LATER).await,
        Ok(0),
        "strictly before"
    );
    assert_eq!(catalog.abandoned_objects(LATER, LATER).await, Ok(1));
    assert_eq!(catalog.abandoned_objects(LATER, LATER).await, Ok(0));
    let doomed = catalog.doomed_objects(Timestamp(LATER.0 + 1)).await.unwrap();
    assert_eq!(
        doomed
            .iter()
            .map(|doomed| (doomed.id, doomed.marked_at))
            .collect::<Vec<_>>(),
        [(object(11), LATER)]
    );
    assert_eq!(live_ids(catalog).await, [object(10)]);
}

pub async fn only_what_the_caller_registered_and_never_made_live_is_given_up(cell: &Cell) {
    let catalog = cell.catalog();
    let (by, other) = (cell.open(1).await, cell.open(2).await);
    make_live(catalog, by, 1, &[mux(10)]).await;
    register(catalog, by, &mux(11)).await;
    register(catalog, by, &mux(12)).await;
    register(catalog, other, &mux(13)).await;
    let some = vec![object(10), object(11), object(13), object(99)];
    for now in [NOW, LATER] {
        catalog.give_up_objects(by, some.clone(), now).await.unwrap();
        let doomed = catalog.doomed_objects(LATER).await.unwrap();
        let doomed: Vec<_> = doomed.iter().map(|doomed| doomed.id).collect();
        assert_eq!(doomed, [object(11)], "marked at the first call");
    }
    let refused = Err(CatalogError::ObjectNotRegistered(object(11)));
    assert_eq!(catalog.checkpoint(by, Slot(2), vec![mux(11)]).await, refused);
    catalog.checkpoint(by, Slot(2), vec![mux(12)]).await.unwrap();
    catalog.checkpoint(other, Slot(2), vec![mux(13)]).await.unwrap();
    assert_eq!(live_ids(catalog).await, [object(10), object(12), object(13)]);
}

pub async fn a_registrar_that_is_sealed_may_give_up_what_it_registered(cell: &Cell) {
    let catalog = cell.catalog();
    let (dead, sealer) = (cell.open(1).await, cell.open(2).await);
    register(catalog, dead, &mux(11)).await;
    seal(cell, sealer, dead, sealer, 50).await;
    catalog
        .give_up_objects(dead, vec![object(11)], NOW)
        .await
        .unwrap();
    assert_eq!(catalog.doomed_objects(LATER).await.unwrap().len(), 1);
}

pub async fn thousands_of_objects_go_through_in_one_call(cell: &Cell) {
    let catalog = cell.catalog();
    let by = cell.open(1).await;
    let rows: Vec<_> = (0..2_500).map(|id| mux(10_000 + id)).collect();
    for row in &rows {
        register(catalog, by, row).await;
    }
    catalog.checkpoint(by, Slot(1), rows.clone()).await.unwrap();
    assert_eq!(catalog.live_objects().await.unwrap().len(), rows.len());
    let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
    catalog.trim(by, vec![], ids.clone(), vec![], NOW).await.unwrap();
    assert_eq!(catalog.doomed_objects(LATER).await.unwrap().len(), rows.len());
    catalog.forget_objects(ids).await.unwrap();
    assert_eq!(catalog.doomed_objects(LATER).await.unwrap(), []);
}
