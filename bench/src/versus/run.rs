//! Doing a case with a broker that runs.

mod catch_up;
mod connections;
mod groups;
mod partitions;
mod traffic;

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail};

use super::case::{Sending, Work};
use super::results::{Curve, Metric, Points, Setting};
use crate::load::{Client, Pace, Produce};
use crate::subject::{Kind, Places, Subject};
use crate::wire::{self, Batch};

/// How long things last.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// A load before it is measured.
    pub warm_up: Duration,
    /// What is measured of a load.
    pub measured: Duration,
    /// The first load of each process, of which nothing is kept: a JVM needs it.
    pub first: Duration,
}

/// What a case gave.
#[derive(Debug, Default)]
pub struct Measured {
    /// Its numbers.
    pub figures: BTreeMap<Metric, f64>,
    /// Its latency curves.
    pub curves: BTreeMap<Curve, Points>,
}

/// Writes out what earlier processes left dirty, so that it costs this one nothing.
pub fn settle() -> anyhow::Result<()> {
    rustix::fs::sync();
    std::thread::sleep(Duration::from_millis(500));
    Ok(())
}

/// The usual load for a while.
pub fn warm_up(subject: &Subject, times: &Times) -> anyhow::Result<()> {
    let sending = Sending {
        batch: 64 << 10,
        value: 1024,
        partitions: 8,
        connections: 4,
        pace: Pace::FullSpeed { in_flight: 5 },
    };
    let times = Times {
        warm_up: Duration::ZERO,
        measured: times.first,
        ..*times
    };
    // The floor reads nothing.
    let tails = usize::from(subject.kind() != Kind::Floor);
    traffic::run(subject, "warm-up", &sending, tails, 0, &times).map(|_| ())
}

/// Does the work; the broker that comes back may be another process than the one that went in.
pub fn run(subject: Subject, work: &Work, times: &Times) -> anyhow::Result<(Subject, Measured)> {
    match *work {
        Work::Produce(sending) => {
            let measured = traffic::run(&subject, &topic(work), &sending, 0, 0, times)?;
            Ok((subject, measured))
        }
        Work::Mixed {
            sending,
            tails,
            catch_up,
        } => {
            let measured = traffic::run(&subject, &topic(work), &sending, tails, catch_up, times)?;
            Ok((subject, measured))
        }
        Work::CatchUp { readers, cold } => catch_up::run(subject, readers, cold, times),
        Work::Connections(count) => connections::run(subject, count),
        Work::OneGroup(members) => groups::one_group(subject, members, times),
        Work::ManyGroups(count) => groups::many_groups(subject, count, times),
        Work::Partitions { topics, each } => partitions::run(subject, topics, each),
    }
}

/// A topic name for each work.
fn topic(work: &Work) -> String {
    let name: String = format!("{work:?}").to_lowercase();
    let kept = name.chars().filter(char::is_ascii_alphanumeric);
    kept.take(200).collect()
}

/// Creates a topic and waits until every partition is served.
fn create(address: &str, topic: &str, partitions: i32) -> anyhow::Result<()> {
    let mut client = Client::connect(address)?;
    wire::created(client.ask(&wire::create_topics(&[topic.to_owned()], partitions))?)?;
    served(&mut client, topic, partitions)
}

/// Waits until every partition of a topic has a leader that answers for it.
fn served(client: &mut Client, topic: &str, partitions: i32) -> anyhow::Result<()> {
    let wanted = usize::try_from(partitions)?;
    for _ in 0..24_000 {
        if wire::led_partitions(client.ask(&wire::metadata())?, topic)? >= wanted
            && wire::served_partitions(client.ask(&wire::list_offsets(topic, partitions))?)? >= wanted
        {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    bail!("two minutes after it was created, some partitions of {topic} are not served")
}

fn producing(subject: &Subject, topic: &str, sending: &Sending) -> Produce {
    Produce {
        address: subject.address.clone(),
        topic: topic.to_owned(),
        partitions: sending.partitions,
        connections: sending.connections,
        batch: Batch::of_size(sending.batch, sending.value),
        pace: sending.pace,
    }
}

/// Where and with what it is measured.
pub fn setting(places: &Places) -> anyhow::Result<Setting> {
    let said = |program: &str, args: &[&str]| -> anyhow::Result<String> {
        let output = Command::new(program).args(args).output();
        let output = output.with_context(|| format!("cannot start {program}"))?;
        let text = if output.stdout.is_empty() {
            output.stderr
        } else {
            output.stdout
        };
        Ok(String::from_utf8_lossy(&text)
            .lines()
            .next()
            .unwrap_or_default()
            .to_owned())
    };
    let cpu = std::fs::read_to_string("/proc/cpuinfo")?;
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let memory = std::fs::read_to_string("/proc/meminfo")?;
    let kib = memory.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kib: f64 = kib
        .and_then(|text| text.trim().strip_suffix(" kB")?.parse().ok())
        .unwrap_or(0.0);
    let scratch = places.scratch.to_string_lossy();
    let fact = |name: &str, value: String| (name.to_owned(), value);
    let firn = places.firn.to_string_lossy();
    let revision = said("git", &["describe", "--always", "--dirty", "--exclude", "*"])?;
    let broker = |kind: Kind| {
        let entry = match kind {
            Kind::Kafka => (
                "4.3.0".to_owned(),
                "java -Xmx1G ... kafka.Kafka server.properties".to_owned(),
            ),
            Kind::KafkaFlushing => (
                "4.3.0".to_owned(),
                "the same, with log.flush.interval.messages=1".to_owned(),
            ),
            Kind::Firn => (revision.clone(), "firn dev".to_owned()),
            Kind::Floor => (revision.clone(), "firn-bench floor".to_owned()),
            Kind::FirnObject => (
                revision.clone(),
                "firn dev --wal object --store s3://...".to_owned(),
            ),
        };
        (kind, entry)
    };
    Ok(Setting {
        facts: vec![
            fact("day", said("date", &["-u", "+%Y-%m-%d"])?),
            fact(
                "processors",
                format!(
                    "{} of {}",
                    std::thread::available_parallelism()?,
                    model.map_or("an unknown model", |(_, model)| model)
                ),
            ),
            fact("memory", format!("{:.0} GiB", kib / f64::from(1 << 20))),
            fact("kernel", said("uname", &["-sr"])?),
            fact("file system", said("stat", &["-f", "-c", "%T", &scratch])?),
            fact("Java", said("java", &["-version"])?),
            fact("Firn", said(&firn, &["--version"])?),
        ],
        brokers: Kind::ALL.map(broker).into(),
    })
}
