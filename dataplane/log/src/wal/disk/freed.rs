//! Which slots of a row were deleted, for the next process: a hint in a small file, `freed`, that is never synced. Losing it only
//! brings deleted slots back; its checksum keeps damage from freeing live ones. One line: format version, slot, CRC32C of
//! the slot's digits.

use std::fs;
use std::io;
use std::path::Path;

use firn_catalog::ids::Slot;

use super::frame::FORMAT_VERSION;
use super::volume::OpenError;

/// Notes that all slots below `slot` of the row in `folder` are deleted.
pub(super) fn write(folder: &Path, slot: Slot) -> io::Result<()> {
    let number = slot.to_string();
    let sum = crc32c::crc32c(number.as_bytes());
    let temporary = folder.join("freed.new");
    fs::write(&temporary, format!("{FORMAT_VERSION} {number} {sum:08x}\n"))?;
    fs::rename(&temporary, folder.join("freed"))
}

/// The slot below which all were deleted, as far as is known.
pub(super) fn read(folder: &Path) -> Result<Slot, OpenError> {
    let path = folder.join("freed");
    let text = fs::read_to_string(&path).unwrap_or_default();
    match parse(&text) {
        Some((FORMAT_VERSION, slot)) => Ok(slot),
        Some((found, _)) if found > FORMAT_VERSION => Err(OpenError::NewerVersion { path, found }),
        Some(_) | None => Ok(Slot(0)),
    }
}

fn parse(text: &str) -> Option<(u32, Slot)> {
    let mut words = text.strip_suffix('\n')?.split(' ');
    let (version, number, sum) = (words.next()?, words.next()?, words.next()?);
    let intact = u32::from_str_radix(sum, 16).ok()? == crc32c::crc32c(number.as_bytes());
    let slot = number.parse().ok().filter(|_| intact).map(Slot)?;
    Some((version.parse().ok()?, slot))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_hint_frees_nothing() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read(folder.path()).unwrap(), Slot(0));
        write(folder.path(), Slot(1234)).unwrap();
        assert_eq!(read(folder.path()).unwrap(), Slot(1234));
        let text = fs::read_to_string(folder.path().join("freed")).unwrap();
        for damaged in [&text[..4], &text.replace("123", "923"), ""] {
            fs::write(folder.path().join("freed"), damaged).unwrap();
            assert_eq!(read(folder.path()).unwrap(), Slot(0));
        }
        fs::write(folder.path().join("freed"), text.replacen('1', "2", 1)).unwrap();
        let error = read(folder.path()).unwrap_err().to_string();
        assert!(error.contains("format version 2, newer than 1"), "{error}");
    }
}
