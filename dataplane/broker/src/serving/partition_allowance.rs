//! How many partitions one request may make, of all its topics together: Kafka's own bound. A request beyond it is refused
//! as a whole, before anything is created or looked at more closely.

use kafka_protocol::ResponseError;

use crate::errors::Failure;

/// The most partitions that one request may make.
const MOST_PARTITIONS: i64 = 10_000;

/// Checks what the topics of a request ask for; a number below zero asks for nothing.
pub(crate) fn check(partitions: impl Iterator<Item = i64>) -> Result<(), Failure> {
    let total = partitions.fold(0i64, |total, more| total.saturating_add(more.max(0)));
    if total <= MOST_PARTITIONS {
        return Ok(());
    }
    let excessive = "Excessively large number of partitions per request.";
    Err(Failure::new(ResponseError::PolicyViolation, excessive))
}
