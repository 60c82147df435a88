//! The networks from which an organization is reached by REST.
//!
//! The list is asked where the actor's roles are found (`Tx::require`): so it counts for every route, whoever asks, and a stranger
//! learns nothing from it. What spans organizations leaves out those that the address may not see. A login is no organization's
//! business and stays possible from everywhere.

use ipnet::IpNet;
use serde_json::json;

use super::access::binding_key;
use super::organizations::require_version;
use super::{AccountError, Denied};
use crate::access::{Permission, Scope};
use crate::audit::difference;
use crate::catalog::Catalog;
use crate::cell::CatalogError;
use crate::commands::Actor;
use crate::ids::OrganizationId;
use crate::networks;
use crate::sql::{self, Tx, TxError, args, id_at, json_at, transaction};

const KIND: &str = "organization";
const ACTION: &str = "alter_organization_networks";

/// Says from where an organization is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlterOrganizationNetworks {
    /// Which organization.
    pub organization: OrganizationId,
    /// All networks, as [`networks::parse`] gives them; none: from anywhere.
    pub networks: Vec<IpNet>,
    /// The version of the list that the actor read; `None`: whatever it is.
    pub expected: Option<i64>,
    /// Also if the actor's own address is in none of them.
    pub force: bool,
}

/// Whether an actor may come to what has this list. Who comes from nowhere that is known may not come to what has one.
pub(super) fn admits(networks: &[IpNet], actor: &Actor) -> bool {
    match actor.address {
        Some(address) => networks::allow(networks, address),
        None => networks.is_empty(),
    }
}

impl Tx {
    /// The organizations of an actor that it may not see from where it is.
    pub(super) async fn hidden_organizations(
        &mut self,
        actor: &Actor,
    ) -> Result<Vec<OrganizationId>, TxError<CatalogError>> {
        let key = binding_key(&actor.principal).unwrap_or_default();
        let select = "SELECT o.id, o.networks FROM account_organizations o WHERE o.networks <> '[]' AND EXISTS \
                      (SELECT 1 FROM account_bindings b WHERE b.organization = o.id AND b.principal = $1)";
        let mut hidden = Vec::new();
        for row in self.rows(select, args![key]).await? {
            let networks: Vec<IpNet> = json_at(&row, 1)?;
            if !admits(&networks, actor) {
                hidden.push(id_at(&row, 0)?);
            }
        }
        Ok(hidden)
    }

    /// A condition that leaves out what an actor may not see from where it is, by the column that says whose it is.
    pub(in crate::account) async fn visible_from(
        &mut self,
        actor: &Actor,
        column: &str,
    ) -> Result<String, TxError<CatalogError>> {
        let hidden = self.hidden_organizations(actor).await?;
        if hidden.is_empty() {
            return Ok(String::new());
        }
        // An id is hexadecimal digits.
        let ids: Vec<_> = hidden.iter().map(|id| format!("'{id}'")).collect();
        Ok(format!(" AND {column} NOT IN ({})", ids.join(", ")))
    }

    async fn networks_of(&mut self, id: OrganizationId) -> Result<Vec<IpNet>, TxError<AccountError>> {
        let select = "SELECT networks FROM account_organizations WHERE id = $1";
        match self.row(select, args![id]).await? {
            Some(row) => Ok(json_at(&row, 0)?),
            None => Err(AccountError::NotFound { what: KIND }.into()),
        }
    }

    async fn alter_organization_networks(
        &mut self,
        actor: &Actor,
        change: &AlterOrganizationNetworks,
    ) -> Result<(), TxError<AccountError>> {
        let id = change.organization;
        self.require(actor, Scope::Organization(id), Permission::ManageOrganization)
            .await?;
        self.lock_organization(id).await?;
        let before = self.networks_of(id).await?;
        require_version(change.expected, networks::version(&before))?;
        if !change.force && !admits(&change.networks, actor) {
            let reason = "none of the networks has the address that you ask from, so nobody could undo this from there; \
                          add it, or say force=true"
                .to_owned();
            return Err(AccountError::Protected { reason }.into());
        }
        if before == change.networks {
            return Ok(());
        }
        let update = "UPDATE account_organizations SET networks = $2 WHERE id = $1";
        self.execute(update, args![id, sql::json(&change.networks)])
            .await?;
        let detail = difference(
            json!({ "networks": before }),
            json!({ "networks": change.networks }),
        );
        self.account_audit(actor, id, ACTION, KIND, &id.public(), &detail)
            .await?;
        Ok(())
    }
}

impl Catalog {
    /// From where an organization is reached.
    pub async fn organization_networks(
        &self,
        actor: &Actor,
        id: OrganizationId,
    ) -> Result<Vec<IpNet>, AccountError> {
        transaction!(self.store(), snapshot, |tx| async {
            tx.require(actor, Scope::Organization(id), Permission::ManageOrganization)
                .await?;
            tx.networks_of(id).await
        }
        .await)
    }

    /// Says from where an organization is reached. Refused if the actor's own address would be left out, unless it insists.
    pub async fn alter_organization_networks(
        &self,
        actor: &Actor,
        change: &AlterOrganizationNetworks,
        rehearsal: bool,
    ) -> Result<(), AccountError> {
        let outcome = transaction!(self.store(), write, |tx| async {
            tx.alter_organization_networks(actor, change).await?;
            if rehearsal {
                tx.rehearse();
            }
            Ok::<_, TxError<AccountError>>(())
        }
        .await);
        let denied = Denied {
            scope: Scope::Organization(change.organization),
            action: ACTION,
            kind: KIND,
            resource: &change.organization.public(),
        };
        self.finish_account(actor, denied, outcome).await
    }
}
