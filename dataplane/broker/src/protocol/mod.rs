//! The wire format: headers, the guard before the decoders, and the two messages of the hot path by hand.
//!
//! | module | what is in it |
//! |---|---|
//! | [`cursor`] | primitive types |
//! | [`header`] | request and response headers |
//! | [`schema`] | the structure of every request that is served |
//! | [`guard`] | the check that a request can be decoded in bounded memory |
//! | [`produce`] | Produce, decoded without copying; its response |
//! | [`fetch`] | the Fetch response around record slices |
//!
//! Everything else goes through the codecs of `kafka-protocol`. Those reserve memory for whatever count a request
//! claims, so nothing reaches them that [`guard`] has not walked first.

pub(crate) mod cursor;
pub(crate) mod fetch;
pub(crate) mod guard;
pub(crate) mod header;
pub(crate) mod produce;
pub(crate) mod schema;
pub(crate) mod writing;

/// Why a request cannot be decoded. The connection is closed: after it, nothing on it can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Malformed {
    /// A length or count points past the end.
    #[error("the request ends before its fields do")]
    Truncated,
    /// A length or count below -1.
    #[error("a length is negative")]
    NegativeLength,
    /// A varint of more than 32 bits.
    #[error("a varint is overlong")]
    Overlong,
    /// A string of more bytes than a classic string can have.
    #[error("a string is longer than 32767 bytes")]
    LongString,
    /// A string is not UTF-8.
    #[error("a string is not UTF-8")]
    NotText,
    /// A tagged field has another size than its type.
    #[error("a tagged field has the wrong size, or is not for this version")]
    BadTag,
    /// Decoding it would take far more memory than it has bytes.
    #[error("the request would take too much memory to decode")]
    TooCostly,
    /// The codec refused it: a null where none may be.
    #[error("the request does not follow its schema")]
    Schema,
}
