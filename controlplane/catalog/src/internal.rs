//! What the control plane asks brokers on their internal listeners, and what they answer. The bytes around it are drawn in
//! docs/formats/internal.md.
//!
//! Each question is answered for the cluster of the connection, to whoever may see that cluster. A broker tells what it knows itself;
//! whoever asks puts together what all of them tell.

use serde::{Deserialize, Serialize};

/// The API key of the messages between the processes of a cell: above all of Kafka's.
pub const INTERNAL_API: i16 = 30_000;
/// The only version of them.
pub const INTERNAL_VERSION: i16 = 0;

/// The kind of message that is a question, which its JSON follows.
pub const INTERNAL_QUESTION: u8 = 0;

/// What the control plane asks a broker, as JSON in the body of an internal request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Question {
    /// Who is throttled, or was lately: [`crate::quota::throttle::Throttles`].
    Throttles,
    /// Which clients are connected, or were lately: [`Connections`].
    Connections,
    /// How much goes on, and how much is held: [`Load`].
    Load,
}

/// The connections of clients to one broker.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connections {
    /// The broker's node.
    pub node: i32,
    /// Those that are open, and those that were closed in the last ten minutes. The latest first.
    pub connections: Vec<Connection>,
    /// When the first client was let in since the broker started, in ms since 1970.
    pub first_connection_ms: Option<i64>,
    /// When the first records were appended by a client since the broker started.
    pub first_record_ms: Option<i64>,
    /// Whether there are more.
    pub incomplete: bool,
}

/// A client's connection. Times are in ms since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// What the ids of its requests begin with, in logs and audit trails.
    pub id: String,
    /// Who it is, as Kafka prints it.
    pub principal: String,
    /// The public id of what it showed; `None`: nothing.
    pub credential: Option<String>,
    /// How it showed that.
    pub mechanism: String,
    /// The client id of its first request; at most 128 bytes of it.
    pub client_id: Option<String>,
    /// What software it says it is; at most 64 bytes of it.
    pub software_name: Option<String>,
    /// In which version; at most 64 bytes of it.
    pub software_version: Option<String>,
    /// Where it comes from.
    pub address: String,
    /// Whether it is protected by TLS.
    pub tls: bool,
    /// When it came.
    pub opened_ms: i64,
    /// When it went; `None`: it is open.
    pub closed_ms: Option<i64>,
    /// When its last request came.
    pub last_request_ms: Option<i64>,
    /// The API of that request, by Kafka's name.
    pub last_api: Option<String>,
    /// Its requests that were answered, beside those of its login.
    pub requests: u64,
    /// Bytes of these requests.
    pub bytes_in: u64,
    /// Bytes of the answers.
    pub bytes_out: u64,
}

/// How much goes on at one broker, and how much it holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Load {
    /// The broker's node.
    pub node: i32,
    /// Bytes of record batches that clients append in a second, over about the last ten.
    pub produced_bytes_per_second: f64,
    /// Bytes of record batches that clients are answered with in a second.
    pub fetched_bytes_per_second: f64,
    /// Requests that are answered in a second.
    pub requests_per_second: f64,
    /// Connections that are open.
    pub connections: u64,
    /// Partitions that it leads.
    pub partitions: u64,
    /// Those of them that it does not serve.
    pub unavailable_partitions: u64,
    /// Bytes of their records.
    pub total_bytes: u64,
    /// Bytes of records that are in the write-ahead log or near it.
    pub local_bytes: u64,
    /// Bytes of records that are in objects. Some are both.
    pub tiered_bytes: u64,
    /// Consumer groups that it coordinates; `None`: it cannot tell now.
    pub groups: Option<u64>,
    /// Whether the cluster holds as many bytes as it may, so that Produce is refused.
    pub storage_full: bool,
}
