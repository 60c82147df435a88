//! The broker: network, protocol, one handler per Kafka API.
//!
//! | module | what is in it |
//! |---|---|
//! | [`network`] | listener, connections, frames, limits; knows no API |
//! | [`protocol`] | headers, the guard before the decoders, Produce and Fetch by hand |
//! | `serving` | from a frame to a handler and back: dispatch, request context, fetch sessions |
//! | `handlers` | one file for each API, its versions on top |
//! | `authentication` | TLS names, SASL, live connections and when they must end |
//! | [`seams`] | authorize, charge, meter |
//! | [`permissions`] | what each API asks of the first of them |
//! | `metering` | counts what principals use, and writes it to the catalog |
//! | `quotas` | client quotas and the limits of clusters: how long clients wait, and why |
//! | `internal` | what the processes of a cell say to each other on the internal listener |
//! | `lag` | how far groups are behind, written to the catalog minute by minute |
//! | `groups` | consumer groups: the coordinator's state machines over internal partitions |
//! | `errors` | domain errors to Kafka's codes |
//! | `reconcile` | keeps the log's partitions as the image says |
//! | `audit_topics` | the audit trails of clusters as topics of theirs |
//! | `denials` | what was denied, in the audit trails of clusters |
//! | `reporting` | tells the catalog what of the feed is in force here |
//! | `sampling` | log lines that clients cause |
//!
//! A request: a connection's task reads a frame, `serving::dispatch` reads the header, finds the handler in
//! `handlers::TABLE`, lets the guard look at the body, decodes it, calls the handler, charges, encodes, meters. Wire types
//! and version branches stop at this crate.

mod audit_topics;
mod authentication;
mod broker;
mod clients;
mod denials;
mod errors;
pub mod groups;
mod handlers;
mod internal;
mod lag;
mod metering;
mod metrics;
mod network;
pub mod permissions;
mod protocol;
pub mod quotas;
mod reconcile;
mod reporting;
mod sampling;
pub mod seams;
mod serving;
mod settings;

pub use broker::{Broker, BrokerParts, Seams, StartError};
pub use network::tls::Certificates;
pub use network::{Closing, Limits};
pub use protocol::guard::MEMORY_PER_BYTE;
pub use serving::dispatch::HOT_REQUESTS;
pub use settings::{Advertise, BrokerSettings, KerberosSettings, TokenSettings};
