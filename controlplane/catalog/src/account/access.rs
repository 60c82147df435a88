//! Who may do what in the account store, and the audit trail of who did.
//!
//! What somebody has in a place is the union of the bindings on it and on what it lies in. One statement finds the place and the
//! bindings together, so that foreign and absent cost the same.

use std::sync::Arc;

use ipnet::IpNet;
use serde_json::Value;

use super::AccountError;
use super::networks::admits;
use crate::access::{Permission, Role, RoleSet, Scope};
use crate::audit::chain::{Chained, FIRST};
use crate::audit::{Trail, detail_text};
use crate::catalog::Catalog;
use crate::cell::CatalogError;
use crate::commands::{Actor, Principal, User};
use crate::ids::{AuditId, ClusterId, OrganizationId};
use crate::sql::{Tx, TxError, args, id_at, json_at, number_at, optional_text_at, text_at, transaction};

/// What somebody has in a place that exists.
struct Standing {
    organization: OrganizationId,
    /// By bindings that hold in the place.
    roles: RoleSet,
    /// Whether there is a binding anywhere in the organization. Asked for organizations only.
    known: bool,
    /// From where the organization is reached.
    networks: Vec<IpNet>,
}

const IN_ORGANIZATION: &str = "SELECT o.id, b.role, b.scope, o.networks FROM account_organizations o \
     LEFT JOIN account_bindings b ON b.organization = o.id AND b.principal = $2 WHERE o.id = $1";
const IN_PROJECT: &str = "SELECT p.organization, b.role, b.scope, o.networks FROM account_projects p \
     JOIN account_organizations o ON o.id = p.organization \
     LEFT JOIN account_bindings b ON b.principal = $2 AND b.scope IN (p.id, p.organization) WHERE p.id = $1";
const IN_CLUSTER: &str = "SELECT p.organization, b.role, b.scope, o.networks FROM account_clusters c \
     JOIN account_projects p ON p.id = c.project \
     JOIN account_organizations o ON o.id = p.organization \
     LEFT JOIN account_bindings b ON b.principal = $2 AND b.scope IN (c.cluster, c.project, p.organization) \
     WHERE c.cluster = $1";

/// How much of a denied attempt's name is kept, in characters.
const MAX_NAME: usize = 100;

/// What a denied attempt was about.
#[derive(Clone, Debug)]
pub(crate) struct Denied<'a> {
    /// Where a role was missing.
    pub(crate) scope: Scope,
    /// What was tried, as a successful attempt would be called.
    pub(crate) action: &'static str,
    /// The kind of the thing.
    pub(crate) kind: &'static str,
    /// Its public id, or its name if it was to be made.
    pub(crate) resource: &'a str,
}

/// How the bindings' rows know a principal; `None`: it can have none.
pub(super) fn binding_key(principal: &Principal) -> Option<String> {
    match principal {
        Principal::Person(id) => Some(id.to_string()),
        Principal::ServiceAccount(id) => Some(id.to_string()),
        Principal::Dev { .. } | Principal::Cell | Principal::User(_) => None,
    }
}

/// What is not found where the scope is.
pub(super) fn missing(scope: Scope) -> AccountError {
    let what = match scope {
        Scope::Organization(_) => "organization",
        Scope::Project(_) => "project",
        Scope::Cluster(_) => "cluster",
    };
    AccountError::NotFound { what }
}

impl Tx {
    /// Refuses an actor whom no role allows this, and tells in which organization the scope lies. No role at all there:
    /// [`AccountError::NotFound`]; one that is too small: [`AccountError::Forbidden`]. Whoever has a role somewhere in an
    /// organization may see the organization itself. Only then is it asked where the actor is:
    /// [`AccountError::AddressNotAllowed`].
    pub(crate) async fn require(
        &mut self,
        actor: &Actor,
        scope: Scope,
        permission: Permission,
    ) -> Result<OrganizationId, TxError<AccountError>> {
        let standing = self.standing(&actor.principal, scope).await?;
        let Some(standing) = standing.filter(|standing| standing.known) else {
            return Err(missing(scope).into());
        };
        if !admits(&standing.networks, actor) {
            return Err(AccountError::AddressNotAllowed.into());
        }
        let allowed = standing.roles.allow(permission) || permission == Permission::ViewOrganization;
        match allowed {
            true => Ok(standing.organization),
            false => Err(AccountError::Forbidden.into()),
        }
    }

