//! Mail through a mail server that reads the dialogue as RFC 5321 has it.

#![allow(clippy::unwrap_used, reason = "a test may panic, and helpers are tests too")]

use firn_api::mail::{Mail, MailError, Mailer, SmtpMailer};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

/// What one dialogue said: the commands, and the message.
#[derive(Default)]
struct Dialogue {
    commands: Vec<String>,
    message: String,
}

/// Serves one connection; `verdict` answers the recipient.
async fn serve(listener: TcpListener, verdict: &str) -> Dialogue {
    let (stream, _) = listener.accept().await.unwrap();
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    let mut heard = Dialogue::default();
    write.write_all(b"220 test ESMTP\r\n").await.unwrap();
    while let Some(line) = lines.next_line().await.unwrap() {
        let verb = line.split([' ', ':']).next().unwrap().to_uppercase();
        heard.commands.push(line);
        let answer = match verb.as_str() {
            "EHLO" => "250-test\r\n250 8BITMIME".to_owned(),
            "RCPT" => verdict.to_owned(),
            "DATA" => {
                write.write_all(b"354 go on\r\n").await.unwrap();
                while let Some(line) = lines.next_line().await.unwrap() {
                    if line == "." {
                        break;
                    }
                    heard.message.push_str(line.strip_prefix('.').unwrap_or(&line));
                    heard.message.push('\n');
                }
                "250 taken".to_owned()
            }
            "QUIT" => "221 bye".to_owned(),
            _ => "250 fine".to_owned(),
        };
        write.write_all(format!("{answer}\r\n").as_bytes()).await.unwrap();
        let refused = verb == "RCPT" && !verdict.starts_with("250");
        if verb == "QUIT" || !heard.message.is_empty() || refused {
            break;
        }
    }
    heard
}

fn mail(to: &str) -> Mail {
    Mail {
        to: to.into(),
        subject: "Confirm your email address".into(),
        text: "Hello,\n\n    TOKEN\n\n.a line that begins with a dot\n".into(),
    }
}

#[tokio::test]
async fn a_mail_goes_through_the_dialogue_whole() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp://{}", listener.local_addr().unwrap());
    let mailer = SmtpMailer::new(&url, "Firn <noreply@firn.example>").unwrap();
    let (sent, heard) = tokio::join!(mailer.send(mail("ada@example.com")), serve(listener, "250 fine"));
    sent.unwrap();
    let has = |command: &str| heard.commands.iter().any(|heard| heard.starts_with(command));
    assert!(has("MAIL FROM:<noreply@firn.example>"), "{:?}", heard.commands);
    assert!(has("RCPT TO:<ada@example.com>"));
    for part in [
        "From: \"Firn\" <noreply@firn.example>\n",
        "To: ada@example.com\n",
        "Subject: Confirm your email address\n",
        "\n    TOKEN\n",
        "\n.a line that begins with a dot\n",
    ] {
        let unquoted = heard.message.replace("Firn <", "\"Firn\" <");
        assert!(unquoted.contains(part), "{part} in {}", heard.message);
    }
}

#[tokio::test]
async fn a_refused_recipient_and_a_server_that_is_not_there_are_errors() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp://{}", listener.local_addr().unwrap());
    let mailer = SmtpMailer::new(&url, "noreply@firn.example").unwrap();
    let (sent, _) = tokio::join!(
        mailer.send(mail("ada@example.com")),
        serve(listener, "550 no such mailbox")
    );
    let refused = sent.unwrap_err();
    assert!(
        matches!(&refused, MailError::Refused(why) if why.contains("no such mailbox")),
        "{refused}"
    );
    let gone = mailer.send(mail("ada@example.com")).await.unwrap_err();
    assert!(matches!(gone, MailError::NotTaken(_)), "{gone}");
    let injected = mailer
        .send(mail("ada@example.com>\r\nRCPT TO:<eve@example.com"))
        .await;
    assert!(matches!(injected, Err(MailError::Refused(_))));
}
