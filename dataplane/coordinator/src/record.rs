//! What is stored of groups: records with a key and a value, of which the last one of a key counts.
//!
//! `docs/formats/coordinator-records.md` draws the bytes.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes};
use firn_catalog::ids::{ClusterId, PartitionId, TopicId};
use firn_runtime::Timestamp;

use crate::api::{CommittedOffset, GroupKey};

/// The version of all values.
const VERSION: u8 = 1;
/// A key's first byte.
const GROUP: u8 = 1;
const OFFSET: u8 = 2;

/// A record, as it is appended and replayed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// What it is about.
    pub key: Bytes,
    /// What is so from here on; `None`: nothing any more.
    pub value: Option<Bytes>,
}

impl Record {
    /// About how many bytes it takes.
    pub fn size(&self) -> usize {
        self.key.len() + self.value.as_ref().map_or(0, Bytes::len) + 16
    }
}

/// Bytes that are not a record of this format: of a later version of Firn, or damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a coordinator record that this version of Firn cannot read: {0}")]
pub struct Unreadable(&'static str);

/// What a record is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// A group's generation with its members.
    Group(GroupKey),
    /// An offset that a group has committed.
    Offset(GroupKey, PartitionId),
}

impl Key {
    /// Its bytes.
    pub fn encode(&self) -> Bytes {
        let (kind, group) = match self {
            Self::Group(group) => (GROUP, group),
            Self::Offset(group, _) => (OFFSET, group),
        };
        let mut out = Vec::with_capacity(24 + group.name.len() + 20);
        out.put_u8(kind);
        out.put_u128(group.cluster.0);
        put_text(&mut out, &group.name);
        if let Self::Offset(_, partition) = self {
            out.put_u128(partition.topic.0);
            out.put_i32(partition.index);
        }
        out.into()
    }

    /// Reads it back.
    pub fn decode(bytes: &Bytes) -> Result<Self, Unreadable> {
        let mut rest = Reader(bytes.clone());
        let kind = rest.u8()?;
        let group = GroupKey {
            cluster: ClusterId(rest.u128()?),
            name: rest.text()?,
        };
        let key = match kind {
            GROUP => Self::Group(group),
            OFFSET => Self::Offset(
                group,
                PartitionId {
                    topic: TopicId(rest.u128()?),
                    index: rest.i32()?,
                },
            ),
            _ => return Err(Unreadable("an unknown kind of key")),
        };
        rest.end()?;
        Ok(key)
    }
}

/// A generation of a group, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredGroup {
    /// The number of the generation.
    pub generation: i32,
    /// Since when the group has been in the state that follows from this.
    pub since: Timestamp,
    /// The kind of protocols.
    pub protocol_type: Option<Arc<str>>,
    /// The protocol that all have.
    pub protocol: Option<Arc<str>>,
    /// Who assigns.
    pub leader: Option<Arc<str>>,
    /// The members; none if the group is empty.
    pub members: Vec<StoredMember>,
}

/// A member of a generation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredMember {
    /// Its id.
    pub id: Arc<str>,
    /// Its static id.
    pub instance: Option<Arc<str>>,
    /// Its client id.
    pub client_id: Arc<str>,
    /// Where it is.
    pub client_host: Arc<str>,
    /// After which silence it is out.
    pub session_timeout: Duration,
    /// How long a rebalance waits for it.
    pub rebalance_timeout: Duration,
    /// What it said in the group's protocol.
    pub metadata: Bytes,
    /// Its assignment.
    pub assignment: Bytes,
}

impl StoredGroup {
    /// Its bytes.
    pub fn encode(&self) -> Bytes {
        let mut out = Vec::new();
        out.put_u8(VERSION);
        out.put_i32(self.generation);
        out.put_i64(self.since.0);
        put_optional(&mut out, self.protocol_type.as_deref());
        put_optional(&mut out, self.protocol.as_deref());
        put_optional(&mut out, self.leader.as_deref());
        put_length(&mut out, self.members.len());
        for member in &self.members {
            put_text(&mut out, &member.id);
            put_optional(&mut out, member.instance.as_deref());
            put_text(&mut out, &member.client_id);
            put_text(&mut out, &member.client_host);
            out.put_u64(millis(member.session_timeout));
            out.put_u64(millis(member.rebalance_timeout));
            put_bytes(&mut out, &member.metadata);
            put_bytes(&mut out, &member.assignment);
        }
        out.into()
    }

    /// Reads it back.
    pub fn decode(bytes: &Bytes) -> Result<Self, Unreadable> {
        let mut rest = Reader::of_value(bytes)?;
        let mut group = Self {
            generation: rest.i32()?,
            since: Timestamp(rest.i64()?),
            protocol_type: rest.optional()?,
            protocol: rest.optional()?,
            leader: rest.optional()?,
            members: Vec::new(),
        };
        for _ in 0..rest.length()? {
            group.members.push(StoredMember {
                id: rest.text()?,
                instance: rest.optional()?,
                client_id: rest.text()?,
                client_host: rest.text()?,
                session_timeout: Duration::from_millis(rest.u64()?),
                rebalance_timeout: Duration::from_millis(rest.u64()?),
                metadata: rest.bytes()?,
                assignment: rest.bytes()?,
            });
        }
        rest.end()?;
        Ok(group)
    }
}

impl CommittedOffset {
    /// Its bytes.
    pub fn encode(&self) -> Bytes {
        let mut out = Vec::with_capacity(40 + self.metadata.len());
        out.put_u8(VERSION);
        out.put_i64(self.offset);
        out.put_i32(self.leader_epoch);
        put_text(&mut out, &self.metadata);
        out.put_i64(self.committed_at.0);
        out.put_i64(self.expires_at.map_or(-1, |at| at.0));
        out.into()
    }

