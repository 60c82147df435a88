//! The records of fetched batches. Whatever a batch says, no more memory is taken than is asked for, and no more is decompressed than
//! the brokers' own bound.

use std::collections::BTreeSet;
use std::io::{self, BufRead, BufReader, Read};

use bytes::{Buf, Bytes};
use tokio::time::Instant;

use super::codecs::Codec;

/// Bytes of a batch's header, and those before what its length counts.
const HEADER: usize = 61;
const BEFORE_LENGTH: usize = 12;
const LOG_APPEND_TIME: i16 = 1 << 3;
const TRANSACTIONAL: i16 = 1 << 4;
const CONTROL: i16 = 1 << 5;
/// The most that the records of a batch may have decompressed: what brokers accept.
const MAX_DECOMPRESSED: u64 = 256 << 20;
/// How many headers of a record are kept, and how many bytes of all their names and values.
const MAX_HEADERS: usize = 1_000;
const MAX_HEADER_BYTES: u64 = 1 << 20;
/// After how many bytes the clock is asked again.
const CLOCK_EVERY: u64 = 64 << 10;

/// What an allocation takes beside its bytes, about.
const ALLOCATION: usize = 32;

/// Bytes of a key, a value or a header, and how many there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Content {
    /// The first of them.
    pub(crate) bytes: Bytes,
    /// How many there are in all.
    pub(crate) length: u64,
}

/// A record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FoundRecord {
    pub(crate) offset: i64,
    /// ms.
    pub(crate) timestamp: i64,
    /// Whether the broker gave the timestamp.
    pub(crate) append_time: bool,
    pub(crate) key: Option<Content>,
    pub(crate) value: Option<Content>,
    /// In order; names may repeat.
    pub(crate) headers: Vec<(Bytes, Option<Bytes>)>,
    /// Whether headers were left out or cut.
    pub(crate) headers_cut: bool,
    /// How its batch is compressed.
    pub(crate) compression: &'static str,
}

impl FoundRecord {
    /// The bytes of all that is in it, of which a record has a few itself.
    pub(crate) fn size(&self) -> u64 {
        self.summed(Bytes::len) + self.headers.len() as u64 * 4 + 32
    }

    /// The memory that it takes, about.
    pub(crate) fn memory(&self) -> u64 {
        let slots = self.headers.capacity() * size_of::<(Bytes, Option<Bytes>)>();
        let allocated = |bytes: &Bytes| match bytes.len() {
            0 => 0,
            length => length + ALLOCATION,
        };
        self.summed(allocated) + (size_of::<Self>() + slots) as u64
    }

    fn summed(&self, of: impl Fn(&Bytes) -> usize) -> u64 {
        let contents = self.key.iter().chain(&self.value).map(|content| &content.bytes);
        let headers = self.headers.iter();
        let headers = headers.flat_map(|(name, value)| [name].into_iter().chain(value));
        contents.chain(headers).map(of).sum::<usize>() as u64
    }
}

/// How much is read at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// The memory that records take; the last one may exceed it.
    pub(crate) memory: u64,
    /// Bytes of each key and value that are kept.
    pub(crate) field: u64,
    /// Until when; not before there is anything to go on from.
    pub(crate) until: Option<Instant>,
}

impl Bounds {
    fn are_reached(&self, kept: u64, moved: bool) -> bool {
        kept >= self.memory || moved && self.until.is_some_and(|until| Instant::now() >= until)
    }
}

/// Records that were read.
#[derive(Debug, Default)]
pub(crate) struct Portion {
    pub(crate) records: Vec<FoundRecord>,
    /// From where to go on.
    pub(crate) next: i64,
    /// What was read, decompressed.
    pub(crate) bytes: u64,
    /// Batches that cannot be read, which are left out.
    pub(crate) damaged: u64,
}

/// A batch's header, as far as it is needed.
struct Header {
    base_offset: i64,
    attributes: i16,
    last_offset: i64,
    base_timestamp: i64,
    max_timestamp: i64,
    producer: i64,
    count: i32,
}

