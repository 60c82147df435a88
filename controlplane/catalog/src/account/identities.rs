//! People who log in through a provider: who they are to it, and who they become.
//!
//! Anybody can have an organization and a provider of its own that says anything, so a provider's word counts for little:
//!
//! - It never logs in a person that was there before, unless the person, a member of the organization who is logged in by other means, has
//!   linked itself to the provider, with its password.
//! - It makes a person only of an address that the organization has invited. The person becomes a viewer of the organization, and the
//!   invitation is used up. The address is not proven by that: whoever proves it by mail, by a signup, a reset or another invitation,
//!   has the account, and what the provider opened ends.
//! - About an address that is neither invited nor a member's it is told nothing: it looks the same with an account and without.
//!
//! Providers of organizations that have proven to own a domain, by a DNS record, could be believed more; there is no such proof yet.

use firn_runtime::Timestamp;
use serde_json::json;

use super::AccountError;
use super::login_providers::{LoginProvider, UNKNOWN};
use super::people::{Person, acting_as};
use super::sessions::{NewSession, Session};
use crate::access::Role;
use crate::catalog::Catalog;
use crate::commands::Actor;
use crate::ids::{BindingId, OrganizationId, PersonId, SessionId};
use crate::sql::{Tx, TxError, args, id_at, transaction};

/// Whom a provider has authenticated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The provider's own id of the person, never reused.
    pub subject: String,
    /// The address, as `normalize_email` gives it.
    pub email: String,
    /// What the person is called.
    pub name: String,
    /// The login that asked for its person to be linked.
    pub linking: Option<Linking>,
}

/// The login of a person that wants to be linked to a provider. It must be live still when the provider answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Linking {
    /// Who.
    pub person: PersonId,
    /// By which session it is logged in.
    pub session: SessionId,
}

impl Tx {
    /// Makes a person a member, with a role in all of the organization. One that is a member stays as it is.
    pub(super) async fn join_as(
        &mut self,
        organization: OrganizationId,
        person: PersonId,
        role: Role,
        binding: BindingId,
        now: Timestamp,
    ) -> Result<bool, TxError<AccountError>> {
        let join = "INSERT INTO account_members (organization, person, joined_at) VALUES ($1, $2, $3) \
                    ON CONFLICT (organization, person) DO NOTHING";
        if self.execute(join, args![organization, person, now]).await? == 0 {
            return Ok(false);
        }
        let bind = "INSERT INTO account_bindings (id, organization, principal_kind, principal, scope_kind, scope, role, \
                    created_at, version) VALUES ($1, $2, 'person', $3, 'organization', $2, $4, $5, 1) \
                    ON CONFLICT (principal, scope) DO NOTHING";
        self.execute(bind, args![binding, organization, person, role.name(), now])
            .await?;
        Ok(true)
    }

    pub(super) async fn is_member(
        &mut self,
        organization: OrganizationId,
        person: PersonId,
    ) -> Result<bool, TxError<AccountError>> {
        let select = "SELECT 1 FROM account_members WHERE organization = $1 AND person = $2";
        Ok(self.row(select, args![organization, person]).await?.is_some())
    }

    /// Whether an address is a member's.
    pub(super) async fn has_member_with(
        &mut self,
        organization: OrganizationId,
        email: &str,
    ) -> Result<bool, TxError<AccountError>> {
        let select = "SELECT 1 FROM account_members m JOIN account_people p ON p.id = m.person \
                      WHERE m.organization = $1 AND p.email = $2";
        Ok(self.row(select, args![organization, email]).await?.is_some())
    }

    /// Who an identity is, if it is linked.
    async fn identified(
        &mut self,
        provider: &LoginProvider,
        identity: &Identity,
    ) -> Result<Option<PersonId>, TxError<AccountError>> {
        let select = "SELECT person FROM account_identities WHERE provider = $1 AND subject = $2";
        let known = args![provider.id, identity.subject.as_str()];
        let row = self.row(select, known).await?;
        Ok(row.as_ref().map(|row| id_at(row, 0)).transpose()?)
    }
}

fn protected(reason: &str) -> TxError<AccountError> {
    let reason = reason.to_owned();
    AccountError::Protected { reason }.into()
}

impl Catalog {
    /// Logs in whom a provider has authenticated. [`AccountError::Exists`]: an address that the organization knows has an account that is
    /// not linked; [`AccountError::Protected`]: the address is not invited, or the person is linked and no member any more, or linked to
    /// another account; [`AccountError::Gone`]: the login that asked for the link is over.
    pub async fn log_in_through(
        &self,
        actor: &Actor,
        provider: &LoginProvider,
        identity: &Identity,
        session: &NewSession,
    ) -> Result<(Person, Session), AccountError> {
        let now = self.env().now();
        let outcome = transaction!(self.store(), write, |tx| async {
            let person = self.identify(&mut tx, actor, provider, identity).await?;
            let session = tx.add_session(person.id, session, now).await?;
            let actor = acting_as(actor, person.id, Some(session.id));
            let detail = json!({ "login_provider": provider.id.public() });
            tx.tell_organizations(&actor, person.id, ("allowed", "log_in"), &detail)
                .await?;
            Ok::<_, TxError<AccountError>>((person, session))
        }
        .await);
        crate::metrics::command("log_in_through", outcome.is_ok());
        outcome
    }

