//! The fixed part of a batch, 61 bytes.

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
        let total = usize::try_from(self.length).ok()?.checked_add(Self::LENGTH_OVERHEAD)?;
        (total >= Self::SIZE).then_some(total)
    }
}
