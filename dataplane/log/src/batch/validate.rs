//! Whether a batch that a client sent may be appended, and what the topic changes about it.
//!
//! The order of the checks is the order of Kafka's answers. An uncompressed batch is walked record by record, which is
//! cheap. A compressed one is decompressed only where a rule needs its records: null keys (`compacted`), the past
//! (`before_max_ms`, since no header field says the smallest timestamp), or another codec. Its count and largest
//! timestamp are otherwise believed: a client that lies there misleads only the readers of its own topic,
//! and decompression would cost several times all the rest. Decompression is a stream with a bound: memory stays
//! constant, and a batch that expands beyond the bound is refused.

use bytes::{BufMut, BytesMut};
use firn_catalog::ids::{LeaderEpoch, Offset};
use firn_runtime::Timestamp;
use std::fmt::Write as _;

use super::ProducerStamp;
use super::compression::{Compression, Decompressor, compress, is_past_limit};
use super::header::{BatchHeader, LOG_APPEND_TIME};
use super::records::{DEFAULT_MAX_DECOMPRESSED_BYTES, RecordsError, Walked, walk};

/// Who sets the timestamps of a topic's records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimestampType {
    /// The producer.
    CreateTime,
    /// The broker, when it appends.
    LogAppendTime,
}

/// What a topic's configuration asks of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchRules {
    /// `max.message.bytes`: the most bytes of a batch, as sent and as stored.
    pub max_bytes: usize,
    /// Whether the topic is compacted, so that every record needs a key.
    pub compacted: bool,
    /// `compression.type` and its level; `None` keeps what the producer chose.
    pub compression: Option<(Compression, Option<i32>)>,
    /// `message.timestamp.type`.
    pub timestamp_type: TimestampType,
    /// `message.timestamp.before.max.ms`: how far in the past a timestamp may lie; `i64::MAX` for any.
    pub before_max_ms: i64,
    /// `message.timestamp.after.max.ms`: how far in the future a timestamp may lie; `i64::MAX` for any.
    pub after_max_ms: i64,
    /// The most bytes that compressed records may expand to when a rule needs to see them.
    pub max_decompressed_bytes: u64,
}

impl Default for BatchRules {
    /// Kafka's defaults for a topic.
    fn default() -> Self {
        Self {
            max_bytes: 1_048_588,
            compacted: false,
            compression: None,
            timestamp_type: TimestampType::CreateTime,
            before_max_ms: i64::MAX,
            after_max_ms: 3_600_000,
            max_decompressed_bytes: DEFAULT_MAX_DECOMPRESSED_BYTES,
        }
    }
}

impl BatchRules {
    /// Whether the broker sets the timestamps.
    pub fn log_append_time(&self) -> bool {
        self.timestamp_type == TimestampType::LogAppendTime
    }
}

/// How much work may still be spent on validation, over any number of batches: what looking into compressed batches and
/// compressing them anew costs is taken from it, whatever the outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkBudget {
    /// Bytes that may be decompressed to look at records.
    pub decompressed: u64,
    /// Bytes of records that may be compressed anew.
    pub recompressed: u64,
}

impl Default for WorkBudget {
    /// What one request may cost.
    fn default() -> Self {
        Self {
            decompressed: DEFAULT_MAX_DECOMPRESSED_BYTES,
            recompressed: 128 << 20,
        }
    }
}

/// What opening a compressed stream costs, counted as bytes.
const OPENING_COST: u64 = 32 * 1024;
/// By how much compressed records are taken to expand, where only a guess is needed.
const USUAL_EXPANSION: usize = 16;

/// A batch that passed, perhaps compressed anew.
#[derive(Clone, Debug)]
pub struct ValidBatch {
    /// The whole batch; base offset and leader epoch are still the client's.
    pub bytes: BytesMut,
    /// Its header.
    pub header: BatchHeader,
    /// Who wrote it, if they are idempotent.
    pub producer: Option<ProducerStamp>,
    /// Whether it belongs to a transaction.
    pub transactional: bool,
    /// Whether its records were compressed anew, so that its bytes are not those that were sent.
    pub recompressed: bool,
}

