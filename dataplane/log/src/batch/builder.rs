//! Making batches: transaction markers, records of the coordinators, tests.

use bytes::{BufMut, Bytes, BytesMut};

use super::Marker;
use super::compression::{Compression, compress};
use super::header::{BatchHeader, CONTROL, TRANSACTIONAL};
use super::records::{RecordsError, records_within};
use super::validate::seal_checksum;

/// Collects records, then makes one batch of them. Base offset and leader epoch are left at 0 and -1, as from a client.
#[derive(Clone, Debug)]
pub struct BatchBuilder {
    compression: Compression,
    flags: i16,
    producer: (i64, i16, i32),
    base_timestamp: Option<i64>,
    max_timestamp: i64,
    records: Vec<u8>,
    count: i32,
}

impl Default for BatchBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl BatchBuilder {
    /// An empty batch without compression and producer.
    pub fn new() -> Self {
        Self {
            compression: Compression::None,
            flags: 0,
            producer: (-1, -1, -1),
            base_timestamp: None,
            max_timestamp: -1,
            records: Vec::new(),
            count: 0,
        }
    }

    /// Compresses the records.
    #[must_use]
    pub fn compression(mut self, codec: Compression) -> Self {
        self.compression = codec;
        self
    }

    /// Names an idempotent producer, its epoch and the sequence number of the first record.
    #[must_use]
    pub fn producer(mut self, id: i64, epoch: i16, first_sequence: i32) -> Self {
        self.producer = (id, epoch, first_sequence);
        self
    }

    /// Makes it part of its producer's transaction.
    #[must_use]
    pub fn transactional(mut self) -> Self {
        self.flags |= TRANSACTIONAL;
        self
    }

    /// Adds a record without headers.
    #[must_use]
    pub fn record(self, timestamp: i64, key: Option<&[u8]>, value: Option<&[u8]>) -> Self {
        self.record_with_headers(timestamp, key, value, &[])
    }

    /// Adds a record.
    #[must_use]
    pub fn record_with_headers(
        mut self,
        timestamp: i64,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: &[(&[u8], Option<&[u8]>)],
    ) -> Self {
        let base = *self.base_timestamp.get_or_insert(timestamp);
        self.max_timestamp = self.max_timestamp.max(timestamp);
        let mut body = Vec::with_capacity(16 + key.map_or(0, <[u8]>::len) + value.map_or(0, <[u8]>::len));
        body.put_u8(0);
        put_varint(&mut body, timestamp.wrapping_sub(base));
        put_varint(&mut body, i64::from(self.count));
        put_field(&mut body, key);
        put_field(&mut body, value);
        put_varint(&mut body, headers.len() as i64);
        for (name, content) in headers {
            put_field(&mut body, Some(name));
            put_field(&mut body, *content);
        }
        put_varint(&mut self.records, body.len() as i64);
        self.records.extend_from_slice(&body);
        self.count += 1;
        self
    }

    /// A control batch: the end of `producer`'s transaction in a partition.
    pub fn marker(producer: i64, epoch: i16, marker: Marker, timestamp: i64) -> BytesMut {
        let kind = if marker.commit { COMMIT } else { ABORT };
        let key = [0i16.to_be_bytes(), kind.to_be_bytes()].concat();
        let value = [&0i16.to_be_bytes()[..], &marker.coordinator_epoch.to_be_bytes()].concat();
        let mut batch = Self::new().transactional().producer(producer, epoch, -1);
        batch.flags |= CONTROL;
        batch.record(timestamp, Some(&key), Some(&value)).build()
    }

    /// The whole batch.
    ///
    /// # Panics
    /// If the records have 2 GiB or more.
    pub fn build(self) -> BytesMut {
        let mut payload = Vec::new();
        let whole = compress(
            self.compression,
            None,
            &mut &self.records[..],
            self.records.len(),
            &mut payload,
            usize::MAX,
        );
        assert!(
            matches!(whole, Ok(true)),
            "compressing from memory into memory cannot fail"
        );
        let length = BatchHeader::SIZE - BatchHeader::LENGTH_OVERHEAD + payload.len();
        let (producer_id, producer_epoch, base_sequence) = self.producer;
        let header = BatchHeader {
            base_offset: 0,
            length: i32::try_from(length).expect("callers keep batches far below 2 GiB"),
            partition_leader_epoch: -1,
            magic: 2,
            crc: 0,
            attributes: self.compression.bits() | self.flags,
            last_offset_delta: self.count - 1,
            base_timestamp: self.base_timestamp.unwrap_or(-1),
            max_timestamp: self.max_timestamp,
            producer_id,
            producer_epoch,
            base_sequence,
            count: self.count,
        };
        let mut batch = BytesMut::with_capacity(BatchHeader::SIZE + payload.len());
        header.write(&mut batch);
        batch.put_slice(&payload);
        seal_checksum(&mut batch);
        batch
    }
}

/// The type of a control record that aborts a transaction.
const ABORT: i16 = 0;
/// The type of a control record that commits one.
const COMMIT: i16 = 1;

/// The marker in a control batch; `None` for a control record of another kind.
pub fn read_marker(batch: &Bytes) -> Result<Option<Marker>, RecordsError> {
    let malformed = RecordsError::Malformed("a control batch without a control record");
    let record = records_within(batch, 1 << 20)?
        .next()
        .ok_or(malformed.clone())??;
    let key = record.key.ok_or(malformed.clone())?;
    let kind = key.get(2..4).ok_or(malformed.clone())?;
    let commit = match i16::from_be_bytes([kind[0], kind[1]]) {
        ABORT => false,
        COMMIT => true,
        _ => return Ok(None),
    };
    let value = record.value.ok_or(malformed.clone())?;
    let epoch: &[u8; 4] = value.get(2..).and_then(<[u8]>::first_chunk).ok_or(malformed)?;
    Ok(Some(Marker {
        commit,
        coordinator_epoch: i32::from_be_bytes(*epoch),
    }))
}

fn put_field(into: &mut Vec<u8>, field: Option<&[u8]>) {
    match field {
        None => put_varint(into, -1),
        Some(bytes) => {
            put_varint(into, bytes.len() as i64);
            into.extend_from_slice(bytes);
        }
    }
}

fn put_varint(into: &mut Vec<u8>, value: i64) {
    let mut rest = ((value << 1) ^ (value >> 63)).cast_unsigned();
    while rest >= 0x80 {
        into.push((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    into.push(rest as u8);
}
