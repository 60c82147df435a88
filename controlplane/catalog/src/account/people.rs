//! People: who signs up, whose address is proven, what they are called.
//!
//! A signup makes the person, an organization that it owns, and a project. Until a token that was mailed comes back the person is
//! unverified: it is there and has no password. A repeated signup of such an address changes nothing of it and adds a token of its
//! own. Each token carries the password of its signup, and whoever brings the token back must know that password: it is the
//! person's from then on. So nobody chooses the password of an address that is not theirs by signing up with it first, or last:
//! the owner of the mailbox does not know a stranger's password, and the stranger has no token.
//!
//! Who reads the mail owns the account: the first proof ends every session and every login through a provider that was there before.

use std::fmt;

use firn_runtime::Timestamp;
use serde_json::{Value, json};
use sqlx::any::AnyRow;

use super::one_time::{Kind, OneTime};
use super::sessions::{NewSession, Session};
use super::{AccountError, NewOrganization};
use crate::catalog::Catalog;
use crate::cell::CatalogError;
use crate::commands::{Actor, Principal};
use crate::ids::{OrganizationId, PersonId, SessionId};
use crate::sql::{
    Tx, TxError, args, id_at, number_at, optional_number_at, optional_text_at, text_at, transaction,
};

/// The longest email address, in bytes (RFC 5321).
pub const MAX_EMAIL_BYTES: usize = 254;
/// The longest name of a person, in characters.
pub const MAX_PERSON_NAME: usize = 100;

/// A person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Its id.
    pub id: PersonId,
    /// Its address, trimmed and in lower case; unique.
    pub email: String,
    /// What it is called.
    pub name: String,
    /// Since when the address is proven.
    pub verified_at: Option<Timestamp>,
    /// Whether it has a password, or logs in through a provider only.
    pub has_password: bool,
    /// When it signed up.
    pub created_at: Timestamp,
    /// Counts changes of the name.
    pub version: i64,
}

/// The hash of a password, as a PHC string. Its debug form says nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(pub String);

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(..)")
    }
}

/// A person, and the hash that its password is checked against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// Who.
    pub person: Person,
    /// `None`: no password logs this person in.
    pub password: Option<PasswordHash>,
}

/// Somebody signs up.
#[derive(Clone, Debug)]
pub struct SignUp {
    /// The address, as [`normalize_email`] gives it.
    pub email: String,
    /// The person's name.
    pub name: String,
    /// The password's hash.
    pub password: PasswordHash,
    /// The title of the organization.
    pub organization: String,
    /// What the mail says.
    pub token: OneTime,
}

/// What became of a signup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignedUp {
    /// The address waits for its token; it may have signed up before.
    Unverified(Person),
    /// The address has an account, of which nothing has changed.
    Known(Person),
}

/// The address trimmed and in lower case, if it can be one.
pub fn normalize_email(text: &str) -> Option<String> {
    let email = text.trim().to_lowercase();
    let (local, domain) = email.rsplit_once('@')?;
    let plain = |text: &str| {
        text.chars()
            .all(|c| !c.is_whitespace() && !c.is_control() && !"<>()[]\\,;:\"@".contains(c))
    };
    let labels = domain.split('.').all(|label| {
        !label.is_empty() && label.len() <= 63 && !label.starts_with('-') && !label.ends_with('-')
    });
    let dots = !local.starts_with('.') && !local.ends_with('.') && !local.contains("..");
    let lengths = email.len() <= MAX_EMAIL_BYTES && (1..=64).contains(&local.len()) && !domain.is_empty();
    (lengths && labels && dots && plain(local) && plain(domain)).then_some(email)
}

/// The actor as this person: of a request that had to show something else than a session.
pub(super) fn acting_as(actor: &Actor, person: PersonId, session: Option<SessionId>) -> Actor {
    let principal = Principal::Person(person);
    let credential = session.map(crate::commands::CredentialId::Session);
    Actor {
        principal,
        credential,
        ..actor.clone()
    }
}

/// The person that an actor is; the process and programs have no account of their own.
pub(super) fn person_of(actor: &Actor) -> Result<PersonId, AccountError> {
    match actor.principal {
        Principal::Person(id) => Ok(id),
        _ => Err(AccountError::NotFound { what: "person" }),
    }
}

pub(super) fn person_name(name: &str) -> Result<&str, AccountError> {
    let name = name.trim();
    let fits =
        !name.is_empty() && name.chars().count() <= MAX_PERSON_NAME && !name.chars().any(char::is_control);
    fits.then_some(name).ok_or_else(|| AccountError::Invalid {
        pointer: "/name",
        reason: format!("it must have 1 to {MAX_PERSON_NAME} characters, none of them a control character"),
    })
}

const COLUMNS: &str = "p.id, p.email, p.name, p.verified_at, p.created_at, p.version, p.password";
/// How many columns of a row a person takes.
pub(super) const PERSON_COLUMNS: usize = 7;

/// The columns of a person, of the table `account_people p`.
pub(super) fn person_columns() -> &'static str {
    COLUMNS
}

