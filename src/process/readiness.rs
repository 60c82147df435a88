//! What `/readyz` answers from.

use firn_api::{Blocker, Readiness};
use parking_lot::Mutex;

use crate::assembly::Halts;

/// Where the process is in its life.
#[derive(Default)]
enum Phase {
    #[default]
    Starting,
    /// Until the log stops, if there is one.
    Serving(Option<Halts>),
    Stopping,
}

/// The process's readiness.
#[derive(Default)]
pub struct State(Mutex<Phase>);

impl State {
    /// Everything serves, until `halts` says otherwise.
    pub fn serving(&self, halts: Option<Halts>) {
        *self.0.lock() = Phase::Serving(halts);
    }

    /// No new work is accepted.
    pub fn stopping(&self) {
        *self.0.lock() = Phase::Stopping;
    }
}

impl Readiness for State {
    fn blockers(&self) -> Vec<Blocker> {
        match &*self.0.lock() {
            Phase::Starting => vec![Blocker {
                component: "process",
                reason: "it is starting".into(),
            }],
            Phase::Serving(halts) => halts
                .as_ref()
                .and_then(Halts::current)
                .map(|halted| Blocker {
                    component: "log",
                    reason: halted.to_string(),
                })
                .into_iter()
                .collect(),
            Phase::Stopping => vec![Blocker {
                component: "process",
                reason: "it is stopping".into(),
            }],
        }
    }
}
