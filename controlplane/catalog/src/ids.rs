//! Ids, epochs and positions as types, so that one cannot be taken for another.
//!
//! 128-bit ids are random and never reused. They print, and are stored, as 32 lower-case hexadecimal digits. What people and
//! programs outside see of some of them is the public form: a prefix that says what it is, `_`, and 26 characters of base32.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A text that is not an id of the kind that is wanted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not such an id")]
pub struct InvalidId(pub String);

macro_rules! id128 {
    ($($(#[$doc:meta])* $name:ident $($prefix:literal)?;)*) => {$(
        $(impl $name {
            /// What its public form begins with, before the `_`.
            pub const PREFIX: &str = $prefix;

            /// The form that people and programs outside see.
            pub fn public(self) -> String {
                public::write(Self::PREFIX, self.0)
            }

            /// Reads the public form.
            pub fn from_public(text: &str) -> Result<Self, InvalidId> {
                public::read(Self::PREFIX, text).map(Self).ok_or_else(|| InvalidId(text.to_owned()))
            }
        })?

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
    OrganizationId "org";
    /// A project inside an organization.
    ProjectId "prj";
    /// A virtual Kafka cluster.
    ClusterId "clu";
    /// A person, who may be a member of several organizations.
    PersonId "per";
    /// A login of a person.
    SessionId "ses";
    /// A principal that is a program.
    ServiceAccountId "sa";
    /// An API key of a service account.
    ApiKeyId "key";
    /// A SCRAM credential: a user name of a cluster with one password.
    ScramCredentialId "scr";
    /// A role that somebody has somewhere.
    BindingId "rol";
    /// An invitation into an organization.
    InvitationId "inv";
    /// An identity provider through which people of an organization log in.
    LoginProviderId "idp";
    /// An identity at a login provider that is linked to a person: made of both.
    LinkedLoginId "lgn";
    /// A certificate authority, or several, whose clients a cluster trusts.
    CaPoolId "cap";
    /// An identity provider whose tokens a cluster trusts.
    IdentityProviderId "iss";
    /// A binding of Kafka's ACLs, made of all that it says.
    AclId "acl";
    /// Whom a client quota is for: made of all that names the entity.
    QuotaId "qta";
    /// A client's certificate: the first half of the SHA-256 digest of its DER encoding.
    CertificateId "crt";
    /// Work that goes on after its request was answered.
    OperationId "op";
    /// A topic. Everything behind name resolution goes by this id; a name means something only in its cluster.
    TopicId;
    /// One life of a broker process. Owns one write-ahead log; never reused.
    IncarnationId;
    /// An object in the object store, named before it is uploaded.
    ObjectId;
    /// One row of the audit trail.
    AuditId "aud";
}

mod public {
    //! 128 bits as 26 characters of lower-case base32 (RFC 4648's alphabet, without padding) behind a prefix.

    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    const CHARACTERS: usize = 26;

    pub(super) fn write(prefix: &str, id: u128) -> String {
        let mut text = String::with_capacity(prefix.len() + 1 + CHARACTERS);
        text.push_str(prefix);
        text.push('_');
        // 26 characters hold 130 bits: the first one has only the three highest.
        for position in (0..CHARACTERS).rev() {
            let index = (id >> (5 * position)) & 31;
            text.push(char::from(ALPHABET[usize::try_from(index).expect("five bits")]));
        }
        text
    }

    pub(super) fn read(prefix: &str, text: &str) -> Option<u128> {
        let digits = text.strip_prefix(prefix)?.strip_prefix('_')?.as_bytes();
        if digits.len() != CHARACTERS {
            return None;
        }
        let mut id = 0_u128;
        for (place, digit) in digits.iter().enumerate() {
            let value = ALPHABET.iter().position(|known| known == digit)?;
            if place == 0 && value > 7 {
                return None;
            }
            id = (id << 5) | u128::try_from(value).ok()?;
        }
        Some(id)
    }
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

    #[test]
    fn a_public_id_says_what_it_is_and_has_one_spelling() {
        for id in [0, 1, 31, 32, u128::MAX, 0x0123_4567_89ab_cdef_0011_2233_4455_6677] {
            let text = ClusterId(id).public();
            assert_eq!(text.len(), "clu_".len() + 26, "{text}");
            assert_eq!(ClusterId::from_public(&text), Ok(ClusterId(id)));
            assert!(ProjectId::from_public(&text).is_err());
            assert!(ClusterId::from_public(&text.to_uppercase()).is_err());
        }
        assert!(
            ClusterId::from_public(&format!("clu_{}", "7".repeat(26))).is_err(),
            "130 bits"
        );
        assert!(ClusterId::from_public("clu_").is_err());
    }
}
