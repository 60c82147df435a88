//! How many passwords may be tried, asked before any is hashed.
//!
//! A login takes a token from up to three buckets, in this order; the first that is empty refuses it, and then the later ones lose
//! nothing:
//!
//! 1. the *pair* of address and email: 10 quick ones, then one in 6 s. Somebody who tries one account again and again is stopped
//!    here, and costs others behind the same address nothing.
//! 2. the *address*: 100 quick ones, then 5 each second. Somebody who tries many accounts is stopped here.
//! 3. the *email*: 50 quick ones, then one each second, however many addresses they come from.
//!
//! The second and third could lock out the owner of an account because of what strangers do. So a pair that has logged in
//! before has its own bucket and no other: only whoever sits at the owner's own address can empty it. Where a request shows a
//! device on which this email has logged in, the pair is that of device and email: nobody else can empty it, and it is known after
//! a restart too. A login that succeeds gives its tokens back. IPv6 addresses count by their /64, which is what one customer gets.
//!
//! Memory is bounded. Each table has two generations; when the young one is full, or so old that every bucket in it is full
//! again, it becomes the old one, and what nobody has touched since the change before is forgotten.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::time::Duration;

use firn_catalog::ids::OrganizationId;
use parking_lot::Mutex;
use tokio::time::Instant;

use super::device::Device;

/// How many entries a generation has at most.
const ENTRIES: usize = 50_000;

/// How fast and how often.
#[derive(Clone, Copy)]
struct Rate {
    quick: f64,
    each_second: f64,
}

const PAIR: Rate = Rate {
    quick: 10.0,
    each_second: 1.0 / 6.0,
};
const ADDRESS: Rate = Rate {
    quick: 100.0,
    each_second: 5.0,
};
const EMAIL: Rate = Rate {
    quick: 50.0,
    each_second: 1.0,
};
/// Mails to one address that strangers can ask for: 5 quick ones, then one in 5 minutes.
const MAIL: Rate = Rate {
    quick: 5.0,
    each_second: 1.0 / 300.0,
};

/// Invitations that an organization mails: 50 in a day.
const INVITATION: Rate = Rate {
    quick: 50.0,
    each_second: 50.0 / 86_400.0,
};

/// Where a request comes from: an IPv4 address, or the /64 of an IPv6 one. Unknown addresses are one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Origin(u64);

impl Origin {
    pub(crate) fn of(address: Option<IpAddr>) -> Self {
        let address = address.map(|address| address.to_canonical());
        Self(match address {
            None => 0,
            // No /64 that is routed begins with 64 bits of which the upper 32 are zero.
            Some(IpAddr::V4(address)) => u64::from(address.to_bits()),
            Some(IpAddr::V6(address)) => u64::try_from(address.to_bits() >> 64).unwrap_or(u64::MAX),
        })
    }
}

/// Where a login comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    origin: Origin,
    device: Option<Device>,
}

/// What of a place counts: the device if it is known, else the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Seat {
    /// An address.
    Origin(Origin),
    /// A device.
    Device(Device),
}

impl Place {
    /// An address, and a device that the email of the login has logged in on.
    pub(crate) fn of(origin: Origin, device: Option<Device>) -> Self {
        Self { origin, device }
    }

    fn seat(self) -> Seat {
        self.device.map_or(Seat::Origin(self.origin), Seat::Device)
    }
}

impl From<Origin> for Place {
    fn from(origin: Origin) -> Self {
        Self::of(origin, None)
    }
}

/// A table that forgets what was not touched for one to two generations.
struct Generations<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
    since: Instant,
    life: Duration,
    entries: usize,
}

impl<K: Hash + Eq, V> Generations<K, V> {
    fn new(life: Duration, entries: usize) -> Self {
        Self {
            young: HashMap::new(),
            old: HashMap::new(),
            since: Instant::now(),
            life,
            entries,
        }
    }

    fn get(&self, key: &K) -> Option<&V> {
        self.young.get(key).or_else(|| self.old.get(key))
    }

