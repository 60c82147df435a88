//! Which logs a starting node must take over.

use firn_catalog::cell::{Incarnation, IncarnationState, LogCatalog};
use firn_catalog::ids::{IncarnationId, NodeId};

use super::TakeoverError;
use super::insist::insist;
use crate::wal::WriteAheadLog;

/// The earlier lives of a node whose logs are not in cold objects yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Predecessors {
    /// Open, or being sealed by one that may have died over it: seal these, in this order.
    pub to_seal: Vec<Incarnation>,
    /// Sealed: load their recovery indexes; in the order of their seals, which is the order of their drains.
    pub sealed: Vec<Incarnation>,
}

/// Finds the earlier lives of `node`. `OutOfReach` if one's write-ahead log is elsewhere than `wal`, since nobody may
/// serve its partitions without it.
pub async fn predecessors(
    catalog: &dyn LogCatalog,
    wal: &dyn WriteAheadLog,
    node: NodeId,
    me: IncarnationId,
) -> Result<Predecessors, TakeoverError> {
    let mut found = Predecessors::default();
    // In order of opening: whoever opened after `me` is a successor, and seals `me`. Without this, one that was slow to
    // start would seal the one that replaced it.
    let rows = insist(|| catalog.incarnations()).await?;
    let earlier = rows.into_iter().take_while(|row| row.id != me);
    for row in earlier.filter(|row| row.node == node) {
        match row.state {
            IncarnationState::Open | IncarnationState::Sealing => found.to_seal.push(row),
            IncarnationState::Sealed => found.sealed.push(row),
            IncarnationState::Drained => {}
        }
    }
    found.sealed.sort_by_key(|row| row.seal_order);
    let elsewhere = found
        .to_seal
        .iter()
        .chain(&found.sealed)
        .find(|row| row.wal != wal.location());
    match elsewhere {
        Some(row) => Err(TakeoverError::OutOfReach {
            dead: row.id,
            node,
            at: row.wal.clone(),
            here: wal.location(),
        }),
        None => Ok(found),
    }
}
