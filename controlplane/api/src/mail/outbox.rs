//! Work that goes on after its answer, so that the answer's time says nothing about what there was to do.

use std::sync::Arc;
use std::time::Duration;

use firn_runtime::Env;
use tokio::sync::Semaphore;

use super::{Mail, Mailer};
use crate::rules::{Code, Problem};

/// How much of it goes on at once.
const AT_ONCE: usize = 256;
/// How often a message is handed over before it is given up.
const ATTEMPTS: u32 = 4;

/// Sends mail, and does what leads to it, in the background.
#[derive(Clone)]
pub(crate) struct Outbox {
    env: Env,
    mailer: Arc<dyn Mailer>,
    room: Arc<Semaphore>,
}

impl Outbox {
    pub(crate) fn new(env: Env, mailer: Arc<dyn Mailer>) -> Self {
        let room = Arc::new(Semaphore::new(AT_ONCE));
        Self { env, mailer, room }
    }

    /// Starts work and does not wait for it. With too much under way already it is refused.
    pub(crate) fn start(&self, work: impl Future<Output = ()> + Send + 'static) -> Result<(), Problem> {
        let Ok(place) = Arc::clone(&self.room).try_acquire_owned() else {
            return Err(Problem::new(Code::Unavailable, "too much is under way; try again").retry_after(1));
        };
        self.env.tasks.spawn(Box::pin(async move {
            work.await;
            drop(place);
        }));
        Ok(())
    }

    /// Hands a message over, again after a failure, and gives it up in the end: its token can be asked for anew.
    pub(crate) async fn deliver(&self, mail: Mail) {
        for attempt in 0..ATTEMPTS {
            let error = match self.mailer.send(mail.clone()).await {
                Ok(()) => return,
                Err(error) => error,
            };
            tracing::warn!(%error, subject = mail.subject, attempt, "a mail was not taken");
            tokio::time::sleep(Duration::from_secs(1 << (2 * attempt))).await;
        }
        tracing::error!(subject = mail.subject, "a mail was given up");
    }
}
