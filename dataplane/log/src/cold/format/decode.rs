//! Reading header and index. Counts and lengths in the bytes are never believed before the bytes are there.

use bytes::{Buf, Bytes, TryGetError};
use firn_catalog::cell::ObjectKind;
use firn_catalog::ids::{LeaderEpoch, ObjectId, Offset, PartitionId, TopicId};
use firn_runtime::Timestamp;

use super::encode::{ABORTED_SIZE, EPOCH_SIZE, EXTENT_SIZE, POINT_SIZE, PRODUCER_BATCH_SIZE, PRODUCER_SIZE};
use super::{
    AbortedRange, Extent, FORMAT_VERSION, FormatError, HEADER_SIZE, KIND_MUX, KIND_SEGMENT, MAGIC,
    ObjectIndex, Point, front_checksum,
};
use crate::partition::producers::{ProducerBatch, ProducerSnapshot};

impl From<TryGetError> for FormatError {
    fn from(_: TryGetError) -> Self {
        Self::Malformed("it ends inside a field")
    }
}

/// How many bytes header and index have, going by the first [`HEADER_SIZE`] bytes of an object: for who has lost the
/// object's row. Not checked by a checksum yet.
pub fn declared_index_size(bytes: &[u8]) -> Result<u64, FormatError> {
    let Some(header) = bytes.get(..HEADER_SIZE) else {
        return Err(FormatError::Malformed("shorter than a header"));
    };
    if !header.starts_with(&MAGIC) {
        return Err(FormatError::UnknownMagic(hex::encode(&header[..8])));
    }
    match (&header[8..]).try_get_u32()? {
        FORMAT_VERSION => Ok((&header[48..]).try_get_u64()?),
        0 => Err(FormatError::Malformed("format version 0")),
        newer => Err(FormatError::NewerVersion(newer)),
    }
}

/// Reads header and index, which `front` holds exactly, and checks them.
pub fn decode_front(front: &Bytes) -> Result<ObjectIndex, FormatError> {
    if declared_index_size(front)? != front.len() as u64 {
        return Err(FormatError::Malformed("the index has another size"));
    }
    let mut fields = &front[12..];
    if fields.try_get_u32()? != front_checksum(front) {
        return Err(FormatError::Checksum("header and index"));
    }
    let id = ObjectId(fields.try_get_u128()?);
    let created_at = Timestamp(fields.try_get_i64()?);
    let kind = match fields.try_get_u32()? {
        KIND_SEGMENT => ObjectKind::Segment,
        KIND_MUX => ObjectKind::Mux,
        _ => return Err(FormatError::Malformed("unknown kind of object")),
    };
    let count = fields.try_get_u32()?;
    let index_size = fields.try_get_u64()?;
    let size = fields.try_get_u64()?;
    let extents = entries(&mut fields, count, EXTENT_SIZE, extent)?;
    if !fields.is_empty() {
        return Err(FormatError::Malformed("bytes after the index"));
    }
    let index = ObjectIndex {
        id,
        kind,
        created_at,
        index_size,
        size,
        extents,
    };
    check(&index)?;
    Ok(index)
}

/// Reads `count` entries of at least `least` bytes each.
fn entries<T>(
    fields: &mut &[u8],
    count: u32,
    least: usize,
    read: impl Fn(&mut &[u8]) -> Result<T, FormatError>,
) -> Result<Vec<T>, FormatError> {
    let count = usize::try_from(count).map_err(|_| FormatError::Malformed("too many entries"))?;
    if count > fields.len() / least {
        return Err(FormatError::Malformed("more entries than bytes for them"));
    }
    (0..count).map(|_| read(fields)).collect()
}

fn offset(fields: &mut &[u8]) -> Result<Offset, FormatError> {
    Ok(Offset(fields.try_get_i64()?))
}

