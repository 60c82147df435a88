//! The way between one broker process and the rest of the world.

use crate::signal::Signal;

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
pub struct Link(Signal<LinkState>);

impl Default for Link {
    fn default() -> Self {
        Self(Signal::new(LinkState::Up))
    }
}

impl Link {
    /// Its state now.
    pub fn state(&self) -> LinkState {
        self.0.get()
    }

    /// Changes its state; the dead stay dead.
    pub fn set(&self, state: LinkState) {
        if self.state() != LinkState::Dead {
            self.0.set(state);
        }
    }

    /// Waits until something passes, or never will.
    pub async fn pass(&self) {
        self.0.wait_for(|state| state != LinkState::Stalled).await;
    }
}
