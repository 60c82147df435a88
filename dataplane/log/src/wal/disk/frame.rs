//! The blocks of a log file: its header, and the header of each frame.
//!
//! Byte layout: `docs/formats/wal-disk.md`. Every life of a file has a random *generation*, which all its frames repeat, so that
//! nothing from an earlier life is taken for a frame, nor anything that a client wrote into a record.

use bytes::{BufMut, BytesMut};
use firn_catalog::ids::{IncarnationId, Slot};

/// Files are written in multiples of this many bytes.
pub(super) const BLOCK: u64 = 4096;
/// The newest format that this version reads and the one it writes, of the volume and of its files. Every version keeps the first
/// 16 bytes of a header as they are, and its checksum, so that a newer version is told from damage.
pub(super) const FORMAT_VERSION: u32 = 1;
/// Bytes of a frame's header, right before the register.
pub(super) const FRAME_HEADER: usize = 64;

const FILE_MAGIC: [u8; 8] = *b"FIRNWALF";
const FRAME_MAGIC: [u8; 8] = *b"FIRNFRAM";
const FILE_HEADER: usize = 64;

/// A place in an incarnation's row of files, in writing order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Position {
    pub(super) file: u64,
    pub(super) offset: u64,
}

/// The first block of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileHeader {
    pub(super) incarnation: IncarnationId,
    pub(super) number: u64,
    pub(super) generation: u128,
    /// Where the frames of the file before it end.
    pub(super) previous_end: u64,
}

/// What stands before a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FrameHeader {
    pub(super) generation: u128,
    pub(super) slot: Slot,
    /// Bytes of the register.
    pub(super) length: u64,
    /// All before this position was durable when the frame was written.
    pub(super) synced: Position,
}

/// Why a header was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HeaderError {
    /// Nothing was written there, or it is damaged.
    Absent,
    /// Written by a newer version of Firn.
    NewerVersion(u32),
}

/// Bytes that a register of `length` bytes takes in a file.
pub(super) fn frame_size(length: u64) -> u64 {
    (FRAME_HEADER as u64)
        .saturating_add(length)
        .saturating_add(BLOCK - 1)
        / BLOCK
        * BLOCK
}

/// Puts the checksum of all else into bytes 12..16.
fn seal(bytes: &mut [u8]) {
    let sum = crc32c::crc32c_append(crc32c::crc32c(&bytes[..12]), &bytes[16..]);
    bytes[12..16].copy_from_slice(&sum.to_be_bytes());
}

/// Whether `bytes` are a whole header of this kind, in the one format that is known.
fn check(bytes: &[u8], magic: [u8; 8]) -> Result<(), HeaderError> {
    if !bytes.starts_with(&magic) || !is_sealed(bytes) {
        return Err(HeaderError::Absent);
    }
    match u32_at(bytes, 8) {
        FORMAT_VERSION => Ok(()),
        0 => Err(HeaderError::Absent),
        newer => Err(HeaderError::NewerVersion(newer)),
    }
}

fn is_sealed(bytes: &[u8]) -> bool {
    let sum = crc32c::crc32c_append(crc32c::crc32c(&bytes[..12]), &bytes[16..]);
    bytes[12..16] == sum.to_be_bytes()
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) << 32 | u64::from(u32_at(bytes, at + 4))
}

fn u128_at(bytes: &[u8], at: usize) -> u128 {
    u128::from(u64_at(bytes, at)) << 64 | u128::from(u64_at(bytes, at + 8))
}

impl FileHeader {
    /// A whole block.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = BytesMut::with_capacity(BLOCK as usize);
        bytes.put_slice(&FILE_MAGIC);
        bytes.put_u32(FORMAT_VERSION);
        bytes.put_u32(0);
        bytes.put_u128(self.incarnation.0);
        bytes.put_u64(self.number);
        bytes.put_u128(self.generation);
        bytes.put_u64(self.previous_end);
        seal(&mut bytes);
        bytes.resize(BLOCK as usize, 0);
        bytes.to_vec()
    }

    pub(super) fn parse(block: &[u8]) -> Result<Self, HeaderError> {
        let bytes = block.get(..FILE_HEADER).ok_or(HeaderError::Absent)?;
        check(bytes, FILE_MAGIC)?;
        Ok(Self {
            incarnation: IncarnationId(u128_at(bytes, 16)),
            number: u64_at(bytes, 32),
            generation: u128_at(bytes, 40),
            previous_end: u64_at(bytes, 56),
        })
    }
}

