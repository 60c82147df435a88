//! Projects: the parts of an organization that clusters and service accounts belong to.

use firn_runtime::Timestamp;
use serde_json::json;
use sqlx::any::AnyRow;

use super::access::binding_key;
use super::organizations::{require_version, title};
use super::{AccountError, Denied};
use crate::access::{Permission, Scope};
use crate::catalog::Catalog;
use crate::cell::CatalogError;
use crate::commands::Actor;
use crate::ids::{OrganizationId, ProjectId};
use crate::sql::{Tx, TxError, args, id_at, number_at, text_at, transaction};

/// How many projects an organization may have.
pub const MAX_PROJECTS: i64 = 200;

const KIND: &str = "project";

/// A project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// Its id.
    pub id: ProjectId,
    /// Whose it is.
    pub organization: OrganizationId,
    /// Its name, unique in the organization.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Counts its changes.
    pub version: i64,
}

const COLUMNS: &str = "p.id, p.organization, p.name, p.created_at, p.version";

fn project_at(row: &AnyRow) -> Result<Project, CatalogError> {
    Ok(Project {
        id: id_at(row, 0)?,
        organization: id_at(row, 1)?,
        name: text_at(row, 2)?,
        created_at: Timestamp(number_at(row, 3)?),
        version: number_at(row, 4)?,
    })
}

fn denied<'a>(scope: Scope, action: &'static str, resource: &'a str) -> Denied<'a> {
    Denied {
        scope,
        action,
        kind: KIND,
        resource,
    }
}

impl Tx {
    async fn project(&mut self, id: ProjectId) -> Result<Project, TxError<AccountError>> {
        let select = format!("SELECT {COLUMNS} FROM account_projects p WHERE p.id = $1 FOR UPDATE");
        match self.row(&select, args![id]).await? {
            Some(row) => Ok(project_at(&row)?),
            None => Err(AccountError::NotFound { what: KIND }.into()),
        }
    }

    /// Refuses a name that another project of the organization has; the organization's row is locked.
    async fn require_free_project_name(
        &mut self,
        organization: OrganizationId,
        name: &str,
    ) -> Result<(), TxError<AccountError>> {
        let select = "SELECT id FROM account_projects WHERE organization = $1 AND name = $2";
        match self.row(select, args![organization, name]).await? {
            Some(_) => {
                let (what, name) = (KIND, name.to_owned());
                Err(AccountError::Exists { what, name }.into())
            }
            None => Ok(()),
        }
    }

    async fn add_project(
        &mut self,
        actor: &Actor,
        organization: OrganizationId,
        name: &str,
    ) -> Result<Project, TxError<AccountError>> {
        self.require(
            actor,
            Scope::Organization(organization),
            Permission::ManageProjects,
        )
        .await?;
        let name = title(name, "/name")?;
        self.lock_organization(organization).await?;
        self.require_free_project_name(organization, &name).await?;
        let count = "SELECT COUNT(*) FROM account_projects WHERE organization = $1";
        if self.count_of(count, args![organization]).await? >= MAX_PROJECTS {
            let (which, limit) = ("projects in an organization", MAX_PROJECTS);
            return Err(AccountError::LimitExceeded { which, limit }.into());
        }
        let project = Project {
            id: ProjectId(self.env().random_u128()),
            organization,
            name,
            created_at: self.env().now(),
            version: 1,
        };
        let insert = "INSERT INTO account_projects (id, organization, name, created_at, version) VALUES ($1, $2, $3, $4, 1)";
        let values = args![
            project.id,
            organization,
            project.name.as_str(),
            project.created_at
        ];
        self.execute(insert, values).await?;
        let detail = json!({ "name": project.name });
        self.account_audit(
            actor,
            organization,
            "create_project",
            KIND,
            &project.id.public(),
            &detail,
        )
        .await?;
        Ok(project)
    }

    async fn rename_project(
        &mut self,
        actor: &Actor,
        id: ProjectId,
        name: &str,
        expected: Option<i64>,
    ) -> Result<Project, TxError<AccountError>> {
        let organization = self
            .require(actor, Scope::Project(id), Permission::ManageProjects)
            .await?;
        let name = title(name, "/name")?;
        self.lock_organization(organization).await?;
        let before = self.project(id).await?;
        require_version(expected, before.version)?;
        if before.name == name {
            return Ok(before);
        }
        self.require_free_project_name(organization, &name).await?;
        let after = Project {
            name,
            version: before.version + 1,
            ..before
        };
        let update = "UPDATE account_projects SET name = $2, version = $3 WHERE id = $1";
        self.execute(update, args![id, after.name.as_str(), after.version])
            .await?;
        let detail = json!({ "name": { "from": before.name, "to": after.name } });
        self.account_audit(actor, organization, "update_project", KIND, &id.public(), &detail)
            .await?;
        Ok(after)
    }

