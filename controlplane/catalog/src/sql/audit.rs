//! The audit trail: who did what, at which place of the feed.

use firn_runtime::Timestamp;

use super::{Tx, TxError, args};
use crate::cell::CatalogError;
use crate::commands::Actor;
use crate::ids::{AuditId, ClusterId, FeedSequence};

/// What an audit row says beside the time.
pub(crate) struct AuditEntry<'a> {
    pub(crate) id: AuditId,
    pub(crate) actor: &'a Actor,
    pub(crate) cluster: ClusterId,
    pub(crate) action: &'static str,
    pub(crate) subject: &'a str,
}

impl Tx {
    /// Writes an audit row.
    pub(crate) async fn audit(
        &mut self,
        entry: &AuditEntry<'_>,
        sequence: FeedSequence,
        now: Timestamp,
    ) -> Result<(), TxError<CatalogError>> {
        let insert = "INSERT INTO cell_audit (id, sequence, at, principal, request, cluster, action, subject) \
                      VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        let values = args![
            entry.id.to_string(),
            sequence.0,
            now,
            entry.actor.principal.to_string(),
            entry.actor.request_id.as_str(),
            entry.cluster,
            entry.action,
            entry.subject,
        ];
        self.execute(insert, values).await?;
        Ok(())
    }
}
