//! The codecs of Kafka's batches, as streams, so that neither direction ever holds a whole batch's records.
//!
//! Snappy comes in two forms: raw, and in the framing of Java's snappy library, which Java clients write. Both are read;
//! the framing is written. Rejected: decompressing into one buffer; a batch may expand a
//! thousandfold, and a bound that is safe for memory would refuse batches that Kafka takes.

use std::io::{self, Cursor, Read, Write};

use flate2::read::MultiGzDecoder;

/// How the records of a batch are compressed; the number is the codec's in the batch's attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Compression {
    /// Not at all.
    None,
    /// gzip.
    Gzip,
    /// Snappy, raw or framed.
    Snappy,
    /// An LZ4 frame.
    Lz4,
    /// A Zstandard frame.
    Zstd,
}

impl Compression {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 5] = [Self::None, Self::Gzip, Self::Snappy, Self::Lz4, Self::Zstd];

    /// The codec of a batch with these attributes; `None` for a number that nobody has defined.
    pub fn from_attributes(attributes: i16) -> Option<Self> {
        match attributes & 7 {
            0 => Some(Self::None),
            1 => Some(Self::Gzip),
            2 => Some(Self::Snappy),
            3 => Some(Self::Lz4),
            4 => Some(Self::Zstd),
            _ => None,
        }
    }

    /// Its number in the attributes.
    pub fn bits(self) -> i16 {
        match self {
            Self::None => 0,
            Self::Gzip => 1,
            Self::Snappy => 2,
            Self::Lz4 => 3,
            Self::Zstd => 4,
        }
    }

    /// Its name in Kafka's configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Snappy => "snappy",
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd",
        }
    }
}

/// The largest Zstandard window accepted, as a power of two: what the highest level writes, as in Kafka. Its memory is
/// touched only as far as there is output.
const ZSTD_WINDOW_LOG_MAX: u32 = 27;
/// What a framed snappy stream begins with; two version numbers of 4 bytes follow.
const XERIAL_MAGIC: [u8; 8] = [0x82, b'S', b'N', b'A', b'P', b'P', b'Y', 0];
const XERIAL_HEADER_SIZE: usize = 16;
/// Uncompressed bytes of a framed snappy block that we write, as Java's default.
const XERIAL_BLOCK: usize = 32 * 1024;
/// Snappy cannot expand more: a copy element of 3 bytes yields at most 64.
const SNAPPY_MAX_RATIO: usize = 64;

/// The largest block of snappy that is decompressed; a raw stream is one block, and a block lies in memory as a whole.
const SNAPPY_BLOCK_MAX: u64 = 64 << 20;
/// LZ4 cannot expand more: a byte of a match's length adds at most 255.
const LZ4_MAX_RATIO: u64 = 255;
/// The window of Zstandard that levels below the highest have for long streams, at least and at most, as powers of two.
const ZSTD_WINDOW_LOGS: (u32, u32) = (19, 23);
/// The smallest window that is worth asking for.
const ZSTD_WINDOW_LOG_MIN: u32 = 17;
/// From this level on, Zstandard's own window is over the largest above.
const ZSTD_LARGE_WINDOWS_FROM: i32 = 20;

/// The records of a batch as a stream of uncompressed bytes, up to a limit. A damaged stream gives an error, not a
/// panic; one that goes on past the limit an error of which [`is_past_limit`] holds.
pub(super) struct Decompressor<'a> {
    source: Source<'a>,
    limit: u64,
    read: u64,
    /// What the first read costs at least.
    first: u64,
}

