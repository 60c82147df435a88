use std::sync::Arc;

use firn_catalog::cell::MemoryCatalog;
use firn_catalog::ids::{LeaderEpoch, TopicId};
use firn_runtime::Timestamp;
use object_store::memory::InMemory;

use super::*;
use crate::takeover::testing::{MemoryWal, batch, partition};
use crate::takeover::{clip, free, load, predecessors};

const NODE: NodeId = NodeId(0);
const A: IncarnationId = IncarnationId(0xa);
const B: IncarnationId = IncarnationId(0xb);
const C: IncarnationId = IncarnationId(0xc);
const D: IncarnationId = IncarnationId(0xd);

struct Cell {
    env: Env,
    catalog: MemoryCatalog,
    wal: Arc<MemoryWal>,
    store: InMemory,
}

impl Cell {
    /// A and B are open; A owns partition 1-0.
    async fn new() -> Self {
        let cell = Self {
            env: Env::system(),
            catalog: MemoryCatalog::new(),
            wal: Arc::default(),
            store: InMemory::new(),
        };
        for id in [A, B] {
            cell.open(id).await;
        }
        cell.catalog.add_topic(TopicId(1), 1, A);
        cell
    }

    async fn open(&self, id: IncarnationId) {
        let opened = self
            .catalog
            .open_incarnation(id, NODE, WalLocation::Object, Timestamp(0));
        opened.await.unwrap();
    }

    /// A's slot `number` with ten records of partition 1-0.
    fn write(&self, number: u64, through: Option<u64>) {
        let first = i64::try_from(number * 10).unwrap();
        self.wal.write(
            A,
            number,
            through,
            vec![batch(partition(1, 0), 0, first, first + 9)],
        );
    }

    async fn seal(&self, me: IncarnationId, dead: IncarnationId) -> Result<SealOutcome, TakeoverError> {
        seal(&self.env, &self.catalog, &*self.wal, &self.store, me, dead).await
    }

    /// B seals A; the fence and the slots before it.
    async fn sealed(&self) -> (u64, Vec<u64>) {
        let SealOutcome::Sealed { row, index } = self.seal(B, A).await.unwrap() else {
            panic!("nobody else seals")
        };
        assert_eq!(load(&self.store, &row).await.unwrap(), index);
        assert_eq!(row.fence, Some(index.fence));
        let slots = index.slots.iter().map(|front| front.slot.0).collect();
        (index.fence.0, slots)
    }

    fn is_fence(&self, slot: u64) -> bool {
        matches!(self.wal.register(A, slot), Some(Register::Fence(_)))
    }
}

#[tokio::test]
async fn the_fence_follows_the_last_slot_and_the_heir_owns_the_partition_in_the_next_epoch() {
    let cell = Cell::new().await;
    for slot in 0..100 {
        cell.write(slot, slot.checked_sub(2));
    }
    assert_eq!(cell.sealed().await, (100, (0..100).collect()));
    assert!(cell.is_fence(100));
    let row = cell.catalog.partition(partition(1, 0)).unwrap();
    assert_eq!((row.owner, row.leader_epoch), (B, LeaderEpoch(1)));
}

#[tokio::test]
async fn slots_below_the_trim_point_are_not_looked_for() {
    let cell = Cell::new().await;
    cell.write(7, Some(6));
    cell.catalog.checkpoint(A, Slot(7), Vec::new()).await.unwrap();
    assert_eq!(cell.sealed().await, (8, vec![7]));
}

#[tokio::test]
async fn slots_after_a_hole_never_count() {
    let cell = Cell::new().await;
    for slot in [0, 1, 3, 4] {
        cell.write(slot, None);
    }
    assert_eq!(cell.sealed().await, (2, vec![0, 1]));
    assert!(cell.is_fence(2));
}

#[tokio::test]
async fn a_slot_that_lands_before_the_fence_counts() {
    let cell = Cell::new().await;
    cell.write(0, None);
    cell.write(2, None);
    *cell.wal.before_put.lock() = Some(Box::new(|wal| {
        wal.write(A, 1, None, vec![batch(partition(1, 0), 0, 10, 19)]);
    }));
    assert_eq!(cell.sealed().await, (3, vec![0, 1, 2]));
}

#[tokio::test]
async fn a_fence_that_is_there_is_adopted() {
    let cell = Cell::new().await;
    cell.write(0, None);
    cell.open(C).await;
    cell.catalog.claim_seal(C, A).await.unwrap();
    let fence = Fence {
        sealer: C,
        dead: A,
        slot: Slot(1),
    };
    cell.wal
        .put_if_absent(A, Slot(1), vec![fence.encode()])
        .await
        .unwrap();
    cell.write(2, None);
    assert_eq!(cell.sealed().await, (1, vec![0]));
    assert_eq!(cell.wal.register(A, 1), Some(Register::Fence(fence)));
}

