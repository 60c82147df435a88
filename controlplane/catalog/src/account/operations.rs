//! Work that goes on after its request was answered: a change that not every broker has applied yet.

use std::time::Duration;

use firn_runtime::Timestamp;

use super::AccountError;
use crate::catalog::Catalog;
use crate::commands::Actor;
use crate::ids::{FeedSequence, OperationId};
use crate::sql::{TxError, args, number_at, text_at, transaction};

/// How long an operation can be asked for.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// A change that was told to the brokers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Its id.
    pub id: OperationId,
    /// What is done, as the audit trail calls it.
    pub action: String,
    /// The path of what it is done to.
    pub resource: String,
    /// Where in the feed it is told: it is done once every broker has applied that.
    pub sequence: FeedSequence,
    /// When it was begun.
    pub created_at: Timestamp,
}

impl Catalog {
    /// Remembers a change that is not in force everywhere, for the one who made it.
    pub async fn begin_operation(
        &self,
        actor: &Actor,
        action: &str,
        resource: &str,
        sequence: FeedSequence,
    ) -> Result<Operation, AccountError> {
        let now = self.env().now();
        let operation = Operation {
            id: OperationId(self.env().random_u128()),
            action: action.to_owned(),
            resource: resource.to_owned(),
            sequence,
            created_at: now,
        };
        let insert = "INSERT INTO account_operations (id, principal, action, resource, sequence, created_at) \
                      VALUES ($1, $2, $3, $4, $5, $6)";
        transaction!(self.store(), write, |tx| async {
            let old = "DELETE FROM account_operations WHERE created_at < $1";
            tx.execute(old, args![now.minus(KEPT)]).await?;
            let principal = actor.principal.to_string();
            tx.execute(
                insert,
                args![operation.id, principal, action, resource, sequence.0, now],
            )
            .await?;
            Ok::<_, TxError<AccountError>>(())
        }
        .await)?;
        Ok(operation)
    }

    /// An operation that the actor began.
    pub async fn operation(&self, actor: &Actor, id: OperationId) -> Result<Operation, AccountError> {
        let select = "SELECT action, resource, sequence, created_at FROM account_operations WHERE id = $1 AND principal = $2";
        transaction!(self.store(), snapshot, |tx| async {
            let principal = actor.principal.to_string();
            let Some(row) = tx.row(select, args![id, principal]).await? else {
                return Err(AccountError::NotFound { what: "operation" }.into());
            };
            Ok::<_, TxError<AccountError>>(Operation {
                id,
                action: text_at(&row, 0)?,
                resource: text_at(&row, 1)?,
                sequence: FeedSequence(number_at(&row, 2)?),
                created_at: Timestamp(number_at(&row, 3)?),
            })
        }
        .await)
    }
}
