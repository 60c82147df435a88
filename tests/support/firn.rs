//! One `firn` process, in any role: started on free ports, awaited until it is ready, stopped or killed by its pid.
//!
//! Standard output and standard error go to files beside the data directory, so that no reader thread is
//! needed and a failed test can show the end of the log.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::{http, wait_for};

/// The binary under test.
pub const BINARY: &str = env!("CARGO_BIN_EXE_firn");

/// How long a start or a stop may take before the test fails. Generous: two cores may be busy.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// What a process of the binary is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// `firn dev`.
    Dev,
    /// `firn broker`.
    Broker,
    /// `firn control`.
    Control,
}

/// How to start `firn`. The default: `firn dev` with a fresh temporary data directory and free ports.
#[derive(Clone)]
pub struct FirnOptions {
    role: Role,
    directory: Arc<TempDir>,
    data_dir: PathBuf,
    kafka: String,
    http: String,
    args: Vec<String>,
    env: Vec<(String, String)>,
}

impl Default for FirnOptions {
    fn default() -> Self {
        let directory = tempfile::Builder::new().prefix("firn-test-").tempdir().unwrap();
        let data_dir = directory.path().join("data");
        Self {
            role: Role::Dev,
            directory: Arc::new(directory),
            data_dir,
            kafka: "127.0.0.1:0".into(),
            http: "127.0.0.1:0".into(),
            args: Vec::new(),
            env: Vec::new(),
        }
    }
}

impl FirnOptions {
    /// The default, without limits on how often the API may be asked.
    pub fn unlimited() -> Self {
        let most = u32::MAX.to_string();
        Self::default()
            .set("api-requests-per-principal", most.clone())
            .set("api-requests-per-address", most)
    }

    /// The data directory, there or not yet. It goes away with the last clone of these options.
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// A scratch directory beside the data directory, with the same life.
    pub fn scratch(&self) -> &Path {
        self.directory.path()
    }

    /// The same in another role.
    pub fn with_role(mut self, role: Role) -> Self {
        self.role = role;
        self
    }

    /// Uses this data directory instead.
    pub fn with_data_dir(mut self, data_dir: impl Into<PathBuf>) -> Self {
        self.data_dir = data_dir.into();
        self
    }

    /// Listens for Kafka clients here, as `HOST:PORT`.
    pub fn with_kafka(mut self, address: impl Into<String>) -> Self {
        self.kafka = address.into();
        self
    }

    /// Listens for HTTP here, as `HOST:PORT`.
    pub fn with_http(mut self, address: impl Into<String>) -> Self {
        self.http = address.into();
        self
    }

    /// Adds one argument after the role.
    pub fn arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Adds `--kafka-config KEY=VALUE`.
    pub fn kafka_config(self, key: &str, value: &str) -> Self {
        self.arg("--kafka-config").arg(format!("{key}={value}"))
    }

    /// Sets an environment variable.
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// Sets a setting, as a flag.
    pub fn set(self, setting: &str, value: impl Into<String>) -> Self {
        self.arg(format!("--{setting}")).arg(value)
    }

    /// The command that these options describe, without ambient `FIRN_*` settings.
    pub fn command(&self) -> Command {
        let mut command = firn_command([match self.role {
            Role::Dev => "dev",
            Role::Broker => "broker",
            Role::Control => "control",
        }]);
        if self.role != Role::Control {
            command
                .args([OsStr::new("--data-dir"), self.data_dir.as_os_str()])
                .args(["--kafka", &self.kafka]);
        }
        if self.role == Role::Broker && !self.args.iter().any(|arg| arg == "--internal") {
            command.args(["--internal", "127.0.0.1:0"]);
        }
        command
            .args(["--http", &self.http])
            .args(&self.args)
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .current_dir(self.directory.path());
        command
    }
}

/// The binary with `args`, with nothing of the caller's `FIRN_*` and `OTEL_*` environment.
pub fn firn_command<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(BINARY);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy().into_owned();
        if text.starts_with("FIRN_") || text.starts_with("OTEL_") || text == "RUST_LOG" {
            command.env_remove(&name);
        }
    }
    command.args(args).stdin(Stdio::null());
    command
}

/// How a process that was not meant to serve ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// Everything on standard output.
    pub stdout: String,
    /// Everything on standard error.
    pub stderr: String,
}

