//! Role bindings: which role a person or a service account has in an organization, a project or a cluster.
//!
//! Nobody gives, changes or takes a role that allows more than what they have in that place themselves; so only owners make and
//! unmake owners. An organization always has a person that owns it.

use firn_runtime::Timestamp;
use serde_json::json;
use sqlx::any::AnyRow;

use super::organizations::require_version;
use super::{AccountError, Denied};
use crate::access::{Permission, Role, Scope};
use crate::catalog::Catalog;
use crate::cell::CatalogError;
use crate::commands::Actor;
use crate::ids::{BindingId, OrganizationId, PersonId, ServiceAccountId};
use crate::sql::{Arg, Tx, TxError, args, id_at, number_at, text_at, transaction};

/// How many bindings an organization may have.
pub const MAX_BINDINGS: i64 = 10_000;

const KIND: &str = "role_binding";
const WHAT: &str = "role binding";

/// Who has a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Holder {
    /// A member of the organization.
    Person(PersonId),
    /// A service account of the organization.
    ServiceAccount(ServiceAccountId),
}

impl Holder {
    fn kind(self) -> &'static str {
        match self {
            Self::Person(_) => "person",
            Self::ServiceAccount(_) => "service_account",
        }
    }

    /// The public id.
    pub fn public(self) -> String {
        match self {
            Self::Person(id) => id.public(),
            Self::ServiceAccount(id) => id.public(),
        }
    }

    fn key(self) -> String {
        match self {
            Self::Person(id) => id.to_string(),
            Self::ServiceAccount(id) => id.to_string(),
        }
    }
}

/// A role that somebody has somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleBinding {
    /// Its id.
    pub id: BindingId,
    /// In which organization.
    pub organization: OrganizationId,
    /// Who has it.
    pub holder: Holder,
    /// Where.
    pub scope: Scope,
    /// Which role.
    pub role: Role,
    /// Since when.
    pub created_at: Timestamp,
    /// Counts its changes.
    pub version: i64,
}

/// Which bindings are wanted.
#[derive(Clone, Copy, Debug, Default)]
pub struct BindingFilter {
    /// Of this one.
    pub holder: Option<Holder>,
    /// In exactly this place.
    pub scope: Option<Scope>,
    /// After this one, in the order of their ids.
    pub after: Option<BindingId>,
}

const COLUMNS: &str =
    "id, organization, principal_kind, principal, scope_kind, scope, role, created_at, version";

/// The kind and the id of a scope, as rows hold them.
fn scope_columns(scope: Scope) -> (&'static str, String) {
    match scope {
        Scope::Organization(id) => ("organization", id.to_string()),
        Scope::Project(id) => ("project", id.to_string()),
        Scope::Cluster(id) => ("cluster", id.to_string()),
    }
}

/// The public id of a scope.
fn scope_public(scope: Scope) -> String {
    match scope {
        Scope::Organization(id) => id.public(),
        Scope::Project(id) => id.public(),
        Scope::Cluster(id) => id.public(),
    }
}

fn binding_at(row: &AnyRow) -> Result<RoleBinding, CatalogError> {
    let strange = |what: &str| CatalogError::Corrupt(format!("a binding's {what} is unknown"));
    let holder = match text_at(row, 2)?.as_str() {
        "person" => Holder::Person(id_at(row, 3)?),
        "service_account" => Holder::ServiceAccount(id_at(row, 3)?),
        _ => return Err(strange("principal")),
    };
    let scope = match text_at(row, 4)?.as_str() {
        "organization" => Scope::Organization(id_at(row, 5)?),
        "project" => Scope::Project(id_at(row, 5)?),
        "cluster" => Scope::Cluster(id_at(row, 5)?),
        _ => return Err(strange("scope")),
    };
    Ok(RoleBinding {
        id: id_at(row, 0)?,
        organization: id_at(row, 1)?,
        holder,
        scope,
        role: text_at(row, 6)?.parse().map_err(|_| strange("role"))?,
        created_at: Timestamp(number_at(row, 7)?),
        version: number_at(row, 8)?,
    })
}

impl Tx {
    /// Refuses somebody who may not give or take this role in this place, which must lie in the organization.
    pub(super) async fn require_power_to_bind(
        &mut self,
        actor: &Actor,
        organization: OrganizationId,
        scope: Scope,
        role: Role,
    ) -> Result<(), TxError<AccountError>> {
        let found = self.require(actor, scope, Permission::ManageMembers).await?;
        if found != organization {
            return Err(super::access::missing(scope).into());
        }
        let roles = self.roles_of(&actor.principal, scope).await?;
        match roles.covers(role) {
            true => Ok(()),
            false => Err(AccountError::Forbidden.into()),
        }
    }

    /// Makes a binding that its holder does not have yet.
    pub(super) async fn insert_binding(
        &mut self,
        binding: &RoleBinding,
    ) -> Result<(), TxError<AccountError>> {
        let (kind, scope) = scope_columns(binding.scope);
        let insert =
            format!("INSERT INTO account_bindings ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)");
        let values = args![
            binding.id,
            binding.organization,
            binding.holder.kind(),
            binding.holder.key(),
            kind,
            scope,
            binding.role.name(),
            binding.created_at,
            binding.version,
        ];
        self.execute(&insert, values).await?;
        self.note_roles_changed(&binding.holder.key()).await?;
        Ok(())
    }

