//! Mail through an SMTP server.

use std::time::Duration;

use async_trait::async_trait;
use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Message};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use url::{Host, Url};

use super::{Mail, MailError, Mailer};

/// How long one step of the dialogue may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Settings with which no mail can leave.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMailSettings {
    /// The server's URL.
    #[error(
        "the mail server must be smtps://[USER:PASSWORD@]HOST[:PORT], smtp://…?tls=required, or smtp://… without a password"
    )]
    Server,
    /// The sender's address.
    #[error("'{0}' is no sender: write NAME <USER@HOST> or USER@HOST")]
    From(String),
}

/// Sends through a mail server, over connections that it keeps.
pub struct SmtpMailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl SmtpMailer {
    /// Through the server at `url`, from `from`. A password leaves this process over TLS only, or to this machine.
    pub fn new(url: &str, from: &str) -> Result<Self, InvalidMailSettings> {
        let server = Url::parse(url).map_err(|_| InvalidMailSettings::Server)?;
        let required = server
            .query_pairs()
            .any(|(key, value)| key == "tls" && value == "required");
        let private = server.scheme() == "smtps" || required || is_loopback(&server);
        if server.password().is_some() && !private {
            return Err(InvalidMailSettings::Server);
        }
        let from = from
            .parse()
            .map_err(|_| InvalidMailSettings::From(from.to_owned()))?;
        // lettre's error may quote the URL, and with it the password.
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(url)
            .map_err(|_| InvalidMailSettings::Server)?
            .timeout(Some(PATIENCE))
            .build();
        Ok(Self { transport, from })
    }
}

fn is_loopback(server: &Url) -> bool {
    match server.host() {
        // Only special schemes have addresses parsed: here they come as domains.
        Some(Host::Domain(name)) => {
            name == "localhost"
                || name
                    .parse()
                    .is_ok_and(|address: std::net::IpAddr| address.is_loopback())
        }
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[async_trait]
impl Mailer for SmtpMailer {
    async fn send(&self, mail: Mail) -> Result<(), MailError> {
        let to = mail
            .to
            .parse()
            .map_err(|_| MailError::Refused("the address is not one that SMTP knows".into()))?;
        let message = Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(mail.subject)
            .header(ContentType::TEXT_PLAIN)
            .body(mail.text)
            .map_err(|error| MailError::Refused(error.to_string()))?;
        match self.transport.send(message).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_permanent() => Err(MailError::Refused(error.to_string())),
            Err(error) => Err(MailError::NotTaken(error.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_needs_tls_or_this_machine() {
        let from = "Firn <noreply@firn.example>";
        for good in [
            "smtps://user:secret@mail.example",
            "smtp://user:secret@mail.example?tls=required",
            "smtp://user:secret@127.0.0.1:25",
            "smtp://mail.example:25",
        ] {
            assert!(SmtpMailer::new(good, from).is_ok(), "{good}");
        }
        for bad in [
            "smtp://user:secret@mail.example",
            "smtp://user:secret@mail.example?tls=opportunistic",
            "http://mail.example",
            "mail.example",
            "smtp://",
        ] {
            let error = SmtpMailer::new(bad, from).err().unwrap();
            assert!(!error.to_string().contains("secret"), "{bad}");
        }
        assert!(SmtpMailer::new("smtp://mail.example", "nobody").is_err());
    }
}
