//! Reading a volume at start: which slots are in it, where, and whether anything is missing.
//!
//! A frame that cannot be read ends the log if nothing says that it was durable once: it was torn by a crash, and never
//! acknowledged. But if a later frame says so, it is damage, and the incarnation's log is reported as damaged.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use firn_catalog::ids::{IncarnationId, Slot};

use super::file::WalFile;
use super::frame::{BLOCK, FRAME_HEADER, FileHeader, FrameHeader, HeaderError, Position, frame_size};
use super::freed;
use super::volume::{OpenError, at};
use crate::wal::slot::{Fence, FormatError, Register};

/// Bytes read at a time in the search for frames behind the end of a log.
const SEARCH_BYTES: usize = 1 << 20;

/// One frame as found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub(super) slot: Slot,
    /// The register's first byte in its file.
    pub(super) offset: u64,
    /// Bytes of the register.
    pub(super) length: u64,
}

/// One file as found.
pub(super) struct ScannedFile {
    pub(super) number: u64,
    pub(super) file: Arc<WalFile>,
    pub(super) frames: Vec<Found>,
}

/// All that was found of one incarnation.
#[derive(Default)]
pub(super) struct ScannedRow {
    pub(super) files: Vec<ScannedFile>,
    pub(super) fence: Option<(Slot, Bytes)>,
    /// Slots below this one were deleted.
    pub(super) freed: Slot,
    /// What is wrong with it, if anything.
    pub(super) damage: Option<String>,
}

/// A file whose frames were followed as far as they go.
struct Followed {
    scanned: ScannedFile,
    header: Option<FileHeader>,
    /// Where the frames end.
    end: u64,
    /// The furthest position that one of its frames calls durable.
    synced: Position,
}

/// Reads the folder of one incarnation.
pub(super) fn scan_row(folder: &Path, incarnation: IncarnationId) -> Result<ScannedRow, OpenError> {
    let mut row = ScannedRow {
        freed: freed::read(folder)?,
        ..ScannedRow::default()
    };
    let mut numbers = Vec::new();
    for entry in fs::read_dir(folder).map_err(at(folder))? {
        let entry = entry.map_err(at(folder))?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        if let Some(number) = name
            .strip_suffix(".wal")
            .and_then(|number| number.parse::<u64>().ok())
        {
            numbers.push((number, entry.path()));
        } else if let Some(slot) = name.strip_prefix("fence-").and_then(|slot| slot.parse().ok()) {
            read_fence(&entry.path(), incarnation, Slot(slot), &mut row)?;
        }
    }
    numbers.sort_unstable();
    let mut files = Vec::new();
    for (number, path) in numbers {
        files.push(follow(&path, number, incarnation)?);
    }
    judge(files, incarnation, folder, &mut row)?;
    Ok(row)
}

fn read_fence(
    path: &Path,
    incarnation: IncarnationId,
    slot: Slot,
    row: &mut ScannedRow,
) -> Result<(), OpenError> {
    let bytes = Bytes::from(fs::read(path).map_err(at(path))?);
    match Register::verify_whole(&bytes) {
        Ok(Register::Fence(Fence {
            dead, slot: fenced, ..
        })) if (dead, fenced) == (incarnation, slot) => {
            row.fence = Some((slot, bytes));
        }
        Err(FormatError::NewerVersion { found, .. }) => return Err(newer(path, found)),
        Ok(_) => row.damage = Some(format!("{} is not the fence of its slot", path.display())),
        Err(error) => row.damage = Some(format!("{}: {error}", path.display())),
    }
    Ok(())
}

fn newer(path: &Path, found: u32) -> OpenError {
    OpenError::NewerVersion {
        path: path.to_owned(),
        found,
    }
}

/// The header of the frame at the front of `bytes`, if one of this life of the file is there.
fn frame_header(file: &WalFile, bytes: &[u8], generation: u128) -> Result<Option<FrameHeader>, OpenError> {
    match FrameHeader::parse(bytes, generation) {
        Ok(frame) => Ok(Some(frame)),
        Err(HeaderError::Absent) => Ok(None),
        Err(HeaderError::NewerVersion(found)) => Err(newer(&file.path, found)),
    }
}

fn follow(path: &Path, number: u64, incarnation: IncarnationId) -> Result<Followed, OpenError> {
    let file = WalFile::open(path).map_err(at(path))?;
    let mut block = vec![0; usize::try_from(file.size.min(BLOCK)).unwrap_or(0)];
    file.read(&mut block, 0).map_err(at(path))?;
    let header = match FileHeader::parse(&block) {
        Ok(header) if (header.incarnation, header.number) == (incarnation, number) => Some(header),
        Ok(_) | Err(HeaderError::Absent) => None,
        Err(HeaderError::NewerVersion(found)) => return Err(newer(path, found)),
    };
    let mut frames = Vec::new();
    let mut synced = Position { file: 0, offset: 0 };
    let mut end = BLOCK;
    while let Some(header) = header
        && end + BLOCK <= file.size
    {
        let mut bytes = [0; FRAME_HEADER];
        file.read(&mut bytes, end).map_err(at(path))?;
        let Some(frame) = frame_header(&file, &bytes, header.generation)? else {
            break;
        };
        let Some(next) = end
            .checked_add(frame_size(frame.length))
            .filter(|next| *next <= file.size)
        else {
            break;
        };
        frames.push(Found {
            slot: frame.slot,
            offset: end + FRAME_HEADER as u64,
            length: frame.length,
        });
        synced = synced.max(frame.synced);
        end = next;
    }
    let scanned = ScannedFile {
        number,
        file: Arc::new(file),
        frames,
    };
    Ok(Followed {
        scanned,
        header,
        end,
        synced,
    })
}

