//! Request and response headers.
//!
//! A request header is `api_key i16, api_version i16, correlation_id i32, client_id nullable string`, with tagged fields
//! after it where the version is flexible. A response header is the correlation id, with (no) tagged fields where the
//! version is flexible; ApiVersions never has them, since its answer must be readable before versions are known.

use bytes::{BufMut, BytesMut};
use kafka_protocol::messages::ApiKey;

use super::Malformed;
use super::cursor::Cursor;

/// The part of a request header that every version of it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Prelude {
    /// Which API, as sent.
    pub(crate) api_key: i16,
    /// Which version of it, as sent.
    pub(crate) version: i16,
    /// What the response repeats.
    pub(crate) correlation: i32,
}

impl Prelude {
    pub(crate) fn read(cursor: &mut Cursor<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            api_key: cursor.i16()?,
            version: cursor.i16()?,
            correlation: cursor.i32()?,
        })
    }
}

/// Reads what follows the prelude: the client id and, where `flexible`, tagged fields.
pub(crate) fn client_id<'a>(cursor: &mut Cursor<'a>, flexible: bool) -> Result<Option<&'a str>, Malformed> {
    let client_id = cursor.text(false)?;
    if flexible {
        cursor.skip_tags()?;
    }
    Ok(client_id)
}

/// Bytes of the longest response header, with the frame's length before it.
pub(crate) const RESPONSE_PREFIX: usize = 9;

/// Begins a response: room for the frame's length, then the header.
pub(crate) fn begin_response(out: &mut BytesMut, api: ApiKey, correlation: i32, flexible: bool) {
    out.put_i32(0);
    out.put_i32(correlation);
    if flexible && api != ApiKey::ApiVersions {
        out.put_u8(0);
    }
}

/// Writes the frame's length, now that the whole response's size is known, into its first bytes.
pub(crate) fn set_length(first: &mut [u8], total: usize) {
    let length =
        i32::try_from(total - 4).expect("a response is bounded by fetch.max.bytes and the catalog's size");
    first[..4].copy_from_slice(&length.to_be_bytes());
}
