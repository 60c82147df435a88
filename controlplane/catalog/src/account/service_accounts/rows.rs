//! The rows of service accounts.

use firn_runtime::Timestamp;
use sqlx::any::AnyRow;

use super::{SERVICE_ACCOUNTS_PER_PROJECT, ServiceAccount, WHAT};
use crate::access::{Permission, Role, Scope};
use crate::account::AccountError;
use crate::cell::CatalogError;
use crate::commands::Actor;
use crate::ids::{ClusterId, OrganizationId, ProjectId, ServiceAccountId};
use crate::sql::{Tx, TxError, args, id_at, number_at, text_at};

const COLUMNS: &str = "s.id, s.project, s.name, s.description, s.created_at, s.version";

fn account_at(row: &AnyRow) -> Result<ServiceAccount, CatalogError> {
    Ok(ServiceAccount {
        id: id_at(row, 0)?,
        project: id_at(row, 1)?,
        name: text_at(row, 2)?,
        description: text_at(row, 3)?,
        created_at: Timestamp(number_at(row, 4)?),
        version: number_at(row, 5)?,
    })
}

impl Tx {
    /// Locks the row of a service account, which guards its keys; whether it is there and not being deleted.
    pub(in crate::account) async fn lock_service_account(
        &mut self,
        id: ServiceAccountId,
    ) -> Result<bool, TxError<AccountError>> {
        let select =
            "SELECT id FROM account_service_accounts WHERE id = $1 AND deleted_at IS NULL FOR UPDATE";
        Ok(self.row(select, args![id]).await?.is_some())
    }

    /// A service account that is not being deleted.
    pub(in crate::account) async fn find_service_account(
        &mut self,
        id: ServiceAccountId,
    ) -> Result<Option<ServiceAccount>, TxError<AccountError>> {
        let select = format!(
            "SELECT {COLUMNS} FROM account_service_accounts s WHERE s.id = $1 AND s.deleted_at IS NULL"
        );
        let row = self.row(&select, args![id]).await?;
        Ok(row.as_ref().map(account_at).transpose()?)
    }

    /// The service account and its organization, if a role of the actor's allows this in its project. One in whose project the
    /// actor has no role is not there.
    pub(in crate::account) async fn require_service_account(
        &mut self,
        actor: &Actor,
        id: ServiceAccountId,
        permission: Permission,
    ) -> Result<(ServiceAccount, OrganizationId), TxError<AccountError>> {
        let missing = || AccountError::NotFound { what: WHAT };
        let account = self.find_service_account(id).await?;
        // Absent ones ask like foreign ones, of a project that is none.
        let project = account
            .as_ref()
            .map_or(ProjectId(id.0), |account| account.project);
        match self.require(actor, Scope::Project(project), permission).await {
            Ok(organization) => Ok((account.ok_or_else(missing)?, organization)),
            Err(TxError::Refused(AccountError::NotFound { .. })) => Err(missing().into()),
            Err(error) => Err(error),
        }
    }

    /// Notes that the roles of a principal are changing, in the transaction that changes them. If it is a service account, its cells
    /// are told by [`Catalog::refresh_service_account`], and if that does not come about, by the reconciler.
    pub(crate) async fn note_roles_changed(&mut self, principal: &str) -> Result<(), TxError<CatalogError>> {
        let update = "UPDATE account_service_accounts SET roles_changed_at = $2 WHERE id = $1";
        let now = self.env().now();
        self.execute(update, args![principal, now]).await?;
        Ok(())
    }

    /// Refuses an actor who could do more through this service account than alone: wherever the account has a role, the
    /// actor must be allowed to manage credentials, and to make owners where it is one.
    pub(in crate::account) async fn require_power_over(
        &mut self,
        actor: &Actor,
        id: ServiceAccountId,
    ) -> Result<(), TxError<AccountError>> {
        let select = "SELECT scope_kind, scope, role FROM account_bindings WHERE principal = $1";
        for row in self.rows(select, args![id]).await? {
            let scope = match text_at(&row, 0)?.as_str() {
                "organization" => Scope::Organization(id_at(&row, 1)?),
                "project" => Scope::Project(id_at(&row, 1)?),
                _ => Scope::Cluster(id_at(&row, 1)?),
            };
            let owner = text_at(&row, 2)? == Role::Owner.name();
            let needed = if owner {
                Permission::ManageOwners
            } else {
                Permission::ManageCredentials
            };
            match self.require(actor, scope, needed).await {
                Ok(_) => {}
                Err(TxError::Refused(AccountError::NotFound { .. })) => {
                    return Err(AccountError::Forbidden.into());
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    pub(super) async fn require_free_account_name(
        &mut self,
        project: ProjectId,
        name: &str,
    ) -> Result<(), TxError<AccountError>> {
        let select =
            "SELECT id FROM account_service_accounts WHERE project = $1 AND name = $2 AND deleted_at IS NULL";
        match self.row(select, args![project, name]).await? {
            Some(_) => Err(AccountError::Exists {
                what: WHAT,
                name: name.to_owned(),
            }
            .into()),
            None => Ok(()),
        }
    }

    pub(super) async fn require_room_for_account(
        &mut self,
        project: ProjectId,
    ) -> Result<(), TxError<AccountError>> {
        let count = "SELECT COUNT(*) FROM account_service_accounts WHERE project = $1 AND deleted_at IS NULL";
        let row = self.row(count, args![project]).await?;
        let there: i64 = row
            .as_ref()
            .map(|row| number_at(row, 0))
            .transpose()?
            .unwrap_or(0);
        if there < SERVICE_ACCOUNTS_PER_PROJECT {
            return Ok(());
        }
        Err(AccountError::LimitExceeded {
            which: "service accounts in a project",
            limit: SERVICE_ACCOUNTS_PER_PROJECT,
        }
        .into())
    }

    /// Whether the cluster is one of the project.
    pub(in crate::account) async fn is_in_project(
        &mut self,
        cluster: ClusterId,
        project: ProjectId,
    ) -> Result<bool, TxError<AccountError>> {
        let select = "SELECT cluster FROM account_clusters WHERE cluster = $1 AND project = $2";
        Ok(self.row(select, args![cluster, project]).await?.is_some())
    }
}

pub(super) async fn list_in(
    tx: &mut Tx,
    actor: &Actor,
    project: ProjectId,
    after: Option<ServiceAccountId>,
    most: usize,
) -> Result<Vec<ServiceAccount>, TxError<AccountError>> {
    tx.require(actor, Scope::Project(project), Permission::ViewCluster)
        .await?;
    let select = format!(
        "SELECT {COLUMNS} FROM account_service_accounts s \
         WHERE s.project = $1 AND s.deleted_at IS NULL AND s.id > $2 ORDER BY s.id LIMIT $3"
    );
    let after = after.map_or(String::new(), |id| id.to_string());
    let most = u64::try_from(most).unwrap_or(u64::MAX);
    let rows = tx.rows(&select, args![project, after, most]).await?;
    Ok(rows.iter().map(account_at).collect::<Result<_, _>>()?)
}
