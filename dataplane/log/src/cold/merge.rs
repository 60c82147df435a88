//! Merging: many small mux objects become few large ones, so that one partition's range touches few objects.
//!
//! Size-tiered: once enough objects of about one size have come together, they become one, so every byte is
//! rewritten about once per factor of four that its object grows. A partition with enough bytes in a merge gets a
//! segment of its own. One transaction puts the new objects in the place of the old ones; who reads an old one
//! at that moment reads on, since it stays through the grace period.
//!
//! Extents below the log starts of their partitions are left out, and an object that consists mostly of such is rewritten
//! alone: else one partition that keeps its records for ever would keep those of all others that it shares objects
//! with. The newest extent of a partition is never left out: it says where the log ends, and who produced.
//!
//! Rejected: merging only objects that follow each other in every partition. There is no such order among the objects
//! of many brokers; extents of one partition that do not touch stay apart inside the new object.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use firn_catalog::cell::{CatalogError, ObjectKind};
use firn_catalog::ids::{IncarnationId, ObjectId, Offset, PartitionId};
use firn_runtime::Timestamp;
use tokio::time::sleep;

use super::ColdError;
use super::budget::Budget;
use super::extents::{ColdObject, ExtentMap};
use super::fetch::FetchError;
use super::format::{BuiltObject, Extent, ExtentBuilder, FinishedExtent, FormatError, ObjectIndex, build};
use super::settings::MergeSettings;
use super::tier::{ColdTier, Interrupted};
use super::uploads::{Uploader, persistently};
use crate::batch::BatchHeader;
use crate::metrics;

/// Objects smaller than this count as one size.
const SMALLEST: u64 = 256 * 1024;

/// What a merge did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Merged {
    /// How many objects are gone.
    pub removed: usize,
    /// How many have taken their place.
    pub inserted: usize,
    /// Bytes that were read.
    pub bytes: u64,
}

/// An object that may be merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Which.
    pub id: ObjectId,
    /// Its bytes.
    pub size: u64,
    /// Those among them that nobody needs any more.
    pub dead: u64,
    /// When the last of its slots was appended.
    pub appended_at: Timestamp,
}

/// Which objects to merge next, if any: one that is mostly dead, whatever its size; else the oldest of the smallest size of
/// which there are enough. Pure.
pub fn plan(mut candidates: Vec<Candidate>, settings: &MergeSettings) -> Vec<ObjectId> {
    candidates.sort_by_key(|candidate| (candidate.appended_at, candidate.id));
    let mostly_dead = |candidate: &&Candidate| candidate.dead > candidate.size / 2;
    if let Some(candidate) = candidates.iter().find(mostly_dead) {
        return vec![candidate.id];
    }
    candidates.retain(|candidate| candidate.size < settings.object_bytes);
    let mut sizes: BTreeMap<u32, Vec<Candidate>> = BTreeMap::new();
    for candidate in candidates {
        let size = (candidate.size / SMALLEST)
            .checked_ilog2()
            .map_or(0, |log| 1 + log / 2);
        sizes.entry(size).or_default().push(candidate);
    }
    let fan_in = settings.fan_in.max(2);
    let Some(alike) = sizes.into_values().find(|alike| alike.len() >= fan_in) else {
        return Vec::new();
    };
    let mut room = settings.object_bytes * 2;
    let mut chosen = Vec::new();
    for candidate in alike.iter().take(fan_in) {
        if candidate.size > room {
            break;
        }
        room -= candidate.size;
        chosen.push(candidate.id);
    }
    if chosen.len() < 2 { Vec::new() } else { chosen }
}

impl ColdTier {
    /// Merges for as long as the log is open.
    pub async fn run_merges(&self, by: IncarnationId) {
        let settings = &self.settings.merge;
        let budget = Budget::new(settings.object_bytes, settings.bytes_per_second);
        loop {
            match self.merge_within(by, &budget).await {
                Ok(Some(done)) => tracing::debug!(?done, "merged cold objects"),
                Ok(None) => sleep(settings.interval).await,
                Err(error) => {
                    tracing::warn!(%error, "merging cold objects failed");
                    sleep(settings.interval).await;
                }
            }
        }
    }

    /// Merges once, if there is something to merge.
    pub async fn merge(&self, by: IncarnationId) -> Result<Option<Merged>, ColdError> {
        let settings = &self.settings.merge;
        let budget = Budget::new(settings.object_bytes, settings.bytes_per_second);
        self.merge_within(by, &budget).await
    }

