//! Client quotas and the limits of clusters, enforced.
//!
//! | module | what is in it |
//! |---|---|
//! | [`bucket`] | a token bucket that lends |
//! | [`book`] | what is kept of one cluster: buckets, its part of the limits |
//! | [`memo`] | what a connection knows of its quotas |
//! | [`reserved`] | what a Fetch request may read, while it does |
//! | [`account`] | "why throttled?": who waits, by what, since when |
//! | [`sharing`] | how brokers share the limits of a cluster |
//!
//! As in Kafka (KIP-13, KIP-219): a request is handled and answered at once, the answer says how long the client is to wait, and its
//! connection is not read from meanwhile. Produce is charged by the bytes of its request, before its answer, and takes effect whatever the quota;
//! further ones, on any connection, are not started while more than [`BACKLOG`] is unpaid, as in Kafka those of a muted connection are
//! not, but for no longer than [`LONGEST_HOLD`], since clients give up.
//! A Fetch request of a client in debt gets no records. One that reads holds what it may read until it is answered, and is charged by
//! the bytes of the records that it gets. Byte
//! quotas are charged for no other API, so whoever is over them goes on with heartbeats and commits on the connection to
//! its coordinator. `request_percentage` is charged for every request by the time in which it kept a processor busy (waiting for
//! records or for durability costs nothing). `controller_mutation_rate` is charged by partitions made and
//! deleted; from the versions of KIP-599 on, who is in debt is refused with error 89, before them only made to wait.
//! `connection_creation_rate` is charged once it is known in which cluster a connection is: one that is too many waits up to
//! five seconds after its login, and is closed if that would not do.
//!
//! What is in the image counts from the next request on. What the control plane asks for somebody is charged to nobody.

mod account;
mod book;
mod bucket;
mod memo;
mod reserved;
mod sharing;

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use firn_catalog::commands::Principal;
use firn_catalog::entities::ClusterLimits;
use firn_catalog::ids::{ClusterId, IncarnationId};
use firn_catalog::image::{Image, ImageFollower};
use firn_catalog::quota::throttle::{Limit, Throttles};
use firn_catalog::quota::{Applied, Bucket, QuotaKey};
use firn_runtime::Env;
use kafka_protocol::messages::ApiKey;
use parking_lot::{Mutex, RwLock};
use tokio::time::Instant;

use self::account::Kind;
use self::book::{Book, Form, Whose};
use self::bucket::{Nanos, Rate};
use self::memo::{Held, Known};
use self::sharing::Heard;
pub use memo::Memo;
pub use reserved::Reserved;
pub(crate) use sharing::Demand;

use crate::metrics;
use crate::seams::{Admission, Caller, Portion, Quotas, Usage};

/// For how many seconds bytes may be saved up: with it no window of 30 s has more than a tenth too much.
const BYTES_BURST: f64 = 1.0;
/// For how many seconds processor time may be saved up, and how much debt of it is remembered.
const REQUEST_BURST: f64 = 1.0;
const REQUEST_DEBT: f64 = 10.0;
/// The longest wait for processor time, as in Kafka.
const REQUEST_WAIT: Duration = Duration::from_secs(1);
/// For how many seconds changes of topics may be saved up: Kafka's eleven samples of a second.
const MUTATION_BURST: f64 = 11.0;
/// For how many seconds connections may be saved up.
const CONNECTION_BURST: f64 = 1.0;
/// The debt that is remembered otherwise.
const DEBT: f64 = 900.0;
/// How long a connection that is one too many may have to wait.
const CONNECTION_WAIT: Duration = Duration::from_secs(5);

/// How much may be unpaid for a Produce request to be started.
const BACKLOG: Duration = Duration::from_secs(1);
/// How long a Produce request is held back at most: clients give up on one after 30 s.
const LONGEST_HOLD: Nanos = 25 * 1_000_000_000;

/// The quotas and limits of all clusters at one broker.
pub(crate) struct Ledger {
    env: Env,
    images: Arc<ImageFollower>,
    own: IncarnationId,
    opened: Instant,
    hashes: RandomState,
    books: RwLock<HashMap<ClusterId, Arc<Book>>>,
    heard: Mutex<Heard>,
}

impl Ledger {
    /// An empty one, of this broker.
    pub(crate) fn new(env: Env, images: Arc<ImageFollower>, own: IncarnationId) -> Self {
        Self {
            env,
            images,
            own,
            opened: Instant::now(),
            hashes: RandomState::new(),
            books: RwLock::default(),
            heard: Mutex::default(),
        }
    }

    fn now(&self) -> Nanos {
        Nanos::try_from(self.opened.elapsed().as_nanos()).unwrap_or(Nanos::MAX)
    }

