//! Invitations into an organization: a token is mailed, and whoever brings it back with that address becomes a member.
//!
//! An invitation is worth what its inviter may do when it is accepted: whoever has left, or may not give that role any more, has invited
//! nobody. Of a token only a keyed digest is stored. Inviting an address again replaces the invitation; its old token is worth nothing.

use firn_runtime::Timestamp;
use serde_json::json;
use sqlx::any::AnyRow;

use super::people::acting_as;
use super::{AccountError, Denied, PasswordHash, Person};
use crate::access::{Permission, Role, Scope};
use crate::catalog::Catalog;
use crate::cell::CatalogError;
use crate::commands::{Actor, Principal};
use crate::ids::{BindingId, InvitationId, OrganizationId, PersonId, ServiceAccountId};
use crate::sql::{Tx, TxError, args, id_at, number_at, text_at, transaction};

/// How many invitations an organization may have under way.
pub const MAX_INVITATIONS: i64 = 200;

const KIND: &str = "invitation";

/// An invitation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// Its id.
    pub id: InvitationId,
    /// Into which organization.
    pub organization: OrganizationId,
    /// The address, trimmed and in lower case.
    pub email: String,
    /// The role in all of the organization that comes with it.
    pub role: Role,
    /// Who invited, as Kafka writes principals.
    pub invited_by: String,
    /// When.
    pub created_at: Timestamp,
    /// Until when its token is good.
    pub expires_at: Timestamp,
}

/// An invitation that is to be made.
#[derive(Clone, Debug)]
pub struct NewInvitation {
    /// Into which organization.
    pub organization: OrganizationId,
    /// The address, as [`super::normalize_email`] gives it.
    pub email: String,
    /// The role that comes with it.
    pub role: Role,
    /// The keyed digest of the token.
    pub token: String,
    /// Until when it is good.
    pub expires_at: Timestamp,
}

/// Who accepts an invitation.
#[derive(Clone, Debug)]
pub enum Accepting {
    /// The person that is logged in.
    Known(PersonId),
    /// Somebody who has no account yet.
    New {
        /// What the person is called.
        name: String,
        /// The password's hash.
        password: PasswordHash,
    },
}

/// What became of an accepted invitation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
    /// The organization.
    pub organization: OrganizationId,
    /// What people call it.
    pub title: String,
    /// The person who is a member now.
    pub person: PersonId,
    /// The role that it has.
    pub role: Role,
}

const COLUMNS: &str = "id, organization, email, role, invited_by, created_at, expires_at";

/// Whom an invitation's row names as its inviter.
fn inviter(text: &str) -> Option<Principal> {
    let id = text.strip_prefix("User:")?;
    let person = PersonId::from_public(id).map(Principal::Person);
    person
        .or_else(|_| ServiceAccountId::from_public(id).map(Principal::ServiceAccount))
        .ok()
}

fn invitation_at(row: &AnyRow) -> Result<Invitation, CatalogError> {
    let role = text_at(row, 3)?;
    Ok(Invitation {
        id: id_at(row, 0)?,
        organization: id_at(row, 1)?,
        email: text_at(row, 2)?,
        role: role
            .parse()
            .map_err(|_| CatalogError::Corrupt("an invitation's role is unknown".to_owned()))?,
        invited_by: text_at(row, 4)?,
        created_at: Timestamp(number_at(row, 5)?),
        expires_at: Timestamp(number_at(row, 6)?),
    })
}

impl Tx {
    async fn invite(
        &mut self,
        actor: &Actor,
        new: &NewInvitation,
    ) -> Result<(Invitation, String), TxError<AccountError>> {
        let organization = new.organization;
        let scope = Scope::Organization(organization);
        self.require_power_to_bind(actor, organization, scope, new.role)
            .await?;
        let title = self.lock_organization(organization).await?.title;
        if self.has_member_with(organization, &new.email).await? {
            let (what, name) = ("member", new.email.clone());
            return Err(AccountError::Exists { what, name }.into());
        }
        let now = self.env().now();
        let replaced =
            "DELETE FROM account_invitations WHERE organization = $1 AND (email = $2 OR expires_at <= $3)";
        self.execute(replaced, args![organization, new.email.as_str(), now])
            .await?;
        let count = "SELECT COUNT(*) FROM account_invitations WHERE organization = $1";
        if self.count_of(count, args![organization]).await? >= MAX_INVITATIONS {
            let (which, limit) = ("invitations under way in an organization", MAX_INVITATIONS);
            return Err(AccountError::LimitExceeded { which, limit }.into());
        }
        let invitation = Invitation {
            id: InvitationId(self.env().random_u128()),
            organization,
            email: new.email.clone(),
            role: new.role,
            invited_by: actor.principal.to_string(),
            created_at: now,
            expires_at: new.expires_at,
        };
        let insert = format!(
            "INSERT INTO account_invitations ({COLUMNS}, token) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
        );
        let values = args![
            invitation.id,
            organization,
            invitation.email.as_str(),
            invitation.role.name(),
            invitation.invited_by.as_str(),
            now,
            invitation.expires_at,
            new.token.as_str(),
        ];
        self.execute(&insert, values).await?;
        let detail = json!({ "email": invitation.email, "role": invitation.role });
        self.account_audit(
            actor,
            organization,
            "create_invitation",
            KIND,
            &invitation.id.public(),
            &detail,
        )
        .await?;
        Ok((invitation, title))
    }

