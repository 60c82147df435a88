//! Produce, version 7.

use anyhow::bail;
use bytes::BufMut;

use super::{Fields, frame, put_string, set_length};

/// Its API key.
pub const API: i16 = 0;
const VERSION: i16 = 7;
const ALL: i16 = -1;
const TIMEOUT_MS: i32 = 60_000;

/// All of a request with acks=all for one batch of `batch` bytes, but the batch itself, which follows.
pub fn head(topic: &str, partition: i32, batch: usize) -> Vec<u8> {
    let mut head = frame(API, VERSION, partition, |body| {
        body.put_i16(-1);
        body.put_i16(ALL);
        body.put_i32(TIMEOUT_MS);
        body.put_i32(1);
        put_string(body, topic);
        body.put_i32(1);
        body.put_i32(partition);
        body.put_i32(i32::try_from(batch).expect("batches here are at most a megabyte"));
    });
    let length = head.len() - 4 + batch;
    set_length(&mut head, length);
    head
}

/// Whether the answer says that the batch is in the log.
pub fn outcome(answer: &[u8]) -> anyhow::Result<()> {
    let mut fields = Fields::of(answer)?;
    fields.count()?;
    fields.short()?;
    fields.count()?;
    let partition = fields.i32()?;
    match fields.i16()? {
        0 => Ok(()),
        code => bail!("Produce to partition {partition} answered error {code}"),
    }
}
