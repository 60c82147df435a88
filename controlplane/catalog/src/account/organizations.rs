//! Organizations: who signs up and pays.

use firn_runtime::Timestamp;
use serde_json::json;
use sqlx::any::AnyRow;

use super::{AccountError, Denied};
use crate::access::{Permission, Role, Scope};
use crate::catalog::Catalog;
use crate::cell::CatalogError;
use crate::commands::{Actor, Principal};
use crate::ids::{BindingId, OrganizationId, PersonId, ProjectId};
use crate::sql::{Tx, TxError, args, id_at, number_at, text_at, transaction};

/// The longest name of an organization or a project, in characters.
pub const MAX_TITLE: usize = 100;
/// How many organizations one person may own.
pub const MAX_OWNED: i64 = 20;
/// The project that a new organization has.
pub const FIRST_PROJECT: &str = "default";

const KIND: &str = "organization";

/// An organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organization {
    /// Its id.
    pub id: OrganizationId,
    /// What people call it; others may be called the same.
    pub title: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Counts its changes.
    pub version: i64,
}

/// An organization that is to be made.
#[derive(Clone, Debug)]
pub(crate) struct NewOrganization {
    /// What people call it.
    pub(crate) title: String,
    /// Who owns it.
    pub(crate) owner: PersonId,
}

/// A name that people see, trimmed, if it can be one.
pub(super) fn title(text: &str, pointer: &'static str) -> Result<String, AccountError> {
    let text = text.trim();
    let fits = (1..=MAX_TITLE).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    fits.then(|| text.to_owned())
        .ok_or_else(|| AccountError::Invalid {
            pointer,
            reason: format!("it must have 1 to {MAX_TITLE} characters, none of them a control character"),
        })
}

/// Refuses a change of another version than the caller read.
pub(super) fn require_version(expected: Option<i64>, current: i64) -> Result<(), AccountError> {
    match expected {
        Some(expected) if expected != current => Err(AccountError::VersionMismatch { current }),
        Some(_) | None => Ok(()),
    }
}

const COLUMNS: &str = "o.id, o.title, o.created_at, o.version";

fn organization_at(row: &AnyRow) -> Result<Organization, CatalogError> {
    Ok(Organization {
        id: id_at(row, 0)?,
        title: text_at(row, 1)?,
        created_at: Timestamp(number_at(row, 2)?),
        version: number_at(row, 3)?,
    })
}

impl Tx {
    /// Makes an organization with its owner and a first project, in a signup too.
    pub(crate) async fn create_organization(
        &mut self,
        actor: &Actor,
        new: &NewOrganization,
    ) -> Result<Organization, TxError<AccountError>> {
        let now = self.env().now();
        let organization = Organization {
            id: OrganizationId(self.env().random_u128()),
            title: title(&new.title, "/organization")?,
            created_at: now,
            version: 1,
        };
        let (id, public) = (organization.id, organization.id.public());
        let insert = "INSERT INTO account_organizations (id, name, title, created_at, version) VALUES ($1, $2, $3, $4, 1)";
        let values = args![id, public.as_str(), organization.title.as_str(), now];
        self.execute(insert, values).await?;
        let insert = "INSERT INTO account_members (organization, person, joined_at) VALUES ($1, $2, $3)";
        self.execute(insert, args![id, new.owner, now]).await?;
        let binding = BindingId(self.env().random_u128());
        let insert = "INSERT INTO account_bindings (id, organization, principal_kind, principal, scope_kind, scope, role, \
                      created_at, version) VALUES ($1, $2, 'person', $3, 'organization', $4, $5, $6, 1)";
        let values = args![binding, id, new.owner, id, Role::Owner.name(), now];
        self.execute(insert, values).await?;
        let project = ProjectId(self.env().random_u128());
        let insert = "INSERT INTO account_projects (id, organization, name, created_at, version) VALUES ($1, $2, $3, $4, 1)";
        self.execute(insert, args![project, id, FIRST_PROJECT, now])
            .await?;
        let detail = json!({ "name": organization.title, "owner": new.owner.public() });
        self.account_audit(actor, id, "create_organization", KIND, &public, &detail)
            .await?;
        Ok(organization)
    }