    async fn merge_within(&self, by: IncarnationId, budget: &Budget) -> Result<Option<Merged>, ColdError> {
        let _one_at_a_time = self.reshaping.lock().await;
        let chosen = self.with_map(|map| {
            let mux = map.objects().filter(|object| object.row.kind == ObjectKind::Mux);
            plan(
                mux.map(|object| candidate(map, object)).collect(),
                &self.settings.merge,
            )
        });
        if chosen.is_empty() {
            return Ok(None);
        }
        // An object that has vanished is gone from the map after this; the next round plans anew.
        let gathered = self.steadily(|| self.gather(&chosen, budget)).await?;
        let uploader = self.uploader(by);
        match self.put_in_place_of(&uploader, &chosen, gathered).await {
            Ok(merged) => Ok(Some(merged)),
            Err(error) => {
                uploader.give_up().await;
                match error {
                    // Another broker has merged or deleted one of them first.
                    ColdError::Catalog(CatalogError::ObjectNotRegistered(_)) => {
                        self.refresh().await?;
                        Ok(None)
                    }
                    error => Err(error),
                }
            }
        }
    }

    async fn put_in_place_of(
        &self,
        uploader: &Uploader,
        chosen: &[ObjectId],
        gathered: Gathered,
    ) -> Result<Merged, ColdError> {
        let built = self.rebuild(uploader, gathered.extents)?;
        for object in &built {
            uploader.store(object).await?;
        }
        let rows: Vec<_> = built.iter().map(|object| object.row.clone()).collect();
        let now = self.env.now();
        let indexes: Vec<Arc<ObjectIndex>> = built.into_iter().map(|object| Arc::new(object.index)).collect();
        let changing = self.changing.lock().await;
        let replace = || {
            self.catalog
                .replace_objects(uploader.by, chosen.to_vec(), rows.clone(), now)
        };
        persistently(replace).await?;
        self.publish_merge(&changing, chosen, &indexes, &gathered.dropped);
        metrics::cold_merged(chosen.len() as u64);
        Ok(Merged {
            removed: chosen.len(),
            inserted: indexes.len(),
            bytes: indexes.iter().map(|index| index.size - index.index_size).sum(),
        })
    }

    /// Reads the extents of objects, by partition and in offset order, without those that nobody needs.
    async fn gather(&self, chosen: &[ObjectId], budget: &Budget) -> Result<Gathered, Interrupted> {
        let objects: Vec<Arc<ColdObject>> = self.with_map(|map| {
            map.objects()
                .filter(|object| chosen.contains(&object.row.id))
                .cloned()
                .collect()
        });
        if objects.len() != chosen.len() {
            let changed = "the objects of a merge have changed".to_owned();
            return Err(Interrupted::Failed(ColdError::Unavailable(changed)));
        }
        let mut named: Vec<PartitionId> = objects
            .iter()
            .flat_map(|object| &object.extents)
            .map(|extent| extent.partition)
            .collect();
        named.sort_unstable();
        named.dedup();
        let existing = self
            .catalog
            .existing_partitions(named)
            .await
            .map_err(ColdError::from)?;
        let mut gathered = Gathered::default();
        for partition in existing {
            gathered.extents.insert(partition, Vec::new());
        }
        for object in objects {
            let index = self.index_of(&object.row).await?;
            for extent in &index.extents {
                let Some(extents) = gathered.extents.get_mut(&extent.partition) else {
                    continue;
                };
                if self.with_map(|map| map.is_dead(extent.partition, extent.end)) {
                    gathered.dropped.push((extent.partition, extent.end));
                    continue;
                }
                let bytes = self.fetcher.whole(&object.row, extent, budget).await;
                let bytes = bytes.map_err(|error| Interrupted::Object(object.row.id, error))?;
                let batches = split(bytes).map_err(|error| Interrupted::Object(object.row.id, error))?;
                extents.push((extent.clone(), batches));
            }
        }
        for extents in gathered.extents.values_mut() {
            extents.sort_by_key(|(extent, _)| extent.first);
        }
        Ok(gathered)
    }

    fn rebuild(&self, uploader: &Uploader, extents: Extents) -> Result<Vec<BuiltObject>, ColdError> {
        let now = self.env.now();
        let malformed = |error: FormatError| ColdError::Unavailable(format!("a merge went wrong: {error}"));
        let mut objects = Vec::new();
        let mut shared = Vec::new();
        for (partition, extents) in extents {
            let joined = join(partition, extents).map_err(malformed)?;
            let bytes: u64 = joined.iter().map(|finished| finished.extent().length).sum();
            if bytes >= self.settings.merge.segment_min_bytes {
                objects.extend(
                    joined
                        .into_iter()
                        .map(|extent| (ObjectKind::Segment, vec![extent])),
                );
            } else {
                shared.extend(joined);
            }
        }
        if !shared.is_empty() {
            objects.push((ObjectKind::Mux, shared));
        }
        objects
            .into_iter()
            .map(|(kind, extents)| build(uploader.new_id(), kind, now, extents).map_err(malformed))
            .collect()
    }
}