/// The first batch of these bytes, cut off; `None`: the rest is no whole batch.
fn split(rest: &mut Bytes) -> Option<(Header, Bytes)> {
    let length = rest.get(8..12)?.first_chunk::<4>()?;
    let length = usize::try_from(i32::from_be_bytes(*length)).ok()?;
    let total = length
        .checked_add(BEFORE_LENGTH)
        .filter(|total| *total >= HEADER)?;
    if rest.len() < total {
        return None;
    }
    let mut batch = rest.split_to(total);
    let base_offset = batch.get_i64();
    batch.advance(4 + 4 + 1 + 4); // length, leader epoch, magic, checksum
    let attributes = batch.get_i16();
    let last_offset = base_offset.saturating_add(i64::from(batch.get_i32().max(0)));
    let base_timestamp = batch.get_i64();
    let max_timestamp = batch.get_i64();
    let producer = batch.get_i64();
    batch.advance(2 + 4); // producer epoch, sequence
    let header = Header {
        base_offset,
        attributes,
        last_offset,
        base_timestamp,
        max_timestamp,
        producer,
        count: batch.get_i32(),
    };
    Some((header, batch))
}

/// The committed records from offset `from` on in these batches, within bounds.
pub(crate) fn read(mut batches: Bytes, aborted: &[(i64, i64)], from: i64, bounds: Bounds) -> Portion {
    let mut portion = Portion {
        next: from,
        ..Portion::default()
    };
    let mut began: Vec<(i64, i64)> = aborted.to_vec();
    began.sort_unstable_by_key(|(_, first)| *first);
    let mut began = began.into_iter().peekable();
    let mut ending: BTreeSet<i64> = BTreeSet::new();
    let mut kept = 0;
    while let Some((header, payload)) = split(&mut batches) {
        if bounds.are_reached(kept, portion.next > from) {
            return portion;
        }
        while let Some((producer, _)) = began.next_if(|(_, first)| *first <= header.last_offset) {
            ending.insert(producer);
        }
        let control = header.attributes & CONTROL != 0;
        if control {
            ending.remove(&header.producer);
        }
        let given_up = header.attributes & TRANSACTIONAL != 0 && ending.contains(&header.producer);
        if control || given_up || header.last_offset < portion.next {
            portion.next = portion.next.max(header.last_offset.saturating_add(1));
            continue;
        }
        let whole = records_of(&header, &payload, &mut portion, &mut kept, bounds);
        match whole {
            Ok(true) => portion.next = portion.next.max(header.last_offset.saturating_add(1)),
            Ok(false) => return portion,
            Err(error) => {
                tracing::warn!(%error, offset = header.base_offset, "a batch cannot be read");
                portion.damaged += 1;
                portion.next = portion.next.max(header.last_offset.saturating_add(1));
            }
        }
    }
    portion
}

/// Reads the records of one batch; whether it came to its end.
fn records_of(
    header: &Header,
    payload: &[u8],
    portion: &mut Portion,
    kept: &mut u64,
    bounds: Bounds,
) -> io::Result<bool> {
    let codec = Codec::of(header.attributes).ok_or(io::ErrorKind::InvalidData)?;
    let source = codec.reader(payload)?.take(MAX_DECOMPRESSED);
    let mut reader = BufReader::with_capacity(16 << 10, source);
    let from = portion.next;
    let mut asked_at = portion.bytes;
    for _ in 0..header.count {
        // The clock is not asked for each small record.
        let asks = portion.bytes - asked_at >= CLOCK_EVERY;
        if *kept >= bounds.memory || asks && bounds.are_reached(*kept, portion.next > from) {
            return Ok(false);
        }
        if asks {
            asked_at = portion.bytes;
        }
        let length = varint(&mut reader)?;
        let length = u64::try_from(length).map_err(|_| io::ErrorKind::InvalidData)?;
        let mut record = (&mut reader).take(length);
        let found = record_of(header, codec, &mut record, (portion.next, bounds.field))?;
        skip(&mut record)?;
        portion.bytes += length;
        if let Some(found) = found {
            *kept += found.memory();
            portion.next = found.offset.saturating_add(1);
            portion.records.push(found);
        }
    }
    Ok(true)
}