enum Source<'a> {
    None(&'a [u8]),
    Gzip(Box<MultiGzDecoder<&'a [u8]>>),
    Snappy(SnappyReader<'a>),
    Lz4(Box<lz4_flex::frame::FrameDecoder<&'a [u8]>>),
    Zstd(zstd::stream::read::Decoder<'static, &'a [u8]>),
}

impl<'a> Decompressor<'a> {
    pub(super) fn new(codec: Compression, compressed: &'a [u8], limit: u64) -> io::Result<Self> {
        let source = match codec {
            Compression::None => Source::None(compressed),
            Compression::Gzip => Source::Gzip(Box::new(MultiGzDecoder::new(compressed))),
            Compression::Snappy => Source::Snappy(SnappyReader::new(compressed)?),
            Compression::Lz4 => Source::Lz4(Box::new(lz4_flex::frame::FrameDecoder::new(compressed))),
            Compression::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(compressed)?;
                decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
                Source::Zstd(decoder)
            }
        };
        let first = match codec {
            Compression::Lz4 => lz4_block(compressed),
            _ => 0,
        };
        Ok(Self {
            source,
            limit,
            read: 0,
            first,
        })
    }

    /// Bytes that were decompressed so far: of large blocks all of them, however many were read.
    pub(super) fn spent(&self) -> u64 {
        self.read.max(self.first)
    }
}

impl Read for Decompressor<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = match &mut self.source {
            Source::None(reader) => reader.read(into)?,
            Source::Gzip(reader) => reader.read(into)?,
            Source::Snappy(reader) => return reader.read(into, &mut self.read, self.limit),
            Source::Lz4(reader) => reader.read(into)?,
            Source::Zstd(reader) => reader.read(into)?,
        };
        self.read += read as u64;
        if self.read > self.limit {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        Ok(read)
    }
}

/// What the first block of an LZ4 stream decompresses to at most. A block is decompressed as a whole.
fn lz4_block(compressed: &[u8]) -> u64 {
    let claimed = match compressed {
        // The block size's code is in bits 4-6 of the second byte after the magic: 4 is 64 KiB, 7 is 4 MiB.
        [0x04, 0x22, 0x4d, 0x18, _, descriptor, ..] => {
            (64 << 10) << (2 * ((descriptor >> 4 & 7).clamp(4, 7) - 4))
        }
        // The format before that has no other block size.
        _ => 8 << 20,
    };
    (compressed.len() as u64 * LZ4_MAX_RATIO).min(claimed)
}

/// Whether this is the error of a stream that goes on past the limit.
pub(super) fn is_past_limit(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::FileTooLarge
}

/// Reads both forms of snappy, one block at a time; a raw stream is one block.
struct SnappyReader<'a> {
    rest: &'a [u8],
    framed: bool,
    block: Cursor<Vec<u8>>,
}

impl<'a> SnappyReader<'a> {
    fn new(compressed: &'a [u8]) -> io::Result<Self> {
        let framed = compressed.starts_with(&XERIAL_MAGIC);
        let skip = if framed { XERIAL_HEADER_SIZE } else { 0 };
        let rest = compressed.get(skip..).ok_or(io::ErrorKind::UnexpectedEof)?;
        Ok(Self {
            rest,
            framed,
            block: Cursor::new(Vec::new()),
        })
    }

