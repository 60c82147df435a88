//! A value that tasks wait on. They wake in the order in which they came.

use parking_lot::Mutex;
use tokio::sync::Notify;

/// Like `tokio::sync::watch`, which wakes its waiters in an order drawn from tokio's own randomness: a seed would not
/// give one run.
pub struct Signal<T> {
    value: Mutex<T>,
    changed: Notify,
}

impl<T: Copy> Signal<T> {
    /// A signal that shows `value`.
    pub fn new(value: T) -> Self {
        Self {
            value: Mutex::new(value),
            changed: Notify::new(),
        }
    }

    /// What it shows now.
    pub fn get(&self) -> T {
        *self.value.lock()
    }

    /// Shows `value` from now on.
    pub fn set(&self, value: T) {
        *self.value.lock() = value;
        self.changed.notify_waiters();
    }

    /// Waits until it shows something that `accepts` accepts.
    pub async fn wait_for(&self, accepts: impl Fn(T) -> bool) {
        loop {
            // Registered before the value is read, so that no change is missed.
            let changed = self.changed.notified();
            if accepts(self.get()) {
                return;
            }
            changed.await;
        }
    }
}
