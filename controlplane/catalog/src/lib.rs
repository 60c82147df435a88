//! The catalog: ids, entities, commands, the account and cell stores, the feed and the image.
//!
//! It knows no HTTP and no Kafka. Small by design: O(partitions + objects) rows, tens of writes a second, never on
//! the path of an acknowledgement.
//!
//! - [`Catalog`] is an open database, SQLite or PostgreSQL, with both stores in it.
//! - [`commands`]: the only way in which topics, clusters and configurations change.
//! - [`cell::LogCatalog`]: what the log asks of the catalog; [`cell::MemoryCatalog`] does it in memory.
//! - [`feed`]: every change that brokers must see, in commit order.
//! - [`image::ImageFollower`] folds the feed into an immutable [`image::Image`], from which requests are answered.
//! - [`topic_config`]: every config key, its checks, and the effective values.
//! - [`usage`]: what was used, minute by minute; [`lag`]: how far consumer groups were behind.
//! - [`access`]: roles, what they allow and where; [`account`]: who has them, and everything else around clusters.
//! - [`acl`]: who may do what in a cluster; [`quota`]: how much; [`trust`]: who says who its clients are.
//! - [`networks`]: from where somebody may come.
//! - [`internal`]: what the control plane asks brokers.
//! - [`audit`]: the chained trails of clusters and organizations.
//! - [`ids`], [`entities`]: names and rows; [`moment`]: times as people read them.
//! - `sql`: the statements; `migrations/` at the root of the repository: the tables (`docs/formats/catalog.md`).

pub mod access;
pub mod account;
pub mod acl;
pub mod audit;
mod catalog;
pub mod cell;
pub mod commands;
pub mod credential;
pub mod entities;
pub mod feed;
pub mod ids;
pub mod image;
mod in_force;
pub mod internal;
pub mod lag;
mod metrics;
pub mod moment;
pub mod networks;
pub mod quota;
mod redact;
mod sql;
pub mod topic_config;
pub mod trust;
pub mod usage;

pub use catalog::Catalog;
pub use redact::redact;
pub use sql::OpenError;
