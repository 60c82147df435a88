//! A throw-away PostgreSQL for one test: the server that the catalog's own tests use.

#[path = "../../controlplane/catalog/tests/postgres/server.rs"]
mod server;

/// A running server with one empty database.
pub struct Postgres(server::Server);

impl Postgres {
    /// Makes a cluster in a temporary directory and starts it on a free port.
    pub fn start() -> Self {
        Self(server::Server::start())
    }

    /// Ends it, and all connections.
    pub fn stop(&mut self) {
        self.0.stop();
    }

    /// Starts it on the same data and port after [`Self::stop`].
    pub fn start_again(&mut self) {
        self.0.start_again();
    }

    /// Every row of its database, as SQL.
    pub fn dump(&self) -> Vec<u8> {
        self.0.dump("postgres")
    }

    /// The URL of its database.
    pub fn url(&self) -> String {
        self.0.url("postgres")
    }
}
