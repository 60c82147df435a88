//! What the cold tier takes slots from: the own log, and sealed ones.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use firn_catalog::cell::{Incarnation, IncarnationState};
use firn_catalog::ids::{Offset, PartitionId, Slot};

use super::Log;
use super::recovered::Inherited;
use crate::batch::BatchMeta;
use crate::cold::offload::{OffloadSlot, PartitionFloor, SlotSource, read_slot};
use crate::takeover;
use crate::wal::WalError;

/// How long a producer is remembered where nothing else is said.
const DEFAULT_PRODUCER_EXPIRATION: Duration = Duration::from_secs(24 * 3600);

/// The log of this incarnation.
pub(super) struct OwnSlots<'a>(pub &'a Log);

/// The log of a sealed one.
pub(super) struct SealedSlots<'a> {
    pub log: &'a Log,
    pub inherited: Arc<Inherited>,
}

impl Log {
    fn floor(&self, id: PartitionId) -> PartitionFloor {
        let row = self.recovered.row(id);
        let open = self.partition(id);
        PartitionFloor {
            log_start: open
                .as_ref()
                .map(|open| open.offsets().log_start)
                .max(row.map(|row| row.log_start))
                .unwrap_or(Offset(0)),
            end_hint: row.map_or(Offset(0), |row| row.end_hint),
            producer_expiration: open.map_or(DEFAULT_PRODUCER_EXPIRATION, |open| {
                open.config().producer_expiration
            }),
        }
    }
}

#[async_trait]
impl SlotSource for OwnSlots<'_> {
    async fn slot(&self, slot: Slot) -> Result<OffloadSlot, WalError> {
        read_slot(&*self.0.wal, self.0.own, slot).await
    }

    fn accepts(&self, _: &BatchMeta) -> bool {
        true
    }

    fn floor(&self, partition: PartitionId) -> PartitionFloor {
        self.0.floor(partition)
    }

    async fn free(&self, offloaded: Slot) {
        self.0.sources.images.offloaded(offloaded);
        let from = *self.0.freed.lock();
        let slots = from..offloaded.max(from);
        match takeover::free_in_order(&*self.0.wal, self.0.own, slots).await {
            Ok(()) => *self.0.freed.lock() = offloaded.max(from),
            Err(error) => {
                tracing::warn!(%error, "offloaded slots could not be deleted; the next checkpoint tries again");
            }
        }
    }
}

#[async_trait]
impl SlotSource for SealedSlots<'_> {
    async fn slot(&self, slot: Slot) -> Result<OffloadSlot, WalError> {
        read_slot(&*self.log.wal, self.inherited.row.id, slot).await
    }

    /// Every seal raises the epochs of the partitions that change hands, so what the dead one wrote as their owner
    /// has a lower one.
    fn accepts(&self, meta: &BatchMeta) -> bool {
        self.log
            .recovered
            .row(meta.partition)
            .is_some_and(|row| meta.leader_epoch < row.leader_epoch)
    }

    fn floor(&self, partition: PartitionId) -> PartitionFloor {
        self.log.floor(partition)
    }

    async fn free(&self, _: Slot) {
        let drained = Incarnation {
            state: IncarnationState::Drained,
            ..self.inherited.row.clone()
        };
        if let Err(error) = takeover::free(&*self.log.wal, &drained).await {
            tracing::warn!(%error, "the slots of a drained log could not be deleted; trying again later");
            self.log.slots_left.store(true, Ordering::SeqCst);
        }
    }
}
