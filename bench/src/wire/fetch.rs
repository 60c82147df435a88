//! Fetch, version 11, without a session.

use anyhow::bail;
use bytes::BufMut;

use super::{BATCH_HEADER, Fields, frame, put_string};

const API: i16 = 1;
const VERSION: i16 = 11;
/// What Kafka's consumer asks for unless told otherwise.
pub const MAX_BYTES: i32 = 50 << 20;
const MAX_PARTITION_BYTES: i32 = 1 << 20;
const MIN_BYTES: i32 = 1;
const MAX_WAIT_MS: i32 = 500;
const LAST_OFFSET_DELTA_AT: usize = 23;

/// What a consumer asks for: for each partition the next offset.
#[derive(Debug)]
pub struct FetchRequest<'a> {
    /// The topic.
    pub topic: &'a str,
    /// Partitions with the offset to read from.
    pub positions: &'a [(i32, i64)],
    /// How many bytes of records it wants at most.
    pub max_bytes: i32,
}

impl FetchRequest<'_> {
    /// The whole frame.
    pub fn encode(&self) -> Vec<u8> {
        frame(API, VERSION, 0, |body| {
            body.put_i32(-1);
            body.put_i32(MAX_WAIT_MS);
            body.put_i32(MIN_BYTES);
            body.put_i32(self.max_bytes);
            body.put_u8(0);
            body.put_i32(0);
            body.put_i32(-1);
            body.put_i32(1);
            put_string(body, self.topic);
            body.put_i32(i32::try_from(self.positions.len()).expect("there are few partitions"));
            for (partition, offset) in self.positions {
                body.put_i32(*partition);
                body.put_i32(-1);
                body.put_i64(*offset);
                body.put_i64(-1);
                body.put_i32(MAX_PARTITION_BYTES);
            }
            body.put_i32(0);
            put_string(body, "");
        })
    }
}

/// What came for one partition.
#[derive(Debug)]
pub struct FetchAnswer<'a> {
    /// The partition's index.
    pub partition: i32,
    /// One past the last record that counts.
    pub high_watermark: i64,
    /// Batches; the last one may be cut short.
    pub records: &'a [u8],
}

impl<'a> FetchAnswer<'a> {
    /// Hands each partition of an answer to `each`; an error code in it is an error.
    pub fn read(answer: &'a [u8], mut each: impl FnMut(Self) -> anyhow::Result<()>) -> anyhow::Result<()> {
        let mut fields = Fields::of(answer)?;
        fields.i32()?;
        match fields.i16()? {
            0 => {}
            code => bail!("Fetch answered error {code}"),
        }
        fields.i32()?;
        for _ in 0..fields.count()? {
            fields.short()?;
            for _ in 0..fields.count()? {
                each(Self::partition(&mut fields)?)?;
            }
        }
        Ok(())
    }

    fn partition(fields: &mut Fields<'a>) -> anyhow::Result<Self> {
        let partition = fields.i32()?;
        match fields.i16()? {
            0 => {}
            code => bail!("Fetch of partition {partition} answered error {code}"),
        }
        let high_watermark = fields.i64()?;
        fields.i64()?;
        fields.i64()?;
        for _ in 0..fields.count()? {
            fields.i64()?;
            fields.i64()?;
        }
        fields.i32()?;
        Ok(Self {
            partition,
            high_watermark,
            records: fields.long()?,
        })
    }
}

/// The offsets of one batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Of its first record.
    pub first: i64,
    /// One past its last record.
    pub end: i64,
    /// Its bytes.
    pub bytes: usize,
}

/// The whole batches in `records`, by their headers alone.
pub fn walk(mut records: &[u8]) -> impl Iterator<Item = Span> {
    std::iter::from_fn(move || {
        let field = |at: usize| records.get(at..at + 4)?.try_into().ok().map(i32::from_be_bytes);
        let bytes = 12 + usize::try_from(field(8)?).ok()?;
        if bytes < BATCH_HEADER || bytes > records.len() {
            return None;
        }
        let first = i64::from_be_bytes(records[..8].try_into().ok()?);
        let end = first + i64::from(field(LAST_OFFSET_DELTA_AT)?) + 1;
        records = &records[bytes..];
        Some(Span { first, end, bytes })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Batch;

    #[test]
    fn batches_are_walked_and_one_cut_short_ends_the_walk() {
        let batch = Batch::new(10, 100);
        let mut records = [&batch.bytes[..], &batch.bytes[..]].concat();
        let span = Span {
            first: 0,
            end: 10,
            bytes: batch.bytes.len(),
        };
        assert_eq!(walk(&records).collect::<Vec<_>>(), [span, span]);
        records.pop();
        assert_eq!(walk(&records).count(), 1);
        assert_eq!(walk(&records[..20]).count(), 0);
    }
}
