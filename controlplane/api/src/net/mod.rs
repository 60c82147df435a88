//! Requests that this service sends.

pub(crate) mod outbound;
