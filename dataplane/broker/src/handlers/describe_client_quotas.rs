//! DescribeClientQuotas 0-1: the client quotas of the caller's cluster (KIP-546). An entity is told if it has all the parts that the
//! filter names, as it names them; with `strict`, and no others.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::sync::Arc;

use firn_catalog::acl::Operation;
use firn_catalog::quota::{Named, QuotaEntity, QuotaValues};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::describe_client_quotas_request::ComponentData;
use kafka_protocol::messages::describe_client_quotas_response::{EntityData, EntryData, ValueData};
use kafka_protocol::messages::{ApiKey, DescribeClientQuotasRequest, DescribeClientQuotasResponse};

use super::text;
use crate::errors::Failure;
use crate::serving::request::RequestContext;

pub(crate) const API: ApiKey = ApiKey::DescribeClientQuotas;
pub(crate) const VERSIONS: RangeInclusive<i16> = 0..=1;

/// What parts of entities are called.
pub(super) const USER: &str = "user";
pub(super) const CLIENT_ID: &str = "client-id";
pub(super) const IP: &str = "ip";

/// How much of a word that means nothing is told back, in characters.
const TOLD: usize = 64;

pub(crate) async fn handle(
    context: Arc<RequestContext>,
    request: DescribeClientQuotasRequest,
) -> DescribeClientQuotasResponse {
    let response = DescribeClientQuotasResponse::default();
    let image = context.serving.image();
    let filter = context
        .authorize_cluster(&image, Operation::DescribeConfigs)
        .map_err(|denied| denied.failure(ResponseError::ClusterAuthorizationFailed))
        .and_then(|()| Filter::of(&request));
    let filter = match filter {
        Ok(filter) => filter,
        Err(failure) => {
            return response
                .with_error_code(failure.code())
                .with_error_message(Some(text(failure.message)))
                .with_entries(None);
        }
    };
    let quotas = image.quotas(context.cluster());
    let found = quotas
        .into_iter()
        .flat_map(|quotas| quotas.iter())
        .filter(|(entity, _)| filter.takes(entity))
        .map(|(entity, quotas)| entry(entity, quotas));
    response
        .with_error_message(None)
        .with_entries(Some(found.collect()))
}

fn entry(entity: &QuotaEntity, quotas: &QuotaValues) -> EntryData {
    let value = |(key, value): (&firn_catalog::quota::QuotaKey, &f64)| {
        ValueData::default().with_key(text(key.name())).with_value(*value)
    };
    let entity = Parts::of(entity).told();
    EntryData::default()
        .with_entity(
            entity
                .map(|(kind, name)| {
                    EntityData::default()
                        .with_entity_type(text(kind))
                        .with_entity_name(name.map(text))
                })
                .collect(),
        )
        .with_values(quotas.iter().map(value).collect())
}

/// An entity's parts, each by itself.
struct Parts<'a> {
    user: Option<&'a Named<String>>,
    client: Option<&'a Named<String>>,
    address: Option<&'a Named<IpAddr>>,
}

impl<'a> Parts<'a> {
    fn of(entity: &'a QuotaEntity) -> Self {
        let (user, client, address) = match entity {
            QuotaEntity::User(user) => (Some(user), None, None),
            QuotaEntity::Client(client) => (None, Some(client), None),
            QuotaEntity::UserClient(user, client) => (Some(user), Some(client), None),
            QuotaEntity::Ip(address) => (None, None, Some(address)),
        };
        Self {
            user,
            client,
            address,
        }
    }

    /// Their kinds and names; the default has none.
    fn told(self) -> impl Iterator<Item = (&'static str, Option<String>)> {
        [
            self.user.map(|user| (USER, name(user))),
            self.client.map(|client| (CLIENT_ID, name(client))),
            self.address.map(|address| (IP, name(address))),
        ]
        .into_iter()
        .flatten()
    }
}

