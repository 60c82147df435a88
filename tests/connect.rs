//! A pair of Kafka Connect workers in distributed mode, from Apache Kafka's published jars: they form their group on
//! `firn`, share connectors and tasks, and keep them running while workers and `firn` come and go. Lines are written to
//! the files that are read all the while; each has to come out at the other end.
//!
//! `KAFKA_BOOTSTRAP=HOST:PORT` runs the same against another broker, which is not restarted.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "tests talk to whoever reads their output"
)]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]
#![allow(
    clippy::disallowed_methods,
    reason = "these tests drive real processes by the real clock"
)]

mod support;

#[path = "connect/worker.rs"]
mod worker;

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::firn::FirnOptions;
use support::server::Server;
use worker::{HEARTBEAT, Units, Worker, free_addresses};

/// How long anything may take before the test fails. Generous: two cores may be busy.
const PATIENCE: Duration = Duration::from_secs(90);

/// How long until the workers are asked again, and until the next lines are written.
const PAUSE: Duration = Duration::from_millis(50);

/// Connectors that read a file each, into a topic each.
const SOURCES: [&str; 2] = ["source-a", "source-b"];
/// The connector that writes what is in all of those topics into one file.
const SINK: &str = "sink";
/// Tasks of the sink, and partitions of each topic.
const TASKS: usize = 4;
/// All connectors and all tasks.
const UNITS: usize = SOURCES.len() * 2 + 1 + TASKS;

/// Lines on their way from the files that are read to the one that is written.
struct Lines {
    sources: [File; SOURCES.len()],
    rounds: usize,
    sink: PathBuf,
}

impl Lines {
    fn new(server: &Server) -> Self {
        Self {
            sources: SOURCES.map(|source| File::create(server.scratch(source)).unwrap()),
            rounds: 0,
            sink: server.scratch(SINK),
        }
    }

    /// Adds a line to each file.
    fn write(&mut self) {
        for (name, mut file) in SOURCES.iter().zip(&self.sources) {
            file.write_all(format!("{}\n", line(name, self.rounds)).as_bytes())
                .unwrap();
        }
        self.rounds += 1;
    }

    /// All lines that there were after so many rounds.
    fn written(rounds: usize) -> BTreeSet<String> {
        let rounds = 0..rounds;
        rounds
            .flat_map(|round| SOURCES.map(|source| line(source, round)))
            .collect()
    }

    /// All lines that have come out, each as often as it has.
    fn arrived(&self) -> Vec<String> {
        let text = fs::read_to_string(&self.sink).unwrap_or_default();
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole.lines().map(str::to_owned).collect()
    }
}

fn line(source: &str, round: usize) -> String {
    format!("{source} says {round}")
}

/// A broker, two workers, and the lines that go through them.
struct Pair {
    workers: [Worker; 2],
    /// The worker that is asked. Never one that has just started: it may answer from the past until it has read all of
    /// the group's topics.
    witness: usize,
    server: Server,
    lines: Lines,
}

impl Pair {
    /// Starts all of them, and creates the connectors, some at each worker.
    fn start() -> Self {
        let options = FirnOptions::default().kafka_config("group.initial.rebalance.delay.ms", "500");
        let server = Server::start(options);
        let group = format!("connect-{}", std::process::id());
        let workers = free_addresses().map(|address| {
            let properties = server.scratch(&format!("worker-{}", address.replace(':', "-")));
            Worker::start(&server.address, &group, address, properties)
        });
        let topics = SOURCES.map(|source| server.topic(source, TASKS));
        let pair = Self {
            lines: Lines::new(&server),
            witness: 0,
            workers,
            server,
        };
        for worker in &pair.workers {
            until("ready", || worker.is_ready());
        }
        for (at, source) in SOURCES.iter().enumerate() {
            let config = json!({"connector.class": "FileStreamSource", "topic": topics[at]});
            pair.create(at, source, config);
        }
        let topics = topics.join(",");
        let config = json!({"connector.class": "FileStreamSink", "topics": topics, "tasks.max": TASKS});
        pair.create(1, SINK, config);
        pair
    }

    /// Creates a connector, for a file of the same name, at this worker.
    fn create(&self, worker: usize, name: &str, mut config: Value) {
        config["file"] = json!(self.server.scratch(name));
        until("created", || self.workers[worker].create(name, &config));
    }

