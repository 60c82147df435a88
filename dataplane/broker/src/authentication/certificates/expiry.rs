//! Certificates that expire within 30 days: those of authorities, of the broker itself, and of clients as they come. One whose whole life
//! is shorter is renewed by something that needs nobody to tell it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use firn_catalog::audit::Details;
use firn_catalog::ids::{CertificateId, ClusterId};
use firn_catalog::image::{Image, ImageFollower};
use firn_catalog::trust::{AdmittedClient, CertificateFacts};
use firn_runtime::{Env, Timestamp};
use parking_lot::Mutex;
use tokio::time::Instant;
use tracing::{info, warn};

use crate::denials::Denials;
use crate::metrics;
use crate::network::tls::Certificates;
use crate::sampling::Sampled;
use crate::serving::request::Identity;

/// How long before its end a certificate expires soon.
const SOON: Duration = Duration::from_secs(30 * 24 * 60 * 60);
const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// How often authorities are looked at.
const PERIOD: Duration = Duration::from_secs(60 * 60);
/// After how many such looks they are told of in the log again.
const TELL_EVERY: u32 = 24;
/// How many authorities are told of at a time.
const MOST_LINES: usize = 100;
/// How many clients' certificates of a cluster are told of in a day.
const MOST_TOLD: usize = 1_000;

/// Looks at the authorities of all clusters, and at the broker's own certificate, for as long as the broker serves.
pub(crate) async fn watch(env: Env, images: Arc<ImageFollower>, own: Option<Arc<dyn Certificates>>) {
    let mut look = 0;
    loop {
        let now = env.now();
        look_at_authorities(&images.image(), now, look % TELL_EVERY == 0).await;
        let own = own.as_ref().map(|own| own.current());
        let own = own
            .as_ref()
            .and_then(|own| CertificateFacts::read(own.cert.first()?));
        if let Some(own) = own {
            metrics::certificate_expiry("server", seconds_left(own.not_after, now));
        }
        look += 1;
        tokio::time::sleep(PERIOD).await;
    }
}

fn seconds_left(end: Timestamp, now: Timestamp) -> i64 {
    (end.0 - now.0) / 1000
}

/// Whether a certificate expires soon that lets somebody in until `end`.
fn expires_soon(facts: &CertificateFacts, end: Timestamp, now: Timestamp) -> bool {
    end < now.plus(SOON) && facts.not_after.since(facts.not_before) >= SOON
}

async fn look_at_authorities(image: &Image, now: Timestamp, tell: bool) {
    let (mut soonest, mut soon) = (None, 0);
    for cluster in image.clusters() {
        let Some(access) = image.access(cluster.id) else {
            continue;
        };
        for facts in access.ca_pools().flat_map(|pool| pool.body.authorities()) {
            soonest = Some(soonest.map_or(facts.not_after, |before: Timestamp| before.min(facts.not_after)));
            if !expires_soon(&facts, facts.not_after, now) {
                continue;
            }
            soon += 1;
            if tell && soon <= MOST_LINES {
                let days = seconds_left(facts.not_after, now).div_euclid(24 * 60 * 60);
                let (cluster, subject, serial) = (cluster.id.public(), &facts.subject, &facts.serial);
                warn!(
                    cluster,
                    ?subject,
                    serial,
                    days,
                    "the certificate of an authority expires soon"
                );
            }
        }
        tokio::task::yield_now().await;
    }
    if let Some(soonest) = soonest {
        metrics::certificate_expiry("authority", seconds_left(soonest, now));
    }
    metrics::authorities_expiring(soon);
}

/// Which were told of on a day.
#[derive(Default)]
struct Told {
    day: i64,
    of_clusters: BTreeMap<ClusterId, BTreeSet<CertificateId>>,
}

/// Tells of clients' certificates that expire soon: each once a day, and not more than a few a second in the log.
#[derive(Default)]
pub(crate) struct Expiring {
    told: Mutex<Told>,
    logged: Sampled,
}

impl Expiring {
    /// A client came with this certificate, and is `identity` now.
    pub(crate) fn came(
        &self,
        connection: u64,
        identity: &Identity,
        client: &AdmittedClient,
        now: Timestamp,
        denials: &Denials,
    ) {
        if !expires_soon(&client.facts, client.not_after, now)
            || !self.is_first_today(identity.cluster, client.certificate, now)
        {
            return;
        }
        metrics::client_certificate_expires_soon();
        let facts = &client.facts;
        if let Some(passed_over) = self.logged.take(Instant::now()) {
            let (cluster, address) = (identity.cluster.public(), identity.address);
            let (subject, serial) = (&facts.subject, &facts.serial);
            let days = seconds_left(client.not_after, now).div_euclid(24 * 60 * 60);
            info!(
                connection,
                %address,
                cluster,
                ?subject,
                serial,
                days,
                passed_over,
                "a client certificate expires soon"
            );
        }
        let details = [
            ("subject", facts.subject.as_str().into()),
            ("serial", facts.serial.as_str().into()),
            ("fingerprint", facts.fingerprint.as_str().into()),
            ("not_after_ms", client.not_after.0.into()),
        ];
        let details: Details = details
            .map(|(name, value)| (name.to_owned(), value))
            .into_iter()
            .collect();
        let id = client.certificate.public();
        denials.event(
            identity,
            "certificate_expires_soon",
            ("certificate", &id),
            details,
        );
    }

    fn is_first_today(&self, cluster: ClusterId, certificate: CertificateId, now: Timestamp) -> bool {
        let day = now.0.div_euclid(DAY_MS);
        let mut told = self.told.lock();
        if told.day != day {
            *told = Told {
                day,
                of_clusters: BTreeMap::new(),
            };
        }
        let told = told.of_clusters.entry(cluster).or_default();
        told.len() < MOST_TOLD && told.insert(certificate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_told_of_once_a_day_and_not_too_many_are_remembered() {
        let expiring = Expiring::default();
        let (cluster, other) = (ClusterId(1), ClusterId(2));
        let day = |number: i64| Timestamp(number * DAY_MS + 5);
        let first = |cluster, id, number| expiring.is_first_today(cluster, CertificateId(id), day(number));
        assert!(first(cluster, 1, 1));
        assert!(!first(cluster, 1, 1));
        assert!(first(cluster, 1, 2));
        for id in 2..=MOST_TOLD as u128 {
            assert!(first(cluster, id, 2));
        }
        assert!(!first(cluster, 0, 2), "as many of the cluster as are told of");
        assert!(first(other, 1, 2), "another has its own");
        assert!(first(cluster, 1, 3));
        assert_eq!(expiring.told.lock().of_clusters.len(), 1);
    }

    #[test]
    fn what_lives_shorter_than_it_would_be_told_of_is_not() {
        let now = Timestamp(1_000 * DAY_MS);
        let living = |from: i64, to: i64| CertificateFacts {
            subject: String::new(),
            issuer: String::new(),
            serial: String::new(),
            fingerprint: String::new(),
            not_before: Timestamp(from * DAY_MS),
            not_after: Timestamp(to * DAY_MS),
        };
        for (facts, soon) in [
            (living(900, 1_010), true),
            (living(900, 990), true),
            (living(900, 1_031), false),
            (living(999, 1_001), false),
            (living(990, 1_019), false),
            (living(990, 1_020), true),
        ] {
            assert_eq!(expires_soon(&facts, facts.not_after, now), soon, "{facts:?}");
        }
    }
}