    async fn revoke(
        &mut self,
        actor: &Actor,
        organization: OrganizationId,
        id: InvitationId,
    ) -> Result<(), TxError<AccountError>> {
        let scope = Scope::Organization(organization);
        self.require(actor, scope, Permission::ManageMembers).await?;
        let delete =
            "DELETE FROM account_invitations WHERE organization = $1 AND id = $2 RETURNING email, role";
        let Some(row) = self.row(delete, args![organization, id]).await? else {
            return Err(AccountError::NotFound { what: KIND }.into());
        };
        let detail = json!({ "email": text_at(&row, 0)?, "role": text_at(&row, 1)? });
        self.account_audit(
            actor,
            organization,
            "revoke_invitation",
            KIND,
            &id.public(),
            &detail,
        )
        .await?;
        Ok(())
    }

    async fn accept(
        &mut self,
        actor: &Actor,
        token: &str,
        accepting: &Accepting,
    ) -> Result<Joined, TxError<AccountError>> {
        let now = self.env().now();
        let select = format!("SELECT {COLUMNS} FROM account_invitations WHERE token = $1 FOR UPDATE");
        let missing = AccountError::Gone { what: KIND };
        let row = self.row(&select, args![token]).await?;
        let invitation = invitation_at(&row.ok_or(missing.clone())?)?;
        if invitation.expires_at <= now {
            return Err(missing.into());
        }
        let person = match accepting {
            Accepting::Known(person) => self.invited_person(&invitation, *person).await?,
            Accepting::New { name, password } => self.newcomer(&invitation, name, password, now).await?,
        };
        let organization = invitation.organization;
        self.spend_invitation(invitation.id).await?;
        let title = self.lock_organization(organization).await?.title;
        self.require_inviter(&invitation).await?;
        let binding = BindingId(self.env().random_u128());
        self.join_as(organization, person, invitation.role, binding, now)
            .await?;
        let actor = match accepting {
            Accepting::Known(_) => actor.clone(),
            Accepting::New { .. } => acting_as(actor, person, None),
        };
        let detail = json!({ "invitation": invitation.id.public(), "role": invitation.role });
        self.account_audit(
            &actor,
            organization,
            "join_organization",
            "person",
            &person.public(),
            &detail,
        )
        .await?;
        let role = invitation.role;
        Ok(Joined {
            organization,
            title,
            person,
            role,
        })
    }

    /// Refuses an invitation whose inviter may not give its role any more. Asked under the organization's lock, which everything
    /// that takes a role away holds.
    pub(super) async fn require_inviter(
        &mut self,
        invitation: &Invitation,
    ) -> Result<(), TxError<AccountError>> {
        let gone = || AccountError::Gone { what: KIND };
        let principal = inviter(&invitation.invited_by).ok_or_else(gone)?;
        // Where the inviter is now is nobody's business.
        let scope = Scope::Organization(invitation.organization);
        let roles = self.roles_of(&principal, scope).await?;
        match roles.allow(Permission::ManageMembers) && roles.covers(invitation.role) {
            true => Ok(()),
            false => Err(gone().into()),
        }
    }

    /// The invitation of an address into an organization that can still be accepted, locked.
    pub(super) async fn live_invitation(
        &mut self,
        organization: OrganizationId,
        email: &str,
    ) -> Result<Option<Invitation>, TxError<AccountError>> {
        let select = format!(
            "SELECT {COLUMNS} FROM account_invitations WHERE organization = $1 AND email = $2 AND expires_at > $3 \
             FOR UPDATE"
        );
        let now = self.env().now();
        let row = self.row(&select, args![organization, email, now]).await?;
        Ok(row.as_ref().map(invitation_at).transpose()?)
    }

    /// Uses an invitation up.
    pub(super) async fn spend_invitation(&mut self, id: InvitationId) -> Result<(), TxError<AccountError>> {
        self.execute("DELETE FROM account_invitations WHERE id = $1", args![id])
            .await?;
        Ok(())
    }

    /// The logged-in person, if the invitation is for its address.
    async fn invited_person(
        &mut self,
        invitation: &Invitation,
        person: PersonId,
    ) -> Result<PersonId, TxError<AccountError>> {
        let person = self.login_of(person).await?.person;
        if person.email == invitation.email {
            return Ok(person.id);
        }
        let reason = "the invitation is for another email address than yours".to_owned();
        Err(AccountError::Protected { reason }.into())
    }