fn name<T: Display>(named: &Named<T>) -> Option<String> {
    match named {
        Named::Default => None,
        Named::Name(name) => Some(name.to_string()),
    }
}

/// What a part must be.
enum Wanted<T> {
    This(T),
    Default,
    Any,
}

impl<T: PartialEq> Wanted<T> {
    fn takes(&self, part: &Named<T>) -> bool {
        match (self, part) {
            (Self::This(wanted), Named::Name(name)) => wanted == name,
            (Self::Default, Named::Default) | (Self::Any, _) => true,
            (Self::This(_), Named::Default) | (Self::Default, Named::Name(_)) => false,
        }
    }
}

struct Filter {
    user: Option<Wanted<String>>,
    client: Option<Wanted<String>>,
    /// Of text that is no address, `None` inside: no entity has it.
    address: Option<Option<Wanted<IpAddr>>>,
    strict: bool,
}

impl Filter {
    fn of(request: &DescribeClientQuotasRequest) -> Result<Self, Failure> {
        let mut components = BTreeMap::new();
        for component in &request.components {
            let kind = component.entity_type.as_str();
            if !matches!(kind, USER | CLIENT_ID | IP) {
                return Err(unknown_type(ResponseError::UnsupportedVersion, kind));
            }
            if components.insert(kind, wanted(component)?).is_some() {
                return Err(invalid(format!("the filter names {kind} twice")));
            }
        }
        let address = components.remove(IP);
        if address.is_some() && !components.is_empty() {
            return Err(invalid("no entity has an ip and anything else"));
        }
        Ok(Self {
            user: components.remove(USER),
            client: components.remove(CLIENT_ID),
            address: address.map(|wanted| match wanted {
                Wanted::This(text) => {
                    let address = text.parse::<IpAddr>().ok()?;
                    Some(Wanted::This(address.to_canonical()))
                }
                Wanted::Default => Some(Wanted::Default),
                Wanted::Any => Some(Wanted::Any),
            }),
            strict: request.strict,
        })
    }

    fn takes(&self, entity: &QuotaEntity) -> bool {
        let parts = Parts::of(entity);
        let address = match &self.address {
            None => None,
            Some(Some(wanted)) => Some(wanted),
            Some(None) => return false,
        };
        self.takes_part(self.user.as_ref(), parts.user)
            && self.takes_part(self.client.as_ref(), parts.client)
            && self.takes_part(address, parts.address)
    }

    fn takes_part<T: PartialEq>(&self, wanted: Option<&Wanted<T>>, part: Option<&Named<T>>) -> bool {
        match (wanted, part) {
            (Some(wanted), Some(part)) => wanted.takes(part),
            (Some(_), None) => false,
            (None, Some(_)) => !self.strict,
            (None, None) => true,
        }
    }
}

fn wanted(component: &ComponentData) -> Result<Wanted<String>, Failure> {
    match (component.match_type, &component._match) {
        (0, Some(name)) => Ok(Wanted::This(name.to_string())),
        (0, None) => Err(invalid("an exact match needs a name")),
        (1, None) => Ok(Wanted::Default),
        (2, None) => Ok(Wanted::Any),
        (1 | 2, Some(_)) => Err(invalid("only an exact match has a name")),
        (other, _) => Err(invalid(format!("no type of match has the number {other}"))),
    }
}

pub(super) fn invalid(message: impl Into<String>) -> Failure {
    Failure::new(ResponseError::InvalidRequest, message)
}

/// The refusal of a kind of entity that there is not.
pub(super) fn unknown_type(error: ResponseError, kind: &str) -> Failure {
    let kind: String = kind.chars().take(TOLD).collect();
    Failure::new(
        error,
        format!("no quota is kept for entities of type '{kind}': there are {USER}, {CLIENT_ID} and {IP}"),
    )
}

/// The refusal of a key that there is not.
pub(super) fn unknown_key(key: &str) -> Failure {
    let key: String = key.chars().take(TOLD).collect();
    invalid(format!("there is no quota '{key}'"))
}