    fn book(&self, cluster: ClusterId) -> Arc<Book> {
        if let Some(book) = self.books.read().get(&cluster) {
            return Arc::clone(book);
        }
        Arc::clone(self.books.write().entry(cluster).or_default())
    }

    fn held(&self, book: &Book, (key, user): (QuotaKey, &str), applied: Applied<'_>, now: Nanos) -> Held {
        let whose = self.whose(applied.bucket, user);
        Held {
            key,
            value: applied.value,
            entity: applied.entity.clone(),
            rate: rate_of(key, applied.value),
            bucket: book.bucket(key, whose, now),
        }
    }

    fn whose(&self, bucket: Bucket<'_>, user: &str) -> Whose {
        let owner = self.hashes.hash_one(bucket);
        let (form, asks) = match bucket {
            Bucket::User(_) => (Form::User, owner),
            Bucket::Client(_) => (Form::Client, self.hashes.hash_one(Bucket::User(user))),
            Bucket::UserClient(user, _) => (Form::UserClient, self.hashes.hash_one(Bucket::User(user))),
            Bucket::Ip(_) => (Form::Address, owner),
        };
        Whose { form, owner, asks }
    }

    /// The memo of a connection, as it is right for this request.
    fn known<'m>(&self, slot: &'m mut Option<Known>, caller: &Caller<'_>, now: Nanos) -> &'m mut Known {
        let image = self.images.image();
        let client_id = match caller.client_id {
            None => 0,
            Some(id) => self.hashes.hash_one(id),
        };
        let holds = |known: &mut Known| {
            known.client_id == client_id
                && known.cluster == caller.cluster
                && known.principal == *caller.principal
                && known.holds_in(&image)
        };
        if !slot.as_mut().is_some_and(holds) {
            *slot = None;
        }
        slot.get_or_insert_with(|| self.find(&image, caller, client_id, now))
    }

    fn find(&self, image: &Image, caller: &Caller<'_>, client_id: u64, now: Nanos) -> Known {
        let book = self.book(caller.cluster);
        set_limits(&book, image, caller.cluster, image.brokers().count());
        let name = name_of(caller.principal);
        let quotas = image.quotas(caller.cluster);
        let held = |key| {
            let applied = quotas?.of(&name, caller.client_id.unwrap_or(""), key)?;
            Some(self.held(&book, (key, &name), applied, now))
        };
        let requesting = held(QuotaKey::RequestPercentage);
        caller.memo.time(requesting.is_some());
        Known {
            at: image.sequence(),
            limits: image.cluster(caller.cluster).cloned(),
            access: image.access(caller.cluster).cloned(),
            cluster: caller.cluster,
            principal: caller.principal.clone(),
            client_id,
            producing: held(QuotaKey::ProducerByteRate),
            consuming: held(QuotaKey::ConsumerByteRate),
            requesting,
            changing: held(QuotaKey::ControllerMutationRate),
            name,
            book,
        }
    }

    /// Notes that a client is told to wait.
    fn note(&self, known: &Known, client_id: Option<&str>, told: Told<'_>) -> Duration {
        let Told { wait, by: Some(by) } = told else {
            return Duration::ZERO;
        };
        let (kind, limit) = match by {
            By::Quota(held) => (Kind::Quota(held.key), limit_of(held)),
            By::Ingress => {
                let (limit, share) = known.book.ingress.limit();
                (Kind::Ingress, Limit::Ingress { limit, share })
            }
            By::Egress => {
                let (limit, share) = known.book.egress.limit();
                (Kind::Egress, Limit::Egress { limit, share })
            }
        };
        metrics::throttled_by(known.cluster, kind.name(), wait);
        let client_id = client_id.unwrap_or("");
        let account = &known.book.account;
        account.note(&known.name, client_id, (kind, limit), self.env.now(), wait);
        wait
    }

    /// "Why throttled?": who waits in a cluster at this broker.
    pub(crate) fn throttles(&self, cluster: ClusterId) -> Throttles {
        let book = self.books.read().get(&cluster).map(Arc::clone);
        let told = book.map(|book| book.account.told(self.env.now()));
        let (throttles, incomplete) = told.unwrap_or_default();
        Throttles {
            throttles,
            incomplete,
            ..Throttles::default()
        }
    }

    /// Another broker says what is wanted of it. Whether it is one of the cell's.
    pub(crate) fn hear(
        &self,
        from: IncarnationId,
        demands: impl IntoIterator<Item = (ClusterId, Demand)>,
    ) -> bool {
        let known = from != self.own && self.images.image().broker(from).is_some();
        if known {
            self.heard.lock().hear(from, demands, self.now());
        }
        known
    }

