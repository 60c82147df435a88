//! The client programs that `scripts/provision` puts into `.cache/tools`: run with a time limit, with failures that
//! show what was run and what it said.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::wait_for;

/// How long one run of a client may take before the test fails. Generous: two cores may be busy.
const PATIENCE: Duration = Duration::from_secs(180);

/// The path of a provisioned tool, below `.cache/tools`.
pub fn tool(path: &str) -> PathBuf {
    let tool = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(".cache/tools")
        .join(path);
    assert!(
        tool.exists(),
        "{} is missing: run scripts/provision",
        tool.display()
    );
    tool
}

/// A program in `tests/clients`.
fn program(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/clients")
        .join(path)
}

/// kcat, as Debian packages it.
pub fn kcat() -> Client {
    Client::new("kcat")
}

/// The franz-go client.
pub fn go() -> Client {
    Client::new(tool("bin/firn-test-go"))
}

/// The rdkafka client.
pub fn rust() -> Client {
    Client::new(tool("bin/firn-test-rust"))
}

/// The Python clients; the first argument names the library.
pub fn python() -> Client {
    let mut client = Client::new(tool("python/bin/python"));
    client.command.env("PYTHONDONTWRITEBYTECODE", "1");
    client.arg(program("python/client.py"))
}

/// A library for `LD_PRELOAD`, made in this directory: with it names below `kafka.test` are this machine's.
pub fn resolver(directory: &Path) -> PathBuf {
    let library = directory.join("resolve.so");
    let mut compile = Command::new("cc");
    compile
        .args(["-shared", "-fPIC", "-o"])
        .args([&library, &program("resolve.c")])
        .arg("-ldl");
    assert!(compile.status().unwrap().success());
    library
}

/// Another of our Python programs.
pub fn python_file(name: &str) -> Client {
    Client::new(tool("python/bin/python")).arg(program(&format!("python/{name}")))
}

/// The kafkajs client.
pub fn node() -> Client {
    let mut client = Client::new("node");
    client.command.env("NODE_PATH", tool("node/node_modules"));
    client.arg(program("node/client.js"))
}

/// A Java main class: one of ours or of Apache Kafka's.
pub fn java(class: &str) -> Client {
    let path = [tool("java/classes"), tool("java/jars").join("*")].map(|path| path.display().to_string());
    Client::new("java")
        .args(["-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"])
        .arg(format!(
            "-Dlog4j2.configurationFile={}",
            program("java/log4j2.properties").display()
        ))
        .args(["-cp", &path.join(":"), class])
}

/// How a client logs in.
#[derive(Clone, Debug)]
pub struct Security {
    /// `PLAIN`, `SCRAM-SHA-256` or `SCRAM-SHA-512`.
    pub mechanism: &'static str,
    /// The user name, or the API key.
    pub username: String,
    /// The password.
    pub password: String,
    /// The PEM file of the authority to trust; `None`: without TLS.
    pub authority: Option<PathBuf>,
}

/// One run of a client program.
pub struct Client {
    command: Command,
    directory: TempDir,
    output: PathBuf,
}

