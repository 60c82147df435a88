//! Tokens that are mailed: each proves, once and for some time, that who brings it reads the person's mail.
//!
//! The rows hold keyed digests. A token that was used, that has expired and that never was look the same.

use std::fmt;

use firn_runtime::Timestamp;
use serde_json::Value;

use super::AccountError;
use super::people::{Login, PERSON_COLUMNS, PasswordHash, Person, acting_as, login_at, person_columns};
use crate::catalog::Catalog;
use crate::commands::Actor;
use crate::ids::PersonId;
use crate::sql::{Tx, TxError, args, id_at, optional_text_at, transaction};

/// How many tokens of one kind a person may have at a time; the oldest give way. More than strangers can have mailed to an address
/// while one of them is good, so that they push none of its owner's out.
const LIVE: i64 = 500;

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// To prove the address of a signup.
    Verify,
    /// To choose a new password.
    Reset,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Verify => "verify",
            Self::Reset => "reset",
        }
    }
}

/// A new token. Its debug form does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct OneTime {
    /// Its keyed digest.
    pub digest: String,
    /// Until when it is good.
    pub expires_at: Timestamp,
}

impl fmt::Debug for OneTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OneTime")
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

impl Tx {
    pub(super) async fn add_one_time(
        &mut self,
        kind: Kind,
        person: PersonId,
        token: &OneTime,
        password: Option<&PasswordHash>,
        now: Timestamp,
    ) -> Result<(), TxError<AccountError>> {
        let expired = "DELETE FROM account_one_time WHERE person = $1 AND expires_at <= $2";
        self.execute(expired, args![person, now]).await?;
        let oldest = "DELETE FROM account_one_time WHERE person = $1 AND kind = $2 AND digest NOT IN \
                      (SELECT digest FROM account_one_time WHERE person = $1 AND kind = $2 \
                      ORDER BY created_at DESC, digest LIMIT $3)";
        self.execute(oldest, args![person, kind.name(), LIVE - 1]).await?;
        let insert = "INSERT INTO account_one_time (digest, kind, person, password, created_at, expires_at) \
                      VALUES ($1, $2, $3, $4, $5, $6)";
        let values = args![
            token.digest.as_str(),
            kind.name(),
            person,
            password.map(|password| password.0.clone()),
            now,
            token.expires_at,
        ];
        self.execute(insert, values).await?;
        Ok(())
    }

    /// The password that the latest signup of a person brought.
    pub(super) async fn latest_password(
        &mut self,
        person: PersonId,
    ) -> Result<Option<PasswordHash>, TxError<AccountError>> {
        let select = "SELECT password FROM account_one_time WHERE person = $1 AND kind = 'verify' \
                      ORDER BY created_at DESC, digest LIMIT 1";
        let row = self.row(select, args![person]).await?;
        let password = row.as_ref().map(|row| optional_text_at(row, 0)).transpose()?;
        Ok(password.flatten().map(PasswordHash))
    }

    /// Uses a token up; whose it was, and the password that its signup brought.
    pub(super) async fn take_one_time(
        &mut self,
        kind: Kind,
        digest: &str,
        now: Timestamp,
    ) -> Result<(PersonId, Option<PasswordHash>), TxError<AccountError>> {
        let take = "DELETE FROM account_one_time WHERE digest = $1 AND kind = $2 AND expires_at > $3 \
                    RETURNING person, password";
        match self.row(take, args![digest, kind.name(), now]).await? {
            Some(row) => Ok((id_at(&row, 0)?, optional_text_at(&row, 1)?.map(PasswordHash))),
            None => Err(AccountError::Gone { what: "token" }.into()),
        }
    }
}

impl Catalog {
    /// Adds a token with which the person of that address may choose a new password; `None`: there is no such person.
    pub async fn start_reset(&self, email: &str, token: &OneTime) -> Result<Option<Person>, AccountError> {
        let now = self.env().now();
        let outcome = transaction!(self.store(), write, |tx| async {
            let Some(login) = tx.login_of_email(email).await? else {
                return Ok(None);
            };
            tx.add_one_time(Kind::Reset, login.person.id, token, None, now)
                .await?;
            Ok::<_, TxError<AccountError>>(Some(login.person))
        }
        .await);
        crate::metrics::command("start_reset", outcome.is_ok());
        outcome
    }

    /// Who waits for this token to prove its address, and the password that the token carries. It stays good.
    pub async fn waiting_for_proof(&self, digest: &str) -> Result<Login, AccountError> {
        let now = self.env().now();
        let columns = person_columns();
        let select = format!(
            "SELECT {columns}, t.password FROM account_one_time t JOIN account_people p ON p.id = t.person \
             WHERE t.digest = $1 AND t.kind = 'verify' AND t.expires_at > $2"
        );
        transaction!(self.store(), snapshot, |tx| async {
            match tx.row(&select, args![digest, now]).await? {
                Some(row) => Ok::<_, TxError<AccountError>>(Login {
                    person: login_at(&row)?.person,
                    password: optional_text_at(&row, PERSON_COLUMNS)?.map(PasswordHash),
                }),
                None => Err(AccountError::Gone { what: "token" }.into()),
            }
        }
        .await)
    }

    /// Whose token this is. It stays good.
    pub async fn person_of_token(&self, kind: Kind, digest: &str) -> Result<Person, AccountError> {
        let now = self.env().now();
        let columns = person_columns();
        let select = format!(
            "SELECT {columns} FROM account_one_time t JOIN account_people p ON p.id = t.person \
             WHERE t.digest = $1 AND t.kind = $2 AND t.expires_at > $3"
        );
        transaction!(self.store(), snapshot, |tx| async {
            match tx.row(&select, args![digest, kind.name(), now]).await? {
                Some(row) => Ok::<_, TxError<AccountError>>(login_at(&row)?.person),
                None => Err(AccountError::Gone { what: "token" }.into()),
            }
        }
        .await)
    }

    /// Takes a token back and sets the password. The address is proven by that; all sessions end, and so does every way in through
    /// a provider: who reads the mail owns the account, whoever made it.
    pub async fn complete_reset(
        &self,
        actor: &Actor,
        digest: &str,
        password: &PasswordHash,
    ) -> Result<Person, AccountError> {
        let outcome = transaction!(self.store(), write, |tx| {
            self.complete_reset_in(&mut tx, actor, digest, password).await
        });
        crate::metrics::command("complete_reset", outcome.is_ok());
        outcome
    }

    async fn complete_reset_in(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        digest: &str,
        password: &PasswordHash,
    ) -> Result<Person, TxError<AccountError>> {
        let now = self.env().now();
        let (id, _) = tx.take_one_time(Kind::Reset, digest, now).await?;
        let mut person = tx.login_of(id).await?.person;
        let verified_at = person.verified_at.unwrap_or(now);
        let update = "UPDATE account_people SET password = $2, verified_at = $3 WHERE id = $1";
        tx.execute(update, args![id, password.0.as_str(), verified_at])
            .await?;
        tx.proven(id).await?;
        let actor = acting_as(actor, id, None);
        tx.tell_organizations(&actor, id, ("allowed", "reset_password"), &Value::Null)
            .await?;
        person.verified_at = Some(verified_at);
        person.has_password = true;
        Ok(person)
    }
}