    /// Locks the organization's row: what counts its members, bindings or projects takes turns there.
    pub(super) async fn lock_organization(
        &mut self,
        id: OrganizationId,
    ) -> Result<Organization, TxError<AccountError>> {
        let select = format!(
            "SELECT {COLUMNS} FROM account_organizations o WHERE o.id = $1 AND o.deleted_at IS NULL FOR UPDATE"
        );
        match self.row(&select, args![id]).await? {
            Some(row) => Ok(organization_at(&row)?),
            None => Err(AccountError::NotFound { what: KIND }.into()),
        }
    }

    /// The number that a query of one row and one column gives.
    pub(super) async fn count_of(
        &mut self,
        select: &str,
        values: Vec<crate::sql::Arg>,
    ) -> Result<i64, TxError<AccountError>> {
        let row = self.row(select, values).await?;
        Ok(row.map_or(Ok(0), |row| number_at(&row, 0))?)
    }

    async fn change_title(
        &mut self,
        actor: &Actor,
        id: OrganizationId,
        new: &str,
        expected: Option<i64>,
    ) -> Result<Organization, TxError<AccountError>> {
        self.require(actor, Scope::Organization(id), Permission::ManageOrganization)
            .await?;
        let title = title(new, "/name")?;
        let before = self.lock_organization(id).await?;
        require_version(expected, before.version)?;
        if before.title == title {
            return Ok(before);
        }
        let after = Organization {
            title,
            version: before.version + 1,
            ..before
        };
        let update = "UPDATE account_organizations SET title = $2, version = $3 WHERE id = $1";
        self.execute(update, args![id, after.title.as_str(), after.version])
            .await?;
        let detail = json!({ "name": { "from": before.title, "to": after.title } });
        self.account_audit(actor, id, "update_organization", KIND, &id.public(), &detail)
            .await?;
        Ok(after)
    }

    async fn end_organization(
        &mut self,
        actor: &Actor,
        id: OrganizationId,
        expected: Option<i64>,
    ) -> Result<(), TxError<AccountError>> {
        self.require(actor, Scope::Organization(id), Permission::DeleteOrganization)
            .await?;
        let organization = self.lock_organization(id).await?;
        require_version(expected, organization.version)?;
        let clusters = "SELECT COUNT(*) FROM account_clusters c JOIN account_projects p ON p.id = c.project \
                        WHERE p.organization = $1";
        let accounts = "SELECT COUNT(*) FROM account_service_accounts s JOIN account_projects p ON p.id = s.project \
                        WHERE p.organization = $1 AND s.deleted_at IS NULL";
        for (select, what) in [(clusters, "clusters"), (accounts, "service accounts")] {
            if self.count_of(select, args![id]).await? > 0 {
                let reason = format!("the organization still has {what}: delete them first");
                return Err(AccountError::Protected { reason }.into());
            }
        }
        // The audit row comes first: it needs the row, and what follows leaves nobody who could read it but the operator.
        let detail = json!({ "name": organization.title });
        self.account_audit(actor, id, "delete_organization", KIND, &id.public(), &detail)
            .await?;
        for delete in [
            "DELETE FROM account_identities WHERE provider IN \
             (SELECT id FROM account_login_providers WHERE organization = $1)",
            "DELETE FROM account_login_providers WHERE organization = $1",
            "DELETE FROM account_invitations WHERE organization = $1",
            "DELETE FROM account_bindings WHERE organization = $1",
            "DELETE FROM account_members WHERE organization = $1",
        ] {
            self.execute(delete, args![id]).await?;
        }
        let mark = "UPDATE account_organizations SET deleted_at = $2, version = version + 1 WHERE id = $1";
        let now = self.env().now();
        self.execute(mark, args![id, now]).await?;
        Ok(())
    }
}

