//! The feed's rows.

use firn_runtime::Timestamp;

use super::{Dialect, Tx, TxError, args, json, json_at, number_at};
use crate::cell::CatalogError;
use crate::feed::{Change, FeedEntry};
use crate::ids::FeedSequence;

/// How many of the newest entries stay at least.
pub(crate) const KEPT: i64 = 10_000;
/// How often the older ones are removed, in entries.
const PRUNE_EVERY: i64 = 500;
/// How many entries one read gives at most.
pub(crate) const READ_AT_ONCE: i64 = 1_000;

/// The channel on which PostgreSQL tells followers that the feed has grown.
pub(crate) const CHANNEL: &str = "firn_cell_feed";

impl Tx {
    /// Locks the feed's head, which must be the transaction's last lock, and gives the next sequence.
    pub(crate) async fn lock_feed(&mut self) -> Result<FeedSequence, TxError<CatalogError>> {
        let row = self
            .row("SELECT head FROM cell_feed_head WHERE id = 1 FOR UPDATE", args![])
            .await?;
        let row = row.ok_or_else(|| CatalogError::Corrupt("the feed has no head".to_owned()))?;
        Ok(FeedSequence(number_at::<i64>(&row, 0)? + 1))
    }

    /// Stamps changes, the first with `first` as [`Tx::lock_feed`] gave it; the sequence of the last.
    pub(crate) async fn stamp(
        &mut self,
        first: FeedSequence,
        changes: &[Change],
        now: Timestamp,
    ) -> Result<FeedSequence, TxError<CatalogError>> {
        let mut last = FeedSequence(first.0 - 1);
        for change in changes {
            last = FeedSequence(last.0 + 1);
            let insert = "INSERT INTO cell_feed (sequence, at, change) VALUES ($1, $2, $3)";
            self.execute(insert, args![last.0, now, json(change)]).await?;
        }
        self.execute("UPDATE cell_feed_head SET head = $1 WHERE id = 1", args![last.0])
            .await?;
        if last.0 / PRUNE_EVERY != (first.0 - 1) / PRUNE_EVERY {
            self.execute("DELETE FROM cell_feed WHERE sequence <= $1", args![last.0 - KEPT])
                .await?;
        }
        if self.dialect() == Dialect::Postgres {
            self.execute("SELECT pg_notify($1, $2)", args![CHANNEL, last.0.to_string()])
                .await?;
        }
        Ok(last)
    }

    /// Locks the head and stamps one change.
    pub(crate) async fn tell(
        &mut self,
        change: Change,
        now: Timestamp,
    ) -> Result<FeedSequence, TxError<CatalogError>> {
        let first = self.lock_feed().await?;
        self.stamp(first, &[change], now).await
    }

    /// The entries after `after`, oldest first, at most [`READ_AT_ONCE`], and the head.
    pub(crate) async fn feed_after(
        &mut self,
        after: FeedSequence,
    ) -> Result<(Vec<FeedEntry>, FeedSequence), TxError<CatalogError>> {
        let head = self.feed_head().await?;
        let select = "SELECT sequence, change FROM cell_feed WHERE sequence > $1 ORDER BY sequence LIMIT $2";
        let mut entries = Vec::new();
        for row in self.rows(select, args![after.0, READ_AT_ONCE]).await? {
            entries.push(FeedEntry {
                sequence: FeedSequence(number_at(&row, 0)?),
                change: json_at(&row, 1)?,
            });
        }
        Ok((entries, head))
    }

    /// The sequence of the newest entry; 0 if there is none.
    pub(crate) async fn feed_head(&mut self) -> Result<FeedSequence, TxError<CatalogError>> {
        let row = self
            .row("SELECT head FROM cell_feed_head WHERE id = 1", args![])
            .await?;
        let row = row.ok_or_else(|| CatalogError::Corrupt("the feed has no head".to_owned()))?;
        Ok(FeedSequence(number_at(&row, 0)?))
    }
}