    /// A turn of about a second is over: what is wanted of this broker, for the others; and the shares anew. Now and then what is
    /// idle is forgotten.
    pub(crate) fn turn(&self, since_last: Duration) -> Vec<(ClusterId, Demand)> {
        let (now, image) = (self.now(), self.images.image());
        let others: Vec<IncarnationId> = image
            .brokers()
            .map(|broker| broker.id)
            .filter(|id| *id != self.own)
            .collect();
        let mut heard = self.heard.lock();
        heard.retain(&others);
        let seconds = since_last.as_secs_f64().max(0.1);
        let mut wanted = Vec::new();
        for (cluster, book) in self.books.read().iter() {
            set_limits(book, &image, *cluster, 1 + others.len());
            let own = Demand {
                ingress: book.ingress.turn(seconds),
                egress: book.egress.turn(seconds),
            };
            let (demands, unheard) = heard.of(*cluster, &others, now);
            let of = |way: fn(&Demand) -> f64| demands.iter().map(way).collect::<Vec<f64>>();
            book.ingress.share_with(&of(|demand| demand.ingress), unheard);
            book.egress.share_with(&of(|demand| demand.egress), unheard);
            if own != Demand::default() {
                wanted.push((*cluster, own));
            }
        }
        drop(heard);
        self.forget_idle(now);
        wanted
    }

    fn forget_idle(&self, now: Nanos) {
        let at = self.env.now();
        let idle = |book: &Arc<Book>| book.sweep(now) && book.account.is_empty(at);
        let idle: Vec<ClusterId> = {
            let books = self.books.read();
            let idle = books.iter().filter(|(_, book)| idle(book));
            idle.map(|(cluster, _)| *cluster).collect()
        };
        if !idle.is_empty() {
            let mut books = self.books.write();
            // One that a connection has taken up meanwhile stays.
            books.retain(|cluster, book| Arc::strong_count(book) > 1 || !idle.contains(cluster));
        }
    }
}

/// What the image says of a cluster's limits.
fn set_limits(book: &Book, image: &Image, cluster: ClusterId, brokers: usize) {
    let limits = image.cluster(cluster).map(|cluster| &cluster.limits);
    let limits = limits.unwrap_or(&ClusterLimits::HIGHEST);
    book.ingress.set_limit(limits.ingress, brokers);
    book.egress.set_limit(limits.egress, brokers);
}

/// What makes a client wait.
enum By<'a> {
    Quota(&'a Held),
    Ingress,
    Egress,
}

/// The longest wait so far, and by what.
struct Told<'a> {
    wait: Duration,
    by: Option<By<'a>>,
}

impl<'a> Told<'a> {
    fn none() -> Self {
        Self {
            wait: Duration::ZERO,
            by: None,
        }
    }

    fn at_least(&mut self, wait: Duration, by: By<'a>) {
        if wait > self.wait {
            (self.wait, self.by) = (wait, Some(by));
        }
    }
}

impl Quotas for Ledger {
    fn charge(&self, caller: Caller<'_>, usage: &Usage) -> Duration {
        let now = self.now();
        let mut slot = caller.memo.known.lock();
        let known = &*self.known(&mut slot, &caller, now);
        let mut told = Told::none();
        match usage.api {
            ApiKey::Produce => {
                told.at_least(known.book.ingress.take(usage.produced_bytes, now), By::Ingress);
                if let Some(held) = &known.producing {
                    let wait = held.bucket.take(usage.request_bytes as f64, held.rate, now);
                    told.at_least(wait, By::Quota(held));
                }
            }
            ApiKey::Fetch => {
                known.book.egress.take(usage.fetched_bytes, now);
                if let Some(held) = &known.consuming {
                    held.bucket.take(usage.fetched_bytes as f64, held.rate, now);
                }
            }
            _ => {
                // Topics that Metadata makes are made or not; nobody waits for them.
                let wait = caller.memo.take_changed();
                if let Some(held) = known.changing.as_ref().filter(|_| usage.api != ApiKey::Metadata) {
                    told.at_least(wait, By::Quota(held));
                }
            }
        }
        if let Some(held) = &known.requesting {
            let spent = caller.memo.take_spent();
            let wait = held.bucket.take(spent as f64, held.rate, now);
            told.at_least(wait.min(REQUEST_WAIT), By::Quota(held));
        }
        self.note(known, caller.client_id, told)
    }

