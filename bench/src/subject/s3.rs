//! The S3 server that Firn keeps its log in: versitygw over a folder.

use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use super::process::Process;

const BUCKET: &str = "bench";
const KEY: &str = "firn-bench";
const SECRET: &str = "only-on-loopback";
const PATIENCE: Duration = Duration::from_secs(20);

/// A running S3 server; it ends when dropped.
pub struct Server {
    process: Process,
    address: String,
}

impl Server {
    /// Starts it over `folder`, with an empty bucket.
    pub fn start(versitygw: &Path, folder: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder.join(BUCKET))
            .with_context(|| format!("cannot make {}", folder.display()))?;
        let address = free_address()?;
        let mut command = Command::new(versitygw);
        command
            .env("ROOT_ACCESS_KEY", KEY)
            .env("ROOT_SECRET_KEY", SECRET)
            .args(["--port", &address, "--quiet", "posix"])
            .arg(folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut server = Self {
            process: Process::spawn("versitygw", &mut command)?,
            address,
        };
        let began = Instant::now();
        while TcpStream::connect(&server.address).is_err() {
            server.process.expect_alive()?;
            ensure!(began.elapsed() < PATIENCE, "versitygw does not serve");
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }

    /// The store's URL.
    pub fn url(&self) -> String {
        format!("s3://{BUCKET}/cell")
    }

    /// How Firn finds it.
    pub fn environment(&self) -> [(&'static str, String); 4] {
        [
            ("AWS_ENDPOINT_URL", format!("http://{}", self.address)),
            ("AWS_ACCESS_KEY_ID", KEY.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", SECRET.to_owned()),
            ("AWS_REGION", "us-east-1".to_owned()),
        ]
    }
}

/// An address on loopback that nobody listens on now.
pub fn free_address() -> anyhow::Result<String> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}
