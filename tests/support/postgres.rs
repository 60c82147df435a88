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

    /// The URL of its database.
    pub fn url(&self) -> String {
        self.0.url("postgres")
    }
}