/// The person whose columns are the first of the row.
pub(super) fn login_at(row: &AnyRow) -> Result<Login, CatalogError> {
    let password = optional_text_at(row, 6)?.map(PasswordHash);
    let person = Person {
        id: id_at(row, 0)?,
        email: text_at(row, 1)?,
        name: text_at(row, 2)?,
        verified_at: optional_number_at(row, 3)?.map(Timestamp),
        created_at: Timestamp(number_at(row, 4)?),
        version: number_at(row, 5)?,
        has_password: password.is_some(),
    };
    Ok(Login { person, password })
}

impl Tx {
    /// The person with this address; its row is locked if the transaction writes.
    pub(super) async fn login_of_email(
        &mut self,
        email: &str,
    ) -> Result<Option<Login>, TxError<AccountError>> {
        let select = format!("SELECT {COLUMNS} FROM account_people p WHERE p.email = $1 FOR UPDATE");
        let row = self.row(&select, args![email]).await?;
        Ok(row.as_ref().map(login_at).transpose()?)
    }

    /// The person with this id, locked.
    pub(super) async fn login_of(&mut self, person: PersonId) -> Result<Login, TxError<AccountError>> {
        let select = format!("SELECT {COLUMNS} FROM account_people p WHERE p.id = $1 FOR UPDATE");
        match self.row(&select, args![person]).await? {
            Some(row) => Ok(login_at(&row)?),
            None => Err(AccountError::NotFound { what: "person" }.into()),
        }
    }

    /// Stores a person that was not there.
    pub(super) async fn insert_person(
        &mut self,
        person: &Person,
        password: Option<&PasswordHash>,
    ) -> Result<(), TxError<AccountError>> {
        let insert = "INSERT INTO account_people (id, email, name, password, verified_at, created_at, version) \
                      VALUES ($1, $2, $3, $4, $5, $6, $7)";
        let values = args![
            person.id,
            person.email.as_str(),
            person.name.as_str(),
            password.map(|password| password.0.clone()),
            person.verified_at.map(|at| at.0),
            person.created_at,
            person.version,
        ];
        self.execute(insert, values).await?;
        Ok(())
    }

    /// Tells every organization of a person what the person did, or what was tried in its name.
    pub(super) async fn tell_organizations(
        &mut self,
        actor: &Actor,
        person: PersonId,
        (decision, action): (&'static str, &'static str),
        detail: &Value,
    ) -> Result<(), TxError<AccountError>> {
        let select = "SELECT organization FROM account_members WHERE person = $1 ORDER BY organization";
        for row in self.rows(select, args![person]).await? {
            let organization: OrganizationId = id_at(&row, 0)?;
            let what = ("person", &*person.public());
            self.audit_decision(actor, organization, (decision, action), what, detail)
                .await?;
        }
        Ok(())
    }

    /// Once an address is proven, nothing else that was there for it is worth anything: no token, no session, no way in through a
    /// provider.
    pub(super) async fn proven(&mut self, person: PersonId) -> Result<(), TxError<AccountError>> {
        for delete in [
            "DELETE FROM account_one_time WHERE person = $1",
            "DELETE FROM account_sessions WHERE person = $1",
            "DELETE FROM account_identities WHERE person = $1",
        ] {
            self.execute(delete, args![person]).await?;
        }
        Ok(())
    }
}

impl Catalog {
    /// Makes an unverified person with an organization and a project; one that is there stays as it is. One that is unverified has a
    /// token more.
    pub async fn sign_up(&self, actor: &Actor, command: &SignUp) -> Result<SignedUp, AccountError> {
        let outcome = transaction!(self.store(), write, |tx| {
            self.sign_up_in(&mut tx, actor, command).await
        });
        crate::metrics::command("sign_up", outcome.is_ok());
        outcome
    }

    async fn sign_up_in(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        command: &SignUp,
    ) -> Result<SignedUp, TxError<AccountError>> {
        let name = person_name(&command.name)?;
        let now = self.env().now();
        let person = match tx.login_of_email(&command.email).await? {
            Some(known) if known.person.verified_at.is_some() => return Ok(SignedUp::Known(known.person)),
            Some(known) => known.person,
            None => {
                let person = Person {
                    id: PersonId(self.env().random_u128()),
                    email: command.email.clone(),
                    name: name.to_owned(),
                    verified_at: None,
                    has_password: false,
                    created_at: now,
                    version: 1,
                };
                tx.insert_person(&person, None).await?;
                let actor = acting_as(actor, person.id, None);
                let organization = NewOrganization {
                    title: command.organization.clone(),
                    owner: person.id,
                };
                tx.create_organization(&actor, &organization).await?;
                person
            }
        };
        let password = Some(&command.password);
        tx.add_one_time(Kind::Verify, person.id, &command.token, password, now)
            .await?;
        Ok(SignedUp::Unverified(person))
    }