    /// Writes lines until every connector and every task runs and `right` says that they run where they should.
    fn run_until(&mut self, what: &str, right: impl Fn(&Self, &Units) -> bool) -> Units {
        let start = Instant::now();
        let units = until(what, || {
            self.lines.write();
            let units = self.units();
            let failed = units.iter().find(|(_, unit)| unit.state == "FAILED");
            assert_eq!(failed, None, "{what}");
            let running = units.len() == UNITS && units.values().all(|unit| unit.state == "RUNNING");
            if running && right(self, &units) {
                Ok(units)
            } else {
                Err(units)
            }
        });
        println!("{:.1?} until {what}", start.elapsed());
        units
    }

    /// What the witness says of all connectors and tasks.
    fn units(&self) -> Units {
        let connectors = SOURCES.iter().chain([&SINK]);
        let witness = &self.workers[self.witness];
        connectors
            .flat_map(|connector| witness.units(connector))
            .collect()
    }

    /// Both workers have their share.
    fn run_until_shared(&mut self) -> Units {
        self.run_until("both share the work", |pair, units| {
            let mut shares = pair.workers.iter().map(|worker| share(worker, units));
            shares.all(|share| share >= UNITS / 2)
        })
    }

    /// Ends a worker like this and starts it again. The other does everything in between.
    fn do_without(&mut self, worker: usize, end: fn(&mut Worker)) {
        self.witness = 1 - worker;
        end(&mut self.workers[worker]);
        self.run_until("the other does everything", |pair, units| {
            share(&pair.workers[pair.witness], units) == UNITS
        });
        self.run_until_arrived();
        self.workers[worker].restart();
        self.run_until_shared();
        self.run_until_arrived();
    }

    /// All lines written before this have come out.
    fn run_until_arrived(&mut self) {
        let written = Lines::written(self.lines.rounds);
        self.run_until("all lines have come out", |pair, _| {
            written.is_subset(&pair.lines.arrived().into_iter().collect())
        });
    }

    /// Stops `firn` and starts it again. Connect gives its tasks up by itself when it has not had a coordinator for as
    /// long as between two heartbeats; so they must stay only if `firn` was quick, as it is unless something else keeps
    /// the machine busy.
    fn restart_firn(&mut self) {
        if !self.server.is_firn() {
            return;
        }
        self.workers.iter().for_each(Worker::log_coordination);
        let before = self.run_until_shared();
        let joins = self.workers.each_ref().map(Worker::joins);
        let firn = self.server.firn().expect("it is firn");
        let stopped = Instant::now();
        assert!(firn.terminate().success());
        firn.restart();
        let away = stopped.elapsed();
        println!("firn was away for {away:.1?}");
        let heartbeats = self.workers.each_ref().map(Worker::heartbeats);
        let after = self.run_until("the group confirms heartbeats again", |pair, _| {
            let mut workers = pair.workers.iter().zip(heartbeats);
            workers.all(|(worker, before)| worker.heartbeats() >= before + 2)
        });
        if away < HEARTBEAT / 2 {
            assert_eq!(after, before, "each has stayed where it was");
            let after = self.workers.each_ref().map(Worker::joins);
            assert_eq!(after, joins, "nor has the group been formed again");
        }
        self.run_until_arrived();
    }
}

/// Asks `ready` until it answers something; fails the test, with what there is instead, if it does not.
fn until<T, E: Debug>(what: &str, mut ready: impl FnMut() -> Result<T, E>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match ready() {
            Ok(value) => return value,
            Err(instead) => assert!(
                Instant::now() < deadline,
                "not {what} after {PATIENCE:?}, but {instead:#?}"
            ),
        }
        sleep(PAUSE);
    }
}

/// How many of these this worker has.
fn share(worker: &Worker, units: &Units) -> usize {
    let workers = units.values().map(|unit| &unit.worker);
    workers.filter(|address| **address == worker.address).count()
}

#[test]
fn a_pair_of_connect_workers_keeps_its_tasks_whoever_goes() {
    let start = Instant::now();
    let mut pair = Pair::start();
    pair.run_until_shared();
    pair.run_until_arrived();

    pair.do_without(1, Worker::terminate);
    pair.restart_firn();
    pair.do_without(0, Worker::kill9);

    let rounds = pair.lines.rounds;
    let arrived = pair.lines.arrived();
    let different: BTreeSet<_> = arrived.iter().cloned().collect();
    let strange: Vec<_> = different.difference(&Lines::written(rounds)).cloned().collect();
    assert_eq!(strange, [""; 0], "nothing else comes out");
    println!(
        "{} lines came out, {} of them again, all in {:.1?}",
        arrived.len(),
        arrived.len() - different.len(),
        start.elapsed()
    );
}