    /// The entry, which is young then.
    fn touch(&mut self, key: K, new: impl FnOnce() -> V, now: Instant) -> &mut V {
        let full = self.young.len() >= self.entries && !self.young.contains_key(&key);
        if full || now.duration_since(self.since) >= self.life {
            self.old = std::mem::take(&mut self.young);
            self.since = now;
        }
        let before = self.old.remove(&key);
        self.young
            .entry(key)
            .or_insert_with(|| before.unwrap_or_else(new))
    }
}

#[derive(Clone, Copy)]
struct Bucket {
    tokens: f64,
    at: Instant,
}

struct Buckets<K> {
    rate: Rate,
    table: Generations<K, Bucket>,
}

impl<K: Hash + Eq> Buckets<K> {
    fn new(rate: Rate) -> Self {
        let refill = Duration::from_secs_f64(rate.quick / rate.each_second);
        Self {
            rate,
            table: Generations::new(refill, ENTRIES),
        }
    }

    fn tokens(&self, key: &K, now: Instant) -> f64 {
        match self.table.get(key) {
            Some(bucket) => {
                let more = now.duration_since(bucket.at).as_secs_f64() * self.rate.each_second;
                (bucket.tokens + more).min(self.rate.quick)
            }
            None => self.rate.quick,
        }
    }

    /// How long until there is a token; `None`: there is one.
    fn wait(&self, key: &K, now: Instant) -> Option<Duration> {
        let missing = 1.0 - self.tokens(key, now);
        (missing > 0.0).then(|| Duration::from_secs_f64(missing / self.rate.each_second))
    }

    fn add(&mut self, key: K, change: f64, now: Instant) {
        let tokens = (self.tokens(&key, now) + change).clamp(0.0, self.rate.quick);
        let bucket = Bucket { tokens, at: now };
        *self.table.touch(key, || bucket, now) = bucket;
    }
}

type Pair = (Seat, String);

struct Tables {
    pairs: Buckets<Pair>,
    addresses: Buckets<Origin>,
    emails: Buckets<String>,
    mails: Buckets<String>,
    invitations: Buckets<OrganizationId>,
    known: Generations<Pair, ()>,
}

/// The buckets of all logins of this process.
pub(crate) struct LoginThrottle {
    tables: Mutex<Tables>,
}

/// A login that may be tried.
pub(crate) struct Attempt {
    place: Place,
    pub(crate) email: String,
    /// Whether this pair has logged in before.
    pub(crate) known: bool,
}

impl Attempt {
    /// The address that it comes from.
    pub(crate) fn origin(&self) -> Origin {
        self.place.origin
    }

    /// What of where it comes from counts.
    pub(crate) fn seat(&self) -> Seat {
        self.place.seat()
    }
}

impl LoginThrottle {
    pub(crate) fn new() -> Self {
        let tables = Tables {
            pairs: Buckets::new(PAIR),
            addresses: Buckets::new(ADDRESS),
            emails: Buckets::new(EMAIL),
            mails: Buckets::new(MAIL),
            invitations: Buckets::new(INVITATION),
            known: Generations::new(Duration::from_secs(30 * 24 * 60 * 60), ENTRIES),
        };
        Self {
            tables: Mutex::new(tables),
        }
    }

    /// Takes the tokens of a login, or says how long to wait.
    pub(crate) fn admit(&self, place: impl Into<Place>, email: &str) -> Result<Attempt, Duration> {
        let (place, now) = (place.into(), Instant::now());
        let origin = place.origin;
        let tables = &mut *self.tables.lock();
        let pair = (place.seat(), email.to_owned());
        let known = place.device.is_some() || tables.known.get(&pair).is_some();
        let attempt = Attempt {
            place,
            email: email.to_owned(),
            known,
        };
        if let Some(wait) = tables.pairs.wait(&pair, now) {
            return Err(wait);
        }
        if !known {
            if let Some(wait) = tables.addresses.wait(&origin, now) {
                return Err(wait);
            }
            if let Some(wait) = tables.emails.wait(&attempt.email, now) {
                return Err(wait);
            }
            tables.addresses.add(origin, -1.0, now);
            tables.emails.add(attempt.email.clone(), -1.0, now);
        }
        tables.pairs.add(pair, -1.0, now);
        Ok(attempt)
    }

