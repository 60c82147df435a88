//! What of a cluster ends soon: certificates of authorities, and credentials.

use std::time::Duration;

use firn_catalog::commands::CredentialId;
use firn_catalog::image::Image;
use firn_runtime::Timestamp;

use super::bodies::{Expiring, Kind};
use crate::routes::topics::Place;
use crate::rules::{Caller, Moment};
use crate::state::Api;

/// How long before its end something ends soon, and for how long after it is told that it has ended.
const SOON: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// How many of a kind are told.
const MOST: usize = 20;

/// What ends soon or has ended, the first to end first. An API key is named as its owner named it, where the caller may see it.
pub(super) async fn soon(api: &Api, caller: &Caller, place: &Place) -> Vec<Expiring> {
    let now = api.env.now();
    let soon = |at: Timestamp| at.since(now) <= SOON && now.since(at) <= SOON;
    let mut expiring = certificates(place, soon);
    expiring.extend(credentials(place, soon, Kind::ScramCredential));
    for mut key in credentials(place, soon, Kind::ApiKey) {
        if let Ok(id) = firn_catalog::ids::ApiKeyId::from_public(&key.id)
            && let Ok(named) = api.catalog.api_key(&caller.actor(), id).await
            && !named.name.is_empty()
        {
            key.name = named.name;
        }
        expiring.push(key);
    }
    expiring.sort_by_key(|one| one.at.0);
    expiring
}

fn first_to_end(mut expiring: Vec<Expiring>) -> Vec<Expiring> {
    expiring.sort_by_key(|one| one.at.0);
    expiring.truncate(MOST);
    expiring
}

fn certificates(place: &Place, soon: impl Fn(Timestamp) -> bool) -> Vec<Expiring> {
    let access = place.image.access(place.cluster);
    let pools = access.into_iter().flat_map(|access| access.ca_pools());
    let certificates = pools.flat_map(|pool| {
        let of_pool = move |facts: firn_catalog::trust::CertificateFacts| Expiring {
            kind: Kind::CaCertificate,
            id: pool.id.public(),
            name: facts.subject,
            at: Moment(facts.not_after),
        };
        pool.body.authorities().map(of_pool)
    });
    first_to_end(certificates.filter(|one| soon(one.at.0)).collect())
}

fn credentials(place: &Place, soon: impl Fn(Timestamp) -> bool, kind: Kind) -> Vec<Expiring> {
    let image: &Image = &place.image;
    let credentials = image.credentials_of(place.cluster).filter_map(|credential| {
        let of_kind = match credential.id {
            CredentialId::ApiKey(_) => kind == Kind::ApiKey,
            CredentialId::Scram(_) => kind == Kind::ScramCredential,
            CredentialId::Session(_)
            | CredentialId::Certificate(_)
            | CredentialId::Token(_)
            | CredentialId::Kerberos => false,
        };
        let at = credential.expires_at.filter(|at| of_kind && soon(*at))?;
        Some(Expiring {
            kind,
            id: credential.id.to_string(),
            name: format!("User:{}", credential.user.name),
            at: Moment(at),
        })
    });
    first_to_end(credentials.collect())
}
