//! One member of a group: a client program that prints what it is given, what it reads and what it has committed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;
use std::time::Duration;

use crate::support::clients::{self, Client, Running};

/// How long a member may take to leave once it is told to.
const LEAVING: Duration = Duration::from_secs(60);

/// The client libraries that can be members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Library {
    /// Apache Kafka's own.
    Java,
    /// confluent-kafka, which is librdkafka.
    Confluent,
    /// The rdkafka crate, which is librdkafka too.
    Rdkafka,
    KafkaPython,
    Aiokafka,
    FranzGo,
    Kafkajs,
}

impl Library {
    pub const ALL: [Self; 7] = [
        Self::FranzGo,
        Self::Kafkajs,
        Self::KafkaPython,
        Self::Aiokafka,
        Self::Java,
        Self::Rdkafka,
        Self::Confluent,
    ];

    fn client(self) -> Client {
        match self {
            Self::Java => clients::java("Client"),
            Self::Confluent => clients::python().arg("confluent"),
            Self::Rdkafka => clients::rust(),
            Self::KafkaPython => clients::python().arg("kafka-python"),
            Self::Aiokafka => clients::python().arg("aiokafka"),
            Self::FranzGo => clients::go(),
            Self::Kafkajs => clients::node(),
        }
    }
}

/// A line that a member has printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// It has these partitions too from here on.
    Assigned(BTreeSet<usize>),
    /// It gave these partitions up, or it learned that they are no longer its own.
    Gone(BTreeSet<usize>),
    /// It has read a record.
    Record {
        partition: usize,
        offset: u64,
        value: String,
    },
    /// The broker has confirmed its commit: this is the offset to go on at.
    Committed { partition: usize, offset: u64 },
}

impl Event {
    fn parse(line: &str) -> Self {
        let mut words = line.splitn(4, ' ');
        let mut word = || words.next().unwrap_or_default();
        let kind = word();
        let mut number = || {
            let word = word();
            word.parse()
                .unwrap_or_else(|_| panic!("{word:?} in the line {line:?}"))
        };
        match kind {
            "assigned" => Self::Assigned(partitions(word())),
            "revoked" | "lost" => Self::Gone(partitions(word())),
            "record" => Self::Record {
                partition: number() as usize,
                offset: number(),
                value: word().into(),
            },
            "committed" => Self::Committed {
                partition: number() as usize,
                offset: number(),
            },
            _ => panic!("no event: {line:?}"),
        }
    }
}

fn partitions(list: &str) -> BTreeSet<usize> {
    let numbers = list.split(',').filter(|number| !number.is_empty());
    numbers.map(|number| number.parse().unwrap()).collect()
}

/// A partition that a member has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holding {
    /// Which of the member's acquisitions it is: another one if it was away in between.
    pub acquisition: usize,
    /// The offset of the next record.
    next: Option<u64>,
}

/// One life of a client program.
pub struct Member {
    name: String,
    client: Option<Running>,
    leaves: bool,
    output: PathBuf,
    position: u64,
    rebalances: usize,
    acquisitions: usize,
    holdings: BTreeMap<usize, Holding>,
    committed: BTreeMap<usize, u64>,
}

impl Member {
    /// Starts the program with the arguments of `group`; its output goes to this file.
    pub fn start(library: Library, args: &[&str], output: PathBuf) -> Self {
        let client = library.client().arg("group").args(args).output(&output);
        Self {
            name: output.file_name().unwrap().to_string_lossy().into_owned(),
            client: Some(client.spawn_until_closed()),
            leaves: false,
            output,
            position: 0,
            rebalances: 0,
            acquisitions: 0,
            holdings: BTreeMap::new(),
            committed: BTreeMap::new(),
        }
    }

    /// The lines since the last call. Fails the test where they contradict themselves.
    pub fn news(&mut self) -> Vec<Event> {
        let mut file = File::open(&self.output).unwrap();
        file.seek(SeekFrom::Start(self.position)).unwrap();
        let mut text = String::new();
        // A record's value may be half written, but never half a character: all of it is ASCII.
        file.read_to_string(&mut text).unwrap();
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        self.position += whole as u64;
        let events: Vec<_> = text[..whole].lines().map(Event::parse).collect();
        events.iter().for_each(|event| self.note(event));
        events
    }

    fn note(&mut self, event: &Event) {
        match event {
            Event::Assigned(partitions) => {
                self.rebalances += 1;
                for partition in partitions {
                    self.acquisitions += 1;
                    let holding = Holding {
                        acquisition: self.acquisitions,
                        next: None,
                    };
                    let before = self.holdings.insert(*partition, holding);
                    assert_eq!(before, None, "{self} was given partition {partition} twice");
                }
            }
            Event::Gone(partitions) => {
                self.rebalances += 1;
                for partition in partitions {
                    let held = self.holdings.remove(partition);
                    assert!(
                        held.is_some(),
                        "{self} gave up partition {partition}, not its own"
                    );
                }
            }
            Event::Record {
                partition, offset, ..
            } => {
                let name = &self.name;
                let holding = self.holdings.get_mut(partition);
                let holding =
                    holding.unwrap_or_else(|| panic!("{name} read partition {partition}, not its own"));
                let next = holding.next.replace(offset + 1).unwrap_or(*offset);
                let committed = self.committed.get(partition).copied().unwrap_or(0);
                assert!(
                    (committed..=next).contains(offset),
                    "{name} read {offset} of partition {partition}: {next} is next, {committed} is committed"
                );
            }
            Event::Committed { partition, offset } => {
                let before = self.committed.insert(*partition, *offset);
                assert!(
                    before.is_none_or(|before| before <= *offset),
                    "{self} committed partition {partition} at {before:?} and then at {offset}"
                );
            }
        }
    }

    /// Whether its program runs and was not told to leave.
    pub fn is_member(&self) -> bool {
        self.client.is_some() && !self.leaves
    }

    /// What it has, by partition.
    pub fn holdings(&self) -> &BTreeMap<usize, Holding> {
        &self.holdings
    }

    /// How often it was given partitions, or gave some up.
    pub fn rebalances(&self) -> usize {
        self.rebalances
    }

    /// Fails the test if its program has ended by itself.
    pub fn assert_running(&mut self) {
        if let Some(client) = self.client.as_mut()
            && !self.leaves
            && !client.is_running()
        {
            panic!("{self} ended early");
        }
    }

    /// Tells it to leave, and does not wait.
    pub fn tell_to_leave(&mut self) {
        self.leaves = true;
        self.client.as_mut().unwrap().close_input();
    }

    /// Waits until it has left and its program has ended.
    pub fn wait_until_gone(&mut self) {
        let finished = self.client.take().unwrap().finish(LEAVING);
        assert!(finished.success, "{finished}");
    }

    /// SIGKILL: what it has comes back to the group once its session has timed out.
    pub fn kill(&mut self) {
        self.client.take().unwrap().kill9();
    }

    /// It has nothing any more, whatever it printed last.
    pub fn has_ended(&mut self) {
        assert!(self.client.is_none(), "{self} has ended");
        self.holdings.clear();
    }
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let errors = self.client.as_ref().map(Running::errors).unwrap_or_default();
        let lines: Vec<_> = errors.lines().collect();
        let held: Vec<_> = self.holdings.keys().collect();
        write!(f, "{} with {held:?}", self.name)?;
        for line in &lines[lines.len().saturating_sub(8)..] {
            write!(f, "\n  {line}")?;
        }
        Ok(())
    }
}
