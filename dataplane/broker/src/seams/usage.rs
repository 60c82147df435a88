//! What requests use: for quotas and for metering.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use firn_catalog::commands::Principal;
use firn_catalog::ids::ClusterId;
use kafka_protocol::messages::ApiKey;

use crate::quotas::{Memo, Reserved};

/// Who made a request.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a> {
    /// The cluster of the connection.
    pub cluster: ClusterId,
    /// The principal of the connection.
    pub principal: &'a Principal,
    /// The client id that the request names.
    pub client_id: Option<&'a str>,
    /// What the connection knows of its quotas.
    pub memo: &'a Memo,
}

/// What one request used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Which API.
    pub api: ApiKey,
    /// Bytes of the request frame, without its length.
    pub request_bytes: usize,
    /// Bytes of record batches that were appended.
    pub produced_bytes: usize,
    /// Bytes of record batches that are returned.
    pub fetched_bytes: usize,
    /// Bytes of the response frame with its length; 0 before it is encoded, and if there is none.
    pub response_bytes: usize,
}

/// Whether a Fetch request gets records now.
#[derive(Debug)]
pub enum Portion {
    /// At most about so many bytes, which are held for it meanwhile.
    AtMost(usize, Option<Reserved>),
    /// None, until this time has passed.
    Later(Duration),
}

/// Whether a connection may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It may.
    Now,
    /// It may, once this time has passed.
    After(Duration),
    /// It is closed.
    Refused,
}

/// Decides how long a client shall wait.
pub trait Quotas: Send + Sync + 'static {
    /// Takes note of the usage. The answer goes out at once and tells this time; then the connection is muted for it.
    fn charge(&self, caller: Caller<'_>, usage: &Usage) -> Duration;

    /// How long the next Produce request of this connection is held back at least; asked before it is started.
    fn backlog(&self, _memo: &Memo, _cluster: ClusterId) -> Duration {
        Duration::ZERO
    }

    /// Asked before records, of at most so many bytes, are read for a Fetch request.
    fn before_fetch(&self, _caller: Caller<'_>, _wanted: usize) -> Portion {
        Portion::AtMost(usize::MAX, None)
    }

    /// Asked before so many partitions are made or deleted. Where it is `strict` they may not be if this is false; what is to be
    /// waited for otherwise is told by [`Self::charge`].
    fn change(&self, _caller: Caller<'_>, _partitions: u64, _strict: bool) -> bool {
        true
    }

    /// Asked once it is known who a connection is.
    fn connect(&self, _cluster: ClusterId, _principal: &Principal, _address: IpAddr) -> Admission {
        Admission::Now
    }
}

/// Nobody waits.
#[derive(Clone, Copy, Debug)]
pub struct NoQuotas;

impl Quotas for NoQuotas {
    fn charge(&self, _caller: Caller<'_>, _usage: &Usage) -> Duration {
        Duration::ZERO
    }
}

/// Keeps account of who used what.
pub trait Meter: Send + Sync + 'static {
    /// The account of a principal, for one connection, which is that principal's until it drops the account. Looked up once, so
    /// that a request finds its counters without a search.
    fn open(&self, cluster: ClusterId, principal: &Principal) -> Arc<dyn Account>;
}

/// Where the requests of one connection are counted.
pub trait Account: fmt::Debug + Send + Sync + 'static {
    /// Takes note of a request that was answered, or whose client went away once it had an effect.
    fn record(&self, usage: &Usage);
}

/// Keeps no account. The process's own metrics are recorded all the same.
#[derive(Clone, Copy, Debug)]
pub struct NoMeter;

impl Meter for NoMeter {
    fn open(&self, _cluster: ClusterId, _principal: &Principal) -> Arc<dyn Account> {
        Arc::new(Self)
    }
}

impl Account for NoMeter {
    fn record(&self, _usage: &Usage) {}
}
