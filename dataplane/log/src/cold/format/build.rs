//! Building an object in memory: batches into extents, extents into an object.

use bytes::Bytes;
use firn_catalog::cell::{ObjectKind, ObjectRow};
use firn_catalog::ids::{LeaderEpoch, ObjectId, Offset, PartitionId};
use firn_runtime::Timestamp;

use super::encode::{encode_front, front_size};
use super::{AbortedRange, CHUNK_BYTES, Extent, FormatError, ObjectIndex, Point};
use crate::batch::BatchHeader;
use crate::checksum;
use crate::partition::producers::ProducerSnapshot;

/// An extent that grows batch by batch.
#[derive(Debug)]
pub struct ExtentBuilder {
    extent: Extent,
    pieces: Vec<Bytes>,
    /// Bytes in the last chunk.
    chunk_bytes: u64,
}

/// An extent that is complete but for its place in an object.
#[derive(Debug)]
pub struct FinishedExtent {
    extent: Extent,
    pieces: Vec<Bytes>,
}

/// An object, ready to be uploaded.
#[derive(Debug)]
pub struct BuiltObject {
    /// Its header and index.
    pub index: ObjectIndex,
    /// Its row in the catalog.
    pub row: ObjectRow,
    /// Its bytes, in order.
    pub pieces: Vec<Bytes>,
}

impl ExtentBuilder {
    /// An empty extent that begins at `first`.
    pub fn new(partition: PartitionId, first: Offset) -> Self {
        let extent = Extent {
            partition,
            first,
            end: first,
            position: 0,
            length: 0,
            records: 0,
            max_timestamp: i64::MIN,
            max_timestamp_batch: first,
            first_appended_at: Timestamp(0),
            last_appended_at: Timestamp(0),
            checksum: 0,
            epochs: Vec::new(),
            producers: Vec::new(),
            aborted: Vec::new(),
            points: Vec::new(),
        };
        Self {
            extent,
            pieces: Vec::new(),
            chunk_bytes: 0,
        }
    }

    /// Bytes so far.
    pub fn length(&self) -> u64 {
        self.extent.length
    }

    /// One past the last offset so far.
    pub fn end(&self) -> Offset {
        self.extent.end
    }

    /// Whether no batch was pushed yet.
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Adds the next batch, all of whose bytes have the CRC32C `checksum`, and whose slot was appended at `appended_at`. It
    /// must begin where the extent ends.
    pub fn push(&mut self, batch: Bytes, checksum: u32, appended_at: Timestamp) -> Result<(), FormatError> {
        let header =
            BatchHeader::read(&batch).ok_or(FormatError::Malformed("shorter than a batch header"))?;
        if header.total_size() != Some(batch.len()) {
            return Err(FormatError::Malformed("a batch of another length than it says"));
        }
        let end = i64::from(header.last_offset_delta)
            .checked_add(header.base_offset)
            .and_then(|last| last.checked_add(1));
        let extent = &mut self.extent;
        if header.base_offset != extent.end.0 || header.last_offset_delta < 0 {
            return Err(FormatError::Malformed(
                "a batch that does not continue the extent",
            ));
        }
        let length = batch.len() as u64;
        match extent.points.last_mut() {
            Some(point) if self.chunk_bytes < CHUNK_BYTES => {
                point.max_timestamp = point.max_timestamp.max(header.max_timestamp);
                point.checksum = checksum::joined(point.checksum, checksum, length);
                self.chunk_bytes += length;
            }
            _ => {
                extent.points.push(Point {
                    offset: extent.end,
                    position: extent.length,
                    max_timestamp: header.max_timestamp,
                    checksum,
                });
                self.chunk_bytes = length;
            }
        }
        if header.max_timestamp > extent.max_timestamp {
            extent.max_timestamp = header.max_timestamp;
            extent.max_timestamp_batch = extent.end;
        }
        if self.pieces.is_empty() {
            extent.first_appended_at = appended_at;
        }
        extent.last_appended_at = appended_at;
        extent.length += length;
        extent.records += u64::try_from(header.count).unwrap_or(0);
        extent.end = Offset(end.ok_or(FormatError::Malformed("impossible offsets"))?);
        self.pieces.push(batch);
        Ok(())
    }

    /// Says that the slot of the last batch was appended at `appended_at`, for extents that are joined: when each batch
    /// was appended is not kept.
    pub fn seen_until(&mut self, appended_at: Timestamp) {
        self.extent.last_appended_at = appended_at;
    }

    /// Ends the extent with the partition's state at its end.
    pub fn finish(
        mut self,
        epochs: Vec<(LeaderEpoch, Offset)>,
        producers: Vec<ProducerSnapshot>,
        aborted: Vec<AbortedRange>,
    ) -> FinishedExtent {
        self.extent.checksum = checksum_of_chunks(&self.extent);
        FinishedExtent {
            extent: Extent {
                epochs,
                producers,
                aborted,
                ..self.extent
            },
            pieces: self.pieces,
        }
    }
}

/// The checksum of all bytes of an extent, from those of its chunks.
fn checksum_of_chunks(extent: &Extent) -> u32 {
    let chunks = extent.points.iter().enumerate();
    chunks.fold(0, |sum, (chunk, point)| {
        checksum::joined(sum, point.checksum, extent.chunk_end(chunk) - point.position)
    })
}

impl FinishedExtent {
    /// The extent; its position is not known yet.
    pub fn extent(&self) -> &Extent {
        &self.extent
    }
}

/// Puts extents into one object. A segment takes exactly one.
pub fn build(
    id: ObjectId,
    kind: ObjectKind,
    created_at: Timestamp,
    mut extents: Vec<FinishedExtent>,
) -> Result<BuiltObject, FormatError> {
    extents.sort_by_key(|finished| (finished.extent.partition, finished.extent.first));
    if extents.iter().any(FinishedExtent::is_empty) {
        return Err(FormatError::Malformed("an empty extent"));
    }
    let index_size = front_size(extents.iter().map(|finished| &finished.extent));
    let mut position = index_size;
    let mut pieces = vec![Bytes::new()];
    let mut placed = Vec::with_capacity(extents.len());
    for finished in extents {
        let mut extent = finished.extent;
        extent.position = position;
        position += extent.length;
        pieces.extend(finished.pieces);
        placed.push(extent);
    }
    let index = ObjectIndex {
        id,
        kind,
        created_at,
        index_size,
        size: position,
        extents: placed,
    };
    pieces[0] = encode_front(&index)?;
    // What could not be read back must not be named by a row.
    super::decode_front(&pieces[0])?;
    Ok(BuiltObject {
        row: index.row(),
        index,
        pieces,
    })
}

impl FinishedExtent {
    fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }
}
