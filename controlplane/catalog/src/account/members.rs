//! Members: the people of an organization.

use firn_runtime::Timestamp;
use serde_json::json;

use super::{AccountError, Denied};
use crate::access::{Permission, Role, Scope};
use crate::catalog::Catalog;
use crate::commands::{Actor, Principal};
use crate::ids::{OrganizationId, PersonId};
use crate::sql::{Tx, TxError, args, id_at, number_at, text_at, transaction};

/// A member of an organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub person: PersonId,
    /// What it is called.
    pub name: String,
    /// Its address.
    pub email: String,
    /// Since when it is a member.
    pub joined_at: Timestamp,
}

impl Tx {
    /// Refuses what has left the organization without an owner; its row is locked.
    pub(super) async fn require_an_owner(
        &mut self,
        organization: OrganizationId,
    ) -> Result<(), TxError<AccountError>> {
        let owners = "SELECT COUNT(*) FROM account_bindings WHERE organization = $1 AND scope_kind = 'organization' \
                      AND principal_kind = 'person' AND role = 'owner'";
        if self.count_of(owners, args![organization]).await? > 0 {
            return Ok(());
        }
        let reason = "the organization would have no owner any more: make another owner first".to_owned();
        Err(AccountError::Protected { reason }.into())
    }

    async fn expel(
        &mut self,
        actor: &Actor,
        organization: OrganizationId,
        person: PersonId,
    ) -> Result<(), TxError<AccountError>> {
        let leaves = actor.principal == Principal::Person(person);
        let needed = if leaves {
            Permission::ViewOrganization
        } else {
            Permission::ManageMembers
        };
        let scope = Scope::Organization(organization);
        self.require(actor, scope, needed).await?;
        self.lock_organization(organization).await?;
        if !self.is_member(organization, person).await? {
            return Err(AccountError::NotFound { what: "member" }.into());
        }
        let owns =
            "SELECT COUNT(*) FROM account_bindings WHERE organization = $1 AND principal = $2 AND role = $3";
        let owns = self
            .count_of(owns, args![organization, person, Role::Owner.name()])
            .await?
            > 0;
        if owns && !leaves {
            self.require(actor, scope, Permission::ManageOwners).await?;
        }
        let held = "SELECT role, scope_kind FROM account_bindings WHERE organization = $1 AND principal = $2 ORDER BY id LIMIT 100";
        let mut roles = Vec::new();
        for row in self.rows(held, args![organization, person]).await? {
            roles.push(json!({ "role": text_at(&row, 0)?, "scope": text_at(&row, 1)? }));
        }
        for delete in [
            "DELETE FROM account_bindings WHERE organization = $1 AND principal = $2",
            "DELETE FROM account_members WHERE organization = $1 AND person = $2",
            "DELETE FROM account_identities WHERE provider IN \
             (SELECT id FROM account_login_providers WHERE organization = $1) AND person = $2",
        ] {
            self.execute(delete, args![organization, person]).await?;
        }
        self.require_an_owner(organization).await?;
        let detail = json!({ "left": leaves, "before": { "roles": roles } });
        self.account_audit(
            actor,
            organization,
            "remove_member",
            "member",
            &person.public(),
            &detail,
        )
        .await?;
        Ok(())
    }
}

impl Catalog {
    /// The members of an organization, after one in the order of their ids.
    pub async fn members(
        &self,
        actor: &Actor,
        organization: OrganizationId,
        after: Option<PersonId>,
        limit: i64,
    ) -> Result<Vec<Member>, AccountError> {
        let select = "SELECT p.id, p.name, p.email, m.joined_at FROM account_members m \
                      JOIN account_people p ON p.id = m.person WHERE m.organization = $1 AND m.person > $2 \
                      ORDER BY m.person LIMIT $3";
        let after = after.map_or_else(String::new, |id| id.to_string());
        transaction!(self.store(), snapshot, |tx| async {
            let scope = Scope::Organization(organization);
            tx.require(actor, scope, Permission::ManageMembers).await?;
            let mut members = Vec::new();
            for row in tx
                .rows(select, args![organization, after.as_str(), limit])
                .await?
            {
                members.push(Member {
                    person: id_at(&row, 0)?,
                    name: text_at(&row, 1)?,
                    email: text_at(&row, 2)?,
                    joined_at: Timestamp(number_at(&row, 3)?),
                });
            }
            Ok::<_, TxError<AccountError>>(members)
        }
        .await)
    }

    /// Takes a person out of an organization, with all roles that it has there. Everybody may leave; the last owner may not.
    pub async fn remove_member(
        &self,
        actor: &Actor,
        organization: OrganizationId,
        person: PersonId,
        rehearsal: bool,
    ) -> Result<(), AccountError> {
        let outcome = transaction!(self.store(), write, |tx| async {
            tx.expel(actor, organization, person).await?;
            if rehearsal {
                tx.rehearse();
            }
            Ok::<_, TxError<AccountError>>(())
        }
        .await);
        let public = person.public();
        let denied = Denied {
            scope: Scope::Organization(organization),
            action: "remove_member",
            kind: "member",
            resource: &public,
        };
        self.finish_account(actor, denied, outcome).await
    }
}
