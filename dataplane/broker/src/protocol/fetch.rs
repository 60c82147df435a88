//! The Fetch response, by hand: headers around record slices that are written to the socket where they lie.
//!
//! Versions 4-18; sessions from 7, compact and tagged from 12, topic ids instead of names from 13, addresses of
//! leaders (KIP-951) from 16.

use bytes::{BufMut, Bytes, BytesMut};
use firn_catalog::ids::TopicId;
use kafka_protocol::messages::ApiKey;

use super::header;
use super::produce::{LeaderHint, node_endpoints_tag};
use super::writing::Writer;

/// The first version with compact lengths and tagged fields.
pub(crate) const FLEXIBLE_FROM: i16 = 12;
/// The first version that names topics by id.
pub(crate) const TOPIC_IDS_FROM: i16 = 13;
/// The first version that names leaders and their addresses.
pub(crate) const ENDPOINTS_FROM: i16 = 16;

/// The answer for one partition.
#[derive(Clone, Debug)]
pub(crate) struct FetchedPartition {
    pub(crate) index: i32,
    pub(crate) error: i16,
    pub(crate) high_watermark: i64,
    pub(crate) last_stable: i64,
    pub(crate) log_start: i64,
    /// Aborted transactions (producer id, first offset); `None` where the reader wants all records.
    pub(crate) aborted: Option<Vec<(i64, i64)>>,
    /// Where what the client has fetched before parts from this log: an epoch and where it ends here.
    pub(crate) diverging: Option<(i32, i64)>,
    /// Whole batches, consecutive.
    pub(crate) records: Vec<Bytes>,
    pub(crate) leader: Option<LeaderHint>,
}

impl FetchedPartition {
    /// An answer without records, with nothing known but an error.
    pub(crate) fn failed(index: i32, error: i16) -> Self {
        Self {
            index,
            error,
            high_watermark: -1,
            last_stable: -1,
            log_start: -1,
            aborted: None,
            diverging: None,
            records: Vec::new(),
            leader: None,
        }
    }

    /// Bytes of records.
    pub(crate) fn size(&self) -> usize {
        self.records.iter().map(Bytes::len).sum()
    }
}

/// The answer for one topic.
#[derive(Clone, Debug)]
pub(crate) struct FetchedTopic {
    pub(crate) id: TopicId,
    pub(crate) name: std::sync::Arc<str>,
    pub(crate) partitions: Vec<FetchedPartition>,
}

/// A whole answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct FetchAnswer {
    pub(crate) throttle_ms: i32,
    pub(crate) error: i16,
    pub(crate) session: i32,
    pub(crate) topics: Vec<FetchedTopic>,
}

/// Writes the response: chunks that are to be sent one after another.
pub(crate) fn encode(answer: &mut FetchAnswer, version: i16, correlation: i32) -> Vec<Bytes> {
    let mut out = BytesMut::with_capacity(256);
    header::begin_response(&mut out, ApiKey::Fetch, correlation, version >= FLEXIBLE_FROM);
    let mut message = Message {
        first: None,
        rest: Vec::new(),
        size: 0,
        out,
        version,
    };
    message.body(answer);
    message.finish()
}

/// A response in the making.
struct Message {
    /// The first piece, which stays open until its length field can be filled in.
    first: Option<BytesMut>,
    /// The pieces after it.
    rest: Vec<Bytes>,
    /// Bytes of all of them.
    size: usize,
    /// What is being written.
    out: BytesMut,
    version: i16,
}

impl Message {
    fn writer(&mut self) -> Writer<'_> {
        Writer {
            flexible: self.version >= FLEXIBLE_FROM,
            out: &mut self.out,
        }
    }

    fn body(&mut self, answer: &mut FetchAnswer) {
        self.out.put_i32(answer.throttle_ms);
        if self.version >= 7 {
            self.out.put_i16(answer.error);
            self.out.put_i32(answer.session);
        }
        self.writer().count(answer.topics.len());
        for topic in &mut answer.topics {
            if self.version >= TOPIC_IDS_FROM {
                self.out.put_u128(topic.id.0);
            } else {
                self.writer().string(Some(&topic.name));
            }
            self.writer().count(topic.partitions.len());
            for partition in &mut topic.partitions {
                self.partition(partition);
            }
            self.writer().no_tags();
        }
        let served = self.version >= ENDPOINTS_FROM;
        let hints = answer.topics.iter().flat_map(|topic| &topic.partitions);
        let mut writer = self.writer();
        if writer.flexible {
            node_endpoints_tag(
                &mut writer,
                served,
                hints.filter_map(|partition| partition.leader.as_ref()),
            );
        }
    }

    fn partition(&mut self, partition: &mut FetchedPartition) {
        let version = self.version;
        let mut w = self.writer();
        w.out.put_i32(partition.index);
        w.out.put_i16(partition.error);
        w.out.put_i64(partition.high_watermark);
        w.out.put_i64(partition.last_stable);
        if version >= 5 {
            w.out.put_i64(partition.log_start);
        }
        match &partition.aborted {
            None => w.null_array(),
            Some(aborted) => {
                w.count(aborted.len());
                for (producer, first) in aborted {
                    w.out.put_i64(*producer);
                    w.out.put_i64(*first);
                    w.no_tags();
                }
            }
        }
        if version >= 11 {
            // No other replica is preferred.
            w.out.put_i32(-1);
        }
        w.byte_length(partition.size());
        for batch in std::mem::take(&mut partition.records) {
            self.append(batch);
        }
        self.partition_tags(partition);
    }

    /// Tag 0: the diverging epoch; tag 1: the current leader.
    fn partition_tags(&mut self, partition: &FetchedPartition) {
        if self.version < FLEXIBLE_FROM {
            return;
        }
        let out = &mut self.out;
        out.put_u8(u8::from(partition.diverging.is_some()) + u8::from(partition.leader.is_some()));
        if let Some((epoch, end)) = partition.diverging {
            out.put_slice(&[0, 13]);
            out.put_i32(epoch);
            out.put_i64(end);
            out.put_u8(0);
        }
        if let Some(leader) = &partition.leader {
            out.put_slice(&[1, 9]);
            out.put_i32(leader.node);
            out.put_i32(leader.epoch);
            out.put_u8(0);
        }
    }

    /// Puts record bytes in, as they are.
    fn append(&mut self, records: Bytes) {
        self.close_piece();
        self.size += records.len();
        self.rest.push(records);
    }

    fn close_piece(&mut self) {
        if self.out.is_empty() {
            return;
        }
        let piece = self.out.split();
        self.size += piece.len();
        if self.first.is_none() {
            self.first = Some(piece);
        } else {
            self.rest.push(piece.freeze());
        }
    }

    fn finish(mut self) -> Vec<Bytes> {
        self.close_piece();
        let mut first = self.first.expect("the header was written to it");
        header::set_length(&mut first, self.size);
        let mut chunks = vec![first.freeze()];
        chunks.append(&mut self.rest);
        chunks
    }
}
