//! Records as bodies have them.

use axum::body::Bytes;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use firn_runtime::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::scan::Scan;
use super::shown::{Cut, Shown};
use crate::kafka::records::FoundRecord;
use crate::rules::Moment;

/// The end of the year 9999, ms.
const LATEST_SHOWN: i64 = 253_402_300_799_999;

/// A page of records, and how far the search is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Records)]
pub(super) struct RecordsBody {
    /// What was found.
    items: Vec<RecordBody>,
    /// With what to go on; null: the end is reached.
    next_cursor: Option<String>,
    /// How many records this request looked at.
    #[schema(minimum = 0)]
    scanned_records: u64,
    /// Their bytes, about.
    #[schema(minimum = 0)]
    scanned_bytes: u64,
    /// Batches that are damaged, whose records are left out.
    #[schema(minimum = 0)]
    damaged_batches: u64,
    /// Where the search is in each partition.
    progress: Vec<ProgressBody>,
}

/// Where the search is in a partition.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RecordsProgress)]
pub(super) struct ProgressBody {
    /// The partition.
    #[schema(minimum = 0)]
    pub(super) partition: i32,
    /// The offset at which it goes on.
    pub(super) position: i64,
    /// The offset before which it ends; with `follow`, the end as it was seen last.
    pub(super) end: i64,
}

impl RecordsBody {
    pub(super) fn of(scan: Scan, next_cursor: Option<String>) -> Self {
        let progress = scan.progress();
        let (scanned_records, scanned_bytes, damaged_batches) = scan.scanned();
        Self {
            items: scan.found.into_iter().map(RecordBody::from).collect(),
            next_cursor,
            scanned_records,
            scanned_bytes,
            damaged_batches,
            progress,
        }
    }
}

/// A record.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Record)]
pub(super) struct RecordBody {
    /// Its partition.
    #[schema(minimum = 0)]
    partition: i32,
    /// Its offset.
    #[schema(minimum = 0)]
    offset: i64,
    /// When it was made, or appended. A time before 1970 or after 9999, which clients may give, is shown as the nearest within.
    timestamp: Moment,
    /// Which of both.
    #[schema(value_type = String, pattern = "^(create_time|log_append_time)$")]
    timestamp_type: &'static str,
    /// Its key in base64, or the beginning of it.
    #[schema(value_type = Option<String>)]
    key: Option<String>,
    /// Its value in base64, or the beginning of it.
    #[schema(value_type = Option<String>)]
    value: Option<String>,
    /// How many bytes the key has.
    #[schema(minimum = 0)]
    key_bytes: Option<u64>,
    /// How many bytes the value has.
    #[schema(minimum = 0)]
    value_bytes: Option<u64>,
    /// Whether something of it is not shown.
    truncated: bool,
    /// Its headers, in order; names may repeat.
    headers: Vec<RecordHeaderBody>,
    /// How its batch is compressed.
    #[schema(value_type = String, pattern = "^(none|gzip|snappy|lz4|zstd)$")]
    compression: &'static str,
}

/// A header of a record.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RecordHeader)]
pub(super) struct RecordHeaderBody {
    /// Its name. What is no UTF-8 in it is replaced.
    key: String,
    /// Its value in base64, or the beginning of it.
    value: Option<String>,
}

fn encoded(cut: Option<&Cut>) -> Option<String> {
    cut.map(|cut| STANDARD.encode(&cut.bytes))
}

impl From<Shown> for RecordBody {
    fn from(shown: Shown) -> Self {
        let headers = shown.headers.iter();
        Self {
            partition: shown.partition,
            offset: shown.offset,
            timestamp: Moment(Timestamp(shown.timestamp.clamp(0, LATEST_SHOWN))),
            timestamp_type: match shown.append_time {
                true => "log_append_time",
                false => "create_time",
            },
            key: encoded(shown.key.as_ref()),
            value: encoded(shown.value.as_ref()),
            key_bytes: shown.key.as_ref().map(|key| key.length),
            value_bytes: shown.value.as_ref().map(|value| value.length),
            truncated: shown.truncated,
            headers: headers
                .map(|(name, value)| RecordHeaderBody {
                    key: String::from_utf8_lossy(name).into_owned(),
                    value: value.as_ref().map(|value| STANDARD.encode(value)),
                })
                .collect(),
            compression: shown.compression,
        }
    }
}

