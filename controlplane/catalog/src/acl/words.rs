//! The words of ACLs, as rows, REST and people write them: lower case, with underscores.

use std::fmt;
use std::str::FromStr;

use super::{Effect, Operation, PatternType, ResourceType};

/// A word that names no such thing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{word}' is none of: {known}")]
pub struct UnknownWord {
    /// The word.
    pub word: String,
    /// Those that are.
    pub known: String,
}

macro_rules! words {
    ($($type:ident { $($variant:ident $word:literal),* $(,)? })*) => {$(
        impl $type {
            /// Every one, in the order of Kafka's numbers.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// Its word.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }

            /// The one of a number of Kafka's protocol.
            pub fn of_number(number: i8) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| i8::try_from(*one as u8) == Ok(number))
            }

            /// Its number in Kafka's protocol.
            pub fn number(self) -> i8 {
                i8::try_from(self as u8).expect("these numbers are small")
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }

        impl FromStr for $type {
            type Err = UnknownWord;

            fn from_str(word: &str) -> Result<Self, UnknownWord> {
                let found = Self::ALL.iter().copied().find(|one| one.name() == word);
                found.ok_or_else(|| UnknownWord {
                    word: word.to_owned(),
                    known: Self::ALL.iter().map(|one| one.name()).collect::<Vec<_>>().join(", "),
                })
            }
        }
    )*};
}

words! {
    Operation {
        All "all", Read "read", Write "write", Create "create", Delete "delete", Alter "alter", Describe "describe",
        ClusterAction "cluster_action", DescribeConfigs "describe_configs", AlterConfigs "alter_configs",
        IdempotentWrite "idempotent_write", CreateTokens "create_tokens", DescribeTokens "describe_tokens",
    }
    ResourceType {
        Topic "topic", Group "group", Cluster "cluster", TransactionalId "transactional_id", User "user",
    }
    PatternType { Literal "literal", Prefixed "prefixed" }
    Effect { Deny "deny", Allow "allow" }
}
