//! Ends a connection from outside, whatever it is doing.

use std::sync::{Arc, OnceLock};

use tokio_util::sync::CancellationToken;

use super::Closing;

/// Ends one connection. Clones end the same one.
#[derive(Clone, Debug)]
pub(crate) struct Cut(Arc<State>);

#[derive(Debug)]
struct State {
    token: CancellationToken,
    why: OnceLock<Closing>,
}

impl Cut {
    /// For a connection that also ends with all others, when `abort` is cancelled.
    pub(crate) fn new(abort: &CancellationToken) -> Self {
        Self(Arc::new(State {
            token: abort.child_token(),
            why: OnceLock::new(),
        }))
    }

    /// Ends it; the first reason counts.
    pub(crate) fn cut(&self, why: Closing) {
        self.0.why.get_or_init(|| why);
        self.0.token.cancel();
    }

    /// Waits for the end, and says why.
    pub(crate) async fn ended(&self) -> Closing {
        self.0.token.cancelled().await;
        self.0.why.get().copied().unwrap_or(Closing::Shutdown)
    }
}