/// Runs a command to its end; fails the test if it still runs after [`PATIENCE`].
pub fn run(mut command: Command) -> Ended {
    let directory = tempfile::tempdir().unwrap();
    let (stdout, stderr) = (directory.path().join("stdout"), directory.path().join("stderr"));
    command
        .stdout(File::create(&stdout).unwrap())
        .stderr(File::create(&stderr).unwrap());
    let mut child = command.spawn().unwrap();
    let status = wait_for(PATIENCE, || child.try_wait().unwrap());
    if status.is_none() {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let ended = Ended {
        code: status.and_then(|status| status.code()),
        stdout: fs::read_to_string(&stdout).unwrap(),
        stderr: fs::read_to_string(&stderr).unwrap(),
    };
    assert!(status.is_some(), "still running after {PATIENCE:?}: {ended:?}");
    ended
}

/// A running process; killed when dropped.
pub struct Firn {
    /// Where Kafka clients connect, as `HOST:PORT`; empty of `firn control`.
    pub kafka: String,
    /// Where HTTP clients connect, as `HOST:PORT`.
    pub http: String,
    options: FirnOptions,
    child: Child,
    stdout: PathBuf,
    stderr: PathBuf,
}

impl Firn {
    /// Starts the process and waits for its ready line. Fails the test, with the log, if there is none.
    pub fn start(options: FirnOptions) -> Self {
        match Self::try_start(options) {
            Ok(firn) => firn,
            Err(ended) => panic!("firn did not become ready: {:?}\n{}", ended.code, ended.stderr),
        }
    }

    /// Starts `firn broker` with these options.
    pub fn broker(options: FirnOptions) -> Self {
        Self::start(options.with_role(Role::Broker))
    }

    /// Starts `firn control` with these options.
    pub fn control(options: FirnOptions) -> Self {
        Self::start(options.with_role(Role::Control))
    }

    /// Starts the process; how it ended if it ended, or was killed for being late, before it was ready.
    pub fn try_start(options: FirnOptions) -> Result<Self, Ended> {
        let outputs = tempfile::Builder::new()
            .prefix("run-")
            .tempdir_in(options.scratch())
            .unwrap()
            .keep();
        let (stdout, stderr) = (outputs.join("stdout"), outputs.join("stderr"));
        let mut command = options.command();
        command
            .stdout(File::create(&stdout).unwrap())
            .stderr(File::create(&stderr).unwrap());
        let mut child = command.spawn().unwrap();
        let mut status: Option<ExitStatus> = None;
        let ready = wait_for(PATIENCE, || {
            if let Some(addresses) = ready_line(&fs::read_to_string(&stdout).unwrap()) {
                return Some(Some(addresses));
            }
            status = child.try_wait().unwrap();
            status.is_some().then_some(None)
        });
        if let Some(Some((kafka, http))) = ready {
            return Ok(Self {
                kafka,
                http,
                options,
                child,
                stdout,
                stderr,
            });
        }
        if status.is_none() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
        Err(Ended {
            code: status.and_then(|status| status.code()),
            stdout: fs::read_to_string(&stdout).unwrap(),
            stderr: fs::read_to_string(&stderr).unwrap(),
        })
    }

    /// The options that it was started with.
    pub fn options(&self) -> &FirnOptions {
        &self.options
    }

    /// The options to start a successor on the same data directory and the same ports.
    pub fn successor(&self) -> FirnOptions {
        let options = self.options.clone().with_http(self.http.clone());
        match self.kafka.as_str() {
            "" => options,
            kafka => options.with_kafka(kafka),
        }
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Everything on standard output so far.
    pub fn stdout(&self) -> String {
        fs::read_to_string(&self.stdout).unwrap()
    }

    /// Everything logged so far.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.stderr).unwrap()
    }

    /// Answers whether it still runs.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// GET on its HTTP address.
    pub fn get(&self, path: &str) -> http::Answer {
        http::get(&self.http, path)
    }

    /// The first sample of this metric on `/metrics`, if there is one.
    pub fn metric(&self, name: &str) -> Option<f64> {
        let page = self.get("/metrics").body;
        let line = page
            .lines()
            .find(|line| line.split([' ', '{']).next() == Some(name))?;
        Some(line.rsplit(' ').next().unwrap().parse().unwrap())
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.pid()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Waits for the process to end by itself; fails the test if it does not.
    pub fn wait(&mut self) -> ExitStatus {
        wait_for(PATIENCE, || self.child.try_wait().unwrap()).expect("the process ends in time")
    }

    /// SIGTERM, then waits for the end.
    pub fn terminate(&mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.wait()
    }

    /// SIGKILL, as a crash would end it, and waits until it is gone.
    pub fn kill9(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again on the same data directory and ports after [`Self::kill9`] or [`Self::terminate`].
    pub fn restart(&mut self) {
        assert!(!self.is_running(), "stop or kill it first");
        *self = Self::start(self.successor());
    }
}

impl Drop for Firn {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.child.kill().unwrap();
            self.child.wait().unwrap();
        }
        if std::thread::panicking() {
            let log = fs::read_to_string(&self.stderr).unwrap_or_default();
            let tail: Vec<_> = log.lines().rev().take(40).collect();
            eprintln!("--- end of the log of firn {} ---", self.pid());
            tail.iter().rev().for_each(|line| eprintln!("{line}"));
        }
    }
}

/// The Kafka and HTTP addresses of a complete ready line; the first is empty of `firn control`.
fn ready_line(stdout: &str) -> Option<(String, String)> {
    let (line, _) = stdout.split_once('\n')?;
    if let Some(http) = line.strip_prefix("ready http=http://") {
        return Some((String::new(), http.into()));
    }
    let (kafka, http) = line.strip_prefix("ready kafka=")?.split_once(" http=http://")?;
    Some((kafka.into(), http.into()))
}
