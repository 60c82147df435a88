//! Records of a topic: reading with a filter, one as a whole, and producing. Brokers are asked in the caller's name, and decide.

mod bodies;
mod positions;
mod producing;
mod range;
mod scan;
mod shown;
mod turns;

use std::time::Duration;

use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use firn_catalog::access::Permission;
use firn_catalog::acl::Operation;
use firn_catalog::ids::{ClusterId, OrganizationId};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::bodies::{NewRecordsBody, ProducedBody, RecordBody, RecordsBody};
use self::positions::Positions;
use self::producing::Batches;
use self::range::Asked;
use self::scan::{Limits, Scan};
use super::topics::Place;
use crate::kafka::records::{Bounds, Room, TopicAt, read};
use crate::rules::{Body, Caller, Code, Ids, Paging, Problem, Query, Write, created, ok};
use crate::state::Api;

/// How much of a key and a value is shown where one record is asked for.
const WHOLE: usize = 8 << 20;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(list_records, produce_records))
        .routes(routes!(get_record))
}

/// A topic whose records the caller may read or write.
struct Opened {
    place: Place,
    name: String,
}

impl Opened {
    /// The topic, if the caller may do this to its records. That it may not is in the cluster's audit trail.
    async fn find(
        api: &Api,
        caller: &Caller,
        (cluster, name): (ClusterId, String),
        operation: Operation,
    ) -> Result<Self, Problem> {
        let place = Place::find(api, caller, cluster, Permission::ViewCluster).await?;
        let name = place.topic(&name)?.name.to_string();
        if !place.may(operation, &name) {
            let action = if operation == Operation::Read {
                "read"
            } else {
                "write"
            };
            let told = api
                .catalog
                .record_denial(&place.actor, cluster, action, ("topic", &name))
                .await;
            let told = told.inspect_err(|error| tracing::warn!(%error, "a denial is not in the audit trail"));
            let denied = Problem::new(Code::Forbidden, "neither a role nor an ACL allows this");
            return Err(denied.told(told.ok().map(|id| id.public())));
        }
        Ok(Self { place, name })
    }
}

/// List records
///
/// Those of a topic that a filter matches, in the order of each partition's offsets and about the order of time. A request looks at
/// about 16 MiB of records or for 2 seconds, then answers with what it has found, which may be nothing, and a cursor: with it the search
/// goes on. Records of transactions are there once these are committed. What may be said in a filter: docs/records.md.
#[utoipa::path(
    get, path = "/v1/clusters/{cluster}/topics/{topic}/records", tag = "records",
    params(
        ("topic" = String, Path, description = "Its name", min_length = 1, max_length = 249, pattern = "^[a-zA-Z0-9._-]+$"),
        ("partitions" = Option<String>, Query, description = "Numbers of partitions, by commas, at most 200; all if it is not given", example = "0,2", max_length = 1400, pattern = "^([0-9]{1,6}(,[0-9]{1,6})*)?$"),
        ("start" = Option<String>, Query, description = "Where to begin: earliest, latest, offset:N, time:RFC3339, or last:N, about the N newest of all partitions together", example = "last:50", max_length = 300),
        ("end" = Option<String>, Query, description = "Before what to end: offset:N or time:RFC3339; otherwise at the end that each partition has when the first page is asked for", max_length = 300),
        ("follow" = Option<bool>, Query, description = "Whether to go on with what is produced meanwhile; there is always a next cursor then"),
        ("wait" = Option<i64>, Query, description = "With follow: for how many seconds to wait for a record if there is none", minimum = 0, maximum = 20),
        ("filter" = Option<String>, Query, description = "Which records; all if it is not given. At most 2,000 bytes in UTF-8", example = "json.total > 10", max_length = 2000),
        ("max_bytes" = Option<i64>, Query, description = "How many bytes of each key, value and header are shown", minimum = 0, maximum = 1_048_576),
        ("page_size" = Option<i64>, Query, description = "How many items a page has at most", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "Where the page begins: next_cursor of the one before", max_length = 8000),
    ),
    responses((status = 200, body = RecordsBody))
)]
async fn list_records(
    State(api): State<Api>,
    caller: Caller,
    Ids(path): Ids<(ClusterId, String)>,
    paging: Paging,
    query: Query,
    uri: Uri,
) -> Result<Response, Problem> {
    let opened = Opened::find(&api, &caller, path, Operation::Read).await?;
    let Opened { place, name } = &opened;
    let topic = place.topic(name)?;
    let asked = Asked::read(&query, &uri, topic.partitions.len())?;
    let delegate = place.delegate();
    let at = TopicAt {
        pool: api.kafka(),
        delegate: &delegate,
        image: &place.image,
        topic,
    };
    let positions = match &paging.after {
        Some(after) => Positions::decode(after, topic.id)?,
        None => asked.positions(&at).await?,
    };
    let limits = Limits {
        items: usize::try_from(paging.size).unwrap_or(1),
        shown: asked.max_bytes,
    };
    let scan = Scan::new(positions, asked.filter, limits);
    let scan = scan::run(&api, &at, organization(place), scan, asked.wait).await?;
    let next = scan
        .next()
        .map(|positions| paging.cursor(positions.encode(topic.id)));
    // Megabytes of base64 keep no other request waiting.
    let answer = move || ok(RecordsBody::of(scan, next));
    Ok(firn_runtime::blocking(&*api.env.tasks, answer).await)
}

