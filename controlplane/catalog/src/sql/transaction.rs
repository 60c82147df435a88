//! Transactions: bounded in time, run again when another was in the way.
//!
//! A transaction that lost to another one (serialization failure, deadlock, busy file, the same key inserted twice) has been
//! rolled back and runs again, a few times. One whose answer was lost is not run again here: the caller must know
//! what a repeat means.

use std::time::Duration;

use firn_runtime::Env;
use sqlx::any::AnyRow;
use sqlx::{Any, AssertSqlSafe, Executor, Transaction};

use super::errors::{Verdict, to_catalog_error, verdict};
use super::{Arg, Dialect, Store};
use crate::cell::CatalogError;

/// How long one attempt may take in all.
const ATTEMPT: Duration = Duration::from_secs(10);
/// How often a transaction that lost to another runs again.
const RETRIES: u32 = 8;

/// Why a transaction's body ended it.
#[derive(Debug)]
pub(crate) enum TxError<E> {
    /// The database's error.
    Database(sqlx::Error),
    /// A rule said no.
    Refused(E),
}

/// An open transaction. Dropped without a commit, it is rolled back.
pub(crate) struct Tx {
    inner: Transaction<'static, Any>,
    dialect: Dialect,
    env: Env,
    /// Its commit will be a rollback.
    rehearsal: bool,
    /// Held by a writer on SQLite, whose own waiting is a slow poll of the file lock.
    _turn: Option<tokio::sync::OwnedMutexGuard<()>>,
}

impl Tx {
    /// A transaction that may write.
    pub(crate) async fn write(store: &Store) -> Result<Self, sqlx::Error> {
        match store.dialect {
            Dialect::Sqlite => {
                let turn = store.writers.clone().lock_owned().await;
                let inner = store.pool.begin_with("BEGIN IMMEDIATE").await?;
                Ok(Self {
                    inner,
                    dialect: store.dialect,
                    env: store.env.clone(),
                    rehearsal: false,
                    _turn: Some(turn),
                })
            }
            Dialect::Postgres => {
                let inner = store.pool.begin().await?;
                Ok(Self {
                    inner,
                    dialect: store.dialect,
                    env: store.env.clone(),
                    rehearsal: false,
                    _turn: None,
                })
            }
        }
    }

    /// A transaction that sees one state and writes nothing.
    pub(crate) async fn snapshot(store: &Store) -> Result<Self, sqlx::Error> {
        let begin = match store.dialect {
            Dialect::Sqlite => "BEGIN",
            Dialect::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        };
        let inner = store.pool.begin_with(begin).await?;
        Ok(Self {
            inner,
            dialect: store.dialect,
            env: store.env.clone(),
            rehearsal: false,
            _turn: None,
        })
    }

    /// The statement in this database's dialect.
    fn text(&self, sql: &str) -> String {
        match self.dialect {
            Dialect::Sqlite => sql.replace(" FOR UPDATE", ""),
            Dialect::Postgres => sql.to_owned(),
        }
    }

    /// Which database it is.
    pub(crate) fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Runs a statement; how many rows it touched.
    pub(crate) async fn execute(&mut self, sql: &str, args: Vec<Arg>) -> Result<u64, sqlx::Error> {
        let text = self.text(sql);
        Ok(bound(text, args).execute(&mut *self.inner).await?.rows_affected())
    }

    /// Runs a script of statements without parameters.
    pub(crate) async fn script(&mut self, sql: &'static str) -> Result<(), sqlx::Error> {
        (&mut *self.inner).execute(sqlx::raw_sql(sql)).await.map(|_| ())
    }

    /// All rows of a query.
    pub(crate) async fn rows(&mut self, sql: &str, args: Vec<Arg>) -> Result<Vec<AnyRow>, sqlx::Error> {
        let text = self.text(sql);
        bound(text, args).fetch_all(&mut *self.inner).await
    }

    /// The first row of a query.
    pub(crate) async fn row(&mut self, sql: &str, args: Vec<Arg>) -> Result<Option<AnyRow>, sqlx::Error> {
        let text = self.text(sql);
        bound(text, args).fetch_optional(&mut *self.inner).await
    }

