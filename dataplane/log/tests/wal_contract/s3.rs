//! A real S3 server on a loopback port, one for each test.

#![expect(
    clippy::disallowed_methods,
    reason = "waiting for another process takes the real clock"
)]

use std::hash::{BuildHasher, RandomState};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use object_store::ObjectStore;
use tempfile::TempDir;

const KEY: &str = "firn-test";
const SECRET: &str = "firn-test-secret";

/// How many ports it tries: somebody else may be quicker to take one.
const TRIES: usize = 10;

/// A running server, stopped when dropped.
pub struct S3Server {
    process: Child,
    address: String,
    _folder: TempDir,
}

impl S3Server {
    /// Starts a server with one empty bucket, `bucket`.
    pub fn start() -> Self {
        let server = (0..TRIES).find_map(|_| Self::at(free_port()));
        server.expect("the S3 server stays")
    }

    /// The same on this port; `None` if somebody else was quicker to take it, as the server says by ending.
    fn at(port: u16) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("bucket")).unwrap();
        let address = format!("127.0.0.1:{port}");
        let process = Command::new(binary())
            .args(["--port", &address, "--quiet", "posix"])
            .arg(folder.path())
            .env("ROOT_ACCESS_KEY", KEY)
            .env("ROOT_SECRET_KEY", SECRET)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut server = Self {
            process,
            address,
            _folder: folder,
        };
        for _ in 0..12_000 {
            let answers = TcpStream::connect(&server.address).is_ok();
            if server.process.try_wait().unwrap().is_some() {
                return None;
            }
            if answers {
                return Some(server);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("the S3 server does not listen on {}", server.address);
    }

    /// Where it listens, as `HOST:PORT`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The server's bucket, under a prefix, as an operator configures it.
    #[allow(dead_code, reason = "the tests of the binary give it the variables instead")]
    pub fn open(&self) -> Arc<dyn ObjectStore> {
        // A second installation finds the first one's.
        let _ = rustls::crypto::ring::default_provider().install_default();
        firn_log::store::open_with("s3://bucket/some/prefix", variables(self.address())).unwrap()
    }
}

/// What the environment of those says who use the server at `address`.
pub fn variables(address: &str) -> [(String, String); 3] {
    [
        ("AWS_ENDPOINT_URL", format!("http://{address}")),
        ("AWS_ACCESS_KEY_ID", KEY.to_owned()),
        ("AWS_SECRET_ACCESS_KEY", SECRET.to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
}

impl Drop for S3Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A port that was free a moment ago, none of those that the system gives to whoever asks for any.
fn free_port() -> u16 {
    let mut tries = (0..100_u8).map(|_| 10_000 + RandomState::new().hash_one(()) % 20_000);
    let free = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
    let found = tries.find_map(|port| u16::try_from(port).ok().filter(|port| free(*port)));
    found.expect("most ports are free")
}

fn binary() -> PathBuf {
    // Of this crate, or of the whole repository.
    let folders = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let mut built = folders.map(|folder| folder.join(".cache/tools/bin/versitygw"));
    if let Some(built) = built.find(|built| built.exists()) {
        return built;
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|folder| folder.join("versitygw"))
        .find(|candidate| candidate.exists())
        .expect("versitygw is in .cache/tools/bin or in PATH: `make tools` builds it")
}
