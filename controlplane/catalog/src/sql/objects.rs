//! The rows of objects: registered, live, deleting, gone.

use std::collections::BTreeMap;

use firn_runtime::Timestamp;
use sqlx::any::AnyRow;

use super::rows::{optional_id_at, optional_number_at, word, word_at};
use super::{Arg, Tx, TxError, args, id_at, number_at, numbers_of};
use crate::cell::{CatalogError, DoomedObject, ObjectKind, ObjectRow, SegmentRange};
use crate::ids::{IncarnationId, ObjectId, Offset, PartitionId, Slot};

/// How many rows one statement names: far below either database's limit on parameters, and SQLite finds a
/// parameter by walking the list of their names, so that longer statements cost their square.
pub(super) const CHUNK: usize = 250;

/// Where an object is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ObjectState {
    Registered,
    Live,
    Deleting,
}

type States = BTreeMap<ObjectId, (ObjectKind, ObjectState)>;

fn object(row: &AnyRow) -> Result<ObjectRow, CatalogError> {
    let segment = match optional_id_at(row, 4)? {
        Some(topic) => Some(SegmentRange {
            partition: PartitionId {
                topic,
                index: number_at(row, 5)?,
            },
            first: Offset(number_at(row, 6)?),
            end: Offset(number_at(row, 7)?),
        }),
        None => None,
    };
    Ok(ObjectRow {
        id: id_at(row, 0)?,
        kind: word_at(row, 1)?,
        size: number_at(row, 2)?,
        index_size: number_at(row, 3)?,
        segment,
    })
}

fn ids_of(objects: &[ObjectRow]) -> Vec<ObjectId> {
    objects.iter().map(|object| object.id).collect()
}

impl Tx {
    /// Locks and reads the states of those of `ids` that have a row.
    async fn object_states(&mut self, ids: &[ObjectId]) -> Result<States, TxError<CatalogError>> {
        let mut states = States::new();
        let mut ordered = ids.to_vec();
        ordered.sort_unstable();
        for chunk in ordered.chunks(CHUNK) {
            let list = numbers_of(1, chunk.len(), 1);
            let select =
                format!("SELECT id, kind, state FROM cell_objects WHERE id IN {list} ORDER BY id FOR UPDATE");
            for row in self
                .rows(&select, chunk.iter().map(|id| Arg::from(*id)).collect())
                .await?
            {
                states.insert(id_at(&row, 0)?, (word_at(&row, 1)?, word_at(&row, 2)?));
            }
        }
        Ok(states)
    }

    /// Whether all these objects are live or were before they were marked.
    pub(super) async fn all_were_live(
        &mut self,
        objects: &[ObjectRow],
    ) -> Result<bool, TxError<CatalogError>> {
        let states = self.object_states(&ids_of(objects)).await?;
        let was_live = |object: &ObjectRow| {
            states
                .get(&object.id)
                .is_some_and(|(_, state)| *state != ObjectState::Registered)
        };
        Ok(objects.iter().all(was_live))
    }

    /// Makes registered objects live, all or none; those that are live already stay so.
    pub(super) async fn make_live(&mut self, objects: &[ObjectRow]) -> Result<(), TxError<CatalogError>> {
        let states = self.object_states(&ids_of(objects)).await?;
        let mut registered = Vec::new();
        for object in objects {
            match states.get(&object.id) {
                Some((_, ObjectState::Live)) => {}
                Some((kind, ObjectState::Registered)) if *kind == object.kind => registered.push(object),
                Some((_, ObjectState::Registered | ObjectState::Deleting)) | None => {
                    return Err(CatalogError::ObjectNotRegistered(object.id).into());
                }
            }
        }
        for chunk in registered.chunks(CHUNK) {
            let values = numbers_of(chunk.len(), 7, 1);
            // Both databases name the columns of a VALUES list column1, column2, …
            let update = format!(
                "UPDATE cell_objects SET state = 'live', size = v.column2, index_size = v.column3, \
                 segment_topic = v.column4, segment_number = v.column5, segment_first = v.column6, \
                 segment_end = v.column7 FROM (VALUES {values}) AS v WHERE cell_objects.id = v.column1"
            );
            let mut parameters = Vec::with_capacity(chunk.len() * 7);
            for object in chunk {
                let segment = object.segment;
                parameters.extend(args![
                    object.id,
                    object.size,
                    object.index_size,
                    segment.map(|segment| segment.partition.topic.to_string()),
                    segment.map(|segment| i64::from(segment.partition.index)),
                    segment.map(|segment| segment.first.0),
                    segment.map(|segment| segment.end.0),
                ]);
            }
            self.execute(&update, parameters).await?;
        }
        Ok(())
    }

    /// Marks the live ones of `ids` for deletion.
    pub(super) async fn mark_live_ones(
        &mut self,
        ids: &[ObjectId],
        now: Timestamp,
    ) -> Result<(), TxError<CatalogError>> {
        for chunk in ids.chunks(CHUNK) {
            let list = numbers_of(1, chunk.len(), 2);
            let update = format!(
                "UPDATE cell_objects SET state = 'deleting', marked_at = $1 WHERE state = 'live' AND id IN {list}"
            );
            let mut parameters = args![now];
            parameters.extend(chunk.iter().map(|id| Arg::from(*id)));
            self.execute(&update, parameters).await?;
        }
        Ok(())
    }

    /// Refuses objects that are registered but were never live.
    pub(super) async fn none_only_registered(
        &mut self,
        ids: &[ObjectId],
    ) -> Result<(), TxError<CatalogError>> {
        let states = self.object_states(ids).await?;
        for id in ids {
            if let Some((_, ObjectState::Registered)) = states.get(id) {
                return Err(CatalogError::ObjectNotRegistered(*id).into());
            }
        }
        Ok(())
    }

