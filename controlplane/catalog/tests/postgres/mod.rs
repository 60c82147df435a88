//! Empty PostgreSQL databases for tests. Tests of one binary share a server; the last one to finish stops it.

mod server;

use std::sync::{Arc, Weak};

use rustix::process::Signal;
use tokio::sync::Mutex;

use server::Server;

static RUNNING: Mutex<(Weak<Server>, u32)> = Mutex::const_new((Weak::new(), 0));

/// An empty database.
pub struct Database {
    pub url: String,
    server: Arc<Server>,
}

impl Database {
    /// Makes a database, and starts the server if none runs.
    pub async fn new() -> Self {
        let mut running = RUNNING.lock().await;
        let server = match running.0.upgrade() {
            Some(server) => server,
            None => {
                let server = Arc::new(Server::start());
                running.0 = Arc::downgrade(&server);
                server
            }
        };
        running.1 += 1;
        let name = format!("firn_{}", running.1);
        server.create_database(&name);
        Self {
            url: server.url(&name),
            server,
        }
    }

    /// Freezes the server: it answers nothing until [`Database::thaw`].
    #[allow(dead_code, reason = "not every test binary needs it")]
    pub fn freeze(&self) {
        self.server.signal(Signal::STOP);
    }

    /// Lets a frozen server go on.
    #[allow(dead_code, reason = "not every test binary needs it")]
    pub fn thaw(&self) {
        self.server.signal(Signal::CONT);
    }
}
