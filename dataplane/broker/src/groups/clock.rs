//! Time for groups: begins at the wall clock, and then runs with the monotonic one, so that setting the machine's clock ends no
//! session.

use std::time::Duration;

use firn_runtime::{Env, Timestamp};
use tokio::time::Instant;

/// A clock that never goes back.
#[derive(Clone, Copy, Debug)]
pub(super) struct GroupClock {
    began: Timestamp,
    at: Instant,
}

impl GroupClock {
    pub(super) fn start(env: &Env) -> Self {
        Self {
            began: env.now(),
            at: Instant::now(),
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        let since = i64::try_from(self.at.elapsed().as_millis()).unwrap_or(i64::MAX);
        Timestamp(self.began.0.saturating_add(since))
    }

    /// When it will be that time.
    pub(super) fn instant(&self, time: Timestamp) -> Instant {
        let after = u64::try_from(time.0.saturating_sub(self.began.0)).unwrap_or(0);
        // Far beyond any deadline of a group, and within what an instant can be.
        let after = Duration::from_millis(after).min(Duration::from_secs(365 * 24 * 3600));
        self.at + after
    }
}
