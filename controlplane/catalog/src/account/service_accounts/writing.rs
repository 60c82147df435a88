//! Making, changing and deleting service accounts, in a transaction.

use serde_json::json as detail;

use super::{FirstRole, KIND, ServiceAccount, ServiceAccountUpdate};
use crate::access::{Permission, Role, Scope};
use crate::account::AccountError;
use crate::commands::Actor;
use crate::ids::{BindingId, ServiceAccountId};
use crate::sql::{Tx, TxError, args};

impl Tx {
    /// Gives a service account that is being made its first role.
    async fn bind_first_role(
        &mut self,
        actor: &Actor,
        account: &ServiceAccount,
        first: FirstRole,
    ) -> Result<(), TxError<AccountError>> {
        let needed = match first.role {
            Role::Owner => Permission::ManageOwners,
            _ => Permission::ManageMembers,
        };
        let (kind, scope) = match first.scope {
            Scope::Project(project) if project == account.project => ("project", project.to_string()),
            Scope::Cluster(cluster) if self.is_in_project(cluster, account.project).await? => {
                ("cluster", cluster.to_string())
            }
            _ => {
                let reason = "it must be the service account's project, or a cluster in it".to_owned();
                return Err(AccountError::Invalid {
                    pointer: "/role/cluster",
                    reason,
                }
                .into());
            }
        };
        let organization = self.require(actor, first.scope, needed).await?;
        let insert = "INSERT INTO account_bindings (id, organization, principal_kind, principal, scope_kind, scope, \
                      role, created_at, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1)";
        let id = BindingId(self.env().random_u128());
        let values = args![
            id,
            organization,
            KIND,
            account.id,
            kind,
            scope,
            first.role.name(),
            account.created_at
        ];
        self.execute(insert, values).await?;
        Ok(())
    }
}

pub(super) async fn create_in(
    tx: &mut Tx,
    actor: &Actor,
    account: &ServiceAccount,
    role: Option<FirstRole>,
    rehearsal: bool,
) -> Result<ServiceAccount, TxError<AccountError>> {
    let scope = Scope::Project(account.project);
    let organization = tx.require(actor, scope, Permission::ManageCredentials).await?;
    tx.require_free_account_name(account.project, &account.name)
        .await?;
    tx.require_room_for_account(account.project).await?;
    let insert = "INSERT INTO account_service_accounts (id, project, name, description, created_at, version) \
                  VALUES ($1, $2, $3, $4, $5, $6)";
    let values = args![
        account.id,
        account.project,
        account.name.as_str(),
        account.description.as_str(),
        account.created_at,
        account.version,
    ];
    tx.execute(insert, values).await?;
    if let Some(first) = role {
        tx.bind_first_role(actor, account, first).await?;
    }
    let told = detail!({
        "name": account.name,
        "project": account.project.public(),
        "role": role.map(|first| first.role.name()),
    });
    let public = account.id.public();
    tx.account_audit(
        actor,
        organization,
        "create_service_account",
        KIND,
        &public,
        &told,
    )
    .await?;
    if rehearsal {
        tx.rehearse();
    }
    Ok(account.clone())
}

fn check_version(account: &ServiceAccount, expected: Option<i64>) -> Result<(), AccountError> {
    let current = account.version;
    match expected {
        Some(expected) if expected != current => Err(AccountError::VersionMismatch { current }),
        _ => Ok(()),
    }
}

pub(super) async fn update_in(
    tx: &mut Tx,
    actor: &Actor,
    id: ServiceAccountId,
    update: &ServiceAccountUpdate,
    expected: Option<i64>,
    rehearsal: bool,
) -> Result<ServiceAccount, TxError<AccountError>> {
    tx.lock_service_account(id).await?;
    let (before, organization) = tx
        .require_service_account(actor, id, Permission::ManageCredentials)
        .await?;
    check_version(&before, expected)?;
    let mut account = before.clone();
    if let Some(description) = &update.description {
        account.description.clone_from(description);
    }
    if let Some(name) = update.name.as_ref().filter(|name| **name != before.name) {
        tx.require_free_account_name(account.project, name).await?;
        account.name.clone_from(name);
    }
    if account != before {
        account.version += 1;
        let update =
            "UPDATE account_service_accounts SET name = $2, description = $3, version = $4 WHERE id = $1";
        let values = args![
            id,
            account.name.as_str(),
            account.description.as_str(),
            account.version
        ];
        tx.execute(update, values).await?;
        let told = detail!({
            "name": { "from": before.name, "to": account.name },
            "description": { "from": before.description, "to": account.description },
        });
        tx.account_audit(
            actor,
            organization,
            "update_service_account",
            KIND,
            &id.public(),
            &told,
        )
        .await?;
    }
    if rehearsal {
        tx.rehearse();
    }
    Ok(account)
}

pub(super) async fn delete_in(
    tx: &mut Tx,
    actor: &Actor,
    id: ServiceAccountId,
    expected: Option<i64>,
    rehearsal: bool,
) -> Result<(), TxError<AccountError>> {
    tx.lock_service_account(id).await?;
    let (account, organization) = tx
        .require_service_account(actor, id, Permission::ManageCredentials)
        .await?;
    check_version(&account, expected)?;
    tx.require_power_over(actor, id).await?;
    let now = tx.env().now();
    tx.execute("DELETE FROM account_bindings WHERE principal = $1", args![id])
        .await?;
    let revoke =
        "UPDATE account_api_keys SET digest = '', revoked_at = $2, applied = 0 WHERE service_account = $1";
    tx.execute(revoke, args![id, now]).await?;
    let mark = "UPDATE account_service_accounts SET deleted_at = $2, version = version + 1 WHERE id = $1";
    tx.execute(mark, args![id, now]).await?;
    let told = detail!({ "name": account.name });
    tx.account_audit(
        actor,
        organization,
        "delete_service_account",
        KIND,
        &id.public(),
        &told,
    )
    .await?;
    if rehearsal {
        tx.rehearse();
    }
    Ok(())
}
