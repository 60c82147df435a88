//! What the processes of a cell say to each other on the brokers' internal listener, beside Kafka's requests.
//!
//! | module | what is in it |
//! |---|---|
//! | [`message`] | the bytes: docs/formats/internal.md |
//! | [`serving`] | answering |
//! | [`peer`] | a connection to another broker |
//! | [`exchange`] | telling the others what is wanted here, about once a second |
//!
//! A frame with the API key [`firn_catalog::quota::throttle::INTERNAL_API`] is understood on the internal listener only, from a connection that has shown a
//! delegation. On the listener for clients it is what any unknown API is.

pub(crate) mod exchange;
pub(crate) mod message;
mod peer;
pub(crate) mod serving;
