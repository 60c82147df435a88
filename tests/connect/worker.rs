//! One worker of Kafka Connect in distributed mode, and its REST interface.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rand::RngExt as _;
use serde_json::{Value, json};

use crate::support::clients::{self, Running};
use crate::support::http::{self, Answer};

/// How often a worker says that it is there, and how long it keeps its tasks without a coordinator.
pub const HEARTBEAT: Duration = Duration::from_secs(3);

/// How long the group waits for a sign of a worker.
pub const SESSION: Duration = Duration::from_secs(8);

/// What logs how a worker gets on with its group.
const COORDINATION: &str = "org.apache.kafka.connect.runtime.distributed.WorkerCoordinator";

/// What one worker answers about a connector or a task.
#[derive(Clone, Debug, PartialEq)]
pub struct Unit {
    /// `RUNNING`, `UNASSIGNED`, `FAILED` and so on.
    pub state: String,
    /// The worker that has it: where its REST interface listens.
    pub worker: String,
    /// Why it failed.
    pub trace: String,
}

/// Connectors and tasks by name; a task's is `CONNECTOR-NUMBER`.
pub type Units = BTreeMap<String, Unit>;

/// A worker. Killed when dropped; shows the end of its log when the test fails.
pub struct Worker {
    /// Where its REST interface listens, as `HOST:PORT`, which is also how other workers and `status` call it.
    pub address: String,
    properties: PathBuf,
    process: Running,
}

impl Worker {
    /// Starts a worker of this group with its properties in this file, and does not wait.
    pub fn start(kafka: &str, group: &str, address: String, properties: PathBuf) -> Self {
        fs::write(&properties, settings(kafka, group, &address)).unwrap();
        let process = spawn(&properties);
        Self {
            address,
            properties,
            process,
        }
    }

    /// Starts it again after its end, on the same port, and does not wait.
    pub fn restart(&mut self) {
        assert!(!self.process.is_running(), "stop or kill it first");
        self.process = spawn(&self.properties);
    }

    /// SIGTERM: it stops its tasks and leaves the group.
    pub fn terminate(&mut self) {
        self.process.terminate();
    }

    /// SIGKILL: the group learns of it when its session times out.
    pub fn kill9(&mut self) {
        self.process.kill9();
    }

    /// Whether it is in its group, or what it answers instead.
    pub fn is_ready(&self) -> Result<(), Option<Answer>> {
        self.ask("GET", "/health", "").map(drop)
    }

    /// Creates a connector, or says why that is not possible, as it is not while the group rebalances.
    pub fn create(&self, name: &str, config: &Value) -> Result<(), Option<Answer>> {
        let path = format!("/connectors/{name}/config");
        self.ask("PUT", &path, &config.to_string()).map(drop)
    }

    /// A connector and its tasks, as far as anything is known of them.
    pub fn units(&self, connector: &str) -> Units {
        let path = format!("/connectors/{connector}/status");
        let Ok(answer) = self.ask("GET", &path, "") else {
            return Units::new();
        };
        let status: Value = serde_json::from_str(&answer.body).unwrap();
        let tasks = status["tasks"].as_array().unwrap().iter();
        let tasks = tasks.map(|task| (format!("{connector}-{}", task["id"]), unit(task)));
        [(connector.to_owned(), unit(&status["connector"]))]
            .into_iter()
            .chain(tasks)
            .collect()
    }

    /// Makes it log what [`Self::heartbeats`] and [`Self::joins`] count.
    pub fn log_coordination(&self) {
        let body = json!({"level": "DEBUG"}).to_string();
        let path = format!("/admin/loggers/{COORDINATION}");
        self.ask("PUT", &path, &body).expect("it has that logger");
    }

    /// How many of its heartbeats its group has confirmed.
    pub fn heartbeats(&self) -> usize {
        self.logged("Received successful Heartbeat response")
    }

    /// How often it has joined its group.
    pub fn joins(&self) -> usize {
        self.logged("Successfully joined group")
    }

    fn logged(&self, what: &str) -> usize {
        self.process.errors().matches(what).count()
    }

    /// What it answers when it has done as it was asked; else what it answers instead, if anything. HTTP/1.0, so that
    /// the answer is not in chunks.
    fn ask(&self, method: &str, path: &str, body: &str) -> Result<Answer, Option<Answer>> {
        let request = format!(
            "{method} {path} HTTP/1.0\r\nhost: {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        );
        match http::try_request(&self.address, &request) {
            Ok(answer) if matches!(answer.status, 200 | 201) => Ok(answer),
            answer => Err(answer.ok()),
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.process.errors();
            let tail: Vec<_> = log.lines().rev().take(30).collect();
            eprintln!("--- end of the log of the worker {} ---", self.address);
            tail.iter().rev().for_each(|line| eprintln!("{line}"));
        }
    }
}

fn spawn(properties: &Path) -> Running {
    clients::java("org.apache.kafka.connect.cli.ConnectDistributed")
        .arg(properties)
        .spawn_until_closed()
}

fn unit(status: &Value) -> Unit {
    let text = |key: &str| status[key].as_str().unwrap_or_default().to_owned();
    Unit {
        state: text("state"),
        worker: text("worker_id"),
        trace: text("trace"),
    }
}

/// The properties of a worker, with times as short as they may be.
fn settings(kafka: &str, group: &str, address: &str) -> String {
    let (heartbeat, session) = (HEARTBEAT.as_millis(), SESSION.as_millis());
    format!(
        "bootstrap.servers={kafka}
group.id={group}
listeners=http://{address}
rest.advertised.host.name=127.0.0.1
plugin.discovery=service_load
key.converter=org.apache.kafka.connect.storage.StringConverter
value.converter=org.apache.kafka.connect.storage.StringConverter
config.storage.topic={group}-configs
config.storage.replication.factor=1
offset.storage.topic={group}-offsets
offset.storage.replication.factor=1
offset.storage.partitions=5
status.storage.topic={group}-status
status.storage.replication.factor=1
exactly.once.source.support=disabled
offset.flush.interval.ms=500
session.timeout.ms={session}
heartbeat.interval.ms={heartbeat}
scheduled.rebalance.max.delay.ms=1000
reconnect.backoff.max.ms=100
consumer.session.timeout.ms=6000
consumer.heartbeat.interval.ms=500
producer.partitioner.class=org.apache.kafka.clients.producer.RoundRobinPartitioner
"
    )
}

/// Different free addresses on loopback. Their ports are below those that the system gives to outgoing connections,
/// which therefore cannot take them while a worker is away.
pub fn free_addresses<const COUNT: usize>() -> [String; COUNT] {
    let ports = || rand::rng().random_range(10_000..30_000);
    let listeners: [TcpListener; COUNT] = std::array::from_fn(|_| {
        let mut tries = (0..100).map(|_| TcpListener::bind(("127.0.0.1", ports())));
        tries.find_map(Result::ok).expect("most ports are free")
    });
    listeners.map(|listener| listener.local_addr().unwrap().to_string())
}