/// One record, unless it is before `from`, with so many bytes of its key and its value.
fn record_of(
    header: &Header,
    codec: Codec,
    record: &mut impl BufRead,
    (from, most): (i64, u64),
) -> io::Result<Option<FoundRecord>> {
    byte_of(record)?;
    let timestamp_delta = varint(record)?;
    let offset = header.base_offset.saturating_add(varint(record)?);
    if offset < from {
        return Ok(None);
    }
    if offset > header.last_offset {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let append_time = header.attributes & LOG_APPEND_TIME != 0;
    let key = field(record, most)?;
    let value = field(record, most)?;
    let (headers, headers_cut) = headers_of(record)?;
    Ok(Some(FoundRecord {
        offset,
        timestamp: match append_time {
            true => header.max_timestamp,
            false => header.base_timestamp.saturating_add(timestamp_delta),
        },
        append_time,
        key,
        value,
        headers,
        headers_cut,
        compression: codec.name(),
    }))
}

type Headers = Vec<(Bytes, Option<Bytes>)>;

fn headers_of(record: &mut impl BufRead) -> io::Result<(Headers, bool)> {
    let count = usize::try_from(varint(record)?).map_err(|_| io::ErrorKind::InvalidData)?;
    let (mut headers, mut left, mut cut) = (Vec::new(), MAX_HEADER_BYTES, count > MAX_HEADERS);
    for _ in 0..count.min(MAX_HEADERS) {
        let name = field(record, left)?.ok_or(io::ErrorKind::InvalidData)?;
        left -= name.bytes.len() as u64;
        let value = field(record, left)?;
        left -= value.as_ref().map_or(0, |value| value.bytes.len() as u64);
        let is_cut = |content: &Content| content.length > content.bytes.len() as u64;
        cut |= is_cut(&name) || value.as_ref().is_some_and(is_cut);
        headers.push((name.bytes, value.map(|value| value.bytes)));
    }
    headers.shrink_to_fit();
    Ok((headers, cut))
}

/// A key, a value, or part of a header, of which `most` bytes are kept.
fn field(record: &mut impl BufRead, most: u64) -> io::Result<Option<Content>> {
    let Ok(length) = u64::try_from(varint(record)?) else {
        return Ok(None);
    };
    let mut content = record.take(length);
    let mut bytes = Vec::new();
    let kept = length.min(most);
    (&mut content).take(kept).read_to_end(&mut bytes)?;
    let skipped = skip(&mut content)?;
    match bytes.len() as u64 + skipped == length {
        true => Ok(Some(Content {
            // What it took beyond its length while it grew is given back.
            bytes: bytes.into_boxed_slice().into(),
            length,
        })),
        false => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// Reads to the end; how many bytes that were.
fn skip(reader: &mut impl BufRead) -> io::Result<u64> {
    let mut skipped = 0;
    loop {
        let available = reader.fill_buf()?.len();
        if available == 0 {
            return Ok(skipped);
        }
        reader.consume(available);
        skipped += available as u64;
    }
}

fn byte_of(reader: &mut impl BufRead) -> io::Result<u8> {
    let mut byte = [0];
    reader.read_exact(&mut byte)?;
    Ok(byte[0])
}

/// A zigzag varint of at most ten bytes.
fn varint(reader: &mut impl BufRead) -> io::Result<i64> {
    let mut value = 0u64;
    for shift in (0..70).step_by(7) {
        let byte = byte_of(reader)?;
        value |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
        if byte & 0x80 == 0 {
            return Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed());
        }
    }
    Err(io::ErrorKind::InvalidData.into())
}
