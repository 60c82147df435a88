//! What every command does: ask the authorizer, tell feed and audit, count itself.

use super::{Actor, CommandError, Operation, Resource};
use crate::catalog::Catalog;
use crate::feed::Change;
use crate::ids::{AuditId, ClusterId, FeedSequence};
use crate::metrics;
use crate::sql::{AuditEntry, Audited, Tx, TxError};

impl Catalog {
    pub(super) fn authorize(
        &self,
        actor: &Actor,
        operation: Operation,
        resource: &Resource,
    ) -> Result<(), CommandError> {
        let image = self.judging_image();
        match self
            .authorizer()
            .allows(actor, image.as_deref(), operation, resource)
        {
            true => Ok(()),
            false => Err(CommandError::NotAuthorized),
        }
    }

    /// Writes the audit row and stamps the change: the last that a command does before its commit.
    pub(super) async fn record(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        cluster: ClusterId,
        audited: Audited<'_>,
        change: Change,
    ) -> Result<FeedSequence, TxError<CommandError>> {
        let now = self.env().now();
        let head = tx.lock_audit_head(cluster).await?;
        let sequence = tx.tell(change, now).await?;
        let entry = AuditEntry {
            id: AuditId(self.env().random_u128()),
            actor,
            cluster,
            audited,
        };
        tx.audit(&head, entry, sequence, now).await?;
        Ok(sequence)
    }

    /// Counts the command and wakes the followers.
    pub(super) fn finish<T>(
        &self,
        name: &'static str,
        outcome: Result<T, CommandError>,
    ) -> Result<T, CommandError> {
        metrics::command(name, outcome.is_ok());
        self.hint_after(outcome)
    }
}