    /// Clock and randomness.
    pub(crate) fn env(&self) -> &Env {
        &self.env
    }

    /// Makes the commit a rollback: everything is done and checked, and nothing stays.
    pub(crate) fn rehearse(&mut self) {
        self.rehearsal = true;
    }

    pub(crate) async fn commit(self) -> Result<(), sqlx::Error> {
        if self.rehearsal {
            return self.inner.rollback().await;
        }
        self.inner.commit().await
    }
}

/// The longest statement that is kept prepared; those made for a number of rows are longer and vary.
const PREPARED_LENGTH: usize = 1_000;

fn bound(text: String, args: Vec<Arg>) -> sqlx::query::Query<'static, Any, sqlx::any::AnyArguments> {
    let persistent = text.len() <= PREPARED_LENGTH;
    let mut query = sqlx::query(AssertSqlSafe(text)).persistent(persistent);
    for arg in args {
        query = match arg {
            Arg::Text(text) => query.bind(text),
            Arg::Number(number) => query.bind(number),
            Arg::NullText => query.bind(None::<String>),
            Arg::NullNumber => query.bind(None::<i64>),
        };
    }
    query
}

/// Counts the attempts of one transaction.
pub(crate) struct Attempts<'a> {
    env: &'a Env,
    made: u32,
}

impl<'a> Attempts<'a> {
    pub(crate) fn new(store: &'a Store) -> Self {
        Self {
            env: &store.env,
            made: 0,
        }
    }

    /// Waits for an attempt, not for ever.
    pub(crate) async fn bounded<T, E: From<CatalogError>>(
        attempt: impl Future<Output = Result<T, TxError<E>>>,
    ) -> Result<T, TxError<E>> {
        match tokio::time::timeout(ATTEMPT, attempt).await {
            Ok(outcome) => outcome,
            Err(_) => {
                crate::metrics::transaction_failed();
                let late = format!("no answer within {} s", ATTEMPT.as_secs());
                Err(TxError::Refused(E::from(CatalogError::Unavailable(late))))
            }
        }
    }

    /// The answer, or `None` to run the transaction again.
    pub(crate) async fn answer<T, E: From<CatalogError>>(
        &mut self,
        outcome: Result<T, TxError<E>>,
    ) -> Option<Result<T, E>> {
        let error = match outcome {
            Ok(value) => return Some(Ok(value)),
            Err(TxError::Refused(error)) => return Some(Err(error)),
            Err(TxError::Database(error)) => error,
        };
        self.made += 1;
        match verdict(&error) {
            Verdict::Again if self.made <= RETRIES => {
                crate::metrics::transaction_retried();
                let most = 5u64 << self.made;
                let pause = Duration::from_millis(self.env.random_u64() % most);
                tokio::time::sleep(pause).await;
                None
            }
            Verdict::Again | Verdict::Unavailable | Verdict::Damaged => {
                crate::metrics::transaction_failed();
                Some(Err(E::from(to_catalog_error(&error))))
            }
        }
    }
}

/// Runs `$body`, an expression that gives `Result<T, TxError<E>>` and may use `&mut $tx`, in a writing transaction and
/// commits it; gives `Result<T, E>`. A macro, since the body borrows the transaction and the arguments of its
/// function at once, which a closure with a `Send` future cannot say.
macro_rules! transaction {
    ($store:expr, $begin:ident, |$tx:ident| $body:expr) => {{
        let store: &$crate::sql::Store = $store;
        let mut attempts = $crate::sql::Attempts::new(store);
        loop {
            let attempt = async {
                let mut $tx = $crate::sql::Tx::$begin(store).await?;
                let value = $body?;
                $tx.commit().await?;
                Ok(value)
            };
            let outcome = $crate::sql::Attempts::bounded(attempt).await;
            if let Some(answer) = attempts.answer(outcome).await {
                break answer;
            }
        }
    }};
}
pub(crate) use transaction;
