//! Reading records from any offset, and the search by time.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use firn_catalog::ids::{Offset, PartitionId};
use parking_lot::Mutex;

use super::ColdError;
use super::extents::{ExtentTimes, HeldExtent};
use super::fetch::{FetchError, Fetcher};
use super::format::Extent;
use super::tier::{ColdTier, Interrupted, missing_extent};
use crate::batch::BatchHeader;

/// How many blocks a single read may wait for; whoever wants more comes back.
const BLOCKS_PER_READ: usize = 4;
/// How many sequential readers are recognised.
const READERS: usize = 256;

/// Batches that were read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColdRead {
    /// Consecutive whole batches; the first contains the offset that was asked for.
    pub batches: Vec<Bytes>,
    /// One past the last offset of the last batch: where to read on.
    pub next: Offset,
}

/// Where readers are expected to read on: one that does is sequential, and blocks are fetched ahead of it.
#[derive(Default)]
pub(super) struct Readahead(Mutex<VecDeque<(PartitionId, Offset)>>);

impl Readahead {
    fn expected(&self, partition: PartitionId, from: Offset) -> bool {
        let mut expected = self.0.lock();
        match expected.iter().position(|entry| *entry == (partition, from)) {
            Some(at) => expected.remove(at).is_some(),
            None => false,
        }
    }

    fn expect(&self, partition: PartitionId, next: Offset) {
        let mut expected = self.0.lock();
        if expected.len() == READERS {
            expected.pop_front();
        }
        expected.push_back((partition, next));
    }
}

/// A whole batch inside a block.
struct FoundBatch {
    header: BatchHeader,
    bytes: Bytes,
}

impl FoundBatch {
    fn first(&self) -> Offset {
        Offset(self.header.base_offset)
    }

    fn end(&self) -> Offset {
        Offset(self.header.base_offset + i64::from(self.header.last_offset_delta) + 1)
    }
}

impl ColdTier {
    /// Reads whole batches from the one that contains `from`: at least one, whatever its size, else as many as fit
    /// into `max_bytes`. Empty at the cold end.
    pub async fn read(
        &self,
        partition: PartitionId,
        from: Offset,
        max_bytes: usize,
    ) -> Result<ColdRead, ColdError> {
        let sequential = self.readahead.expected(partition, from);
        let read = self
            .steadily(|| self.read_once(partition, from, max_bytes))
            .await?;
        if !read.batches.is_empty() {
            self.readahead.expect(partition, read.next);
            if sequential {
                self.read_ahead(partition, read.next);
            }
        }
        Ok(read)
    }

    async fn read_once(
        &self,
        partition: PartitionId,
        from: Offset,
        max_bytes: usize,
    ) -> Result<ColdRead, Interrupted> {
        let mut read = ColdRead {
            batches: Vec::new(),
            next: from,
        };
        let (mut bytes, mut blocks) = (0, 0);
        for held in self.extents_from(partition, from)? {
            // Extents that do not touch: the rest is for another read, which will say that there is a gap.
            if held.first > read.next {
                break;
            }
            let index = self.index_of(&held.row).await?;
            let extent = index
                .extent_at(partition, held.first)
                .ok_or_else(|| missing_extent(&held))?;
            while let Some(chunk) = extent.chunk_of(read.next) {
                if blocks == BLOCKS_PER_READ && !read.batches.is_empty() {
                    return Ok(read);
                }
                blocks += 1;
                for batch in self.batches(&held, extent, chunk, read.next).await? {
                    if !read.batches.is_empty() && bytes + batch.bytes.len() > max_bytes {
                        return Ok(read);
                    }
                    bytes += batch.bytes.len();
                    read.next = batch.end();
                    read.batches.push(batch.bytes);
                }
                if bytes >= max_bytes {
                    return Ok(read);
                }
            }
        }
        Ok(read)
    }

    /// The batches of the block that holds `chunk`, from the batch that contains `from`.
    async fn batches(
        &self,
        held: &HeldExtent,
        extent: &Extent,
        chunk: usize,
        from: Offset,
    ) -> Result<Vec<FoundBatch>, Interrupted> {
        let damaged = |what: &str| Interrupted::Object(held.row.id, FetchError::Damaged(what.to_owned()));
        let block = self.fetcher.block(&held.row, extent, chunk).await;
        let (chunks, bytes) = block.map_err(|error| Interrupted::Object(held.row.id, error))?;
        let position = |chunk: usize| extent.points.get(chunk).map_or(0, |point| point.position);
        let skip = usize::try_from(position(chunk) - position(chunks.start)).unwrap_or(usize::MAX);
        let mut rest = bytes.slice(skip.min(bytes.len())..);
        let mut found = Vec::new();
        let mut next = extent
            .points
            .get(chunk)
            .map_or(extent.first, |point| point.offset);
        while !rest.is_empty() {
            let header = BatchHeader::read(&rest).ok_or_else(|| damaged("a batch is cut short"))?;
            let size = header.total_size().filter(|size| *size <= rest.len());
            let bytes = rest.split_to(size.ok_or_else(|| damaged("a batch is cut short"))?);
            let batch = FoundBatch { header, bytes };
            if batch.first() != next || batch.end() <= next {
                return Err(damaged("a batch has other offsets than the index says"));
            }
            next = batch.end();
            if batch.end() > from {
                found.push(batch);
            }
        }
        if found.is_empty() || next > extent.end {
            return Err(damaged("batches have other offsets than the index says"));
        }
        Ok(found)
    }

