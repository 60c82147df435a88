//! Gathering the batches of many slots by partition, and storing them as objects.

use std::collections::BTreeMap;
use std::sync::Arc;

use firn_catalog::cell::ObjectKind;
use firn_catalog::ids::{LeaderEpoch, Offset, PartitionId, Slot};
use firn_runtime::Timestamp;
use futures::future::BoxFuture;
use futures::{StreamExt, TryStreamExt, stream};

use super::{Collected, OffloadBatch, OffloadError, OffloadSlot, PartitionFloor, SlotSource};
use crate::batch::{BatchHeader, BatchMeta};
use crate::checksum;
use crate::cold::ColdError;
use crate::cold::format::{ExtentBuilder, FinishedExtent, FormatError, ObjectIndex, build};
use crate::cold::tier::ColdTier;
use crate::cold::uploads::{Uploader, persistently, until_definite};
use crate::partition::producers::Producers;
use crate::wal::WalError;

/// How many partitions' cold tails are read, and how many objects are uploaded, at a time.
const CONCURRENCY: usize = 8;

/// Where a partition's log stands while slots are gathered.
enum Tail {
    /// Its topic is deleted: its batches go nowhere.
    Gone,
    /// It goes on at the end of what was gathered.
    At(Box<Standing>),
}

struct Standing {
    floor: PartitionFloor,
    /// One past the last offset that is cold or gathered.
    end: Offset,
    producers: Producers,
    epochs: Vec<(LeaderEpoch, Offset)>,
}

/// What came of a slot.
pub(super) enum Taken {
    /// All of it was taken.
    Whole,
    /// Nothing: a partition's log is broken there.
    Broken,
    /// Nothing: it is not what was written.
    Damaged(WalError),
}

/// What to do with a batch.
enum Next {
    Skip,
    Take,
}

pub(super) struct Collector<'a> {
    tier: &'a ColdTier,
    source: &'a dyn SlotSource,
    uploader: &'a Uploader,
    tails: BTreeMap<PartitionId, Tail>,
    /// Batches that are not in an object yet. Several extents only if offsets between them were deleted.
    pending: BTreeMap<PartitionId, Vec<ExtentBuilder>>,
    pending_bytes: u64,
    /// Objects on their way into the store.
    upload: Option<BoxFuture<'a, Result<Vec<Arc<ObjectIndex>>, ColdError>>>,
    stored: Vec<Arc<ObjectIndex>>,
    stopped: Vec<(PartitionId, ColdError)>,
}

impl<'a> Collector<'a> {
    pub fn new(tier: &'a ColdTier, source: &'a dyn SlotSource, uploader: &'a Uploader) -> Self {
        Self {
            tier,
            source,
            uploader,
            tails: BTreeMap::new(),
            pending: BTreeMap::new(),
            pending_bytes: 0,
            upload: None,
            stored: Vec::new(),
            stopped: Vec::new(),
        }
    }

    /// Takes a whole slot, or nothing of it.
    pub async fn take(&mut self, mut slot: OffloadSlot) -> Result<Taken, OffloadError> {
        slot.batches.retain(|batch| self.source.accepts(&batch.meta));
        self.know_tails(&slot).await?;
        let Some(taken) = self.decide(&slot) else {
            return Ok(Taken::Broken);
        };
        let new = slot.batches.into_iter().zip(taken);
        let new: Vec<_> = new
            .filter_map(|(batch, next)| matches!(next, Next::Take).then_some(batch))
            .collect();
        for batch in &new {
            if let Err(what) = check(batch) {
                let (slot, partition) = (slot.slot, batch.meta.partition);
                let what = format!("slot {slot}, partition {partition}: {what}");
                return Ok(Taken::Damaged(WalError::Corrupt(what)));
            }
        }
        for batch in new {
            self.add(batch, slot.appended_at)?;
        }
        if self.pending_bytes >= self.tier.settings.offload.object_bytes {
            self.store().await?;
        }
        Ok(Taken::Whole)
    }

    /// The partitions whose logs are broken.
    pub fn stopped(&self) -> &[(PartitionId, ColdError)] {
        &self.stopped
    }

    /// Stores what is left. `end`: the slots below it were taken.
    pub async fn finish(mut self, end: Slot) -> Result<Collected, OffloadError> {
        self.store().await?;
        self.uploaded().await?;
        // Of those too whose batches were all cold already: an earlier answer may have been lost.
        let ends = self.tails.iter().filter_map(|(partition, tail)| match tail {
            Tail::At(standing) => Some((*partition, standing.end)),
            Tail::Gone => None,
        });
        Ok(Collected {
            end,
            objects: self.stored,
            ends: ends.collect(),
            stopped: self.stopped,
        })
    }