    /// Decompresses the next block, if no more than `most` bytes are in it.
    fn next_block(&mut self, most: u64) -> io::Result<u64> {
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
        if length / SNAPPY_MAX_RATIO > compressed.len() {
            return Err(io::ErrorKind::InvalidData.into());
        }
        if length as u64 > most.min(SNAPPY_BLOCK_MAX) {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let block = snap::raw::Decoder::new()
            .decompress_vec(compressed)
            .map_err(io::Error::other)?;
        self.block = Cursor::new(block);
        Ok(length as u64)
    }

    fn read(&mut self, into: &mut [u8], spent: &mut u64, limit: u64) -> io::Result<usize> {
        loop {
            let read = self.block.read(into)?;
            if read > 0 || into.is_empty() || self.rest.is_empty() {
                return Ok(read);
            }
            *spent += self.next_block(limit - *spent)?;
        }
    }
}

/// Compresses all of `records`, which have about `expected` bytes, behind what is in `into`, at `level` where the codec
/// has levels (its default if `None`). Gives up with `Ok(false)` once `into` holds more than `limit` bytes.
pub(super) fn compress(
    codec: Compression,
    level: Option<i32>,
    records: &mut dyn Read,
    expected: usize,
    into: &mut Vec<u8>,
    limit: usize,
) -> io::Result<bool> {
    let mut sink = Limited { into, limit };
    let done = match codec {
        Compression::None => io::copy(records, &mut sink).map(|_| ()),
        Compression::Gzip => {
            let level = level
                .and_then(|level| u32::try_from(level).ok())
                .filter(|level| *level <= 9);
            let level = level.map_or(flate2::Compression::default(), flate2::Compression::new);
            let mut encoder = flate2::write::GzEncoder::new(&mut sink, level);
            io::copy(records, &mut encoder).and_then(|_| encoder.finish().map(|_| ()))
        }
        Compression::Snappy => compress_snappy(records, &mut sink),
        Compression::Lz4 => {
            let mut encoder = lz4_flex::frame::FrameEncoder::new(&mut sink);
            io::copy(records, &mut encoder)
                .and_then(|_| encoder.finish().map(|_| ()).map_err(io::Error::other))
        }
        Compression::Zstd => {
            let level = level.unwrap_or(zstd::DEFAULT_COMPRESSION_LEVEL);
            let mut encoder = zstd::stream::write::Encoder::new(&mut sink, level)?;
            if let Some(window) = zstd_window_log(level, expected) {
                encoder.window_log(window)?;
            }
            io::copy(records, &mut encoder).and_then(|_| encoder.finish().map(|_| ()))
        }
    };
    if sink.into.len() > limit {
        return Ok(false);
    }
    done.map(|()| true)
}

/// The window to ask for where the level's own would be larger than `expected` bytes need, or than 8 MiB. All tables of
/// the compressor follow it: the highest level's own take 1 GB, however little there is to compress.
fn zstd_window_log(level: i32, expected: usize) -> Option<u32> {
    let (least, most) = ZSTD_WINDOW_LOGS;
    let needed = usize::BITS - expected.leading_zeros();
    let capped = needed <= least || level >= ZSTD_LARGE_WINDOWS_FROM;
    capped.then(|| needed.clamp(ZSTD_WINDOW_LOG_MIN, most))
}

fn compress_snappy(records: &mut dyn Read, sink: &mut Limited<'_>) -> io::Result<()> {
    sink.write_all(&XERIAL_MAGIC)?;
    sink.write_all(&1u32.to_be_bytes())?;
    sink.write_all(&1u32.to_be_bytes())?;
    let mut encoder = snap::raw::Encoder::new();
    let mut block = Vec::with_capacity(XERIAL_BLOCK);
    loop {
        block.clear();
        (&mut *records)
            .take(XERIAL_BLOCK as u64)
            .read_to_end(&mut block)?;
        if block.is_empty() {
            return Ok(());
        }
        let compressed = encoder.compress_vec(&block).map_err(io::Error::other)?;
        let length = u32::try_from(compressed.len()).expect("snappy expands 32 KiB by a few bytes at most");
        sink.write_all(&length.to_be_bytes())?;
        sink.write_all(&compressed)?;
    }
}

/// Collects bytes, and refuses more as soon as it holds more than the limit.
struct Limited<'a> {
    into: &'a mut Vec<u8>,
    limit: usize,
}

impl Write for Limited<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.into.len() > self.limit {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.into.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(codec: Compression, input: &[u8]) -> Vec<u8> {
        let mut compressed = Vec::new();
        assert!(
            compress(
                codec,
                None,
                &mut { input },
                input.len(),
                &mut compressed,
                usize::MAX
            )
            .unwrap()
        );
        let mut output = Vec::new();
        Decompressor::new(codec, &compressed, u64::MAX)
            .unwrap()
            .read_to_end(&mut output)
            .unwrap();
        output
    }

