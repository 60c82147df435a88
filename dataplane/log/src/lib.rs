//! The log: record batches, write-ahead log, tiers, takeover. It knows no wire API and no tenants.
//!
//! | module | what is in it |
//! |---|---|
//! | [`batch`] | record batch format: header, validation, records, compression |
//! | [`wal`] | the row of write-once registers: slot format, object and disk logs, the appender |
//! | [`store`] | the object store: opening, durable local files, conditional puts, the start-up probe |
//! | [`cold`] | `seg/` and `mux/` objects: format, reading, offload, merge, retention, garbage collection |
//! | [`takeover`] | seal, fence, recovery index: how a successor learns where a log ends |
//! | [`partition`] | one partition's log: append, producer state, leader epochs, high watermark, read |
//! | [`engine`] | a broker's log: all its partitions, its incarnation, its background work |

pub mod batch;
mod checksum;
pub mod cold;
mod direct;
pub mod engine;
mod folder;
mod metrics;
pub mod partition;
#[cfg(feature = "planted")]
pub mod planted;
pub mod store;
pub mod takeover;
pub mod wal;
