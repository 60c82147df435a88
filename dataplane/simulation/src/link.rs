//! The way between one broker process and the rest of the world.

use tokio::sync::watch;

/// Whether a broker and the world hear each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkState {
    /// They do.
    Up,
    /// Nothing passes, in either direction; what was sent arrives when the link is up again.
    Stalled,
    /// The process is gone.
    Dead,
}

/// One broker's link.
pub struct Link(watch::Sender<LinkState>);

impl Default for Link {
    fn default() -> Self {
        Self(watch::Sender::new(LinkState::Up))
    }
}

impl Link {
    /// Its state now.
    pub fn state(&self) -> LinkState {
        *self.0.borrow()
    }

    /// Changes its state; the dead stay dead.
    pub fn set(&self, state: LinkState) {
        self.0.send_if_modified(|now| {
            let changes = *now != LinkState::Dead && *now != state;
            if changes {
                *now = state;
            }
            changes
        });
    }

    /// Waits until something passes, or never will.
    pub async fn pass(&self) {
        let mut state = self.0.subscribe();
        // The sender lives in `self`, so the wait ends only with the state.
        let _ = state.wait_for(|state| *state != LinkState::Stalled).await;
    }

    /// Waits for the end of the process.
    pub async fn dead(&self) {
        let mut state = self.0.subscribe();
        let _ = state.wait_for(|state| *state == LinkState::Dead).await;
    }
}
