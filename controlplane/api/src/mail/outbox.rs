//! Work that goes on after its answer, so that the answer's time says nothing about what there was to do.
//!
//! Each kind has room of its own, so that none can keep another from being done: what leads to mail, audit rows, and mail that waits
//! to be handed over again. All room is bounded, and a mail server that is gone fills the last one only.

use std::sync::Arc;
use std::time::Duration;

use firn_runtime::Env;
use tokio::sync::Semaphore;

use super::{Mail, MailError, Mailer};
use crate::rules::{Code, Problem};

/// How much that leads to mail goes on at once.
const MAILS_AT_ONCE: usize = 256;
/// How many audit rows are written at once.
const AUDITS_AT_ONCE: usize = 64;
/// How many mails may wait to be handed over again.
const MOST_RETRIES: usize = 1_024;
/// How many of them are handed over at once.
const RETRIES_AT_ONCE: usize = 32;
/// How often a mail is handed over before it is given up.
const ATTEMPTS: u32 = 4;

/// Sends mail, and does what leads to it, in the background.
#[derive(Clone)]
pub(crate) struct Outbox {
    env: Env,
    mailer: Arc<dyn Mailer>,
    mails: Arc<Semaphore>,
    audits: Arc<Semaphore>,
    retries: Arc<Semaphore>,
    retrying: Arc<Semaphore>,
}

impl Outbox {
    pub(crate) fn new(env: Env, mailer: Arc<dyn Mailer>) -> Self {
        let room = |places| Arc::new(Semaphore::new(places));
        Self {
            env,
            mailer,
            mails: room(MAILS_AT_ONCE),
            audits: room(AUDITS_AT_ONCE),
            retries: room(MOST_RETRIES),
            retrying: room(RETRIES_AT_ONCE),
        }
    }

    /// Starts what leads to a mail and does not wait for it. With too much of it under way already it is refused: for what changes
    /// nothing before it has started.
    pub(crate) fn start(&self, work: impl Future<Output = ()> + Send + 'static) -> Result<(), Problem> {
        self.start_in(&self.mails, work)
    }

    /// The same for the audit row of what has failed.
    pub(crate) fn audit(&self, work: impl Future<Output = ()> + Send + 'static) -> Result<(), Problem> {
        self.start_in(&self.audits, work)
    }

    fn start_in(
        &self,
        room: &Arc<Semaphore>,
        work: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), Problem> {
        let Ok(place) = Arc::clone(room).try_acquire_owned() else {
            return Err(Problem::new(Code::Unavailable, "too much is under way; try again").retry_after(1));
        };
        self.env.tasks.spawn(Box::pin(async move {
            work.await;
            drop(place);
        }));
        Ok(())
    }

    /// Sends a mail that tells of what has been done, without waiting for it. That stands, whatever becomes of the mail.
    pub(crate) fn post(&self, mail: Mail) {
        let outbox = self.clone();
        let again = mail.clone();
        if self.start(async move { outbox.deliver(mail).await }).is_err() {
            self.retry(again, 0);
        }
    }

    /// Hands a mail over, for which [`Self::start`] has made room. One that is not taken now is handed over again later, without it.
    pub(crate) async fn deliver(&self, mail: Mail) {
        if self.attempt(&mail, 0).await {
            self.retry(mail, 1);
        }
    }

    /// Hands a mail over; whether it should be tried again.
    async fn attempt(&self, mail: &Mail, attempt: u32) -> bool {
        let subject = &mail.subject;
        match self.mailer.send(mail.clone()).await {
            Ok(()) => false,
            Err(error @ MailError::Refused(_)) => {
                tracing::warn!(%error, subject, "a mail was refused and is given up");
                false
            }
            Err(error @ MailError::NotTaken(_)) => {
                tracing::warn!(%error, subject, attempt, "a mail was not taken");
                true
            }
        }
    }

