//! Between service accounts and their credentials in the cells: roles that changed, accounts that go, what a crash left, and when
//! each was last used.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

use firn_runtime::Timestamp;
use tracing::warn;

use super::AccountError;
use crate::access::{RoleSet, Scope};
use crate::catalog::Catalog;
use crate::cell::CatalogError;
use crate::commands::credentials::{COLUMNS, credential_at};
use crate::commands::{Actor, CommandError, CredentialId, Principal, User};
use crate::credential::{KafkaCredential, stored_id};
use crate::ids::{ApiKeyId, ClusterId, FeedSequence, ServiceAccountId};
use crate::sql::{Tx, TxError, args, id_at, optional_number_at, transaction};

/// How many of each kind one call of [`Catalog::reconcile_credentials`] does.
const AT_ONCE: i64 = 100;
/// How exact a credential's last use is noted.
const USE_NOTED_EVERY: Duration = Duration::from_secs(60);
/// How many uses one transaction notes.
const USES_AT_ONCE: usize = 500;
/// How long an expired credential stays to be seen.
const EXPIRED_KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// How long the row of what was revoked or deleted stays: longer than any request is at work that read it before, so that what such
/// a request still brings to a cell is found and taken from there.
pub(super) const TOMBSTONE: Duration = Duration::from_secs(10 * 60);
/// How old a note of changed roles is before the reconciler takes it up: whoever made the change is faster.
const STALE_AFTER: Duration = Duration::from_secs(5);
/// How often roles are read again when they change while they are brought to a cell.
const ATTEMPTS: usize = 8;

/// What a call did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReconciledCredentials {
    /// API keys that were brought to their cell, or taken from it.
    pub keys: usize,
    /// Service accounts whose roles were brought to their cells.
    pub refreshed: usize,
    /// Deleted service accounts whose cells were looked through.
    pub service_accounts: usize,
    /// Expired credentials that went.
    pub expired: usize,
    /// What could not be done for now; a later call tries again.
    pub failed: usize,
}

impl Catalog {
    /// Brings the roles that a service account has to the clusters that know it by a credential. Called after each change of its
    /// bindings; with nothing changed it only reads. The sequence is where brokers learn of the last change.
    pub async fn refresh_service_account(
        &self,
        id: ServiceAccountId,
    ) -> Result<Option<FeedSequence>, AccountError> {
        let actor = Actor::process(Principal::Cell, "refresh_service_account");
        let noted = self.roles_changed_at(id).await?;
        let mut last = None;
        for cluster in self.clusters_of_account(id).await? {
            let mut roles = self.roles_of_account(id, cluster).await?;
            // Two refreshes may read in one order and write in the other: so what was written is compared with what is.
            for _ in 0..ATTEMPTS {
                last = self.set_roles(&actor, id, cluster, roles).await?.max(last);
                let now = self.roles_of_account(id, cluster).await?;
                if now == roles {
                    break;
                }
                roles = now;
            }
        }
        if let Some(noted) = noted {
            // A change since then has noted another time, and tells its cells itself.
            let clear = "UPDATE account_service_accounts SET roles_changed_at = NULL WHERE id = $1 AND roles_changed_at = $2";
            let cleared: Result<u64, AccountError> = transaction!(self.store(), write, |tx| tx
                .execute(clear, args![id, noted])
                .await);
            cleared?;
        }
        Ok(last)
    }

    async fn roles_changed_at(&self, id: ServiceAccountId) -> Result<Option<i64>, AccountError> {
        let select = "SELECT roles_changed_at FROM account_service_accounts WHERE id = $1";
        transaction!(self.store(), snapshot, |tx| async {
            let row = tx.row(select, args![id]).await?;
            let noted = row.as_ref().map(|row| optional_number_at(row, 0)).transpose()?;
            Ok::<_, TxError<AccountError>>(noted.flatten())
        }
        .await)
    }

    /// The roles of a service account in a cluster.
    pub(super) async fn roles_of_account(
        &self,
        id: ServiceAccountId,
        cluster: ClusterId,
    ) -> Result<RoleSet, AccountError> {
        let principal = Principal::ServiceAccount(id);
        let roles: Result<RoleSet, CatalogError> = transaction!(self.store(), snapshot, |tx| tx
            .roles_of(&principal, Scope::Cluster(cluster))
            .await);
        Ok(roles?)
    }

    async fn clusters_of_account(&self, id: ServiceAccountId) -> Result<Vec<ClusterId>, AccountError> {
        let select =
            "SELECT DISTINCT cluster FROM cell_credentials WHERE service_account = $1 ORDER BY cluster";
        transaction!(self.store(), snapshot, |tx| async {
            let rows = tx.rows(select, args![id]).await?;
            let clusters: Result<Vec<ClusterId>, CatalogError> =
                rows.iter().map(|row| id_at(row, 0)).collect();
            Ok::<_, TxError<AccountError>>(clusters?)
        }
        .await)
    }

