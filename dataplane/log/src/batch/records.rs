//! The records inside a batch.
//!
//! [`walk`] streams through them in constant memory, compressed or not: validation and lookups by time use it.
//! [`records`] gives keys and values, for tools, tests and coordinators.

use std::io::{self, BufRead, BufReader, Read};

use bytes::{Buf, Bytes};

use super::compression::{Compression, Decompressor, is_past_limit};
use super::header::BatchHeader;

/// The most uncompressed bytes that a batch's records may have when somebody looks into them, unless told otherwise.
pub const DEFAULT_MAX_DECOMPRESSED_BYTES: u64 = 256 * 1024 * 1024;

/// Why the records of a batch cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordsError {
    /// The batch contradicts itself.
    #[error("malformed records: {0}")]
    Malformed(&'static str),
    /// The codec refuses the compressed bytes.
    #[error("the {0} stream is damaged")]
    Decompression(&'static str),
    /// The records are larger than they may be.
    #[error("the records decompress to more than {limit} bytes")]
    TooLarge {
        /// The bound.
        limit: u64,
    },
}

/// What a walk tells of each record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Walked {
    pub(super) timestamp: i64,
    pub(super) has_key: bool,
}

/// Streams through all records of `batch` (whole, with its header), which must be exactly as many as `header` counts,
/// with offset deltas 0, 1, 2, ... `visit` gets each record's number. Compressed ones may have `limit` bytes; what was
/// decompressed, whatever the outcome, is added to `spent`.
pub(super) fn walk(
    header: &BatchHeader,
    batch: &[u8],
    limit: u64,
    spent: &mut u64,
    mut visit: impl FnMut(i32, Walked),
) -> Result<(), RecordsError> {
    let payload = &batch[BatchHeader::SIZE..];
    let codec = header
        .compression()
        .ok_or(RecordsError::Malformed("an unknown compression codec"))?;
    if codec == Compression::None {
        return walk_stream(header, &mut Stream::new(payload, codec, limit), &mut visit);
    }
    let reader =
        Decompressor::new(codec, payload, limit).map_err(|_| RecordsError::Decompression(codec.name()))?;
    let mut stream = Stream::new(BufReader::with_capacity(32 * 1024, reader), codec, limit);
    let walked = walk_stream(header, &mut stream, &mut visit);
    *spent += stream.reader.get_ref().spent();
    walked
}

fn walk_stream<R: BufRead>(
    header: &BatchHeader,
    stream: &mut Stream<R>,
    visit: &mut impl FnMut(i32, Walked),
) -> Result<(), RecordsError> {
    let mut least = 0;
    for _ in 0..header.count {
        let length = stream.varint()?;
        let start = stream.position;
        stream.skip(1)?; // attributes, unused
        let timestamp_delta = stream.varlong()?;
        // In a batch of a client, deltas count up; compaction leaves gaps.
        let offset_delta = stream.varint()?;
        if offset_delta < least || offset_delta > header.last_offset_delta {
            return Err(RecordsError::Malformed("offset deltas out of order"));
        }
        least = offset_delta.saturating_add(1);
        let key = stream.varint()?;
        stream.skip_field(key)?;
        let value = stream.varint()?;
        stream.skip_field(value)?;
        let headers = stream.varint()?;
        if headers < 0 {
            return Err(RecordsError::Malformed("a negative number of headers"));
        }
        for _ in 0..headers {
            let name = stream.varint()?;
            if name < 0 {
                return Err(RecordsError::Malformed("a header without a name"));
            }
            stream.skip_field(name)?;
            let content = stream.varint()?;
            stream.skip_field(content)?;
        }
        if i64::from(length) != i64::try_from(stream.position - start).unwrap_or(i64::MAX) {
            return Err(RecordsError::Malformed(
                "a record's length does not fit its contents",
            ));
        }
        let timestamp = header.record_timestamp(timestamp_delta);
        visit(
            offset_delta,
            Walked {
                timestamp,
                has_key: key >= 0,
            },
        );
    }
    if stream.at_end()? {
        Ok(())
    } else {
        Err(RecordsError::Malformed("bytes after the last record"))
    }
}