impl Client {
    /// A run of this program. Without [`Self::input`] its standard input is empty.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        let directory = tempfile::Builder::new().prefix("firn-client-").tempdir().unwrap();
        let output = directory.path().join("stdout");
        let mut command = Command::new(program);
        command.stdin(Stdio::null()).current_dir(directory.path());
        Self {
            command,
            directory,
            output,
        }
    }

    /// Adds an argument.
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    /// Adds arguments.
    pub fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.command.args(args);
        self
    }

    /// Connects as these variables say (tests/clients/README.md).
    pub fn security(mut self, security: &Security) -> Self {
        let Security {
            mechanism,
            username,
            password,
            authority,
        } = security;
        self.command
            .env(
                "FIRN_TEST_SECURITY",
                if authority.is_some() {
                    "sasl_ssl"
                } else {
                    "sasl_plaintext"
                },
            )
            .env("FIRN_TEST_MECHANISM", mechanism)
            .env("FIRN_TEST_USERNAME", username)
            .env("FIRN_TEST_PASSWORD", password);
        if let Some(authority) = authority {
            self.command.env("FIRN_TEST_CA_FILE", authority);
        }
        self
    }

    /// Sets a variable of its environment.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Reads standard input from this file.
    pub fn input(mut self, path: &Path) -> Self {
        self.command.stdin(File::open(path).unwrap());
        self
    }

    /// Writes standard output to this file instead of returning it.
    pub fn output(mut self, path: &Path) -> Self {
        self.output = path.into();
        self
    }

    /// Runs it to its end. Fails the test unless it succeeds in time; returns its standard output.
    pub fn run(self) -> String {
        let kept = self.output.starts_with(self.directory.path());
        let finished = self.spawn().finish(PATIENCE);
        assert!(finished.success, "{finished}");
        if kept { finished.stdout() } else { String::new() }
    }

    /// The command alone, for a caller that runs it by itself.
    pub fn into_command(mut self) -> Command {
        self.command.current_dir(env!("CARGO_MANIFEST_DIR"));
        self.command
    }

    /// Starts it with an open standard input, which [`Running::finish`] closes.
    pub fn spawn_until_closed(mut self) -> Running {
        self.command.stdin(Stdio::piped());
        self.spawn()
    }

    /// Starts it with the input that it was given.
    pub fn spawn(mut self) -> Running {
        let errors = self.directory.path().join("stderr");
        self.command
            .stdout(File::create(&self.output).unwrap())
            .stderr(File::create(&errors).unwrap());
        let what = format!("{:?}", self.command);
        let mut child = self
            .command
            .spawn()
            .unwrap_or_else(|error| panic!("{what}: {error}"));
        let stdin = child.stdin.take();
        Running {
            child,
            stdin,
            what,
            directory: self.directory,
            output: self.output,
            started: Instant::now(),
        }
    }
}

/// A client program under way; killed when dropped.
pub struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
    what: String,
    directory: TempDir,
    output: PathBuf,
    started: Instant,
}

impl Running {
    /// Answers whether it still runs.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Closes its standard input, which tells it to end, and does not wait.
    pub fn close_input(&mut self) {
        drop(self.stdin.take());
    }

    /// SIGTERM, and waits until it is gone; fails the test if it stays.
    pub fn terminate(&mut self) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, Signal::TERM).unwrap();
        let ended = wait_for(PATIENCE, || self.child.try_wait().unwrap());
        assert!(ended.is_some(), "{} goes on after SIGTERM", self.what);
    }

    /// SIGKILL, as a crash would end it, and waits until it is gone.
    pub fn kill9(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// How many lines it has written to standard output so far.
    pub fn lines(&self) -> usize {
        let output = fs::read(&self.output).unwrap_or_default();
        output.iter().filter(|byte| **byte == b'\n').count()
    }

    /// Its standard error so far.
    pub fn errors(&self) -> String {
        fs::read_to_string(self.directory.path().join("stderr")).unwrap_or_default()
    }

    /// Closes its standard input and waits for its end; kills it when that takes longer than `patience`.
    pub fn finish(mut self, patience: Duration) -> Finished {
        self.close_input();
        let status = wait_for(patience, || self.child.try_wait().unwrap());
        Finished {
            what: self.what.clone(),
            success: status.is_some_and(|status| status.success()),
            ending: status.map_or_else(
                || format!("killed after {patience:?}"),
                |status| status.to_string(),
            ),
            took: self.started.elapsed(),
            output: fs::read(&self.output).unwrap_or_default(),
            stderr: self.errors(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.child.kill().unwrap();
            self.child.wait().unwrap();
        }
    }
}

/// How a client program ended. Displays as what a person needs to see why.
pub struct Finished {
    /// Whether it ended in time with status 0.
    pub success: bool,
    /// How long it ran.
    pub took: Duration,
    /// Its standard error.
    pub stderr: String,
    what: String,
    ending: String,
    output: Vec<u8>,
}

impl Finished {
    /// Its standard output.
    pub fn stdout(&self) -> String {
        String::from_utf8(self.output.clone()).expect("this client writes UTF-8")
    }
}

impl std::fmt::Display for Finished {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = String::from_utf8_lossy(&self.output[..self.output.len().min(1000)]);
        let lines: Vec<_> = self.stderr.lines().collect();
        let end = lines[lines.len().saturating_sub(30)..].join("\n");
        write!(
            f,
            "{}\nended with {} after {:?}\n--- output begins\n{text}\n--- errors end\n{end}",
            self.what, self.ending, self.took
        )
    }
}
