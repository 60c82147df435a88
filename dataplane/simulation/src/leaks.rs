//! What is in the store at the end: only what rows name, and what nobody can know of.

use std::collections::BTreeSet;

use firn_catalog::cell::{Incarnation, IncarnationState, LogCatalog};
use firn_catalog::ids::Slot;
use firn_log::cold::object_path;
use firn_log::takeover;
use firn_log::wal::ObjectLog;
use firn_runtime::Timestamp;
use futures::TryStreamExt;
use object_store::ObjectStore;
use object_store::path::Path;

use crate::checker::Rule;
use crate::world::World;

/// Compares the store with the rows, when there has been time to delete all that is not needed.
pub async fn check(world: &World) {
    let catalog = &world.ground.catalog;
    let rows = catalog.incarnations().await.unwrap_or_default();
    let mut named: BTreeSet<Path> = BTreeSet::new();
    for row in catalog.live_objects().await.unwrap_or_default() {
        named.insert(object_path(row.kind, row.id));
    }
    // Merges go on, so some are marked and wait for their time.
    for doomed in catalog
        .doomed_objects(Timestamp(i64::MAX))
        .await
        .unwrap_or_default()
    {
        named.insert(object_path(doomed.kind, doomed.id));
    }
    for (id, kind, by) in catalog.registered() {
        if rows
            .iter()
            .any(|row| row.id == by && row.state == IncarnationState::Open)
        {
            named.insert(object_path(kind, id));
        }
    }
    let sealed = rows.iter().filter(|row| row.state == IncarnationState::Sealed);
    named.extend(
        sealed
            .filter_map(|row| row.recovery_index)
            .map(takeover::object_path),
    );
    let stored: Vec<_> = world
        .ground
        .store
        .list(None)
        .try_collect()
        .await
        .unwrap_or_default();
    for name in stored.into_iter().map(|meta| meta.location) {
        if !named.contains(&name) && !is_needed_slot(&rows, &name) && !world.ground.ledger.is_late(&name) {
            let what = format!("{name} is in the store, and no row needs it");
            world.checker.broken(Rule::Leak, what);
        }
    }
}

/// Whether `name` is a slot that is not in cold objects yet, or a fence.
fn is_needed_slot(rows: &[Incarnation], name: &Path) -> bool {
    let Some(slot) = name.filename().and_then(|slot| slot.parse().ok()).map(Slot) else {
        return false;
    };
    let holder = rows.iter().find(|row| ObjectLog::path(row.id, slot) == *name);
    holder.is_some_and(|row| match row.state {
        IncarnationState::Open | IncarnationState::Sealing => slot >= row.offloaded,
        IncarnationState::Sealed => slot >= row.offloaded && row.fence.is_some_and(|fence| slot <= fence),
        IncarnationState::Drained => row.fence == Some(slot),
    })
}
