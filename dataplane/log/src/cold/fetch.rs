//! Reading objects: range GETs with retries, checked against their checksums, kept in bounded caches.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use firn_catalog::cell::ObjectRow;
use firn_catalog::ids::ObjectId;
use futures::FutureExt;
use object_store::{ObjectStore, ObjectStoreExt};
use tokio::time::{Duration, sleep, timeout};

use super::budget::Budget;
use super::cache::{Cache, Flights};
use super::format::{Extent, FormatError, ObjectIndex, decode_front};
use super::settings::ReadSettings;
use super::{ColdError, object_path};
use crate::metrics;

/// The longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How often bytes that fail their checksum are read again: they may have been damaged on the way.
const DAMAGED_ATTEMPTS: u32 = 3;
/// An index in memory takes about this many times its bytes.
const INDEX_WEIGHT: u64 = 2;

/// Why a part of an object could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum FetchError {
    /// There is no such object. To be believed only after the rows were read again.
    Missing,
    /// It is not what was written. To be believed only after the rows were read again.
    Damaged(String),
    /// Written by a newer version.
    Newer(FormatError),
    /// The store did not answer.
    Unavailable(String),
}

impl FetchError {
    /// What it means for an object that the rows still name.
    pub fn of_live(self, object: ObjectId) -> ColdError {
        match self {
            Self::Missing => ColdError::Lost {
                object,
                reason: "it is not in the object store".to_owned(),
            },
            Self::Damaged(reason) => ColdError::Lost { object, reason },
            Self::Newer(error) => ColdError::NewerFormat { object, error },
            Self::Unavailable(reason) => ColdError::Unavailable(reason),
        }
    }
}

/// A block: the chunks of an extent that begin in one stretch of `block_bytes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct BlockKey {
    object: ObjectId,
    position: u64,
    stretch: u64,
}

/// Reads objects. See the module.
pub(super) struct Fetcher {
    store: Arc<dyn ObjectStore>,
    settings: ReadSettings,
    budget: Budget,
    blocks: Cache<BlockKey, Bytes>,
    indexes: Cache<ObjectId, Arc<ObjectIndex>>,
    block_flights: Flights<BlockKey, Result<Bytes, FetchError>>,
    index_flights: Flights<ObjectId, Result<Arc<ObjectIndex>, FetchError>>,
}

impl Fetcher {
    pub fn new(store: Arc<dyn ObjectStore>, settings: ReadSettings) -> Arc<Self> {
        Arc::new(Self {
            store,
            budget: Budget::new(settings.inflight_bytes, settings.bytes_per_second),
            blocks: Cache::new(settings.cache_bytes),
            indexes: Cache::new(settings.index_cache_bytes),
            block_flights: Flights::new(),
            index_flights: Flights::new(),
            settings,
        })
    }

    /// Header and index of an object.
    pub async fn index(self: &Arc<Self>, row: &ObjectRow) -> Result<Arc<ObjectIndex>, FetchError> {
        if let Some(index) = self.indexes.get(&row.id) {
            return Ok(index);
        }
        let work = || {
            let (fetcher, row) = (Arc::clone(self), row.clone());
            async move {
                let index = fetcher.fetch_index(&row).await?;
                fetcher.keep_index(&index);
                Ok(index)
            }
            .boxed()
        };
        self.index_flights.join(row.id, work).await
    }

    /// Keeps an index that was read or built for those who ask for it next.
    pub fn keep_index(&self, index: &Arc<ObjectIndex>) {
        self.indexes
            .put(index.id, Arc::clone(index), index.index_size * INDEX_WEIGHT);
    }

    async fn fetch_index(&self, row: &ObjectRow) -> Result<Arc<ObjectIndex>, FetchError> {
        let read = |front: &Bytes| {
            let index = match decode_front(front) {
                Ok(index) => index,
                Err(error @ FormatError::NewerVersion(_)) => return Err(FetchError::Newer(error)),
                Err(error) => return Err(FetchError::Damaged(error.to_string())),
            };
            if index.row() != *row {
                return Err(FetchError::Damaged(
                    "it is another object than its row says".to_owned(),
                ));
            }
            Ok(Arc::new(index))
        };
        self.checked(row, 0..row.index_size, &self.budget, read).await
    }

    /// The chunks around `chunk` that are read in one go, and their numbers.
    pub async fn block(
        self: &Arc<Self>,
        row: &ObjectRow,
        extent: &Extent,
        chunk: usize,
    ) -> Result<(Range<usize>, Bytes), FetchError> {
        let (stretch, chunks) = self.stretch(extent, chunk);
        let key = BlockKey {
            object: row.id,
            position: extent.position,
            stretch,
        };
        if let Some(bytes) = self.blocks.get(&key) {
            metrics::cold_cache_hit();
            return Ok((chunks, bytes));
        }
        let work = || {
            let fetcher = Arc::clone(self);
            let (row, part) = (row.clone(), Part::of(extent, chunks.clone()));
            async move {
                let bytes = fetcher.part(&row, &part, &fetcher.budget).await?;
                fetcher.blocks.put(key, bytes.clone(), bytes.len() as u64);
                Ok(bytes)
            }
            .boxed()
        };
        let bytes = self.block_flights.join(key, work).await?;
        Ok((chunks, bytes))
    }

