//! The cell's catalog: brokers, topics, partitions, objects and the feed of one cell.
//!
//! [`LogCatalog`] is what the log needs of it. Three implementations pass one contract suite: PostgreSQL and
//! SQLite (one text for both) and an in-memory one for the simulation.

mod log_catalog;
mod memory;

pub use log_catalog::*;
pub use memory::MemoryCatalog;