    /// Hands a mail over later, from its `attempt`-th try on, and gives it up in the end: its token can be asked for anew.
    fn retry(&self, mail: Mail, mut attempt: u32) {
        let Ok(place) = Arc::clone(&self.retries).try_acquire_owned() else {
            let subject = mail.subject;
            tracing::error!(subject, "a mail was given up: too many wait to be sent again");
            return;
        };
        let outbox = self.clone();
        self.env.tasks.spawn(Box::pin(async move {
            while attempt < ATTEMPTS {
                tokio::time::sleep(Duration::from_secs(1 << (2 * attempt))).await;
                let turn = outbox.retrying.acquire().await;
                let again = outbox.attempt(&mail, attempt).await;
                drop(turn);
                if !again {
                    return;
                }
                attempt += 1;
            }
            tracing::error!(subject = mail.subject, "a mail was given up");
            drop(place);
        }));
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use parking_lot::Mutex;

    use super::*;

    /// A server that answers the same to everything, after a while.
    struct Server {
        answers: Result<(), MailError>,
        takes: Duration,
        asked: Mutex<Vec<String>>,
    }

    impl Server {
        fn outbox(answers: Result<(), MailError>, takes: Duration) -> (Arc<Self>, Outbox) {
            let server = Arc::new(Self {
                answers,
                takes,
                asked: Mutex::default(),
            });
            let outbox = Outbox::new(Env::system(), Arc::clone(&server) as Arc<dyn Mailer>);
            (server, outbox)
        }
    }

    #[async_trait]
    impl Mailer for Server {
        async fn send(&self, mail: Mail) -> Result<(), MailError> {
            self.asked.lock().push(mail.to);
            tokio::time::sleep(self.takes).await;
            self.answers.clone()
        }
    }

    fn mail(number: usize) -> Mail {
        Mail {
            to: number.to_string(),
            subject: String::new(),
            text: String::new(),
        }
    }

    fn start(outbox: &Outbox, number: usize) -> Result<(), Problem> {
        let sender = outbox.clone();
        outbox.start(async move { sender.deliver(mail(number)).await })
    }

    const NOW: Duration = Duration::ZERO;
    const SOON: Duration = Duration::from_millis(500);
    const FOR_EVER: Duration = Duration::from_secs(1 << 20);

    fn not_taken() -> Result<(), MailError> {
        Err(MailError::NotTaken("451 later".into()))
    }

    #[tokio::test(start_paused = true)]
    async fn what_waits_for_a_retry_takes_no_room_from_what_comes() {
        let (server, outbox) = Server::outbox(not_taken(), NOW);
        for number in 0..MAILS_AT_ONCE {
            start(&outbox, number).unwrap();
        }
        assert!(start(&outbox, 0).is_err(), "all of them are about to be sent");
        tokio::time::sleep(SOON).await;
        for number in 0..MAILS_AT_ONCE {
            start(&outbox, number).unwrap();
        }
        tokio::time::sleep(FOR_EVER).await;
        let attempts = usize::try_from(ATTEMPTS).unwrap();
        assert_eq!(server.asked.lock().len(), 2 * MAILS_AT_ONCE * attempts);
        assert_eq!(outbox.retries.available_permits(), MOST_RETRIES);
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_server_refuses_for_good_is_not_sent_again() {
        let (server, outbox) = Server::outbox(Err(MailError::Refused("550 nobody".into())), NOW);
        start(&outbox, 1).unwrap();
        tokio::time::sleep(FOR_EVER).await;
        assert_eq!(*server.asked.lock(), ["1"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_outbox_keeps_nobody_from_audits_nor_from_changes_that_are_done() {
        let (server, outbox) = Server::outbox(Ok(()), Duration::from_secs(20));
        for number in 0..MAILS_AT_ONCE {
            start(&outbox, number).unwrap();
        }
        assert!(start(&outbox, 0).is_err());
        outbox.audit(async {}).unwrap();
        outbox.post(mail(999));
        tokio::time::sleep(FOR_EVER).await;
        assert_eq!(
            server.asked.lock().last().unwrap(),
            "999",
            "sent once there was room"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn the_mails_that_wait_are_bounded() {
        let (_server, outbox) = Server::outbox(not_taken(), NOW);
        for _ in 0..4 * MOST_RETRIES {
            outbox.post(mail(1));
        }
        tokio::time::sleep(SOON).await;
        assert_eq!(outbox.retries.available_permits(), 0);
        tokio::time::sleep(FOR_EVER).await;
        assert_eq!(outbox.retries.available_permits(), MOST_RETRIES);
    }
}