    /// The login succeeded: its tokens come back, and the pair is known from now on.
    pub(crate) fn succeeded(&self, attempt: Attempt) {
        let now = Instant::now();
        {
            let tables = &mut *self.tables.lock();
            if !attempt.known {
                tables.addresses.add(attempt.place.origin, 1.0, now);
                tables.emails.add(attempt.email.clone(), 1.0, now);
            }
            let pair = (attempt.seat(), attempt.email.clone());
            tables.pairs.add(pair, 1.0, now);
            let pair = (Seat::Origin(attempt.origin()), attempt.email);
            tables.known.touch(pair, || (), now);
        }
    }

    /// Takes a token of an address for work that hashes or mails: signups, tokens.
    pub(crate) fn admit_address(&self, origin: Origin) -> Result<(), Duration> {
        let now = Instant::now();
        let tables = &mut *self.tables.lock();
        match tables.addresses.wait(&origin, now) {
            Some(wait) => Err(wait),
            None => {
                tables.addresses.add(origin, -1.0, now);
                Ok(())
            }
        }
    }

    /// Whether one more mail that strangers ask for may go to this address.
    pub(crate) fn may_mail(&self, email: &str) -> bool {
        let now = Instant::now();
        let tables = &mut *self.tables.lock();
        let allowed = tables.mails.wait(&email.to_owned(), now).is_none();
        if allowed {
            tables.mails.add(email.to_owned(), -1.0, now);
        }
        allowed
    }