    /// Adds a token for an address that waits for its proof, with the password of its latest signup; `None`: no such address waits.
    pub async fn renew_verification(
        &self,
        email: &str,
        token: &OneTime,
    ) -> Result<Option<Person>, AccountError> {
        let now = self.env().now();
        transaction!(self.store(), write, |tx| async {
            let Some(login) = tx.login_of_email(email).await? else {
                return Ok(None);
            };
            if login.person.verified_at.is_some() {
                return Ok(None);
            }
            let person = login.person;
            let Some(password) = tx.latest_password(person.id).await? else {
                return Ok(None);
            };
            tx.add_one_time(Kind::Verify, person.id, token, Some(&password), now)
                .await?;
            Ok::<_, TxError<AccountError>>(Some(person))
        }
        .await)
    }

    /// Takes a token back, which proves the address, and logs its person in. Whoever asks for this has checked that who brings the
    /// token knows the password that it carries: see [`Catalog::waiting_for_proof`].
    pub async fn verify(
        &self,
        actor: &Actor,
        token: &str,
        session: &NewSession,
    ) -> Result<(Person, Session), AccountError> {
        let outcome = transaction!(self.store(), write, |tx| {
            self.verify_in(&mut tx, actor, token, session).await
        });
        crate::metrics::command("verify", outcome.is_ok());
        outcome
    }

    async fn verify_in(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        token: &str,
        session: &NewSession,
    ) -> Result<(Person, Session), TxError<AccountError>> {
        let now = self.env().now();
        let (id, password) = tx.take_one_time(Kind::Verify, token, now).await?;
        let mut person = tx.login_of(id).await?.person;
        if person.verified_at.is_some() {
            return Err(AccountError::Gone { what: "token" }.into());
        }
        let update = "UPDATE account_people SET verified_at = $2, password = $3 WHERE id = $1";
        tx.proven(id).await?;
        person.has_password = password.is_some();
        tx.execute(update, args![id, now, password.map(|password| password.0)])
            .await?;
        person.verified_at = Some(now);
        let actor = acting_as(actor, id, Some(session.id));
        tx.tell_organizations(&actor, id, ("allowed", "verify_email"), &Value::Null)
            .await?;
        let session = tx.add_session(id, session, now).await?;
        Ok((person, session))
    }

    /// The person with this address and its password's hash.
    pub async fn person_by_email(&self, email: &str) -> Result<Option<Login>, AccountError> {
        let select = format!("SELECT {COLUMNS} FROM account_people p WHERE p.email = $1");
        transaction!(self.store(), snapshot, |tx| async {
            let row = tx.row(&select, args![email]).await?;
            Ok::<_, TxError<AccountError>>(row.as_ref().map(login_at).transpose()?)
        }
        .await)
    }

    /// The actor's own account.
    pub async fn me(&self, actor: &Actor) -> Result<Login, AccountError> {
        let id = person_of(actor)?;
        let select = format!("SELECT {COLUMNS} FROM account_people p WHERE p.id = $1");
        transaction!(self.store(), snapshot, |tx| async {
            match tx.row(&select, args![id]).await? {
                Some(row) => Ok::<_, TxError<AccountError>>(login_at(&row)?),
                None => Err(AccountError::NotFound { what: "person" }.into()),
            }
        }
        .await)
    }

    /// Renames the actor.
    pub async fn update_me(
        &self,
        actor: &Actor,
        name: &str,
        expected: Option<i64>,
        rehearsal: bool,
    ) -> Result<Person, AccountError> {
        let id = person_of(actor)?;
        let name = person_name(name)?;
        let outcome = transaction!(self.store(), write, |tx| async {
            let mut person = tx.login_of(id).await?.person;
            if expected.is_some_and(|expected| expected != person.version) {
                let current = person.version;
                return Err(AccountError::VersionMismatch { current }.into());
            }
            let update = "UPDATE account_people SET name = $2, version = version + 1 WHERE id = $1";
            tx.execute(update, args![id, name]).await?;
            let before = std::mem::replace(&mut person.name, name.to_owned());
            person.version += 1;
            let detail = json!({ "name": { "from": before, "to": name } });
            tx.tell_organizations(actor, id, ("allowed", "update_person"), &detail)
                .await?;
            if rehearsal {
                tx.rehearse();
            }
            Ok::<_, TxError<AccountError>>(person)
        }
        .await);
        crate::metrics::command("update_person", outcome.is_ok());
        outcome
    }
}

#[cfg(test)]
mod tests {
    use super::normalize_email;

    #[test]
    fn an_address_has_one_spelling_and_what_cannot_be_one_is_refused() {
        assert_eq!(
            normalize_email("  Ada.Lovelace@Example.COM "),
            Some("ada.lovelace@example.com".into())
        );
        assert_eq!(normalize_email("root@localhost"), Some("root@localhost".into()));
        let long = format!("{}@example.com", "a".repeat(65));
        for bad in [
            "",
            "@",
            "a@",
            "@b",
            "a b@c.d",
            "a@b@c",
            "a@b..c",
            "a@.b",
            "a\r\nBcc: x@y.z",
            "a@b\n",
            "<a@b.c>",
            "a,b@c.d",
            "a@-b.c",
            ".a@b.c",
            &long,
        ] {
            if bad.trim() == "a@b" {
                continue;
            }
            assert_eq!(normalize_email(bad), None, "{bad:?}");
        }
    }
}
