//! The life of an object: registered, live, deleting, forgotten.

use firn_runtime::Timestamp;

use super::{ObjectState, State, StoredObject};
use crate::cell::{CatalogError, DoomedObject, IncarnationState, ObjectKind, ObjectRow};
use crate::ids::{IncarnationId, ObjectId, Slot};

impl State {
    pub(super) fn register_object(
        &mut self,
        by: IncarnationId,
        id: ObjectId,
        kind: ObjectKind,
        now: Timestamp,
    ) -> Result<(), CatalogError> {
        self.open(by)?;
        match self.objects.get(&id) {
            None => {
                let state = ObjectState::Registered { by, at: now };
                self.objects.insert(id, StoredObject { kind, state });
                Ok(())
            }
            Some(found) => match found.state {
                ObjectState::Registered { by: first, .. } if first == by && found.kind == kind => Ok(()),
                ObjectState::Registered { .. } | ObjectState::Live(_) | ObjectState::Deleting { .. } => {
                    Err(CatalogError::ObjectNotRegistered(id))
                }
            },
        }
    }

    /// The row of an object that is registered as `kind` and not yet live.
    pub(super) fn registered(
        &mut self,
        id: ObjectId,
        kind: ObjectKind,
    ) -> Result<&mut StoredObject, CatalogError> {
        match self.objects.get_mut(&id) {
            Some(found) if found.kind == kind && matches!(found.state, ObjectState::Registered { .. }) => {
                Ok(found)
            }
            _ => Err(CatalogError::ObjectNotRegistered(id)),
        }
    }

    /// Makes registered objects live, all or none; those that are live already stay so.
    pub(super) fn make_live(&mut self, objects: &[ObjectRow]) -> Result<(), CatalogError> {
        for object in objects {
            if !self.object_is_live(object.id) {
                self.registered(object.id, object.kind)?;
            }
        }
        for object in objects {
            if let Ok(found) = self.registered(object.id, object.kind) {
                found.state = ObjectState::Live(Some(object.clone()));
            }
        }
        Ok(())
    }

    pub(super) fn object_is_live(&self, id: ObjectId) -> bool {
        self.objects
            .get(&id)
            .is_some_and(|object| matches!(object.state, ObjectState::Live(_)))
    }

    pub(super) fn registrations(&self) -> Vec<(ObjectId, ObjectKind, IncarnationId)> {
        let registered = self.objects.iter().filter_map(|(id, object)| match object.state {
            ObjectState::Registered { by, .. } => Some((*id, object.kind, by)),
            ObjectState::Live(_) | ObjectState::Deleting { .. } => None,
        });
        registered.collect()
    }

    fn is_registered(&self, id: ObjectId) -> bool {
        self.objects
            .get(&id)
            .is_some_and(|object| matches!(object.state, ObjectState::Registered { .. }))
    }

    /// Whether an object is live or was before it was marked.
    pub(super) fn was_live(&self, id: ObjectId) -> bool {
        self.objects.contains_key(&id) && !self.is_registered(id)
    }

    pub(super) fn checkpoint(
        &mut self,
        by: IncarnationId,
        offloaded: Slot,
        objects: &[ObjectRow],
    ) -> Result<(), CatalogError> {
        self.open(by)?;
        self.make_live(objects)?;
        let row = &mut self.open(by)?.0;
        row.offloaded = row.offloaded.max(offloaded);
        Ok(())
    }

    pub(super) fn replace_objects(
        &mut self,
        by: IncarnationId,
        removed: &[ObjectId],
        inserted: &[ObjectRow],
        now: Timestamp,
    ) -> Result<(), CatalogError> {
        self.open(by)?;
        let repeated = inserted.iter().all(|object| self.object_is_live(object.id));
        for id in removed {
            let accepted = if repeated {
                !self.is_registered(*id)
            } else {
                self.object_is_live(*id)
            };
            if !accepted {
                return Err(CatalogError::ObjectNotRegistered(*id));
            }
        }
        self.make_live(inserted)?;
        self.mark(removed, now);
        Ok(())
    }

    /// Marks the live ones of `ids` for deletion.
    pub(super) fn mark(&mut self, ids: &[ObjectId], now: Timestamp) {
        for id in ids {
            if let Some(object) = self.objects.get_mut(id)
                && matches!(object.state, ObjectState::Live(_))
            {
                object.state = ObjectState::Deleting { marked_at: now };
            }
        }
    }

    /// Refuses objects that are registered but were never live.
    pub(super) fn none_only_registered(&self, ids: &[ObjectId]) -> Result<(), CatalogError> {
        match ids.iter().find(|id| self.is_registered(**id)) {
            Some(id) => Err(CatalogError::ObjectNotRegistered(*id)),
            None => Ok(()),
        }
    }

    pub(super) fn live_objects(&self) -> Vec<ObjectRow> {
        self.objects
            .values()
            .filter_map(|object| match &object.state {
                ObjectState::Live(row) => row.clone(),
                ObjectState::Registered { .. } | ObjectState::Deleting { .. } => None,
            })
            .collect()
    }

    pub(super) fn doomed_objects(&self, before: Timestamp) -> Vec<DoomedObject> {
        self.objects
            .iter()
            .filter_map(|(id, object)| match object.state {
                ObjectState::Deleting { marked_at } if marked_at < before => Some(DoomedObject {
                    id: *id,
                    kind: object.kind,
                    marked_at,
                }),
                ObjectState::Registered { .. } | ObjectState::Live(_) | ObjectState::Deleting { .. } => None,
            })
            .collect()
    }

    pub(super) fn abandoned_objects(&mut self, before: Timestamp, now: Timestamp) -> u64 {
        let incarnations = &self.incarnations;
        let is_open = |id: IncarnationId| {
            incarnations
                .get(&id)
                .is_some_and(|(row, _)| row.state == IncarnationState::Open)
        };
        let mut marked = 0;
        for object in self.objects.values_mut() {
            if let ObjectState::Registered { by, at } = object.state
                && at < before
                && !is_open(by)
            {
                object.state = ObjectState::Deleting { marked_at: now };
                marked += 1;
            }
        }
        marked
    }

    pub(super) fn give_up_objects(&mut self, by: IncarnationId, ids: &[ObjectId], now: Timestamp) {
        for id in ids {
            if let Some(object) = self.objects.get_mut(id)
                && matches!(object.state, ObjectState::Registered { by: first, .. } if first == by)
            {
                object.state = ObjectState::Deleting { marked_at: now };
            }
        }
    }

    pub(super) fn forget_objects(&mut self, ids: &[ObjectId]) {
        for id in ids {
            if let Some(StoredObject {
                state: ObjectState::Deleting { .. },
                ..
            }) = self.objects.get(id)
            {
                self.objects.remove(id);
            }
        }
    }
}
