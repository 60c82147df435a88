//! The cold tier of a broker: which live object holds which offsets, and reading them.
//!
//! The map in memory is a copy of the catalog's rows: loaded once, changed by the transactions of this process, and
//! read again whenever an object turns out not to be what the map says. One change at a time: if the rows could be read
//! between a transaction of this process and its publication, objects would come back that a merge has replaced since,
//! and what retention took away would look like a gap. A gap or an overlap is told to who asks for that
//! partition, and never skipped; leftovers below the log start, in objects that other partitions still need, are no gap.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use firn_catalog::cell::{LogCatalog, ObjectRow};
use firn_catalog::ids::{LeaderEpoch, ObjectId, Offset, PartitionId};
use firn_runtime::{Env, Timestamp};
use futures::{TryStreamExt, stream};
use object_store::ObjectStore;
use parking_lot::Mutex;
use tokio::time::timeout;

use super::ColdError;
use super::extents::{ColdObject, ExtentMap, HeldExtent};
use super::fetch::{FetchError, Fetcher};
use super::format::ObjectIndex;
use super::read::Readahead;
use super::settings::ColdSettings;
use crate::metrics;
use crate::partition::producers::ProducerSnapshot;

/// How often an operation is started again because the objects have changed under it.
const RESTARTS: u32 = 5;

/// What the newest cold object of a partition says of the log up to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColdTail {
    /// The first offset that is held without a gap up to the end.
    pub first: Offset,
    /// One past the last offset in cold objects.
    pub end: Offset,
    /// The idempotent producers at the end.
    pub producers: Vec<ProducerSnapshot>,
    /// The leader epochs up to the end and where each began.
    pub epochs: Vec<(LeaderEpoch, Offset)>,
    /// When the slot of the last batch was appended.
    pub last_appended_at: Timestamp,
}

/// See the module.
pub struct ColdTier {
    pub(super) env: Env,
    pub(super) store: Arc<dyn ObjectStore>,
    pub(super) catalog: Arc<dyn LogCatalog>,
    pub(super) settings: ColdSettings,
    pub(super) fetcher: Arc<Fetcher>,
    pub(super) readahead: Readahead,
    map: Mutex<ExtentMap>,
    /// Held while the map is changed: from before a transaction is sent until its effect is published, and while the
    /// rows are read again.
    pub(super) changing: tokio::sync::Mutex<()>,
    /// One checkpoint or drain at a time.
    pub(super) offloading: tokio::sync::Mutex<()>,
    /// One merge or trim at a time.
    pub(super) reshaping: tokio::sync::Mutex<()>,
    /// Whether a checkpoint or drain was sent whose answer is not known.
    pub(super) uncertain: AtomicBool,
}

/// See [`ColdTier::changing`].
pub(super) type Changing<'a> = tokio::sync::MutexGuard<'a, ()>;

/// Why an operation did not come to its end.
pub(super) enum Interrupted {
    /// An object could not be read as the map says.
    Object(ObjectId, FetchError),
    /// Anything else.
    Failed(ColdError),
}

impl From<ColdError> for Interrupted {
    fn from(error: ColdError) -> Self {
        Self::Failed(error)
    }
}

impl ColdTier {
    /// Reads the rows of all live objects, and the indexes of those whose row does not tell what they hold.
    pub async fn open(
        env: &Env,
        store: Arc<dyn ObjectStore>,
        catalog: Arc<dyn LogCatalog>,
        settings: ColdSettings,
    ) -> Result<Arc<Self>, ColdError> {
        let tier = Arc::new(Self {
            env: env.clone(),
            fetcher: Fetcher::new(Arc::clone(&store), settings.read.clone()),
            readahead: Readahead::default(),
            store,
            catalog,
            settings,
            map: Mutex::new(ExtentMap::default()),
            changing: tokio::sync::Mutex::new(()),
            offloading: tokio::sync::Mutex::new(()),
            reshaping: tokio::sync::Mutex::new(()),
            uncertain: AtomicBool::new(false),
        });
        tier.refresh().await?;
        Ok(tier)
    }

