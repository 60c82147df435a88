//! Bringing to the cell what the account store says of an API key.

use std::sync::Arc;

use super::{COLUMNS, Row, row_at};
use crate::account::AccountError;
use crate::account::credentials::TOMBSTONE;
use crate::catalog::Catalog;
use crate::commands::{Actor, CommandError, Committed, CredentialId, User};
use crate::credential::{KafkaCredential, Proof};
use crate::ids::{ApiKeyId, ClusterId, FeedSequence};
use crate::sql::{TxError, args, transaction};

impl Catalog {
    /// Brings the cell to what the account store says of a key, and notes that it is there; the row of one that was revoked long
    /// enough ago then goes. `None` if the cell was so already, or has no part in it.
    pub(in crate::account) async fn bring_key(
        &self,
        actor: &Actor,
        id: ApiKeyId,
    ) -> Result<Option<FeedSequence>, AccountError> {
        let (mut last, mut put) = (None, None);
        while let Some(row) = self.key_row(id).await? {
            let sequence = match (row.key.cluster, row.revoked) {
                (None, _) => None,
                (Some(cluster), true) => {
                    self.drop_from_cell(actor, cluster, CredentialId::ApiKey(id))
                        .await?
                }
                (Some(cluster), false) => {
                    put = Some(cluster);
                    self.put_key(actor, cluster, &row).await?
                }
            };
            last = sequence.max(last);
            // Who revokes a key while it is put may look into the cell too early: what is said now counts.
            if self.settle_key(id, row.revoked).await? {
                return Ok(last);
            }
        }
        // Its row went meanwhile, with the cluster or long after it was revoked.
        if let Some(cluster) = put {
            let dropped = self
                .drop_from_cell(actor, cluster, CredentialId::ApiKey(id))
                .await?;
            last = dropped.max(last);
        }
        Ok(last)
    }

    async fn key_row(&self, id: ApiKeyId) -> Result<Option<Row>, AccountError> {
        let select = format!("SELECT {COLUMNS} FROM account_api_keys k WHERE k.id = $1");
        transaction!(self.store(), snapshot, |tx| async {
            let row = tx.row(&select, args![id]).await?;
            Ok::<_, TxError<AccountError>>(row.as_ref().map(row_at).transpose()?)
        }
        .await)
    }

    /// Notes that the cell is as the row says, and forgets a row that is old enough. `false` if the row does not say so any more.
    async fn settle_key(&self, id: ApiKeyId, revoked: bool) -> Result<bool, AccountError> {
        let settle = match revoked {
            true => "UPDATE account_api_keys SET applied = 1 WHERE id = $1 AND revoked_at IS NOT NULL",
            false => "UPDATE account_api_keys SET applied = 1 WHERE id = $1 AND revoked_at IS NULL",
        };
        let before = self.env().now().minus(TOMBSTONE);
        transaction!(self.store(), write, |tx| async {
            let settled = tx.execute(settle, args![id]).await?;
            let forget = "DELETE FROM account_api_keys WHERE id = $1 AND revoked_at <= $2";
            tx.execute(forget, args![id, before]).await?;
            Ok::<_, TxError<AccountError>>(settled > 0)
        }
        .await)
    }

    /// Puts a key into its cell with the roles that its service account has there now.
    async fn put_key(
        &self,
        actor: &Actor,
        cluster: ClusterId,
        row: &Row,
    ) -> Result<Option<FeedSequence>, AccountError> {
        let account = row.key.service_account;
        let roles = self.roles_of_account(account, cluster).await?;
        let credential = KafkaCredential {
            id: CredentialId::ApiKey(row.key.id),
            cluster,
            username: row.key.id.public().into(),
            generated: true,
            service_account: Some(account),
            user: Arc::new(User {
                cluster,
                name: account.public().into(),
                roles,
            }),
            proof: Proof::ApiKey {
                digest: row.digest.0.clone(),
            },
            created_at: row.key.created_at,
            expires_at: row.key.expires_at,
        };
        let put: Result<Committed<KafkaCredential>, CommandError> =
            transaction!(self.store(), write, |tx| async {
                tx.lock_credentials(cluster).await?;
                self.put_credential_in(&mut tx, actor, &credential, false).await
            }
            .await);
        let sequence = match self.hint_after(put) {
            // The cluster has gone: its keys go with its row in the account store.
            Err(CommandError::UnknownCluster) => return Ok(None),
            put => put?.sequence,
        };
        // A binding that changed meanwhile may have missed this credential.
        let refreshed = self.refresh_service_account(account).await?;
        Ok(refreshed.max(sequence))
    }
}
