//! Service accounts: the programs of a project.
//!
//! What one may do is said by bindings, as for people; what it shows itself with are API keys and SCRAM credentials. Its cells
//! know its roles by its credentials there: [`Catalog::refresh_service_account`] brings them up to date after a binding has changed.
//!
//! Deleting one takes everything from it in the account store first. From then on it is nobody; its credentials are removed from the
//! cells next. Its row goes some time later ([`Catalog::reconcile_credentials`]), when no request that began before is still at work.

mod rows;
mod writing;

use firn_runtime::Timestamp;

use super::{AccountError, Denied};
use crate::access::{Permission, Role, Scope};
use crate::catalog::Catalog;
use crate::commands::{Actor, Committed};
use crate::ids::{ProjectId, ServiceAccountId};
use crate::sql::{TxError, args, id_at, transaction};

/// The longest name of a service account, and of an API key, in characters.
pub const MAX_NAME: usize = 100;
/// The longest description of a service account, in characters.
pub const MAX_DESCRIPTION: usize = 500;
/// How many service accounts a project may have.
pub const SERVICE_ACCOUNTS_PER_PROJECT: i64 = 1_000;

/// A service account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceAccount {
    /// Its id.
    pub id: ServiceAccountId,
    /// Whose it is.
    pub project: ProjectId,
    /// Its name, unique in the project.
    pub name: String,
    /// What it is for, in its owner's words.
    pub description: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Counts the changes of name and description.
    pub version: i64,
}

/// A role that a new service account begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FirstRole {
    /// Its project, or a cluster in it.
    pub scope: Scope,
    /// Which.
    pub role: Role,
}

/// Makes a service account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewServiceAccount {
    /// In which project.
    pub project: ProjectId,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Its first role, if it is to have one.
    pub role: Option<FirstRole>,
}

/// What to change; what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceAccountUpdate {
    /// Its name.
    pub name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
}

const KIND: &str = "service_account";
const WHAT: &str = "service account";
/// Checks a text that people read.
pub(super) fn check_text(
    pointer: &'static str,
    text: &str,
    least: usize,
    most: usize,
) -> Result<(), AccountError> {
    let length = text.chars().count();
    let reason = if length < least || length > most {
        format!("it must have from {least} to {most} characters")
    } else if text.trim() != text || text.chars().any(|c| c.is_control() && c != '\n') {
        "it may not begin or end with spaces, nor have control characters".to_owned()
    } else {
        return Ok(());
    };
    Err(AccountError::Invalid { pointer, reason })
}

fn check_names(name: Option<&str>, description: Option<&str>) -> Result<(), AccountError> {
    if let Some(name) = name {
        check_text("/name", name, 1, MAX_NAME)?;
        if name.contains('\n') {
            let reason = "it must be one line".to_owned();
            return Err(AccountError::Invalid {
                pointer: "/name",
                reason,
            });
        }
    }
    description.map_or(Ok(()), |text| {
        check_text("/description", text, 0, MAX_DESCRIPTION)
    })
}

impl Catalog {
    /// Makes a service account.
    pub async fn create_service_account(
        &self,
        actor: &Actor,
        new: NewServiceAccount,
        rehearsal: bool,
    ) -> Result<ServiceAccount, AccountError> {
        let account = ServiceAccount {
            id: ServiceAccountId(self.env().random_u128()),
            project: new.project,
            name: new.name,
            description: new.description,
            created_at: self.env().now(),
            version: 1,
        };
        let outcome = match check_names(Some(&account.name), Some(&account.description)) {
            Ok(()) => transaction!(self.store(), write, |tx| {
                writing::create_in(&mut tx, actor, &account, new.role, rehearsal).await
            }),
            Err(error) => Err(error),
        };
        let denied = Denied {
            scope: Scope::Project(account.project),
            action: "create_service_account",
            kind: KIND,
            resource: &account.name,
        };
        self.finish_account(actor, denied, outcome).await
    }

    /// A service account that the actor may see.
    pub async fn service_account(
        &self,
        actor: &Actor,
        id: ServiceAccountId,
    ) -> Result<ServiceAccount, AccountError> {
        let found: Result<_, AccountError> = transaction!(self.store(), snapshot, |tx| tx
            .require_service_account(actor, id, Permission::ViewCluster)
            .await);
        Ok(found?.0)
    }

    /// The service accounts of a project, in the order of their ids, from the one after `after` on, at most `most`.
    pub async fn service_accounts(
        &self,
        actor: &Actor,
        project: ProjectId,
        after: Option<ServiceAccountId>,
        most: usize,
    ) -> Result<Vec<ServiceAccount>, AccountError> {
        transaction!(self.store(), snapshot, |tx| rows::list_in(
            &mut tx, actor, project, after, most
        )
        .await)
    }

    /// Changes name or description.
    pub async fn update_service_account(
        &self,
        actor: &Actor,
        id: ServiceAccountId,
        update: ServiceAccountUpdate,
        expected: Option<i64>,
        rehearsal: bool,
    ) -> Result<ServiceAccount, AccountError> {
        let outcome = match check_names(update.name.as_deref(), update.description.as_deref()) {
            Ok(()) => transaction!(self.store(), write, |tx| {
                writing::update_in(&mut tx, actor, id, &update, expected, rehearsal).await
            }),
            Err(error) => Err(error),
        };
        self.finish_of_account(actor, id, "update_service_account", outcome)
            .await
    }

    /// Deletes a service account with all its roles and credentials. `sequence` is where brokers learn that the last of its
    /// credentials is gone.
    pub async fn delete_service_account(
        &self,
        actor: &Actor,
        id: ServiceAccountId,
        expected: Option<i64>,
        rehearsal: bool,
    ) -> Result<Committed<()>, AccountError> {
        let outcome = transaction!(self.store(), write, |tx| {
            writing::delete_in(&mut tx, actor, id, expected, rehearsal).await
        });
        self.finish_of_account(actor, id, "delete_service_account", outcome)
            .await?;
        let sequence = match rehearsal {
            true => None,
            false => self.forget_service_account(actor, id).await?,
        };
        Ok(Committed { value: (), sequence })
    }

    /// Ends a write on a service account: a denied one is audited where its project is.
    pub(super) async fn finish_of_account<T>(
        &self,
        actor: &Actor,
        id: ServiceAccountId,
        action: &'static str,
        outcome: Result<T, AccountError>,
    ) -> Result<T, AccountError> {
        let project = match outcome {
            Err(AccountError::Forbidden) => self.project_of_account(id).await?,
            _ => None,
        };
        let public = id.public();
        let denied = Denied {
            scope: Scope::Project(project.unwrap_or(ProjectId(id.0))),
            action,
            kind: KIND,
            resource: &public,
        };
        self.finish_account(actor, denied, outcome).await
    }

    async fn project_of_account(&self, id: ServiceAccountId) -> Result<Option<ProjectId>, AccountError> {
        let select = "SELECT project FROM account_service_accounts WHERE id = $1";
        transaction!(self.store(), snapshot, |tx| async {
            let row = tx.row(select, args![id]).await?;
            let project = row.as_ref().map(|row| id_at(row, 0)).transpose()?;
            Ok::<_, TxError<AccountError>>(project)
        }
        .await)
    }
}
