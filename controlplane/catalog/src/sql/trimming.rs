//! What retention, DeleteRecords and topic deletion write.

use firn_runtime::Timestamp;

use super::objects::CHUNK;
use super::{Arg, Tx, TxError, args, numbers_of};
use crate::cell::{CatalogError, EndHint, LogStartChange};
use crate::ids::{IncarnationId, ObjectId, Offset, PartitionId};

impl Tx {
    pub(super) async fn trim(
        &mut self,
        by: IncarnationId,
        log_starts: &[LogStartChange],
        removed: &[ObjectId],
        ends: &[EndHint],
        now: Timestamp,
    ) -> Result<(), TxError<CatalogError>> {
        self.lock_open(by).await?;
        let mut named: Vec<PartitionId> = log_starts.iter().map(|change| change.partition).collect();
        named.extend(ends.iter().map(|end| end.partition));
        named.sort_unstable();
        named.dedup();
        let rows = self.lock_partitions(&named).await?;
        for change in log_starts {
            if let Ok(found) = rows.binary_search_by_key(&change.partition, |row| row.id)
                && (rows[found].owner, rows[found].leader_epoch) != (by, change.leader_epoch)
            {
                return Err(CatalogError::NotOwner(change.partition).into());
            }
        }
        self.none_only_registered(removed).await?;
        let log_starts: Vec<_> = log_starts
            .iter()
            .map(|change| (change.partition, change.log_start))
            .collect();
        self.raise("log_start", log_starts).await?;
        let ends: Vec<_> = ends.iter().map(|end| (end.partition, end.end)).collect();
        self.raise("end_hint", ends).await?;
        self.mark_live_ones(removed, now).await
    }

    /// Raises a column of partitions' rows to the offsets given, where they are higher.
    async fn raise(
        &mut self,
        column: &'static str,
        mut offsets: Vec<(PartitionId, Offset)>,
    ) -> Result<(), TxError<CatalogError>> {
        // A join with a partition named twice would take either of its offsets.
        offsets.sort_unstable_by(|a, b| b.cmp(a));
        offsets.dedup_by_key(|(partition, _)| *partition);
        for chunk in offsets.chunks(CHUNK) {
            let values = numbers_of(chunk.len(), 3, 1);
            let update = format!(
                "UPDATE cell_partitions SET {column} = v.column3 FROM (VALUES {values}) AS v \
                 WHERE topic = v.column1 AND number = v.column2 AND {column} < v.column3"
            );
            let row = |(partition, offset): &(PartitionId, Offset)| {
                args![partition.topic, partition.index, *offset]
            };
            let parameters: Vec<Arg> = chunk.iter().flat_map(row).collect();
            self.execute(&update, parameters).await?;
        }
        Ok(())
    }
}
