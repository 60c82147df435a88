//! The broker: network, protocol, one handler per Kafka API.
//!
//! | module | what is in it |
//! |---|---|
//! | [`network`] | listener, connections, frames, limits; knows no API |
//! | [`protocol`] | headers, the guard before the decoders, Produce and Fetch by hand |
//! | `serving` | from a frame to a handler and back: dispatch, request context, fetch sessions |
//! | `handlers` | one file for each API, its versions on top |
//! | [`seams`] | authorize, charge, meter |
//! | `groups` | consumer groups: the coordinator's state machines over internal partitions |
//! | `errors` | domain errors to Kafka's codes |
//! | `reconcile` | keeps the log's partitions as the image says |
//!
//! A request: a connection's task reads a frame, `serving::dispatch` reads the header, finds the handler in
//! `handlers::TABLE`, lets the guard look at the body, decodes it, calls the handler, charges, encodes, meters. Wire types
//! and version branches stop at this crate.

mod broker;
mod errors;
pub mod groups;
mod handlers;
mod metrics;
mod network;
mod protocol;
mod reconcile;
pub mod seams;
mod serving;
mod settings;

pub use broker::{Broker, BrokerParts, Seams, StartError};
pub use network::{Closing, Limits};
pub use protocol::guard::MEMORY_PER_BYTE;
pub use serving::dispatch::HOT_REQUESTS;
pub use settings::{Advertise, BrokerSettings};
