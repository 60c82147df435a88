//! The Rust client of the tests (the rdkafka crate, over librdkafka): a member of a consumer group.
//! tests/clients/README.md describes the lines.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::process::exit;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use rdkafka::client::ClientContext;
use rdkafka::config::{ClientConfig, FromClientConfigAndContext};
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, Rebalance};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::Message;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

const USAGE: &str = "usage: firn-test-rust group BOOTSTRAP TOPIC GROUP ASSIGNOR [INSTANCE]";
const POLL: Duration = Duration::from_millis(100);
const MOST_RECORDS: usize = 500;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match args[..] {
        ["group", bootstrap, topic, group, assignor] => member(bootstrap, topic, group, assignor, None),
        ["group", bootstrap, topic, group, assignor, instance] => {
            member(bootstrap, topic, group, assignor, Some(instance))
        }
        _ => {
            eprintln!("{USAGE}");
            exit(2);
        }
    };
    if let Err(error) = done {
        eprintln!("error: {error}");
        exit(1);
    }
}

/// What a member has, and what it has read and not yet committed.
#[derive(Default)]
struct Journal {
    owned: BTreeSet<i32>,
    pending: BTreeMap<i32, i64>,
}

#[derive(Default)]
struct Events(Mutex<Journal>);

impl Events {
    fn journal(&self) -> MutexGuard<'_, Journal> {
        self.0.lock().expect("nobody panics with the journal in hand")
    }
}

impl ClientContext for Events {}

impl ConsumerContext for Events {
    fn pre_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Revoke(partitions) = rebalance {
            let mut journal = self.journal();
            let given: BTreeSet<i32> = numbers(partitions).intersection(&journal.owned).copied().collect();
            for partition in &given {
                journal.owned.remove(partition);
                journal.pending.remove(partition);
            }
            if !given.is_empty() {
                say("revoked", &given);
            }
        }
    }

    fn post_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        match rebalance {
            Rebalance::Assign(partitions) => {
                let assigned = numbers(partitions);
                self.journal().owned.extend(&assigned);
                say("assigned", &assigned);
            }
            Rebalance::Revoke(_) => {}
            Rebalance::Error(error) => eprintln!("rebalance: {error}"),
        }
    }
}

fn numbers(partitions: &TopicPartitionList) -> BTreeSet<i32> {
    partitions.elements().iter().map(|each| each.partition()).collect()
}

fn say(word: &str, partitions: &BTreeSet<i32>) {
    let numbers: Vec<String> = partitions.iter().map(i32::to_string).collect();
    tell(&format!("{word} {}", numbers.join(",")));
}

/// Prints a line at once.
fn tell(line: &str) {
    let mut out = std::io::stdout().lock();
    let told = writeln!(out, "{line}").and_then(|()| out.flush());
    told.expect("somebody reads the lines");
}

fn member(
    bootstrap: &str,
    topic: &str,
    group: &str,
    assignor: &str,
    instance: Option<&str>,
) -> KafkaResult<()> {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", bootstrap)
        .set("group.id", group)
        .set("group.protocol", "classic")
        .set("partition.assignment.strategy", assignor)
        .set("session.timeout.ms", "6000")
        .set("heartbeat.interval.ms", "500")
        .set("auto.offset.reset", "earliest")
        .set("enable.auto.commit", "false")
        .set("fetch.wait.max.ms", "100")
        .set("reconnect.backoff.max.ms", "500");
    if let Some(instance) = instance {
        config.set("group.instance.id", instance);
    }
    let consumer = BaseConsumer::from_config_and_context(&config, Events::default())?;
    consumer.subscribe(&[topic])?;
    let ended = Arc::new(AtomicBool::new(false));
    let ending = Arc::clone(&ended);
    std::thread::spawn(move || {
        let mut rest = Vec::new();
        let _ = std::io::stdin().read_to_end(&mut rest);
        ending.store(true, Ordering::SeqCst);
    });
    while !ended.load(Ordering::SeqCst) {
        read(&consumer)?;
        commit(&consumer, topic);
    }
    Ok(())
}

fn read(consumer: &BaseConsumer<Events>) -> KafkaResult<()> {
    let mut patience = POLL;
    for _ in 0..MOST_RECORDS {
        let Some(polled) = consumer.poll(patience) else {
            return Ok(());
        };
        patience = Duration::ZERO;
        match polled {
            Ok(message) => {
                let (partition, offset) = (message.partition(), message.offset());
                let value = String::from_utf8_lossy(message.payload().unwrap_or_default());
                tell(&format!("record {partition} {offset} {value}"));
                consumer.context().journal().pending.insert(partition, offset + 1);
            }
            Err(error) if is_fatal(&error) => return Err(error),
            Err(error) => eprintln!("poll: {error}"),
        }
    }
    Ok(())
}

fn is_fatal(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(RDKafkaErrorCode::Fatal | RDKafkaErrorCode::AutoOffsetReset)
    )
}

fn commit(consumer: &BaseConsumer<Events>, topic: &str) {
    let pending = consumer.context().journal().pending.clone();
    if pending.is_empty() {
        return;
    }
    let mut offsets = TopicPartitionList::new();
    for (partition, offset) in &pending {
        if let Err(error) = offsets.add_partition_offset(topic, *partition, Offset::Offset(*offset)) {
            eprintln!("commit: {error}");
            return;
        }
    }
    if let Err(error) = consumer.commit(&offsets, CommitMode::Sync) {
        eprintln!("commit: {error}");
        return;
    }
    let mut journal = consumer.context().journal();
    for (partition, offset) in pending {
        tell(&format!("committed {partition} {offset}"));
        if journal.pending.get(&partition) == Some(&offset) {
            journal.pending.remove(&partition);
        }
    }
}
