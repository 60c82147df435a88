//! What the processes of a cell say to each other on the brokers' internal listener, beside Kafka's requests.
//!
//! | module | what is in it |
//! |---|---|
//! | [`message`] | the bytes: docs/formats/internal.md |
//! | [`serving`] | answering |
//! | [`load`] | what a broker tells of a cluster's load |
//! | [`positions`] | where partitions begin and end, and how old what comes at an offset is |
//! | [`peer`] | a connection to another broker |
//! | [`exchange`] | telling the others what is wanted here, about once a second |
//!
//! A frame with the API key [`firn_catalog::internal::INTERNAL_API`] is understood on the internal listener only, from a connection that has shown a
//! delegation. On the listener for clients it is what any unknown API is.

pub(crate) mod exchange;
mod load;
pub(crate) mod message;
pub(crate) mod peer;
pub(crate) mod positions;
pub(crate) mod serving;
