//! The ways into a person's account through login providers: what is linked to it, and taking a link back.
//!
//! A link is a way in while the person is a member of the provider's organization: only such links are listed, can be taken back, and
//! count when the last way in is guarded.

use firn_runtime::Timestamp;
use ring::digest::{Context, SHA256};
use serde_json::json;
use sqlx::any::AnyRow;

use super::AccountError;
use super::people::person_of;
use crate::catalog::Catalog;
use crate::cell::CatalogError;
use crate::commands::Actor;
use crate::ids::{LinkedLoginId, LoginProviderId, OrganizationId, PersonId};
use crate::sql::{Tx, TxError, args, id_at, number_at, text_at, transaction};

/// How many identities are linked to a person at most.
pub const MAX_LINKED_LOGINS: i64 = 100;

/// An identity at a login provider that logs in to a person's account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkedLogin {
    /// Its id: made of the provider's and of the subject.
    pub id: LinkedLoginId,
    /// The provider.
    pub provider: LoginProviderId,
    /// The provider's name.
    pub provider_name: String,
    /// Whose provider it is.
    pub organization: OrganizationId,
    /// The organization's title.
    pub organization_title: String,
    /// Since when it is linked.
    pub linked_at: Timestamp,
}

/// A link, and who the person is to the provider.
struct Link {
    login: LinkedLogin,
    subject: String,
}

fn login_id(provider: LoginProviderId, subject: &str) -> LinkedLoginId {
    let mut digest = Context::new(&SHA256);
    digest.update(&provider.0.to_be_bytes());
    digest.update(subject.as_bytes());
    let mut id = [0; 16];
    id.copy_from_slice(&digest.finish().as_ref()[..16]);
    LinkedLoginId(u128::from_be_bytes(id))
}

fn link_at(row: &AnyRow) -> Result<Link, CatalogError> {
    let (provider, subject) = (id_at(row, 0)?, text_at(row, 1)?);
    let login = LinkedLogin {
        id: login_id(provider, &subject),
        provider,
        provider_name: text_at(row, 2)?,
        organization: id_at(row, 3)?,
        organization_title: text_at(row, 4)?,
        linked_at: Timestamp(number_at(row, 5)?),
    };
    Ok(Link { login, subject })
}

impl Tx {
    /// The links that log a person in, the oldest first; `visible` is a condition more.
    async fn links(&mut self, person: PersonId, visible: &str) -> Result<Vec<Link>, TxError<AccountError>> {
        let select = format!(
            "SELECT i.provider, i.subject, p.name, o.id, o.title, i.linked_at FROM account_identities i \
             JOIN account_login_providers p ON p.id = i.provider \
             JOIN account_organizations o ON o.id = p.organization AND o.deleted_at IS NULL \
             JOIN account_members m ON m.organization = o.id AND m.person = i.person \
             WHERE i.person = $1{visible} ORDER BY i.linked_at, i.provider, i.subject"
        );
        let rows = self.rows(&select, args![person]).await?;
        let links: Result<Vec<_>, _> = rows.iter().map(link_at).collect();
        Ok(links?)
    }

    /// Refuses one link more than a person may have.
    pub(super) async fn require_room_for_a_link(
        &mut self,
        person: PersonId,
    ) -> Result<(), TxError<AccountError>> {
        let count = "SELECT count(*) FROM account_identities WHERE person = $1";
        let there: i64 = match self.row(count, args![person]).await? {
            Some(row) => number_at(&row, 0)?,
            None => 0,
        };
        if there >= MAX_LINKED_LOGINS {
            let (which, limit) = ("linked logins", MAX_LINKED_LOGINS);
            return Err(AccountError::LimitExceeded { which, limit }.into());
        }
        Ok(())
    }

    async fn unlink(
        &mut self,
        actor: &Actor,
        person: PersonId,
        id: LinkedLoginId,
    ) -> Result<LinkedLogin, TxError<AccountError>> {
        // Locks the person: of two links that are taken back at once, one sees that it is the last.
        let has_password = self.login_of(person).await?.password.is_some();
        let links = self.links(person, "").await?;
        let others = links.iter().any(|link| link.login.id != id);
        let Some(link) = links.into_iter().find(|link| link.login.id == id) else {
            return Err(AccountError::NotFound { what: "linked login" }.into());
        };
        if !has_password && !others {
            let reason = "it is your last way to log in: choose a password first".to_owned();
            return Err(AccountError::Protected { reason }.into());
        }
        let delete = "DELETE FROM account_identities WHERE provider = $1 AND subject = $2 AND person = $3";
        self.execute(delete, args![link.login.provider, link.subject.as_str(), person])
            .await?;
        let detail = json!({ "login": id.public(), "login_provider": link.login.provider.public() });
        self.tell_organizations(actor, person, ("allowed", "unlink_login"), &detail)
            .await?;
        Ok(link.login)
    }
}

impl Catalog {
    /// What logs in to the actor's account through login providers of organizations that are reached from where it is, the oldest
    /// first: at most [`MAX_LINKED_LOGINS`].
    pub async fn linked_logins(&self, actor: &Actor) -> Result<Vec<LinkedLogin>, AccountError> {
        let person = person_of(actor)?;
        transaction!(self.store(), snapshot, |tx| async {
            let visible = tx.visible_from(actor, "o.id").await?;
            let links = tx.links(person, &visible).await?.into_iter();
            Ok::<_, TxError<AccountError>>(links.map(|link| link.login).collect::<Vec<_>>())
        }
        .await)
    }

    /// Takes one of the actor's links back; sessions that it opened go on. [`AccountError::Protected`]: nothing else would log the
    /// actor in.
    pub async fn unlink_login(
        &self,
        actor: &Actor,
        id: LinkedLoginId,
        rehearsal: bool,
    ) -> Result<LinkedLogin, AccountError> {
        let person = person_of(actor)?;
        let outcome = transaction!(self.store(), write, |tx| async {
            let unlinked = tx.unlink(actor, person, id).await?;
            if rehearsal {
                tx.rehearse();
            }
            Ok::<_, TxError<AccountError>>(unlinked)
        }
        .await);
        crate::metrics::command("unlink_login", outcome.is_ok());
        outcome
    }
}