#[tokio::test(start_paused = true)]
async fn a_fence_whose_put_was_not_answered_is_found_again() {
    let cell = Cell::new().await;
    cell.write(0, None);
    cell.wal
        .unanswered_puts
        .store(1, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(cell.sealed().await, (1, vec![0]));
    assert!(!cell.is_fence(2));
}

#[tokio::test]
async fn a_slot_that_is_gone_though_a_later_one_vouches_for_it_is_damage_and_gets_no_fence() {
    let cell = Cell::new().await;
    cell.write(0, None);
    cell.write(2, Some(1));
    let answer = cell.seal(B, A).await;
    assert!(
        matches!(answer, Err(TakeoverError::Damaged { slot: Slot(1), .. })),
        "{answer:?}"
    );
    assert_eq!(cell.wal.register(A, 1), None);
}

#[tokio::test]
async fn damage_in_a_slot_is_reported_and_is_not_the_end_of_the_log() {
    // In the index of a vouched slot, and in the data of the last one.
    for (slot, byte) in [(0, 90), (2, 200)] {
        let cell = Cell::new().await;
        for slot in 0..3 {
            cell.write(slot, slot.checked_sub(1));
        }
        cell.wal.flip(A, slot, byte);
        let answer = cell.seal(B, A).await;
        assert!(
            matches!(answer, Err(TakeoverError::Damaged { slot: at, .. }) if at == Slot(slot)),
            "{answer:?}"
        );
    }
}

#[tokio::test]
async fn a_second_sealer_goes_by_what_the_first_did() {
    let cell = Cell::new().await;
    cell.write(0, None);
    cell.sealed().await;
    cell.open(C).await;
    let SealOutcome::Already(row) = cell.seal(C, A).await.unwrap() else {
        panic!("B sealed it")
    };
    assert_eq!((row.state, row.fence), (IncarnationState::Sealed, Some(Slot(1))));
}

#[tokio::test]
async fn a_sealer_that_is_sealed_itself_is_told_so() {
    let cell = Cell::new().await;
    cell.open(C).await;
    cell.catalog.claim_seal(C, B).await.unwrap();
    assert_eq!(
        cell.seal(B, A).await,
        Err(TakeoverError::Catalog(CatalogError::NotOpen(B)))
    );
    assert_eq!(cell.wal.register(A, 0), None);
}

#[tokio::test]
async fn a_second_takeover_before_the_first_was_drained_loses_nothing() {
    let cell = Cell::new().await;
    for slot in 0..3 {
        cell.write(slot, None);
    }
    cell.sealed().await;
    cell.wal
        .write(B, 0, None, vec![batch(partition(1, 0), 1, 30, 39)]);
    cell.open(C).await;
    let found = predecessors(&cell.catalog, &*cell.wal, NODE, C).await.unwrap();
    assert_eq!(found.to_seal.iter().map(|row| row.id).collect::<Vec<_>>(), [B]);
    assert_eq!(found.sealed.iter().map(|row| row.id).collect::<Vec<_>>(), [A]);
    cell.seal(C, B).await.unwrap();

    let found = predecessors(&cell.catalog, &*cell.wal, NODE, C).await.unwrap();
    let mut runs = Vec::new();
    for row in &found.sealed {
        let index = load(&cell.store, row).await.unwrap();
        runs.push((row.id, index.runs().remove(&partition(1, 0)).unwrap()));
    }
    let logs: Vec<_> = runs
        .iter()
        .map(|(incarnation, batches)| crate::takeover::SealedLog {
            incarnation: *incarnation,
            batches,
        })
        .collect();
    let row = cell.catalog.partition(partition(1, 0)).unwrap();
    let clipped = clip(&row, firn_catalog::ids::Offset(0), &logs).unwrap();
    let firsts: Vec<_> = clipped
        .batches
        .iter()
        .map(|(who, batch)| (*who, batch.meta.first.0))
        .collect();
    assert_eq!(firsts, [(A, 0), (A, 10), (A, 20), (B, 30)]);
}

#[tokio::test]
async fn a_drained_log_is_freed_but_for_its_fence() {
    let cell = Cell::new().await;
    for slot in 0..3 {
        cell.write(slot, None);
    }
    cell.sealed().await;
    let row = |rows: Vec<Incarnation>| rows.into_iter().find(|row| row.id == A).unwrap();
    let sealed = row(cell.catalog.incarnations().await.unwrap());
    free(&*cell.wal, &sealed).await.unwrap();
    assert!(cell.wal.register(A, 0).is_some(), "sealed is not drained");
    cell.catalog.drain(B, A, Vec::new(), Timestamp(0)).await.unwrap();
    let drained = row(cell.catalog.incarnations().await.unwrap());
    free(&*cell.wal, &drained).await.unwrap();
    assert_eq!((0..3).find(|slot| cell.wal.register(A, *slot).is_some()), None);
    assert!(cell.is_fence(3));
}

#[tokio::test]
async fn one_that_was_slow_to_start_leaves_its_successor_alone() {
    let cell = Cell::new().await;
    cell.open(C).await;
    let found = predecessors(&cell.catalog, &*cell.wal, NODE, B).await.unwrap();
    assert_eq!(found.to_seal.iter().map(|row| row.id).collect::<Vec<_>>(), [A]);
}

#[tokio::test]
async fn a_log_on_another_volume_is_named() {
    let cell = Cell::new().await;
    let volume = WalLocation::Disk {
        volume: "0123".into(),
    };
    cell.catalog
        .open_incarnation(C, NODE, volume, Timestamp(0))
        .await
        .unwrap();
    cell.open(D).await;
    let answer = predecessors(&cell.catalog, &*cell.wal, NODE, D).await;
    assert!(
        matches!(answer, Err(TakeoverError::OutOfReach { dead: C, .. })),
        "{answer:?}"
    );
}