    async fn set_roles(
        &self,
        actor: &Actor,
        id: ServiceAccountId,
        cluster: ClusterId,
        roles: RoleSet,
    ) -> Result<Option<FeedSequence>, AccountError> {
        let outcome: Result<Option<FeedSequence>, CommandError> =
            transaction!(self.store(), write, |tx| async {
                let mut last = None;
                for credential in lock_in_cluster(&mut tx, id, cluster).await? {
                    if credential.user.roles == roles {
                        continue;
                    }
                    let user = User {
                        roles,
                        ..credential.user.as_ref().clone()
                    };
                    let changed = KafkaCredential {
                        user: user.into(),
                        ..credential
                    };
                    last = self
                        .put_credential_in(&mut tx, actor, &changed, false)
                        .await?
                        .sequence
                        .max(last);
                }
                Ok::<_, TxError<CommandError>>(last)
            }
            .await);
        match self.hint_after(outcome) {
            Err(CommandError::UnknownCluster) => Ok(None),
            outcome => Ok(outcome?),
        }
    }

    /// Takes a credential from its cell, if it is there; the authority is the caller's.
    pub(super) async fn drop_from_cell(
        &self,
        actor: &Actor,
        cluster: ClusterId,
        id: CredentialId,
    ) -> Result<Option<FeedSequence>, AccountError> {
        let outcome: Result<Option<FeedSequence>, CommandError> =
            transaction!(self.store(), write, |tx| async {
                tx.lock_credentials(cluster).await?;
                let Some(found) = tx.find_credential(cluster, id).await? else {
                    return Ok(None);
                };
                let removed = self.remove_credential_in(&mut tx, actor, &found).await?;
                Ok::<_, TxError<CommandError>>(removed.sequence)
            }
            .await);
        match self.hint_after(outcome) {
            Err(CommandError::UnknownCluster) => Ok(None),
            outcome => Ok(outcome?),
        }
    }

    /// Takes what a deleted service account has in cells, and its rows once they are old enough.
    pub(super) async fn forget_service_account(
        &self,
        actor: &Actor,
        id: ServiceAccountId,
    ) -> Result<Option<FeedSequence>, AccountError> {
        let mut last = None;
        for cluster in self.clusters_of_account(id).await? {
            let outcome: Result<Option<FeedSequence>, CommandError> =
                transaction!(self.store(), write, |tx| async {
                    let mut last = None;
                    for credential in lock_in_cluster(&mut tx, id, cluster).await? {
                        let removed = self.remove_credential_in(&mut tx, actor, &credential).await?;
                        last = removed.sequence.max(last);
                    }
                    Ok::<_, TxError<CommandError>>(last)
                }
                .await);
            match self.hint_after(outcome) {
                Err(CommandError::UnknownCluster) => {}
                outcome => last = outcome?.max(last),
            }
        }
        let before = self.env().now().minus(TOMBSTONE);
        let forgotten: Result<(), AccountError> = transaction!(self.store(), write, |tx| async {
            let keys = "DELETE FROM account_api_keys WHERE service_account IN \
                        (SELECT id FROM account_service_accounts WHERE id = $1 AND deleted_at <= $2)";
            tx.execute(keys, args![id, before]).await?;
            let account = "DELETE FROM account_service_accounts WHERE id = $1 AND deleted_at <= $2";
            tx.execute(account, args![id, before]).await?;
            Ok::<_, TxError<AccountError>>(())
        }
        .await);
        forgotten?;
        Ok(last)
    }

    /// Finishes what was left between the account store and the cells, and removes what expired a week ago. Any number of
    /// processes may call it, whenever; with nothing to do it reads indexes.
    pub async fn reconcile_credentials(&self) -> Result<ReconciledCredentials, AccountError> {
        let actor = Actor::process(Principal::Cell, "reconcile_credentials");
        let mut done = ReconciledCredentials::default();
        for id in self.unfinished_keys().await? {
            match self.bring_key(&actor, id).await {
                Ok(_) => done.keys += 1,
                Err(error) => {
                    warn!(key = %id.public(), %error, "an API key cannot be brought to its cell now");
                    done.failed += 1;
                }
            }
        }
        for id in self.stale_accounts().await? {
            match self.refresh_service_account(id).await {
                Ok(_) => done.refreshed += 1,
                Err(error) => {
                    warn!(account = %id.public(), %error, "the roles of a service account cannot be brought to its cells now");
                    done.failed += 1;
                }
            }
        }
        for id in self.leaving_accounts().await? {
            match self.forget_service_account(&actor, id).await {
                Ok(_) => done.service_accounts += 1,
                Err(error) => {
                    warn!(account = %id.public(), %error, "a deleted service account cannot go now");
                    done.failed += 1;
                }
            }
        }
        let expired = self.expired_credentials().await?;
        for (cluster, id) in expired {
            match self.drop_from_cell(&actor, cluster, id).await {
                Ok(_) => done.expired += 1,
                Err(error) => {
                    warn!(credential = %id, %error, "a credential that is over cannot be removed now");
                    done.failed += 1;
                }
            }
        }
        Ok(done)
    }

