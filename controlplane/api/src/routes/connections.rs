//! Who is connected to a cluster, and who was lately.

use axum::extract::State;
use axum::response::Response;
use firn_catalog::access::Permission;
use firn_catalog::ids::ClusterId;
use firn_catalog::internal::{Connection, Connections};
use firn_runtime::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::topics::Place;
use crate::kafka;
use crate::rules::{Caller, Ids, Moment, Problem, ok};
use crate::state::Api;

/// How many connections an answer names.
const MOST: usize = 1_000;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(list_connections))
}

/// The connections of a cluster's Kafka clients.
#[derive(Serialize, ToSchema)]
#[schema(as = Connections)]
struct ConnectionsBody {
    /// Open ones, the latest first; then those that were closed in the last ten minutes, of each broker 100 at most.
    items: Vec<ConnectionBody>,
    /// When the first client was let in, as far as the brokers that run now know.
    first_connection_at: Option<Moment>,
    /// When a client appended the first records, as far as the brokers that run now know.
    first_record_at: Option<Moment>,
    /// Whether there are more than the answer names.
    incomplete: bool,
    /// The nodes of brokers that did not answer: what they know is missing.
    silent_brokers: Vec<i32>,
}

/// A client's connection to a broker.
#[derive(Serialize, ToSchema)]
#[schema(as = Connection)]
struct ConnectionBody {
    /// What the ids of its requests begin with, in the audit trail too.
    id: String,
    /// The node of the broker.
    broker: i32,
    /// Who it is: `User:` and a name.
    principal: String,
    /// The id of the credential that it showed; null: it was not asked.
    credential: Option<String>,
    /// How it showed that: a SASL mechanism, `SSL` for a certificate, or `none`.
    mechanism: String,
    /// The client id of its first request.
    #[schema(max_length = 128)]
    client_id: Option<String>,
    /// The client library, as it calls itself.
    #[schema(max_length = 64)]
    software_name: Option<String>,
    /// The library's version.
    #[schema(max_length = 64)]
    software_version: Option<String>,
    /// Where it comes from.
    address: String,
    /// Whether it is protected by TLS.
    tls: bool,
    /// When it was opened.
    opened_at: Moment,
    /// When it was closed; null: it is open.
    closed_at: Option<Moment>,
    /// When its last request came, those of its login aside.
    last_request_at: Option<Moment>,
    /// The API of that request, by Kafka's name.
    last_api: Option<String>,
    /// Requests that were answered.
    #[schema(minimum = 0)]
    requests: u64,
    /// Bytes of these requests.
    #[schema(minimum = 0)]
    bytes_in: u64,
    /// Bytes of the answers.
    #[schema(minimum = 0)]
    bytes_out: u64,
}

fn moment(ms: i64) -> Moment {
    Moment(Timestamp(ms))
}

impl ConnectionBody {
    fn of(broker: i32, told: Connection) -> Self {
        Self {
            id: told.id,
            broker,
            principal: told.principal,
            credential: told.credential,
            mechanism: told.mechanism,
            client_id: told.client_id,
            software_name: told.software_name,
            software_version: told.software_version,
            address: told.address,
            tls: told.tls,
            opened_at: moment(told.opened_ms),
            closed_at: told.closed_ms.map(moment),
            last_request_at: told.last_request_ms.map(moment),
            last_api: told.last_api,
            requests: told.requests,
            bytes_in: told.bytes_in,
            bytes_out: told.bytes_out,
        }
    }
}

/// List the connections of a cluster's clients
///
/// Open ones, and those that were closed in the last ten minutes, so that a client that ran for a moment is seen. What the control
/// plane itself asks brokers is not among them.
#[utoipa::path(
    get, path = "/v1/clusters/{cluster}/connections", tag = "clusters",
    responses((status = 200, body = ConnectionsBody))
)]
async fn list_connections(
    State(api): State<Api>,
    caller: Caller,
    Ids(cluster): Ids<ClusterId>,
) -> Result<Response, Problem> {
    let place = Place::find(&api, &caller, cluster, Permission::ViewCluster).await?;
    let told = kafka::ask_all::<Connections>(api.kafka(), &place.delegate(), &place.image).await;
    let silent_brokers = told.missing();
    let first = |of: fn(&Connections) -> Option<i64>| told.answers.iter().filter_map(of).min().map(moment);
    let first_connection_at = first(|answer| answer.first_connection_ms);
    let first_record_at = first(|answer| answer.first_record_ms);
    let mut incomplete = told.answers.iter().any(|answer| answer.incomplete);
    let mut all = Vec::new();
    for Connections {
        node, connections, ..
    } in told.answers
    {
        all.extend(connections.into_iter().map(|connection| (node, connection)));
    }
    all.sort_by_key(|(_, one)| (one.closed_ms.is_some(), std::cmp::Reverse(one.opened_ms)));
    incomplete |= all.len() > MOST;
    all.truncate(MOST);
    Ok(ok(ConnectionsBody {
        items: all
            .into_iter()
            .map(|(node, connection)| ConnectionBody::of(node, connection))
            .collect(),
        first_connection_at,
        first_record_at,
        incomplete,
        silent_brokers,
    }))
}