    /// The chunks of an extent that are read together with `chunk`, and the number of their stretch.
    fn stretch(&self, extent: &Extent, chunk: usize) -> (u64, Range<usize>) {
        let size = self.settings.block_bytes.max(1);
        let stretch = extent.points.get(chunk).map_or(0, |point| point.position / size);
        let begins = |number: u64| {
            extent
                .points
                .partition_point(|point| point.position / size < number)
        };
        (stretch, begins(stretch)..begins(stretch + 1))
    }

    /// All batches of an extent, past the caches, within another budget.
    pub async fn whole(
        &self,
        row: &ObjectRow,
        extent: &Extent,
        budget: &Budget,
    ) -> Result<Bytes, FetchError> {
        self.part(row, &Part::of(extent, 0..extent.points.len()), budget)
            .await
    }

    async fn part(&self, row: &ObjectRow, part: &Part, budget: &Budget) -> Result<Bytes, FetchError> {
        self.checked(row, part.range.clone(), budget, |bytes| {
            part.check(bytes)?;
            Ok(bytes.clone())
        })
        .await
    }

    /// Reads a range until `check` accepts it. A damaged range is read a few times, since it may have been damaged on
    /// the way.
    async fn checked<T>(
        &self,
        row: &ObjectRow,
        range: Range<u64>,
        budget: &Budget,
        check: impl Fn(&Bytes) -> Result<T, FetchError>,
    ) -> Result<T, FetchError> {
        let mut tries = 0;
        loop {
            tries += 1;
            let bytes = self.range(row, range.clone(), budget).await?;
            let answer = if bytes.len() as u64 == range.end - range.start {
                check(&bytes)
            } else {
                Err(FetchError::Damaged("it is shorter than its row says".to_owned()))
            };
            match answer {
                Err(FetchError::Damaged(reason)) if tries < DAMAGED_ATTEMPTS => {
                    tracing::warn!(object = %row.id, reason, "an object was read damaged; reading it again");
                    metrics::cold_read_damaged();
                }
                answer => return answer,
            }
        }
    }

    async fn range(&self, row: &ObjectRow, range: Range<u64>, budget: &Budget) -> Result<Bytes, FetchError> {
        let path = object_path(row.kind, row.id);
        let mut pause = self.settings.retry_pause;
        for attempt in 1.. {
            let failed = {
                let _permit = budget.admit(range.end.saturating_sub(range.start)).await;
                match timeout(self.settings.timeout, self.store.get_range(&path, range.clone())).await {
                    Ok(Ok(bytes)) => {
                        metrics::cold_bytes_read(bytes.len() as u64);
                        return Ok(bytes);
                    }
                    Ok(Err(object_store::Error::NotFound { .. })) => return Err(FetchError::Missing),
                    Ok(Err(error)) => error.to_string(),
                    Err(_) => "no answer in time".to_owned(),
                }
            };
            if attempt >= self.settings.attempts {
                return Err(FetchError::Unavailable(failed));
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        Err(FetchError::Unavailable("not tried".to_owned()))
    }
}

/// A range of whole chunks, and what is known of each.
struct Part {
    range: Range<u64>,
    /// Length and checksum of each chunk.
    chunks: Vec<(u64, u32)>,
}

impl Part {
    fn of(extent: &Extent, chunks: Range<usize>) -> Self {
        let start = extent.points.get(chunks.start).map_or(0, |point| point.position);
        let end = chunks.end.checked_sub(1).map_or(0, |last| extent.chunk_end(last));
        let lengths = chunks.filter_map(|chunk| {
            let point = extent.points.get(chunk)?;
            Some((extent.chunk_end(chunk) - point.position, point.checksum))
        });
        Self {
            range: extent.position + start..extent.position + end.max(start),
            chunks: lengths.collect(),
        }
    }

    fn check(&self, bytes: &[u8]) -> Result<(), FetchError> {
        let mut rest = bytes;
        for (length, checksum) in &self.chunks {
            let chunk = usize::try_from(*length)
                .ok()
                .and_then(|length| rest.split_at_checked(length));
            let Some((chunk, after)) = chunk else {
                return Err(FetchError::Damaged("it is cut short".to_owned()));
            };
            if crc32c::crc32c(chunk) != *checksum {
                return Err(FetchError::Damaged(
                    "the checksum of a chunk does not match".to_owned(),
                ));
            }
            rest = after;
        }
        Ok(())
    }
}
