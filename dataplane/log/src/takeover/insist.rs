//! Calls that are made again until they are answered.

use std::future::Future;
use std::time::Duration;

use firn_catalog::cell::CatalogError;
use tokio::time::{Instant, sleep};

use super::IndexError;
use crate::wal::WalError;

/// How long a step is tried again while catalog or store do not answer.
const PATIENCE: Duration = Duration::from_secs(60);
/// The pause before the second try of a step; doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(20);
/// The longest pause between tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Errors after which the same call may be made again.
pub(super) trait Retriable {
    /// Whether the call may be made again.
    fn again(&self) -> bool;
}

impl Retriable for CatalogError {
    fn again(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}

impl Retriable for WalError {
    fn again(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::NoSpace(_))
    }
}

impl Retriable for IndexError {
    fn again(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }
}

impl Retriable for object_store::Error {
    fn again(&self) -> bool {
        true
    }
}

/// Makes a call again until it is answered, with growing pauses, for [`PATIENCE`] at most.
pub(super) async fn insist<T, E: Retriable, F: Future<Output = Result<T, E>>>(
    mut call: impl FnMut() -> F,
) -> Result<T, E> {
    let deadline = Instant::now() + PATIENCE;
    let mut pause = FIRST_PAUSE;
    loop {
        match call().await {
            Err(error) if error.again() && Instant::now() + pause < deadline => sleep(pause).await,
            answer => return answer,
        }
        pause = LONGEST_PAUSE.min(pause * 2);
    }
}
