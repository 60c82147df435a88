//! The few requests that are sent, encoded by hand once and replayed. Versions without tagged fields keep them short.

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::{BufMut, Bytes, BytesMut};

const PRODUCE: i16 = 0;
const PRODUCE_VERSION: i16 = 7;
const CREATE_TOPICS: i16 = 19;
const CREATE_TOPICS_VERSION: i16 = 4;

/// Where the correlation id stands in every frame.
pub const CORRELATION_ID_AT: usize = 8;

fn frame(api: i16, version: i16, body: impl FnOnce(&mut BytesMut)) -> BytesMut {
    let mut frame = BytesMut::new();
    frame.put_i32(0);
    frame.put_i16(api);
    frame.put_i16(version);
    frame.put_i32(0);
    put_string(&mut frame, "firn-bench");
    body(&mut frame);
    let length = i32::try_from(frame.len() - 4).expect("benchmark frames are a few megabytes");
    frame[..4].copy_from_slice(&length.to_be_bytes());
    frame
}

fn put_string(buffer: &mut BytesMut, text: &str) {
    buffer.put_i16(i16::try_from(text.len()).expect("names here are short"));
    buffer.put_slice(text.as_bytes());
}

/// CreateTopics for one topic.
pub fn create_topic(name: &str, partitions: i32) -> BytesMut {
    frame(CREATE_TOPICS, CREATE_TOPICS_VERSION, |body| {
        body.put_i32(1);
        put_string(body, name);
        body.put_i32(partitions);
        body.put_i16(1);
        body.put_i32(0);
        body.put_i32(0);
        body.put_i32(60_000);
        body.put_u8(0);
    })
}

/// Produce with acks=all of one batch to one partition.
pub fn produce(topic: &str, partition: i32, batch: &Bytes) -> BytesMut {
    frame(PRODUCE, PRODUCE_VERSION, |body| {
        body.put_i16(-1);
        body.put_i16(-1);
        body.put_i32(30_000);
        body.put_i32(1);
        put_string(body, topic);
        body.put_i32(1);
        body.put_i32(partition);
        body.put_i32(i32::try_from(batch.len()).expect("batches here are at most a megabyte"));
        body.put_slice(batch);
    })
}

/// A record batch of `count` records of now with values of `value_size` bytes that do not compress.
#[expect(
    clippy::disallowed_methods,
    reason = "retention goes by the real time of records"
)]
pub fn batch(count: i32, value_size: usize) -> Bytes {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = i64::try_from(now.as_millis()).expect("milliseconds since 1970 fit for long");
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut records = BytesMut::new();
    for delta in 0..count {
        let mut record = BytesMut::new();
        record.put_u8(0);
        put_varint(&mut record, 0);
        put_varint(&mut record, i64::from(delta));
        put_varint(&mut record, -1);
        put_varint(
            &mut record,
            i64::try_from(value_size).expect("a value size is small"),
        );
        for _ in 0..value_size {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            record.put_u8((state >> 56) as u8);
        }
        put_varint(&mut record, 0);
        put_varint(
            &mut records,
            i64::try_from(record.len()).expect("a record is small"),
        );
        records.put_slice(&record);
    }
    let mut batch = BytesMut::new();
    batch.put_i64(0);
    batch.put_i32(i32::try_from(49 + records.len()).expect("batches here are at most a megabyte"));
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
    batch.put_slice(&records);
    let checksum = crc32c::crc32c(&batch[21..]);
    batch[17..21].copy_from_slice(&checksum.to_be_bytes());
    batch.freeze()
}

fn put_varint(buffer: &mut BytesMut, value: i64) {
    let mut rest = ((value << 1) ^ (value >> 63)).cast_unsigned();
    while rest >= 0x80 {
        buffer.put_u8((rest as u8) | 0x80);
        rest >>= 7;
    }
    buffer.put_u8(rest as u8);
}
