//! Producers of numbered records that go on through crashes, and the check that every acknowledged record is there
//! once, unchanged and in order.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::clients::{self, Client, Running};
use super::records;
use super::server::create_topic;

const PARTITIONS: usize = 4;

/// How long a producer may need for its last answers once it is told to end.
pub const LAST_ANSWERS: Duration = Duration::from_secs(60);

/// What was acknowledged: for each partition, the offset of each number.
pub type Acknowledged = BTreeMap<usize, BTreeMap<usize, u64>>;

/// An idempotent producer that never gives up, sending to a topic of its own.
pub struct Producer {
    topic: String,
    address: String,
    client: Running,
    acknowledged: PathBuf,
}

impl Producer {
    /// librdkafka, through confluent-kafka.
    pub fn librdkafka(address: &str, scratch: &Path) -> Self {
        Self::start("librdkafka", clients::python().arg("confluent"), address, scratch)
    }

    /// franz-go.
    pub fn franz_go(address: &str, scratch: &Path) -> Self {
        Self::start("franz-go", clients::go(), address, scratch)
    }

    /// franz-go at an even pace: one record for each partition of this topic, which is there, after each pause.
    pub fn paced(address: &str, scratch: &Path, topic: &str, partitions: usize, pause: Duration) -> Self {
        let client = clients::go().args(["numbers", address, topic, &partitions.to_string()]);
        Self::spawn(topic, client.arg(pause.as_millis().to_string()), address, scratch)
    }

    fn start(topic: &str, client: Client, address: &str, scratch: &Path) -> Self {
        create_topic(address, topic, PARTITIONS, &[]);
        let client = client.args(["numbers", address, topic, &PARTITIONS.to_string()]);
        Self::spawn(topic, client, address, scratch)
    }

    fn spawn(topic: &str, client: Client, address: &str, scratch: &Path) -> Self {
        let acknowledged = scratch.join(format!("{topic}-acknowledged"));
        let client = client.output(&acknowledged).spawn_until_closed();
        Self {
            topic: topic.into(),
            address: address.into(),
            client,
            acknowledged,
        }
    }

    /// Fails the test if it has ended by itself.
    pub fn assert_running(&mut self) {
        if !self.client.is_running() {
            panic!("the producer to {} ended early", self.topic);
        }
    }

    /// Whether any of its records is in the log.
    pub fn has_begun(&self) -> bool {
        log_ends(&self.topic, &self.address).values().sum::<u64>() > 0
    }

    /// Lets it finish; what was acknowledged, which is all that it sent.
    pub fn finish(self) -> Acknowledged {
        let finished = self.client.finish(LAST_ANSWERS);
        assert!(finished.success, "{finished}");
        acknowledgements(&fs::read_to_string(&self.acknowledged).unwrap())
    }

    /// Lets it finish; then fails the test unless the log holds exactly what it sent, each record at the offset that
    /// was acknowledged. Returns how many.
    pub fn finish_and_check(self) -> usize {
        let (topic, address) = (self.topic.clone(), self.address.clone());
        let acknowledged = self.finish();
        let count: usize = acknowledged.values().map(BTreeMap::len).sum();
        let in_log: u64 = log_ends(&topic, &address).values().sum();
        assert_eq!(
            in_log, count as u64,
            "{topic}: the log has one record for each acknowledgement"
        );
        let consumed = clients::go()
            .args(["consume", &address, &topic, &count.to_string()])
            .run();
        for (partition, records) in records::consumed(&consumed) {
            let acknowledged = &acknowledged[&partition];
            assert_eq!(records.len(), acknowledged.len(), "{topic} partition {partition}");
            for (number, record) in records.iter().enumerate() {
                let at = format!("{topic} partition {partition} offset {}", record.offset);
                let value = record.content.split('\t').nth(2).unwrap();
                assert_eq!(value, numbered(partition, number), "{at}");
                assert_eq!(
                    acknowledged.get(&number),
                    Some(&record.offset),
                    "{at}: acknowledged as number {number}"
                );
            }
        }
        count
    }
}

fn log_ends(topic: &str, address: &str) -> BTreeMap<usize, u64> {
    let said = clients::go().args(["offsets", address, topic, "latest"]).run();
    let lines = said.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    lines
        .map(|fields| (fields[0].parse().unwrap(), fields[1].parse().unwrap()))
        .collect()
}

/// Partition, number, offset. Fails the test where a number was acknowledged twice.
fn acknowledgements(lines: &str) -> Acknowledged {
    let mut partitions = Acknowledged::new();
    for line in lines.lines() {
        let fields: Vec<u64> = line.split('\t').map(|field| field.parse().unwrap()).collect();
        let (partition, number) = (
            usize::try_from(fields[0]).unwrap(),
            usize::try_from(fields[1]).unwrap(),
        );
        let before = partitions.entry(partition).or_default().insert(number, fields[2]);
        assert_eq!(
            before, None,
            "partition {partition} number {number} is acknowledged once"
        );
    }
    partitions
}

/// The value that the producers make of this number: computed again, so that any changed byte shows.
pub fn value(partition: usize, number: usize) -> String {
    let mark = format!("{:08x}", (number as u64 * 2_654_435_761) % (1 << 32));
    format!("{partition}:{number}:{}", mark.repeat(number % 97))
}

/// Its hex.
fn numbered(partition: usize, number: usize) -> String {
    let value = value(partition, number);
    value.bytes().map(|byte| format!("{byte:02x}")).collect()
}