    /// Reads the rows again. To be called before partitions are opened that another broker has led.
    pub async fn refresh(&self) -> Result<(), ColdError> {
        let changing = timeout(self.settings.read.timeout, self.changing.lock()).await;
        let busy =
            |_| ColdError::Unavailable("the catalog does not say whether objects have changed".to_owned());
        let _changing = changing.map_err(busy)?;
        let mut failed = None;
        for _ in 0..RESTARTS {
            let rows = self.catalog.live_objects().await?;
            let unknown: Vec<ObjectRow> = {
                let map = self.map.lock();
                rows.iter().filter(|row| !map.contains(row.id)).cloned().collect()
            };
            let added = match self.load(unknown).await {
                Ok(added) => added,
                // It may have been deleted since the rows were read.
                Err(Interrupted::Object(id, error)) => {
                    if self.catalog.object_is_live(id).await? {
                        return Err(error.of_live(id));
                    }
                    failed = Some(error.of_live(id));
                    continue;
                }
                Err(Interrupted::Failed(error)) => return Err(error),
            };
            let mut live: Vec<ObjectId> = rows.iter().map(|row| row.id).collect();
            live.sort_unstable();
            let mut map = self.map.lock();
            let gone: Vec<ObjectId> = map
                .objects()
                .map(|object| object.row.id)
                .filter(|id| live.binary_search(id).is_err())
                .collect();
            map.replace(&gone, &added);
            metrics::cold_objects(live.len() as u64);
            return Ok(());
        }
        Err(failed.unwrap_or_else(|| ColdError::Unavailable("the objects keep changing".to_owned())))
    }

    async fn load(&self, rows: Vec<ObjectRow>) -> Result<Vec<Arc<ColdObject>>, Interrupted> {
        stream::iter(rows.into_iter().map(Ok))
            .map_ok(|row| async move {
                if let Some(object) = ColdObject::of_row(&row) {
                    return Ok(object);
                }
                let index = self.fetcher.index(&row).await;
                let index = index.map_err(|error| Interrupted::Object(row.id, error))?;
                Ok(ColdObject::of_index(row, &index))
            })
            .try_buffer_unordered(self.settings.read.open_concurrency.max(1))
            .try_collect()
            .await
    }

    /// Runs `work` until no object vanishes under it. A missing or damaged object is believed only if the rows still
    /// name it.
    pub(super) async fn steadily<T, F>(&self, work: impl Fn() -> F) -> Result<T, ColdError>
    where
        F: Future<Output = Result<T, Interrupted>>,
    {
        let mut last = None;
        for _ in 0..RESTARTS {
            match work().await {
                Ok(done) => return Ok(done),
                Err(Interrupted::Failed(error)) => return Err(error),
                Err(Interrupted::Object(id, error)) => {
                    let error = error.of_live(id);
                    if error.is_retriable() {
                        return Err(error);
                    }
                    if self.catalog.object_is_live(id).await? {
                        tracing::error!(object = %id, %error, "ALARM: a cold object is lost or damaged");
                        metrics::cold_object_lost();
                        return Err(error);
                    }
                    last = Some(id);
                    self.refresh().await?;
                }
            }
        }
        let gone = last.map_or_else(String::new, |id| format!(" (last {id})"));
        Err(ColdError::Unavailable(format!(
            "objects were deleted while they were read{gone}"
        )))
    }

    pub(super) fn with_map<T>(&self, work: impl FnOnce(&ExtentMap) -> T) -> T {
        work(&self.map.lock())
    }

    /// Makes objects readable that a transaction has made live, in place of others.
    pub(super) fn publish(&self, _: &Changing<'_>, removed: &[ObjectId], added: &[Arc<ObjectIndex>]) {
        for index in added {
            self.fetcher.keep_index(index);
        }
        let added: Vec<_> = added
            .iter()
            .map(|index| ColdObject::of_index(index.row(), index))
            .collect();
        let mut map = self.map.lock();
        map.replace(removed, &added);
        metrics::cold_objects(map.len() as u64);
    }

    /// Like [`Self::publish`]; `dropped` are the ends of extents below log starts that the new objects lack.
    pub(super) fn publish_merge(
        &self,
        changing: &Changing<'_>,
        removed: &[ObjectId],
        added: &[Arc<ObjectIndex>],
        dropped: &[(PartitionId, Offset)],
    ) {
        // First: what is missing must be known to be missing for a reason.
        self.map.lock().left_out(dropped);
        self.publish(changing, removed, added);
    }

    /// Takes over the log starts that the catalog has, and the partitions that it has no more.
    pub(super) fn publish_retained(
        &self,
        log_starts: BTreeMap<PartitionId, Offset>,
        gone: BTreeSet<PartitionId>,
    ) {
        self.map.lock().retained(log_starts, gone);
    }

