//! The broker's metrics, as typed functions.

use std::sync::OnceLock;
use std::time::Duration;

use kafka_protocol::messages::ApiKey;
use opentelemetry::metrics::{Counter, Gauge, Histogram, Meter, UpDownCounter};
use opentelemetry::{KeyValue, global};

use crate::network::Closing;

struct Instruments {
    requests: Counter<u64>,
    latency: Histogram<f64>,
    errors: Counter<u64>,
    throttled: Counter<u64>,
    bytes_received: Counter<u64>,
    bytes_sent: Counter<u64>,
    produced: Counter<u64>,
    fetched: Counter<u64>,
    connections: UpDownCounter<i64>,
    refused: Counter<u64>,
    ended: Counter<u64>,
    sessions: UpDownCounter<i64>,
    groups: UpDownCounter<i64>,
    usage_dropped: Counter<u64>,
    usage_unwritten: Counter<u64>,
}

fn instruments() -> &'static Instruments {
    static INSTRUMENTS: OnceLock<Instruments> = OnceLock::new();
    INSTRUMENTS.get_or_init(|| {
        let meter = global::meter("firn-broker");
        let counter = |name: &'static str, unit: &'static str, description: &'static str| {
            meter
                .u64_counter(name)
                .with_unit(unit)
                .with_description(description)
                .build()
        };
        let gauge = |meter: &Meter, name: &'static str, description: &'static str| {
            meter
                .i64_up_down_counter(name)
                .with_description(description)
                .build()
        };
        Instruments {
            requests: counter("firn_broker_requests", "", "Requests answered, by API."),
            latency: meter
                .f64_histogram("firn_broker_request_duration")
                .with_unit("s")
                .with_description("From a request's start to its answer, by API.")
                .with_boundaries(vec![
                    0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0,
                ])
                .build(),
            errors: counter(
                "firn_broker_errors",
                "",
                "Errors in answers to Produce and Fetch, by code.",
            ),
            throttled: counter(
                "firn_broker_throttle_time",
                "ms",
                "Time that clients were told to wait.",
            ),
            bytes_received: counter("firn_broker_received", "By", "Bytes of request frames."),
            bytes_sent: counter("firn_broker_sent", "By", "Bytes written to clients."),
            produced: counter("firn_broker_produced", "By", "Bytes of record batches appended."),
            fetched: counter("firn_broker_fetched", "By", "Bytes of record batches returned."),
            connections: gauge(&meter, "firn_broker_connections", "Open connections."),
            refused: counter("firn_broker_connections_refused", "", "Connections over a limit."),
            ended: counter(
                "firn_broker_connections_ended",
                "",
                "Connections ended, by reason.",
            ),
            sessions: gauge(&meter, "firn_broker_fetch_sessions", "Cached fetch sessions."),
            groups: gauge(&meter, "firn_broker_groups", "Consumer groups coordinated here."),
            usage_dropped: counter(
                "firn_broker_usage_dropped",
                "",
                "Rows of usage that were lost: the catalog was away for too long.",
            ),
            usage_unwritten: counter(
                "firn_broker_usage_unwritten",
                "",
                "Times that usage could not be written to the catalog.",
            ),
        }
    })
}

struct Denials {
    denied: Counter<u64>,
    unwritten: Counter<u64>,
}

fn denials() -> &'static Denials {
    static DENIALS: OnceLock<Denials> = OnceLock::new();
    DENIALS.get_or_init(|| {
        let meter = global::meter("firn-broker");
        Denials {
            denied: meter
                .u64_counter("firn_broker_denials")
                .with_description("What was denied to clients or told of them, by sort.")
                .build(),
            unwritten: meter
                .u64_counter("firn_broker_denials_unwritten")
                .with_description("Times that denials could not be written to the catalog.")
                .build(),
        }
    })
}

/// Something was denied to a client.
pub(crate) fn denied(sort: &'static str) {
    denials().denied.add(1, &[KeyValue::new("sort", sort)]);
}

/// Denials could not be written for now.
pub(crate) fn denials_unwritten() {
    denials().unwritten.add(1, &[]);
}

struct Logins {
    authentications: Counter<u64>,
    handshakes_failed: Counter<u64>,
}

