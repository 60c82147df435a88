//! The audit trail: who did what, at which place of the feed.

use firn_runtime::Timestamp;
use serde_json::Value;

use super::{Tx, TxError, args, json};
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

impl Tx {
    /// Writes an audit row.
    pub(crate) async fn audit(
        &mut self,
        entry: &AuditEntry<'_>,
        sequence: FeedSequence,
        now: Timestamp,
    ) -> Result<(), TxError<CatalogError>> {
        let insert = "INSERT INTO cell_audit (id, sequence, at, principal, request, cluster, action, subject, \
                      resource_kind, credential, address, detail) \
                      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
        let values = args![
            entry.id.to_string(),
            sequence.0,
            now,
            entry.actor.principal.to_string(),
            entry.actor.request_id.as_str(),
            entry.cluster,
            entry.audited.action,
            entry.audited.resource,
            entry.audited.kind,
            entry.actor.credential.map(|credential| credential.to_string()),
            entry.actor.address.map(|address| address.to_string()),
            json(&entry.audited.detail),
        ];
        self.execute(insert, values).await?;
        Ok(())
    }
}
