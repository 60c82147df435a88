//! The index of a slot: groups of entries, one group per partition.

use bytes::{BufMut, BytesMut};
use firn_catalog::ids::{LeaderEpoch, Offset, PartitionId, TopicId};

use super::FormatError;
use super::fields::Fields;
use crate::batch::{BatchMeta, Marker, ProducerStamp};

/// Bytes of a group's head: topic, partition number, number of entries.
pub(super) const GROUP_SIZE: usize = 24;
/// Bytes of an entry without producer and marker.
pub(super) const ENTRY_SIZE: usize = 41;
/// Bytes that a producer adds to an entry.
pub(super) const PRODUCER_SIZE: usize = 18;
/// Bytes that a marker adds to an entry.
pub(super) const MARKER_SIZE: usize = 4;

const HAS_PRODUCER: u8 = 1;
const TRANSACTIONAL: u8 = 1 << 1;
const HAS_MARKER: u8 = 1 << 2;
const COMMITS: u8 = 1 << 3;

pub(super) fn entry_size(meta: &BatchMeta) -> usize {
    ENTRY_SIZE
        + if meta.producer.is_some() { PRODUCER_SIZE } else { 0 }
        + if meta.marker.is_some() { MARKER_SIZE } else { 0 }
}

pub(super) fn put_group(into: &mut BytesMut, partition: PartitionId, entries: u32) {
    into.put_u128(partition.topic.0);
    into.put_i32(partition.index);
    into.put_u32(entries);
}

pub(super) fn put_entry(into: &mut BytesMut, meta: &BatchMeta) {
    let flag = |set: bool, bit: u8| if set { bit } else { 0 };
    into.put_u8(
        flag(meta.producer.is_some(), HAS_PRODUCER)
            | flag(meta.transactional, TRANSACTIONAL)
            | flag(meta.marker.is_some(), HAS_MARKER)
            | flag(meta.marker.is_some_and(|marker| marker.commit), COMMITS),
    );
    into.put_i32(meta.leader_epoch.0);
    into.put_i64(meta.first.0);
    into.put_i64(meta.last.0);
    into.put_u32(meta.length);
    into.put_i64(meta.base_timestamp);
    into.put_i64(meta.max_timestamp);
    if let Some(producer) = &meta.producer {
        into.put_i64(producer.id);
        into.put_i16(producer.epoch);
        into.put_i32(producer.first_sequence);
        into.put_i32(producer.last_sequence);
    }
    if let Some(marker) = &meta.marker {
        into.put_i32(marker.coordinator_epoch);
    }
}

/// Reads the whole index; `fields` must end with it.
pub(super) fn parse(
    fields: &mut Fields<'_>,
    groups: u32,
    count: u32,
    data_start: u64,
) -> Result<Vec<(BatchMeta, u64)>, FormatError> {
    // Reserves for what the bytes can hold, whatever the counts claim.
    let possible = fields.remaining() / ENTRY_SIZE;
    let mut batches = Vec::with_capacity(possible.min(usize::try_from(count).unwrap_or(usize::MAX)));
    let mut position = data_start;
    for _ in 0..groups {
        let topic = TopicId(fields.u128()?);
        let partition = PartitionId {
            topic,
            index: fields.i32()?,
        };
        for _ in 0..fields.u32()? {
            let meta = parse_entry(fields, partition)?;
            let length = u64::from(meta.length);
            batches.push((meta, position));
            position += length;
        }
    }
    if batches.len() as u64 != u64::from(count) || fields.remaining() > 0 {
        return Err(FormatError::Malformed(
            "the index does not hold what the header counts",
        ));
    }
    Ok(batches)
}

fn parse_entry(fields: &mut Fields<'_>, partition: PartitionId) -> Result<BatchMeta, FormatError> {
    let flags = fields.u8()?;
    if flags & !(HAS_PRODUCER | TRANSACTIONAL | HAS_MARKER | COMMITS) != 0 {
        return Err(FormatError::Malformed("unknown flags in the index"));
    }
    let leader_epoch = LeaderEpoch(fields.i32()?);
    let first = Offset(fields.i64()?);
    let last = Offset(fields.i64()?);
    if first.0 < 0 || last < first || last.0 == i64::MAX {
        return Err(FormatError::Malformed("impossible offsets in the index"));
    }
    let length = fields.u32()?;
    let base_timestamp = fields.i64()?;
    let max_timestamp = fields.i64()?;
    let producer = match flags & HAS_PRODUCER {
        0 => None,
        _ => Some(ProducerStamp {
            id: fields.i64()?,
            epoch: fields.i16()?,
            first_sequence: fields.i32()?,
            last_sequence: fields.i32()?,
        }),
    };
    let marker = match flags & HAS_MARKER {
        0 => None,
        _ => Some(Marker {
            commit: flags & COMMITS != 0,
            coordinator_epoch: fields.i32()?,
        }),
    };
    let transactional = flags & TRANSACTIONAL != 0;
    Ok(BatchMeta {
        partition,
        leader_epoch,
        first,
        last,
        length,
        base_timestamp,
        max_timestamp,
        producer,
        transactional,
        marker,
    })
}
