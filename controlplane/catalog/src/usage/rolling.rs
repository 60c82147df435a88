//! Old minutes become hours: an hour's row adds up its minutes. Very old hours go.
//!
//! One minute a transaction, in order, under the lock of the one row that says how far it is, so that brokers that do it at the
//! same time count nothing twice.

use super::{DAY, HOUR, LATEST_MINUTES};
use crate::catalog::Catalog;
use crate::cell::CatalogError;
use crate::sql::{Tx, TxError, args, number_at, optional_number_at, transaction};

/// How long a minute is a row of its own, in minutes. Longer than brokers keep what they could not write.
pub const MINUTE_ROWS_KEPT_MINUTES: i64 = 2 * DAY;
/// How long an hour's row is kept, in minutes: 400 days.
pub const HOUR_ROWS_KEPT_MINUTES: i64 = 400 * DAY;

const _: () = assert!(
    LATEST_MINUTES < MINUTE_ROWS_KEPT_MINUTES,
    "what was rolled up is written no more"
);

impl Catalog {
    /// Rolls up at most `most` minutes that are old enough at `minute`, and drops hours that are too old. Whether there are more.
    pub async fn roll_up_usage(&self, minute: i64, most: usize) -> Result<bool, CatalogError> {
        for _ in 0..most {
            let before = minute - MINUTE_ROWS_KEPT_MINUTES;
            let done: Result<bool, CatalogError> =
                transaction!(self.store(), write, |tx| tx.roll_up_minute(before).await);
            if !done? {
                let oldest = minute - HOUR_ROWS_KEPT_MINUTES;
                return transaction!(self.store(), write, |tx| tx.drop_usage(oldest).await).map(|()| false);
            }
        }
        Ok(true)
    }
}

impl Tx {
    /// Rolls up the oldest minute below `before`. Whether there was one.
    async fn roll_up_minute(&mut self, before: i64) -> Result<bool, TxError<CatalogError>> {
        let lock = "SELECT minute FROM cell_usage_rollup WHERE id = 1 FOR UPDATE";
        let Some(row) = self.row(lock, args![]).await? else {
            return Err(CatalogError::Corrupt("the row of cell_usage_rollup is gone".to_owned()).into());
        };
        let from: i64 = number_at(&row, 0)?;
        let oldest = "SELECT MIN(minute) FROM cell_usage WHERE minute >= $1 AND minute < $2";
        let oldest = self.row(oldest, args![from, before]).await?;
        let minute = oldest
            .map(|row| optional_number_at(&row, 0))
            .transpose()?
            .flatten();
        let Some(minute) = minute else { return Ok(false) };
        let add = "INSERT INTO cell_usage (organization, minute, cluster, principal, incarnation, bytes_in, bytes_out, \
             produced_bytes, fetched_bytes, requests, connections_peak, storage_byte_minutes, partition_minutes) \
             SELECT organization, $2, cluster, principal, '', CAST(SUM(bytes_in) AS BIGINT), \
             CAST(SUM(bytes_out) AS BIGINT), CAST(SUM(produced_bytes) AS BIGINT), CAST(SUM(fetched_bytes) AS BIGINT), \
             CAST(SUM(requests) AS BIGINT), CAST(SUM(connections_peak) AS BIGINT), \
             CAST(SUM(storage_byte_minutes) AS BIGINT), CAST(SUM(partition_minutes) AS BIGINT) \
             FROM cell_usage WHERE minute = $1 AND incarnation <> '' GROUP BY organization, cluster, principal \
             ON CONFLICT (organization, minute, cluster, principal, incarnation) DO UPDATE SET \
             bytes_in = cell_usage.bytes_in + excluded.bytes_in, bytes_out = cell_usage.bytes_out + excluded.bytes_out, \
             produced_bytes = cell_usage.produced_bytes + excluded.produced_bytes, \
             fetched_bytes = cell_usage.fetched_bytes + excluded.fetched_bytes, \
             requests = cell_usage.requests + excluded.requests, \
             connections_peak = CASE WHEN cell_usage.connections_peak > excluded.connections_peak \
             THEN cell_usage.connections_peak ELSE excluded.connections_peak END, \
             storage_byte_minutes = cell_usage.storage_byte_minutes + excluded.storage_byte_minutes, \
             partition_minutes = cell_usage.partition_minutes + excluded.partition_minutes";
        self.execute(add, args![minute, minute.div_euclid(HOUR) * HOUR])
            .await?;
        let delete = "DELETE FROM cell_usage WHERE minute = $1 AND incarnation <> ''";
        self.execute(delete, args![minute]).await?;
        let on = "UPDATE cell_usage_rollup SET minute = $1 WHERE id = 1";
        self.execute(on, args![minute + 1]).await?;
        Ok(true)
    }

    /// Drops what is older than `before`.
    async fn drop_usage(&mut self, before: i64) -> Result<(), TxError<CatalogError>> {
        self.execute("DELETE FROM cell_usage WHERE minute < $1", args![before])
            .await?;
        Ok(())
    }
}
