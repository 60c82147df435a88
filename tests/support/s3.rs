//! An S3 server for one test: the one that the log's own tests use.

#[path = "../../dataplane/log/tests/wal_contract/s3.rs"]
mod server;

use super::firn::FirnOptions;

/// A running server with one empty bucket.
pub struct S3(server::S3Server);

impl S3 {
    /// Starts it on a free port.
    pub fn start() -> Self {
        Self(server::S3Server::start())
    }

    /// Where it listens, as `HOST:PORT`.
    pub fn address(&self) -> &str {
        self.0.address()
    }

    /// Makes `firn` keep its objects here.
    pub fn serve(&self, options: FirnOptions) -> FirnOptions {
        Self::serve_at(self.address(), options)
    }

    /// Makes `firn` reach the server at this address, which may be a door in front of one.
    pub fn serve_at(address: &str, options: FirnOptions) -> FirnOptions {
        let options = options.arg("--store").arg("s3://bucket/cell");
        let variables = server::variables(address).into_iter();
        variables.fold(options, |options, (name, value)| options.env(name, value))
    }
}
