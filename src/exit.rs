//! How the process ends: the four exit codes of the contract, and the sentence that goes with each failure.

use std::process::ExitCode;

use crate::config::ConfigError;

/// Why the process ends without success. Its sentence goes to standard error.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Something that is not the operator's configuration went wrong: exit code 1.
    #[error("{0}")]
    Failed(String),
    /// Wrong usage or configuration, by the name of the setting: exit code 2.
    #[error("{0}")]
    Misconfigured(String),
    /// A successor has taken over: exit code 3.
    #[error("{0}")]
    Fenced(String),
}

impl Failure {
    /// Exit code 1, with this sentence.
    pub fn failed(sentence: impl Into<String>) -> Self {
        Self::Failed(sentence.into())
    }

    /// Exit code 2: `setting` is wrong because of `reason`.
    pub fn setting(setting: &str, reason: impl std::fmt::Display) -> Self {
        Self::Misconfigured(format!("{setting}: {reason}"))
    }

    /// The exit code.
    pub fn code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Failed(_) => 1,
            Self::Misconfigured(_) => 2,
            Self::Fenced(_) => 3,
        })
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::Misconfigured(error.to_string())
    }
}
