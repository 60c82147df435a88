//! The mail port: how messages leave the control plane.
//!
//! | module | what is in it |
//! |---|---|
//! | `smtp` | [`SmtpMailer`]: through a mail server |
//! | `mailbox` | [`Mailbox`]: `firn dev` keeps what it would send, for the page `/dev/mail` |
//! | `letters` | what the messages say |
//! | `outbox` | sending while nobody waits |

pub(crate) mod letters;
mod mailbox;
pub(crate) mod outbox;
mod smtp;

pub use mailbox::{Mailbox, Received};
pub use smtp::{InvalidMailSettings, SmtpMailer};

use async_trait::async_trait;

/// A message to one address.
#[derive(Clone, PartialEq, Eq)]
pub struct Mail {
    /// The address, already validated.
    pub to: String,
    /// The subject, one line.
    pub subject: String,
    /// The body as plain text. It may hold a one-time token: never logged.
    pub text: String,
}

/// Why a message did not leave.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// It is refused, and will be again.
    #[error("the mail is refused: {0}")]
    Refused(String),
    /// It may be taken another time.
    #[error("the mail could not be sent: {0}")]
    NotTaken(String),
}

/// Sends messages.
#[async_trait]
pub trait Mailer: Send + Sync + 'static {
    /// Hands a message over; it is under way when this returns.
    async fn send(&self, mail: Mail) -> Result<(), MailError>;

    /// Where the messages can be read, if they stay here.
    fn mailbox(&self) -> Option<&Mailbox> {
        None
    }
}
