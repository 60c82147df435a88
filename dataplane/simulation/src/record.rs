//! Records that say who sent them, with a checksum, so that a reader can tell whatever comes back.

use bytes::{Bytes, BytesMut};
use firn_log::batch::{self, BatchBuilder, BatchHeader};

/// Who sent a record, and as which of theirs: the high half is the sender, the low half counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecordId(pub u64);

impl RecordId {
    /// The `count`th record of `sender`.
    pub fn new(sender: u32, count: u32) -> Self {
        Self(u64::from(sender) << 32 | u64::from(count))
    }

    /// Who sent it.
    pub fn sender(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// Which of its sender's records it is.
    pub fn count(self) -> u32 {
        self.0 as u32
    }

    /// The record's value: id, padding that follows from the id, checksum.
    fn value(self) -> Vec<u8> {
        let mut value = self.0.to_be_bytes().to_vec();
        value.resize(
            8 + (self.0.wrapping_mul(0x9e37_79b9) % 200) as usize,
            self.0 as u8,
        );
        let crc = crc32c::crc32c(&value);
        value.extend_from_slice(&crc.to_be_bytes());
        value
    }

    /// The id in a value; `None` if its bytes are not what was sent.
    fn read(value: &[u8]) -> Option<Self> {
        let id = Self(u64::from_be_bytes(*value.first_chunk()?));
        (id.value() == value).then_some(id)
    }
}

/// A batch of `count` records, the first being `first`; of an idempotent producer if `producer` gives its id, with the
/// record's count as sequence number.
pub fn build(first: RecordId, count: u32, producer: Option<i64>, now: i64) -> BytesMut {
    let mut builder = BatchBuilder::new();
    if let Some(id) = producer {
        let sequence = i32::try_from(first.count()).expect("a run sends far fewer records");
        builder = builder.producer(id, 0, sequence);
    }
    for at in 0..count {
        let value = RecordId(first.0 + u64::from(at)).value();
        builder = builder.record(now, None, Some(&value));
    }
    builder.build()
}

/// The offsets and ids in a batch that was read; an `Err` tells what is wrong with it.
pub fn read(batch: &Bytes) -> Result<Vec<(i64, RecordId)>, String> {
    let header = BatchHeader::read(batch).ok_or("a batch without a whole header")?;
    let crc = batch.get(BatchHeader::CRC_START..).map(crc32c::crc32c);
    if crc != Some(header.crc) {
        return Err("a batch whose checksum is wrong".into());
    }
    let mut found = Vec::new();
    for record in batch::records(batch).map_err(|error| error.to_string())? {
        let record = record.map_err(|error| error.to_string())?;
        let value = record.value.ok_or("a record without its value")?;
        let id = RecordId::read(&value).ok_or("a record whose value was never sent")?;
        found.push((header.base_offset + i64::from(record.offset_delta), id));
    }
    if found.len() != usize::try_from(header.count).unwrap_or(usize::MAX) {
        return Err("a batch that lacks records".into());
    }
    Ok(found)
}
