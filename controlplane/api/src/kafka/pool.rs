//! Connections that wait for the next request of the same user to the same broker.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use firn_catalog::access::RoleSet;
use firn_catalog::entities::Address;
use firn_catalog::ids::ClusterId;
use firn_runtime::Env;
use firn_secrets::Secrets;
use firn_secrets::delegation::Delegation;
use parking_lot::Mutex;
use tokio::time::Instant;

use super::budget::Budget;
use super::connection::Connection;
use super::{Delegate, KafkaError};

/// How long a connection waits for its next request.
const IDLE: Duration = Duration::from_secs(30);
/// How long a delegation lasts: longer than a connection is used.
const DELEGATION: Duration = Duration::from_secs(300);
/// How long a connection is used after it was opened.
const LIFE: Duration = Duration::from_secs(240);
/// How many connections wait in all, and of one user at one broker.
const MOST_WAITING: usize = 256;
const MOST_OF_ONE: usize = 4;
/// For how long somebody is held back at most before it is tried again: a quota may have been raised. And how many may be.
const HELD_BACK: Duration = Duration::from_secs(60);
const MOST_HELD_BACK: usize = 10_000;

/// Which connections do for a request: same broker, same user with the same roles, from the same address.
type Key = (String, u16, ClusterId, String, RoleSet, Option<IpAddr>);

struct Waiting {
    connection: Pooled,
    since: Instant,
}

/// A connection, and when it was opened.
pub(super) struct Pooled {
    connection: Connection,
    opened: Instant,
}

impl std::ops::Deref for Pooled {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl std::ops::DerefMut for Pooled {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }
}

/// Connections to brokers.
pub(crate) struct KafkaPool {
    env: Env,
    secrets: Secrets,
    budget: Budget,
    waiting: Mutex<BTreeMap<Key, Vec<Waiting>>>,
    /// Until when users must not produce.
    held_back: Mutex<BTreeMap<(ClusterId, String), Instant>>,
}

fn key(broker: &Address, delegate: &Delegate) -> Key {
    let user = &delegate.user;
    (
        broker.host.clone(),
        broker.port,
        user.cluster,
        user.name.to_string(),
        user.roles,
        delegate.address,
    )
}

impl KafkaPool {
    /// None yet.
    pub(crate) fn new(env: Env, secrets: Secrets) -> Self {
        Self {
            env,
            secrets,
            budget: Budget::new(),
            waiting: Mutex::default(),
            held_back: Mutex::default(),
        }
    }

    /// A broker says that the user's quota, or the cluster's limit, makes it wait before it produces more.
    pub(super) fn hold_back(&self, delegate: &Delegate, throttle: Duration) {
        if throttle.is_zero() {
            return;
        }
        let now = Instant::now();
        let mut held_back = self.held_back.lock();
        held_back.retain(|_, until| *until > now);
        if held_back.len() < MOST_HELD_BACK {
            let user = (delegate.user.cluster, delegate.user.name.to_string());
            let until = now + throttle.min(HELD_BACK);
            let known = held_back.entry(user).or_insert(until);
            *known = until.max(*known);
        }
    }

    /// How long the user must wait before it produces more.
    pub(crate) fn held_back(&self, delegate: &Delegate) -> Duration {
        let user = (delegate.user.cluster, delegate.user.name.to_string());
        let until = self.held_back.lock().get(&user).copied();
        until.map_or(Duration::ZERO, |until| {
            until.saturating_duration_since(Instant::now())
        })
    }

    pub(super) async fn connect(&self, broker: &Address, delegate: &Delegate) -> Result<Pooled, KafkaError> {
        let user = &delegate.user;
        let delegation = Delegation {
            cluster: user.cluster.0,
            user: user.name.to_string(),
            roles: user.roles.iter().map(|role| role.name().to_owned()).collect(),
            expires_at_ms: self.env.now().plus(DELEGATION).0,
            request_id: delegate.request_id.clone(),
            address: delegate.address,
        };
        let opened = Instant::now();
        let connection =
            Connection::open(broker, delegation.sign(&self.secrets), self.budget.clone()).await?;
        Ok(Pooled { connection, opened })
    }

    pub(super) fn take(&self, broker: &Address, delegate: &Delegate) -> Option<Pooled> {
        let mut waiting = self.waiting.lock();
        drop_old(&mut waiting);
        let of_one = waiting.get_mut(&key(broker, delegate))?;
        of_one.pop().map(|waiting| waiting.connection)
    }

    pub(super) fn give(&self, broker: &Address, delegate: &Delegate, connection: Pooled) {
        let mut waiting = self.waiting.lock();
        drop_old(&mut waiting);
        let all: usize = waiting.values().map(Vec::len).sum();
        let of_one = waiting.entry(key(broker, delegate)).or_default();
        if all < MOST_WAITING && of_one.len() < MOST_OF_ONE {
            let since = Instant::now();
            of_one.push(Waiting { connection, since });
        }
    }
}

fn drop_old(waiting: &mut BTreeMap<Key, Vec<Waiting>>) {
    let fresh =
        |waiting: &Waiting| waiting.since.elapsed() < IDLE && waiting.connection.opened.elapsed() < LIFE;
    waiting.retain(|_, of_one| {
        of_one.retain(fresh);
        !of_one.is_empty()
    });
}
