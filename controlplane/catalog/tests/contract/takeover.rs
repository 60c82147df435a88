//! Incarnations: open, sealing, sealed, drained.

use firn_catalog::cell::{CatalogError, IncarnationState, ObjectKind, WalLocation};
use firn_catalog::ids::{IncarnationId, LeaderEpoch, NodeId, PartitionId, Slot};
use firn_runtime::Timestamp;

use super::{index, make_live, mux, register, seal};
use crate::cell::{Cell, NOW, object};

pub async fn an_incarnation_opens_once_and_a_repeat_succeeds(cell: &Cell) {
    let catalog = cell.catalog();
    let wal = WalLocation::Disk {
        volume: "ab".repeat(16),
    };
    for _ in 0..2 {
        catalog
            .open_incarnation(IncarnationId(7), NodeId(3), wal.clone(), NOW)
            .await
            .unwrap();
    }
    cell.open(1).await;
    let rows = catalog.incarnations().await.unwrap();
    assert_eq!(
        rows.iter().map(|row| row.id.0).collect::<Vec<_>>(),
        [7, 1],
        "in order of opening"
    );
    let first = &rows[0];
    assert_eq!((first.node, &first.wal, first.opened_at), (NodeId(3), &wal, NOW));
    assert_eq!(
        (first.state, first.offloaded, first.fence),
        (IncarnationState::Open, Slot(0), None)
    );
}

pub async fn a_claimed_incarnation_may_do_nothing_more(cell: &Cell) {
    let catalog = cell.catalog();
    let dead = cell.open(1).await;
    let topic = cell.topic("t", 1, dead).await;
    register(catalog, dead, &mux(10)).await;
    let sealer = cell.open(2).await;
    catalog.heartbeat(dead, NOW).await.unwrap();
    catalog.claim_seal(sealer, dead).await.unwrap();
    let refused = Err(CatalogError::NotOpen(dead));
    assert_eq!(catalog.heartbeat(dead, NOW).await, refused);
    assert_eq!(catalog.checkpoint(dead, Slot(4), vec![mux(10)]).await, refused);
    assert_eq!(
        catalog
            .register_object(dead, object(11), ObjectKind::Mux, NOW)
            .await,
        refused
    );
    assert_eq!(
        catalog.replace_objects(dead, vec![], vec![mux(10)], NOW).await,
        refused
    );
    assert_eq!(catalog.trim(dead, vec![], vec![], vec![], NOW).await, refused);
    assert_eq!(
        catalog.claim_seal(dead, sealer).await,
        Err(CatalogError::NotOpen(dead))
    );
    assert_eq!(catalog.drain(dead, sealer, vec![], NOW).await, refused);
    let again = catalog
        .open_incarnation(dead, NodeId(0), WalLocation::Object, NOW)
        .await;
    let state = Some(IncarnationState::Sealing);
    assert_eq!(again, Err(CatalogError::WrongState { id: dead, state }));
    assert_eq!(
        catalog.heartbeat(IncarnationId(99), NOW).await,
        Err(CatalogError::NotOpen(IncarnationId(99)))
    );
    assert_eq!(
        cell.row(dead, PartitionId { topic, index: 0 }).await.leader_epoch,
        LeaderEpoch(0)
    );
}

pub async fn a_claim_freezes_the_trim_point_and_may_be_repeated(cell: &Cell) {
    let catalog = cell.catalog();
    let dead = cell.open(1).await;
    let sealer = cell.open(2).await;
    make_live(catalog, dead, 5, &[mux(10)]).await;
    for _ in 0..2 {
        let row = catalog.claim_seal(sealer, dead).await.unwrap();
        assert_eq!((row.state, row.offloaded), (IncarnationState::Sealing, Slot(5)));
    }
    let nobody = IncarnationId(99);
    let unknown = CatalogError::WrongState {
        id: nobody,
        state: None,
    };
    assert_eq!(catalog.claim_seal(sealer, nobody).await, Err(unknown));
    assert!(matches!(
        catalog.claim_seal(sealer, sealer).await,
        Err(CatalogError::WrongState { .. })
    ));
    catalog.heartbeat(sealer, NOW).await.unwrap();
}

