//! The life of an incarnation: open, sealing, sealed, drained.

use firn_runtime::Timestamp;

use super::{ObjectState, State};
use crate::cell::{CatalogError, Incarnation, IncarnationState, ObjectKind, ObjectRow, WalLocation};
use crate::ids::{IncarnationId, NodeId, ObjectId, Slot};

impl State {
    pub(super) fn open_incarnation(
        &mut self,
        id: IncarnationId,
        node: NodeId,
        wal: WalLocation,
        now: Timestamp,
    ) -> Result<(), CatalogError> {
        if let Some((row, _)) = self.incarnations.get(&id) {
            return match row.state {
                IncarnationState::Open => Ok(()),
                state => Err(CatalogError::WrongState {
                    id,
                    state: Some(state),
                }),
            };
        }
        let row = Incarnation {
            id,
            node,
            state: IncarnationState::Open,
            wal,
            opened_at: now,
            offloaded: Slot(0),
            fence: None,
            recovery_index: None,
            seal_order: None,
        };
        self.incarnations.insert(id, (row, now));
        self.opened.push(id);
        Ok(())
    }

    /// The row of an incarnation that `sealer`, which is open, takes over.
    fn taken_over(
        &mut self,
        sealer: IncarnationId,
        dead: IncarnationId,
    ) -> Result<&mut Incarnation, CatalogError> {
        self.open(sealer)?;
        if sealer == dead {
            return Err(CatalogError::WrongState {
                id: dead,
                state: Some(IncarnationState::Open),
            });
        }
        match self.incarnations.get_mut(&dead) {
            Some((row, _)) => Ok(row),
            None => Err(CatalogError::WrongState {
                id: dead,
                state: None,
            }),
        }
    }

    pub(super) fn claim_seal(
        &mut self,
        sealer: IncarnationId,
        dead: IncarnationId,
    ) -> Result<Incarnation, CatalogError> {
        let row = self.taken_over(sealer, dead)?;
        match row.state {
            IncarnationState::Open | IncarnationState::Sealing => {
                row.state = IncarnationState::Sealing;
                Ok(row.clone())
            }
            state @ (IncarnationState::Sealed | IncarnationState::Drained) => Err(CatalogError::WrongState {
                id: dead,
                state: Some(state),
            }),
        }
    }

    pub(super) fn complete_seal(
        &mut self,
        sealer: IncarnationId,
        dead: IncarnationId,
        fence: Slot,
        recovery_index: ObjectId,
        heir: IncarnationId,
    ) -> Result<(), CatalogError> {
        let row = self.taken_over(sealer, dead)?;
        match row.state {
            IncarnationState::Sealing => {}
            IncarnationState::Sealed if row.recovery_index == Some(recovery_index) => return Ok(()),
            state => {
                return Err(CatalogError::WrongState {
                    id: dead,
                    state: Some(state),
                });
            }
        }
        self.open(heir)?;
        let object = self.registered(recovery_index, ObjectKind::RecoveryIndex)?;
        object.state = ObjectState::Live(None);
        self.last_seal_order += 1;
        let seal_order = self.last_seal_order;
        let row = self.taken_over(sealer, dead)?;
        row.state = IncarnationState::Sealed;
        row.fence = Some(fence);
        row.recovery_index = Some(recovery_index);
        row.seal_order = Some(seal_order);
        for partition in self
            .partitions
            .values_mut()
            .filter(|partition| partition.owner == dead)
        {
            partition.owner = heir;
            partition.leader_epoch = partition.leader_epoch.next();
        }
        Ok(())
    }

    pub(super) fn drain(
        &mut self,
        by: IncarnationId,
        dead: IncarnationId,
        objects: &[ObjectRow],
        now: Timestamp,
    ) -> Result<(), CatalogError> {
        self.open(by)?;
        let Some((row, _)) = self.incarnations.get(&dead) else {
            return Err(CatalogError::WrongState {
                id: dead,
                state: None,
            });
        };
        let (state, order, index) = (row.state, row.seal_order, row.recovery_index);
        match state {
            IncarnationState::Sealed => {}
            IncarnationState::Drained if objects.iter().all(|object| self.was_live(object.id)) => {
                return Ok(());
            }
            state => {
                return Err(CatalogError::WrongState {
                    id: dead,
                    state: Some(state),
                });
            }
        }
        let earlier = self
            .incarnations
            .values()
            .map(|(row, _)| row)
            .filter(|row| row.state == IncarnationState::Sealed && row.seal_order < order)
            .min_by_key(|row| row.seal_order);
        if let Some(earlier) = earlier {
            return Err(CatalogError::WrongState {
                id: earlier.id,
                state: Some(earlier.state),
            });
        }
        self.make_live(objects)?;
        if let Some(object) = index.and_then(|index| self.objects.get_mut(&index)) {
            object.state = ObjectState::Deleting { marked_at: now };
        }
        if let Some((row, _)) = self.incarnations.get_mut(&dead) {
            row.state = IncarnationState::Drained;
        }
        Ok(())
    }
}
