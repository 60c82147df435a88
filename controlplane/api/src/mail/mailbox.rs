//! The mailbox of `firn dev`: the last messages, in memory.

use std::collections::VecDeque;

use async_trait::async_trait;
use firn_runtime::{Env, Timestamp};
use parking_lot::Mutex;

use super::{Mail, MailError, Mailer};

/// How many messages are kept.
const KEPT: usize = 1_000;

/// A message that would have been sent.
#[derive(Clone)]
pub struct Received {
    /// The message.
    pub mail: Mail,
    /// When it came.
    pub at: Timestamp,
}

/// Keeps the last thousand messages instead of sending them.
pub struct Mailbox {
    env: Env,
    received: Mutex<VecDeque<Received>>,
}

impl Mailbox {
    /// An empty one.
    pub fn new(env: Env) -> Self {
        Self {
            env,
            received: Mutex::default(),
        }
    }

    /// The messages to one address, or to all; the newest first.
    pub fn messages(&self, to: Option<&str>) -> Vec<Received> {
        let received = self.received.lock();
        let wanted = received
            .iter()
            .rev()
            .filter(|received| to.is_none_or(|to| received.mail.to == to));
        wanted.cloned().collect()
    }
}

#[async_trait]
impl Mailer for Mailbox {
    async fn send(&self, mail: Mail) -> Result<(), MailError> {
        let at = self.env.now();
        let mut received = self.received.lock();
        if received.len() == KEPT {
            received.pop_front();
        }
        received.push_back(Received { mail, at });
        Ok(())
    }

    fn mailbox(&self) -> Option<&Mailbox> {
        Some(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(to: &str, subject: usize) -> Mail {
        Mail {
            to: to.into(),
            subject: subject.to_string(),
            text: String::new(),
        }
    }

    #[tokio::test]
    async fn the_last_thousand_are_kept_and_the_newest_comes_first() {
        let mailbox = Mailbox::new(Env::system());
        for number in 0..1_100 {
            let to = if number % 2 == 0 { "even@x" } else { "odd@x" };
            mailbox.send(mail(to, number)).await.unwrap();
        }
        let all = mailbox.messages(None);
        assert_eq!((all.len(), &*all[0].mail.subject), (1_000, "1099"));
        assert_eq!(all[999].mail.subject, "100");
        let even = mailbox.messages(Some("even@x"));
        assert_eq!((even.len(), &*even[0].mail.subject), (500, "1098"));
    }
}