    /// The roles that hold in a place; none if there is no such place.
    pub(crate) async fn roles_of(
        &mut self,
        principal: &Principal,
        scope: Scope,
    ) -> Result<RoleSet, TxError<CatalogError>> {
        let standing = self.standing(principal, scope).await?;
        Ok(standing.map_or(RoleSet::NONE, |standing| standing.roles))
    }

    /// The organization that a place lies in, whoever asks.
    pub(crate) async fn organization_of(
        &mut self,
        scope: Scope,
    ) -> Result<Option<OrganizationId>, TxError<CatalogError>> {
        let standing = self.standing(&Principal::Cell, scope).await?;
        Ok(standing.map(|standing| standing.organization))
    }

    async fn standing(
        &mut self,
        principal: &Principal,
        scope: Scope,
    ) -> Result<Option<Standing>, TxError<CatalogError>> {
        let (select, place) = match scope {
            Scope::Organization(id) => (IN_ORGANIZATION, id.to_string()),
            Scope::Project(id) => (IN_PROJECT, id.to_string()),
            Scope::Cluster(id) => (IN_CLUSTER, id.to_string()),
        };
        let whole = matches!(scope, Scope::Organization(_));
        let key = binding_key(principal).unwrap_or_default();
        let mut standing: Option<Standing> = None;
        for row in self.rows(select, args![place.as_str(), key]).await? {
            let organization = id_at(&row, 0)?;
            if standing.is_none() {
                standing = Some(Standing {
                    organization,
                    roles: RoleSet::NONE,
                    known: false,
                    networks: json_at(&row, 3)?,
                });
            }
            let Some(standing) = &mut standing else { continue };
            let (Some(role), Some(at)) = (optional_text_at(&row, 1)?, optional_text_at(&row, 2)?) else {
                continue;
            };
            standing.known = true;
            if !whole || at == place {
                let role: Role = role
                    .parse()
                    .map_err(|error| CatalogError::Corrupt(format!("a binding: {error}")))?;
                standing.roles = standing.roles.with(role);
            }
        }
        Ok(standing)
    }

    /// Writes an audit row: what the actor did in the organization. `resource` is the public id of a thing of that `kind`;
    /// `detail` says what changed, never a secret. Locks the organization's row: the last lock of a transaction.
    pub(crate) async fn account_audit(
        &mut self,
        actor: &Actor,
        organization: OrganizationId,
        action: &'static str,
        kind: &'static str,
        resource: &str,
        detail: &Value,
    ) -> Result<(), TxError<CatalogError>> {
        self.audit_decision(actor, organization, ("allowed", action), (kind, resource), detail)
            .await
    }