/// Get a record
///
/// The one at this offset, with up to 8 MiB of its key and value.
#[utoipa::path(
    get, path = "/v1/clusters/{cluster}/topics/{topic}/partitions/{partition}/records/{offset}", tag = "records",
    params(
        ("topic" = String, Path, description = "Its name", min_length = 1, max_length = 249, pattern = "^[a-zA-Z0-9._-]+$"),
        ("partition" = i32, Path, description = "The partition", minimum = 0),
        ("offset" = i64, Path, description = "The offset", minimum = 0),
    ),
    responses((status = 200, body = RecordBody))
)]
async fn get_record(
    State(api): State<Api>,
    caller: Caller,
    Ids((cluster, name, partition, offset)): Ids<(ClusterId, String, i32, i64)>,
) -> Result<Response, Problem> {
    const ROOM: Room = Room {
        most: 1 << 20,
        of_partition: 1 << 20,
        wait_ms: 0,
    };
    let opened = Opened::find(&api, &caller, (cluster, name), Operation::Read).await?;
    let Opened { place, name } = &opened;
    let topic = place.topic(name)?;
    let known = usize::try_from(partition).is_ok_and(|place| place < topic.partitions.len());
    if !known {
        return Err(Problem::missing("partition"));
    }
    let delegate = place.delegate();
    let at = TopicAt {
        pool: api.kafka(),
        delegate: &delegate,
        image: &place.image,
        topic,
    };
    let turn = turns::take(organization(place)).await?;
    let fetched = at.fetch([(partition, offset)], ROOM).await?;
    if !fetched.throttle.is_zero() && fetched.chunks.is_empty() {
        return Err(over_quota(fetched.throttle));
    }
    let chunk = fetched.chunks.into_iter().next().ok_or_else(Problem::internal)?;
    scan::check(chunk.error)?;
    let bounds = Bounds {
        memory: 1,
        field: WHOLE as u64,
        until: None,
    };
    firn_runtime::blocking(&*api.env.tasks, move || {
        let portion = read(chunk.records, &chunk.aborted, offset, bounds);
        let mut found = portion.records.into_iter();
        let found = found.find(|record| record.offset == offset);
        let found = found.ok_or_else(|| Problem::missing("record"))?;
        let answer = ok(RecordBody::of(partition, &found, WHOLE));
        drop(turn);
        Ok(answer)
    })
    .await
}

/// Whose the cluster is.
fn organization(place: &Place) -> OrganizationId {
    let cluster = place.image.cluster(place.cluster);
    cluster.map_or(OrganizationId(0), |cluster| cluster.organization)
}

fn over_quota(wait: Duration) -> Problem {
    let detail = "a quota of the caller's, or the limit of the cluster, is used up";
    Problem::new(Code::RateLimited, detail).retry_after(wait.as_secs() + 1)
}

/// Produce records
///
/// Up to 100. What is wrong with any of them is told before anything is appended. Without a partition, a record goes where Kafka's clients
/// would send its key; those without a key all go to one partition. What was appended in part only, or nobody knows whether, is answered with
/// 409 `not_all_done`, which an Idempotency-Key keeps, so that nothing is appended twice.
#[utoipa::path(
    post, path = "/v1/clusters/{cluster}/topics/{topic}/records", tag = "records",
    params(("topic" = String, Path, description = "Its name", min_length = 1, max_length = 249, pattern = "^[a-zA-Z0-9._-]+$")),
    request_body = NewRecordsBody,
    responses((status = 201, description = "They are durable", body = ProducedBody, headers(("Location", description = "The topic's records"))))
)]
async fn produce_records(
    State(api): State<Api>,
    caller: Caller,
    write: Write,
    Ids(path): Ids<(ClusterId, String)>,
    Body(body): Body<NewRecordsBody>,
) -> Result<Response, Problem> {
    let opened = Opened::find(&api, &caller, path, Operation::Write).await?;
    let Opened { place, name } = &opened;
    let topic = place.topic(name)?;
    let batches = Batches::of(body, topic, api.env.now(), api.env.random_u64())?;
    let location = format!("{}/records", super::topics::location(place.cluster, name));
    if write.rehearsal {
        return Ok(created(batches.rehearsed(), location, None));
    }
    let delegate = place.delegate();
    let wait = api.kafka().held_back(&delegate);
    if !wait.is_zero() {
        return Err(over_quota(wait));
    }
    let at = TopicAt {
        pool: api.kafka(),
        delegate: &delegate,
        image: &place.image,
        topic,
    };
    let producing = async { batches.produced(&at.append(batches.encoded()).await) };
    let details = ("produce", batches.details());
    let produced = place
        .done(&api, ("topic", name.as_str()), details, producing)
        .await??;
    Ok(created(produced, location, None))
}
