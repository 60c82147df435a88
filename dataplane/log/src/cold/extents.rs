//! Which object holds which offsets: the map in memory. Pure; loading and publishing are in `tier`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use firn_catalog::cell::ObjectRow;
use firn_catalog::ids::{ObjectId, Offset, PartitionId};
use firn_runtime::Timestamp;

use super::ColdError;
use super::format::{Extent, ObjectIndex};

/// An object and the partitions that it holds batches of.
#[derive(Debug)]
pub(super) struct ColdObject {
    pub row: ObjectRow,
    pub extents: Vec<Arc<HeldExtent>>,
}

/// A range of a partition's log in an object.
#[derive(Debug)]
pub(super) struct HeldExtent {
    pub row: ObjectRow,
    pub partition: PartitionId,
    pub first: Offset,
    pub end: Offset,
    /// Bytes of batches.
    pub length: u64,
    /// What the index says of times; not known of a segment until its index was read.
    pub times: OnceLock<ExtentTimes>,
}

/// What retention and the search by time go by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ExtentTimes {
    pub max_timestamp: i64,
    pub last_appended_at: Timestamp,
    /// Whether it holds the state of producers.
    pub has_producers: bool,
}

impl From<&Extent> for ExtentTimes {
    fn from(extent: &Extent) -> Self {
        Self {
            max_timestamp: extent.max_timestamp,
            last_appended_at: extent.last_appended_at,
            has_producers: !extent.producers.is_empty(),
        }
    }
}

impl ColdObject {
    /// An object whose index is known.
    pub fn of_index(row: ObjectRow, index: &ObjectIndex) -> Arc<Self> {
        let extents = index.extents.iter().map(|extent| {
            Arc::new(HeldExtent {
                row: row.clone(),
                partition: extent.partition,
                first: extent.first,
                end: extent.end,
                length: extent.length,
                times: OnceLock::from(ExtentTimes::from(extent)),
            })
        });
        Arc::new(Self {
            extents: extents.collect(),
            row,
        })
    }

    /// A segment whose row tells enough; `None` for a mux object.
    pub fn of_row(row: &ObjectRow) -> Option<Arc<Self>> {
        let range = row.segment?;
        let extent = HeldExtent {
            row: row.clone(),
            partition: range.partition,
            first: range.first,
            end: range.end,
            length: row.size.saturating_sub(row.index_size),
            times: OnceLock::new(),
        };
        Some(Arc::new(Self {
            row: row.clone(),
            extents: vec![Arc::new(extent)],
        }))
    }
}

/// One partition's extents.
#[derive(Debug, Default)]
pub(super) struct PartitionExtents {
    /// In offset order.
    pub list: Vec<Arc<HeldExtent>>,
    /// Those from here on follow each other without a gap. Before it there may be leftovers below the log start, in
    /// objects that other partitions still need.
    whole_from: usize,
    overlap: Option<(Offset, Offset)>,
}

impl PartitionExtents {
    fn settle(&mut self) {
        self.list.sort_by_key(|extent| (extent.first, extent.end));
        self.overlap = None;
        self.whole_from = 0;
        for (index, pair) in self.list.windows(2).enumerate() {
            let (end, next) = (pair[0].end, pair[1].first);
            if next > end {
                self.whole_from = index + 1;
            } else if next < end && self.overlap.is_none() {
                self.overlap = Some((end, next));
            }
        }
    }

    /// The first offset and one past the last of the part without a gap.
    pub fn bounds(&self) -> Option<(Offset, Offset)> {
        Some((self.list.get(self.whole_from)?.first, self.list.last()?.end))
    }

    /// Refuses a log in which two objects claim an offset.
    pub fn sound(&self, partition: PartitionId) -> Result<(), ColdError> {
        match self.overlap {
            None => Ok(()),
            Some((expected, found)) => Err(ColdError::Overlap {
                partition,
                expected,
                found,
            }),
        }
    }

    /// The extents from the one that holds `from` on. Empty at the end; a gap if it is below the part without one.
    pub fn reaching(&self, partition: PartitionId, from: Offset) -> Result<&[Arc<HeldExtent>], ColdError> {
        self.sound(partition)?;
        match self.bounds() {
            None => Ok(&[]),
            Some((first, _)) if from < first => Err(ColdError::Gap {
                partition,
                expected: from,
                found: first,
            }),
            Some(_) => {
                let at = self.list.partition_point(|extent| extent.end <= from);
                Ok(&self.list[at..])
            }
        }
    }
}

