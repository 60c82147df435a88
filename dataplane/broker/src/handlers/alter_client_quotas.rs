//! AlterClientQuotas 0-1: the client quotas of the caller's cluster (KIP-546). Each entity is told by itself: one with a mistake
//! anywhere keeps what it has, and the others change. Answered once every broker counts by what is new.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use firn_catalog::acl::Operation;
use firn_catalog::commands::{AlterQuotas, QuotaChanges};
use firn_catalog::quota::{Named, QuotaEntity, QuotaKey};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::alter_client_quotas_request::{EntityData, EntryData, OpData};
use kafka_protocol::messages::alter_client_quotas_response as response;
use kafka_protocol::messages::{AlterClientQuotasRequest, AlterClientQuotasResponse, ApiKey};

use super::describe_client_quotas::{CLIENT_ID, IP, USER, invalid, unknown_key, unknown_type};
use super::text;
use crate::errors::{self, Failure};
use crate::serving::request::RequestContext;

pub(crate) const API: ApiKey = ApiKey::AlterClientQuotas;
pub(crate) const VERSIONS: RangeInclusive<i16> = 0..=1;

/// How long an answer waits until the change is in force everywhere.
const PATIENCE: Duration = Duration::from_secs(2);

/// An entity, and what is to become of its quotas.
type Alteration = (QuotaEntity, QuotaChanges);

pub(crate) async fn handle(
    context: Arc<RequestContext>,
    request: AlterClientQuotasRequest,
) -> AlterClientQuotasResponse {
    let allowed = context.authorize_cluster(&context.serving.image(), Operation::AlterConfigs);
    let outcomes = match allowed {
        Ok(()) => alter(&context, &request).await,
        Err(denied) => {
            let failure = denied.failure(ResponseError::ClusterAuthorizationFailed);
            vec![Err(failure); request.entries.len()]
        }
    };
    let told = request.entries.into_iter().zip(outcomes);
    let entries = told.map(|(entry, outcome)| {
        let failure = outcome.err();
        response::EntryData::default()
            .with_error_code(failure.as_ref().map_or(errors::NONE, Failure::code))
            .with_error_message(failure.map(|failure| text(failure.message)))
            .with_entity(entry.entity.into_iter().map(named_again).collect())
    });
    AlterClientQuotasResponse::default().with_entries(entries.collect())
}

fn named_again(part: EntityData) -> response::EntityData {
    response::EntityData::default()
        .with_entity_type(part.entity_type)
        .with_entity_name(part.entity_name)
}

/// What became of each entry.
async fn alter(context: &RequestContext, request: &AlterClientQuotasRequest) -> Vec<Result<(), Failure>> {
    let (mut outcomes, mut places, mut alterations) = (Vec::new(), Vec::new(), Vec::new());
    for (place, entry) in request.entries.iter().enumerate() {
        outcomes.push(alteration(entry).map(|alteration| {
            places.push(place);
            alterations.push(alteration);
        }));
    }
    if alterations.is_empty() {
        return outcomes;
    }
    let command = AlterQuotas {
        cluster: context.cluster(),
        alterations,
        expected: None,
        validate_only: request.validate_only,
    };
    let failure = |error: &_| errors::of_command(error, ResponseError::ClusterAuthorizationFailed);
    let catalog = &context.serving.catalog;
    match catalog.alter_quotas(&context.actor(), command).await {
        Ok(committed) => {
            for (place, altered) in places.into_iter().zip(committed.value) {
                outcomes[place] = altered.map(|_| ()).map_err(|error| failure(&error));
            }
            if let Some(sequence) = committed.sequence {
                // It will be in force whether or not every broker says so in time.
                catalog.applied_everywhere(sequence, PATIENCE).await;
            }
        }
        Err(error) => {
            for place in places {
                outcomes[place] = Err(failure(&error));
            }
        }
    }
    outcomes
}

fn alteration(entry: &EntryData) -> Result<Alteration, Failure> {
    let entity = entity(&entry.entity)?;
    let op = |op: &OpData| {
        let key = QuotaKey::of_name(&op.key).ok_or_else(|| unknown_key(&op.key))?;
        Ok((key, (!op.remove).then_some(op.value)))
    };
    Ok((entity, entry.ops.iter().map(op).collect::<Result<_, Failure>>()?))
}

fn entity(parts: &[EntityData]) -> Result<QuotaEntity, Failure> {
    let mut named: BTreeMap<&str, Named<String>> = BTreeMap::new();
    for part in parts {
        let kind = part.entity_type.as_str();
        if !matches!(kind, USER | CLIENT_ID | IP) {
            return Err(unknown_type(ResponseError::InvalidRequest, kind));
        }
        let name = part.entity_name.as_ref();
        let name = name.map_or(Named::Default, |name| Named::Name(name.to_string()));
        if named.insert(kind, name).is_some() {
            return Err(invalid(format!("the entity has two parts {kind}")));
        }
    }
    match (named.remove(USER), named.remove(CLIENT_ID), named.remove(IP)) {
        (None, None, None) => Err(invalid("the entity has no part")),
        (Some(user), None, None) => Ok(QuotaEntity::User(user)),
        (None, Some(client), None) => Ok(QuotaEntity::Client(client)),
        (Some(user), Some(client), None) => Ok(QuotaEntity::UserClient(user, client)),
        (None, None, Some(Named::Default)) => Ok(QuotaEntity::Ip(Named::Default)),
        (None, None, Some(Named::Name(text))) => {
            let address = text.parse().map_err(|_| invalid("the ip is not an address"))?;
            Ok(QuotaEntity::Ip(Named::Name(address)))
        }
        (_, _, Some(_)) => Err(invalid("an entity with an ip has no other part")),
    }
}
