//! Finishing what was left between the account store and the cell, and purging what was deleted long enough ago.

use serde_json::json;
use tracing::{info, warn};

use super::{CELL, COLUMNS, Row, Stored, row_at};
use crate::account::AccountError;
use crate::catalog::Catalog;
use crate::commands::{Actor, Principal};
use crate::ids::{ClusterId, FeedSequence};
use crate::sql::{Tx, TxError, args, transaction};

/// How many clusters one call brings, and how many it purges.
const AT_ONCE: i64 = 100;

/// What a call did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// Versions that were brought to the cell.
    pub brought: usize,
    /// Clusters that went.
    pub purged: usize,
    /// Clusters that it could not do this for now; a later call tries again.
    pub failed: usize,
}

impl Catalog {
    /// Brings what the cell is not known to have, and purges the clusters whose time has come. Any number of processes may call
    /// it, whenever; with nothing to do it reads an index.
    pub async fn reconcile_clusters(&self) -> Result<Reconciled, AccountError> {
        let actor = Actor::process(Principal::Cell, "reconcile_clusters");
        let mut done = Reconciled::default();
        for row in self.unapplied().await? {
            match self.bring_to_cell(&row).await {
                Ok(_) => done.brought += 1,
                Err(error) => {
                    warn!(cluster = %row.id, %error, "a cluster's change cannot be brought to its cell now");
                    done.failed += 1;
                }
            }
        }
        for id in self.leaving().await? {
            match self.purge(&actor, id).await {
                Ok(true) => {
                    info!(cluster = %id, "a deleted cluster is gone");
                    done.purged += 1;
                }
                Ok(false) => {}
                Err(error) => {
                    warn!(cluster = %id, %error, "a deleted cluster cannot be purged now");
                    done.failed += 1;
                }
            }
        }
        Ok(done)
    }

    /// Applies a row's version in the cell, unless it is there already, and notes that it is.
    pub(super) async fn bring_to_cell(&self, row: &Row) -> Result<FeedSequence, AccountError> {
        if row.applied >= row.version {
            return transaction!(self.store(), snapshot, |tx| async {
                Ok::<_, TxError<AccountError>>(tx.feed_head().await?)
            }
            .await);
        }
        let sequence = self.apply_cluster(&row.actor(), &row.wanted()).await?;
        let noted: Result<u64, AccountError> = transaction!(self.store(), write, |tx| {
            let update = "UPDATE account_clusters SET applied = $2 WHERE cluster = $1 AND applied < $2";
            tx.execute(update, args![row.id, row.version]).await
        });
        // The reconciler would only find that there is nothing left to do.
        if let Err(error) = noted {
            warn!(cluster = %row.id, %error, "a cluster's change is in its cell, but this was not noted");
        }
        Ok(sequence)
    }

    async fn unapplied(&self) -> Result<Vec<Row>, AccountError> {
        transaction!(self.store(), snapshot, |tx| unapplied_in(&mut tx).await)
    }

    async fn leaving(&self) -> Result<Vec<ClusterId>, AccountError> {
        let now = self.env().now();
        transaction!(self.store(), snapshot, |tx| leaving_in(&mut tx, now).await)
    }

    /// Purges a cluster whose time has come; whether it had.
    async fn purge(&self, actor: &Actor, id: ClusterId) -> Result<bool, AccountError> {
        let now = self.env().now();
        let closed: Result<Option<Row>, AccountError> =
            transaction!(self.store(), write, |tx| close_in(&mut tx, id, now).await);
        let Some(row) = closed? else {
            return Ok(false);
        };
        // The cell must know that it is being deleted before anything in it goes.
        self.bring_to_cell(&row).await?;
        self.purge_cluster(actor, id).await?;
        transaction!(self.store(), write, |tx| forget_in(&mut tx, actor, id).await)
    }
}

async fn unapplied_in(tx: &mut Tx) -> Result<Vec<Row>, TxError<AccountError>> {
    let select = format!(
        "SELECT {COLUMNS} FROM account_clusters c JOIN account_projects p ON p.id = c.project \
         WHERE c.applied < c.version AND c.cell = $1 LIMIT $2"
    );
    let rows = tx.rows(&select, args![CELL, AT_ONCE]).await?;
    Ok(rows.iter().map(row_at).collect::<Result<_, _>>()?)
}

async fn leaving_in(
    tx: &mut Tx,
    now: firn_runtime::Timestamp,
) -> Result<Vec<ClusterId>, TxError<AccountError>> {
    let select = "SELECT cluster FROM account_clusters WHERE delete_at <= $1 AND cell = $2 ORDER BY delete_at LIMIT $3";
    let rows = tx.rows(select, args![now, CELL, AT_ONCE]).await?;
    let ids = rows.iter().map(|row| crate::sql::id_at(row, 0));
    Ok(ids.collect::<Result<_, _>>()?)
}

/// Closes the way back, if the time has come.
async fn close_in(
    tx: &mut Tx,
    id: ClusterId,
    now: firn_runtime::Timestamp,
) -> Result<Option<Row>, TxError<AccountError>> {
    let Some(mut row) = tx.lock_account_cluster(id).await? else {
        return Ok(None);
    };
    if row.delete_at.is_none_or(|at| at > now) {
        return Ok(None);
    }
    if row.stored != Stored::Purging {
        row.stored = Stored::Purging;
        let update = "UPDATE account_clusters SET state = $2 WHERE cluster = $1";
        tx.execute(update, args![id, row.stored.word()]).await?;
    }
    Ok(Some(row))
}

/// Removes the row and what is bound to it. Whether it was there.
async fn forget_in(tx: &mut Tx, actor: &Actor, id: ClusterId) -> Result<bool, TxError<AccountError>> {
    let Some(row) = tx.lock_account_cluster(id).await? else {
        return Ok(false);
    };
    tx.execute("DELETE FROM account_bindings WHERE scope = $1", args![id])
        .await?;
    tx.execute("DELETE FROM account_api_keys WHERE cluster = $1", args![id])
        .await?;
    tx.execute("DELETE FROM account_clusters WHERE cluster = $1", args![id])
        .await?;
    let public = id.public();
    tx.account_audit(
        actor,
        row.organization,
        "purge_cluster",
        "cluster",
        &public,
        &json!({ "before": { "name": row.name, "slug": row.slug, "project": row.project.public() }, "after": null }),
    )
    .await?;
    Ok(true)
}
