//! The bytes of the disk log as they are stored. What is asserted here may only change with the format version, and what
//! format version 1 wrote stays readable.

use std::fs;

use bytes::{Bytes, BytesMut};
use firn_catalog::cell::WalLocation;
use firn_catalog::ids::{IncarnationId, Slot};
use firn_runtime::Env;

use super::frame::{BLOCK, FileHeader, FrameHeader, Position, frame_size};
use super::{DiskLog, DiskSettings, WriteAheadLog, freed};

/// Whose slot `slot-v1.bin` is, and which.
const OWNER: IncarnationId = IncarnationId(0x1111_2222_3333_4444_5555_6666_7777_8888);
const SLOT: Slot = Slot(7);
/// Which slot `fence-v1.bin` fences.
const FENCED: Slot = Slot(42);
const GENERATION: u128 = 0x0a0b_0c0d_0e0f_1011_1213_1415_1617_1819;

fn folder() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn read(name: &str) -> Vec<u8> {
    fs::read(folder().join(name)).unwrap()
}

/// Compares with the file under `tests/golden`; `FIRN_WRITE_GOLDEN=1` writes it, for a new format version.
fn golden(name: &str, bytes: &[u8]) {
    if std::env::var_os("FIRN_WRITE_GOLDEN").is_some() {
        fs::write(folder().join(name), bytes).unwrap();
    }
    assert_eq!(read(name), bytes, "{name}");
}

fn file_header() -> FileHeader {
    FileHeader {
        incarnation: OWNER,
        number: 0,
        generation: GENERATION,
        previous_end: 0,
    }
}

fn frame_header() -> FrameHeader {
    FrameHeader {
        generation: GENERATION,
        slot: SLOT,
        length: read("slot-v1.bin").len() as u64,
        synced: Position {
            file: 0,
            offset: BLOCK,
        },
    }
}

#[test]
fn the_headers_are_what_is_written() {
    let block = file_header().encode();
    golden("wal-file-header-v1.bin", &block[..64]);
    assert_eq!(block.len() as u64, BLOCK);
    assert!(block[64..].iter().all(|byte| *byte == 0));
    golden("wal-frame-header-v1.bin", &frame_header().encode());
}

#[test]
fn the_headers_read_back() {
    let mut block = read("wal-file-header-v1.bin");
    block.resize(4096, 0);
    assert_eq!(FileHeader::parse(&block), Ok(file_header()));
    let frame = read("wal-frame-header-v1.bin");
    assert_eq!(FrameHeader::parse(&frame, GENERATION), Ok(frame_header()));
}

/// A directory as format version 1 left it: one slot, before which all were deleted, and a fence behind it.
fn directory() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let row = directory.path().join(OWNER.to_string());
    fs::create_dir_all(&row).unwrap();
    fs::write(directory.path().join("volume.json"), read("wal-volume-v1.json")).unwrap();
    let mut file = BytesMut::from(&read("wal-file-header-v1.bin")[..]);
    file.resize(4096, 0);
    file.extend_from_slice(&read("wal-frame-header-v1.bin"));
    let slot = read("slot-v1.bin");
    file.extend_from_slice(&slot);
    let end = BLOCK + frame_size(slot.len() as u64);
    file.resize(usize::try_from(end).unwrap(), 0);
    // Room for another frame.
    file.resize(file.len() + 4096, 0);
    fs::write(row.join("0000000000.wal"), &file).unwrap();
    fs::write(row.join("freed"), read("wal-freed-v1.txt")).unwrap();
    let fence = row.join(format!("fence-{:020}", FENCED.0));
    fs::write(fence, read("fence-v1.bin")).unwrap();
    directory
}

#[tokio::test]
async fn a_directory_of_version_1_is_read() {
    let directory = directory();
    let log = DiskLog::open(directory.path(), DiskSettings::default(), &Env::system()).unwrap();
    let volume = "00112233445566778899aabbccddeeff".to_owned();
    assert_eq!(log.location(), WalLocation::Disk { volume });
    let slot = log.get(OWNER, SLOT).await.unwrap();
    assert_eq!(slot, Some(Bytes::from(read("slot-v1.bin"))));
    let fence = log.get(OWNER, FENCED).await.unwrap();
    assert_eq!(fence, Some(Bytes::from(read("fence-v1.bin"))));
}

#[test]
fn the_volume_file_of_a_new_directory_has_the_form_of_the_golden_one() {
    let directory = tempfile::tempdir().unwrap();
    let log = DiskLog::open(directory.path(), DiskSettings::default(), &Env::system()).unwrap();
    let WalLocation::Disk { volume } = log.location() else {
        panic!("a disk log is on a disk");
    };
    let written = fs::read_to_string(directory.path().join("volume.json")).unwrap();
    let golden = String::from_utf8(read("wal-volume-v1.json")).unwrap();
    assert_eq!(
        written,
        golden.replace("00112233445566778899aabbccddeeff", &volume)
    );
}

#[test]
fn the_hint_of_deleted_slots_is_what_is_written() {
    let directory = tempfile::tempdir().unwrap();
    freed::write(directory.path(), SLOT).unwrap();
    golden(
        "wal-freed-v1.txt",
        &fs::read(directory.path().join("freed")).unwrap(),
    );
    assert_eq!(freed::read(directory.path()).unwrap(), SLOT);
}
