//! A batch out of records, as a producer of Kafka's writes it, and the partition of a key.

use bytes::{BufMut, Bytes, BytesMut};

/// Where the checksummed part of a batch begins, and where its length and its checksum stand.
const CHECKED_FROM: usize = 21;
const LENGTH_AT: usize = 8;
const CHECKSUM_AT: usize = 17;
const BEFORE_LENGTH: usize = 12;
const MAGIC: i8 = 2;

/// A record to be appended.
#[derive(Clone, Debug, Default)]
pub(crate) struct NewRecord {
    pub(crate) key: Option<Bytes>,
    pub(crate) value: Option<Bytes>,
    pub(crate) headers: Vec<(String, Option<Bytes>)>,
    /// ms.
    pub(crate) timestamp: i64,
}

/// An uncompressed batch of these records, which are few and small: a REST request's.
pub(crate) fn batch(records: &[NewRecord]) -> Bytes {
    let base = records.first().map_or(0, |record| record.timestamp);
    let largest = records
        .iter()
        .map(|record| record.timestamp)
        .max()
        .unwrap_or(base);
    let count = i32::try_from(records.len()).unwrap_or(i32::MAX);
    let mut batch = BytesMut::new();
    batch.put_i64(0);
    batch.put_i32(0); // the length
    batch.put_i32(-1); // the leader's epoch is the leader's to say
    batch.put_i8(MAGIC);
    batch.put_u32(0); // the checksum
    batch.put_i16(0);
    batch.put_i32(count - 1);
    batch.put_i64(base);
    batch.put_i64(largest);
    batch.put_i64(-1); // no producer id, epoch and sequence
    batch.put_i16(-1);
    batch.put_i32(-1);
    batch.put_i32(count);
    for (delta, record) in (0..).zip(records) {
        let body = encoded(record, delta, record.timestamp.wrapping_sub(base));
        put_length(&mut batch, body.len());
        batch.put_slice(&body);
    }
    let length = i32::try_from(batch.len() - BEFORE_LENGTH).unwrap_or(i32::MAX);
    batch[LENGTH_AT..LENGTH_AT + 4].copy_from_slice(&length.to_be_bytes());
    let checksum = crc32c::crc32c(&batch[CHECKED_FROM..]);
    batch[CHECKSUM_AT..CHECKSUM_AT + 4].copy_from_slice(&checksum.to_be_bytes());
    batch.freeze()
}

fn encoded(record: &NewRecord, offset_delta: i64, timestamp_delta: i64) -> BytesMut {
    let mut body = BytesMut::new();
    body.put_i8(0);
    put_varint(&mut body, timestamp_delta);
    put_varint(&mut body, offset_delta);
    put_field(&mut body, record.key.as_deref());
    put_field(&mut body, record.value.as_deref());
    put_length(&mut body, record.headers.len());
    for (name, value) in &record.headers {
        put_field(&mut body, Some(name.as_bytes()));
        put_field(&mut body, value.as_deref());
    }
    body
}

fn put_field(into: &mut BytesMut, field: Option<&[u8]>) {
    match field {
        Some(bytes) => {
            put_length(into, bytes.len());
            into.put_slice(bytes);
        }
        None => put_varint(into, -1),
    }
}

fn put_length(into: &mut BytesMut, length: usize) {
    put_varint(into, i64::try_from(length).unwrap_or(i64::MAX));
}

fn put_varint(into: &mut BytesMut, value: i64) {
    let mut zigzag = ((value << 1) ^ (value >> 63)).cast_unsigned();
    while zigzag >= 0x80 {
        into.put_u8((zigzag & 0x7f) as u8 | 0x80);
        zigzag >>= 7;
    }
    into.put_u8(zigzag as u8);
}

/// The partition of a key among so many, as Kafka's clients choose it.
pub(crate) fn partition_of(key: &[u8], partitions: usize) -> usize {
    let positive = murmur2(key) & 0x7fff_ffff;
    positive as usize % partitions.max(1)
}

/// MurmurHash2 with the seed of Kafka's clients.
pub(super) fn murmur2(data: &[u8]) -> u32 {
    const M: u32 = 0x5bd1_e995;
    const SEED: u32 = 0x9747_b28c;
    let mut hash = SEED ^ data.len() as u32;
    let (words, rest) = data.as_chunks::<4>();
    for word in words {
        let mut k = u32::from_le_bytes(*word).wrapping_mul(M);
        k ^= k >> 24;
        hash = hash.wrapping_mul(M) ^ k.wrapping_mul(M);
    }
    if !rest.is_empty() {
        let mut word = [0; 4];
        word[..rest.len()].copy_from_slice(rest);
        hash = (hash ^ u32::from_le_bytes(word)).wrapping_mul(M);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(M);
    hash ^ (hash >> 15)
}