/// The first record of `batch` of which `matches(offset delta, timestamp)` holds, as these two numbers. Streams, so that
/// a lookup by time costs no memory.
pub fn find_record(
    batch: &[u8],
    matches: impl Fn(i32, i64) -> bool,
) -> Result<Option<(i32, i64)>, RecordsError> {
    let header = whole_header(batch)?;
    let mut found = None;
    let visit = |delta, record: Walked| {
        if found.is_none() && matches(delta, record.timestamp) {
            found = Some((delta, record.timestamp));
        }
    };
    walk(&header, batch, DEFAULT_MAX_DECOMPRESSED_BYTES, &mut 0, visit)?;
    Ok(found)
}

fn whole_header(batch: &[u8]) -> Result<BatchHeader, RecordsError> {
    let header = BatchHeader::read(batch).ok_or(RecordsError::Malformed("shorter than a batch header"))?;
    if header.total_size() != Some(batch.len()) || header.magic != 2 {
        return Err(RecordsError::Malformed("not one whole batch of format 2"));
    }
    Ok(header)
}

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordView {
    /// Its offset, less the batch's base offset.
    pub offset_delta: i32,
    /// Its timestamp, ms: the batch's append time if the topic says so.
    pub timestamp: i64,
    /// Its key.
    pub key: Option<Bytes>,
    /// Its value.
    pub value: Option<Bytes>,
    /// Its headers, in order.
    pub headers: Vec<(Bytes, Option<Bytes>)>,
}

/// [`records_within`] the default bound.
pub fn records(batch: &Bytes) -> Result<Records, RecordsError> {
    records_within(batch, DEFAULT_MAX_DECOMPRESSED_BYTES)
}

/// The records of a whole batch with their contents. The iterator ends at the first error. A compressed batch is
/// decompressed at once, into at most `max_decompressed` bytes.
pub fn records_within(batch: &Bytes, max_decompressed: u64) -> Result<Records, RecordsError> {
    let header = whole_header(batch)?;
    let codec = header
        .compression()
        .ok_or(RecordsError::Malformed("an unknown compression codec"))?;
    let payload = batch.slice(BatchHeader::SIZE..);
    let rest = match codec {
        Compression::None => payload,
        Compression::Gzip | Compression::Snappy | Compression::Lz4 | Compression::Zstd => {
            let failed = |error| stream_error(&error, codec, max_decompressed);
            let mut plain = Vec::new();
            Decompressor::new(codec, &payload, max_decompressed)
                .and_then(|mut reader| reader.read_to_end(&mut plain))
                .map_err(failed)?;
            plain.into()
        }
    };
    Ok(Records {
        header,
        rest,
        left: header.count,
    })
}

/// See [`records`].
#[derive(Debug)]
pub struct Records {
    header: BatchHeader,
    rest: Bytes,
    left: i32,
}

impl Records {
    fn record(&mut self) -> Result<RecordView, RecordsError> {
        let length = self.varint()?;
        let length = usize::try_from(length).map_err(|_| RecordsError::Malformed("a negative length"))?;
        if length == 0 || length > self.rest.len() {
            return Err(RecordsError::Malformed("a record that ends early"));
        }
        let after = self.rest.split_off(length);
        self.rest.advance(1);
        let timestamp_delta = self.varlong()?;
        let offset_delta = self.varint()?;
        let key = self.field()?;
        let value = self.field()?;
        let count = self.varint()?;
        let mut headers = Vec::new();
        for _ in 0..count {
            let name = self
                .field()?
                .ok_or(RecordsError::Malformed("a header without a name"))?;
            headers.push((name, self.field()?));
        }
        if !self.rest.is_empty() {
            return Err(RecordsError::Malformed(
                "a record's length does not fit its contents",
            ));
        }
        self.rest = after;
        let timestamp = self.header.record_timestamp(timestamp_delta);
        Ok(RecordView {
            offset_delta,
            timestamp,
            key,
            value,
            headers,
        })
    }

