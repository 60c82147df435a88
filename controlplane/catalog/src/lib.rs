//! The catalog: ids, entities, commands, the account and cell stores, the feed and the image.
//!
//! It knows no HTTP and no Kafka. Small by design: O(partitions + objects) rows, tens of writes a second, never on
//! the path of an acknowledgement.

pub mod cell;
pub mod ids;
pub mod topic_config;
