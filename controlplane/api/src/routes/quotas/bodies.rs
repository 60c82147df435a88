//! Client quotas as bodies show them.

use std::fmt::Display;
use std::net::IpAddr;

use firn_catalog::ids::ClusterId;
use firn_catalog::quota::{Named, QuotaEntity, QuotaKey, QuotaValues};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::rules::Problem;

/// The client quotas of one entity.
#[derive(Serialize, ToSchema)]
#[schema(as = Quota)]
pub(super) struct QuotaBody {
    /// Its id, which is made of the entity: the same entity has the same id in every cluster.
    #[schema(pattern = "^qta_[a-h][a-z2-7]{25}$")]
    id: String,
    /// The cluster.
    #[schema(pattern = "^clu_[a-h][a-z2-7]{25}$")]
    cluster: String,
    /// Whose they are.
    entity: EntityBody,
    /// How much it may.
    quotas: ValuesBody,
}

impl QuotaBody {
    pub(super) fn of(cluster: ClusterId, entity: &QuotaEntity, quotas: &QuotaValues) -> Self {
        Self {
            id: entity.id().public(),
            cluster: cluster.public(),
            entity: EntityBody::of(entity),
            quotas: ValuesBody::of(quotas),
        }
    }
}

/// Quotas to be set.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WantedQuota)]
pub(super) struct WantedBody {
    /// Whose: a user, a client id, both together, or an address.
    pub(super) entity: EntityBody,
    /// All that it shall have, at least one.
    pub(super) quotas: ValuesBody,
}

/// Whom quotas are for: a user, a client id, a user with a client id, or an IP address.
#[derive(Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = QuotaEntity)]
pub(crate) struct EntityBody {
    /// A user, by the name after `User:`.
    user: Option<NameBody>,
    /// A client id.
    client_id: Option<NameBody>,
    /// An address from which connections come.
    ip: Option<NameBody>,
}

/// A name, or the default for all that have no quota of their own.
#[derive(Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = QuotaName)]
struct NameBody {
    /// The name; null of the default.
    #[schema(min_length = 1, max_length = 255)]
    name: Option<String>,
    /// Whether it is the default.
    #[schema(required = false)]
    default: bool,
}

fn shown<T: Display>(named: &Named<T>) -> NameBody {
    match named {
        Named::Default => NameBody {
            name: None,
            default: true,
        },
        Named::Name(name) => NameBody {
            name: Some(name.to_string()),
            default: false,
        },
    }
}

impl NameBody {
    /// `place`: where it stands in the entity.
    fn read(self, place: &str) -> Result<Named<String>, Problem> {
        match (self.name, self.default) {
            (Some(name), false) => Ok(Named::Name(name)),
            (None, true) => Ok(Named::Default),
            _ => Err(Problem::invalid(
                format!("/entity/{place}"),
                "give either a name or default: true",
            )),
        }
    }
}

impl EntityBody {
    pub(crate) fn of(entity: &QuotaEntity) -> Self {
        let (user, client_id, ip) = match entity {
            QuotaEntity::User(user) => (Some(shown(user)), None, None),
            QuotaEntity::Client(client) => (None, Some(shown(client)), None),
            QuotaEntity::UserClient(user, client) => (Some(shown(user)), Some(shown(client)), None),
            QuotaEntity::Ip(address) => (None, None, Some(shown(address))),
        };
        Self { user, client_id, ip }
    }

    pub(super) fn read(self) -> Result<QuotaEntity, Problem> {
        let user = self.user.map(|name| name.read("user")).transpose()?;
        let client = self.client_id.map(|name| name.read("client_id")).transpose()?;
        let ip = self.ip.map(|name| name.read("ip")).transpose()?;
        match (user, client, ip) {
            (Some(user), None, None) => Ok(QuotaEntity::User(user)),
            (None, Some(client), None) => Ok(QuotaEntity::Client(client)),
            (Some(user), Some(client), None) => Ok(QuotaEntity::UserClient(user, client)),
            (None, None, Some(Named::Default)) => Ok(QuotaEntity::Ip(Named::Default)),
            (None, None, Some(Named::Name(text))) => {
                let address: IpAddr = text
                    .parse()
                    .map_err(|_| Problem::invalid("/entity/ip/name", "it is no IP address"))?;
                Ok(QuotaEntity::Ip(Named::Name(address.to_canonical())))
            }
            (None, None, None) => Err(Problem::invalid("/entity", "it names nobody")),
            (_, _, Some(_)) => Err(Problem::invalid(
                "/entity",
                "an entity with an ip has no user and no client_id",
            )),
        }
    }
}

/// Quotas by Kafka's names. What is null is not limited by this entity.
#[derive(Clone, Copy, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = QuotaValues)]
pub(super) struct ValuesBody {
    /// Bytes a second that are produced to one broker.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_992_i64)]
    producer_byte_rate: Option<f64>,
    /// Bytes a second that are fetched from one broker.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_992_i64)]
    consumer_byte_rate: Option<f64>,
    /// Percent of one processor's time on one broker.
    #[schema(exclusive_minimum = 0)]
    request_percentage: Option<f64>,
    /// Partitions created and deleted a second.
    #[schema(exclusive_minimum = 0)]
    controller_mutation_rate: Option<f64>,
    /// Connections a second to one broker; of an IP address only.
    #[schema(minimum = 1, maximum = 2_147_483_647)]
    connection_creation_rate: Option<f64>,
}

impl ValuesBody {
    fn of(quotas: &QuotaValues) -> Self {
        let of = |key| quotas.get(&key).copied();
        Self {
            producer_byte_rate: of(QuotaKey::ProducerByteRate),
            consumer_byte_rate: of(QuotaKey::ConsumerByteRate),
            request_percentage: of(QuotaKey::RequestPercentage),
            controller_mutation_rate: of(QuotaKey::ControllerMutationRate),
            connection_creation_rate: of(QuotaKey::ConnectionCreationRate),
        }
    }

    pub(super) fn value(&self, key: QuotaKey) -> Option<f64> {
        match key {
            QuotaKey::ProducerByteRate => self.producer_byte_rate,
            QuotaKey::ConsumerByteRate => self.consumer_byte_rate,
            QuotaKey::RequestPercentage => self.request_percentage,
            QuotaKey::ControllerMutationRate => self.controller_mutation_rate,
            QuotaKey::ConnectionCreationRate => self.connection_creation_rate,
        }
    }
}
