//! Ids, epochs and positions as types, so that one cannot be taken for another.
//!
//! 128-bit ids are random and never reused. They print, and are stored, as 32 lower-case hexadecimal digits.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A text that is not an id: not 32 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not an id: expected 32 hexadecimal digits")]
pub struct InvalidId(pub String);

macro_rules! id128 {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u128);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:032x}", self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({:032x})"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                if text.len() != 32 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
                    return Err(InvalidId(text.to_owned()));
                }
                u128::from_str_radix(text, 16).map(Self).map_err(|_| InvalidId(text.to_owned()))
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

id128! {
    /// An organization: who signs up and pays.
    OrganizationId;
    /// A project inside an organization.
    ProjectId;
    /// A virtual Kafka cluster.
    ClusterId;
    /// A topic. Everything behind name resolution goes by this id; a name means something only in its cluster.
    TopicId;
    /// One life of a broker process. Owns one write-ahead log; never reused.
    IncarnationId;
    /// An object in the object store, named before it is uploaded.
    ObjectId;
    /// One row of the audit trail.
    AuditId;
}

macro_rules! number {
    ($($(#[$doc:meta])* $name:ident($inner:ty);)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

number! {
    /// The stable number of a broker, as Kafka clients see it.
    NodeId(i32);
    /// A record's position in its partition: 0, 1, 2, ... Never negative.
    Offset(i64);
    /// How often the leadership of a partition has changed hands; every change adds one (KIP-101).
    LeaderEpoch(i32);
    /// A register of a write-ahead log: 0, 1, 2, ... Written once.
    Slot(u64);
    /// The position of a change in a cell's metadata feed; the first change is 1.
    FeedSequence(i64);
}

impl Offset {
    /// The offset `records` after this one.
    pub fn plus(self, records: i64) -> Self {
        Self(self.0 + records)
    }
}

impl LeaderEpoch {
    /// The epoch of the next leader.
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl Slot {
    /// The slot after this one.
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// One partition of a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PartitionId {
    /// The topic.
    pub topic: TopicId,
    /// The partition's number in its topic, from 0.
    pub index: i32,
}

impl fmt::Display for PartitionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.topic, self.index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_from_its_text_and_nothing_else_does() {
        let id = TopicId(0x0123_4567_89ab_cdef_0011_2233_4455_6677);
        assert_eq!(id.to_string().parse::<TopicId>(), Ok(id));
        assert_eq!(
            serde_json::to_string(&id).unwrap(),
            "\"0123456789abcdef0011223344556677\""
        );
        assert!("0123".parse::<TopicId>().is_err());
        assert!("+123456789abcdef0011223344556677".len() == 32);
        assert!("+123456789abcdef0011223344556677".parse::<TopicId>().is_err());
    }
}
