//! Certificates that expire within 30 days: those of authorities, of the broker itself, and of clients as they come.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use firn_catalog::audit::Details;
use firn_catalog::ids::{CertificateId, ClusterId};
use firn_catalog::image::{Image, ImageFollower};
use firn_catalog::trust::{AdmittedClient, CertificateFacts};
use firn_runtime::{Env, Timestamp};
use parking_lot::Mutex;
use tracing::warn;

use crate::denials::Denials;
use crate::metrics;
use crate::network::tls::Certificates;

/// How long before its end a certificate expires soon.
const SOON: Duration = Duration::from_secs(30 * 24 * 60 * 60);
const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// How often authorities are looked at.
const PERIOD: Duration = Duration::from_secs(60 * 60);
/// After how many such looks they are told of in the log again.
const TELL_EVERY: u32 = 24;
/// How many authorities are told of at a time.
const MOST_LINES: usize = 100;
/// How many clients' certificates are remembered as told of.
const MOST_TOLD: usize = 10_000;

/// Looks at the authorities of all clusters, and at the broker's own certificate, for as long as the broker serves.
pub(crate) async fn watch(env: Env, images: Arc<ImageFollower>, own: Option<Arc<dyn Certificates>>) {
    let mut look = 0;
    loop {
        let now = env.now();
        look_at_authorities(&images.image(), now, look % TELL_EVERY == 0);
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

fn expires_soon(end: Timestamp, now: Timestamp) -> bool {
    end < now.plus(SOON)
}

fn look_at_authorities(image: &Image, now: Timestamp, tell: bool) {
    let (mut soonest, mut soon) = (None, 0);
    for cluster in image.clusters() {
        let trust = image.access(cluster.id).and_then(|access| access.client_trust());
        for facts in trust.into_iter().flat_map(|trust| trust.authorities()) {
            soonest = Some(soonest.map_or(facts.not_after, |before: Timestamp| before.min(facts.not_after)));
            if !expires_soon(facts.not_after, now) {
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
    }
    if let Some(soonest) = soonest {
        metrics::certificate_expiry("authority", seconds_left(soonest, now));
    }
    metrics::authorities_expiring(soon);
}

/// Tells of clients' certificates that expire soon: each once a day.
#[derive(Default)]
pub(crate) struct Expiring(Mutex<BTreeMap<CertificateId, i64>>);

impl Expiring {
    /// A client came with this certificate.
    pub(crate) fn came(
        &self,
        cluster: ClusterId,
        client: &AdmittedClient,
        now: Timestamp,
        denials: &Denials,
    ) {
        if !expires_soon(client.not_after, now) || !self.is_first_today(client.certificate, now) {
            return;
        }
        metrics::client_certificate_expires_soon();
        let facts = &client.facts;
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
        let principal = format!("User:{}", client.name);
        let id = client.certificate.public();
        denials.event(
            cluster,
            principal,
            "certificate_expires_soon",
            ("certificate", &id),
            details,
        );
    }

    fn is_first_today(&self, certificate: CertificateId, now: Timestamp) -> bool {
        let today = now.0.div_euclid(DAY_MS);
        let mut told = self.0.lock();
        if told.len() >= MOST_TOLD {
            told.retain(|_, day| *day == today);
        }
        // With more of them than are remembered the later ones are not told of today.
        if told.len() >= MOST_TOLD && !told.contains_key(&certificate) {
            return false;
        }
        told.insert(certificate, today) != Some(today)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_told_of_once_a_day_and_not_too_many_are_remembered() {
        let expiring = Expiring::default();
        let day = |number: i64| Timestamp(number * DAY_MS + 5);
        assert!(expiring.is_first_today(CertificateId(1), day(1)));
        assert!(!expiring.is_first_today(CertificateId(1), day(1)));
        assert!(expiring.is_first_today(CertificateId(1), day(2)));
        for number in 2..=MOST_TOLD as u128 + 5 {
            expiring.is_first_today(CertificateId(number), day(2));
        }
        assert_eq!(expiring.0.lock().len(), MOST_TOLD);
        assert!(expiring.is_first_today(CertificateId(1), day(3)));
        assert_eq!(expiring.0.lock().len(), 1);
    }
}