pub async fn a_seal_gives_the_partitions_owned_then_to_the_heir_in_the_next_epoch(cell: &Cell) {
    let catalog = cell.catalog();
    let dead = cell.open(1).await;
    let topic = cell.topic("t", 3, dead).await;
    let sealer = cell.open(2).await;
    catalog.claim_seal(sealer, dead).await.unwrap();
    let index = index(cell, sealer, 50).await;
    for _ in 0..2 {
        catalog
            .complete_seal(sealer, dead, Slot(8), index, sealer)
            .await
            .unwrap();
    }
    let owned = catalog.partitions_owned(sealer).await.unwrap();
    assert_eq!(owned.len(), 3);
    assert!(
        owned
            .iter()
            .all(|row| row.leader_epoch == LeaderEpoch(1) && row.id.topic == topic)
    );
    assert_eq!(catalog.partitions_owned(dead).await.unwrap(), []);
    let row = catalog
        .incarnations()
        .await
        .unwrap()
        .into_iter()
        .find(|row| row.id == dead)
        .unwrap();
    assert_eq!((row.state, row.fence), (IncarnationState::Sealed, Some(Slot(8))));
    assert_eq!((row.recovery_index, row.seal_order), (Some(index), Some(1)));
    assert!(catalog.object_is_live(index).await.unwrap());
    assert_eq!(
        catalog.live_objects().await.unwrap(),
        [],
        "a recovery index holds no batches"
    );
    let state = Some(IncarnationState::Sealed);
    assert_eq!(
        catalog.claim_seal(sealer, dead).await,
        Err(CatalogError::WrongState { id: dead, state })
    );
}

pub async fn a_seal_needs_the_claim_a_registered_index_and_an_open_heir(cell: &Cell) {
    let catalog = cell.catalog();
    let (dead, sealer, closed) = (cell.open(1).await, cell.open(2).await, cell.open(3).await);
    let found = index(cell, sealer, 50).await;
    let unclaimed = catalog.complete_seal(sealer, dead, Slot(1), found, sealer).await;
    let state = Some(IncarnationState::Open);
    assert_eq!(unclaimed, Err(CatalogError::WrongState { id: dead, state }));
    catalog.claim_seal(sealer, dead).await.unwrap();
    catalog.claim_seal(sealer, closed).await.unwrap();
    let missing = catalog
        .complete_seal(sealer, dead, Slot(1), object(51), sealer)
        .await;
    assert_eq!(missing, Err(CatalogError::ObjectNotRegistered(object(51))));
    register(catalog, sealer, &mux(52)).await;
    let wrong_kind = catalog
        .complete_seal(sealer, dead, Slot(1), object(52), sealer)
        .await;
    assert_eq!(wrong_kind, Err(CatalogError::ObjectNotRegistered(object(52))));
    let heir = catalog.complete_seal(sealer, dead, Slot(1), found, closed).await;
    assert_eq!(heir, Err(CatalogError::NotOpen(closed)));
    catalog
        .complete_seal(sealer, dead, Slot(1), found, sealer)
        .await
        .unwrap();
}

pub async fn of_two_sealers_at_once_one_seals(cell: &Cell) {
    let catalog = cell.catalog();
    let dead = cell.open(1).await;
    cell.topic("t", 5, dead).await;
    let (left, right) = (cell.open(2).await, cell.open(3).await);
    let (a, b) = futures::join!(catalog.claim_seal(left, dead), catalog.claim_seal(right, dead));
    assert_eq!(a.unwrap(), b.unwrap());
    let (first, second) = (index(cell, left, 50).await, index(cell, right, 51).await);
    let (a, b) = futures::join!(
        catalog.complete_seal(left, dead, Slot(4), first, left),
        catalog.complete_seal(right, dead, Slot(4), second, right),
    );
    let state = Some(IncarnationState::Sealed);
    let lost = Err(CatalogError::WrongState { id: dead, state });
    let winner = match (a.is_ok(), b.is_ok()) {
        (true, false) => left,
        (false, true) => right,
        _ => panic!("exactly one wins: {a:?} {b:?}"),
    };
    assert!(a == lost || b == lost);
    let owned = catalog.partitions_owned(winner).await.unwrap();
    assert!(owned.len() == 5 && owned.iter().all(|row| row.leader_epoch == LeaderEpoch(1)));
}