/// The furthest position that a frame behind `from` calls durable.
fn synced_behind(file: &WalFile, generation: u128, from: u64) -> Result<Position, OpenError> {
    let mut furthest = Position { file: 0, offset: 0 };
    let mut buffer = vec![0; SEARCH_BYTES];
    let mut offset = from;
    while offset < file.size {
        let now = SEARCH_BYTES.min(usize::try_from(file.size - offset).unwrap_or(SEARCH_BYTES));
        file.read(&mut buffer[..now], offset).map_err(at(&file.path))?;
        for block in buffer[..now].chunks(BLOCK as usize) {
            if let Some(frame) = frame_header(file, block, generation)? {
                furthest = furthest.max(frame.synced);
            }
        }
        offset += now as u64;
    }
    Ok(furthest)
}

/// What the files of a row say together.
struct Extent {
    /// Everything before this position was durable once.
    synced: Position,
    /// The first place that does not read though frames may have been there: the end of the log, unless it was durable.
    end: Position,
}

/// Puts the files together and notes what is damaged.
fn judge(
    files: Vec<Followed>,
    incarnation: IncarnationId,
    folder: &Path,
    row: &mut ScannedRow,
) -> Result<(), OpenError> {
    let extent = measure(&files, folder, row)?;
    let Position { file, offset } = extent.end;
    if extent.end < extent.synced {
        let folder = folder.display();
        let what = format!("{folder}: file {file} cannot be read at byte {offset}, which was durable once");
        row.damage.get_or_insert(what);
    }
    keep(files, incarnation, &extent, row)
}

fn measure(files: &[Followed], folder: &Path, row: &mut ScannedRow) -> Result<Extent, OpenError> {
    let start = Position { file: 0, offset: 0 };
    let mut synced = files.iter().map(|file| file.synced).max().unwrap_or(start);
    let mut end: Option<Position> = None;
    for (index, followed) in files.iter().enumerate() {
        let number = followed.scanned.number;
        let Some(header) = followed.header else {
            // A file gets its name after its header is durable.
            let path = followed.scanned.file.path.display();
            row.damage.get_or_insert(format!("{path}: the header is damaged"));
            continue;
        };
        let whole = match files.get(index + 1) {
            Some(next) if next.scanned.number != number + 1 => {
                let missing = format!("{}: file {} is missing", folder.display(), number + 1);
                row.damage.get_or_insert(missing);
                true
            }
            Some(next) => next.header.is_none_or(|next| next.previous_end == followed.end),
            None => false,
        };
        if !whole {
            let behind = synced_behind(&followed.scanned.file, header.generation, followed.end)?;
            synced = synced.max(behind);
            end.get_or_insert(Position {
                file: number,
                offset: followed.end,
            });
        }
    }
    let end = end.unwrap_or(Position {
        file: u64::MAX,
        offset: 0,
    });
    Ok(Extent { synced, end })
}

/// Fills the row with the frames that count: a torn tail is cut off.
fn keep(
    files: Vec<Followed>,
    incarnation: IncarnationId,
    extent: &Extent,
    row: &mut ScannedRow,
) -> Result<(), OpenError> {
    let mut torn = false;
    for mut followed in files {
        let number = followed.scanned.number;
        let file = Arc::clone(&followed.scanned.file);
        let mut touched = false;
        let mut refused = None;
        followed.scanned.frames.retain(|frame| {
            let position = Position {
                file: number,
                offset: frame.offset,
            };
            // A damaged log keeps what can be read of it: people may want it.
            if row.damage.is_none() && (torn || position > extent.end) {
                return false;
            }
            if position < extent.synced {
                return true;
            }
            touched = true;
            match confirm(&file, incarnation, frame) {
                Ok(intact) => torn |= !intact,
                Err(error) => refused = Some(error),
            }
            !torn
        });
        if let Some(error) = refused {
            return Err(error);
        }
        if touched {
            file.sync().map_err(at(&file.path))?;
        }
        row.files.push(followed.scanned);
    }
    Ok(())
}

/// Whether a frame that nothing calls durable is whole. If it is, it is written again as it is, for the caller to sync: after
/// kill -9 the page cache may hold more than the device, and after an fdatasync that failed its pages count as clean.
fn confirm(file: &WalFile, incarnation: IncarnationId, frame: &Found) -> Result<bool, OpenError> {
    let header = FRAME_HEADER as u64;
    let (Ok(size), Ok(end)) = (
        usize::try_from(frame_size(frame.length)),
        usize::try_from(header.saturating_add(frame.length)),
    ) else {
        return Ok(false);
    };
    let start = frame.offset - header;
    let mut bytes = vec![0; size];
    // The file has these bytes: an error is the device's, and says nothing of what was acknowledged.
    file.read(&mut bytes, start).map_err(at(&file.path))?;
    let bytes = Bytes::from(bytes);
    match Register::verify_whole(&bytes.slice(FRAME_HEADER..end)) {
        Ok(register) if register.is_at(incarnation, frame.slot) => {
            file.write_all(&[&bytes], start).map_err(at(&file.path))?;
            Ok(true)
        }
        Err(FormatError::NewerVersion { found, .. }) => Err(newer(&file.path, found)),
        Ok(_) | Err(_) => Ok(false),
    }
}
