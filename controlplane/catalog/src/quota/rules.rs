//! Which quotas may be: names, and the keys and values that each kind of entity takes. Kafka's rules, with bounds.

use std::collections::BTreeSet;

use super::{Named, QuotaEntity, QuotaKey};

/// For how many entities a cluster may have quotas.
pub const MAX_ENTITIES_PER_CLUSTER: i64 = 5_000;
/// How long a user's name or a client id may be.
pub const MAX_NAME_BYTES: usize = 255;
/// What no quota exceeds: all smaller whole numbers are exact.
const HIGHEST: f64 = 9_007_199_254_740_992.0;
/// What a whole number of Kafka's type `INT` may be.
const HIGHEST_INT: f64 = 2_147_483_647.0;

/// Why a quota cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidQuota(pub String);

fn refuse(reason: String) -> Result<(), InvalidQuota> {
    Err(InvalidQuota(reason))
}

/// Refuses names that no quota is kept for.
pub fn check_entity(entity: &QuotaEntity) -> Result<(), InvalidQuota> {
    match entity {
        QuotaEntity::User(user) => check_name("user", user),
        QuotaEntity::Client(client) => check_name("client-id", client),
        QuotaEntity::UserClient(user, client) => {
            check_name("user", user)?;
            check_name("client-id", client)
        }
        QuotaEntity::Ip(_) => Ok(()),
    }
}

fn check_name(what: &str, name: &Named<String>) -> Result<(), InvalidQuota> {
    match name {
        Named::Default => Ok(()),
        Named::Name(name) if name.is_empty() => refuse(format!("the name of the {what} is empty")),
        Named::Name(name) if name.len() > MAX_NAME_BYTES => refuse(format!(
            "the name of the {what} has more than {MAX_NAME_BYTES} bytes"
        )),
        Named::Name(name) if name.chars().any(char::is_control) => {
            refuse(format!("the name of the {what} contains a control character"))
        }
        Named::Name(_) => Ok(()),
    }
}

/// Refuses a key that the entity does not take, and a value that is none.
pub fn check_value(entity: &QuotaEntity, key: QuotaKey, value: f64) -> Result<(), InvalidQuota> {
    check_key(entity, key)?;
    if !value.is_finite() || value <= 0.0 || value > HIGHEST {
        return refuse(format!("{key} must be a number greater than 0 and at most 2^53"));
    }
    let whole = match key {
        QuotaKey::ProducerByteRate | QuotaKey::ConsumerByteRate => HIGHEST,
        QuotaKey::ConnectionCreationRate => HIGHEST_INT,
        QuotaKey::RequestPercentage | QuotaKey::ControllerMutationRate => return Ok(()),
    };
    match value >= 1.0 && value.fract() == 0.0 && value <= whole {
        true => Ok(()),
        false => refuse(format!("{key} must be a whole number from 1 to {whole}")),
    }
}

/// Refuses changes of an entity's quotas that cannot be: a key or a value that it does not take, or the same key twice.
pub(crate) fn check_alteration(
    entity: &QuotaEntity,
    changes: &[(QuotaKey, Option<f64>)],
) -> Result<(), InvalidQuota> {
    let mut named = BTreeSet::new();
    for (key, value) in changes {
        if !named.insert(*key) {
            return refuse(format!("the request names {key} of {entity} twice"));
        }
        match value {
            Some(value) => check_value(entity, *key, *value)?,
            None => check_key(entity, *key)?,
        }
    }
    Ok(())
}

/// Refuses a key that the entity does not take.
fn check_key(entity: &QuotaEntity, key: QuotaKey) -> Result<(), InvalidQuota> {
    if entity.keys().contains(&key) {
        return Ok(());
    }
    refuse(match entity.is_of_clients() {
        true => format!("{key} is a quota of addresses, not of users and client ids"),
        false => format!("{key} is a quota of users and client ids, not of addresses"),
    })
}
