//! The contract suite of `LogCatalog`: every rule of the trait, run against every implementation.

mod objects;
mod takeover;
mod trimming;

pub use objects::*;
pub use takeover::*;
pub use trimming::*;

use firn_catalog::cell::{LogCatalog, ObjectKind, ObjectRow, SegmentRange};
use firn_catalog::ids::{IncarnationId, ObjectId, Offset, PartitionId, Slot};

use crate::cell::{Cell, NOW, object};

/// A mux object's row.
fn mux(id: u128) -> ObjectRow {
    ObjectRow {
        id: object(id),
        kind: ObjectKind::Mux,
        size: 100,
        index_size: 10,
        segment: None,
    }
}

/// A segment object's row.
fn segment(id: u128, partition: PartitionId, first: i64, end: i64) -> ObjectRow {
    let segment = Some(SegmentRange {
        partition,
        first: Offset(first),
        end: Offset(end),
    });
    ObjectRow {
        id: object(id),
        kind: ObjectKind::Segment,
        size: 2_000,
        index_size: 200,
        segment,
    }
}

async fn register(catalog: &dyn LogCatalog, by: IncarnationId, row: &ObjectRow) {
    catalog.register_object(by, row.id, row.kind, NOW).await.unwrap();
}

/// Registers rows and checkpoints them.
async fn make_live(catalog: &dyn LogCatalog, by: IncarnationId, offloaded: u64, rows: &[ObjectRow]) {
    for row in rows {
        register(catalog, by, row).await;
    }
    catalog
        .checkpoint(by, Slot(offloaded), rows.to_vec())
        .await
        .unwrap();
}

/// Registers a recovery index.
async fn index(cell: &Cell, by: IncarnationId, id: u128) -> ObjectId {
    cell.catalog()
        .register_object(by, object(id), ObjectKind::RecoveryIndex, NOW)
        .await
        .unwrap();
    object(id)
}

/// Claims and seals `dead` with a new index; `heir` gets its partitions.
async fn seal(cell: &Cell, sealer: IncarnationId, dead: IncarnationId, heir: IncarnationId, index_id: u128) {
    cell.catalog().claim_seal(sealer, dead).await.unwrap();
    let index = index(cell, sealer, index_id).await;
    cell.catalog()
        .complete_seal(sealer, dead, Slot(9), index, heir)
        .await
        .unwrap();
}

async fn live_ids(catalog: &dyn LogCatalog) -> Vec<ObjectId> {
    let mut ids: Vec<_> = catalog
        .live_objects()
        .await
        .unwrap()
        .into_iter()
        .map(|row| row.id)
        .collect();
    ids.sort_unstable();
    ids
}