impl FrameHeader {
    pub(super) fn encode(&self) -> [u8; FRAME_HEADER] {
        let mut bytes = [0; FRAME_HEADER];
        let mut rest = &mut bytes[..];
        rest.put_slice(&FRAME_MAGIC);
        rest.put_u32(FORMAT_VERSION);
        rest.put_u32(0);
        rest.put_u128(self.generation);
        rest.put_u64(self.slot.0);
        rest.put_u64(self.length);
        rest.put_u64(self.synced.file);
        rest.put_u64(self.synced.offset);
        seal(&mut bytes);
        bytes
    }

    /// The header at the front of `bytes`, if it is one of this generation.
    pub(super) fn parse(bytes: &[u8], generation: u128) -> Result<Self, HeaderError> {
        let bytes = bytes.get(..FRAME_HEADER).ok_or(HeaderError::Absent)?;
        if !bytes.starts_with(&FRAME_MAGIC) || u128_at(bytes, 16) != generation {
            return Err(HeaderError::Absent);
        }
        check(bytes, FRAME_MAGIC)?;
        Ok(Self {
            generation,
            slot: Slot(u64_at(bytes, 32)),
            length: u64_at(bytes, 40),
            synced: Position {
                file: u64_at(bytes, 48),
                offset: u64_at(bytes, 56),
            },
        })
    }
}

/// What another version of Firn would have written there.
#[cfg(test)]
pub(super) fn with_version(header: &mut [u8], version: u32) {
    header[8..12].copy_from_slice(&version.to_be_bytes());
    seal(header);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_read_back_and_a_stale_generation_does_not() {
        let file = FileHeader {
            incarnation: IncarnationId(3),
            number: 9,
            generation: 77,
            previous_end: 4096,
        };
        assert_eq!(FileHeader::parse(&file.encode()), Ok(file));
        let synced = Position {
            file: 1,
            offset: 8192,
        };
        let frame = FrameHeader {
            generation: 77,
            slot: Slot(5),
            length: 100,
            synced,
        };
        assert_eq!(FrameHeader::parse(&frame.encode(), 77), Ok(frame));
        assert_eq!(FrameHeader::parse(&frame.encode(), 78), Err(HeaderError::Absent));
        for bit in 0..FRAME_HEADER * 8 {
            let mut bytes = frame.encode();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(FrameHeader::parse(&bytes, 77), Err(HeaderError::Absent));
        }
    }

    #[test]
    fn another_format_version_is_told_from_damage() {
        let file = FileHeader {
            incarnation: IncarnationId(3),
            number: 9,
            generation: 77,
            previous_end: 4096,
        };
        let frame = FrameHeader {
            generation: 77,
            slot: Slot(5),
            length: 100,
            synced: Position { file: 0, offset: 0 },
        };
        for (version, error) in [(0, HeaderError::Absent), (2, HeaderError::NewerVersion(2))] {
            let mut bytes = file.encode();
            with_version(&mut bytes[..FILE_HEADER], version);
            assert_eq!(FileHeader::parse(&bytes), Err(error));
            let mut bytes = frame.encode();
            with_version(&mut bytes, version);
            assert_eq!(FrameHeader::parse(&bytes, 77), Err(error));
            // An earlier life of the file says nothing about this one.
            assert_eq!(FrameHeader::parse(&bytes, 78), Err(HeaderError::Absent));
        }
    }

    #[test]
    fn frames_fill_whole_blocks() {
        assert_eq!(frame_size(0), 4096);
        assert_eq!(frame_size(4096 - 64), 4096);
        assert_eq!(frame_size(4096 - 63), 8192);
        assert!(frame_size(u64::MAX) >= u64::MAX - 4096);
    }
}