    #[test]
    fn every_codec_gives_back_what_it_took() {
        let text = b"snow falls hot, packs down to firn and ends as ice; ".repeat(5_000);
        for codec in Compression::ALL {
            assert_eq!(round_trip(codec, &text), text, "{codec:?}");
            assert_eq!(Compression::from_attributes(codec.bits() | 0x20), Some(codec));
        }
    }

    #[test]
    fn raw_snappy_is_read_too() {
        let text = b"snow falls hot".repeat(100);
        let raw = snap::raw::Encoder::new().compress_vec(&text).unwrap();
        let mut output = Vec::new();
        Decompressor::new(Compression::Snappy, &raw, u64::MAX)
            .unwrap()
            .read_to_end(&mut output)
            .unwrap();
        assert_eq!(output, text);
    }

    #[test]
    fn a_raw_snappy_block_cannot_claim_more_than_it_can_hold() {
        let claim = [0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0];
        let mut output = Vec::new();
        let mut reader = Decompressor::new(Compression::Snappy, &claim, u64::MAX).unwrap();
        assert!(reader.read_to_end(&mut output).is_err());
    }

    #[test]
    fn compressing_stops_at_the_limit() {
        let zeros = vec![0u8; 1 << 20];
        let mut into = Vec::new();
        assert!(
            !compress(
                Compression::None,
                None,
                &mut &zeros[..],
                zeros.len(),
                &mut into,
                1000
            )
            .unwrap()
        );
        assert!(into.len() < 100_000);
    }

    #[test]
    fn a_snappy_block_over_the_limit_is_refused_before_its_memory_is_there() {
        let large = usize::try_from(SNAPPY_BLOCK_MAX).unwrap() + 1;
        for (size, limit) in [(20_000, 19_999), (large, u64::MAX)] {
            let raw = snap::raw::Encoder::new().compress_vec(&vec![0; size]).unwrap();
            let mut reader = SnappyReader::new(&raw).unwrap();
            let error = reader.read(&mut [0], &mut 0, limit).unwrap_err();
            assert!(is_past_limit(&error), "{error}");
            assert_eq!(reader.block.get_ref().capacity(), 0);
        }
    }

    #[test]
    fn a_stream_ends_at_its_limit_in_every_codec() {
        let zeros = vec![0u8; 100_000];
        for codec in Compression::ALL {
            let mut compressed = Vec::new();
            compress(
                codec,
                None,
                &mut &zeros[..],
                zeros.len(),
                &mut compressed,
                usize::MAX,
            )
            .unwrap();
            let read = |limit| {
                let mut reader = Decompressor::new(codec, &compressed, limit).unwrap();
                let ended = io::copy(&mut reader, &mut io::sink());
                (ended.map_err(|error| is_past_limit(&error)), reader.spent())
            };
            assert_eq!(read(100_000), (Ok(100_000), 100_000), "{codec:?}");
            let (ended, spent) = read(99_999);
            assert_eq!(ended, Err(true), "{codec:?}");
            assert!(spent <= 100_000, "{codec:?}");
        }
    }

    #[test]
    fn the_highest_zstd_level_takes_a_window_that_fits_what_there_is() {
        let window_log = |size: usize, level| {
            let mut frame = Vec::new();
            let records = vec![7u8; size];
            compress(
                Compression::Zstd,
                Some(level),
                &mut &records[..],
                size,
                &mut frame,
                usize::MAX,
            )
            .unwrap();
            assert_eq!(frame[4] & 0x20, 0, "the descriptor of the window follows");
            10 + u32::from(frame[5] >> 3)
        };
        assert_eq!(window_log(1_000, 22), ZSTD_WINDOW_LOG_MIN);
        assert_eq!(window_log(300_000, 22), 19);
        assert_eq!(window_log(300_000, 3), 19);
        assert_eq!(window_log(9 << 20, 22), ZSTD_WINDOW_LOGS.1);
        assert_eq!(window_log(9 << 20, 3), 21, "the level's own");
    }
}
