//! A throw-away PostgreSQL server for tests, as Debian packages it: own data directory, port and socket folder, loopback
//! only. The tests of the binary use it, too.

#![allow(
    clippy::disallowed_methods,
    reason = "waiting for another process takes the real clock"
)]

use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, geteuid, kill_process};
use tempfile::TempDir;

/// PostgreSQL refuses to run as root; this is `nobody`.
const NOBODY: u32 = 65534;

/// How long a start may take before the test fails. Generous: two cores may be busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// How many ports it tries: somebody else may be quicker to take one.
const TRIES: usize = 10;

/// A running server; stopped when dropped.
pub struct Server {
    process: Child,
    programs: PathBuf,
    port: u16,
    folder: TempDir,
}

impl Server {
    /// Makes its data directory, starts it and waits until it answers.
    pub fn start() -> Self {
        let programs = programs();
        let folder = TempDir::new().unwrap();
        if geteuid().is_root() {
            chown(folder.path(), Some(NOBODY), Some(NOBODY)).unwrap();
        }
        let data = folder.path().join("data");
        run(unprivileged(&programs.join("initdb"))
            .args(["-A", "trust", "--no-sync", "-U", "postgres"])
            .args(["-E", "UTF8", "--no-locale", "-D"])
            .arg(&data)
            .current_dir(folder.path()));
        let port = free_port();
        let mut server = Self {
            process: launch(&programs, &folder, port),
            programs,
            port,
            folder,
        };
        for _ in 0..TRIES {
            if server.comes_up() {
                return server;
            }
            server.port = free_port();
            server.process = launch(&server.programs, &server.folder, server.port);
        }
        panic!("PostgreSQL ends as soon as it has begun");
    }

    /// Ends it, and all connections, as an administrator would who is in a hurry.
    #[allow(dead_code, reason = "not every test binary needs it")]
    pub fn stop(&mut self) {
        let first = Pid::from_raw(i32::try_from(self.process.id()).unwrap()).unwrap();
        kill_process(first, Signal::INT).unwrap();
        self.process.wait().unwrap();
    }

    /// Starts it on the same data and port after [`Self::stop`].
    #[allow(dead_code, reason = "not every test binary needs it")]
    pub fn start_again(&mut self) {
        self.process = launch(&self.programs, &self.folder, self.port);
        assert!(self.comes_up(), "PostgreSQL has ended: is its port still free?");
    }

    /// Waits until it serves; answers whether it does. It ends if somebody else was quicker to take the port, who then is not
    /// to be mistaken for it: so it is asked for in its own folder, where it says that it is ready.
    fn comes_up(&mut self) -> bool {
        let says = self.folder.path().join("data").join("postmaster.pid");
        let own = self.process.id().to_string();
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let said = fs::read_to_string(&says).unwrap_or_default();
            let mut lines = said.lines().map(str::trim);
            if lines.next() == Some(own.as_str()) && lines.next_back() == Some("ready") {
                return true;
            }
            if self.process.try_wait().unwrap().is_some() {
                return false;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("PostgreSQL did not start within {PATIENCE:?}");
    }

    /// The URL of a database in it; `postgres` is there from the start.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// Makes an empty database.
    #[allow(dead_code, reason = "not every test binary needs it")]
    pub fn create_database(&self, name: &str) {
        run(self.program("createdb").arg(name));
    }

    /// Every row of a database, as SQL.
    #[allow(dead_code, reason = "not every test binary needs it")]
    pub fn dump(&self, database: &str) -> Vec<u8> {
        let output = self
            .program("pg_dump")
            .args(["--data-only", "--inserts", database])
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        output.stdout
    }

    /// Sends a signal to all its processes. It has one for each connection; all are children of the first.
    pub fn signal(&self, signal: Signal) {
        let parent = Pid::from_raw(i32::try_from(self.process.id()).unwrap()).unwrap();
        for pid in children(parent).into_iter().chain([parent]) {
            // A connection's process may have ended in the meantime.
            let _ = kill_process(pid, signal);
        }
    }

    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.programs.join(name));
        command
            .args(["-h", "127.0.0.1", "-U", "postgres"])
            .env("PGPORT", self.port.to_string());
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // An immediate shutdown: it ends its children too, which SIGKILL would not. A failed test may have frozen it.
        let first = Pid::from_raw(i32::try_from(self.process.id()).unwrap()).unwrap();
        let _ = kill_process(first, Signal::QUIT);
        self.signal(Signal::CONT);
        let _ = self.process.wait();
    }
}

fn launch(programs: &Path, folder: &TempDir, port: u16) -> Child {
    unprivileged(&programs.join("postgres"))
        .arg("-D")
        .arg(folder.path().join("data"))
        .args(["-p", &port.to_string(), "-k"])
        .arg(folder.path())
        .args(["-c", "listen_addresses=127.0.0.1"])
        .args(["-c", "fsync=off", "-c", "max_connections=200"])
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// The processes that `parent` has started, from the fourth field of their `stat`; the command before it may hold spaces.
fn children(parent: Pid) -> Vec<Pid> {
    let parent = parent.as_raw_nonzero().to_string();
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
        if fields.split_whitespace().nth(1) == Some(parent.as_str()) {
            found.extend(Pid::from_raw(pid));
        }
    }
    found
}

/// Where Debian puts the server's programs: outside of the search path, one folder for each version. The newest.
fn programs() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql");
    let versions = versions.into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    found.retain(|programs| programs.join("initdb").exists());
    found.sort();
    found
        .pop()
        .expect("the PostgreSQL server is not on this machine: `make tools` installs it")
}

/// A command that runs as someone whom PostgreSQL accepts.
fn unprivileged(program: &Path) -> Command {
    if !geteuid().is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command
        .args([format!("--reuid={NOBODY}"), format!("--regid={NOBODY}")])
        .arg("--clear-groups")
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

/// A port that was free a moment ago, none of those that the system gives to whoever asks for any.
fn free_port() -> u16 {
    let mut tries = (0..100_u8).map(|_| 10_000 + RandomState::new().hash_one(()) % 20_000);
    let free = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
    let found = tries.find_map(|port| u16::try_from(port).ok().filter(|port| free(*port)));
    found.expect("most ports are free")
}