    pub(super) async fn audit_decision(
        &mut self,
        actor: &Actor,
        organization: OrganizationId,
        (decision, action): (&'static str, &'static str),
        (kind, resource): (&'static str, &str),
        detail: &Value,
    ) -> Result<(), TxError<CatalogError>> {
        let id = AuditId(self.env().random_u128());
        self.chain_account_row(
            id,
            actor,
            organization,
            (decision, action),
            (kind, resource),
            detail,
        )
        .await
    }

    /// Writes the row that counts denials above the rate.
    pub(crate) async fn audit_others(
        &mut self,
        organization: OrganizationId,
        id: AuditId,
        (action, resource): (&'static str, &str),
        detail: &Value,
    ) -> Result<(), TxError<CatalogError>> {
        let nobody = Actor {
            principal: Principal::Cell,
            request_id: String::new(),
            credential: None,
            address: None,
        };
        let (what, of) = (("denied", action), ("organization", resource));
        self.chain_account_row(id, &nobody, organization, what, of, detail)
            .await
    }

    async fn chain_account_row(
        &mut self,
        id: AuditId,
        actor: &Actor,
        organization: OrganizationId,
        (decision, action): (&'static str, &'static str),
        (kind, resource): (&'static str, &str),
        detail: &Value,
    ) -> Result<(), TxError<CatalogError>> {
        let next = "UPDATE account_organizations SET audit_head = audit_head + 1 WHERE id = $1 \
                    RETURNING audit_head, audit_hash";
        let Some(row) = self.row(next, args![organization]).await? else {
            return Err(CatalogError::Corrupt(format!(
                "audit of organization {organization}, which is not there"
            ))
            .into());
        };
        let previous = text_at(&row, 1)?;
        let credential = actor.credential.map(|credential| credential.to_string());
        let address = actor.address.map(|address| address.to_string());
        let (principal, detail) = (actor.principal.to_string(), detail_text(detail));
        let chained = Chained {
            trail: Trail::Organization(organization),
            position: number_at(&row, 0)?,
            id,
            at: self.env().now(),
            principal: &principal,
            credential: credential.as_deref(),
            address: address.as_deref(),
            request_id: &actor.request_id,
            action,
            resource_kind: kind,
            resource,
            allowed: decision == "allowed",
            detail: &detail,
        };
        let hash = chained.hash(if previous.is_empty() { FIRST } else { &previous });
        let insert = "INSERT INTO account_audit (id, organization, sequence, at, principal, credential, address, request, \
                      action, resource_kind, resource, decision, detail, hash) \
                      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
        let values = args![
            chained.id,
            organization,
            chained.position,
            chained.at,
            principal.as_str(),
            credential.clone(),
            address.clone(),
            actor.request_id.as_str(),
            action,
            kind,
            resource,
            decision,
            detail.as_str(),
            hash.as_str(),
        ];
        self.execute(insert, values).await?;
        let update = "UPDATE account_organizations SET audit_hash = $1 WHERE id = $2";
        self.execute(update, args![hash, organization]).await?;
        Ok(())
    }
}

impl Catalog {
    /// Ends a write: one that was forbidden, by roles or from that address, goes into the audit trail of the organization that it was tried
    /// in, or is counted there with the others of its minute.
    pub(crate) async fn finish_account<T>(
        &self,
        actor: &Actor,
        denied: Denied<'_>,
        outcome: Result<T, AccountError>,
    ) -> Result<T, AccountError> {
        crate::metrics::command(denied.action, outcome.is_ok());
        if matches!(
            outcome,
            Err(AccountError::Forbidden | AccountError::AddressNotAllowed)
        ) {
            self.audit_denied(actor, &denied).await?;
        }
        outcome
    }

    async fn audit_denied(&self, actor: &Actor, denied: &Denied<'_>) -> Result<(), AccountError> {
        let organization: Result<Option<OrganizationId>, CatalogError> =
            transaction!(self.store(), snapshot, |tx| tx
                .organization_of(denied.scope)
                .await);
        let organization = organization.map_err(AccountError::Catalog)?;
        let Some(organization) = organization else {
            return Ok(());
        };
        if self.sample_denial(Trail::Organization(organization)).is_err() {
            return Ok(());
        }
        // A name that was to be given, from somebody who may not: not checked yet.
        let plain = |c: char| match c.is_control() {
            true => char::REPLACEMENT_CHARACTER,
            false => c,
        };
        let resource: String = denied.resource.chars().map(plain).take(MAX_NAME).collect();
        let (what, of) = (("denied", denied.action), (denied.kind, resource.as_str()));
        let written: Result<(), CatalogError> = transaction!(self.store(), write, |tx| tx
            .audit_decision(actor, organization, what, of, &Value::Null)
            .await);
        written.map_err(AccountError::Catalog)
    }

    /// The roles that a person or a service account has in a cluster; none in one that is not there.
    pub async fn roles_in_cluster(
        &self,
        principal: &Principal,
        cluster: ClusterId,
    ) -> Result<RoleSet, AccountError> {
        let standing: Option<Standing> = transaction!(self.store(), snapshot, |tx| tx
            .standing(principal, Scope::Cluster(cluster))
            .await)
        .map_err(AccountError::Catalog)?;
        Ok(standing.map_or(RoleSet::NONE, |standing| standing.roles))
    }

    /// The actor as a user of a cluster, with the roles that it has there: whom REST runs a cell's commands for.
    pub async fn user_in_cluster(
        &self,
        actor: &Actor,
        cluster: ClusterId,
    ) -> Result<Principal, AccountError> {
        let standing: Option<Standing> = transaction!(self.store(), snapshot, |tx| tx
            .standing(&actor.principal, Scope::Cluster(cluster))
            .await)
        .map_err(AccountError::Catalog)?;
        let standing = standing.filter(|standing| !standing.roles.is_empty());
        let standing = standing.ok_or(AccountError::NotFound { what: "cluster" })?;
        if !admits(&standing.networks, actor) {
            return Err(AccountError::AddressNotAllowed);
        }
        let roles = standing.roles;
        let name = match &actor.principal {
            Principal::Person(id) => id.public(),
            Principal::ServiceAccount(id) => id.public(),
            Principal::Dev { .. } | Principal::Cell | Principal::User(_) => String::new(),
        };
        let name = name.into();
        Ok(Principal::User(Arc::new(User { cluster, name, roles })))
    }
}
