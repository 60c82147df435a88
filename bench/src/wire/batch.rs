//! Record batches of format version 2, built once.

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::{BufMut, Bytes};

/// Bytes of a batch before its records.
pub const HEADER: usize = 61;
/// Where the checksum stands, and what it covers from.
const CHECKSUM_AT: usize = 17;
const COVERED_FROM: usize = 21;

/// A batch whose values do not compress, as a producer would send it now.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Its bytes.
    pub bytes: Bytes,
    /// How many records it holds.
    pub records: u32,
}

impl Batch {
    /// As many records with values of `value` bytes as fit into `size` bytes; one at least.
    pub fn of_size(size: usize, value: usize) -> Self {
        let one = record(0, value).len();
        let fitting = size.saturating_sub(HEADER) / (one + 2);
        Self::new(
            u32::try_from(fitting.max(1)).expect("benchmark batches are a megabyte"),
            value,
        )
    }

    /// `records` records with values of `value` bytes.
    /// Their time is now, since retention goes by it.
    pub fn new(records: u32, value: usize) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = i64::try_from(now.as_millis()).expect("milliseconds since 1970 fit for long");
        let body: Vec<u8> = (0..records).flat_map(|delta| record(delta, value)).collect();
        let count = i32::try_from(records).expect("benchmark batches hold a few thousand records");
        let mut batch = Vec::with_capacity(HEADER + body.len());
        batch.put_i64(0);
        let length = HEADER - 12 + body.len();
        batch.put_i32(i32::try_from(length).expect("benchmark batches are a megabyte"));
        batch.put_i32(-1);
        batch.put_u8(2);
        batch.put_u32(0);
        batch.put_i16(0);
        batch.put_i32(count - 1);
        batch.put_i64(now);
        batch.put_i64(now);
        batch.put_i64(-1);
        batch.put_i16(-1);
        batch.put_i32(-1);
        batch.put_i32(count);
        batch.put_slice(&body);
        let checksum = crc32c::crc32c(&batch[COVERED_FROM..]);
        batch[CHECKSUM_AT..COVERED_FROM].copy_from_slice(&checksum.to_be_bytes());
        Self {
            bytes: batch.into(),
            records,
        }
    }
}

/// One record with its length. Each value is another piece of one pseudo-random sequence.
fn record(delta: u32, value: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64 ^ (u64::from(delta) << 32);
    let mut record = vec![0];
    put_varint(&mut record, 0);
    put_varint(&mut record, i64::from(delta));
    put_varint(&mut record, -1);
    put_varint(&mut record, i64::try_from(value).expect("a value size is small"));
    for _ in 0..value {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        record.push((state >> 56) as u8);
    }
    put_varint(&mut record, 0);
    let mut framed = Vec::with_capacity(record.len() + 3);
    put_varint(
        &mut framed,
        i64::try_from(record.len()).expect("a record is small"),
    );
    framed.extend(record);
    framed
}

fn put_varint(buffer: &mut Vec<u8>, value: i64) {
    let mut rest = ((value << 1) ^ (value >> 63)).cast_unsigned();
    while rest >= 0x80 {
        buffer.put_u8((rest as u8) | 0x80);
        rest >>= 7;
    }
    buffer.put_u8(rest as u8);
}
