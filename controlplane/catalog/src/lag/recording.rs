//! Writing what coordinators saw.

use super::LagRow;
use crate::catalog::Catalog;
use crate::cell::CatalogError;
use crate::sql::{Arg, Tx, TxError, args, numbers_of, transaction};

/// How many rows one statement writes.
const CHUNK: usize = 100;
/// How many rows one transaction writes.
const ROWS: usize = 2_000;
/// Columns of a row.
const WIDTH: usize = 6;

impl Catalog {
    /// Writes rows. One that is there already is replaced: two brokers write the same only while a group changes its coordinator.
    pub async fn record_lag(&self, rows: &[LagRow]) -> Result<(), CatalogError> {
        let mut rows: Vec<&LagRow> = rows.iter().collect();
        // In one order everywhere: no deadlock. A statement may name a row once only.
        let key = |row: &&LagRow| (row.cluster, row.group.clone(), row.topic.clone(), row.minute);
        rows.sort_by_cached_key(key);
        rows.dedup_by_key(|row| key(row));
        for part in rows.chunks(ROWS) {
            let written: Result<(), CatalogError> =
                transaction!(self.store(), write, |tx| tx.put_lag(part).await);
            written?;
        }
        Ok(())
    }
}

impl Tx {
    async fn put_lag(&mut self, rows: &[&LagRow]) -> Result<(), TxError<CatalogError>> {
        for chunk in rows.chunks(CHUNK) {
            let values = numbers_of(chunk.len(), WIDTH, 1);
            let upsert = format!(
                "INSERT INTO cell_lag (cluster, group_digest, topic, minute, lag_records, lag_ms) VALUES {values} \
                 ON CONFLICT (cluster, group_digest, topic, minute) DO UPDATE SET \
                 lag_records = excluded.lag_records, lag_ms = excluded.lag_ms"
            );
            self.execute(&upsert, chunk.iter().flat_map(|row| values_of(row)).collect())
                .await?;
        }
        Ok(())
    }
}

fn values_of(row: &LagRow) -> Vec<Arg> {
    args![
        row.cluster,
        row.group.as_str(),
        row.topic.as_str(),
        row.minute,
        row.lag_records,
        row.lag_ms,
    ]
}
