//! Equal denials are one row with a count, and a cluster has only so many rows a minute: what is above that is counted in one row.
//!
//! Rows leave the book when they are taken to be written. A row that is in it is the one that equal denials are counted in, and
//! so each id that was handed out is that of a row.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use firn_catalog::audit::{BrokerEvent, Details};
use firn_catalog::commands::CredentialId;
use firn_catalog::ids::{AuditId, ClusterId};
use firn_runtime::Timestamp;

/// The span in which a cluster has so many rows of its own.
const MINUTE: Duration = Duration::from_secs(60);
/// How many rows wait in all.
const MOST_ROWS: usize = 10_000;
/// How much of a name is kept, in characters. No name that exists is longer.
const MAX_NAME: usize = 255;
/// What rows that stand for many say of who, and of what.
const EVERYBODY: &str = "User:*";
const OTHERS: &str = "others";

/// What sort of row it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Sort {
    /// Somebody was not allowed to do something.
    Authorization,
    /// Somebody could not prove who they are.
    Authentication,
    /// Something happened.
    Event,
}

impl Sort {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Authorization => "authorization",
            Self::Authentication => "authentication",
            Self::Event => "event",
        }
    }

    /// How many rows of it a cluster has in a minute, beside the one for all others. Strangers get fewer.
    pub(super) fn most(self) -> usize {
        match self {
            Self::Authorization => 100,
            Self::Authentication => 20,
            Self::Event => 50,
        }
    }
}

/// What is counted: two that are equal are one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Denied {
    pub(super) cluster: ClusterId,
    pub(super) sort: Sort,
    pub(super) principal: String,
    pub(super) credential: Option<CredentialId>,
    pub(super) address: Option<IpAddr>,
    pub(super) action: &'static str,
    pub(super) kind: &'static str,
    pub(super) resource: String,
    pub(super) details: Details,
}

impl std::hash::Hash for Denied {
    /// Details that differ alone are rare: they need not differ here.
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        let Self {
            cluster,
            sort,
            principal,
            credential,
            address,
            action,
            kind,
            resource,
            details: _,
        } = self;
        (
            cluster, sort, principal, credential, address, action, kind, resource,
        )
            .hash(state);
    }
}

/// How often something was denied.
#[derive(Debug)]
struct Counted {
    id: AuditId,
    request: String,
    first: Timestamp,
    last: Timestamp,
    count: u64,
}

impl Counted {
    fn new(id: AuditId, request: String, now: Timestamp) -> Self {
        Self {
            id,
            request,
            first: now,
            last: now,
            count: 0,
        }
    }

    fn again(&mut self, now: Timestamp) -> AuditId {
        self.count += 1;
        self.last = self.last.max(now);
        self.id
    }

    fn row(self, denied: Denied) -> BrokerEvent {
        let mut details = denied.details;
        details.insert("count".to_owned(), self.count.into());
        details.insert("first_ms".to_owned(), self.first.0.into());
        details.insert("last_ms".to_owned(), self.last.0.into());
        BrokerEvent {
            id: self.id,
            cluster: denied.cluster,
            at: self.first,
            principal: denied.principal,
            credential: denied.credential.map(|credential| credential.to_string()),
            address: denied.address.map(|address| address.to_string()),
            request_id: self.request,
            action: denied.action,
            kind: denied.kind,
            resource: denied.resource,
            allowed: denied.sort == Sort::Event,
            details,
        }
    }
}

/// How many rows of a sort a cluster has had since.
#[derive(Debug)]
struct Budget {
    since: Timestamp,
    rows: usize,
}

/// What was told since it was last taken.
#[derive(Debug, Default)]
pub(super) struct Book {
    rows: HashMap<Denied, Counted>,
    others: HashMap<(ClusterId, Sort), Counted>,
    /// Renewed only when rows are taken: with the catalog away a cluster has no more rows than in a minute.
    budgets: HashMap<(ClusterId, Sort), Budget>,
}

impl Book {
    /// How many rows there are.
    pub(super) fn rows(&self) -> usize {
        self.rows.len() + self.others.len()
    }

    /// Counts one more; the id of its row.
    pub(super) fn count(
        &mut self,
        denied: Denied,
        request: impl FnOnce() -> String,
        now: Timestamp,
        new_id: impl FnOnce() -> AuditId,
    ) -> AuditId {
        if let Some(counted) = self.rows.get_mut(&denied) {
            return counted.again(now);
        }
        let of = (denied.cluster, denied.sort);
        let budget = self.budgets.entry(of).or_insert(Budget { since: now, rows: 0 });
        if budget.rows < denied.sort.most() && self.rows.len() < MOST_ROWS {
            budget.rows += 1;
            let mut counted = Counted::new(new_id(), request(), now);
            let id = counted.again(now);
            self.rows.insert(denied, counted);
            return id;
        }
        let others = self.others.entry(of);
        others
            .or_insert_with(|| Counted::new(new_id(), String::new(), now))
            .again(now)
    }

    /// Takes the rows, the oldest first. Those of others that nobody was told an id of stay for a minute.
    pub(super) fn take(&mut self, now: Timestamp) -> Vec<BrokerEvent> {
        let mut rows: Vec<_> = self
            .rows
            .drain()
            .map(|(denied, counted)| counted.row(denied))
            .collect();
        let due =
            |sort: Sort, counted: &Counted| sort == Sort::Authorization || now.since(counted.first) >= MINUTE;
        let others = self.others.extract_if(|(_, sort), counted| due(*sort, counted));
        rows.extend(others.map(|((cluster, sort), counted)| counted.row(others_of(cluster, sort))));
        self.budgets
            .retain(|_, budget| budget.since <= now && now.since(budget.since) < MINUTE);
        rows.sort_by_key(|row| (row.at, row.id));
        rows
    }
}

fn others_of(cluster: ClusterId, sort: Sort) -> Denied {
    let mut details = Details::new();
    details.insert("sort".to_owned(), sort.word().into());
    Denied {
        cluster,
        sort,
        principal: EVERYBODY.to_owned(),
        credential: None,
        address: None,
        action: OTHERS,
        kind: "cluster",
        resource: cluster.public(),
        details,
    }
}

/// A name that somebody has made up: cut, and with nothing in it that a terminal or a database would not show.
pub(super) fn plain(name: &str) -> String {
    let shown = |c: char| match c.is_control() {
        true => char::REPLACEMENT_CHARACTER,
        false => c,
    };
    let mut plain: String = name.chars().map(shown).take(MAX_NAME).collect();
    if name.chars().nth(MAX_NAME).is_some() {
        plain.push('…');
    }
    plain
}
