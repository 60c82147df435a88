//! A case: what is done, with which brokers.

use crate::load::Pace;
use crate::subject::Kind;

/// The brokers that take part, in the order of their turns.
pub const KAFKA_AND_FIRN: &[Kind] = &[Kind::Kafka, Kind::Firn];
/// Also the floor.
pub const WITH_FLOOR: &[Kind] = &[Kind::Kafka, Kind::Firn, Kind::Floor];
/// Also Kafka that flushes.
pub const ALL: &[Kind] = &[Kind::Kafka, Kind::Firn, Kind::KafkaFlushing];
/// Also both.
pub const ALL_WITH_FLOOR: &[Kind] = &[Kind::Kafka, Kind::Firn, Kind::KafkaFlushing, Kind::Floor];
/// Firn, where Kafka has nothing like it.
pub const FIRN: &[Kind] = &[Kind::Firn];
/// Firn with its log in an S3 server.
pub const FIRN_OBJECT: &[Kind] = &[Kind::FirnObject];

/// What is sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sending {
    /// Bytes of a batch, about.
    pub batch: usize,
    /// Bytes of a record's value.
    pub value: usize,
    /// Partitions of the topic.
    pub partitions: i32,
    /// Connections that produce.
    pub connections: usize,
    /// How fast.
    pub pace: Pace,
}

/// What is done in a case.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Work {
    /// Producing alone.
    Produce(Sending),
    /// Producing, with consumers that keep up, and others that read everything again and again.
    Mixed {
        /// What is produced.
        sending: Sending,
        /// Consumers at the end of the log.
        tails: usize,
        /// Consumers that begin again at its start.
        catch_up: usize,
    },
    /// Reading what was produced before.
    CatchUp {
        /// How many read all of it at the same time.
        readers: usize,
        /// Out of objects alone, after a restart without a hot tier.
        cold: bool,
    },
    /// Opening connections that then do nothing.
    Connections(usize),
    /// A group with so many members: joining, heartbeats, one leaves.
    OneGroup(usize),
    /// So many groups, each of which commits every second.
    ManyGroups(usize),
    /// Many partitions: creating them, starting with them, asking for them.
    Partitions {
        /// Topics.
        topics: usize,
        /// Partitions of each.
        each: i32,
    },
}

/// One row of the catalogue.
#[derive(Clone, Debug)]
pub struct Case {
    /// A short name, which selects it on the command line.
    pub id: String,
    /// What is done, in words.
    pub title: String,
    /// The heading in the report. Cases of one group that follow each other share a broker process.
    pub group: &'static str,
    /// Who takes part.
    pub kinds: &'static [Kind],
    /// What is done.
    pub work: Work,
}