fn logins() -> &'static Logins {
    static LOGINS: OnceLock<Logins> = OnceLock::new();
    LOGINS.get_or_init(|| {
        let meter = global::meter("firn-broker");
        Logins {
            authentications: meter
                .u64_counter("firn_broker_authentications")
                .with_description("Attempts to authenticate, by mechanism and outcome.")
                .build(),
            handshakes_failed: meter
                .u64_counter("firn_broker_tls_handshakes_failed")
                .with_description("TLS handshakes that failed or took too long.")
                .build(),
        }
    })
}

/// The name of an API, for labels and spans.
pub(crate) fn api_name(api: ApiKey) -> &'static str {
    match api {
        ApiKey::Produce => "Produce",
        ApiKey::Fetch => "Fetch",
        ApiKey::ListOffsets => "ListOffsets",
        ApiKey::Metadata => "Metadata",
        ApiKey::OffsetCommit => "OffsetCommit",
        ApiKey::OffsetFetch => "OffsetFetch",
        ApiKey::FindCoordinator => "FindCoordinator",
        ApiKey::JoinGroup => "JoinGroup",
        ApiKey::Heartbeat => "Heartbeat",
        ApiKey::LeaveGroup => "LeaveGroup",
        ApiKey::SyncGroup => "SyncGroup",
        ApiKey::DescribeGroups => "DescribeGroups",
        ApiKey::ListGroups => "ListGroups",
        ApiKey::DeleteGroups => "DeleteGroups",
        ApiKey::OffsetDelete => "OffsetDelete",
        ApiKey::ApiVersions => "ApiVersions",
        ApiKey::InitProducerId => "InitProducerId",
        ApiKey::OffsetForLeaderEpoch => "OffsetForLeaderEpoch",
        ApiKey::CreateTopics => "CreateTopics",
        ApiKey::DeleteTopics => "DeleteTopics",
        ApiKey::CreatePartitions => "CreatePartitions",
        ApiKey::DeleteRecords => "DeleteRecords",
        ApiKey::DescribeConfigs => "DescribeConfigs",
        ApiKey::IncrementalAlterConfigs => "IncrementalAlterConfigs",
        ApiKey::AlterConfigs => "AlterConfigs",
        ApiKey::DescribeCluster => "DescribeCluster",
        ApiKey::DescribeTopicPartitions => "DescribeTopicPartitions",
        ApiKey::DescribeLogDirs => "DescribeLogDirs",
        ApiKey::DescribeProducers => "DescribeProducers",
        ApiKey::SaslHandshake => "SaslHandshake",
        ApiKey::SaslAuthenticate => "SaslAuthenticate",
        ApiKey::DescribeClientQuotas => "DescribeClientQuotas",
        ApiKey::AlterClientQuotas => "AlterClientQuotas",
        ApiKey::DescribeUserScramCredentials => "DescribeUserScramCredentials",
        ApiKey::AlterUserScramCredentials => "AlterUserScramCredentials",
        ApiKey::ListConfigResources => "ListConfigResources",
        ApiKey::DescribeAcls => "DescribeAcls",
        ApiKey::CreateAcls => "CreateAcls",
        ApiKey::DeleteAcls => "DeleteAcls",
        _ => "other",
    }
}

/// A request was answered.
pub(crate) fn request(api: ApiKey, duration: Duration, throttle: Duration) {
    let api = [KeyValue::new("api", api_name(api))];
    let instruments = instruments();
    instruments.requests.add(1, &api);
    instruments.latency.record(duration.as_secs_f64(), &api);
    if !throttle.is_zero() {
        instruments
            .throttled
            .add(u64::try_from(throttle.as_millis()).unwrap_or(u64::MAX), &api);
    }
}

/// A client of a cluster was told to wait, by this limit.
pub(crate) fn throttled_by(cluster: firn_catalog::ids::ClusterId, limit: &'static str, wait: Duration) {
    static WAITED: OnceLock<Counter<u64>> = OnceLock::new();
    let waited = WAITED.get_or_init(|| {
        global::meter("firn-broker")
            .u64_counter("firn_broker_quota_throttle_time")
            .with_unit("ms")
            .with_description("Time that clients were told to wait, by cluster and limit.")
            .build()
    });
    let labels = [
        KeyValue::new("cluster", cluster.public()),
        KeyValue::new("limit", limit),
    ];
    waited.add(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX), &labels);
}