fn extent(fields: &mut &[u8]) -> Result<Extent, FormatError> {
    let topic = TopicId(fields.try_get_u128()?);
    let partition = PartitionId {
        topic,
        index: fields.try_get_i32()?,
    };
    let mut extent = Extent {
        partition,
        first: offset(fields)?,
        end: offset(fields)?,
        position: fields.try_get_u64()?,
        length: fields.try_get_u64()?,
        records: fields.try_get_u64()?,
        max_timestamp: fields.try_get_i64()?,
        max_timestamp_batch: offset(fields)?,
        first_appended_at: Timestamp(fields.try_get_i64()?),
        last_appended_at: Timestamp(fields.try_get_i64()?),
        checksum: fields.try_get_u32()?,
        epochs: Vec::new(),
        producers: Vec::new(),
        aborted: Vec::new(),
        points: Vec::new(),
    };
    let (epochs, producers) = (fields.try_get_u32()?, fields.try_get_u32()?);
    let (aborted, points) = (fields.try_get_u32()?, fields.try_get_u32()?);
    extent.epochs = entries(fields, epochs, EPOCH_SIZE, |fields| {
        Ok((LeaderEpoch(fields.try_get_i32()?), offset(fields)?))
    })?;
    extent.producers = entries(fields, producers, PRODUCER_SIZE, producer)?;
    extent.aborted = entries(fields, aborted, ABORTED_SIZE, |fields| {
        Ok(AbortedRange {
            producer_id: fields.try_get_i64()?,
            first: offset(fields)?,
            last: offset(fields)?,
        })
    })?;
    extent.points = entries(fields, points, POINT_SIZE, |fields| {
        Ok(Point {
            offset: offset(fields)?,
            position: fields.try_get_u64()?,
            max_timestamp: fields.try_get_i64()?,
            checksum: fields.try_get_u32()?,
        })
    })?;
    Ok(extent)
}

fn producer(fields: &mut &[u8]) -> Result<ProducerSnapshot, FormatError> {
    let id = fields.try_get_i64()?;
    let epoch = fields.try_get_i16()?;
    let last_appended_at = Timestamp(fields.try_get_i64()?);
    let coordinator_epoch = fields.try_get_i32()?;
    let open = offset(fields)?;
    let count = u32::from(fields.try_get_u8()?);
    let batches = entries(fields, count, PRODUCER_BATCH_SIZE, |fields| {
        Ok(ProducerBatch {
            first_sequence: fields.try_get_i32()?,
            last_sequence: fields.try_get_i32()?,
            first: offset(fields)?,
            last: offset(fields)?,
        })
    })?;
    Ok(ProducerSnapshot {
        id,
        epoch,
        last_appended_at,
        batches,
        coordinator_epoch,
        open_transaction_first: (open.0 >= 0).then_some(open),
    })
}

/// Refuses what no writer of ours would write, so that readers may rely on it.
fn check(index: &ObjectIndex) -> Result<(), FormatError> {
    let mut position = index.index_size;
    for extent in &index.extents {
        if extent.first.0 < 0 || extent.end <= extent.first {
            return Err(FormatError::Malformed("impossible offsets"));
        }
        if extent.position != position {
            return Err(FormatError::Malformed("extents are not side by side"));
        }
        position = position
            .checked_add(extent.length)
            .ok_or(FormatError::Malformed("impossible length"))?;
        check_points(extent)?;
    }
    if position != index.size {
        return Err(FormatError::Malformed("the index and the object's size disagree"));
    }
    let ascending = index.extents.windows(2).all(|pair| {
        pair[0].partition < pair[1].partition
            || (pair[0].partition == pair[1].partition && pair[0].end < pair[1].first)
    });
    if !ascending || (index.kind == ObjectKind::Segment && index.extents.len() != 1) {
        return Err(FormatError::Malformed(
            "extents out of order, or too many in a segment",
        ));
    }
    Ok(())
}

fn check_points(extent: &Extent) -> Result<(), FormatError> {
    let begins = extent
        .points
        .first()
        .is_some_and(|point| point.offset == extent.first && point.position == 0);
    let ascending = extent
        .points
        .windows(2)
        .all(|pair| pair[0].offset < pair[1].offset && pair[0].position < pair[1].position);
    let ends = extent
        .points
        .last()
        .is_some_and(|point| point.offset < extent.end && point.position < extent.length);
    if begins && ascending && ends {
        Ok(())
    } else {
        Err(FormatError::Malformed("points out of order"))
    }
}
