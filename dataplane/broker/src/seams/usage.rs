//! What requests use: for quotas and for metering.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use firn_catalog::commands::Principal;
use firn_catalog::ids::ClusterId;
use kafka_protocol::messages::ApiKey;

/// Who made a request.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a> {
    /// The cluster of the connection.
    pub cluster: ClusterId,
    /// The principal of the connection.
    pub principal: &'a Principal,
    /// The client id that the request names.
    pub client_id: Option<&'a str>,
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

/// Decides how long a client shall wait.
pub trait Quotas: Send + Sync + 'static {
    /// Takes note of the usage. The answer goes out at once and tells this time; then the connection is muted for it.
    fn charge(&self, caller: Caller<'_>, usage: &Usage) -> Duration;
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
