//! The few requests that are sent, encoded by hand once and replayed, and what is read of their answers. The versions have no
//! tagged fields, which keeps them short; Apache Kafka and Firn serve all of them.

mod batch;
mod fetch;
pub mod groups;
mod produce;
mod sasl;
mod topics;

pub use batch::{Batch, HEADER as BATCH_HEADER};
pub use fetch::{FetchAnswer, FetchRequest, MAX_BYTES, walk};
pub use produce::{API as PRODUCE_API, head as produce_head, outcome as produce_outcome};
pub use sasl::{accepted, handshake as sasl_handshake, plain as sasl_plain};
pub use topics::{
    CREATE_TOPICS, LIST_OFFSETS, METADATA, api_versions, create_topics, created, led_partitions,
    list_offsets, metadata, served_partitions,
};

use anyhow::Context;
use bytes::BufMut;

/// A whole frame: length, header with `correlation`, and what `body` writes.
fn frame(api: i16, version: i16, correlation: i32, body: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut frame = Vec::new();
    frame.put_i32(0);
    frame.put_i16(api);
    frame.put_i16(version);
    frame.put_i32(correlation);
    put_string(&mut frame, "firn-bench");
    body(&mut frame);
    let length = frame.len() - 4;
    set_length(&mut frame, length);
    frame
}

/// Says that `length` bytes follow the length field.
pub fn set_length(frame: &mut [u8], length: usize) {
    let length = i32::try_from(length).expect("benchmark frames are a few megabytes");
    frame[..4].copy_from_slice(&length.to_be_bytes());
}

/// Puts a string with a length of two bytes.
pub fn put_string(buffer: &mut Vec<u8>, text: &str) {
    buffer.put_i16(i16::try_from(text.len()).expect("names here are short"));
    buffer.put_slice(text.as_bytes());
}

/// Reads fields, one after the other.
pub struct Fields<'a>(pub &'a [u8]);

impl<'a> Fields<'a> {
    /// The fields of `answer`, which is a frame without its length, after its correlation id.
    pub fn of(answer: &'a [u8]) -> anyhow::Result<Self> {
        let mut fields = Self(answer);
        fields.i32()?;
        Ok(fields)
    }

    fn take(&mut self, length: usize) -> anyhow::Result<&'a [u8]> {
        let (taken, rest) = self
            .0
            .split_at_checked(length)
            .context("an answer ends too early")?;
        self.0 = rest;
        Ok(taken)
    }

    fn i8(&mut self) -> anyhow::Result<i8> {
        Ok(i8::from_be_bytes(self.take(1)?.try_into()?))
    }

    /// The next field, of two bytes.
    pub fn i16(&mut self) -> anyhow::Result<i16> {
        Ok(i16::from_be_bytes(self.take(2)?.try_into()?))
    }

    /// The next field, of four bytes.
    pub fn i32(&mut self) -> anyhow::Result<i32> {
        Ok(i32::from_be_bytes(self.take(4)?.try_into()?))
    }

    fn i64(&mut self) -> anyhow::Result<i64> {
        Ok(i64::from_be_bytes(self.take(8)?.try_into()?))
    }

    /// A string or a byte sequence with a length of two bytes; empty if null.
    pub fn short(&mut self) -> anyhow::Result<&'a [u8]> {
        let length = self.i16()?;
        self.take(usize::try_from(length).unwrap_or(0))
    }

    /// Bytes with a length of four bytes; empty if null.
    pub fn long(&mut self) -> anyhow::Result<&'a [u8]> {
        let length = self.i32()?;
        self.take(usize::try_from(length).unwrap_or(0))
    }

    /// The length of an array; none if null.
    pub fn count(&mut self) -> anyhow::Result<usize> {
        Ok(usize::try_from(self.i32()?).unwrap_or(0))
    }
}
