//! What requests use: for quotas and for metering.

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
    /// Bytes of the request frame.
    pub request_bytes: usize,
    /// Bytes of record batches that were appended.
    pub produced_bytes: usize,
    /// Bytes of record batches that are returned.
    pub fetched_bytes: usize,
    /// Bytes of the response frame; 0 before it is encoded.
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
    /// Takes note of a request that was answered.
    fn record(&self, caller: Caller<'_>, usage: &Usage);
}

/// Keeps no account. The process's own metrics are recorded all the same.
#[derive(Clone, Copy, Debug)]
pub struct NoMeter;

impl Meter for NoMeter {
    fn record(&self, _caller: Caller<'_>, _usage: &Usage) {}
}