    /// Looks up where the cold logs of partitions end that are met for the first time.
    async fn know_tails(&mut self, slot: &OffloadSlot) -> Result<(), OffloadError> {
        let mut unknown: Vec<PartitionId> = slot.batches.iter().map(|batch| batch.meta.partition).collect();
        unknown.sort_unstable();
        unknown.dedup();
        unknown.retain(|partition| !self.tails.contains_key(partition));
        if unknown.is_empty() {
            return Ok(());
        }
        let catalog = &self.tier.catalog;
        let existing = persistently(|| catalog.existing_partitions(unknown.clone())).await?;
        self.tails
            .extend(unknown.iter().map(|partition| (*partition, Tail::Gone)));
        let (tier, source) = (self.tier, self.source);
        let found: Vec<_> = stream::iter(existing)
            .map(|partition| async move {
                let standing = || standing(tier, source, partition);
                (partition, until_definite(standing, ColdError::is_retriable).await)
            })
            .buffered(CONCURRENCY)
            .collect()
            .await;
        for (partition, standing) in found {
            match standing {
                Ok(standing) => {
                    self.tails.insert(partition, Tail::At(Box::new(standing)));
                }
                Err(error) => {
                    self.tails.remove(&partition);
                    self.alarm(partition, slot.slot, error);
                }
            }
        }
        Ok(())
    }

    /// What to do with each batch of a slot; `None` if a partition's log is broken there.
    fn decide(&mut self, slot: &OffloadSlot) -> Option<Vec<Next>> {
        let mut ends: BTreeMap<PartitionId, Offset> = BTreeMap::new();
        let mut decided = Vec::with_capacity(slot.batches.len());
        let mut broken = None;
        for OffloadBatch { meta, .. } in &slot.batches {
            let standing = match self.tails.get(&meta.partition) {
                // An alarm was raised when its tail was read.
                None => return None,
                Some(Tail::Gone) => {
                    decided.push(Next::Skip);
                    continue;
                }
                Some(Tail::At(standing)) => standing,
            };
            let end = ends.entry(meta.partition).or_insert(standing.end);
            match continues(meta, *end, standing.floor.log_start) {
                Ok(Next::Skip) => decided.push(Next::Skip),
                Ok(Next::Take) => {
                    *end = meta.end();
                    decided.push(Next::Take);
                }
                Err(error) => {
                    broken = Some((meta.partition, error));
                    break;
                }
            }
        }
        let Some((partition, error)) = broken else {
            return Some(decided);
        };
        self.alarm(partition, slot.slot, error);
        None
    }

    fn alarm(&mut self, partition: PartitionId, slot: Slot, error: ColdError) {
        tracing::error!(%partition, %slot, %error, "ALARM: a partition cannot be offloaded");
        self.stopped.push((partition, error));
    }

    fn add(&mut self, batch: OffloadBatch, appended_at: Timestamp) -> Result<(), OffloadError> {
        let OffloadBatch {
            meta,
            bytes,
            checksum,
        } = batch;
        let Some(Tail::At(standing)) = self.tails.get_mut(&meta.partition) else {
            return Ok(());
        };
        standing.end = meta.end();
        standing.producers.apply(&meta, appended_at);
        if standing
            .epochs
            .last()
            .is_none_or(|(newest, _)| *newest < meta.leader_epoch)
        {
            standing.epochs.push((meta.leader_epoch, meta.first));
        }
        self.pending_bytes += bytes.len() as u64;
        let extents = self.pending.entry(meta.partition).or_default();
        if extents.last().is_none_or(|extent| extent.end() != meta.first) {
            extents.push(ExtentBuilder::new(meta.partition, meta.first));
        }
        match extents.last_mut() {
            Some(extent) => extent
                .push(bytes, checksum, appended_at)
                .map_err(|error| WalError::Corrupt(error.to_string()).into()),
            None => Ok(()),
        }
    }

    /// Does `work` while an upload goes on.
    pub async fn beside_upload<T>(&mut self, work: impl Future<Output = T>) -> Result<T, ColdError> {
        let mut work = std::pin::pin!(work);
        while let Some(upload) = &mut self.upload {
            tokio::select! {
                biased;
                stored = upload => {
                    self.upload = None;
                    self.stored.extend(stored?);
                }
                done = &mut work => return Ok(done),
            }
        }
        Ok(work.await)
    }

    /// Waits for the upload that goes on, if there is one.
    async fn uploaded(&mut self) -> Result<(), ColdError> {
        if let Some(upload) = self.upload.take() {
            self.stored.extend(upload.await?);
        }
        Ok(())
    }

