//! A mail server for one test, which takes every message and keeps it.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::wait_for;

/// How long a message may take. It leaves while nobody waits.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running server; its thread ends with the test's process.
pub struct MailServer {
    address: String,
    messages: Arc<Mutex<Vec<Message>>>,
}

/// A message as it came: lines are joined where quoted-printable has broken them.
#[derive(Clone, Debug)]
pub struct Message {
    /// Whom it is for.
    pub to: String,
    /// Headers and body.
    pub text: String,
}

impl MailServer {
    /// Starts it on a free port.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self {
            address: listener.local_addr().unwrap().to_string(),
            messages: Arc::default(),
        };
        let messages = Arc::clone(&server.messages);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let messages = Arc::clone(&messages);
                std::thread::spawn(move || drop(take(&stream, &messages)));
            }
        });
        server
    }

    /// The setting that sends mail here.
    pub fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    /// The last message to this address; waits for the first one.
    pub fn last_to(&self, address: &str) -> Message {
        let found = wait_for(PATIENCE, || {
            let messages = self.messages.lock().unwrap();
            messages
                .iter()
                .rev()
                .find(|message| message.to == address)
                .cloned()
        });
        found.unwrap_or_else(|| panic!("no mail to {address}"))
    }
}

/// One dialogue; ends with the client.
fn take(stream: &TcpStream, messages: &Mutex<Vec<Message>>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut answers = stream;
    let mut line = String::new();
    let mut to = String::new();
    answers.write_all(b"220 test\r\n")?;
    loop {
        line.clear();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let command = line.trim_end().to_ascii_uppercase();
        if command.starts_with("EHLO") {
            answers.write_all(b"250-test\r\n250 8BITMIME\r\n")?;
        } else if command.starts_with("RCPT TO:") {
            to = line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
            answers.write_all(b"250 ok\r\n")?;
        } else if command == "DATA" {
            answers.write_all(b"354 go on\r\n")?;
            let text = message(&mut reader)?;
            messages.lock().unwrap().push(Message {
                to: std::mem::take(&mut to),
                text,
            });
            answers.write_all(b"250 taken\r\n")?;
        } else if command == "QUIT" {
            answers.write_all(b"221 bye\r\n")?;
            return Ok(());
        } else {
            answers.write_all(b"250 ok\r\n")?;
        }
    }
}

fn message(reader: &mut impl BufRead) -> std::io::Result<String> {
    let mut text = String::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line == ".\r\n" {
            break;
        }
        text.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
    let text = text.replace("=\r\n", "").replace("=3D", "=").replace("=3d", "=");
    Ok(text.replace("\r\n", "\n"))
}