    fn field(&mut self) -> Result<Option<Bytes>, RecordsError> {
        let Ok(length) = usize::try_from(self.varint()?) else {
            return Ok(None);
        };
        if length > self.rest.len() {
            return Err(RecordsError::Malformed("a field that ends early"));
        }
        Ok(Some(self.rest.split_to(length)))
    }

    fn varint(&mut self) -> Result<i32, RecordsError> {
        narrow(self.varlong()?)
    }

    fn varlong(&mut self) -> Result<i64, RecordsError> {
        let mut stream = Stream::new(&self.rest[..], Compression::None, u64::MAX);
        let value = stream.varlong()?;
        let used = stream.position;
        self.rest
            .advance(usize::try_from(used).expect("a varint has at most ten bytes"));
        Ok(value)
    }
}

impl Iterator for Records {
    type Item = Result<RecordView, RecordsError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left <= 0 {
            return None;
        }
        self.left -= 1;
        let record = self.record();
        if record.is_err() {
            self.left = 0;
        }
        Some(record)
    }
}

fn narrow(value: i64) -> Result<i32, RecordsError> {
    i32::try_from(value).map_err(|_| RecordsError::Malformed("a number out of range"))
}

/// What a stream's error says of the records in it.
fn stream_error(error: &io::Error, codec: Compression, limit: u64) -> RecordsError {
    if is_past_limit(error) {
        RecordsError::TooLarge { limit }
    } else {
        RecordsError::Decompression(codec.name())
    }
}

/// Reads numbers from a stream, which keeps the limit itself, and skips what they measure.
struct Stream<R> {
    reader: R,
    codec: Compression,
    position: u64,
    limit: u64,
}

impl<R: BufRead> Stream<R> {
    fn new(reader: R, codec: Compression, limit: u64) -> Self {
        Self {
            reader,
            codec,
            position: 0,
            limit,
        }
    }

    fn available(&mut self) -> Result<&[u8], RecordsError> {
        loop {
            match self.reader.fill_buf() {
                Ok(_) => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(stream_error(&error, self.codec, self.limit)),
            }
        }
        // A second call gives the same buffer; returning the first one would borrow across the loop.
        self.reader
            .fill_buf()
            .map_err(|error| stream_error(&error, self.codec, self.limit))
    }

    fn consume(&mut self, count: usize) {
        self.reader.consume(count);
        self.position += count as u64;
    }

    fn at_end(&mut self) -> Result<bool, RecordsError> {
        Ok(self.available()?.is_empty())
    }

    fn byte(&mut self) -> Result<u8, RecordsError> {
        let byte = *self
            .available()?
            .first()
            .ok_or(RecordsError::Malformed("the records end early"))?;
        self.consume(1);
        Ok(byte)
    }

    fn skip(&mut self, mut count: u64) -> Result<(), RecordsError> {
        while count > 0 {
            let available = self.available()?.len();
            if available == 0 {
                return Err(RecordsError::Malformed("the records end early"));
            }
            let now = available.min(usize::try_from(count).unwrap_or(usize::MAX));
            self.consume(now);
            count -= now as u64;
        }
        Ok(())
    }

    /// Skips a key, value or header, of which a negative length means null.
    fn skip_field(&mut self, length: i32) -> Result<(), RecordsError> {
        match u64::try_from(length) {
            Ok(length) => self.skip(length),
            Err(_) if length == -1 => Ok(()),
            Err(_) => Err(RecordsError::Malformed("a negative length")),
        }
    }

    fn varint(&mut self) -> Result<i32, RecordsError> {
        narrow(self.varlong()?)
    }

    /// A zigzag varint of at most ten bytes.
    fn varlong(&mut self) -> Result<i64, RecordsError> {
        let mut value = 0u64;
        for shift in (0..70).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
            if byte & 0x80 == 0 {
                return Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed());
            }
        }
        Err(RecordsError::Malformed("a number of more than ten bytes"))
    }
}