    async fn remove_project(
        &mut self,
        actor: &Actor,
        id: ProjectId,
        expected: Option<i64>,
    ) -> Result<(), TxError<AccountError>> {
        let organization = self
            .require(actor, Scope::Project(id), Permission::ManageProjects)
            .await?;
        self.lock_organization(organization).await?;
        let project = self.project(id).await?;
        require_version(expected, project.version)?;
        let clusters = "SELECT COUNT(*) FROM account_clusters WHERE project = $1";
        let accounts =
            "SELECT COUNT(*) FROM account_service_accounts WHERE project = $1 AND deleted_at IS NULL";
        for (select, what) in [(clusters, "clusters"), (accounts, "service accounts")] {
            if self.count_of(select, args![id]).await? > 0 {
                let reason = format!("the project still has {what}: delete them first");
                return Err(AccountError::Protected { reason }.into());
            }
        }
        self.execute("DELETE FROM account_bindings WHERE scope = $1", args![id])
            .await?;
        self.execute("DELETE FROM account_projects WHERE id = $1", args![id])
            .await?;
        let detail = json!({ "name": project.name });
        self.account_audit(actor, organization, "delete_project", KIND, &id.public(), &detail)
            .await?;
        Ok(())
    }
}

impl Catalog {
    /// The projects in which the actor has a role, of one organization or of all, after one in the order of their ids.
    pub async fn projects(
        &self,
        actor: &Actor,
        organization: Option<OrganizationId>,
        after: Option<ProjectId>,
        limit: i64,
    ) -> Result<Vec<Project>, AccountError> {
        let key = binding_key(&actor.principal).unwrap_or_default();
        let after = after.map_or_else(String::new, |id| id.to_string());
        let only = organization.map_or_else(String::new, |id| id.to_string());
        transaction!(self.store(), snapshot, |tx| {
            async {
            if let Some(organization) = organization {
                let scope = Scope::Organization(organization);
                tx.require(actor, scope, Permission::ViewOrganization).await?;
            }
            let visible = tx.visible_from(actor, "p.organization").await?;
            let select = format!(
                "SELECT {COLUMNS} FROM account_projects p JOIN account_organizations o ON o.id = p.organization \
                 WHERE p.id > $2 AND ($3 = '' OR p.organization = $3) AND o.deleted_at IS NULL{visible} AND EXISTS \
                 (SELECT 1 FROM account_bindings b WHERE b.principal = $1 AND b.scope IN (p.id, p.organization)) \
                 ORDER BY p.id LIMIT $4"
            );
            let values = args![key.as_str(), after.as_str(), only.as_str(), limit];
            let rows = tx.rows(&select, values).await?;
            let projects: Result<Vec<_>, CatalogError> = rows.iter().map(project_at).collect();
            Ok::<_, TxError<AccountError>>(projects?)
        }
        .await
        })
    }

    /// A project in which the actor has a role.
    pub async fn project(&self, actor: &Actor, id: ProjectId) -> Result<Project, AccountError> {
        let select = format!("SELECT {COLUMNS} FROM account_projects p WHERE p.id = $1");
        transaction!(self.store(), snapshot, |tx| async {
            tx.require(actor, Scope::Project(id), Permission::ViewOrganization)
                .await?;
            match tx.row(&select, args![id]).await? {
                Some(row) => Ok::<_, TxError<AccountError>>(project_at(&row)?),
                None => Err(AccountError::NotFound { what: KIND }.into()),
            }
        }
        .await)
    }

    /// Makes a project.
    pub async fn create_project(
        &self,
        actor: &Actor,
        organization: OrganizationId,
        name: &str,
        rehearsal: bool,
    ) -> Result<Project, AccountError> {
        let outcome = transaction!(self.store(), write, |tx| async {
            let project = tx.add_project(actor, organization, name).await?;
            if rehearsal {
                tx.rehearse();
            }
            Ok::<_, TxError<AccountError>>(project)
        }
        .await);
        let scope = Scope::Organization(organization);
        self.finish_account(actor, denied(scope, "create_project", name), outcome)
            .await
    }

    /// Renames a project.
    pub async fn update_project(
        &self,
        actor: &Actor,
        id: ProjectId,
        name: &str,
        expected: Option<i64>,
        rehearsal: bool,
    ) -> Result<Project, AccountError> {
        let outcome = transaction!(self.store(), write, |tx| async {
            let project = tx.rename_project(actor, id, name, expected).await?;
            if rehearsal {
                tx.rehearse();
            }
            Ok::<_, TxError<AccountError>>(project)
        }
        .await);
        let public = id.public();
        self.finish_account(
            actor,
            denied(Scope::Project(id), "update_project", &public),
            outcome,
        )
        .await
    }

    /// Deletes a project without clusters and service accounts.
    pub async fn delete_project(
        &self,
        actor: &Actor,
        id: ProjectId,
        expected: Option<i64>,
        rehearsal: bool,
    ) -> Result<(), AccountError> {
        let outcome = transaction!(self.store(), write, |tx| async {
            tx.remove_project(actor, id, expected).await?;
            if rehearsal {
                tx.rehearse();
            }
            Ok::<_, TxError<AccountError>>(())
        }
        .await);
        let public = id.public();
        self.finish_account(
            actor,
            denied(Scope::Project(id), "delete_project", &public),
            outcome,
        )
        .await
    }
}
