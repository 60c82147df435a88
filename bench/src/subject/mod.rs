//! What is measured: a broker process with a data directory of its own, and what it costs.

mod firn;
mod floor;
mod kafka;
mod process;
mod s3;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

pub use process::{Process, Steal, own_cpu_seconds};

/// Which broker, and when it answers a Produce request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Apache Kafka as shipped.
    Kafka,
    /// Apache Kafka with `flush.messages=1`.
    KafkaFlushing,
    /// Firn with its write-ahead log on this disk.
    Firn,
    /// Firn with its write-ahead log in an S3 server.
    FirnObject,
    /// No broker, but the least that one of Firn's durability does: see `floor`.
    Floor,
}

impl Kind {
    /// All, in the order of columns.
    pub const ALL: [Self; 5] = [
        Self::Kafka,
        Self::KafkaFlushing,
        Self::Firn,
        Self::FirnObject,
        Self::Floor,
    ];

    /// What it is called in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kafka => "Kafka",
            Self::KafkaFlushing => "Kafka, flushing",
            Self::Firn => "Firn",
            Self::FirnObject => "Firn, S3 log",
            Self::Floor => "Floor",
        }
    }

    /// What is safe when it answers acks=all, on its one node.
    pub fn durability(self) -> &'static str {
        match self {
            Self::Kafka => "page cache: answers before anything is on disk; a power cut loses it",
            Self::KafkaFlushing => "fsync of the partition's log before the answer (flush.messages=1)",
            Self::Firn => "fdatasync of the write-ahead log before the answer; there is no other setting",
            Self::Floor => {
                "fdatasync of a log before the answer. No broker: it receives, checks the CRC, patches the offset, \
                 stores, and forgets"
            }
            Self::FirnObject => {
                "a PUT to the S3 server, answered, before the answer; nothing on this machine is needed"
            }
        }
    }
}

/// Where things are.
#[derive(Clone, Debug)]
pub struct Places {
    /// The Firn binary.
    pub firn: PathBuf,
    /// The folder of Apache Kafka's jars.
    pub kafka_jars: PathBuf,
    /// The S3 server.
    pub versitygw: PathBuf,
    /// Where data directories are made.
    pub scratch: PathBuf,
}

/// Flags for `firn dev` beside the usual ones; other brokers take none.
pub type Flags = &'static [&'static str];

/// A running broker.
pub struct Subject {
    kind: Kind,
    places: Places,
    process: Process,
    s3: Option<s3::Server>,
    data: TempDir,
    /// Where it serves Kafka.
    pub address: String,
    /// Where Firn serves HTTP.
    http: Option<String>,
    /// From the start of the process until it served.
    pub ready_after: Duration,
}

/// What starting a broker gives.
struct Started {
    process: Process,
    address: String,
    http: Option<String>,
    ready_after: Duration,
}

impl Subject {
    /// Starts a broker on an empty data directory.
    pub fn start(kind: Kind, flags: Flags, places: &Places) -> anyhow::Result<Self> {
        let data = tempfile::Builder::new()
            .prefix("firn-bench-")
            .tempdir_in(&places.scratch)
            .with_context(|| format!("cannot make a data directory in {}", places.scratch.display()))?;
        let s3 = match kind {
            Kind::FirnObject => Some(s3::Server::start(&places.versitygw, &data.path().join("s3"))?),
            Kind::Kafka | Kind::KafkaFlushing | Kind::Firn | Kind::Floor => None,
        };
        let started = launch(kind, flags, places, data.path(), s3.as_ref())?;
        Ok(Self {
            kind,
            places: places.clone(),
            process: started.process,
            s3,
            data,
            address: started.address,
            http: started.http,
            ready_after: started.ready_after,
        })
    }

    /// Which broker it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The same data directory in a new process, after a clean stop. It may serve at another address.
    pub fn restart(self, flags: Flags) -> anyhow::Result<Self> {
        self.again(flags, Process::stop)
    }

    /// The same data directory in a new process, after SIGKILL.
    pub fn restart_after_kill(self, flags: Flags) -> anyhow::Result<Self> {
        self.again(flags, Process::kill)
    }

    fn again(self, flags: Flags, end: impl FnOnce(Process) -> anyhow::Result<()>) -> anyhow::Result<Self> {
        end(self.process)?;
        let started = launch(self.kind, flags, &self.places, self.data.path(), self.s3.as_ref())?;
        Ok(Self {
            process: started.process,
            address: started.address,
            http: started.http,
            ready_after: started.ready_after,
            ..self
        })
    }

    /// Ends it and removes its data.
    pub fn stop(self) -> anyhow::Result<()> {
        self.process.stop()
    }

    /// What each of Firn's metrics says: a sample with its labels, or a name, whose samples are summed. 0 if it has not
    /// counted anything yet.
    pub fn metrics<const N: usize>(&self, names: [&str; N]) -> anyhow::Result<[f64; N]> {
        let http = self.http.as_ref().context("only Firn has metrics")?;
        firn::metrics(http, names)
    }

    /// Where Firn serves HTTP.
    pub fn http(&self) -> Option<&str> {
        self.http.as_deref()
    }

    /// CPU time and memory.
    pub fn process(&self) -> &Process {
        &self.process
    }
}

fn launch(
    kind: Kind,
    flags: Flags,
    places: &Places,
    data: &Path,
    s3: Option<&s3::Server>,
) -> anyhow::Result<Started> {
    match kind {
        Kind::Kafka => kafka::start(&places.kafka_jars, data, &[]),
        Kind::KafkaFlushing => kafka::start(&places.kafka_jars, data, &["log.flush.interval.messages=1"]),
        Kind::Firn | Kind::FirnObject => firn::start(&places.firn, &data.join("firn"), flags, s3),
        Kind::Floor => floor::start(&data.join("floor")),
    }
}
