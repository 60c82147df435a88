//! What a database error asks of the caller.

use super::TxError;
use crate::cell::CatalogError;

/// What to do about a database error.
pub(super) enum Verdict {
    /// Another transaction was in the way and this one has been rolled back: run it again.
    Again,
    /// It has not answered, or cannot now.
    Unavailable,
    /// The rows, or the statements, are wrong.
    Damaged,
}

/// SQLite result codes (the low byte of an extended code) that pass: busy, locked, no memory, read-only, interrupted,
/// I/O error, full, cannot open.
const SQLITE_PASSING: [i64; 8] = [5, 6, 7, 8, 9, 10, 13, 14];

/// Classes of SQLSTATE that pass: connection, authorization, read-only transaction, resources, lock and
/// object state, operator intervention (timeouts too), system.
const POSTGRES_PASSING: [&str; 7] = ["08", "28", "25", "53", "55", "57", "58"];

/// What to do about `error`.
pub(super) fn verdict(error: &sqlx::Error) -> Verdict {
    match error {
        sqlx::Error::Database(database) => {
            // Two transactions that insert the same key: the second finds the first's row when it runs again.
            // One that names a row which another deletes: it finds none when it runs again.
            if database.is_unique_violation() || database.is_foreign_key_violation() {
                return Verdict::Again;
            }
            let code = database.code().unwrap_or_default();
            database_verdict(&code)
        }
        sqlx::Error::ColumnDecode { .. }
        | sqlx::Error::ColumnIndexOutOfBounds { .. }
        | sqlx::Error::ColumnNotFound(_)
        | sqlx::Error::Decode(_)
        | sqlx::Error::Encode(_)
        | sqlx::Error::RowNotFound
        | sqlx::Error::TypeNotFound { .. } => Verdict::Damaged,
        // The error is non-exhaustive; what is left is the connection, the pool and the protocol.
        _ => Verdict::Unavailable,
    }
}

fn database_verdict(code: &str) -> Verdict {
    // SQLSTATE has five characters; SQLite's extended codes are decimal numbers of at most four digits.
    if code.len() == 5 {
        return match code {
            "40001" | "40P01" => Verdict::Again,
            _ if POSTGRES_PASSING.contains(&&code[..2]) => Verdict::Unavailable,
            _ => Verdict::Damaged,
        };
    }
    match code.parse::<i64>().map(|code| code & 0xff) {
        Ok(5 | 6) => Verdict::Again,
        Ok(code) if SQLITE_PASSING.contains(&code) => Verdict::Unavailable,
        Ok(_) | Err(_) => Verdict::Damaged,
    }
}

/// Why a connection cannot be made or a fresh one not be used.
pub(super) enum Refusal {
    /// Nobody answers.
    Unreachable,
    /// It is there, and does not take writes.
    NotWritable,
    /// A file that is no SQLite database.
    NotSqlite,
    /// It is a broken database.
    Damaged,
}

/// What an error at opening says.
pub(super) fn refusal(error: &sqlx::Error) -> Refusal {
    let code = match error {
        sqlx::Error::Database(database) => database.code().unwrap_or_default().parse::<i64>(),
        _ => return Refusal::Unreachable,
    };
    // SQLite: read-only, I/O error, full, cannot open; corrupt, not a database.
    match code.map(|code| code & 0xff) {
        Ok(8 | 10 | 13 | 14) => Refusal::NotWritable,
        Ok(11) => Refusal::Damaged,
        Ok(26) => Refusal::NotSqlite,
        Ok(_) | Err(_) => Refusal::Unreachable,
    }
}

/// Whether an error at connecting may be gone a moment later: the server is starting or full, another process has the lock.
pub(super) fn passes(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(error) => error.kind() == std::io::ErrorKind::ConnectionRefused,
        sqlx::Error::Database(database) => {
            let code = database.code().unwrap_or_default();
            matches!(&*code, "53300" | "57P03") || matches!(verdict(error), Verdict::Again)
        }
        _ => false,
    }
}

/// The error for the caller.
pub(super) fn to_catalog_error(error: &sqlx::Error) -> CatalogError {
    match verdict(error) {
        Verdict::Again | Verdict::Unavailable => CatalogError::Unavailable(error.to_string()),
        Verdict::Damaged => CatalogError::Corrupt(error.to_string()),
    }
}

impl<E> From<sqlx::Error> for TxError<E> {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

impl From<CatalogError> for TxError<CatalogError> {
    fn from(error: CatalogError) -> Self {
        Self::Refused(error)
    }
}

mod commands {
    use super::{CatalogError, TxError};
    use crate::commands::CommandError;

    impl From<CommandError> for TxError<CommandError> {
        fn from(error: CommandError) -> Self {
            Self::Refused(error)
        }
    }

    impl From<CatalogError> for TxError<CommandError> {
        fn from(error: CatalogError) -> Self {
            Self::Refused(CommandError::Catalog(error))
        }
    }

    impl From<TxError<CatalogError>> for TxError<CommandError> {
        fn from(error: TxError<CatalogError>) -> Self {
            match error {
                TxError::Database(error) => Self::Database(error),
                TxError::Refused(error) => Self::Refused(CommandError::Catalog(error)),
            }
        }
    }
}
