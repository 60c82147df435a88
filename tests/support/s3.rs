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

    /// Makes `firn` keep its objects here.
    pub fn serve(&self, options: FirnOptions) -> FirnOptions {
        let options = options.arg("--store").arg("s3://bucket/cell");
        let variables = self.0.variables().into_iter();
        variables.fold(options, |options, (name, value)| options.env(name, value))
    }
}
