//! Produce, by hand: the request is cut into batches without copying, the response written in one go.
//!
//! Versions 3-13; compact and tagged from 9, topic ids instead of names from 13, leader hints (KIP-951) from 10.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use firn_catalog::ids::TopicId;

use super::Malformed;
use super::cursor::Cursor;
use super::guard;
use super::writing::{Writer, varint};

/// The first version with compact lengths and tagged fields.
pub(crate) const FLEXIBLE_FROM: i16 = 9;
/// The first version whose answers say what is wrong with single records, and why.
pub(crate) const RECORD_ERRORS_FROM: i16 = 8;
const TOPIC_IDS_FROM: i16 = 13;
const LEADER_HINTS_FROM: i16 = 10;
/// Memory that an entry takes here and in the answer.
const ENTRY_MEMORY: usize = 192;

/// How a request names a topic.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum TopicKey {
    /// By name.
    Name(Box<str>),
    /// By id.
    Id(TopicId),
}

/// A decoded Produce request.
#[derive(Debug)]
pub(crate) struct ProduceRequest {
    pub(crate) transactional_id: Option<String>,
    pub(crate) acks: i16,
    pub(crate) timeout_ms: i32,
    pub(crate) topics: Vec<ProduceTopic>,
}

/// The batches for one topic.
#[derive(Debug)]
pub(crate) struct ProduceTopic {
    pub(crate) key: TopicKey,
    pub(crate) partitions: Vec<ProducePartition>,
}

/// What is to be appended to one partition.
#[derive(Debug)]
pub(crate) struct ProducePartition {
    pub(crate) index: i32,
    /// The bytes of its record set, as sent, alone; empty if it was null.
    pub(crate) records: BytesMut,
}

/// Where the record set of a partition lies, before the frame is cut.
struct Place {
    index: i32,
    records: std::ops::Range<usize>,
}

/// Decodes a request's body. Record sets stay where they are in memory.
pub(crate) fn decode(mut body: BytesMut, version: i16) -> Result<ProduceRequest, Malformed> {
    let flexible = version >= FLEXIBLE_FROM;
    let mut cursor = Cursor::new(&body);
    let transactional_id = cursor.text(flexible)?.map(str::to_owned);
    let acks = cursor.i16()?;
    let timeout_ms = cursor.i32()?;
    let mut memory = guard::budget(body.len());
    let mut places = Vec::new();
    for _ in 0..cursor.count(flexible)?.ok_or(Malformed::Schema)? {
        let key = if version >= TOPIC_IDS_FROM {
            TopicKey::Id(TopicId(cursor.u128()?))
        } else {
            TopicKey::Name(cursor.text(flexible)?.ok_or(Malformed::Schema)?.into())
        };
        places.push((key, partitions(&mut cursor, flexible, &mut memory)?));
    }
    if flexible {
        cursor.skip_tags()?;
    }
    let mut passed = 0;
    let mut cut = |range: std::ops::Range<usize>| {
        body.advance(range.start - passed);
        passed = range.end;
        body.split_to(range.len())
    };
    let mut topic = |(key, places): (TopicKey, Vec<Place>)| {
        let partition = |place: Place| ProducePartition {
            index: place.index,
            records: cut(place.records),
        };
        ProduceTopic {
            key,
            partitions: places.into_iter().map(partition).collect(),
        }
    };
    let topics = places.into_iter().map(&mut topic).collect();
    Ok(ProduceRequest {
        transactional_id,
        acks,
        timeout_ms,
        topics,
    })
}

fn partitions(cursor: &mut Cursor<'_>, flexible: bool, memory: &mut usize) -> Result<Vec<Place>, Malformed> {
    let count = cursor.count(flexible)?.ok_or(Malformed::Schema)?;
    *memory = (count + 1)
        .checked_mul(ENTRY_MEMORY)
        .and_then(|cost| memory.checked_sub(cost))
        .ok_or(Malformed::TooCostly)?;
    let mut places = Vec::with_capacity(count);
    for _ in 0..count {
        let index = cursor.i32()?;
        let end = |cursor: &Cursor<'_>| cursor.position()..cursor.position();
        let records = match cursor.byte_range(flexible)? {
            Some(range) => range,
            None => end(cursor),
        };
        if flexible {
            cursor.skip_tags()?;
        }
        places.push(Place { index, records });
    }
    if flexible {
        cursor.skip_tags()?;
    }
    Ok(places)
}

