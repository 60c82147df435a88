//! How an entity is written: one way only, since that text is its key in the database, and its id is made of it.

use std::fmt;

use ring::digest::{SHA256, digest};

use super::{Named, QuotaEntity, QuotaKey};
use crate::ids::QuotaId;

impl QuotaEntity {
    /// The same entity as it is stored: an IPv4 address that is written as an IPv6 one is the IPv4 address.
    pub fn canonical(self) -> Self {
        match self {
            Self::Ip(Named::Name(address)) => Self::Ip(Named::Name(address.to_canonical())),
            other => other,
        }
    }

    /// Its id: the first half of the SHA-256 digest of its JSON.
    pub fn id(&self) -> QuotaId {
        let text = serde_json::to_vec(&self.clone().canonical()).expect("an entity is made of texts");
        let hash = digest(&SHA256, &text);
        let (half, _) = hash
            .as_ref()
            .split_first_chunk::<16>()
            .expect("a digest has 32 bytes");
        QuotaId(u128::from_be_bytes(*half))
    }

    /// The keys that it takes.
    pub fn keys(&self) -> &'static [QuotaKey] {
        match self.is_of_clients() {
            true => &[
                QuotaKey::ProducerByteRate,
                QuotaKey::ConsumerByteRate,
                QuotaKey::RequestPercentage,
                QuotaKey::ControllerMutationRate,
            ],
            false => &[QuotaKey::ConnectionCreationRate],
        }
    }

    /// Whether it is about a user or a client id, and not about an address.
    pub fn is_of_clients(&self) -> bool {
        !matches!(self, Self::Ip(_))
    }
}

impl QuotaKey {
    /// Every one.
    pub const ALL: [Self; 5] = [
        Self::ProducerByteRate,
        Self::ConsumerByteRate,
        Self::RequestPercentage,
        Self::ControllerMutationRate,
        Self::ConnectionCreationRate,
    ];

    /// Kafka's name of it.
    pub fn name(self) -> &'static str {
        match self {
            Self::ProducerByteRate => "producer_byte_rate",
            Self::ConsumerByteRate => "consumer_byte_rate",
            Self::RequestPercentage => "request_percentage",
            Self::ControllerMutationRate => "controller_mutation_rate",
            Self::ConnectionCreationRate => "connection_creation_rate",
        }
    }

    /// The key of that name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|key| key.name() == name)
    }
}

impl fmt::Display for QuotaKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl<T: fmt::Display> fmt::Display for Named<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("<default>"),
            Self::Name(name) => write!(f, "'{name}'"),
        }
    }
}

impl fmt::Display for QuotaEntity {
    /// For people: `user 'alice', client-id <default>`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(user) => write!(f, "user {user}"),
            Self::Client(client) => write!(f, "client-id {client}"),
            Self::UserClient(user, client) => write!(f, "user {user}, client-id {client}"),
            Self::Ip(address) => write!(f, "ip {address}"),
        }
    }
}