    fn backlog(&self, memo: &Memo, cluster: ClusterId) -> Duration {
        let mut slot = memo.known.lock();
        let known = slot.as_mut().filter(|known| known.cluster == cluster);
        let debt = match known {
            Some(known) if known.producing.is_none() && !known.book.ingress.is_limited() => {
                return Duration::ZERO;
            }
            Some(known) => {
                let now = self.now();
                let held = match known.producing.is_some() && !known.holds_in(&self.images.image()) {
                    true => None,
                    false => known.producing.as_ref(),
                };
                let own = held.map_or(Duration::ZERO, |held| held.bucket.debt(held.rate, now));
                known.book.ingress.debt(now).max(own)
            }
            None => {
                let book = self.books.read().get(&cluster).map(Arc::clone);
                book.map_or(Duration::ZERO, |book| book.ingress.debt(self.now()))
            }
        };
        drop(slot);
        let wait = debt.saturating_sub(BACKLOG);
        // 0 is never.
        let now = self.now().max(1);
        if wait.is_zero() || now - memo.hold_back(now) >= LONGEST_HOLD {
            memo.let_go();
            return Duration::ZERO;
        }
        wait
    }

    fn before_fetch(&self, caller: Caller<'_>, wanted: usize) -> Portion {
        let now = self.now();
        let mut slot = caller.memo.known.lock();
        let known = &*self.known(&mut slot, &caller, now);
        let mut told = Told::none();
        told.at_least(known.book.egress.debt(now), By::Egress);
        let mut most = known.book.egress.portion();
        if let Some(held) = &known.consuming {
            told.at_least(held.bucket.debt(held.rate, now), By::Quota(held));
            let portion = (held.value / 4.0) as usize;
            most = Some(most.map_or(portion, |most| most.min(portion)));
        }
        match self.note(known, caller.client_id, told) {
            Duration::ZERO => match most {
                Some(most) => Portion::AtMost(most, Some(Reserved::of(known, most.min(wanted), now))),
                None => Portion::AtMost(usize::MAX, None),
            },
            wait => Portion::Later(wait),
        }
    }

    fn change(&self, caller: Caller<'_>, partitions: u64, strict: bool) -> bool {
        let now = self.now();
        let mut slot = caller.memo.known.lock();
        let known = self.known(&mut slot, &caller, now);
        let Some(held) = &known.changing else {
            return true;
        };
        let debt = held.bucket.debt(held.rate, now);
        if strict && !debt.is_zero() {
            caller.memo.wait_for_change(debt);
            return false;
        }
        let debt = held.bucket.take(partitions as f64, held.rate, now);
        if !strict {
            caller.memo.wait_for_change(debt);
        }
        true
    }

    fn connect(&self, cluster: ClusterId, principal: &Principal, address: IpAddr) -> Admission {
        let (now, image) = (self.now(), self.images.image());
        let applied = image
            .quotas(cluster)
            .and_then(|quotas| quotas.of_address(address));
        let Some(applied) = applied else {
            return Admission::Now;
        };
        let book = self.book(cluster);
        let held = self.held(&book, (QuotaKey::ConnectionCreationRate, ""), applied, now);
        let debt = held.bucket.debt(held.rate, now);
        let admission = match debt > CONNECTION_WAIT {
            true => Admission::Refused,
            false => match held.bucket.take(1.0, held.rate, now) {
                Duration::ZERO => return Admission::Now,
                wait => Admission::After(wait),
            },
        };
        let wait = match admission {
            Admission::After(wait) => wait,
            Admission::Now | Admission::Refused => debt,
        };
        let kind = Kind::Quota(held.key);
        metrics::throttled_by(cluster, kind.name(), wait);
        let who = name_of(principal);
        book.account
            .note(&who, "", (kind, limit_of(&held)), self.env.now(), wait);
        admission
    }
}

fn limit_of(held: &Held) -> Limit {
    Limit::Quota {
        entity: held.entity.clone(),
        key: held.key,
        value: held.value,
    }
}

fn rate_of(key: QuotaKey, value: f64) -> Rate {
    let (per_second, burst_seconds, most_debt_seconds) = match key {
        QuotaKey::ProducerByteRate | QuotaKey::ConsumerByteRate => (value, BYTES_BURST, DEBT),
        // Percent of a second to nanoseconds.
        QuotaKey::RequestPercentage => (value * 1e7, REQUEST_BURST, REQUEST_DEBT),
        QuotaKey::ControllerMutationRate => (value, MUTATION_BURST, DEBT),
        QuotaKey::ConnectionCreationRate => (value, CONNECTION_BURST, DEBT),
    };
    let burst_seconds = match key {
        // One connection may always come at once, however low the rate.
        QuotaKey::ConnectionCreationRate => burst_seconds.max(1.0 / value),
        _ => burst_seconds,
    };
    Rate {
        per_second,
        burst_seconds,
        most_debt_seconds,
    }
}

/// The name after `User:`.
fn name_of(principal: &Principal) -> Arc<str> {
    match principal {
        Principal::User(user) => Arc::clone(&user.name),
        Principal::Dev { .. } => "ANONYMOUS".into(),
        Principal::Cell | Principal::Person(_) | Principal::ServiceAccount(_) => "".into(),
    }
}
