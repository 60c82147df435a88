//! What is where: the slots of all incarnations on this volume, and which files may be used again.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use firn_catalog::ids::{IncarnationId, Slot};

use super::file::WalFile;
use super::scan::ScannedRow;

/// Where a register is.
#[derive(Clone, Debug)]
pub(super) enum Place {
    /// In a log file.
    Frame {
        /// The file, held so that it is not used again under a reader.
        file: Arc<WalFile>,
        /// Its first byte.
        offset: u64,
        /// Its bytes.
        length: u64,
    },
    /// A fence.
    Fence(Bytes),
}

#[derive(Debug)]
struct SlotEntry {
    file: u64,
    offset: u64,
    length: u64,
    deleted: bool,
}

#[derive(Debug)]
struct FileEntry {
    file: Arc<WalFile>,
    slots: Vec<Slot>,
    /// How many slots are not deleted: of `slots`, and of those that are written but not yet durable.
    live: usize,
}

#[derive(Debug, Default)]
struct Row {
    files: BTreeMap<u64, FileEntry>,
    slots: BTreeMap<Slot, SlotEntry>,
    fence: Option<(Slot, Bytes)>,
    damage: Option<String>,
    /// The file that is being written.
    active: Option<u64>,
    /// A file could not be taken away from the front: no other is.
    kept: bool,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    rows: BTreeMap<IncarnationId, Row>,
    total_bytes: u64,
}

impl Shelf {
    pub(super) fn add_row(&mut self, incarnation: IncarnationId, scanned: ScannedRow) {
        let row = self.rows.entry(incarnation).or_default();
        row.fence = scanned.fence;
        row.damage = scanned.damage;
        for file in scanned.files {
            self.total_bytes += file.file.size;
            let mut entry = FileEntry {
                file: file.file,
                slots: Vec::new(),
                live: 0,
            };
            for frame in file.frames {
                let place = SlotEntry {
                    file: file.number,
                    offset: frame.offset,
                    length: frame.length,
                    deleted: false,
                };
                if let std::collections::btree_map::Entry::Vacant(vacant) = row.slots.entry(frame.slot) {
                    vacant.insert(place);
                    entry.slots.push(frame.slot);
                    entry.live += 1;
                }
            }
            row.files.insert(file.number, entry);
        }
        self.delete(incarnation, Slot(0)..scanned.freed);
    }

    /// The number that the next file of a row gets.
    pub(super) fn next_file(&self, incarnation: IncarnationId) -> u64 {
        let last = self
            .rows
            .get(&incarnation)
            .and_then(|row| row.files.last_key_value());
        last.map_or(0, |(number, _)| number + 1)
    }

    /// A file was put into service; the one before it is full.
    pub(super) fn activate(&mut self, incarnation: IncarnationId, number: u64, file: Arc<WalFile>) {
        self.total_bytes += file.size;
        let row = self.rows.entry(incarnation).or_default();
        row.active = Some(number);
        row.files.insert(
            number,
            FileEntry {
                file,
                slots: Vec::new(),
                live: 0,
            },
        );
    }

    /// A slot is being written to a file, which from here on is in use.
    pub(super) fn expect(&mut self, incarnation: IncarnationId, file: u64) {
        if let Some(entry) = self
            .rows
            .get_mut(&incarnation)
            .and_then(|row| row.files.get_mut(&file))
        {
            entry.live += 1;
        }
    }

    /// A slot that was expected became durable.
    pub(super) fn add(
        &mut self,
        incarnation: IncarnationId,
        slot: Slot,
        file: u64,
        offset: u64,
        length: u64,
    ) {
        let row = self.rows.entry(incarnation).or_default();
        row.slots.insert(
            slot,
            SlotEntry {
                file,
                offset,
                length,
                deleted: false,
            },
        );
        if let Some(entry) = row.files.get_mut(&file) {
            entry.slots.push(slot);
        }
    }

    pub(super) fn add_fence(&mut self, incarnation: IncarnationId, slot: Slot, fence: Bytes) {
        self.rows.entry(incarnation).or_default().fence = Some((slot, fence));
    }

    /// Where a register is; `Err` if it is absent from a damaged log, which proves nothing.
    pub(super) fn find(&self, incarnation: IncarnationId, slot: Slot) -> Result<Option<Place>, String> {
        let Some(row) = self.rows.get(&incarnation) else {
            return Ok(None);
        };
        if let Some((_, fence)) = row.fence.as_ref().filter(|(at, _)| *at == slot) {
            return Ok(Some(Place::Fence(fence.clone())));
        }
        if let Some(entry) = row.slots.get(&slot)
            && let Some(file) = row.files.get(&entry.file)
        {
            let (offset, length) = (entry.offset, entry.length);
            return Ok(Some(Place::Frame {
                file: Arc::clone(&file.file),
                offset,
                length,
            }));
        }
        match &row.damage {
            Some(damage) => Err(damage.clone()),
            None => Ok(None),
        }
    }

    /// Marks slots as no longer needed; they stay readable until their file is. Returns the slot below which nothing is
    /// needed any more, if there is such a row.
    pub(super) fn delete(&mut self, incarnation: IncarnationId, slots: Range<Slot>) -> Option<Slot> {
        let row = self.rows.get_mut(&incarnation)?;
        if slots.start >= slots.end {
            return None;
        }
        let end = slots.end;
        for (_, entry) in row.slots.range_mut(slots).filter(|(_, entry)| !entry.deleted) {
            entry.deleted = true;
            if let Some(file) = row.files.get_mut(&entry.file) {
                file.live -= 1;
            }
        }
        let first_live = row
            .slots
            .iter()
            .find(|(_, entry)| !entry.deleted)
            .map(|(slot, _)| *slot);
        Some(first_live.map_or(end, |live| live.min(end)))
    }

    /// Takes the oldest file that holds nothing live off the shelf, if all files together exceed `budget`. Rows
    /// that are no longer written come first. Files leave a row from the front only, so that a missing one shows.
    pub(super) fn reclaim(&mut self, budget: u64) -> Option<(IncarnationId, Arc<WalFile>)> {
        if self.total_bytes <= budget {
            return None;
        }
        let free = |row: &Row| {
            let (number, file) = row.files.first_key_value()?;
            (file.live == 0 && row.active != Some(*number) && !row.kept).then_some(*number)
        };
        let mut rows: Vec<_> = self.rows.iter_mut().collect();
        rows.sort_by_key(|(_, row)| row.active.is_some());
        let (incarnation, row, number) = rows
            .into_iter()
            .find_map(|(incarnation, row)| free(row).map(|number| (*incarnation, row, number)))?;
        let entry = row.files.remove(&number)?;
        for slot in &entry.slots {
            row.slots.remove(slot);
        }
        self.total_bytes -= entry.file.size;
        Some((incarnation, entry.file))
    }

    /// Leaves the files of a row where they are from here on.
    pub(super) fn keep(&mut self, incarnation: IncarnationId) {
        if let Some(row) = self.rows.get_mut(&incarnation) {
            row.kept = true;
        }
    }

    /// Bytes of all files.
    #[cfg(test)]
    pub(super) fn total_bytes(&self) -> u64 {
        self.total_bytes
    }
}