    /// Fetches the blocks after `next` into the cache, in the background.
    fn read_ahead(&self, partition: PartitionId, next: Offset) {
        let ahead = self.settings.read.readahead_bytes;
        let Ok(extents) = self.extents_from(partition, next) else {
            return;
        };
        if ahead == 0 || extents.is_empty() {
            return;
        }
        let fetcher = Arc::clone(&self.fetcher);
        self.env.tasks.spawn(Box::pin(async move {
            // What fails here fails again, and is told, when it is read.
            let _ = fetch_ahead(&fetcher, partition, &extents, next, ahead).await;
        }));
    }

    /// When an extent's records and slots were written, reading its index if need be.
    pub(super) async fn times(&self, held: &HeldExtent) -> Result<ExtentTimes, Interrupted> {
        if let Some(times) = held.times.get() {
            return Ok(*times);
        }
        let index = self.index_of(&held.row).await?;
        let extent = index
            .extent_at(held.partition, held.first)
            .ok_or_else(|| missing_extent(held))?;
        Ok(*held.times.get_or_init(|| ExtentTimes::from(extent)))
    }

    /// About when the record at `offset` was written, in ms: between the largest timestamps of the extent before and of its own, as far
    /// as it lies between their ends. `None`: no extent holds it, or its times are not known without reading an index.
    pub fn time_near(&self, partition: PartitionId, offset: Offset) -> Option<i64> {
        self.with_map(|map| {
            let list = &map.partition(partition)?.list;
            let place = list.partition_point(|extent| extent.end <= offset);
            let extent = list.get(place).filter(|extent| extent.first <= offset)?;
            let last = extent.times.get()?.max_timestamp;
            let before = place.checked_sub(1).and_then(|before| list.get(before));
            let first = before.and_then(|before| before.times.get());
            let first = first.map_or(last, |times| times.max_timestamp);
            if !(0..last).contains(&first) {
                return Some(last);
            }
            let span = i128::from(extent.end.0 - extent.first.0).max(1);
            let passed = i128::from(offset.0 - extent.first.0 + 1);
            let time = i128::from(first) + i128::from(last - first) * passed / span;
            Some(i64::try_from(time).unwrap_or(last))
        })
    }

    /// The first offset of the first batch at or after `from` that claims a timestamp of at least `at_least` ms.
    /// Its records have to be looked at: those that match may lie below `from`.
    pub async fn find_timestamp(
        &self,
        partition: PartitionId,
        at_least: i64,
        from: Offset,
    ) -> Result<Option<Offset>, ColdError> {
        self.steadily(|| self.find_once(partition, at_least, from)).await
    }

    async fn find_once(
        &self,
        partition: PartitionId,
        at_least: i64,
        from: Offset,
    ) -> Result<Option<Offset>, Interrupted> {
        for held in self.extents_from(partition, from)? {
            if self.times(&held).await?.max_timestamp < at_least {
                continue;
            }
            let index = self.index_of(&held.row).await?;
            let extent = index
                .extent_at(partition, held.first)
                .ok_or_else(|| missing_extent(&held))?;
            for (chunk, point) in extent.points.iter().enumerate() {
                let end = extent.chunk_end_offset(chunk);
                if point.max_timestamp < at_least || end <= from {
                    continue;
                }
                let batches = self.batches(&held, extent, chunk, from.max(point.offset)).await?;
                let matches =
                    |batch: &&FoundBatch| batch.header.max_timestamp >= at_least && batch.first() < end;
                if let Some(batch) = batches.iter().find(matches) {
                    return Ok(Some(batch.first()));
                }
            }
        }
        Ok(None)
    }

    /// The largest timestamp that a batch at or after `from` claims, in ms; -1 if there are only batches without
    /// timestamps; `None` if there is no batch.
    pub async fn max_timestamp(
        &self,
        partition: PartitionId,
        from: Offset,
    ) -> Result<Option<i64>, ColdError> {
        self.steadily(|| self.max_once(partition, from)).await
    }

    async fn max_once(&self, partition: PartitionId, from: Offset) -> Result<Option<i64>, Interrupted> {
        let mut largest = None;
        for held in self.extents_from(partition, from)? {
            let of_extent = if held.first >= from {
                Some(self.times(&held).await?.max_timestamp)
            } else {
                // It begins below `from`: look chunk by chunk.
                let index = self.index_of(&held.row).await?;
                let extent = index
                    .extent_at(partition, held.first)
                    .ok_or_else(|| missing_extent(&held))?;
                let chunk = extent.chunk_of(from).unwrap_or(0);
                let batches = self.batches(&held, extent, chunk, from).await?;
                let later = extent
                    .points
                    .iter()
                    .skip(chunk + 1)
                    .map(|point| point.max_timestamp);
                later
                    .chain(batches.iter().map(|batch| batch.header.max_timestamp))
                    .max()
            };
            largest = largest.max(of_extent);
        }
        Ok(largest)
    }
}

async fn fetch_ahead(
    fetcher: &Arc<Fetcher>,
    partition: PartitionId,
    extents: &[Arc<HeldExtent>],
    next: Offset,
    mut ahead: u64,
) -> Result<(), FetchError> {
    for held in extents {
        let index = fetcher.index(&held.row).await?;
        let Some(extent) = index.extent_at(partition, held.first) else {
            return Ok(());
        };
        let mut chunk = extent.chunk_of(next.max(extent.first));
        while let Some(here) = chunk.filter(|here| *here < extent.points.len()) {
            let (chunks, bytes) = fetcher.block(&held.row, extent, here).await?;
            let fetched = bytes.len() as u64;
            if fetched >= ahead {
                return Ok(());
            }
            ahead -= fetched;
            chunk = Some(chunks.end);
        }
    }
    Ok(())
}