    /// The person that an identity is or becomes.
    async fn identify(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        provider: &LoginProvider,
        identity: &Identity,
    ) -> Result<Person, TxError<AccountError>> {
        let organization = provider.organization;
        // Locks the provider, and sees that it is still what the login was begun with.
        let now_there = tx.login_provider(organization, provider.id).await?;
        if now_there.settings.issuer != provider.settings.issuer {
            return Err(UNKNOWN.into());
        }
        if let Some(linking) = identity.linking {
            // Locks the person, before anything of it is read.
            tx.login_of(linking.person).await?;
            tx.require_live_session(linking.session, linking.person).await?;
        }
        if let Some(person) = tx.identified(provider, identity).await? {
            let login = tx.login_of(person).await?;
            // A reset may have taken the link back before the person was locked.
            if tx.identified(provider, identity).await? != Some(person) {
                return Err(protected("this login is not linked any more: begin again"));
            }
            if identity.linking.is_some_and(|other| other.person != person) {
                return Err(protected("this login belongs to another account"));
            }
            if !tx.is_member(organization, person).await? {
                return Err(protected("you are no longer a member of this organization"));
            }
            return Ok(login.person);
        }
        let person = match identity.linking {
            Some(linking) if !tx.is_member(organization, linking.person).await? => {
                return Err(protected(
                    "only members of its organization can link themselves to this login provider",
                ));
            }
            Some(linking) => tx.login_of(linking.person).await?.person,
            None => self.newcomer(tx, organization, identity).await?,
        };
        self.link(tx, actor, provider, identity, &person).await?;
        Ok(person)
    }

    /// Makes the person of an address that is invited and has no account.
    async fn newcomer(
        &self,
        tx: &mut Tx,
        organization: OrganizationId,
        identity: &Identity,
    ) -> Result<Person, TxError<AccountError>> {
        let email = identity.email.as_str();
        let taken = || {
            let (what, name) = ("account", email.to_owned());
            AccountError::Exists { what, name }
        };
        let uninvited = || protected("ask the organization for an invitation: this address has none");
        if tx.has_member_with(organization, email).await? {
            return Err(taken().into());
        }
        let Some(invitation) = tx.live_invitation(organization, email).await? else {
            return Err(uninvited());
        };
        tx.lock_organization(organization).await?;
        tx.require_inviter(&invitation)
            .await
            .map_err(|error| match error {
                TxError::Refused(AccountError::Gone { .. }) => uninvited(),
                other => other,
            })?;
        if tx.login_of_email(email).await?.is_some() {
            return Err(taken().into());
        }
        tx.spend_invitation(invitation.id).await?;
        let person = Person {
            id: PersonId(self.env().random_u128()),
            email: identity.email.clone(),
            name: identity.name.clone(),
            verified_at: None,
            has_password: false,
            created_at: self.env().now(),
            version: 1,
        };
        tx.insert_person(&person, None).await?;
        Ok(person)
    }

    async fn link(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        provider: &LoginProvider,
        identity: &Identity,
        person: &Person,
    ) -> Result<(), TxError<AccountError>> {
        let (now, organization) = (self.env().now(), provider.organization);
        tx.require_room_for_a_link(person.id).await?;
        let insert =
            "INSERT INTO account_identities (provider, subject, person, linked_at) VALUES ($1, $2, $3, $4)";
        let values = args![provider.id, identity.subject.as_str(), person.id, now];
        tx.execute(insert, values).await?;
        if let Some(linking) = identity.linking {
            let actor = acting_as(actor, person.id, Some(linking.session));
            let detail = json!({ "login_provider": provider.id.public() });
            tx.tell_organizations(&actor, person.id, ("allowed", "link_login"), &detail)
                .await?;
        }
        let binding = BindingId(self.env().random_u128());
        if tx
            .join_as(organization, person.id, Role::Viewer, binding, now)
            .await?
        {
            let actor = acting_as(actor, person.id, None);
            let detail = json!({ "login_provider": provider.id.public(), "role": Role::Viewer.name() });
            tx.account_audit(
                &actor,
                organization,
                "join_organization",
                "person",
                &person.id.public(),
                &detail,
            )
            .await?;
        }
        Ok(())
    }
}
