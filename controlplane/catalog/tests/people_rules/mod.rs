//! What holds for accounts of people, whatever the database.

mod accounts;
mod logins;
mod networks;
mod organizations;
mod providers;
mod sessions;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use firn_catalog::Catalog;
use firn_catalog::account::{NewSession, OneTime, PasswordHash, Person, Session, SignUp, SignedUp};
use firn_catalog::commands::{Actor, CredentialId, Principal};
use firn_catalog::ids::{OrganizationId, SessionId};
use firn_runtime::{Clock, Env, Timestamp};
use sqlx::{AnyConnection, Connection};

pub use accounts::*;
pub use logins::*;
pub use networks::*;
pub use organizations::*;
pub use providers::*;
pub use sessions::*;

use crate::cell::Sql;

pub const DAY: Duration = Duration::from_secs(24 * 60 * 60);

struct Hands(AtomicI64);

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// A catalog whose clock the test moves.
pub struct World {
    pub catalog: Arc<Catalog>,
    clock: Arc<Hands>,
    url: String,
    made: AtomicU64,
}

pub fn stranger() -> Actor {
    Actor::process(Principal::Cell, "request-1")
}

pub fn person(person: &Person, session: Option<SessionId>) -> Actor {
    Actor {
        principal: Principal::Person(person.id),
        request_id: "request-2".into(),
        credential: session.map(CredentialId::Session),
        address: Some([192, 0, 2, 1].into()),
    }
}

pub fn hash(text: &str) -> PasswordHash {
    PasswordHash(text.into())
}

impl World {
    pub async fn over(sql: &Sql) -> Self {
        let clock = Arc::new(Hands(AtomicI64::new(1_800_000_000_000)));
        let env = Env {
            clock: clock.clone(),
            ..Env::system()
        };
        Self {
            catalog: Catalog::open(&sql.url, env).await.unwrap(),
            clock,
            url: sql.url.clone(),
            made: AtomicU64::new(0),
        }
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn pass(&self, time: Duration) {
        let ms = i64::try_from(time.as_millis()).unwrap();
        self.clock.0.fetch_add(ms, Ordering::SeqCst);
    }

    fn next(&self) -> u64 {
        self.made.fetch_add(1, Ordering::SeqCst)
    }

    pub fn token(&self, life: Duration) -> OneTime {
        OneTime {
            digest: format!("token {}", self.next()),
            expires_at: self.now().plus(life),
        }
    }

    pub fn new_session(&self) -> NewSession {
        let number = self.next();
        NewSession {
            id: SessionId(u128::from(number) + 1),
            digest: format!("session {number}"),
            address: Some([192, 0, 2, 1].into()),
            user_agent: "test".into(),
        }
    }

    /// Signs up; the person and the digest of its token.
    pub async fn sign_up(&self, email: &str, password: &str) -> (SignedUp, String) {
        let command = SignUp {
            email: email.into(),
            name: "Ada".into(),
            password: hash(password),
            organization: format!("of {email}"),
            token: self.token(DAY),
        };
        let signed_up = self.catalog.sign_up(&stranger(), &command).await.unwrap();
        (signed_up, command.token.digest)
    }

    /// A verified person, with the session that the verification opened.
    pub async fn somebody(&self, email: &str) -> (Person, Session) {
        let (_, token) = self.sign_up(email, "password").await;
        let session = self.new_session();
        self.catalog.verify(&stranger(), &token, &session).await.unwrap()
    }

    /// Opens another session of somebody.
    pub async fn log_in(&self, email: &str) -> NewSession {
        let login = self.catalog.person_by_email(email).await.unwrap().unwrap();
        let session = self.new_session();
        self.catalog
            .open_session(&stranger(), &login, &session)
            .await
            .unwrap();
        session
    }

    /// Whether a session is live.
    pub async fn is_live(&self, session: &NewSession) -> bool {
        self.catalog
            .session(session.id, &session.digest)
            .await
            .unwrap()
            .is_some()
    }

    /// The number that a query gives, asked of the database directly.
    pub async fn number(&self, query: &'static str) -> i64 {
        let mut connection = AnyConnection::connect(&self.url).await.unwrap();
        let (number,): (i64,) = sqlx::query_as(query).fetch_one(&mut connection).await.unwrap();
        number
    }

    /// The organization of somebody who signed up.
    pub async fn organization(&self, person: &Person) -> OrganizationId {
        let mut connection = AnyConnection::connect(&self.url).await.unwrap();
        let select = "SELECT organization FROM account_members WHERE person = $1";
        let (id,): (String,) = sqlx::query_as(select)
            .bind(person.id.to_string())
            .fetch_one(&mut connection)
            .await
            .unwrap();
        id.parse().unwrap()
    }
}