    /// Reads it back.
    pub fn decode(bytes: &Bytes) -> Result<Self, Unreadable> {
        let mut rest = Reader::of_value(bytes)?;
        let offset = Self {
            offset: rest.i64()?,
            leader_epoch: rest.i32()?,
            metadata: rest.text()?,
            committed_at: Timestamp(rest.i64()?),
            expires_at: Some(rest.i64()?).filter(|at| *at >= 0).map(Timestamp),
        };
        rest.end()?;
        Ok(offset)
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn put_length(out: &mut Vec<u8>, length: usize) {
    out.put_u32(u32::try_from(length).expect("what a record holds came in requests of less than 2 GiB"));
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_length(out, bytes.len());
    out.put_slice(bytes);
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put_bytes(out, text.as_bytes());
}

fn put_optional(out: &mut Vec<u8>, text: Option<&str>) {
    match text {
        None => out.put_u8(0),
        Some(text) => {
            out.put_u8(1);
            put_text(out, text);
        }
    }
}

/// Reads fields, none of which may be missing.
struct Reader(Bytes);

impl Reader {
    fn of_value(bytes: &Bytes) -> Result<Self, Unreadable> {
        let mut reader = Self(bytes.clone());
        match reader.u8()? {
            VERSION => Ok(reader),
            _ => Err(Unreadable("an unknown version")),
        }
    }

    fn take(&mut self, length: usize) -> Result<Bytes, Unreadable> {
        if length > self.0.len() {
            return Err(Unreadable("a field is cut off"));
        }
        Ok(self.0.split_to(length))
    }

    fn u8(&mut self) -> Result<u8, Unreadable> {
        Ok(self.take(1)?.get_u8())
    }

    fn i32(&mut self) -> Result<i32, Unreadable> {
        Ok(self.take(4)?.get_i32())
    }

    fn i64(&mut self) -> Result<i64, Unreadable> {
        Ok(self.take(8)?.get_i64())
    }

    fn u64(&mut self) -> Result<u64, Unreadable> {
        Ok(self.take(8)?.get_u64())
    }

    fn u128(&mut self) -> Result<u128, Unreadable> {
        Ok(self.take(16)?.get_u128())
    }

    fn length(&mut self) -> Result<usize, Unreadable> {
        let length = self.take(4)?.get_u32();
        usize::try_from(length).map_err(|_| Unreadable("a length"))
    }

    /// A copy, so that a few bytes do not keep the batch that they came in.
    fn bytes(&mut self) -> Result<Bytes, Unreadable> {
        let length = self.length()?;
        Ok(Bytes::copy_from_slice(&self.take(length)?))
    }

    fn text(&mut self) -> Result<Arc<str>, Unreadable> {
        let length = self.length()?;
        let bytes = self.take(length)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| Unreadable("a text that is not UTF-8"))?;
        Ok(text.into())
    }

    fn optional(&mut self) -> Result<Option<Arc<str>>, Unreadable> {
        match self.u8()? {
            0 => Ok(None),
            1 => self.text().map(Some),
            _ => Err(Unreadable("neither present nor absent")),
        }
    }

    fn end(&self) -> Result<(), Unreadable> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(Unreadable("bytes after the last field"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group() -> StoredGroup {
        StoredGroup {
            generation: 7,
            since: Timestamp(1_700_000_000_000),
            protocol_type: Some("consumer".into()),
            protocol: Some("range".into()),
            leader: Some("a".into()),
            members: vec![StoredMember {
                id: "a".into(),
                instance: Some("one".into()),
                client_id: "client".into(),
                client_host: "/127.0.0.1".into(),
                session_timeout: Duration::from_secs(45),
                rebalance_timeout: Duration::from_secs(300),
                metadata: Bytes::from_static(b"\0\x01"),
                assignment: Bytes::from_static(b"xyz"),
            }],
        }
    }

    fn key() -> GroupKey {
        GroupKey {
            cluster: ClusterId(3),
            name: "g\u{e9}".into(),
        }
    }

    #[test]
    fn what_is_written_reads_back_and_nothing_shorter_or_longer_does() {
        let partition = PartitionId {
            topic: TopicId(9),
            index: 4,
        };
        for key in [Key::Group(key()), Key::Offset(key(), partition)] {
            let bytes = key.encode();
            assert_eq!(Key::decode(&bytes), Ok(key));
            let longer: Bytes = [&bytes[..], b"x"].concat().into();
            assert!(Key::decode(&longer).is_err());
            assert!((0..bytes.len()).all(|end| Key::decode(&bytes.slice(..end)).is_err()));
        }
        let bytes = group().encode();
        assert_eq!(StoredGroup::decode(&bytes), Ok(group()));
        assert!((0..bytes.len()).all(|end| StoredGroup::decode(&bytes.slice(..end)).is_err()));
        let offset = CommittedOffset {
            offset: 12,
            leader_epoch: 3,
            metadata: "note".into(),
            committed_at: Timestamp(5),
            expires_at: Some(Timestamp(6)),
        };
        let bytes = offset.encode();
        assert_eq!(CommittedOffset::decode(&bytes), Ok(offset));
        assert!((0..bytes.len()).all(|end| CommittedOffset::decode(&bytes.slice(..end)).is_err()));
    }

    #[test]
    fn another_version_is_refused() {
        let mut bytes = group().encode().to_vec();
        bytes[0] = 2;
        assert_eq!(
            StoredGroup::decode(&bytes.into()),
            Err(Unreadable("an unknown version"))
        );
    }
}