impl Catalog {
    /// The organizations in which the actor has a role and that are reached from where it is, after one in the order of their ids.
    pub async fn organizations(
        &self,
        actor: &Actor,
        after: Option<OrganizationId>,
        limit: i64,
    ) -> Result<Vec<Organization>, AccountError> {
        let key = super::access::binding_key(&actor.principal).unwrap_or_default();
        let after = after.map_or_else(String::new, |id| id.to_string());
        let found: Result<_, AccountError> = transaction!(self.store(), snapshot, |tx| {
            async {
            let visible = tx.visible_from(actor, "o.id").await?;
            let select = format!(
                "SELECT {COLUMNS} FROM account_organizations o WHERE o.id > $2 AND o.deleted_at IS NULL{visible} \
                 AND EXISTS (SELECT 1 FROM account_bindings b WHERE b.organization = o.id AND b.principal = $1) \
                 ORDER BY o.id LIMIT $3"
            );
            let rows = tx
                .rows(&select, args![key.as_str(), after.as_str(), limit])
                .await?;
            let organizations: Result<Vec<_>, CatalogError> = rows.iter().map(organization_at).collect();
            Ok::<_, TxError<AccountError>>(organizations?)
        }
        .await
        });
        found
    }

    /// An organization in which the actor has a role.
    pub async fn organization(
        &self,
        actor: &Actor,
        id: OrganizationId,
    ) -> Result<Organization, AccountError> {
        let select = format!("SELECT {COLUMNS} FROM account_organizations o WHERE o.id = $1");
        transaction!(self.store(), snapshot, |tx| async {
            tx.require(actor, Scope::Organization(id), Permission::ViewOrganization)
                .await?;
            match tx.row(&select, args![id]).await? {
                Some(row) => Ok::<_, TxError<AccountError>>(organization_at(&row)?),
                None => Err(AccountError::NotFound { what: KIND }.into()),
            }
        }
        .await)
    }

    /// Makes another organization, which the actor owns.
    pub async fn found_organization(
        &self,
        actor: &Actor,
        name: &str,
        rehearsal: bool,
    ) -> Result<Organization, AccountError> {
        let Principal::Person(owner) = actor.principal else {
            return Err(AccountError::Forbidden);
        };
        let new = NewOrganization {
            title: title(name, "/name")?,
            owner,
        };
        let owned = "SELECT COUNT(*) FROM account_bindings WHERE principal = $1 AND scope_kind = 'organization' AND role = 'owner'";
        let outcome = transaction!(self.store(), write, |tx| async {
            // The person's creations take turns at its row, so that the count holds.
            let turn = "SELECT id FROM account_people WHERE id = $1 FOR UPDATE";
            tx.row(turn, args![owner]).await?;
            if tx.count_of(owned, args![owner]).await? >= MAX_OWNED {
                let (which, limit) = ("organizations that one person owns", MAX_OWNED);
                return Err(AccountError::LimitExceeded { which, limit }.into());
            }
            let organization = tx.create_organization(actor, &new).await?;
            if rehearsal {
                tx.rehearse();
            }
            Ok::<_, TxError<AccountError>>(organization)
        }
        .await);
        crate::metrics::command("create_organization", outcome.is_ok());
        outcome
    }

    /// Renames an organization.
    pub async fn update_organization(
        &self,
        actor: &Actor,
        id: OrganizationId,
        name: &str,
        expected: Option<i64>,
        rehearsal: bool,
    ) -> Result<Organization, AccountError> {
        let outcome = transaction!(self.store(), write, |tx| async {
            let organization = tx.change_title(actor, id, name, expected).await?;
            if rehearsal {
                tx.rehearse();
            }
            Ok::<_, TxError<AccountError>>(organization)
        }
        .await);
        let public = id.public();
        self.finish_account(actor, denied(id, "update_organization", &public), outcome)
            .await
    }

    /// Ends an organization without clusters and service accounts: nobody is a member of it any more.
    pub async fn delete_organization(
        &self,
        actor: &Actor,
        id: OrganizationId,
        expected: Option<i64>,
        rehearsal: bool,
    ) -> Result<(), AccountError> {
        let outcome = transaction!(self.store(), write, |tx| async {
            tx.end_organization(actor, id, expected).await?;
            if rehearsal {
                tx.rehearse();
            }
            Ok::<_, TxError<AccountError>>(())
        }
        .await);
        let public = id.public();
        self.finish_account(actor, denied(id, "delete_organization", &public), outcome)
            .await
    }
}

fn denied<'a>(id: OrganizationId, action: &'static str, resource: &'a str) -> Denied<'a> {
    Denied {
        scope: Scope::Organization(id),
        action,
        kind: KIND,
        resource,
    }
}
