//! Replica assignments that clients ask for. Where records live is not theirs to choose: an assignment is checked as
//! Kafka checks it, tells how many partitions there are, and has no other effect.

use std::collections::BTreeSet;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::BrokerId;
use kafka_protocol::messages::create_topics_request::CreatableReplicaAssignment;

use crate::errors::Failure;

fn refuse(message: impl Into<String>) -> Failure {
    Failure::new(ResponseError::InvalidReplicaAssignment, message)
}

/// Checks the replicas of one partition: some, each known, none twice.
pub(crate) fn check(brokers: &[BrokerId], known: &BTreeSet<i32>) -> Result<(), Failure> {
    if brokers.is_empty() {
        return Err(refuse("a partition needs at least one replica"));
    }
    let mut seen = BTreeSet::new();
    for broker in brokers {
        if !known.contains(&broker.0) {
            return Err(refuse(format!("there is no broker {}", broker.0)));
        }
        if !seen.insert(broker.0) {
            return Err(refuse(format!(
                "broker {} is named twice for a partition",
                broker.0
            )));
        }
    }
    Ok(())
}

/// Checks the assignments of a new topic; how many partitions they make: numbered from 0 without gaps.
pub(crate) fn partitions(
    assignments: &[CreatableReplicaAssignment],
    known: &BTreeSet<i32>,
) -> Result<i32, Failure> {
    let mut indexes = BTreeSet::new();
    for assignment in assignments {
        check(&assignment.broker_ids, known)?;
        if !indexes.insert(assignment.partition_index) {
            return Err(refuse(format!(
                "partition {} is assigned twice",
                assignment.partition_index
            )));
        }
    }
    let count = i32::try_from(assignments.len()).map_err(|_| refuse("too many partitions"))?;
    if indexes.iter().copied().ne(0..count) {
        return Err(refuse("partitions must be numbered from 0 without gaps"));
    }
    Ok(count)
}
