//! A reset as bodies say it, and what came of it.

use firn_catalog::lag::positions::Position;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::selection::Chosen;
use crate::kafka::groups::NewOffset;
use crate::rules::{Moment, Problem};

/// Where offsets of a group shall be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = GroupOffsetsReset)]
pub(in crate::routes::groups) struct ResetBody {
    /// Whereto.
    pub(super) to: TargetBody,
    /// In which topics; without it, in all in which something is committed.
    #[serde(default)]
    #[schema(min_items = 1, max_items = 1000)]
    pub(super) topics: Option<Vec<ResetTopic>>,
}

/// A topic in which offsets are set.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = GroupOffsetsResetTopic)]
pub(super) struct ResetTopic {
    /// Its name.
    #[schema(min_length = 1, max_length = 249)]
    pub(super) topic: String,
    /// In which partitions; without it, in all.
    #[serde(default)]
    #[schema(min_items = 1, max_items = 10_000)]
    pub(super) partitions: Option<Vec<i32>>,
}

/// Whereto offsets are set.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[schema(as = GroupOffsetsTarget)]
pub(super) enum TargetBody {
    /// The first records that there are.
    Earliest {},
    /// The end: only what comes from now on.
    Latest {},
    /// The first records that are not older than a moment.
    Time {
        /// The moment.
        #[schema(format = "date-time")]
        time: String,
    },
    /// The same offset in every partition.
    Offset {
        /// The offset.
        #[schema(minimum = 0)]
        offset: i64,
    },
    /// So many records forward, or backward if it is negative.
    Shift {
        /// How many.
        by: i64,
    },
}

/// The same, read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Earliest,
    Latest,
    /// In ms since 1970.
    Time(i64),
    Offset(i64),
    Shift(i64),
}

impl TargetBody {
    pub(super) fn read(&self) -> Result<Target, Problem> {
        Ok(match self {
            Self::Earliest {} => Target::Earliest,
            Self::Latest {} => Target::Latest,
            Self::Time { time } => {
                let moment = Moment::parse(time).filter(|moment| moment.0.0 >= 0);
                let moment = moment.ok_or_else(|| {
                    Problem::invalid("/to/time", "must be a moment such as 2030-01-31T12:00:00Z")
                })?;
                Target::Time(moment.0.0)
            }
            Self::Offset { offset } if *offset < 0 => {
                return Err(Problem::invalid("/to/offset", "must be 0 or more"));
            }
            Self::Offset { offset } => Target::Offset(*offset),
            Self::Shift { by } => Target::Shift(*by),
        })
    }
}

impl Target {
    /// As the audit trail says it.
    pub(super) fn told(self) -> Value {
        match self {
            Self::Earliest => json!({ "kind": "earliest" }),
            Self::Latest => json!({ "kind": "latest" }),
            Self::Time(time_ms) => json!({ "kind": "time", "time_ms": time_ms }),
            Self::Offset(offset) => json!({ "kind": "offset", "offset": offset }),
            Self::Shift(by) => json!({ "kind": "shift", "by": by }),
        }
    }
}

/// What a reset does, or has done.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = GroupOffsetsResetResult)]
pub(in crate::routes::groups) struct ResetResult {
    /// Each partition, in the order of topics and partitions.
    pub(super) items: Vec<ItemBody>,
}

/// What a reset does to a partition.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = GroupOffsetsResetItem)]
pub(super) struct ItemBody {
    /// The topic's name.
    topic: String,
    /// The partition.
    #[schema(minimum = 0)]
    partition: i32,
    /// What was committed; null if nothing was.
    before: Option<i64>,
    /// What is.
    #[schema(minimum = 0)]
    after: i64,
    /// Records that the group had not passed; null if nothing was committed.
    #[schema(minimum = 0)]
    lag_before: Option<i64>,
    /// Records that it has not passed now.
    #[schema(minimum = 0)]
    lag_after: i64,
    /// Whether what was asked for lies outside of the partition.
    clamped: bool,
}

impl ItemBody {
    pub(super) fn of(chosen: &Chosen, position: &Position, wanted: i64) -> Self {
        let after = wanted.min(position.end).max(position.log_start);
        Self {
            topic: chosen.topic.clone(),
            partition: chosen.partition.index,
            before: chosen.before,
            after,
            lag_before: chosen.before.map(|before| position.lag(before)),
            lag_after: position.lag(after),
            clamped: after != wanted,
        }
    }

    pub(super) fn topic(&self) -> &str {
        &self.topic
    }

    pub(super) fn new_offset(&self) -> NewOffset {
        NewOffset {
            topic: self.topic.clone(),
            partition: self.partition,
            offset: self.after,
        }
    }
}

#[cfg(test)]
mod tests {
    use firn_catalog::ids::{PartitionId, TopicId};

    use super::*;

    fn target(text: &str) -> Result<Target, String> {
        let body: TargetBody = serde_json::from_str(text).map_err(|error| error.to_string())?;
        body.read().map_err(|problem| format!("{problem:?}"))
    }

    #[test]
    fn a_target_is_one_of_five_and_nothing_else() {
        assert_eq!(target(r#"{"kind":"earliest"}"#), Ok(Target::Earliest));
        assert_eq!(target(r#"{"kind":"latest"}"#), Ok(Target::Latest));
        let time = r#"{"kind":"time","time":"1970-01-01T00:00:02Z"}"#;
        assert_eq!(target(time), Ok(Target::Time(2_000)));
        assert_eq!(target(r#"{"kind":"offset","offset":7}"#), Ok(Target::Offset(7)));
        assert_eq!(target(r#"{"kind":"shift","by":-7}"#), Ok(Target::Shift(-7)));
        for wrong in [
            r#"{}"#,
            r#"{"kind":"middle"}"#,
            r#"{"kind":"earliest","offset":1}"#,
            r#"{"kind":"offset","offset":-1}"#,
            r#"{"kind":"offset","offset":1e99}"#,
            r#"{"kind":"time","time":"yesterday"}"#,
            r#"{"kind":"time","time":"1969-01-01T00:00:00Z"}"#,
        ] {
            assert!(target(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_lies_outside_of_a_partition_is_brought_inside() {
        let chosen = Chosen {
            topic: "t".to_owned(),
            partition: PartitionId {
                topic: TopicId(1),
                index: 3,
            },
            before: Some(20),
        };
        let position = Position {
            log_start: 10,
            end: 50,
            time_ms: None,
        };
        let of = |wanted| {
            let item = ItemBody::of(&chosen, &position, wanted);
            (item.after, item.lag_before, item.lag_after, item.clamped)
        };
        assert_eq!(of(30), (30, Some(30), 20, false));
        assert_eq!(of(3), (10, Some(30), 40, true));
        assert_eq!(of(i64::MAX), (50, Some(30), 0, true));
    }
}
