//! People who log in through a provider: who they are to it, and who they become.
//!
//! A provider's word counts for its organization only: it never logs in a person that was there before, unless the person, a member of
//! the organization who is logged in by other means, has linked itself to the provider. A new person that a provider brings becomes
//! a viewer of the organization.

use firn_runtime::Timestamp;
use serde_json::json;

use super::AccountError;
use super::login_providers::{LoginProvider, UNKNOWN};
use super::people::{Person, acting_as};
use super::sessions::{NewSession, Session};
use crate::access::Role;
use crate::catalog::Catalog;
use crate::commands::Actor;
use crate::ids::{BindingId, OrganizationId, PersonId};
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
    /// The person that is logged in already and asked to be linked.
    pub linking: Option<PersonId>,
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
}

impl Catalog {
    /// Logs in whom a provider has authenticated. [`AccountError::Exists`]: the address has an account that is not linked;
    /// [`AccountError::Protected`]: the person is linked and no member any more, or linked to another account.
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
        let linked = "SELECT person FROM account_identities WHERE provider = $1 AND subject = $2";
        let known = args![provider.id, identity.subject.as_str()];
        if let Some(row) = tx.row(linked, known).await? {
            let person: PersonId = id_at(&row, 0)?;
            if identity.linking.is_some_and(|other| other != person) {
                let reason = "this login belongs to another account".to_owned();
                return Err(AccountError::Protected { reason }.into());
            }
            if !tx.is_member(organization, person).await? {
                let reason = "you are no longer a member of this organization".to_owned();
                return Err(AccountError::Protected { reason }.into());
            }
            return Ok(tx.login_of(person).await?.person);
        }
        let person = match identity.linking {
            Some(person) if !tx.is_member(organization, person).await? => {
                let reason = "only members of its organization can link themselves to this login provider";
                let reason = reason.to_owned();
                return Err(AccountError::Protected { reason }.into());
            }
            Some(person) => tx.login_of(person).await?.person,
            None => self.newcomer(tx, identity).await?,
        };
        self.link(tx, actor, provider, identity, &person).await?;
        Ok(person)
    }

    /// Makes the person of an address that has no account.
    async fn newcomer(&self, tx: &mut Tx, identity: &Identity) -> Result<Person, TxError<AccountError>> {
        if tx.login_of_email(&identity.email).await?.is_some() {
            let (what, name) = ("account", identity.email.clone());
            return Err(AccountError::Exists { what, name }.into());
        }
        let now = self.env().now();
        let person = Person {
            id: PersonId(self.env().random_u128()),
            email: identity.email.clone(),
            name: identity.name.clone(),
            verified_at: Some(now),
            has_password: false,
            created_at: now,
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
        let insert =
            "INSERT INTO account_identities (provider, subject, person, linked_at) VALUES ($1, $2, $3, $4)";
        let values = args![provider.id, identity.subject.as_str(), person.id, now];
        tx.execute(insert, values).await?;
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