impl RecordBody {
    /// With so many bytes of key, value and each header.
    pub(super) fn of(partition: i32, found: &FoundRecord, most: usize) -> Self {
        Shown::of(partition, found, most).into()
    }
}

/// Records to be produced.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewRecords)]
pub(super) struct NewRecordsBody {
    /// 1 to 100.
    #[schema(min_items = 1, max_items = 100)]
    pub(super) records: Vec<NewRecordBody>,
}

/// A record to be produced.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewRecord)]
pub(super) struct NewRecordBody {
    /// The partition.
    #[serde(default)]
    #[schema(minimum = 0)]
    pub(super) partition: Option<i32>,
    /// Its key.
    #[serde(default)]
    pub(super) key: Option<Data>,
    /// Its value; without one it is a tombstone.
    #[serde(default)]
    pub(super) value: Option<Data>,
    /// Its headers; names may repeat.
    #[serde(default)]
    #[schema(required = false, max_items = 100)]
    pub(super) headers: Vec<NewHeaderBody>,
    /// When it was made; now if it is not given.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = "date-time")]
    pub(super) timestamp: Option<String>,
}

/// A header of a record to be produced.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewRecordHeader)]
pub(super) struct NewHeaderBody {
    /// Its name.
    #[schema(max_length = 1000)]
    pub(super) key: String,
    /// Its value.
    #[serde(default)]
    pub(super) value: Option<Data>,
}

/// Bytes, in one of three ways.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RecordData)]
pub(super) enum Data {
    /// Text, in UTF-8.
    Text(String),
    /// Anything, in base64.
    Base64(String),
    /// JSON, as it is written here.
    #[schema(value_type = serde_json::Value)]
    Json(Box<RawValue>),
}

impl Data {
    /// The bytes; `None`: it is no base64.
    pub(super) fn bytes(self) -> Option<Bytes> {
        match self {
            Self::Text(text) => Some(text.into()),
            Self::Base64(text) => STANDARD.decode(text).ok().map(Bytes::from),
            Self::Json(json) => Some(String::from(Box::<str>::from(json)).into()),
        }
    }
}

/// What was produced, in the order of the request.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProducedRecords)]
pub(super) struct ProducedBody {
    /// One for each record.
    pub(super) items: Vec<ProducedRecordBody>,
}

/// Where a record is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProducedRecord)]
pub(super) struct ProducedRecordBody {
    /// Its partition.
    #[schema(minimum = 0)]
    pub(super) partition: i32,
    /// Its offset; null for one that was only tried out.
    pub(super) offset: Option<i64>,
    /// Its timestamp.
    pub(super) timestamp: Moment,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_that_clients_make_up_are_moments_all_the_same() {
        for (timestamp, shown) in [
            (-1, "1970-01-01T00:00:00.000Z"),
            (0, "1970-01-01T00:00:00.000Z"),
            (1_700_000_000_000, "2023-11-14T22:13:20.000Z"),
            (i64::MAX, "9999-12-31T23:59:59.999Z"),
            (i64::MIN, "1970-01-01T00:00:00.000Z"),
        ] {
            let found = FoundRecord {
                offset: 0,
                timestamp,
                append_time: false,
                key: None,
                value: None,
                headers: Vec::new(),
                headers_cut: false,
                compression: "none",
            };
            let body = serde_json::to_value(RecordBody::of(0, &found, 1)).unwrap();
            assert_eq!(body["timestamp"], shown);
        }
    }
}