/// All live objects and, by partition, what they hold.
#[derive(Debug, Default)]
pub(super) struct ExtentMap {
    objects: BTreeMap<ObjectId, Arc<ColdObject>>,
    partitions: BTreeMap<PartitionId, PartitionExtents>,
    /// By partition, one past the last offset that retention has taken away.
    trimmed: BTreeMap<PartitionId, Offset>,
    /// The log starts that the catalog has, as far as retention has told.
    log_starts: BTreeMap<PartitionId, Offset>,
    /// The partitions whose topics are deleted, as far as retention has told.
    gone: BTreeSet<PartitionId>,
}

impl ExtentMap {
    /// Takes objects out and puts others in, as one change.
    pub fn replace(&mut self, removed: &[ObjectId], added: &[Arc<ColdObject>]) {
        let mut touched = BTreeSet::new();
        for object in removed.iter().filter_map(|id| self.objects.remove(id)) {
            for extent in &object.extents {
                touched.insert(extent.partition);
                if let Some(held) = self.partitions.get_mut(&extent.partition) {
                    held.list.retain(|other| other.row.id != object.row.id);
                }
            }
        }
        for object in added {
            if self.objects.insert(object.row.id, Arc::clone(object)).is_some() {
                continue;
            }
            for extent in &object.extents {
                touched.insert(extent.partition);
                let held = self.partitions.entry(extent.partition).or_default();
                held.list.push(Arc::clone(extent));
            }
        }
        for partition in touched {
            match self.partitions.get_mut(&partition) {
                Some(held) if held.list.is_empty() => {
                    self.partitions.remove(&partition);
                }
                Some(held) => held.settle(),
                None => {}
            }
        }
    }

    /// Takes out objects that retention is done with.
    pub fn trim(&mut self, removed: &[ObjectId]) {
        for object in removed.iter().filter_map(|id| self.objects.get(id)) {
            for extent in &object.extents {
                let end = self.trimmed.entry(extent.partition).or_default();
                *end = (*end).max(extent.end);
            }
        }
        self.replace(removed, &[]);
    }

    /// Takes over what a round of retention has found.
    pub fn retained(&mut self, log_starts: BTreeMap<PartitionId, Offset>, gone: BTreeSet<PartitionId>) {
        self.log_starts = log_starts;
        self.gone = gone;
    }

    /// A merge has left out extents below the log start: where they end.
    pub fn left_out(&mut self, ends: &[(PartitionId, Offset)]) {
        for (partition, end) in ends {
            let trimmed = self.trimmed.entry(*partition).or_default();
            *trimmed = (*trimmed).max(*end);
        }
    }

    /// Whether nobody needs the extent of `partition` that ends at `end`: it lies below the log start and is not the
    /// newest one, or the topic is deleted.
    pub fn is_dead(&self, partition: PartitionId, end: Offset) -> bool {
        let is_past = || self.log_starts.get(&partition).is_some_and(|start| end <= *start);
        let newest = || {
            self.partition(partition)
                .and_then(PartitionExtents::bounds)
                .map(|(_, end)| end)
        };
        self.gone.contains(&partition) || is_past() && newest().is_some_and(|newest| end < newest)
    }

    /// Whether retention has taken `offset` away.
    pub fn is_trimmed(&self, partition: PartitionId, offset: Offset) -> bool {
        self.trimmed.get(&partition).is_some_and(|end| offset < *end)
    }

    /// One past the last offset that retention has taken away; 0 if it took nothing since the tier was opened. Never past
    /// the log start that the catalog has.
    pub fn trimmed_end(&self, partition: PartitionId) -> Offset {
        self.trimmed.get(&partition).copied().unwrap_or_default()
    }

    pub fn len(&self) -> usize {
        self.objects.len()
    }

    pub fn objects(&self) -> impl Iterator<Item = &Arc<ColdObject>> {
        self.objects.values()
    }

    pub fn contains(&self, id: ObjectId) -> bool {
        self.objects.contains_key(&id)
    }

    pub fn partition(&self, id: PartitionId) -> Option<&PartitionExtents> {
        self.partitions.get(&id)
    }
}