    async fn unfinished_keys(&self) -> Result<Vec<ApiKeyId>, AccountError> {
        let before = self.env().now().minus(TOMBSTONE);
        let unapplied =
            "SELECT id FROM account_api_keys WHERE applied = 0 AND created_at >= $1 ORDER BY id LIMIT $2";
        let revoked = "SELECT id FROM account_api_keys WHERE revoked_at <= $1 ORDER BY revoked_at LIMIT $2";
        let mut ids: Vec<ApiKeyId> = self.ids(unapplied, Timestamp(0)).await?;
        ids.append(&mut self.ids(revoked, before).await?);
        Ok(ids)
    }

    async fn leaving_accounts(&self) -> Result<Vec<ServiceAccountId>, AccountError> {
        let select =
            "SELECT id FROM account_service_accounts WHERE deleted_at <= $1 ORDER BY deleted_at LIMIT $2";
        self.ids(select, self.env().now()).await
    }

    async fn stale_accounts(&self) -> Result<Vec<ServiceAccountId>, AccountError> {
        let before = self.env().now().minus(STALE_AFTER);
        let select = "SELECT id FROM account_service_accounts WHERE roles_changed_at <= $1 \
                      ORDER BY roles_changed_at LIMIT $2";
        self.ids(select, before).await
    }

    /// The first ids that a query over a time gives.
    async fn ids<T: FromStr<Err: Display> + Send>(
        &self,
        select: &str,
        at: Timestamp,
    ) -> Result<Vec<T>, AccountError> {
        transaction!(self.store(), snapshot, |tx| async {
            let rows = tx.rows(select, args![at, AT_ONCE]).await?;
            let ids: Result<Vec<T>, CatalogError> = rows.iter().map(|row| id_at(row, 0)).collect();
            Ok::<_, TxError<AccountError>>(ids?)
        }
        .await)
    }

    /// Those that expired long enough ago.
    async fn expired_credentials(&self) -> Result<Vec<(ClusterId, CredentialId)>, AccountError> {
        let before = self.env().now().minus(EXPIRED_KEPT);
        let select =
            format!("SELECT {COLUMNS} FROM cell_credentials WHERE expires_at < $1 ORDER BY id LIMIT $2");
        transaction!(self.store(), snapshot, |tx| over_in(&mut tx, &select, before)
            .await)
    }

    /// Notes when credentials were last used, to the minute. For whoever serves: a batch now and then, not each use.
    pub async fn note_credential_use(&self, uses: &[(CredentialId, Timestamp)]) -> Result<(), CatalogError> {
        // In one order, so that two brokers that note the same ones do not wait for each other.
        let mut latest: BTreeMap<CredentialId, Timestamp> = BTreeMap::new();
        for (id, at) in uses {
            let noted = latest.entry(*id).or_insert(*at);
            *noted = (*noted).max(*at);
        }
        let latest: Vec<_> = latest.into_iter().collect();
        for some in latest.chunks(USES_AT_ONCE) {
            let noted: Result<(), CatalogError> =
                transaction!(self.store(), write, |tx| note_in(&mut tx, some).await);
            noted?;
        }
        Ok(())
    }
}

async fn over_in(
    tx: &mut Tx,
    select: &str,
    before: Timestamp,
) -> Result<Vec<(ClusterId, CredentialId)>, TxError<AccountError>> {
    let rows = tx.rows(select, args![before, AT_ONCE]).await?;
    let mut over = Vec::new();
    for row in &rows {
        let credential = credential_at(row)?;
        over.push((credential.cluster, credential.id));
    }
    Ok(over)
}

/// Locks a cluster's credentials and gives those of a service account.
async fn lock_in_cluster(
    tx: &mut Tx,
    id: ServiceAccountId,
    cluster: ClusterId,
) -> Result<Vec<KafkaCredential>, TxError<CommandError>> {
    tx.lock_credentials(cluster).await?;
    let select = format!(
        "SELECT {COLUMNS} FROM cell_credentials WHERE service_account = $1 AND cluster = $2 ORDER BY id"
    );
    let rows = tx.rows(&select, args![id, cluster]).await?;
    Ok(rows.iter().map(credential_at).collect::<Result<_, _>>()?)
}

async fn note_in(tx: &mut Tx, uses: &[(CredentialId, Timestamp)]) -> Result<(), TxError<CatalogError>> {
    for (id, at) in uses {
        let tables = match id {
            CredentialId::ApiKey(_) => &["cell_credentials", "account_api_keys"][..],
            CredentialId::Scram(_) => &["cell_credentials"][..],
            CredentialId::Session(_)
            | CredentialId::Certificate(_)
            | CredentialId::Token(_)
            | CredentialId::Kerberos => continue,
        };
        for table in tables {
            let update = format!(
                "UPDATE {table} SET last_used_at = $2 WHERE id = $1 AND (last_used_at IS NULL OR last_used_at <= $3)"
            );
            let stale = at.minus(USE_NOTED_EVERY);
            tx.execute(&update, args![stored_id(*id), *at, stale]).await?;
        }
    }
    Ok(())
}
