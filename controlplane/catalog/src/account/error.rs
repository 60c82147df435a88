//! Why the account store refuses.

use crate::cell::CatalogError;
use crate::commands::CommandError;
use crate::sql::TxError;

/// Why something in the account store was refused. Nothing has changed, unless it is `Catalog(Unavailable)`: then look.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccountError {
    /// There is no such thing, or none that the actor may know of: both look the same.
    #[error("no such {what}")]
    NotFound {
        /// What was looked for, as people call it: `organization`, `service account`.
        what: &'static str,
    },
    /// The actor has a role there, but one that does not allow this.
    #[error("no role of yours allows this")]
    Forbidden,
    /// The actor has a role there, but the organization is not reached from where the actor is.
    #[error("the organization does not allow access from your address")]
    AddressNotAllowed,
    /// The name is taken.
    #[error("{what} '{name}' already exists")]
    Exists {
        /// What has the name.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// It has been changed since the caller read it.
    #[error("it was changed meanwhile: it is at version {current}")]
    VersionMismatch {
        /// The version that it has now.
        current: i64,
    },
    /// A value does not do.
    #[error("{pointer}: {reason}")]
    Invalid {
        /// Where in the request, as a JSON pointer.
        pointer: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// There are as many as there may be.
    #[error("there may be at most {limit} {which}")]
    LimitExceeded {
        /// Of what.
        which: &'static str,
        /// How many.
        limit: i64,
    },
    /// Something forbids this as things are.
    #[error("{reason}")]
    Protected {
        /// What, as a sentence for the caller.
        reason: String,
    },
    /// It is protected from deletion.
    #[error("it is protected from deletion: turn the protection off first")]
    DeletionProtected,
    /// It was there, and is over: used, revoked or expired.
    #[error("the {what} is over: it was used or revoked, or has expired")]
    Gone {
        /// What is over.
        what: &'static str,
    },
    /// A command of the cell refused.
    #[error(transparent)]
    Command(CommandError),
    /// The store's own failure.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
}

impl From<CommandError> for AccountError {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::Catalog(error) => Self::Catalog(error),
            CommandError::NotAuthorized => Self::Forbidden,
            CommandError::UnknownCluster => Self::NotFound { what: "cluster" },
            other => Self::Command(other),
        }
    }
}

impl From<AccountError> for TxError<AccountError> {
    fn from(error: AccountError) -> Self {
        Self::Refused(error)
    }
}

impl From<CatalogError> for TxError<AccountError> {
    fn from(error: CatalogError) -> Self {
        Self::Refused(AccountError::Catalog(error))
    }
}

impl From<TxError<CatalogError>> for TxError<AccountError> {
    fn from(error: TxError<CatalogError>) -> Self {
        match error {
            TxError::Database(error) => Self::Database(error),
            TxError::Refused(error) => Self::Refused(AccountError::Catalog(error)),
        }
    }
}

impl From<TxError<CommandError>> for TxError<AccountError> {
    fn from(error: TxError<CommandError>) -> Self {
        match error {
            TxError::Database(error) => Self::Database(error),
            TxError::Refused(error) => Self::Refused(error.into()),
        }
    }
}