/// A record that made its batch unacceptable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RecordError {
    /// Its index in the batch.
    pub(crate) index: i32,
    /// What is wrong with it.
    pub(crate) message: String,
}

/// Where a partition's leader is, for a client that asked elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LeaderHint {
    pub(crate) node: i32,
    pub(crate) epoch: i32,
    pub(crate) host: String,
    pub(crate) port: i32,
}

/// The answer for one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PartitionAnswer {
    pub(crate) index: i32,
    pub(crate) error: i16,
    pub(crate) base_offset: i64,
    pub(crate) log_append_time: i64,
    pub(crate) log_start: i64,
    pub(crate) record_errors: Vec<RecordError>,
    pub(crate) message: Option<String>,
    pub(crate) leader: Option<LeaderHint>,
}

/// The answer for one topic.
#[derive(Clone, Debug)]
pub(crate) struct TopicAnswer {
    pub(crate) key: TopicKey,
    pub(crate) partitions: Vec<PartitionAnswer>,
}

/// Writes a response's body after its header.
pub(crate) fn encode(out: &mut BytesMut, version: i16, topics: &[TopicAnswer], throttle_ms: i32) {
    let mut w = Writer {
        out,
        flexible: version >= FLEXIBLE_FROM,
    };
    w.count(topics.len());
    for topic in topics {
        match &topic.key {
            TopicKey::Name(name) => w.string(Some(name)),
            TopicKey::Id(id) => w.out.put_u128(id.0),
        }
        w.count(topic.partitions.len());
        for partition in &topic.partitions {
            encode_partition(&mut w, version, partition);
        }
        w.no_tags();
    }
    w.out.put_i32(throttle_ms);
    if w.flexible {
        let hints = topics
            .iter()
            .flat_map(|topic| &topic.partitions)
            .filter_map(|answer| answer.leader.as_ref());
        node_endpoints_tag(&mut w, version >= LEADER_HINTS_FROM, hints);
    }
}

fn encode_partition(w: &mut Writer<'_>, version: i16, answer: &PartitionAnswer) {
    w.out.put_i32(answer.index);
    w.out.put_i16(answer.error);
    w.out.put_i64(answer.base_offset);
    w.out.put_i64(answer.log_append_time);
    if version >= 5 {
        w.out.put_i64(answer.log_start);
    }
    if version >= RECORD_ERRORS_FROM {
        w.count(answer.record_errors.len());
        for error in &answer.record_errors {
            w.out.put_i32(error.index);
            w.string(Some(&error.message));
            w.no_tags();
        }
        w.string(answer.message.as_deref());
    }
    match &answer.leader {
        Some(leader) if version >= LEADER_HINTS_FROM => {
            w.out.put_slice(&[1, 0, 9]);
            w.out.put_i32(leader.node);
            w.out.put_i32(leader.epoch);
            w.out.put_u8(0);
        }
        Some(_) | None => w.no_tags(),
    }
}

/// The tagged fields of a Produce or Fetch response: tag 0 names the addresses of the leaders that were hinted at.
pub(crate) fn node_endpoints_tag<'a>(
    w: &mut Writer<'_>,
    served: bool,
    hints: impl Iterator<Item = &'a LeaderHint>,
) {
    let mut nodes: Vec<&LeaderHint> = Vec::new();
    for hint in hints {
        if served && !nodes.iter().any(|known| known.node == hint.node) {
            nodes.push(hint);
        }
    }
    if nodes.is_empty() {
        return w.no_tags();
    }
    let mut endpoints = BytesMut::new();
    let mut inner = Writer {
        out: &mut endpoints,
        flexible: true,
    };
    inner.count(nodes.len());
    for node in nodes {
        inner.out.put_i32(node.node);
        inner.string(Some(&node.host));
        inner.out.put_i32(node.port);
        inner.string(None);
        inner.no_tags();
    }
    let endpoints: Bytes = endpoints.freeze();
    w.out.put_slice(&[1, 0]);
    varint(
        w.out,
        u32::try_from(endpoints.len()).expect("there are few brokers"),
    );
    w.out.put_slice(&endpoints);
}
