//! Which slots of a row were deleted, for the next process: a hint in a small file, `freed`, that is never synced. Losing it only
//! brings deleted slots back; its checksum keeps damage from freeing live ones.

use std::fs;
use std::io;
use std::path::Path;

use firn_catalog::ids::Slot;

/// Notes that all slots below `slot` of the row in `folder` are deleted.
pub(super) fn write(folder: &Path, slot: Slot) -> io::Result<()> {
    let number = slot.to_string();
    let sum = crc32c::crc32c(number.as_bytes());
    let temporary = folder.join("freed.new");
    fs::write(&temporary, format!("{number} {sum:08x}\n"))?;
    fs::rename(&temporary, folder.join("freed"))
}

/// The slot below which all were deleted, as far as is known.
pub(super) fn read(folder: &Path) -> Slot {
    let text = fs::read_to_string(folder.join("freed")).unwrap_or_default();
    parse(&text).unwrap_or(Slot(0))
}

fn parse(text: &str) -> Option<Slot> {
    let (number, sum) = text.strip_suffix('\n')?.split_once(' ')?;
    let intact = u32::from_str_radix(sum, 16).ok()? == crc32c::crc32c(number.as_bytes());
    number.parse().ok().filter(|_| intact).map(Slot)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_hint_frees_nothing() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read(folder.path()), Slot(0));
        write(folder.path(), Slot(1234)).unwrap();
        assert_eq!(read(folder.path()), Slot(1234));
        let text = fs::read_to_string(folder.path().join("freed")).unwrap();
        for damaged in [&text[..2], &text.replace('1', "9"), ""] {
            fs::write(folder.path().join("freed"), damaged).unwrap();
            assert_eq!(read(folder.path()), Slot(0));
        }
    }
}