pub async fn two_incarnations_cannot_claim_each_other(cell: &Cell) {
    let catalog = cell.catalog();
    for round in 0..10 {
        let (left, right) = (cell.open(100 + 2 * round).await, cell.open(101 + 2 * round).await);
        let (a, b) = futures::join!(catalog.claim_seal(left, right), catalog.claim_seal(right, left));
        assert!(a.is_ok() != b.is_ok(), "{a:?} {b:?}");
    }
}

pub async fn drains_run_in_the_order_of_the_seals_and_once(cell: &Cell) {
    let catalog = cell.catalog();
    let (first, second, heir) = (cell.open(1).await, cell.open(2).await, cell.open(3).await);
    seal(cell, heir, second, heir, 52).await;
    seal(cell, heir, first, heir, 51).await;
    register(catalog, heir, &mux(10)).await;
    register(catalog, heir, &mux(11)).await;
    let state = Some(IncarnationState::Sealed);
    let early = catalog.drain(heir, first, vec![mux(10)], NOW).await;
    assert_eq!(early, Err(CatalogError::WrongState { id: second, state }));
    assert_eq!(super::live_ids(catalog).await, []);
    for _ in 0..2 {
        catalog.drain(heir, second, vec![mux(11)], NOW).await.unwrap();
    }
    catalog.drain(heir, first, vec![mux(10)], NOW).await.unwrap();
    assert_eq!(super::live_ids(catalog).await, [object(10), object(11)]);
    register(catalog, heir, &mux(12)).await;
    let late = catalog.drain(heir, first, vec![mux(12)], NOW).await;
    let state = Some(IncarnationState::Drained);
    assert_eq!(
        late,
        Err(CatalogError::WrongState { id: first, state }),
        "a loser's objects stay garbage"
    );
    let doomed = catalog.doomed_objects(Timestamp(NOW.0 + 1)).await.unwrap();
    let doomed: Vec<_> = doomed
        .into_iter()
        .map(|object| (object.id, object.kind))
        .collect();
    assert_eq!(
        doomed,
        [
            (object(51), ObjectKind::RecoveryIndex),
            (object(52), ObjectKind::RecoveryIndex)
        ]
    );
}

pub async fn a_drain_needs_a_sealed_incarnation_and_registered_objects(cell: &Cell) {
    let catalog = cell.catalog();
    let (dead, heir) = (cell.open(1).await, cell.open(2).await);
    let open = catalog.drain(heir, dead, vec![], NOW).await;
    assert_eq!(
        open,
        Err(CatalogError::WrongState {
            id: dead,
            state: Some(IncarnationState::Open)
        })
    );
    seal(cell, heir, dead, heir, 50).await;
    register(catalog, heir, &mux(10)).await;
    let missing = catalog.drain(heir, dead, vec![mux(10), mux(11)], NOW).await;
    assert_eq!(missing, Err(CatalogError::ObjectNotRegistered(object(11))));
    assert!(
        !catalog.object_is_live(object(10)).await.unwrap(),
        "all or nothing"
    );
    catalog.drain(heir, dead, vec![], NOW).await.unwrap();
}

pub async fn a_chain_of_takeovers_counts_epochs_and_seal_orders(cell: &Cell) {
    let catalog = cell.catalog();
    let mut owner = cell.open(1).await;
    let topic = cell.topic("t", 2, owner).await;
    for life in 2..6 {
        let next = cell.open(life).await;
        seal(cell, next, owner, next, 100 + life).await;
        owner = next;
    }
    let row = cell.row(owner, PartitionId { topic, index: 1 }).await;
    assert_eq!(row.leader_epoch, LeaderEpoch(4));
    let orders: Vec<_> = catalog
        .incarnations()
        .await
        .unwrap()
        .iter()
        .map(|row| row.seal_order)
        .collect();
    assert_eq!(orders, [Some(1), Some(2), Some(3), Some(4), None]);
}
