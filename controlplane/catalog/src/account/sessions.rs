//! Logins. A session ends 30 days after it began, after 7 days without use, when it is revoked, and with the password.

use std::net::IpAddr;
use std::time::Duration;

use firn_runtime::Timestamp;
use serde_json::{Value, json};
use sqlx::any::AnyRow;

use super::AccountError;
use super::people::{
    Login, PERSON_COLUMNS, PasswordHash, Person, acting_as, login_at, person_columns, person_of,
};
use crate::catalog::Catalog;
use crate::cell::CatalogError;
use crate::commands::Actor;
use crate::ids::{PersonId, SessionId};
use crate::sql::{Tx, TxError, args, id_at, number_at, optional_text_at, text_at, transaction};

/// How long a session lasts at most.
pub const SESSION_LIFE: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// How long a session lasts unused.
pub const SESSION_IDLE: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// How exactly its last use is known.
const USE_RESOLUTION: Duration = Duration::from_secs(60);
/// How many sessions a person has at most; the least recently used give way.
pub const MAX_SESSIONS: i64 = 100;
/// How much of a user agent is kept, in characters.
pub const MAX_USER_AGENT: usize = 200;
/// In how many rows failed logins with unknown addresses are counted, so that they do not wait for each other.
const UNKNOWN_SLOTS: u128 = 64;

/// A login of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// Whose.
    pub person: PersonId,
    /// Since when.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub last_used_at: Timestamp,
    /// When it ends if it is used.
    pub expires_at: Timestamp,
    /// Where it was opened from.
    pub address: Option<String>,
    /// With what, as that calls itself.
    pub user_agent: String,
}

/// A session to open.
#[derive(Clone)]
pub struct NewSession {
    /// Its id.
    pub id: SessionId,
    /// The keyed digest of what the cookie holds.
    pub digest: String,
    /// Where the request came from.
    pub address: Option<IpAddr>,
    /// What the client calls itself.
    pub user_agent: String,
}

const COLUMNS: &str = "s.id, s.person, s.created_at, s.last_used_at, s.expires_at, s.address, s.user_agent";

fn session_at(row: &AnyRow, first: usize) -> Result<Session, CatalogError> {
    Ok(Session {
        id: id_at(row, first)?,
        person: id_at(row, first + 1)?,
        created_at: Timestamp(number_at(row, first + 2)?),
        last_used_at: Timestamp(number_at(row, first + 3)?),
        expires_at: Timestamp(number_at(row, first + 4)?),
        address: optional_text_at(row, first + 5)?,
        user_agent: text_at(row, first + 6)?,
    })
}

impl Tx {
    /// Stores a session, in the place of those that are over.
    pub(super) async fn add_session(
        &mut self,
        person: PersonId,
        new: &NewSession,
        now: Timestamp,
    ) -> Result<Session, TxError<AccountError>> {
        let over =
            "DELETE FROM account_sessions WHERE person = $1 AND (expires_at <= $2 OR last_used_at <= $3)";
        self.execute(over, args![person, now, now.minus(SESSION_IDLE)])
            .await?;
        let surplus = "DELETE FROM account_sessions WHERE person = $1 AND id NOT IN \
                       (SELECT id FROM account_sessions WHERE person = $1 ORDER BY last_used_at DESC, id LIMIT $2)";
        self.execute(surplus, args![person, MAX_SESSIONS - 1]).await?;
        let session = Session {
            id: new.id,
            person,
            created_at: now,
            last_used_at: now,
            expires_at: now.plus(SESSION_LIFE),
            address: new.address.map(|address| address.to_string()),
            user_agent: new.user_agent.chars().take(MAX_USER_AGENT).collect(),
        };
        let insert = "INSERT INTO account_sessions (id, person, digest, created_at, last_used_at, expires_at, address, \
                      user_agent) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        let values = args![
            session.id,
            person,
            new.digest.as_str(),
            session.created_at,
            session.last_used_at,
            session.expires_at,
            session.address.clone(),
            session.user_agent.as_str(),
        ];
        self.execute(insert, values).await?;
        Ok(session)
    }

    /// Refuses a session that is over.
    pub(super) async fn require_live_session(
        &mut self,
        id: SessionId,
        person: PersonId,
    ) -> Result<(), TxError<AccountError>> {
        let now = self.env().now();
        let select = "SELECT 1 FROM account_sessions WHERE id = $1 AND person = $2 AND expires_at > $3 \
                      AND last_used_at > $4";
        let live = self.row(select, args![id, person, now, now.minus(SESSION_IDLE)]);
        match live.await? {
            Some(_) => Ok(()),
            None => Err(AccountError::Gone { what: "session" }.into()),
        }
    }
}

impl Catalog {
    /// Logs in the person whose password was checked against `login`; [`AccountError::Gone`] if it has changed since.
    pub async fn open_session(
        &self,
        actor: &Actor,
        login: &Login,
        session: &NewSession,
    ) -> Result<Session, AccountError> {
        let now = self.env().now();
        let person = login.person.id;
        let outcome = transaction!(self.store(), write, |tx| async {
            if tx.login_of(person).await?.password != login.password {
                return Err(AccountError::Gone { what: "password" }.into());
            }
            let opened = tx.add_session(person, session, now).await?;
            let actor = acting_as(actor, person, Some(session.id));
            tx.tell_organizations(&actor, person, ("allowed", "log_in"), &Value::Null)
                .await?;
            Ok::<_, TxError<AccountError>>(opened)
        }
        .await);
        crate::metrics::command("log_in", outcome.is_ok());
        outcome
    }

