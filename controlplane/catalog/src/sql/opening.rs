//! Opening a catalog by its URL.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use firn_runtime::Env;
use sqlx::any::AnyPoolOptions;
use sqlx::{AnyConnection, AnyPool, Connection, Executor};

use super::errors::{Refusal, passes, refusal};
use super::{Dialect, migrations, transaction};
use crate::cell::CatalogError;
use crate::redact::redact;

/// Connections of one process.
const CONNECTIONS: u32 = 8;
/// How long to wait for a connection.
const CONNECT: Duration = Duration::from_secs(5);

/// What a SQLite connection is told first: readers and one writer at once, every commit synced, wait for a lock.
const SQLITE_FIRST: &str = "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
     PRAGMA foreign_keys = ON;";
/// What a PostgreSQL connection is told first: nothing waits for ever, and nobody waits for a client that hangs.
const POSTGRES_FIRST: &str = "SET statement_timeout = '8s'; SET lock_timeout = '5s'; \
     SET idle_in_transaction_session_timeout = '15s';";

/// Why a catalog does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL is of no kind that Firn knows.
    #[error("'{url}' is not a catalog: expected postgres://… or sqlite://PATH")]
    UnknownUrl {
        /// The URL, without its password.
        url: String,
    },
    /// The database does not answer.
    #[error("the catalog {url} cannot be reached: {cause}")]
    Unreachable {
        /// The URL, without its password.
        url: String,
        /// What happened.
        cause: String,
    },
    /// The database answers but does not take writes.
    #[error("the catalog {url} cannot be written: {cause}")]
    NotWritable {
        /// The URL, without its password.
        url: String,
        /// What happened.
        cause: String,
    },
    /// Some other file is where the catalog should be.
    #[error("the catalog {url} is not a SQLite database")]
    NotSqlite {
        /// The URL.
        url: String,
    },
    /// A newer version of Firn wrote it, or it is damaged.
    #[error("the catalog {url} cannot be used: {cause}")]
    Unusable {
        /// The URL, without its password.
        url: String,
        /// Why; `NewerFormat` or `Corrupt`.
        cause: CatalogError,
    },
}

/// An open database with both stores in it.
pub(crate) struct Store {
    pub(super) pool: AnyPool,
    pub(super) dialect: Dialect,
    pub(super) env: Env,
    /// Writers on SQLite take turns here.
    pub(super) writers: Arc<tokio::sync::Mutex<()>>,
}

impl Store {
    /// Opens the database at `url` and brings its tables to this version.
    pub(crate) async fn open(url: &str, env: Env) -> Result<Self, OpenError> {
        let shown = redact(url);
        let unreachable = |cause: String| OpenError::Unreachable {
            url: shown.clone(),
            cause,
        };
        let (dialect, connect, first) = if let Some(path) = url.strip_prefix("sqlite://") {
            check_folder(path).map_err(unreachable)?;
            (Dialect::Sqlite, sqlite_url(path), SQLITE_FIRST)
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            (Dialect::Postgres, url.to_owned(), POSTGRES_FIRST)
        } else {
            return Err(OpenError::UnknownUrl { url: shown });
        };
        sqlx::any::install_default_drivers();
        let first_error = match try_out(&connect, first).await {
            Ok(()) => None,
            Err(error) if passes(&error) => Some(error),
            Err(error) => return Err(refused(&shown, &error)),
        };
        let pool = AnyPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(CONNECT)
            .after_connect(move |connection, _| {
                Box::pin(async move { connection.execute(sqlx::raw_sql(first)).await.map(|_| ()) })
            })
            .connect(&connect)
            .await
            .map_err(|error| match first_error {
                // The pool does not say what kept it waiting.
                Some(cause) if matches!(error, sqlx::Error::PoolTimedOut) => refused(&shown, &cause),
                Some(_) | None => refused(&shown, &error),
            })?;
        let store = Self {
            pool,
            dialect,
            env,
            writers: Arc::default(),
        };
        store.migrate().await.map_err(|error| match error {
            CatalogError::Unavailable(cause) => OpenError::NotWritable {
                url: shown.clone(),
                cause,
            },
            cause => OpenError::Unusable {
                url: shown.clone(),
                cause,
            },
        })?;
        Ok(store)
    }

    async fn migrate(&self) -> Result<(), CatalogError> {
        transaction!(self, write, |tx| migrations::migrate(&mut tx).await)
    }

    /// Clock, randomness, tasks.
    pub(crate) fn env(&self) -> &Env {
        &self.env
    }

    /// Which database it is.
    pub(crate) fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Closes all connections, after the transactions under way.
    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }
}

/// Connects once without a pool, which would try for as long as it may wait and not tell the cause.
async fn try_out(url: &str, first: &'static str) -> Result<(), sqlx::Error> {
    let once = async {
        let mut connection = AnyConnection::connect(url).await?;
        connection.execute(sqlx::raw_sql(first)).await?;
        connection.close().await
    };
    tokio::time::timeout(CONNECT, once).await.unwrap_or_else(|_| {
        let why = format!("no answer within {} s", CONNECT.as_secs());
        Err(sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, why)))
    })
}

/// What an error at connecting says to the operator.
fn refused(shown: &str, error: &sqlx::Error) -> OpenError {
    let (url, cause) = (shown.to_owned(), error.to_string());
    match refusal(error) {
        Refusal::Unreachable => OpenError::Unreachable { url, cause },
        Refusal::NotWritable => OpenError::NotWritable { url, cause },
        Refusal::NotSqlite => OpenError::NotSqlite { url },
        Refusal::Damaged => OpenError::Unusable {
            url,
            cause: CatalogError::Corrupt(cause),
        },
    }
}

/// SQLite's own error for a folder that is not there does not say so.
#[expect(
    clippy::disallowed_methods,
    reason = "a SQLite file is on a disk; the simulation's catalog is in memory"
)]
fn check_folder(path: &str) -> Result<(), String> {
    match Path::new(path).parent() {
        Some(folder) if !folder.as_os_str().is_empty() && !folder.is_dir() => {
            Err(format!("there is no folder {}", folder.display()))
        }
        Some(_) | None => Ok(()),
    }
}

/// The URL by which sqlx creates and opens a file, whatever characters its path has.
fn sqlite_url(path: &str) -> String {
    let mut encoded = String::from("sqlite://");
    for c in path.chars() {
        match c {
            '%' => encoded.push_str("%25"),
            '?' => encoded.push_str("%3F"),
            '#' => encoded.push_str("%23"),
            other => encoded.push(other),
        }
    }
    encoded.push_str("?mode=rwc");
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_may_hold_what_urls_treat_specially() {
        assert_eq!(sqlite_url("/a#b?c%d"), "sqlite:///a%23b%3Fc%25d?mode=rwc");
    }
}