/// An answer to a partition of Produce or Fetch holds this error.
pub(crate) fn error(api: ApiKey, code: i16) {
    let labels = [
        KeyValue::new("api", api_name(api)),
        KeyValue::new("code", i64::from(code)),
    ];
    instruments().errors.add(1, &labels);
}

/// A request frame was taken.
pub(crate) fn bytes_received(bytes: usize) {
    instruments().bytes_received.add(bytes as u64, &[]);
}

/// Bytes went to a client.
pub(crate) fn bytes_sent(bytes: usize) {
    instruments().bytes_sent.add(bytes as u64, &[]);
}

/// Batches were appended.
pub(crate) fn produced(bytes: usize) {
    instruments().produced.add(bytes as u64, &[]);
}

/// Batches were returned.
pub(crate) fn fetched(bytes: usize) {
    instruments().fetched.add(bytes as u64, &[]);
}

/// A connection was accepted.
pub(crate) fn connection_opened() {
    instruments().connections.add(1, &[]);
}

/// A connection is gone.
pub(crate) fn connection_closed() {
    instruments().connections.add(-1, &[]);
}

/// A connection was over a limit.
pub(crate) fn connection_refused() {
    instruments().refused.add(1, &[]);
}

/// Why a connection ended.
pub(crate) fn connection_ended(why: Closing) {
    instruments()
        .ended
        .add(1, &[KeyValue::new("reason", format!("{why:?}"))]);
}

/// A client tried to authenticate.
pub(crate) fn authentication(mechanism: &'static str, outcome: &'static str) {
    let labels = [
        KeyValue::new("mechanism", mechanism),
        KeyValue::new("outcome", outcome),
    ];
    logins().authentications.add(1, &labels);
}

struct CertificateInstruments {
    refused: Counter<u64>,
    expiring_clients: Counter<u64>,
    expiry: Gauge<i64>,
    expiring_authorities: Gauge<u64>,
}

fn certificates() -> &'static CertificateInstruments {
    static CERTIFICATES: OnceLock<CertificateInstruments> = OnceLock::new();
    CERTIFICATES.get_or_init(|| {
        let meter = global::meter("firn-broker");
        CertificateInstruments {
            refused: meter
                .u64_counter("firn_broker_client_certificates_refused")
                .with_description("Certificates of clients that were not taken, by reason.")
                .build(),
            expiring_clients: meter
                .u64_counter("firn_broker_client_certificates_expiring")
                .with_description("Clients' certificates that expire within 30 days, each once a day.")
                .build(),
            expiry: meter
                .i64_gauge("firn_broker_certificate_expiry")
                .with_unit("s")
                .with_description(
                    "Until the first certificate expires: the broker's own, or one of clusters' authorities.",
                )
                .build(),
            expiring_authorities: meter
                .u64_gauge("firn_broker_authorities_expiring")
                .with_description(
                    "Certificates of clusters' authorities that expire within 30 days, or have.",
                )
                .build(),
        }
    })
}

/// A client's certificate was refused.
pub(crate) fn client_certificate_refused(reason: &'static str) {
    certificates().refused.add(1, &[KeyValue::new("reason", reason)]);
}

/// A client came with a certificate that expires soon.
pub(crate) fn client_certificate_expires_soon() {
    certificates().expiring_clients.add(1, &[]);
}

/// So many seconds are left until the first certificate of this kind expires.
pub(crate) fn certificate_expiry(kind: &'static str, seconds: i64) {
    certificates()
        .expiry
        .record(seconds, &[KeyValue::new("kind", kind)]);
}

/// So many certificates of authorities expire soon.
pub(crate) fn authorities_expiring(count: usize) {
    certificates().expiring_authorities.record(count as u64, &[]);
}

/// A TLS handshake failed.
pub(crate) fn tls_handshake_failed() {
    logins().handshakes_failed.add(1, &[]);
}

/// The number of cached fetch sessions changed.
pub(crate) fn fetch_sessions(change: i64) {
    instruments().sessions.add(change, &[]);
}

/// So many more groups are coordinated here, or fewer.
pub(crate) fn groups(more: i64) {
    if more != 0 {
        instruments().groups.add(more, &[]);
    }
}

/// So many rows of usage are lost.
pub(crate) fn usage_dropped(rows: usize) {
    instruments().usage_dropped.add(rows as u64, &[]);
}

/// Usage could not be written for now.
pub(crate) fn usage_unwritten() {
    instruments().usage_unwritten.add(1, &[]);
}