/// What is wrong with one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordError {
    /// The record's position in its batch, from 0.
    pub index: i32,
    /// What is wrong with it, for the producer's log.
    pub message: String,
}

/// Why a batch is refused. Nothing of it is appended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// Kafka's INVALID_RECORD.
    #[error("a produce request must hold exactly one record batch per partition")]
    NotOneBatch,
    /// Kafka's INVALID_RECORD.
    #[error("record format version {0} is not supported: 2 is")]
    Magic(i8),
    /// Kafka's INVALID_RECORD.
    #[error("the base offset of a batch that is produced must be 0, not {0}")]
    BaseOffset(i64),
    /// Kafka's MESSAGE_TOO_LARGE.
    #[error("the record batch has {size} bytes, more than the {max} that max.message.bytes allows")]
    TooLarge {
        /// Its bytes: as sent, or as far as they were compressed anew.
        size: usize,
        /// The topic's bound.
        max: usize,
    },
    /// Kafka's CORRUPT_MESSAGE.
    #[error("the checksum of the record batch does not match")]
    Checksum,
    /// Kafka's INVALID_RECORD.
    #[error("invalid record batch: {0}")]
    Malformed(&'static str),
    /// Kafka's CORRUPT_MESSAGE.
    #[error("the {0} stream of the record batch is damaged")]
    Decompression(&'static str),
    /// Kafka's INVALID_RECORD.
    #[error("the records decompress to more than {limit} bytes")]
    DecompressesTooLarge {
        /// The bound.
        limit: u64,
    },
    /// Kafka's MESSAGE_TOO_LARGE: smaller requests may do.
    #[error("the batches of the request decompress to more than one request may hold")]
    OverBudget,
    /// Kafka's INVALID_RECORD, with `record_errors`.
    #[error("compacted topics take no record without a key")]
    NullKeys(Vec<RecordError>),
    /// Kafka's INVALID_TIMESTAMP, with `record_errors`.
    #[error("timestamps of records are out of the range that the topic accepts")]
    Timestamps(Vec<RecordError>),
    /// Kafka's INVALID_TIMESTAMP.
    #[error("a producer may not set the timestamp type LogAppendTime")]
    ProducerSetAppendTime,
}

impl From<RecordsError> for BatchError {
    fn from(error: RecordsError) -> Self {
        match error {
            RecordsError::Malformed(what) => Self::Malformed(what),
            RecordsError::Decompression(codec) => Self::Decompression(codec),
            RecordsError::TooLarge { limit } => Self::DecompressesTooLarge { limit },
        }
    }
}

/// The most records named in one error; the batch is refused as a whole anyway.
const MAX_RECORD_ERRORS: usize = 100;

/// Checks `batch`, everything that was sent for one partition, by `rules`. Without a change of codec the bytes are
/// not copied.
pub fn validate(mut batch: BytesMut, rules: &BatchRules, now: Timestamp) -> Result<ValidBatch, BatchError> {
    validate_within(&mut batch, rules, now, &mut WorkBudget::default())
}

/// [`validate`] with what is left of `budget`. On an error the batch stays, so that [`BatchError::OverBudget`] can be
/// followed by another try with a larger one.
pub fn validate_within(
    batch: &mut BytesMut,
    rules: &BatchRules,
    now: Timestamp,
    budget: &mut WorkBudget,
) -> Result<ValidBatch, BatchError> {
    let mut header = check_header(batch, rules)?;
    check_records(batch, &mut header, rules, now, budget)?;
    let other_codec = rules
        .compression
        .filter(|(codec, _)| header.compression() != Some(*codec));
    let (bytes, header) = match other_codec {
        Some((codec, level)) => recompress(batch, &header, codec, level, rules, budget)?,
        None => (std::mem::take(batch), header),
    };
    Ok(ValidBatch {
        recompressed: other_codec.is_some(),
        bytes,
        header,
        producer: header.producer(),
        transactional: header.is_transactional(),
    })
}

/// Takes what one stream cost from `left`.
fn charge(left: &mut u64, spent: u64) {
    *left = left.saturating_sub(spent.saturating_add(OPENING_COST));
}

/// Says whose limit a stream went past: the rules', or what was left for the request.
fn of_stream(error: RecordsError, rules: &BatchRules) -> BatchError {
    match error {
        RecordsError::TooLarge { limit } if limit < rules.max_decompressed_bytes => BatchError::OverBudget,
        error => error.into(),
    }
}

fn check_header(batch: &[u8], rules: &BatchRules) -> Result<BatchHeader, BatchError> {
    // The magic byte stands at the same place in every format; older ones are too short to be a header of this one.
    match batch.get(BatchHeader::MAGIC_AT).map(|magic| magic.cast_signed()) {
        None => return Err(BatchError::NotOneBatch),
        Some(2) => {}
        Some(magic) => return Err(BatchError::Magic(magic)),
    }
    let header = BatchHeader::read(batch).ok_or(BatchError::NotOneBatch)?;
    if header.total_size() != Some(batch.len()) {
        return Err(BatchError::NotOneBatch);
    }
    if header.base_offset != 0 {
        return Err(BatchError::BaseOffset(header.base_offset));
    }
    if batch.len() > rules.max_bytes {
        return Err(BatchError::TooLarge {
            size: batch.len(),
            max: rules.max_bytes,
        });
    }
    if crc32c::crc32c(&batch[BatchHeader::CRC_START..]) != header.crc {
        return Err(BatchError::Checksum);
    }
    check_fields(&header)?;
    Ok(header)
}

fn check_fields(header: &BatchHeader) -> Result<(), BatchError> {
    let refuse = |what| Err(BatchError::Malformed(what));
    if header.count <= 0 {
        return refuse("it counts no records");
    }
    if header.last_offset_delta.checked_add(1) != Some(header.count) {
        return refuse("its last offset and its record count disagree");
    }
    if header.is_control() {
        return refuse("clients may not send control batches");
    }
    if header.producer_id >= 0 && (header.base_sequence < 0 || header.producer_epoch < 0) {
        return refuse("a producer id without epoch and sequence number");
    }
    if header.producer_id < 0 && header.is_transactional() {
        return refuse("a transactional batch without a producer id");
    }
    if header.compression().is_none() {
        return refuse("an unknown compression codec");
    }
    Ok(())
}

/// Walks the records where needed, and sets the header's largest timestamp right if the walk shows another.
fn check_records(
    batch: &mut BytesMut,
    header: &mut BatchHeader,
    rules: &BatchRules,
    now: Timestamp,
    budget: &mut WorkBudget,
) -> Result<(), BatchError> {
    let by_producer = !rules.log_append_time();
    if header.is_append_time() {
        return Err(BatchError::ProducerSetAppendTime);
    }
    let earliest = now.0.saturating_sub(rules.before_max_ms);
    let latest = now.0.saturating_add(rules.after_max_ms);
    let compressed = header.compression() != Some(Compression::None);
    let header_in_range = header.max_timestamp <= latest && header.base_timestamp <= latest;
    let needs_timestamps = by_producer && (rules.before_max_ms != i64::MAX || !header_in_range);
    if compressed && !rules.compacted && !needs_timestamps {
        return Ok(());
    }
    let mut bad_keys = Vec::new();
    let mut bad_times = Vec::new();
    let mut largest = i64::MIN;
    let visit = |index, record: Walked| {
        if rules.compacted && !record.has_key && bad_keys.len() < MAX_RECORD_ERRORS {
            let message = "Compacted topic cannot accept message without key".to_owned();
            bad_keys.push(RecordError { index, message });
        }
        let time = record.timestamp;
        largest = largest.max(time);
        let out_of_range = time >= 0 && (time < earliest || time > latest);
        if by_producer && out_of_range && bad_times.len() < MAX_RECORD_ERRORS {
            let mut message = String::new();
            let _ = write!(
                message,
                "Timestamp {time} is out of range: [{earliest}, {latest}] is accepted"
            );
            bad_times.push(RecordError { index, message });
        }
    };
    let limit = budget.decompressed.min(rules.max_decompressed_bytes);
    let mut spent = 0;
    let walked = walk(header, batch, limit, &mut spent, visit);
    if compressed {
        charge(&mut budget.decompressed, spent);
    }
    walked.map_err(|error| of_stream(error, rules))?;
    if !bad_keys.is_empty() {
        return Err(BatchError::NullKeys(bad_keys));
    }
    if !bad_times.is_empty() {
        return Err(BatchError::Timestamps(bad_times));
    }
    if largest != header.max_timestamp {
        header.max_timestamp = largest;
        set_max_timestamp(batch, header);
    }
    Ok(())
}

fn recompress(
    batch: &[u8],
    header: &BatchHeader,
    codec: Compression,
    level: Option<i32>,
    rules: &BatchRules,
    budget: &mut WorkBudget,
) -> Result<(BytesMut, BatchHeader), BatchError> {
    let from = header
        .compression()
        .ok_or(BatchError::Malformed("an unknown compression codec"))?;
    let payload = &batch[BatchHeader::SIZE..];
    let allowed = budget.recompressed.min(rules.max_decompressed_bytes);
    let past = || of_stream(RecordsError::TooLarge { limit: allowed }, rules);
    if payload.len() as u64 > allowed {
        return Err(past());
    }
    let expected = match from {
        Compression::None => payload.len(),
        _ => payload.len().saturating_mul(USUAL_EXPANSION),
    };
    let failed = |error: std::io::Error| match is_past_limit(&error) {
        true => past(),
        false => BatchError::Decompression(from.name()),
    };
    let mut source = Decompressor::new(from, payload, allowed).map_err(failed)?;
    let mut records = Vec::with_capacity(batch.len());
    let limit = rules.max_bytes.saturating_sub(BatchHeader::SIZE);
    let whole = compress(codec, level, &mut source, expected, &mut records, limit);
    charge(&mut budget.recompressed, source.spent());
    if !whole.map_err(failed)? {
        return Err(BatchError::TooLarge {
            size: BatchHeader::SIZE + records.len(),
            max: rules.max_bytes,
        });
    }
    let total = BatchHeader::SIZE + records.len();
    let mut header = *header;
    header.attributes = (header.attributes & !7) | codec.bits();
    header.length =
        i32::try_from(total - BatchHeader::LENGTH_OVERHEAD).map_err(|_| BatchError::TooLarge {
            size: total,
            max: rules.max_bytes,
        })?;
    let mut bytes = BytesMut::with_capacity(total);
    header.write(&mut bytes);
    bytes.put_slice(&records);
    header.crc = seal_checksum(&mut bytes);
    Ok((bytes, header))
}

fn set_max_timestamp(batch: &mut BytesMut, header: &mut BatchHeader) {
    batch[BatchHeader::MAX_TIMESTAMP_AT..][..8].copy_from_slice(&header.max_timestamp.to_be_bytes());
    header.crc = seal_checksum(batch);
}

/// Computes and writes the checksum of a whole batch.
pub(super) fn seal_checksum(batch: &mut [u8]) -> u32 {
    let crc = crc32c::crc32c(&batch[BatchHeader::CRC_START..]);
    batch[BatchHeader::CRC_AT..][..4].copy_from_slice(&crc.to_be_bytes());
    crc
}

/// Writes what the leader decides into a whole batch: its first offset and the epoch. Both lie outside the checksum.
///
/// # Panics
/// If `batch` is shorter than a batch header.
pub fn patch(batch: &mut [u8], base_offset: Offset, leader_epoch: LeaderEpoch) {
    batch[..8].copy_from_slice(&base_offset.0.to_be_bytes());
    batch[BatchHeader::LEADER_EPOCH_AT..][..4].copy_from_slice(&leader_epoch.0.to_be_bytes());
}

/// Makes `time` the timestamp of all records (bit 3 of the attributes, the largest timestamp) and computes the checksum
/// anew. The caller takes the larger of now and the partition's last append time.
pub fn stamp_log_append_time(batch: &mut ValidBatch, time: Timestamp) {
    batch.header.attributes |= LOG_APPEND_TIME;
    batch.header.max_timestamp = time.0;
    batch.bytes[BatchHeader::CRC_START..][..2].copy_from_slice(&batch.header.attributes.to_be_bytes());
    set_max_timestamp(&mut batch.bytes, &mut batch.header);
}
