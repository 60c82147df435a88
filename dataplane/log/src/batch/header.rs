//! The fixed part of a batch, 61 bytes.

use bytes::{BufMut, BytesMut};

use super::ProducerStamp;
use super::compression::Compression;

/// The attribute bit of batches whose timestamps the broker set.
pub const LOG_APPEND_TIME: i16 = 1 << 3;
/// The attribute bit of batches that belong to a transaction.
pub(super) const TRANSACTIONAL: i16 = 1 << 4;
/// The attribute bit of batches that hold a control record.
pub(super) const CONTROL: i16 = 1 << 5;

/// The fields of a batch header, as sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchHeader {
    /// Offset of the first record.
    pub base_offset: i64,
    /// Bytes after the length field; the whole batch is 12 bytes longer.
    pub length: i32,
    /// The leader epoch in which it was appended; clients send -1.
    pub partition_leader_epoch: i32,
    /// The format version; 2.
    pub magic: i8,
    /// CRC32C of everything from `attributes` on.
    pub crc: u32,
    /// Bits: 0-2 compression, 3 LogAppendTime, 4 transactional, 5 control, 6 delete horizon.
    pub attributes: i16,
    /// Offset of the last record, less `base_offset`.
    pub last_offset_delta: i32,
    /// Timestamp of the first record, ms.
    pub base_timestamp: i64,
    /// Largest timestamp, ms.
    pub max_timestamp: i64,
    /// Producer id, or -1.
    pub producer_id: i64,
    /// Producer epoch, or -1.
    pub producer_epoch: i16,
    /// Sequence number of the first record, or -1.
    pub base_sequence: i32,
    /// Number of records.
    pub count: i32,
}

impl BatchHeader {
    /// Bytes of the header, up to and including the record count.
    pub const SIZE: usize = 61;
    /// Bytes before what the length field counts.
    pub const LENGTH_OVERHEAD: usize = 12;
    /// Where the checksummed part begins.
    pub const CRC_START: usize = 21;
    pub(super) const LEADER_EPOCH_AT: usize = 12;
    pub(super) const MAGIC_AT: usize = 16;
    pub(super) const CRC_AT: usize = 17;
    pub(super) const MAX_TIMESTAMP_AT: usize = 35;

    /// Reads a header from the front of `bytes`; `None` if there are fewer than [`Self::SIZE`].
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let header: &[u8; Self::SIZE] = bytes.first_chunk()?;
        fn at<const N: usize>(header: &[u8; BatchHeader::SIZE], from: usize) -> [u8; N] {
            let mut field = [0; N];
            field.copy_from_slice(&header[from..from + N]);
            field
        }
        Some(Self {
            base_offset: i64::from_be_bytes(at(header, 0)),
            length: i32::from_be_bytes(at(header, 8)),
            partition_leader_epoch: i32::from_be_bytes(at(header, 12)),
            magic: i8::from_be_bytes(at(header, 16)),
            crc: u32::from_be_bytes(at(header, 17)),
            attributes: i16::from_be_bytes(at(header, 21)),
            last_offset_delta: i32::from_be_bytes(at(header, 23)),
            base_timestamp: i64::from_be_bytes(at(header, 27)),
            max_timestamp: i64::from_be_bytes(at(header, 35)),
            producer_id: i64::from_be_bytes(at(header, 43)),
            producer_epoch: i16::from_be_bytes(at(header, 51)),
            base_sequence: i32::from_be_bytes(at(header, 53)),
            count: i32::from_be_bytes(at(header, 57)),
        })
    }

    /// Bytes of the whole batch, as the length field claims; `None` if it claims less than a header.
    pub fn total_size(&self) -> Option<usize> {
        let total = usize::try_from(self.length)
            .ok()?
            .checked_add(Self::LENGTH_OVERHEAD)?;
        (total >= Self::SIZE).then_some(total)
    }

    /// Appends the header as it stands, checksum included.
    pub fn write(&self, into: &mut BytesMut) {
        into.put_i64(self.base_offset);
        into.put_i32(self.length);
        into.put_i32(self.partition_leader_epoch);
        into.put_i8(self.magic);
        into.put_u32(self.crc);
        into.put_i16(self.attributes);
        into.put_i32(self.last_offset_delta);
        into.put_i64(self.base_timestamp);
        into.put_i64(self.max_timestamp);
        into.put_i64(self.producer_id);
        into.put_i16(self.producer_epoch);
        into.put_i32(self.base_sequence);
        into.put_i32(self.count);
    }

    /// How the records are compressed; `None` for a codec that nobody has defined.
    pub fn compression(&self) -> Option<Compression> {
        Compression::from_attributes(self.attributes)
    }

    /// Whether the broker set the timestamps.
    pub fn is_append_time(&self) -> bool {
        self.attributes & LOG_APPEND_TIME != 0
    }

    /// Who wrote it and as what part of their sequence, if it has a producer id.
    pub fn producer(&self) -> Option<ProducerStamp> {
        (self.producer_id >= 0).then(|| ProducerStamp {
            id: self.producer_id,
            epoch: self.producer_epoch,
            first_sequence: self.base_sequence,
            last_sequence: self.last_sequence(),
        })
    }

    /// Whether it belongs to a transaction.
    pub fn is_transactional(&self) -> bool {
        self.attributes & TRANSACTIONAL != 0
    }

    /// Whether it holds a control record, such as a transaction marker.
    pub fn is_control(&self) -> bool {
        self.attributes & CONTROL != 0
    }

    /// The timestamp of a record with this delta.
    pub(super) fn record_timestamp(&self, delta: i64) -> i64 {
        if self.is_append_time() {
            self.max_timestamp
        } else {
            self.base_timestamp.wrapping_add(delta)
        }
    }

    /// The sequence number of the last record, which wraps from `i32::MAX` to 0; -1 without a producer.
    pub fn last_sequence(&self) -> i32 {
        if self.base_sequence < 0 {
            return -1;
        }
        let last = i64::from(self.base_sequence) + i64::from(self.last_offset_delta);
        i32::try_from(last & i64::from(i32::MAX)).expect("31 bits fit")
    }
}
