//! The audit trail of clusters: who did what, chained row by row.

use firn_runtime::Timestamp;
use serde_json::Value;

use super::{Tx, TxError, args, number_at, text_at};
use crate::audit::chain::{Chained, FIRST};
use crate::audit::{Trail, decision, detail_text};
use crate::cell::CatalogError;
use crate::commands::Actor;
use crate::ids::{AuditId, ClusterId, FeedSequence};

/// What was done to what.
#[derive(Clone, Debug)]
pub(crate) struct Audited<'a> {
    /// What was done: `create_topic`.
    pub(crate) action: &'static str,
    /// To what kind of thing: `topic`.
    pub(crate) kind: &'static str,
    /// To which: a name or a public id.
    pub(crate) resource: &'a str,
    /// What changed, never a secret: `{"before": …, "after": …}` where both are there.
    pub(crate) detail: Value,
}

/// What an audit row says beside the time.
pub(crate) struct AuditEntry<'a> {
    pub(crate) id: AuditId,
    pub(crate) actor: &'a Actor,
    pub(crate) cluster: ClusterId,
    pub(crate) audited: Audited<'a>,
}

/// Where the chain of a cluster ends, locked.
#[derive(Debug)]
pub(crate) struct LockedHead {
    /// The position of the row that comes next.
    next: i64,
    /// The hash of the last one.
    previous: String,
}

/// A row that is to be chained.
#[derive(Debug)]
pub(crate) struct ChainedRow<'a> {
    pub(crate) id: AuditId,
    pub(crate) cluster: ClusterId,
    /// Where in the feed brokers learn of it; 0: nowhere.
    pub(crate) sequence: i64,
    pub(crate) at: Timestamp,
    pub(crate) principal: String,
    pub(crate) credential: Option<String>,
    pub(crate) address: Option<String>,
    pub(crate) request_id: &'a str,
    pub(crate) action: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) resource: &'a str,
    pub(crate) allowed: bool,
    pub(crate) detail: Value,
}

impl Tx {
    /// Locks the end of a cluster's audit trail: after the cluster's row, before the feed's head. One row is chained for each call.
    pub(crate) async fn lock_audit_head(
        &mut self,
        cluster: ClusterId,
    ) -> Result<LockedHead, TxError<CatalogError>> {
        let next = "INSERT INTO cell_audit_heads (cluster, position, hash) VALUES ($1, 1, $2) \
                    ON CONFLICT (cluster) DO UPDATE SET position = cell_audit_heads.position + 1 \
                    RETURNING position, hash";
        let row = self.row(next, args![cluster, FIRST]).await?;
        let row = row.ok_or_else(|| CatalogError::Corrupt("an audit trail has no head".to_owned()))?;
        Ok(LockedHead {
            next: number_at(&row, 0)?,
            previous: text_at(&row, 1)?,
        })
    }

    /// Writes an audit row behind the head.
    pub(crate) async fn audit(
        &mut self,
        head: &LockedHead,
        entry: AuditEntry<'_>,
        sequence: FeedSequence,
        now: Timestamp,
    ) -> Result<(), TxError<CatalogError>> {
        let AuditEntry {
            id,
            actor,
            cluster,
            audited,
        } = entry;
        let row = ChainedRow {
            id,
            cluster,
            sequence: sequence.0,
            at: now,
            principal: actor.principal.to_string(),
            credential: actor.credential.map(|credential| credential.to_string()),
            address: actor.address.map(|address| address.to_string()),
            request_id: &actor.request_id,
            action: audited.action,
            kind: audited.kind,
            resource: audited.resource,
            allowed: true,
            detail: audited.detail,
        };
        self.chain_row(head, row).await
    }

    /// Writes a row behind the head, which ends with it.
    pub(crate) async fn chain_row(
        &mut self,
        head: &LockedHead,
        row: ChainedRow<'_>,
    ) -> Result<(), TxError<CatalogError>> {
        let detail = detail_text(&row.detail);
        let chained = Chained {
            trail: Trail::Cluster(row.cluster),
            position: head.next,
            id: row.id,
            at: row.at,
            principal: &row.principal,
            credential: row.credential.as_deref(),
            address: row.address.as_deref(),
            request_id: row.request_id,
            action: row.action,
            resource_kind: row.kind,
            resource: row.resource,
            allowed: row.allowed,
            detail: &detail,
        };
        let hash = chained.hash(&head.previous);
        let insert = "INSERT INTO cell_audit (id, sequence, at, principal, request, cluster, action, subject, \
                      resource_kind, credential, address, decision, detail, position, hash) \
                      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";
        let values = args![
            row.id,
            row.sequence,
            row.at,
            row.principal,
            row.request_id,
            row.cluster,
            row.action,
            row.resource,
            row.kind,
            row.credential,
            row.address,
            decision(row.allowed),
            detail.as_str(),
            head.next,
            hash.as_str(),
        ];
        self.execute(insert, values).await?;
        let update = "UPDATE cell_audit_heads SET hash = $1 WHERE cluster = $2";
        self.execute(update, args![hash, row.cluster]).await?;
        Ok(())
    }
}
