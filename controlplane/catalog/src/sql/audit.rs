//! The audit trail of clusters: who did what, chained row by row.

use firn_runtime::Timestamp;
use serde_json::Value;

use super::{Arg, Tx, TxError, args, number_at, numbers_of, text_at};
use crate::audit::chain::{Chained, FIRST};
use crate::audit::{Trail, decision, detail_text};
use crate::cell::CatalogError;
use crate::commands::Actor;
use crate::ids::{AuditId, ClusterId, FeedSequence};

/// How many columns a row has, and how many rows one statement writes.
const WIDTH: usize = 15;
const CHUNK: usize = 20;

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
    /// Locks the end of a cluster's audit trail: after the cluster's row, before the feed's head. At least one row
    /// is chained then.
    pub(crate) async fn lock_audit_head(
        &mut self,
        cluster: ClusterId,
    ) -> Result<LockedHead, TxError<CatalogError>> {
        let next = "INSERT INTO cell_audit_heads (cluster, position, hash, organization) \
                    VALUES ($1, 1, $2, COALESCE((SELECT organization FROM cell_clusters WHERE id = $1), '')) \
                    ON CONFLICT (cluster) DO UPDATE SET position = cell_audit_heads.position + 1, \
                    organization = CASE WHEN cell_audit_heads.organization = '' THEN excluded.organization \
                    ELSE cell_audit_heads.organization END \
                    RETURNING position, hash";
        let row = self.row(next, args![cluster, FIRST]).await?;
        let row = row.ok_or_else(|| CatalogError::Corrupt("an audit trail has no head".to_owned()))?;
        Ok(LockedHead {
            next: number_at(&row, 0)?,
            previous: text_at(&row, 1)?,
        })
    }

    /// Writes audit rows behind the head, in order.
    pub(crate) async fn audit(
        &mut self,
        head: &LockedHead,
        entries: Vec<AuditEntry<'_>>,
        sequence: FeedSequence,
        now: Timestamp,
    ) -> Result<(), TxError<CatalogError>> {
        let rows = entries.into_iter().map(|entry| ChainedRow {
            id: entry.id,
            cluster: entry.cluster,
            sequence: sequence.0,
            at: now,
            principal: entry.actor.principal.to_string(),
            credential: entry.actor.credential.map(|credential| credential.to_string()),
            address: entry.actor.address.map(|address| address.to_string()),
            request_id: &entry.actor.request_id,
            action: entry.audited.action,
            kind: entry.audited.kind,
            resource: entry.audited.resource,
            allowed: true,
            detail: entry.audited.detail,
        });
        self.chain_rows(head, rows.collect()).await
    }

    /// Writes rows of one cluster behind the head, which ends with the last of them.
    pub(crate) async fn chain_rows(
        &mut self,
        head: &LockedHead,
        rows: Vec<ChainedRow<'_>>,
    ) -> Result<(), TxError<CatalogError>> {
        let Some(cluster) = rows.first().map(|row| row.cluster) else {
            return Ok(());
        };
        let (mut position, mut hash) = (head.next, head.previous.clone());
        for chunk in rows.chunks(CHUNK) {
            let mut values: Vec<Arg> = Vec::with_capacity(chunk.len() * WIDTH);
            for row in chunk {
                let detail = detail_text(&row.detail);
                hash = row.hash(position, &detail, &hash);
                values.extend(args![
                    row.id,
                    row.sequence,
                    row.at,
                    row.principal.as_str(),
                    row.request_id,
                    row.cluster,
                    row.action,
                    row.resource,
                    row.kind,
                    row.credential.clone(),
                    row.address.clone(),
                    decision(row.allowed),
                    detail,
                    position,
                    hash.as_str(),
                ]);
                position += 1;
            }
            let places = numbers_of(chunk.len(), WIDTH, 1);
            let insert = format!(
                "INSERT INTO cell_audit (id, sequence, at, principal, request, cluster, action, subject, \
                 resource_kind, credential, address, decision, detail, position, hash) VALUES {places}"
            );
            self.execute(&insert, values).await?;
        }
        let update = "UPDATE cell_audit_heads SET position = $1, hash = $2 WHERE cluster = $3";
        self.execute(update, args![position - 1, hash, cluster]).await?;
        Ok(())
    }
}

impl ChainedRow<'_> {
    /// The hash at this position, behind a row of that hash.
    fn hash(&self, position: i64, detail: &str, previous: &str) -> String {
        let chained = Chained {
            trail: Trail::Cluster(self.cluster),
            position,
            id: self.id,
            at: self.at,
            principal: &self.principal,
            credential: self.credential.as_deref(),
            address: self.address.as_deref(),
            request_id: self.request_id,
            action: self.action,
            resource_kind: self.kind,
            resource: self.resource,
            allowed: self.allowed,
            detail,
        };
        chained.hash(previous)
    }
}
