//! How batches are compressed, as streams: no more of a batch is decompressed than is read.

use std::io::{self, Cursor, Read};

use flate2::read::MultiGzDecoder;

/// How the records of a batch are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Codec {
    None,
    Gzip,
    Snappy,
    Lz4,
    Zstd,
}

/// The largest window of Zstandard, as a power of two: what its highest level writes. Memory is touched only as far as there is output.
const ZSTD_WINDOW_LOG_MAX: u32 = 27;
/// What snappy's framing of Java's library begins with; two version numbers of 4 bytes follow.
const XERIAL_MAGIC: [u8; 8] = [0x82, b'S', b'N', b'A', b'P', b'P', b'Y', 0];
const XERIAL_HEADER: usize = 16;
/// Snappy cannot expand more.
const SNAPPY_MAX_RATIO: usize = 64;
/// The largest block of snappy that is decompressed. A block lies in memory as a whole.
const SNAPPY_BLOCK_MAX: usize = 64 << 20;

impl Codec {
    /// The codec of a batch with these attributes.
    pub(super) fn of(attributes: i16) -> Option<Self> {
        Some(match attributes & 7 {
            0 => Self::None,
            1 => Self::Gzip,
            2 => Self::Snappy,
            3 => Self::Lz4,
            4 => Self::Zstd,
            _ => return None,
        })
    }

    /// Its name in Kafka's configs.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Snappy => "snappy",
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd",
        }
    }

    /// What these bytes were before they were compressed.
    pub(super) fn reader<'a>(self, compressed: &'a [u8]) -> io::Result<Box<dyn Read + 'a>> {
        Ok(match self {
            Self::None => Box::new(compressed),
            Self::Gzip => Box::new(MultiGzDecoder::new(compressed)),
            Self::Snappy => Box::new(Snappy::new(compressed)?),
            Self::Lz4 => Box::new(lz4_flex::frame::FrameDecoder::new(compressed)),
            Self::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(compressed)?;
                decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
                Box::new(decoder)
            }
        })
    }
}

/// Both forms of snappy, a block at a time; a raw stream is one block.
struct Snappy<'a> {
    rest: &'a [u8],
    framed: bool,
    block: Cursor<Vec<u8>>,
}

impl<'a> Snappy<'a> {
    fn new(compressed: &'a [u8]) -> io::Result<Self> {
        let framed = compressed.starts_with(&XERIAL_MAGIC);
        let skip = if framed { XERIAL_HEADER } else { 0 };
        Ok(Self {
            rest: compressed.get(skip..).ok_or(io::ErrorKind::UnexpectedEof)?,
            framed,
            block: Cursor::default(),
        })
    }

    fn next_block(&mut self) -> io::Result<Vec<u8>> {
        let compressed = if self.framed {
            let (length, rest) = self
                .rest
                .split_first_chunk::<4>()
                .ok_or(io::ErrorKind::UnexpectedEof)?;
            let length =
                usize::try_from(i32::from_be_bytes(*length)).map_err(|_| io::ErrorKind::InvalidData)?;
            let (block, rest) = rest
                .split_at_checked(length)
                .ok_or(io::ErrorKind::UnexpectedEof)?;
            self.rest = rest;
            block
        } else {
            std::mem::take(&mut self.rest)
        };
        let length = snap::raw::decompress_len(compressed).map_err(io::Error::other)?;
        if length / SNAPPY_MAX_RATIO > compressed.len() || length > SNAPPY_BLOCK_MAX {
            return Err(io::ErrorKind::InvalidData.into());
        }
        snap::raw::Decoder::new()
            .decompress_vec(compressed)
            .map_err(io::Error::other)
    }
}

impl Read for Snappy<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.block.read(into)?;
            if read > 0 || into.is_empty() || self.rest.is_empty() {
                return Ok(read);
            }
            self.block = Cursor::new(self.next_block()?);
        }
    }
}
