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
        match self.authorizer().allows(&actor.principal, operation, resource) {
            true => Ok(()),
            false => Err(CommandError::NotAuthorized),
        }
    }

    /// Stamps the change and writes the audit row: the last that a command does before its commit.
    pub(super) async fn record(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        cluster: ClusterId,
        audited: Audited<'_>,
        change: Change,
    ) -> Result<FeedSequence, TxError<CommandError>> {
        let now = self.env().now();
        let sequence = tx.tell(change, now).await?;
        let id = AuditId(self.env().random_u128());
        tx.audit(
            &AuditEntry {
                id,
                actor,
                cluster,
                audited,
            },
            sequence,
            now,
        )
        .await?;
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
