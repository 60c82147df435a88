//! Writing header and index.

use bytes::{BufMut, Bytes, BytesMut};
use firn_catalog::cell::ObjectKind;

use super::{
    Extent, FORMAT_VERSION, FormatError, HEADER_SIZE, KIND_MUX, KIND_SEGMENT, MAGIC, ObjectIndex,
    front_checksum,
};
use crate::partition::producers::ProducerSnapshot;

/// Bytes of an extent's fixed part.
pub(super) const EXTENT_SIZE: usize = 112;
/// Bytes of a leader epoch entry.
pub(super) const EPOCH_SIZE: usize = 12;
/// Bytes of a producer without its batches.
pub(super) const PRODUCER_SIZE: usize = 31;
/// Bytes of one remembered batch of a producer.
pub(super) const PRODUCER_BATCH_SIZE: usize = 24;
/// Bytes of an aborted transaction.
pub(super) const ABORTED_SIZE: usize = 24;
/// Bytes of a point.
pub(super) const POINT_SIZE: usize = 28;

fn extent_size(extent: &Extent) -> usize {
    let producers: usize = extent
        .producers
        .iter()
        .map(|producer| PRODUCER_SIZE + producer.batches.len() * PRODUCER_BATCH_SIZE)
        .sum();
    EXTENT_SIZE
        + extent.epochs.len() * EPOCH_SIZE
        + producers
        + extent.aborted.len() * ABORTED_SIZE
        + extent.points.len() * POINT_SIZE
}

/// Bytes of header and index for these extents.
pub(super) fn front_size<'a>(extents: impl IntoIterator<Item = &'a Extent>) -> u64 {
    (HEADER_SIZE + extents.into_iter().map(extent_size).sum::<usize>()) as u64
}

fn count(entries: usize) -> Result<u32, FormatError> {
    u32::try_from(entries).map_err(|_| FormatError::Malformed("too many entries"))
}

/// Header and index as bytes.
pub(super) fn encode_front(index: &ObjectIndex) -> Result<Bytes, FormatError> {
    let size = usize::try_from(index.index_size).map_err(|_| FormatError::Malformed("index size"))?;
    let mut out = BytesMut::with_capacity(size);
    out.put_slice(&MAGIC);
    out.put_u32(FORMAT_VERSION);
    out.put_u32(0);
    out.put_u128(index.id.0);
    out.put_i64(index.created_at.0);
    out.put_u32(match index.kind {
        ObjectKind::Segment => KIND_SEGMENT,
        ObjectKind::Mux => KIND_MUX,
        ObjectKind::RecoveryIndex => {
            return Err(FormatError::Malformed("a recovery index is no cold object"));
        }
    });
    out.put_u32(count(index.extents.len())?);
    out.put_u64(index.index_size);
    out.put_u64(index.size);
    for extent in &index.extents {
        put_extent(&mut out, extent)?;
    }
    let checksum = front_checksum(&out);
    out[12..16].copy_from_slice(&checksum.to_be_bytes());
    Ok(out.freeze())
}

fn put_extent(out: &mut BytesMut, extent: &Extent) -> Result<(), FormatError> {
    out.put_u128(extent.partition.topic.0);
    out.put_i32(extent.partition.index);
    out.put_i64(extent.first.0);
    out.put_i64(extent.end.0);
    out.put_u64(extent.position);
    out.put_u64(extent.length);
    out.put_u64(extent.records);
    out.put_i64(extent.max_timestamp);
    out.put_i64(extent.max_timestamp_batch.0);
    out.put_i64(extent.first_appended_at.0);
    out.put_i64(extent.last_appended_at.0);
    out.put_u32(extent.checksum);
    out.put_u32(count(extent.epochs.len())?);
    out.put_u32(count(extent.producers.len())?);
    out.put_u32(count(extent.aborted.len())?);
    out.put_u32(count(extent.points.len())?);
    for (epoch, first) in &extent.epochs {
        out.put_i32(epoch.0);
        out.put_i64(first.0);
    }
    for producer in &extent.producers {
        put_producer(out, producer)?;
    }
    for aborted in &extent.aborted {
        out.put_i64(aborted.producer_id);
        out.put_i64(aborted.first.0);
        out.put_i64(aborted.last.0);
    }
    for point in &extent.points {
        out.put_i64(point.offset.0);
        out.put_u64(point.position);
        out.put_i64(point.max_timestamp);
        out.put_u32(point.checksum);
    }
    Ok(())
}

fn put_producer(out: &mut BytesMut, producer: &ProducerSnapshot) -> Result<(), FormatError> {
    out.put_i64(producer.id);
    out.put_i16(producer.epoch);
    out.put_i64(producer.last_appended_at.0);
    out.put_i32(producer.coordinator_epoch);
    out.put_i64(producer.open_transaction_first.map_or(-1, |first| first.0));
    let batches = u8::try_from(producer.batches.len())
        .map_err(|_| FormatError::Malformed("too many batches of a producer"))?;
    out.put_u8(batches);
    for batch in &producer.batches {
        out.put_i32(batch.first_sequence);
        out.put_i32(batch.last_sequence);
        out.put_i64(batch.first.0);
        out.put_i64(batch.last.0);
    }
    Ok(())
}