    /// Tells the organizations of the person with this address, if there is one, that a login failed. Without one it is counted in one of
    /// some rows, by as many statements as one organization takes: so the database, which the next request waits for, is as busy with an
    /// unknown address as with a known one.
    pub async fn login_failed(&self, actor: &Actor, email: &str) -> Result<(), AccountError> {
        let nobody = PersonId(self.env().random_u128());
        let slot = i64::try_from(self.env().random_u128() % UNKNOWN_SLOTS).unwrap_or_default();
        let count = "INSERT INTO account_unknown_logins (slot, head, last) VALUES ($1, 1, '') \
                     ON CONFLICT (slot) DO UPDATE SET head = account_unknown_logins.head + 1 RETURNING head";
        let tell = "UPDATE account_unknown_logins SET last = $2 WHERE slot = $1";
        transaction!(self.store(), write, |tx| async {
            let person = tx.login_of_email(email).await?.map(|login| login.person.id);
            tx.tell_organizations(
                actor,
                person.unwrap_or(nobody),
                ("denied", "log_in"),
                &Value::Null,
            )
            .await?;
            if person.is_none() {
                tx.row(count, args![slot]).await?;
                tx.execute(tell, args![slot, actor.request_id.as_str()]).await?;
            }
            Ok::<_, TxError<AccountError>>(())
        }
        .await)
    }

    /// The live session with this id and digest, and whose it is; `None`: there is none, or no more. Counts as a use.
    pub async fn session(
        &self,
        id: SessionId,
        digest: &str,
    ) -> Result<Option<(Session, Person)>, AccountError> {
        let now = self.env().now();
        let idle = now.minus(SESSION_IDLE);
        let select = format!(
            "SELECT {}, {COLUMNS} FROM account_sessions s JOIN account_people p ON p.id = s.person \
             WHERE s.id = $1 AND s.digest = $2 AND s.expires_at > $3 AND s.last_used_at > $4",
            person_columns()
        );
        let found = transaction!(self.store(), snapshot, |tx| async {
            let row = tx.row(&select, args![id, digest, now, idle]).await?;
            let Some(row) = row else {
                return Ok(None);
            };
            let person = login_at(&row)?.person;
            Ok::<_, TxError<AccountError>>(Some((session_at(&row, PERSON_COLUMNS)?, person)))
        }
        .await)?;
        let Some((mut session, person)) = found else {
            return Ok(None);
        };
        if now.since(session.last_used_at) >= USE_RESOLUTION {
            let used = "UPDATE account_sessions SET last_used_at = $2 WHERE id = $1";
            transaction!(self.store(), write, |tx| async {
                tx.execute(used, args![id, now]).await?;
                Ok::<_, TxError<AccountError>>(())
            }
            .await)?;
            session.last_used_at = now;
        }
        Ok(Some((session, person)))
    }

    /// The actor's live sessions, the newest first: at most [`MAX_SESSIONS`].
    pub async fn sessions(&self, actor: &Actor) -> Result<Vec<Session>, AccountError> {
        let person = person_of(actor)?;
        let now = self.env().now();
        let select = format!(
            "SELECT {COLUMNS} FROM account_sessions s WHERE s.person = $1 AND s.expires_at > $2 AND s.last_used_at > $3 \
             ORDER BY s.created_at DESC, s.id"
        );
        transaction!(self.store(), snapshot, |tx| async {
            let rows = tx
                .rows(&select, args![person, now, now.minus(SESSION_IDLE)])
                .await?;
            let sessions: Result<Vec<_>, _> = rows.iter().map(|row| session_at(row, 0)).collect();
            Ok::<_, TxError<AccountError>>(sessions?)
        }
        .await)
    }

    /// Ends one of the actor's sessions.
    pub async fn revoke_session(
        &self,
        actor: &Actor,
        id: SessionId,
        rehearsal: bool,
    ) -> Result<(), AccountError> {
        let person = person_of(actor)?;
        let delete = "DELETE FROM account_sessions WHERE id = $1 AND person = $2";
        let outcome = transaction!(self.store(), write, |tx| async {
            if tx.execute(delete, args![id, person]).await? == 0 {
                return Err(AccountError::NotFound { what: "session" }.into());
            }
            let detail = json!({ "session": id.public() });
            tx.tell_organizations(actor, person, ("allowed", "log_out"), &detail)
                .await?;
            if rehearsal {
                tx.rehearse();
            }
            Ok::<_, TxError<AccountError>>(())
        }
        .await);
        crate::metrics::command("log_out", outcome.is_ok());
        outcome
    }

    /// Sets the password of the actor, who has shown that it knows the one in `login`; ends its sessions but `keep`, and takes every
    /// login provider back that was linked to it.
    pub async fn change_password(
        &self,
        actor: &Actor,
        login: &Login,
        password: &PasswordHash,
        keep: Option<SessionId>,
    ) -> Result<(), AccountError> {
        let person = person_of(actor)?;
        let keep = keep.map_or_else(String::new, |id| id.to_string());
        let outcome = transaction!(self.store(), write, |tx| async {
            if tx.login_of(person).await?.password != login.password {
                return Err(AccountError::Gone { what: "password" }.into());
            }
            let update = "UPDATE account_people SET password = $2 WHERE id = $1";
            tx.execute(update, args![person, password.0.as_str()]).await?;
            let others = "DELETE FROM account_sessions WHERE person = $1 AND id <> $2";
            tx.execute(others, args![person, keep.as_str()]).await?;
            for delete in [
                "DELETE FROM account_one_time WHERE person = $1",
                "DELETE FROM account_identities WHERE person = $1",
            ] {
                tx.execute(delete, args![person]).await?;
            }
            tx.tell_organizations(actor, person, ("allowed", "change_password"), &Value::Null)
                .await?;
            Ok::<_, TxError<AccountError>>(())
        }
        .await);
        crate::metrics::command("change_password", outcome.is_ok());
        outcome
    }
}