    /// Forgets objects that retention is done with.
    pub(super) fn publish_trim(&self, _: &Changing<'_>, removed: &[ObjectId]) {
        let mut map = self.map.lock();
        map.trim(removed);
        metrics::cold_objects(map.len() as u64);
    }

    /// The extents of a partition from the one that holds `from` on.
    pub(super) fn extents_from(
        &self,
        partition: PartitionId,
        from: Offset,
    ) -> Result<Vec<Arc<HeldExtent>>, ColdError> {
        let map = self.map.lock();
        let Some(held) = map.partition(partition) else {
            return if map.is_trimmed(partition, from) {
                Err(ColdError::Trimmed { partition, from })
            } else {
                Ok(Vec::new())
            };
        };
        match held.reaching(partition, from) {
            Err(ColdError::Gap { .. }) if map.is_trimmed(partition, from) => {
                Err(ColdError::Trimmed { partition, from })
            }
            found => found.map(<[_]>::to_vec),
        }
    }

    pub(super) async fn index_of(&self, row: &ObjectRow) -> Result<Arc<ObjectIndex>, Interrupted> {
        self.fetcher
            .index(row)
            .await
            .map_err(|error| Interrupted::Object(row.id, error))
    }

    /// The first offset and one past the last that cold objects hold without a gap; `None` if they hold none.
    pub fn bounds(&self, partition: PartitionId) -> Option<(Offset, Offset)> {
        self.map.lock().partition(partition)?.bounds()
    }

    /// Bytes of a partition's batches in cold objects.
    pub fn sizes(&self, partition: PartitionId) -> u64 {
        self.with_map(|map| {
            map.partition(partition)
                .map_or(0, |held| held.list.iter().map(|extent| extent.length).sum())
        })
    }

    /// Checks that cold objects hold a partition's log from `log_start` on without a gap, and at least up to
    /// `end_hint`, as the partition's row has them. To be asked when a partition is opened.
    pub fn verify(
        &self,
        partition: PartitionId,
        log_start: Offset,
        end_hint: Offset,
    ) -> Result<(), ColdError> {
        self.with_map(|map| {
            let Some(held) = map.partition(partition) else {
                return Ok(());
            };
            held.sound(partition)?;
            let Some((first, end)) = held.bounds() else {
                return Ok(());
            };
            // Records that were deleted may be missing. Retention may have gone on since the caller looked.
            let log_start = log_start.max(map.trimmed_end(partition));
            if first > log_start {
                return Err(ColdError::Gap {
                    partition,
                    expected: log_start,
                    found: first,
                });
            }
            if end < end_hint && end_hint > log_start {
                return Err(ColdError::Gap {
                    partition,
                    expected: end,
                    found: end_hint,
                });
            }
            Ok(())
        })
    }

    /// What the newest object says of a partition; `None` if no object names it.
    pub async fn tail_state(&self, partition: PartitionId) -> Result<Option<ColdTail>, ColdError> {
        self.steadily(|| async move {
            let newest = self.with_map(|map| {
                let Some(held) = map.partition(partition) else {
                    return Ok(None);
                };
                held.sound(partition)?;
                Ok::<_, ColdError>(held.bounds().zip(held.list.last().cloned()))
            })?;
            let Some(((first, end), newest)) = newest else {
                return Ok(None);
            };
            let index = self.index_of(&newest.row).await?;
            let Some(extent) = index.extent_at(partition, newest.first) else {
                return Err(missing_extent(&newest));
            };
            Ok(Some(ColdTail {
                first,
                end,
                producers: extent.producers.clone(),
                epochs: extent.epochs.clone(),
                last_appended_at: extent.last_appended_at,
            }))
        })
        .await
    }

    /// The leader epochs of a partition up to its cold end, and where each began.
    pub async fn epochs(&self, partition: PartitionId) -> Result<Vec<(LeaderEpoch, Offset)>, ColdError> {
        Ok(self
            .tail_state(partition)
            .await?
            .map_or_else(Vec::new, |tail| tail.epochs))
    }
}

pub(super) fn missing_extent(extent: &HeldExtent) -> Interrupted {
    let what = format!(
        "its index has no extent of {} at {}",
        extent.partition, extent.first
    );
    Interrupted::Object(extent.row.id, FetchError::Damaged(what))
}