    /// Refuses a holder that is not of this organization.
    async fn require_holder(
        &mut self,
        organization: OrganizationId,
        holder: Holder,
    ) -> Result<(), TxError<AccountError>> {
        let select = match holder {
            Holder::Person(_) => "SELECT person FROM account_members WHERE organization = $1 AND person = $2",
            Holder::ServiceAccount(_) => {
                "SELECT s.id FROM account_service_accounts s JOIN account_projects p ON p.id = s.project \
                 WHERE p.organization = $1 AND s.id = $2 AND s.deleted_at IS NULL"
            }
        };
        if self
            .row(select, args![organization, holder.key()])
            .await?
            .is_some()
        {
            return Ok(());
        }
        let reason = "the organization has no such member or service account".to_owned();
        let pointer = "/principal";
        Err(AccountError::Invalid { pointer, reason }.into())
    }

    async fn bind(
        &mut self,
        actor: &Actor,
        organization: OrganizationId,
        (holder, scope, role): (Holder, Scope, Role),
    ) -> Result<RoleBinding, TxError<AccountError>> {
        self.require_power_to_bind(actor, organization, scope, role)
            .await?;
        self.lock_organization(organization).await?;
        self.require_holder(organization, holder).await?;
        let taken = "SELECT id FROM account_bindings WHERE principal = $1 AND scope = $2";
        let values = args![holder.key(), scope_columns(scope).1];
        if let Some(row) = self.row(taken, values).await? {
            let (what, id): (_, BindingId) = (WHAT, id_at(&row, 0)?);
            return Err(AccountError::Exists {
                what,
                name: id.public(),
            }
            .into());
        }
        let count = "SELECT COUNT(*) FROM account_bindings WHERE organization = $1";
        if self.count_of(count, args![organization]).await? >= MAX_BINDINGS {
            let (which, limit) = ("role bindings in an organization", MAX_BINDINGS);
            return Err(AccountError::LimitExceeded { which, limit }.into());
        }
        let binding = RoleBinding {
            id: BindingId(self.env().random_u128()),
            organization,
            holder,
            scope,
            role,
            created_at: self.env().now(),
            version: 1,
        };
        self.insert_binding(&binding).await?;
        let detail = json!({ "principal": holder.public(), "scope": scope_public(scope), "role": role });
        self.account_audit(
            actor,
            organization,
            "create_role_binding",
            KIND,
            &binding.id.public(),
            &detail,
        )
        .await?;
        Ok(binding)
    }

    /// The binding, which the actor may change; the organization's row is locked.
    async fn binding_to_change(
        &mut self,
        actor: &Actor,
        (organization, id): (OrganizationId, BindingId),
        expected: Option<i64>,
    ) -> Result<RoleBinding, TxError<AccountError>> {
        let scope = Scope::Organization(organization);
        self.require(actor, scope, Permission::ViewOrganization).await?;
        self.lock_organization(organization).await?;
        let select = format!("SELECT {COLUMNS} FROM account_bindings WHERE organization = $1 AND id = $2");
        let missing = AccountError::NotFound { what: WHAT };
        let row = self.row(&select, args![organization, id]).await?;
        let binding = binding_at(&row.ok_or(missing.clone())?)?;
        match self
            .require_power_to_bind(actor, organization, binding.scope, binding.role)
            .await
        {
            // A place that the actor has no role in: so is what is bound there.
            Err(TxError::Refused(AccountError::NotFound { .. })) => return Err(missing.into()),
            outcome => outcome?,
        }
        require_version(expected, binding.version)?;
        Ok(binding)
    }

    async fn rebind(
        &mut self,
        actor: &Actor,
        of: (OrganizationId, BindingId),
        role: Role,
        expected: Option<i64>,
    ) -> Result<RoleBinding, TxError<AccountError>> {
        let before = self.binding_to_change(actor, of, expected).await?;
        self.require_power_to_bind(actor, of.0, before.scope, role)
            .await?;
        if before.role == role {
            return Ok(before);
        }
        let after = RoleBinding {
            role,
            version: before.version + 1,
            ..before
        };
        let update = "UPDATE account_bindings SET role = $2, version = $3 WHERE id = $1";
        self.execute(update, args![after.id, role.name(), after.version])
            .await?;
        self.note_roles_changed(&after.holder.key()).await?;
        self.require_an_owner(of.0).await?;
        let detail = json!({
            "principal": after.holder.public(), "scope": scope_public(after.scope),
            "role": { "from": before.role, "to": role },
        });
        self.account_audit(
            actor,
            of.0,
            "update_role_binding",
            KIND,
            &after.id.public(),
            &detail,
        )
        .await?;
        Ok(after)
    }

