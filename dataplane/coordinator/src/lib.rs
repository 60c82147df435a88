//! The coordinator: consumer groups and their committed offsets, as state machines without I/O.
//!
//! A [`Shard`] holds all groups of one internal partition. It is told of requests and of the time, and says which records
//! describe what changed, which requests are answered now, and when it wants to be told the time again. Whoever drives it
//! appends the records, and lets an answer out only once everything appended before it is durable (invariant 8).
//! Replaying the records of a partition in order gives the same shard again, but for what only lives while a rebalance is under
//! way: members of a group that was not stable have to join again, as in Apache Kafka.
//!
//! | module | what is in it |
//! |---|---|
//! | [`api`] | requests and answers |
//! | [`record`] | what is stored: keys, values, their bytes |
//! | `shard` | all groups of a partition: requests, replay, snapshot, expiry |
//! | `classic` | the classic group protocol: join, sync, heartbeat, leave |
//! | `offsets` | committed offsets of a group |
//! | `timers` | deadlines that mostly move before they come |
//!
//! Nothing here knows of Kafka's wire format, of connections or of clocks. Rejected: an actor for each group (a task and a
//! queue for each of a million groups, and two wake-ups of another core for each heartbeat).

pub mod api;
mod classic;
mod offsets;
pub mod record;
mod settings;
mod shard;
mod timers;

pub use settings::GroupSettings;
pub use shard::{GroupCounts, Output, Shard, Token, shard_of};