/// By partition, in offset order: extents and their batches.
type Extents = BTreeMap<PartitionId, Vec<(Extent, Vec<Bytes>)>>;

/// What a merge writes anew, and what it leaves out.
#[derive(Default)]
struct Gathered {
    extents: Extents,
    /// Dead extents of partitions that exist: whose, and one past the last offset.
    dropped: Vec<(PartitionId, Offset)>,
}

fn candidate(map: &ExtentMap, object: &ColdObject) -> Candidate {
    let dead = object
        .extents
        .iter()
        .filter(|extent| map.is_dead(extent.partition, extent.end));
    let appended = object.extents.iter().filter_map(|extent| extent.times.get());
    Candidate {
        id: object.row.id,
        size: object.row.size,
        dead: dead.map(|extent| extent.length).sum(),
        appended_at: appended
            .map(|times| times.last_appended_at)
            .max()
            .unwrap_or_default(),
    }
}

/// The batches in an extent's bytes, whose checksums have been checked.
fn split(mut bytes: Bytes) -> Result<Vec<Bytes>, FetchError> {
    let mut batches = Vec::new();
    while !bytes.is_empty() {
        let size = BatchHeader::read(&bytes).and_then(|header| header.total_size());
        match size.filter(|size| *size <= bytes.len()) {
            Some(size) => batches.push(bytes.split_to(size)),
            None => return Err(FetchError::Damaged("a batch is cut short".to_owned())),
        }
    }
    Ok(batches)
}

/// Joins extents that touch. What is known at the end of the last one holds at the end of the joined one.
fn join(
    partition: PartitionId,
    extents: Vec<(Extent, Vec<Bytes>)>,
) -> Result<Vec<FinishedExtent>, FormatError> {
    let mut finished = Vec::new();
    let mut extents = extents.into_iter().peekable();
    while let Some((mut extent, mut batches)) = extents.next() {
        let mut builder = ExtentBuilder::new(partition, extent.first);
        let mut aborted = Vec::new();
        loop {
            for (at, batch) in batches.into_iter().enumerate() {
                let appended_at = if at == 0 {
                    extent.first_appended_at
                } else {
                    extent.last_appended_at
                };
                let checksum = crc32c::crc32c(&batch);
                builder.push(batch, checksum, appended_at)?;
            }
            builder.seen_until(extent.last_appended_at);
            aborted.append(&mut extent.aborted);
            match extents.next_if(|(next, _)| next.first == builder.end()) {
                Some(next) => (extent, batches) = next,
                None => break,
            }
        }
        finished.push(builder.finish(extent.epochs, extent.producers, aborted));
    }
    Ok(finished)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates(sizes: &[u64]) -> Vec<Candidate> {
        let number = |at: usize, size: u64| Candidate {
            id: ObjectId(at as u128),
            size,
            dead: 0,
            appended_at: Timestamp(i64::try_from(at).unwrap()),
        };
        sizes
            .iter()
            .enumerate()
            .map(|(at, size)| number(at, *size))
            .collect()
    }

    fn settings() -> MergeSettings {
        MergeSettings {
            fan_in: 3,
            object_bytes: 32 << 20,
            ..MergeSettings::default()
        }
    }

    #[test]
    fn objects_of_about_one_size_are_merged_oldest_first() {
        let few = candidates(&[1 << 20, 100, 1 << 20, 100]);
        assert_eq!(plan(few, &settings()), vec![]);
        let small = candidates(&[1 << 20, 100, 1 << 20, 5000, 1 << 20, 100, 100]);
        assert_eq!(
            plan(small, &settings()),
            vec![ObjectId(1), ObjectId(3), ObjectId(5)]
        );
        let large = candidates(&[1 << 20, 100, 1 << 20, 5000, 1 << 20]);
        assert_eq!(
            plan(large, &settings()),
            vec![ObjectId(0), ObjectId(2), ObjectId(4)]
        );
    }

    #[test]
    fn an_object_that_is_mostly_dead_is_rewritten_alone_whatever_its_size() {
        let mut some = candidates(&[100, 64 << 20, 100, 100]);
        some[1].dead = 32 << 20;
        let tiered = vec![ObjectId(0), ObjectId(2), ObjectId(3)];
        assert_eq!(plan(some.clone(), &settings()), tiered);
        some[1].dead += 1;
        assert_eq!(plan(some, &settings()), vec![ObjectId(1)]);
    }

    #[test]
    fn large_objects_stay_and_no_merge_reads_more_than_its_bound() {
        assert_eq!(plan(candidates(&[32 << 20; 5]), &settings()), vec![]);
        let below = candidates(&[30 << 20; 5]);
        assert_eq!(plan(below, &settings()), vec![ObjectId(0), ObjectId(1)]);
    }
}