    /// Puts what is pending into objects, and begins to upload them once those before them are stored.
    async fn store(&mut self) -> Result<(), OffloadError> {
        let mut shared = Vec::new();
        let mut objects = Vec::new();
        let now = self.uploader.env.now();
        for (partition, extents) in std::mem::take(&mut self.pending) {
            let Some(Tail::At(standing)) = self.tails.get_mut(&partition) else {
                continue;
            };
            standing.tidy(now);
            let bytes: u64 = extents.iter().map(ExtentBuilder::length).sum();
            let finished = extents.into_iter().map(|extent| standing.finish(extent));
            if bytes >= self.tier.settings.offload.segment_min_bytes {
                objects.extend(finished.map(|extent| (ObjectKind::Segment, vec![extent])));
            } else {
                shared.extend(finished);
            }
        }
        if !shared.is_empty() {
            objects.push((ObjectKind::Mux, shared));
        }
        self.pending_bytes = 0;
        self.uploaded().await?;
        let uploader = self.uploader;
        let built = objects
            .into_iter()
            .map(|(kind, extents)| build(uploader.new_id(), kind, now, extents))
            .collect::<Result<Vec<_>, FormatError>>()
            .map_err(|error| WalError::Corrupt(error.to_string()))?;
        let uploads = stream::iter(built.into_iter().map(Ok::<_, ColdError>))
            .map_ok(move |object| async move {
                uploader.store(&object).await?;
                Ok(Arc::new(object.index))
            })
            .try_buffered(CONCURRENCY);
        self.upload = Some(Box::pin(uploads.try_collect()));
        Ok(())
    }
}

impl Standing {
    /// Forgets what nobody asks for any more.
    fn tidy(&mut self, now: Timestamp) {
        self.producers.expire(now, self.floor.producer_expiration);
        let after = self
            .epochs
            .partition_point(|(_, first)| *first <= self.floor.log_start);
        self.epochs.drain(..after.saturating_sub(1));
    }

    fn finish(&self, extent: ExtentBuilder) -> FinishedExtent {
        let end = extent.end();
        let epochs = self.epochs.iter().copied().filter(|(_, first)| *first < end);
        extent.finish(epochs.collect(), self.producers.snapshot(), Vec::new())
    }
}

/// Where a partition's cold log stands.
async fn standing(
    tier: &ColdTier,
    source: &dyn SlotSource,
    partition: PartitionId,
) -> Result<Standing, ColdError> {
    let mut floor = source.floor(partition);
    tier.verify(partition, floor.log_start, floor.end_hint)?;
    let tail = tier.tail_state(partition).await?;
    // What the source knows may be older than what retention has done since.
    let trimmed = tier.with_map(|map| map.trimmed_end(partition));
    floor.log_start = floor.log_start.max(trimmed);
    let end = tail.as_ref().map_or(floor.end_hint, |tail| tail.end).max(trimmed);
    let (producers, epochs) = tail.map_or_else(Default::default, |tail| (tail.producers, tail.epochs));
    Ok(Standing {
        floor,
        end,
        producers: Producers::from_snapshot(producers),
        epochs,
    })
}

/// Whether a batch is the next of a log that ends at `end`, or is in it already.
fn continues(meta: &BatchMeta, end: Offset, log_start: Offset) -> Result<Next, ColdError> {
    if meta.end() <= end {
        return Ok(Next::Skip);
    }
    if meta.first == end || (meta.first > end && meta.first <= log_start) {
        return Ok(Next::Take);
    }
    let (partition, expected, found) = (meta.partition, end, meta.first);
    Err(if meta.first > end {
        ColdError::Gap {
            partition,
            expected,
            found,
        }
    } else {
        ColdError::Overlap {
            partition,
            expected,
            found,
        }
    })
}

/// Whether bytes are the batch that the slot's index tells of. Every one of them is covered: by the batch's own
/// checksum, or by what the index says of the fields before it.
fn check(batch: &OffloadBatch) -> Result<(), &'static str> {
    let OffloadBatch {
        meta,
        bytes,
        checksum,
    } = batch;
    let header = BatchHeader::read(bytes).ok_or("a batch is shorter than its header")?;
    let last = header
        .base_offset
        .checked_add(i64::from(header.last_offset_delta));
    let as_told = header.base_offset == meta.first.0
        && last == Some(meta.last.0)
        && header.partition_leader_epoch == meta.leader_epoch.0
        && header.last_offset_delta >= 0
        && header.magic == 2
        && header.total_size() == Some(bytes.len())
        && bytes.len() == meta.length as usize;
    if !as_told {
        return Err("a batch is not the one that the index tells of");
    }
    let (before, covered) = bytes.split_at(BatchHeader::CRC_START);
    // The checksum of all bytes is that of the fields before joined with the batch's own, and with no other.
    let before = crc32c::crc32c(before);
    if checksum::joined(before, header.crc, covered.len() as u64) != *checksum {
        return Err("the checksum of a batch does not match");
    }
    Ok(())
}
