//! A broker with Apache Kafka's tools beside it, and what the tests of groups do with them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::time::Duration;

use crate::support::clients::{self, Running};
use crate::support::firn::FirnOptions;
use crate::support::kafka_tools::{KafkaTools, Tool};
use crate::support::server::{Server, create_topic};
use crate::support::wait_for;

/// How long a member may take to read what there is. Generous: two cores may be busy.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// 2025-01-01T00:00:00Z in milliseconds.
pub const NEW_YEAR: u64 = 1_735_689_600_000;

/// Offsets by partition.
pub type Offsets = BTreeMap<usize, u64>;

/// A broker and the tools.
pub struct Bench {
    pub server: Server,
    pub tools: KafkaTools,
}

impl Bench {
    /// Starts both.
    pub fn start() -> Self {
        let options = FirnOptions::default().kafka_config("group.initial.rebalance.delay.ms", "100");
        let server = Server::start(options);
        let tools = KafkaTools::start(&server.address);
        Self { server, tools }
    }

    /// Creates a topic that keeps records of any age.
    pub fn topic(&self, name: &str, partitions: usize) -> String {
        let topic = unique(name);
        create_topic(&self.server.address, &topic, partitions, &["retention.ms=-1"]);
        topic
    }

    /// Produces records in one request: partition, timestamp, value.
    pub fn produce(&self, topic: &str, records: &[(usize, u64, &str)]) {
        let input = self.server.scratch("lines");
        let lines = records
            .iter()
            .fold(String::new(), |mut lines, (partition, time, value)| {
                let hex: String = value.bytes().map(|byte| format!("{byte:02x}")).collect();
                writeln!(lines, "{partition}\t{time}\t-\t{hex}\t").unwrap();
                lines
            });
        fs::write(&input, lines).unwrap();
        clients::go()
            .args(["produce", &self.server.address, topic, "none"])
            .input(&input)
            .run();
    }

    /// A running member of a group, which has read and committed as many records as there are.
    pub fn member(&self, topic: &str, group: &str, instance: Option<&str>, records: usize) -> Running {
        let output = self.server.scratch(&format!("member-of-{group}"));
        let member = clients::go()
            .args(["group", &self.server.address, topic, group, "range"])
            .args(instance)
            .output(&output)
            .spawn_until_closed();
        let committed = wait_for(PATIENCE, || {
            let lines = fs::read_to_string(&output).unwrap();
            let read = lines.lines().filter(|line| line.starts_with("record ")).count();
            let last = lines.lines().last().unwrap_or_default();
            (read == records && last.starts_with("committed ")).then_some(())
        });
        assert!(committed.is_some(), "a member of {group}: {}", member.errors());
        member
    }

    /// What the broker says is committed.
    pub fn committed(&self, topic: &str, group: &str) -> Offsets {
        let said = clients::go()
            .args(["committed", &self.server.address, topic, group])
            .run();
        let lines = said.lines().map(|line| line.split_once('\t').unwrap());
        lines
            .map(|(partition, offset)| (partition.parse().unwrap(), offset.parse().unwrap()))
            .collect()
    }

    /// What `kafka-consumer-groups` says.
    pub fn groups(&mut self, args: &str) -> String {
        self.tools.ok(Tool::ConsumerGroups, args)
    }

    /// Resets offsets; which ones the tool names.
    pub fn reset(&mut self, group: &str, args: &str) -> Offsets {
        let said = self.groups(&format!("--reset-offsets --group {group} {args}"));
        let rows = table(&said, &["GROUP", "TOPIC", "PARTITION", "NEW-OFFSET"]);
        rows.iter()
            .map(|row| (row[2].parse().unwrap(), row[3].parse().unwrap()))
            .collect()
    }
}

/// A name that no other run has used on a broker that outlives the test.
pub fn unique(name: &str) -> String {
    format!("{name}-{}", std::process::id())
}

/// The rows below this header, in words.
pub fn table<'a>(said: &'a str, header: &[&str]) -> Vec<Vec<&'a str>> {
    let mut lines = said
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>());
    assert!(lines.any(|words| words == header), "{header:?} in {said}");
    lines.filter(|words| !words.is_empty()).collect()
}
