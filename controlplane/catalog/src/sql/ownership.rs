//! The rows of partitions as the log reads them.

use std::collections::BTreeSet;

use sqlx::any::AnyRow;

use super::objects::CHUNK;
use super::{Arg, Tx, TxError, args, id_at, number_at, numbers_of};
use crate::cell::{CatalogError, PartitionRow};
use crate::ids::{IncarnationId, LeaderEpoch, Offset, PartitionId};

fn partition(row: &AnyRow) -> Result<PartitionRow, CatalogError> {
    Ok(PartitionRow {
        id: PartitionId {
            topic: id_at(row, 0)?,
            index: number_at(row, 1)?,
        },
        owner: id_at(row, 2)?,
        leader_epoch: LeaderEpoch(number_at(row, 3)?),
        log_start: Offset(number_at(row, 4)?),
        end_hint: Offset(number_at(row, 5)?),
    })
}

impl Tx {
    pub(super) async fn partitions_owned(
        &mut self,
        owner: IncarnationId,
    ) -> Result<Vec<PartitionRow>, TxError<CatalogError>> {
        let select = "SELECT topic, number, owner, leader_epoch, log_start, end_hint FROM cell_partitions \
                      WHERE owner = $1 ORDER BY topic, number";
        let rows = self.rows(select, args![owner]).await?;
        Ok(rows.iter().map(partition).collect::<Result<_, _>>()?)
    }

    /// Locks and reads those of `ids` that exist.
    pub(super) async fn lock_partitions(
        &mut self,
        ids: &[PartitionId],
    ) -> Result<Vec<PartitionRow>, TxError<CatalogError>> {
        let mut found = Vec::with_capacity(ids.len());
        let mut ordered = ids.to_vec();
        ordered.sort_unstable();
        for chunk in ordered.chunks(CHUNK) {
            let pairs = numbers_of(chunk.len(), 2, 1);
            let select = format!(
                "SELECT topic, number, owner, leader_epoch, log_start, end_hint FROM cell_partitions \
                 WHERE (topic, number) IN (VALUES {pairs}) ORDER BY topic, number FOR UPDATE"
            );
            for row in self.rows(&select, keys(chunk)).await? {
                found.push(partition(&row)?);
            }
        }
        Ok(found)
    }

    pub(super) async fn existing_partitions(
        &mut self,
        ids: &[PartitionId],
    ) -> Result<Vec<PartitionId>, TxError<CatalogError>> {
        let mut existing = BTreeSet::new();
        for chunk in ids.chunks(CHUNK) {
            let pairs = numbers_of(chunk.len(), 2, 1);
            let select = format!(
                "SELECT topic, number FROM cell_partitions WHERE (topic, number) IN (VALUES {pairs})"
            );
            for row in self.rows(&select, keys(chunk)).await? {
                existing.insert(PartitionId {
                    topic: id_at(&row, 0)?,
                    index: number_at(&row, 1)?,
                });
            }
        }
        Ok(ids.iter().copied().filter(|id| existing.contains(id)).collect())
    }
}

fn keys(ids: &[PartitionId]) -> Vec<Arg> {
    ids.iter().flat_map(|id| args![id.topic, id.index]).collect()
}
