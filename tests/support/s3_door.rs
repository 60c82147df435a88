//! A door in front of the S3 server that refuses some requests while it is shut, as a store does that is overloaded.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::http::content_length;

/// What S3 answers when it wants to be asked again later.
const SLOW_DOWN: &str = "HTTP/1.1 503 Slow Down\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// Passes requests on, one for each connection, except PUTs of cold objects while it is shut. Ends with the test process.
pub struct Door {
    /// Where to connect instead, as `HOST:PORT`.
    pub address: String,
    shut: Arc<AtomicBool>,
    refused: Arc<AtomicUsize>,
}

impl Door {
    /// An open door in front of the server at `address`.
    pub fn before(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let door = Self {
            address: listener.local_addr().unwrap().to_string(),
            shut: Arc::default(),
            refused: Arc::default(),
        };
        let (server, shut, refused) = (server.to_owned(), door.shut.clone(), door.refused.clone());
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (server, shut, refused) = (server.clone(), Arc::clone(&shut), Arc::clone(&refused));
                std::thread::spawn(move || {
                    // Either side may go away at any time: the tests kill one of them.
                    let _ = pass(client, &server, &shut, &refused);
                });
            }
        });
        door
    }

    /// From here on no cold object gets in.
    pub fn shut(&self) {
        self.shut.store(true, Ordering::SeqCst);
    }

    /// Everything gets in again.
    pub fn open(&self) {
        self.shut.store(false, Ordering::SeqCst);
    }

    /// How many PUTs were refused.
    pub fn refused(&self) -> usize {
        self.refused.load(Ordering::SeqCst)
    }
}

fn pass(mut client: TcpStream, server: &str, shut: &AtomicBool, refused: &AtomicUsize) -> io::Result<()> {
    let mut request = Vec::new();
    let mut buffer = vec![0; 64 << 10];
    let head = loop {
        if let Some(end) = request.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        match client.read(&mut buffer)? {
            0 => return Ok(()),
            count => request.extend_from_slice(&buffer[..count]),
        }
    };
    let text = String::from_utf8_lossy(&request[..head]).into_owned();
    let whole = head + 4 + content_length(&text);
    while request.len() < whole {
        match client.read(&mut buffer)? {
            0 => return Ok(()),
            count => request.extend_from_slice(&buffer[..count]),
        }
    }
    let cold = text.starts_with("PUT ") && (text.contains("/seg/") || text.contains("/mux/"));
    if cold && shut.load(Ordering::SeqCst) {
        refused.fetch_add(1, Ordering::SeqCst);
        return client.write_all(SLOW_DOWN.as_bytes());
    }
    let mut server = TcpStream::connect(server)?;
    server.write_all(&request[..head])?;
    server.write_all(b"\r\nconnection: close")?;
    server.write_all(&request[head..])?;
    io::copy(&mut server, &mut client)?;
    Ok(())
}