    pub(super) async fn register_object(
        &mut self,
        by: IncarnationId,
        id: ObjectId,
        kind: ObjectKind,
        now: Timestamp,
    ) -> Result<(), TxError<CatalogError>> {
        self.lock_open(by).await?;
        let select = "SELECT registered_by, kind, state FROM cell_objects WHERE id = $1";
        if let Some(row) = self.row(select, args![id]).await? {
            let (first, as_kind) = (id_at::<IncarnationId>(&row, 0)?, word_at::<ObjectKind>(&row, 1)?);
            let repeated =
                first == by && as_kind == kind && word_at::<ObjectState>(&row, 2)? == ObjectState::Registered;
            return if repeated {
                Ok(())
            } else {
                Err(CatalogError::ObjectNotRegistered(id).into())
            };
        }
        let insert = "INSERT INTO cell_objects (id, kind, state, registered_by, registered_at) \
                      VALUES ($1, $2, 'registered', $3, $4)";
        self.execute(insert, args![id, word(&kind), by, now]).await?;
        Ok(())
    }

    pub(super) async fn checkpoint(
        &mut self,
        by: IncarnationId,
        offloaded: Slot,
        objects: &[ObjectRow],
    ) -> Result<(), TxError<CatalogError>> {
        self.lock_open(by).await?;
        self.make_live(objects).await?;
        let update = "UPDATE cell_incarnations SET offloaded = $2 WHERE id = $1 AND offloaded < $2";
        self.execute(update, args![by, offloaded]).await?;
        Ok(())
    }

    pub(super) async fn replace_objects(
        &mut self,
        by: IncarnationId,
        removed: &[ObjectId],
        inserted: &[ObjectRow],
        now: Timestamp,
    ) -> Result<(), TxError<CatalogError>> {
        self.lock_open(by).await?;
        let mut named = ids_of(inserted);
        named.extend(removed);
        let states = self.object_states(&named).await?;
        let state = |id: ObjectId| states.get(&id).map(|(_, state)| *state);
        let repeated = inserted
            .iter()
            .all(|object| state(object.id) == Some(ObjectState::Live));
        for id in removed {
            let accepted = match state(*id) {
                Some(ObjectState::Live) => true,
                Some(ObjectState::Registered) => false,
                Some(ObjectState::Deleting) | None => repeated,
            };
            if !accepted {
                return Err(CatalogError::ObjectNotRegistered(*id).into());
            }
        }
        self.make_live(inserted).await?;
        self.mark_live_ones(removed, now).await
    }

    pub(super) async fn live_objects(&mut self) -> Result<Vec<ObjectRow>, TxError<CatalogError>> {
        let select = "SELECT id, kind, size, index_size, segment_topic, segment_number, segment_first, segment_end \
                      FROM cell_objects WHERE state = 'live' AND kind <> 'recovery_index'";
        let rows = self.rows(select, args![]).await?;
        Ok(rows.iter().map(object).collect::<Result<_, _>>()?)
    }

    pub(super) async fn object_is_live(&mut self, id: ObjectId) -> Result<bool, TxError<CatalogError>> {
        let select = "SELECT id FROM cell_objects WHERE id = $1 AND state = 'live'";
        Ok(self.row(select, args![id]).await?.is_some())
    }

    pub(super) async fn doomed_objects(
        &mut self,
        before: Timestamp,
    ) -> Result<Vec<DoomedObject>, TxError<CatalogError>> {
        let select = "SELECT id, kind, marked_at FROM cell_objects WHERE state = 'deleting' AND marked_at < $1 ORDER BY id";
        let mut doomed = Vec::new();
        for row in self.rows(select, args![before]).await? {
            let marked_at = Timestamp(optional_number_at(&row, 2)?.unwrap_or_default());
            doomed.push(DoomedObject {
                id: id_at(&row, 0)?,
                kind: word_at(&row, 1)?,
                marked_at,
            });
        }
        Ok(doomed)
    }

    pub(super) async fn abandoned_objects(
        &mut self,
        before: Timestamp,
        now: Timestamp,
    ) -> Result<u64, TxError<CatalogError>> {
        let update = "UPDATE cell_objects SET state = 'deleting', marked_at = $2 \
                      WHERE state = 'registered' AND registered_at < $1 AND NOT EXISTS \
                      (SELECT 1 FROM cell_incarnations i WHERE i.id = registered_by AND i.state = 'open')";
        Ok(self.execute(update, args![before, now]).await?)
    }

    pub(super) async fn give_up_objects(
        &mut self,
        by: IncarnationId,
        ids: &[ObjectId],
        now: Timestamp,
    ) -> Result<(), TxError<CatalogError>> {
        for chunk in ids.chunks(CHUNK) {
            let list = numbers_of(1, chunk.len(), 3);
            let update = format!(
                "UPDATE cell_objects SET state = 'deleting', marked_at = $2 \
                 WHERE state = 'registered' AND registered_by = $1 AND id IN {list}"
            );
            let mut parameters = args![by, now];
            parameters.extend(chunk.iter().map(|id| Arg::from(*id)));
            self.execute(&update, parameters).await?;
        }
        Ok(())
    }

    pub(super) async fn forget_objects(&mut self, ids: &[ObjectId]) -> Result<(), TxError<CatalogError>> {
        for chunk in ids.chunks(CHUNK) {
            let list = numbers_of(1, chunk.len(), 1);
            let delete = format!("DELETE FROM cell_objects WHERE state = 'deleting' AND id IN {list}");
            self.execute(&delete, chunk.iter().map(|id| Arg::from(*id)).collect())
                .await?;
        }
        Ok(())
    }
}
