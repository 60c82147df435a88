//! Limits and times of groups.

use std::time::Duration;

/// Limits and times of groups; the defaults are Apache Kafka's, but for the bound on groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupSettings {
    /// `group.min.session.timeout.ms`.
    pub min_session: Duration,
    /// `group.max.session.timeout.ms`.
    pub max_session: Duration,
    /// `group.initial.rebalance.delay.ms`: how long a new group waits for more members.
    pub initial_delay: Duration,
    /// `group.max.size`: members of a group.
    pub max_members: usize,
    /// `offset.metadata.max.bytes`: the longest text that may come with an offset.
    pub max_metadata: usize,
    /// `offsets.retention.minutes`: how long offsets stay once nobody uses them.
    pub retention: Duration,
    /// `offsets.retention.check.interval.ms`: how often it is looked for offsets that are past it.
    pub retention_check: Duration,
    /// Groups of one cluster.
    pub max_groups: usize,
}

impl Default for GroupSettings {
    fn default() -> Self {
        Self {
            min_session: Duration::from_secs(6),
            max_session: Duration::from_secs(30 * 60),
            initial_delay: Duration::from_secs(3),
            max_members: usize::MAX,
            max_metadata: 4096,
            retention: Duration::from_secs(7 * 24 * 3600),
            retention_check: Duration::from_secs(600),
            max_groups: 10_000,
        }
    }
}