    async fn unbind(
        &mut self,
        actor: &Actor,
        of: (OrganizationId, BindingId),
        expected: Option<i64>,
    ) -> Result<RoleBinding, TxError<AccountError>> {
        let binding = self.binding_to_change(actor, of, expected).await?;
        self.execute("DELETE FROM account_bindings WHERE id = $1", args![binding.id])
            .await?;
        self.note_roles_changed(&binding.holder.key()).await?;
        self.require_an_owner(of.0).await?;
        let detail = json!({
            "principal": binding.holder.public(), "scope": scope_public(binding.scope), "role": binding.role,
        });
        self.account_audit(
            actor,
            of.0,
            "delete_role_binding",
            KIND,
            &binding.id.public(),
            &detail,
        )
        .await?;
        Ok(binding)
    }
}

fn denied<'a>(organization: OrganizationId, action: &'static str, resource: &'a str) -> Denied<'a> {
    Denied {
        scope: Scope::Organization(organization),
        action,
        kind: KIND,
        resource,
    }
}

impl Catalog {
    /// The bindings of an organization.
    pub async fn role_bindings(
        &self,
        actor: &Actor,
        organization: OrganizationId,
        filter: BindingFilter,
        limit: i64,
    ) -> Result<Vec<RoleBinding>, AccountError> {
        let after = filter.after.map_or_else(String::new, |id| id.to_string());
        let mut select =
            format!("SELECT {COLUMNS} FROM account_bindings WHERE organization = $1 AND id > $2");
        let mut values: Vec<Arg> = args![organization, after];
        let wanted = [
            ("principal", filter.holder.map(Holder::key)),
            ("scope", filter.scope.map(|scope| scope_columns(scope).1)),
        ];
        for (column, wanted) in wanted {
            if let Some(wanted) = wanted {
                values.push(wanted.into());
                select.push_str(&format!(" AND {column} = ${}", values.len()));
            }
        }
        values.push(limit.into());
        select.push_str(&format!(" ORDER BY id LIMIT ${}", values.len()));
        transaction!(self.store(), snapshot, |tx| async {
            let scope = Scope::Organization(organization);
            tx.require(actor, scope, Permission::ManageMembers).await?;
            let rows = tx.rows(&select, values.clone()).await?;
            let bindings: Result<Vec<_>, CatalogError> = rows.iter().map(binding_at).collect();
            Ok::<_, TxError<AccountError>>(bindings?)
        }
        .await)
    }

    /// One binding of an organization.
    pub async fn role_binding(
        &self,
        actor: &Actor,
        organization: OrganizationId,
        id: BindingId,
    ) -> Result<RoleBinding, AccountError> {
        let select = format!("SELECT {COLUMNS} FROM account_bindings WHERE organization = $1 AND id = $2");
        transaction!(self.store(), snapshot, |tx| async {
            let scope = Scope::Organization(organization);
            tx.require(actor, scope, Permission::ManageMembers).await?;
            match tx.row(&select, args![organization, id]).await? {
                Some(row) => Ok::<_, TxError<AccountError>>(binding_at(&row)?),
                None => Err(AccountError::NotFound { what: WHAT }.into()),
            }
        }
        .await)
    }

    /// Gives somebody a role in a place. Service accounts' roles are in force once [`Catalog::refresh_service_account`] has
    /// told the cells.
    pub async fn create_role_binding(
        &self,
        actor: &Actor,
        organization: OrganizationId,
        binding: (Holder, Scope, Role),
        rehearsal: bool,
    ) -> Result<RoleBinding, AccountError> {
        let outcome = transaction!(self.store(), write, |tx| async {
            let binding = tx.bind(actor, organization, binding).await?;
            if rehearsal {
                tx.rehearse();
            }
            Ok::<_, TxError<AccountError>>(binding)
        }
        .await);
        let public = binding.0.public();
        let denied = denied(organization, "create_role_binding", &public);
        self.finish_account(actor, denied, outcome).await
    }

    /// Changes the role of a binding.
    pub async fn update_role_binding(
        &self,
        actor: &Actor,
        of: (OrganizationId, BindingId),
        role: Role,
        expected: Option<i64>,
        rehearsal: bool,
    ) -> Result<RoleBinding, AccountError> {
        let outcome = transaction!(self.store(), write, |tx| async {
            let binding = tx.rebind(actor, of, role, expected).await?;
            if rehearsal {
                tx.rehearse();
            }
            Ok::<_, TxError<AccountError>>(binding)
        }
        .await);
        let public = of.1.public();
        self.finish_account(actor, denied(of.0, "update_role_binding", &public), outcome)
            .await
    }

    /// Takes a role away; what it was.
    pub async fn delete_role_binding(
        &self,
        actor: &Actor,
        of: (OrganizationId, BindingId),
        expected: Option<i64>,
        rehearsal: bool,
    ) -> Result<RoleBinding, AccountError> {
        let outcome = transaction!(self.store(), write, |tx| async {
            let binding = tx.unbind(actor, of, expected).await?;
            if rehearsal {
                tx.rehearse();
            }
            Ok::<_, TxError<AccountError>>(binding)
        }
        .await);
        let public = of.1.public();
        self.finish_account(actor, denied(of.0, "delete_role_binding", &public), outcome)
            .await
    }
}