    /// Takes a token of an organization's invitations, and one of the mails to the address: both, or none.
    pub(crate) fn admit_invitation(&self, organization: OrganizationId, email: &str) -> Result<(), Duration> {
        let now = Instant::now();
        let tables = &mut *self.tables.lock();
        let email = email.to_owned();
        let waits = [
            tables.invitations.wait(&organization, now),
            tables.mails.wait(&email, now),
        ];
        if let Some(wait) = waits.into_iter().flatten().max() {
            return Err(wait);
        }
        tables.invitations.add(organization, -1.0, now);
        tables.mails.add(email, -1.0, now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(text: &str) -> Origin {
        Origin::of(Some(text.parse().unwrap()))
    }

    #[tokio::test(start_paused = true)]
    async fn a_pair_has_ten_quick_tries_and_then_one_in_six_seconds() {
        let throttle = LoginThrottle::new();
        let home = origin("192.0.2.1");
        for _ in 0..10 {
            assert!(throttle.admit(home, "ada").is_ok());
        }
        let wait = throttle.admit(home, "ada").err().unwrap();
        assert!((5.9..=6.0).contains(&wait.as_secs_f64()), "{wait:?}");
        assert!(
            throttle.admit(home, "bob").is_ok(),
            "another account, same address"
        );
        tokio::time::advance(Duration::from_millis(6_001)).await;
        assert!(throttle.admit(home, "ada").is_ok());
        assert!(throttle.admit(home, "ada").is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn ten_thousand_wrong_ones_of_one_pair_leave_its_neighbours_alone() {
        let throttle = LoginThrottle::new();
        let office = origin("192.0.2.1");
        let admitted = (0..10_000)
            .filter(|_| throttle.admit(office, "ada").is_ok())
            .count();
        assert_eq!(admitted, 10);
        for number in 0..80 {
            assert!(throttle.admit(office, &format!("neighbour {number}")).is_ok());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_that_tries_many_accounts_is_slowed_down() {
        let throttle = LoginThrottle::new();
        let admitted = (0..10_000).filter(|number| {
            throttle
                .admit(origin("192.0.2.1"), &format!("victim {number}"))
                .is_ok()
        });
        assert_eq!(admitted.count(), 100);
        tokio::time::advance(Duration::from_secs(1)).await;
        let more = (0..100).filter(|number| {
            throttle
                .admit(origin("192.0.2.1"), &format!("other {number}"))
                .is_ok()
        });
        assert_eq!(more.count(), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn an_owner_who_has_logged_in_from_there_is_never_locked_out_by_others() {
        let throttle = LoginThrottle::new();
        let home = origin("192.0.2.1");
        throttle.succeeded(throttle.admit(home, "ada").unwrap());
        for number in 0..1_000_u32 {
            let elsewhere = origin(&std::net::Ipv4Addr::from_bits(0x0a00_0000 + number).to_string());
            let _ = throttle.admit(elsewhere, "ada");
            let _ = throttle.admit(home, &format!("victim {number}"));
        }
        assert!(
            throttle.admit(origin("198.51.100.1"), "ada").is_err(),
            "the email is under attack"
        );
        assert!(throttle.admit(home, "somebody new").is_err(), "so is the address");
        assert!(throttle.admit(home, "ada").is_ok_and(|attempt| attempt.known));
    }

    #[tokio::test(start_paused = true)]
    async fn a_device_has_a_bucket_of_its_own_that_neighbours_do_not_empty() {
        let throttle = LoginThrottle::new();
        let office = origin("192.0.2.1");
        for number in 0..1_000 {
            let _ = throttle.admit(office, "ada");
            let _ = throttle.admit(office, &format!("victim {number}"));
        }
        assert!(throttle.admit(office, "ada").is_err());
        let device = |number| Place::of(office, Some(Device(number)));
        let tries = (0..50).filter(|_| throttle.admit(device(1), "ada").is_ok());
        assert_eq!(tries.count(), 10, "its own tries are counted");
        assert!(
            throttle
                .admit(device(2), "ada")
                .is_ok_and(|attempt| attempt.known)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn an_organization_mails_fifty_invitations_a_day_and_few_to_one_address() {
        let throttle = LoginThrottle::new();
        let (one, other) = (OrganizationId(1), OrganizationId(2));
        let to_ada = (0..10).filter(|_| throttle.admit_invitation(one, "ada").is_ok());
        assert_eq!(to_ada.count(), 5);
        let to_all = (0..1_000).filter(|number| {
            throttle
                .admit_invitation(one, &format!("person {number}"))
                .is_ok()
        });
        assert_eq!(to_all.count(), 45);
        assert!(throttle.admit_invitation(other, "person 0").is_ok());
        assert!(
            throttle.admit_invitation(other, "ada").is_err(),
            "whoever invites"
        );
        tokio::time::advance(Duration::from_secs(24 * 60 * 60)).await;
        assert!(throttle.admit_invitation(one, "ada").is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn success_gives_tokens_back() {
        let throttle = LoginThrottle::new();
        for _ in 0..1_000 {
            throttle.succeeded(throttle.admit(origin("192.0.2.1"), "ada").unwrap());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn memory_is_bounded() {
        let throttle = LoginThrottle::new();
        for number in 0..200_000_u32 {
            let address = origin(&std::net::Ipv4Addr::from_bits(number + 1).to_string());
            let _ = throttle.admit(address, &number.to_string());
        }
        let tables = throttle.tables.lock();
        let held = tables.pairs.table.young.len() + tables.pairs.table.old.len();
        assert!(held <= 2 * ENTRIES, "{held}");
    }

    #[test]
    fn an_ipv6_customer_is_one_origin() {
        assert_eq!(origin("2001:db8:1:2::1"), origin("2001:db8:1:2:ffff::9"));
        assert_ne!(origin("2001:db8:1:2::1"), origin("2001:db8:1:3::1"));
        assert_eq!(origin("::ffff:192.0.2.1"), origin("192.0.2.1"));
    }
}
