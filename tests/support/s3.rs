//! An S3 server on loopback (versitygw) for one test.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use super::clients::tool;
use super::firn::FirnOptions;
use super::wait_for;

/// A running server with one empty bucket, `firn`.
pub struct S3 {
    child: Child,
    address: String,
    _directory: TempDir,
}

impl S3 {
    /// Starts it on a free port.
    pub fn start() -> Self {
        let directory = tempfile::Builder::new().prefix("firn-s3-").tempdir().unwrap();
        fs::create_dir(directory.path().join("firn")).unwrap();
        let address = format!("127.0.0.1:{}", free_port());
        let child = Command::new(tool("bin/versitygw"))
            .envs([("ROOT_ACCESS_KEY", "firn"), ("ROOT_SECRET_KEY", "firn-secret")])
            .args(["--port", &address, "--quiet", "posix"])
            .arg(directory.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self {
            child,
            address,
            _directory: directory,
        };
        wait_for(Duration::from_secs(20), || {
            TcpStream::connect(&server.address).ok()
        })
        .expect("the S3 server starts");
        server
    }

    /// Where it listens, as `HOST:PORT`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Makes `firn` keep its objects here.
    pub fn serve(&self, options: FirnOptions) -> FirnOptions {
        Self::serve_at(&self.address, options)
    }

    /// Makes `firn` reach the server at this address, which may be a door in front of one.
    pub fn serve_at(address: &str, options: FirnOptions) -> FirnOptions {
        options
            .arg("--store")
            .arg("s3://firn/cell")
            .env("AWS_ENDPOINT_URL", format!("http://{address}"))
            .env("AWS_ACCESS_KEY_ID", "firn")
            .env("AWS_SECRET_ACCESS_KEY", "firn-secret")
            .env("AWS_REGION", "us-east-1")
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}
