//! A throw-away PostgreSQL server for tests: own data directory, port and socket folder, loopback only.
//!
//! Tests of one binary share a server, each with a database of its own; the last one to finish stops it.

#![expect(clippy::disallowed_methods, reason = "this starts and stops a real server")]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Weak};
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::Mutex;

/// PostgreSQL refuses to run as root; this is `nobody`.
const NOBODY: &str = "65534";

static RUNNING: Mutex<(Weak<Server>, u32)> = Mutex::const_new((Weak::new(), 0));

struct Server {
    process: Child,
    programs: PathBuf,
    port: u16,
    _folder: TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        // SIGINT is a fast shutdown: it disconnects everyone and stops.
        let pid = self.process.id().to_string();
        Command::new("kill").args(["-INT", &pid]).status().unwrap();
        self.process.wait().unwrap();
    }
}

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
                let server = Arc::new(start().await);
                running.0 = Arc::downgrade(&server);
                server
            }
        };
        running.1 += 1;
        let name = format!("firn_{}", running.1);
        run(server
            .program("createdb")
            .args(["-h", "127.0.0.1", "-U", "postgres", &name]));
        Self {
            url: format!("postgres://postgres@127.0.0.1:{}/{name}", server.port),
            server,
        }
    }

    /// Freezes the server: it answers nothing until [`Database::thaw`].
    #[allow(dead_code, reason = "not every test binary needs it")]
    pub fn freeze(&self) {
        self.signal_all("-STOP");
    }

    /// Lets a frozen server go on.
    #[allow(dead_code, reason = "not every test binary needs it")]
    pub fn thaw(&self) {
        self.signal_all("-CONT");
    }

    /// The server has a process per connection; all are children of the first.
    fn signal_all(&self, signal: &str) {
        let parent = self.server.process.id().to_string();
        let listed = Command::new("ps")
            .args(["-o", "pid=", "--ppid", &parent])
            .output()
            .unwrap();
        let children = String::from_utf8(listed.stdout).unwrap();
        for pid in children.split_whitespace().chain([parent.as_str()]) {
            Command::new("kill").args([signal, pid]).status().unwrap();
        }
    }
}

impl Server {
    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.programs.join(name));
        command.env("PGPORT", self.port.to_string());
        command
    }
}

/// Where Debian puts the server's programs; the newest version.
fn programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let mut found: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    found.retain(|programs| programs.join("initdb").exists());
    found.sort();
    found
        .pop()
        .expect("PostgreSQL is not on this machine: `make test` installs it (Debian package postgresql)")
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().unwrap();
    output.stdout.starts_with(b"0\n")
}

/// A command that runs as someone whom PostgreSQL accepts.
fn unprivileged(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"])
        .arg(program);
    command
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

async fn start() -> Server {
    let programs = programs();
    let folder = TempDir::new().unwrap();
    if is_root() {
        run(Command::new("chown")
            .arg(format!("{NOBODY}:{NOBODY}"))
            .arg(folder.path()));
    }
    let data = folder.path().join("data");
    let arguments = ["-A", "trust", "--no-sync", "-U", "postgres", "-E", "UTF8", "-D"];
    run(unprivileged(&programs.join("initdb"))
        .args(arguments)
        .arg(&data)
        .current_dir(folder.path()));
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let mut command = unprivileged(&programs.join("postgres"));
    command
        .arg("-D")
        .arg(&data)
        .arg("-p")
        .arg(port.to_string())
        .arg("-k")
        .arg(folder.path());
    command.args([
        "-c",
        "listen_addresses=127.0.0.1",
        "-c",
        "fsync=off",
        "-c",
        "max_connections=200",
    ]);
    command
        .current_dir(folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let process = command.spawn().unwrap();
    let server = Server {
        process,
        programs,
        port,
        _folder: folder,
    };
    for _ in 0..300 {
        let ready = server
            .program("pg_isready")
            .args(["-q", "-h", "127.0.0.1"])
            .status()
            .unwrap();
        if ready.success() {
            return server;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("PostgreSQL did not start within 15 s");
}
