//! A record that was found, as much of it as is shown.

use bytes::Bytes;

use crate::kafka::records::{Content, FoundRecord};

/// The beginning of a key or a value.
#[derive(Debug)]
pub(super) struct Cut {
    pub(super) bytes: Bytes,
    /// How many bytes there are in all.
    pub(super) length: u64,
}

/// A record, cut.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) partition: i32,
    pub(super) offset: i64,
    pub(super) timestamp: i64,
    pub(super) append_time: bool,
    pub(super) key: Option<Cut>,
    pub(super) value: Option<Cut>,
    pub(super) headers: Vec<(Bytes, Option<Bytes>)>,
    pub(super) truncated: bool,
    pub(super) compression: &'static str,
}

/// The first bytes, without keeping hold of the others.
fn first(bytes: &Bytes, most: usize) -> Bytes {
    match bytes.len() <= most {
        true => bytes.clone(),
        false => Bytes::copy_from_slice(&bytes[..most]),
    }
}

fn cut(content: &Content, most: usize) -> Cut {
    Cut {
        bytes: first(&content.bytes, most),
        length: content.length,
    }
}

impl Shown {
    /// A record with at most so many bytes of its key, its value and each header.
    pub(super) fn of(partition: i32, found: &FoundRecord, most: usize) -> Self {
        let key = found.key.as_ref().map(|key| cut(key, most));
        let value = found.value.as_ref().map(|value| cut(value, most));
        let is_cut = |cut: &Option<Cut>| {
            cut.as_ref()
                .is_some_and(|cut| (cut.bytes.len() as u64) < cut.length)
        };
        let header_is_cut = |value: &Option<Bytes>| value.as_ref().is_some_and(|value| value.len() > most);
        Self {
            truncated: found.headers_cut
                || is_cut(&key)
                || is_cut(&value)
                || found.headers.iter().any(|(_, value)| header_is_cut(value)),
            partition,
            offset: found.offset,
            timestamp: found.timestamp,
            append_time: found.append_time,
            key,
            value,
            headers: found
                .headers
                .iter()
                .map(|(name, value)| (name.clone(), value.as_ref().map(|value| first(value, most))))
                .collect(),
            compression: found.compression,
        }
    }

    /// What it takes, about.
    pub(super) fn size(&self) -> usize {
        let of = |cut: &Option<Cut>| cut.as_ref().map_or(0, |cut| cut.bytes.len());
        let headers = self.headers.iter();
        let headers: usize = headers
            .map(|(name, value)| name.len() + value.as_ref().map_or(0, Bytes::len))
            .sum();
        of(&self.key) + of(&self.value) + headers
    }
}
