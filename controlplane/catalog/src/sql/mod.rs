//! The catalog's stores in SQL: one text for SQLite and PostgreSQL.
//!
//! It goes through sqlx's `Any` driver: ids are text, numbers `BIGINT`, structures JSON text, parameters `$n`. The dialects
//! differ in four places only, all in this folder: how a transaction begins, `FOR UPDATE` (SQLite locks the
//! whole file instead), what a connection is told first, and which errors mean "again".
//!
//! Lock order: the cluster's row, which guards the rows of its topics; incarnations in id order; partitions; objects; the
//! ends of audit trails in the order of their clusters; the feed head last.

pub(crate) mod access;
mod audit;
mod clusters;
mod errors;
mod feed;
mod image;
mod incarnations;
mod log_catalog;
mod migrations;
mod objects;
mod opening;
mod ownership;
mod rows;
mod takeover;
mod transaction;
mod trimming;

pub(crate) use audit::{AuditEntry, Audited, ChainedRow};
pub(crate) use clusters::HeldCluster;
pub(crate) use feed::CHANNEL;
pub use opening::OpenError;
pub(crate) use opening::Store;
pub(crate) use rows::{
    Arg, args, id_at, json, json_at, number_at, numbers_of, optional_id_at, optional_number_at,
    optional_text_at, text_at,
};
pub(crate) use transaction::{Attempts, Tx, TxError, transaction};

/// Which database it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// One file, one process.
    Sqlite,
    /// A server.
    Postgres,
}
