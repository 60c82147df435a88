//! Which quota counts for a client, by Kafka's precedence, and who shares it.
//!
//! From the closest to the widest: (user, client id), (user, default client id), user, (default user, client id), (default user,
//! default client id), default user, client id, default client id. Each key is looked up by itself: an entity that says nothing of
//! a key is passed over. Asking costs at most six look-ups in hash tables and allocates nothing; the tables are made once for each
//! state, by whoever asks first.

#![expect(
    clippy::disallowed_types,
    reason = "users, client ids and addresses are looked up; nothing walks over them"
)]

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use rpds::RedBlackTreeMapSync;

use super::{Named, QuotaEntity, QuotaKey, QuotaValues};

/// The quotas of one cluster.
#[derive(Clone, Debug, Default)]
pub struct ClusterQuotas {
    entities: RedBlackTreeMapSync<QuotaEntity, Arc<QuotaValues>>,
    /// Made when somebody first asks; another state has another.
    compiled: OnceLock<Arc<Compiled>>,
}

impl PartialEq for ClusterQuotas {
    fn eq(&self, other: &Self) -> bool {
        self.entities == other.entities
    }
}

/// The quota that counts for a client.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Applied<'a> {
    /// How much.
    pub value: f64,
    /// Whose quota says so.
    pub entity: &'a QuotaEntity,
    /// Who shares it: what all clients of this cluster with an equal bucket do is counted together.
    pub bucket: Bucket<'a>,
}

/// Clients of a cluster that share a quota. A quota for the default is not shared by all whom it is for: each has as much.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bucket<'a> {
    /// All clients of a user.
    User(&'a str),
    /// All clients with an id, whoever their users are.
    Client(&'a str),
    /// A user's clients with an id.
    UserClient(&'a str, &'a str),
    /// All connections from an address.
    Ip(IpAddr),
}

impl Bucket<'_> {
    /// The same, kept: the entity that names those who share.
    pub fn to_entity(self) -> QuotaEntity {
        let name = |name: &str| Named::Name(name.to_owned());
        match self {
            Self::User(user) => QuotaEntity::User(name(user)),
            Self::Client(client) => QuotaEntity::Client(name(client)),
            Self::UserClient(user, client) => QuotaEntity::UserClient(name(user), name(client)),
            Self::Ip(address) => QuotaEntity::Ip(Named::Name(address)),
        }
    }
}

impl ClusterQuotas {
    /// Whether there is none at all.
    pub fn is_empty(&self) -> bool {
        self.entities.is_empty()
    }

    /// For how many entities there are quotas.
    pub fn len(&self) -> usize {
        self.entities.size()
    }

    /// All of them, in the order of the entities.
    pub fn iter(&self) -> impl Iterator<Item = (&QuotaEntity, &Arc<QuotaValues>)> {
        self.entities.iter()
    }

    /// The quotas of one entity.
    pub fn get(&self, entity: &QuotaEntity) -> Option<&Arc<QuotaValues>> {
        self.entities.get(entity)
    }

    /// What counts for a client of a user (the name after `User:`) with a client id (empty: it has none).
    pub fn of<'a>(&'a self, user: &'a str, client_id: &'a str, key: QuotaKey) -> Option<Applied<'a>> {
        if self.is_empty() {
            return None;
        }
        let compiled = self.compiled();
        let levels = [
            compiled.users.get(user).map(|of_user| (of_user, true)),
            Some((&compiled.default_user, true)),
            Some((&compiled.without_user, false)),
        ];
        levels.into_iter().flatten().find_map(|(of_user, named)| {
            let with_client = of_user
                .clients
                .get(client_id)
                .and_then(|quotas| quotas.value(key))
                .or_else(|| of_user.default_client.value(key));
            if let Some((value, entity)) = with_client {
                let bucket = match named {
                    true => Bucket::UserClient(user, client_id),
                    false => Bucket::Client(client_id),
                };
                return Some(Applied {
                    value,
                    entity,
                    bucket,
                });
            }
            let (value, entity) = of_user.any_client.value(key)?;
            let bucket = Bucket::User(user);
            Some(Applied {
                value,
                entity,
                bucket,
            })
        })
    }

    /// What counts for connections from an address.
    pub fn of_address(&self, address: IpAddr) -> Option<Applied<'_>> {
        if self.is_empty() {
            return None;
        }
        let address = address.to_canonical();
        let compiled = self.compiled();
        let key = QuotaKey::ConnectionCreationRate;
        let own = compiled.addresses.get(&address).and_then(|own| own.value(key));
        let (value, entity) = own.or_else(|| compiled.default_address.value(key))?;
        Some(Applied {
            value,
            entity,
            bucket: Bucket::Ip(address),
        })
    }

    /// Puts the quotas of an entity in place of those that it had; without any, it has none.
    pub(crate) fn put(&mut self, entity: QuotaEntity, quotas: QuotaValues) {
        self.compiled = OnceLock::new();
        match quotas.is_empty() {
            true => {
                self.entities.remove_mut(&entity);
            }
            false => {
                self.entities.insert_mut(entity, Arc::new(quotas));
            }
        }
    }

    fn compiled(&self) -> &Compiled {
        self.compiled
            .get_or_init(|| Arc::new(Compiled::of(&self.entities)))
    }
}

/// The quotas as they are asked for.
#[derive(Debug, Default)]
struct Compiled {
    users: HashMap<Box<str>, OfUser>,
    default_user: OfUser,
    /// Those of client ids, whoever the user is.
    without_user: OfUser,
    addresses: HashMap<IpAddr, Slot>,
    default_address: Slot,
}

/// The quotas of a user's clients.
#[derive(Debug, Default)]
struct OfUser {
    clients: HashMap<Box<str>, Slot>,
    default_client: Slot,
    any_client: Slot,
}

impl OfUser {
    fn slot(&mut self, client: &Named<String>) -> &mut Slot {
        match client {
            Named::Default => &mut self.default_client,
            Named::Name(client) => self.clients.entry(client.as_str().into()).or_default(),
        }
    }
}

/// The quotas of one entity, if there are any.
#[derive(Debug, Default)]
struct Slot(Option<(QuotaEntity, Arc<QuotaValues>)>);

impl Slot {
    fn value(&self, key: QuotaKey) -> Option<(f64, &QuotaEntity)> {
        let (entity, quotas) = self.0.as_ref()?;
        quotas.get(&key).map(|value| (*value, entity))
    }
}

impl Compiled {
    fn of(entities: &RedBlackTreeMapSync<QuotaEntity, Arc<QuotaValues>>) -> Self {
        let mut compiled = Self::default();
        for (entity, quotas) in entities {
            let slot = match entity {
                QuotaEntity::User(user) => &mut compiled.user(user).any_client,
                QuotaEntity::UserClient(user, client) => compiled.user(user).slot(client),
                QuotaEntity::Client(client) => compiled.without_user.slot(client),
                QuotaEntity::Ip(Named::Default) => &mut compiled.default_address,
                QuotaEntity::Ip(Named::Name(address)) => compiled.addresses.entry(*address).or_default(),
            };
            *slot = Slot(Some((entity.clone(), Arc::clone(quotas))));
        }
        compiled
    }

    fn user(&mut self, user: &Named<String>) -> &mut OfUser {
        match user {
            Named::Default => &mut self.default_user,
            Named::Name(user) => self.users.entry(user.as_str().into()).or_default(),
        }
    }
}
