//! A throw-away PostgreSQL on loopback for one test, as Debian packages it.

use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, geteuid, kill_process};
use tempfile::TempDir;

use super::s3::free_port;
use super::wait_for;

/// The user who runs it where the tests run as root, which PostgreSQL refuses.
const NOBODY: u32 = 65534;

/// A running server with one empty database.
pub struct Postgres {
    child: Child,
    port: u16,
    _directory: TempDir,
}

impl Postgres {
    /// Makes a cluster in a temporary directory and starts it on a free port.
    pub fn start() -> Self {
        let directory = tempfile::Builder::new()
            .prefix("firn-postgres-")
            .tempdir()
            .unwrap();
        if geteuid().is_root() {
            chown(directory.path(), Some(NOBODY), Some(NOBODY)).unwrap();
        }
        let data = directory.path().join("data");
        let made = command("initdb", directory.path())
            .args(["-A", "trust", "-U", "postgres", "--no-sync", "-D"])
            .arg(&data)
            .output()
            .unwrap();
        assert!(
            made.status.success(),
            "initdb: {}",
            String::from_utf8_lossy(&made.stderr)
        );
        let port = free_port();
        let child = command("postgres", directory.path())
            .arg("-D")
            .arg(&data)
            .args([
                "-c",
                "listen_addresses=127.0.0.1",
                "-c",
                "fsync=off",
                "-p",
                &port.to_string(),
            ])
            .arg("-k")
            .arg(directory.path())
            .spawn()
            .unwrap();
        let server = Self {
            child,
            port,
            _directory: directory,
        };
        wait_for(Duration::from_secs(30), || {
            TcpStream::connect(("127.0.0.1", port)).ok()
        })
        .expect("it listens");
        server
    }

    /// The URL of its database.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // An immediate shutdown: it ends its children too, which SIGKILL would not.
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, Signal::QUIT).unwrap();
        self.child.wait().unwrap();
    }
}

fn command(name: &str, directory: &Path) -> Command {
    let program = binary(name);
    let mut command = if geteuid().is_root() {
        let mut command = Command::new("setpriv");
        command.args([
            format!("--reuid={NOBODY}"),
            format!("--regid={NOBODY}"),
            "--clear-groups".into(),
        ]);
        command.arg(program);
        command
    } else {
        Command::new(program)
    };
    command
        .current_dir(directory)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

/// Where Debian puts it: outside of the search path, one folder for each version. The newest.
fn binary(name: &str) -> PathBuf {
    let versions =
        fs::read_dir("/usr/lib/postgresql").expect("PostgreSQL is installed: run scripts/provision");
    let mut found: Vec<_> = versions
        .flatten()
        .map(|version| version.path().join("bin").join(name))
        .collect();
    found.sort();
    found.pop().expect("PostgreSQL has a version")
}