    /// Makes the person of an address that has no account; the token has proven the address.
    async fn newcomer(
        &mut self,
        invitation: &Invitation,
        name: &str,
        password: &PasswordHash,
        now: Timestamp,
    ) -> Result<PersonId, TxError<AccountError>> {
        let name = super::people::person_name(name)?.to_owned();
        let known = self
            .login_of_email(&invitation.email)
            .await?
            .map(|login| login.person);
        if let Some(known) = known {
            if known.verified_at.is_some() {
                let reason = "this address has an account: log in, and accept with that".to_owned();
                return Err(AccountError::Protected { reason }.into());
            }
            // A signup that nobody has proven: what it chose counts for nothing.
            let prove = "UPDATE account_people SET name = $2, password = $3, verified_at = $4, version = version + 1 \
                         WHERE id = $1";
            let values = args![known.id, name, password.0.as_str(), now];
            self.execute(prove, values).await?;
            self.proven(known.id).await?;
            return Ok(known.id);
        }
        let person = Person {
            id: PersonId(self.env().random_u128()),
            email: invitation.email.clone(),
            name,
            verified_at: Some(now),
            has_password: true,
            created_at: now,
            version: 1,
        };
        self.insert_person(&person, Some(password)).await?;
        Ok(person.id)
    }
}

impl Catalog {
    /// Invites an address; the invitation, and what people call the organization. No word about whether the address has an account.
    pub async fn create_invitation(
        &self,
        actor: &Actor,
        new: &NewInvitation,
        rehearsal: bool,
    ) -> Result<(Invitation, String), AccountError> {
        let outcome = transaction!(self.store(), write, |tx| async {
            let invited = tx.invite(actor, new).await?;
            if rehearsal {
                tx.rehearse();
            }
            Ok::<_, TxError<AccountError>>(invited)
        }
        .await);
        let denied = denied(new.organization, "create_invitation", &new.email);
        self.finish_account(actor, denied, outcome).await
    }

    /// The invitations that can still be accepted, after one in the order of their ids.
    pub async fn invitations(
        &self,
        actor: &Actor,
        organization: OrganizationId,
        after: Option<InvitationId>,
        limit: i64,
    ) -> Result<Vec<Invitation>, AccountError> {
        let select = format!(
            "SELECT {COLUMNS} FROM account_invitations WHERE organization = $1 AND id > $2 AND expires_at > $3 \
             ORDER BY id LIMIT $4"
        );
        let after = after.map_or_else(String::new, |id| id.to_string());
        let now = self.env().now();
        transaction!(self.store(), snapshot, |tx| async {
            let scope = Scope::Organization(organization);
            tx.require(actor, scope, Permission::ManageMembers).await?;
            let rows = tx
                .rows(&select, args![organization, after.as_str(), now, limit])
                .await?;
            let invitations: Result<Vec<_>, CatalogError> = rows.iter().map(invitation_at).collect();
            Ok::<_, TxError<AccountError>>(invitations?)
        }
        .await)
    }

    /// Takes an invitation back: its token is worth nothing any more.
    pub async fn revoke_invitation(
        &self,
        actor: &Actor,
        organization: OrganizationId,
        id: InvitationId,
        rehearsal: bool,
    ) -> Result<(), AccountError> {
        let outcome = transaction!(self.store(), write, |tx| async {
            tx.revoke(actor, organization, id).await?;
            if rehearsal {
                tx.rehearse();
            }
            Ok::<_, TxError<AccountError>>(())
        }
        .await);
        let public = id.public();
        self.finish_account(actor, denied(organization, "revoke_invitation", &public), outcome)
            .await
    }

    /// Takes a token back, as a keyed digest: whoever brings it becomes a member. Unknown, used, revoked and expired look the same.
    pub async fn accept_invitation(
        &self,
        actor: &Actor,
        token: &str,
        accepting: &Accepting,
        rehearsal: bool,
    ) -> Result<Joined, AccountError> {
        let outcome = transaction!(self.store(), write, |tx| async {
            let joined = tx.accept(actor, token, accepting).await?;
            if rehearsal {
                tx.rehearse();
            }
            Ok::<_, TxError<AccountError>>(joined)
        }
        .await);
        crate::metrics::command("accept_invitation", outcome.is_ok());
        outcome
    }

    /// The address that a live invitation is for, as a password is checked against it.
    pub async fn invited_address(&self, token: &str) -> Result<String, AccountError> {
        let select = "SELECT email FROM account_invitations WHERE token = $1 AND expires_at > $2";
        let now = self.env().now();
        transaction!(self.store(), snapshot, |tx| async {
            match tx.row(select, args![token, now]).await? {
                Some(row) => Ok::<_, TxError<AccountError>>(text_at(&row, 0)?),
                None => Err(AccountError::Gone { what: KIND }.into()),
            }
        }
        .await)
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
