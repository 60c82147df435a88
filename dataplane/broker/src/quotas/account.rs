//! "Why throttled?": which clients of one cluster wait, or waited lately, by which limit, since when and for how long.
//!
//! Only what makes somebody wait is noted, so clients within their quotas cost nothing. Bounded: a thousand clients and limits;
//! of those that wait no longer, the one that waited longest ago makes way.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use firn_catalog::quota::QuotaKey;
use firn_catalog::quota::throttle::{Limit, Throttle};
use firn_runtime::Timestamp;
use parking_lot::Mutex;

/// How many are kept of one cluster.
const MOST: usize = 1_000;
/// How much of a client id is kept.
const CLIENT_ID_BYTES: usize = 128;
/// Who has not waited for so long waits anew when it next does.
const SPELL: Duration = Duration::from_secs(60);
/// How long one that waits no longer is told of.
const LATELY: Duration = Duration::from_secs(600);

/// What kind of limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Quota(QuotaKey),
    Ingress,
    Egress,
}

impl Kind {
    /// Its name in metrics.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Quota(QuotaKey::ProducerByteRate) => "producer_byte_rate",
            Self::Quota(QuotaKey::ConsumerByteRate) => "consumer_byte_rate",
            Self::Quota(QuotaKey::RequestPercentage) => "request_percentage",
            Self::Quota(QuotaKey::ControllerMutationRate) => "controller_mutation_rate",
            Self::Quota(QuotaKey::ConnectionCreationRate) => "connection_creation_rate",
            Self::Ingress => "cluster_ingress",
            Self::Egress => "cluster_egress",
        }
    }
}

#[derive(PartialEq, Eq, Hash)]
struct Key {
    principal: Arc<str>,
    client_id: Arc<str>,
    kind: Kind,
}

struct Entry {
    limit: Limit,
    since: Timestamp,
    until: Timestamp,
    total: Duration,
    times: u64,
}

/// Who waits in one cluster.
#[derive(Default)]
pub(super) struct Account(Mutex<Entries>);

#[derive(Default)]
struct Entries {
    entries: HashMap<Key, Entry>,
    incomplete: bool,
}

impl Account {
    /// Somebody is told to wait.
    pub(super) fn note(
        &self,
        principal: &Arc<str>,
        client_id: &str,
        (kind, limit): (Kind, Limit),
        now: Timestamp,
        wait: Duration,
    ) {
        let mut account = self.0.lock();
        let key = Key {
            principal: Arc::clone(principal),
            client_id: clipped(client_id).into(),
            kind,
        };
        if !account.entries.contains_key(&key) && !account.make_room(now) {
            account.incomplete = true;
            return;
        }
        let entry = account.entries.entry(key).or_insert_with(|| Entry {
            limit: limit.clone(),
            since: now,
            until: now,
            total: Duration::ZERO,
            times: 0,
        });
        if now.since(entry.until) > SPELL {
            (entry.since, entry.total, entry.times) = (now, Duration::ZERO, 0);
        }
        entry.limit = limit;
        entry.until = entry.until.max(now.plus(wait));
        entry.total = entry.total.saturating_add(wait);
        entry.times += 1;
    }

    /// Who waits, or waited lately, those first who waited last; and whether that is all.
    pub(super) fn told(&self, now: Timestamp) -> (Vec<Throttle>, bool) {
        let mut account = self.0.lock();
        account.forget(now);
        let mut told: Vec<Throttle> = account
            .entries
            .iter()
            .map(|(key, entry)| Throttle {
                principal: key.principal.to_string(),
                client_id: key.client_id.to_string(),
                limit: entry.limit.clone(),
                since_ms: entry.since.0,
                until_ms: entry.until.0,
                total_ms: u64::try_from(entry.total.as_millis()).unwrap_or(u64::MAX),
                times: entry.times,
            })
            .collect();
        told.sort_by(|a, b| {
            let names = || (&a.principal, &a.client_id).cmp(&(&b.principal, &b.client_id));
            b.until_ms.cmp(&a.until_ms).then_with(names)
        });
        (told, account.incomplete)
    }

    /// Whether there is nobody to tell of.
    pub(super) fn is_empty(&self, now: Timestamp) -> bool {
        let mut account = self.0.lock();
        account.forget(now);
        account.entries.is_empty()
    }
}

impl Entries {
    fn forget(&mut self, now: Timestamp) {
        self.entries.retain(|_, entry| now.since(entry.until) <= LATELY);
        self.incomplete &= self.entries.len() >= MOST;
    }

    /// Whether one more can be kept.
    fn make_room(&mut self, now: Timestamp) -> bool {
        if self.entries.len() < MOST {
            return true;
        }
        if self.incomplete {
            // Looked for not long ago in vain; `told` and the idle sweep forget who is gone.
            return false;
        }
        self.forget(now);
        if self.entries.len() < MOST {
            return true;
        }
        let waited = self.entries.values().filter(|entry| entry.until < now);
        let Some(oldest) = waited.map(|entry| entry.until).min() else {
            return false;
        };
        self.entries.retain(|_, entry| entry.until > oldest);
        true
    }
}

/// As much of a client id as is kept.
fn clipped(client_id: &str) -> &str {
    &client_id[..client_id.floor_char_boundary(CLIENT_ID_BYTES)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(account: &Account, client_id: &str, now: i64, wait_ms: u64) {
        let limit = Limit::Ingress { limit: 10, share: 5 };
        account.note(
            &Arc::from("u"),
            client_id,
            (Kind::Ingress, limit),
            Timestamp(now),
            Duration::from_millis(wait_ms),
        );
    }

    #[test]
    fn a_spell_lasts_while_a_client_waits_again_and_again_and_is_told_of_for_ten_minutes() {
        let account = Account::default();
        note(&account, "c", 1_000, 500);
        note(&account, "c", 20_000, 500);
        let (told, _) = account.told(Timestamp(20_100));
        assert_eq!(told.len(), 1);
        assert_eq!(
            (
                told[0].since_ms,
                told[0].until_ms,
                told[0].total_ms,
                told[0].times
            ),
            (1_000, 20_500, 1_000, 2)
        );
        note(&account, "c", 90_000, 100);
        let (told, _) = account.told(Timestamp(90_000));
        assert_eq!(
            (told[0].since_ms, told[0].total_ms),
            (90_000, 100),
            "another spell"
        );
        assert!(account.is_empty(Timestamp(90_100 + 600_001)));
    }

    #[test]
    fn clients_with_ever_new_ids_are_bounded_and_it_is_said_that_some_are_missing() {
        let account = Account::default();
        for number in 0..5_000 {
            note(&account, &format!("{number}{}", "x".repeat(1_000)), 0, 10_000);
        }
        let (told, incomplete) = account.told(Timestamp(1));
        assert_eq!((told.len(), incomplete), (MOST, true));
        assert!(told.iter().all(|one| one.client_id.len() <= CLIENT_ID_BYTES));
        // Once they wait no longer, others take their place.
        let (_, still) = account.told(Timestamp(700_000));
        assert!(!still);
        note(&account, "new", 700_000, 1);
        assert_eq!(account.told(Timestamp(700_000)).0.len(), 1);
    }
}
