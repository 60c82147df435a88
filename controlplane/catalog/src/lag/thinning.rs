//! Old minutes are thinned to one of ten, very old ones go; a bounded number of minutes at a time, each in a transaction of its own.

use crate::catalog::Catalog;
use crate::cell::CatalogError;
use crate::sql::{Arg, Tx, TxError, args, optional_number_at, transaction};
use crate::usage::{DAY, HOUR};

/// How long rows are kept, in minutes.
pub const KEPT_MINUTES: i64 = 7 * DAY;
/// After how many minutes rows are thinned.
pub const THINNED_AFTER_MINUTES: i64 = 6 * HOUR;
/// Of so many minutes one is left then.
pub const THINNED_STEP_MINUTES: i64 = 10;
/// How far back it is looked for minutes that are to be thinned: far enough for turns of ten minutes, and no more, since what is left
/// there is read each time. What no broker has thinned by then, because none ran, stays until it is very old.
const THINNED_WINDOW: i64 = HOUR;

impl Catalog {
    /// Deletes what is to go at `minute`: at most `most` minutes of it. Whether there is more.
    pub async fn thin_lag(&self, minute: i64, most: usize) -> Result<bool, CatalogError> {
        for _ in 0..most {
            let done: Result<bool, CatalogError> =
                transaction!(self.store(), write, |tx| tx.thin_lag(minute).await);
            if !done? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl Tx {
    /// Deletes one minute that is to go. Whether there was one.
    async fn thin_lag(&mut self, now: i64) -> Result<bool, TxError<CatalogError>> {
        let oldest = "SELECT MIN(minute) FROM cell_lag WHERE minute < $1";
        let mut found = self.minute(oldest, args![now - KEPT_MINUTES]).await?;
        if found.is_none() {
            let end = now - THINNED_AFTER_MINUTES;
            let thinned = "SELECT minute FROM cell_lag WHERE minute >= $1 AND minute < $2 AND minute % $3 <> 0 \
                 ORDER BY minute DESC LIMIT 1";
            let args = args![end - THINNED_WINDOW, end, THINNED_STEP_MINUTES];
            found = self.minute(thinned, args).await?;
        }
        let Some(minute) = found else { return Ok(false) };
        self.execute("DELETE FROM cell_lag WHERE minute = $1", args![minute])
            .await?;
        Ok(true)
    }

    async fn minute(&mut self, select: &str, args: Vec<Arg>) -> Result<Option<i64>, TxError<CatalogError>> {
        let row = self.row(select, args).await?;
        Ok(row.map(|row| optional_number_at(&row, 0)).transpose()?.flatten())
    }
}
