//! Writing what brokers counted.

use super::UsageRow;
use crate::catalog::Catalog;
use crate::cell::CatalogError;
use crate::sql::{Arg, Tx, TxError, args, numbers_of, transaction};

/// How many rows one statement writes.
const CHUNK: usize = 40;
/// How many rows one transaction writes.
const ROWS: usize = 2_000;
/// Columns of a row.
const WIDTH: usize = 13;

impl Catalog {
    /// Writes rows, each with all that was counted in its minute so far. What is there already is replaced, unless it says more:
    /// then this is an older state of the row that comes late. So a repeat changes nothing.
    pub async fn record_usage(&self, rows: &[UsageRow]) -> Result<(), CatalogError> {
        for part in rows.chunks(ROWS) {
            let written: Result<(), CatalogError> =
                transaction!(self.store(), write, |tx| tx.put_usage(part).await);
            written?;
        }
        Ok(())
    }
}

impl Tx {
    async fn put_usage(&mut self, rows: &[UsageRow]) -> Result<(), TxError<CatalogError>> {
        // Two brokers never write the same row, and one has its rows in order: no deadlock.
        for chunk in rows.chunks(CHUNK) {
            let values = numbers_of(chunk.len(), WIDTH, 1);
            let upsert = format!(
                "INSERT INTO cell_usage (organization, minute, cluster, principal, incarnation, bytes_in, bytes_out, \
                 produced_bytes, fetched_bytes, requests, connections_peak, storage_byte_minutes, partition_minutes) \
                 VALUES {values} \
                 ON CONFLICT (organization, minute, cluster, principal, incarnation) DO UPDATE SET \
                 bytes_in = excluded.bytes_in, bytes_out = excluded.bytes_out, \
                 produced_bytes = excluded.produced_bytes, fetched_bytes = excluded.fetched_bytes, \
                 requests = excluded.requests, connections_peak = excluded.connections_peak, \
                 storage_byte_minutes = excluded.storage_byte_minutes, partition_minutes = excluded.partition_minutes \
                 WHERE excluded.requests >= cell_usage.requests AND excluded.bytes_in >= cell_usage.bytes_in \
                 AND excluded.produced_bytes >= cell_usage.produced_bytes"
            );
            self.execute(&upsert, chunk.iter().flat_map(values_of).collect())
                .await?;
        }
        Ok(())
    }
}

fn values_of(row: &UsageRow) -> Vec<Arg> {
    let amounts = row.amounts;
    args![
        row.organization,
        row.minute,
        row.cluster,
        row.principal.as_str(),
        row.incarnation,
        amounts.bytes_in,
        amounts.bytes_out,
        amounts.produced_bytes,
        amounts.fetched_bytes,
        amounts.requests,
        amounts.connections_peak,
        amounts.storage_byte_minutes,
        amounts.partition_minutes,
    ]
}
